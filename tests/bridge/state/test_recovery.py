"""What the watchdog keeps for successors: the music as it was; no request is lost, or asked for ever."""

from live_fakes import plain_plan, telling_bar

from hitpoint.bridge.ipc.messages import (
    BarsReady,
    CancelJob,
    ChooseTake,
    ClipKept,
    ClipSpec,
    Handled,
    JobDone,
    JobResult,
    ListBegun,
    ListDropped,
    ListKnown,
    Planned,
    Regenerate,
    ScoreJob,
    ScoreList,
)
from hitpoint.bridge.ipc.supervision import (
    DropJob,
    ResumeJob,
    WorkingAt,
)
from hitpoint.bridge.play.lookahead import KnownBars
from hitpoint.bridge.state.recovery import TRIES, TRIES_WITH_CARE, NowPlaying, Requests, Shelf

PROGRAMS = (0, 0, 25, 33, 48)


def planned(edition=0, stale=(), take=0, job="film"):
    return Planned(job, take, edition, 0.0, 24.0, plain_plan(4), PROGRAMS, stale)


def score(job="film"):
    return ScoreJob(job, (ClipSpec("/clips/4.mp4", 0.0, 0.0, None),), (), 24.0)


def retold(music):
    """A clock's known_bars after it was told everything anew."""
    known_bars = KnownBars()
    for message in music.retell():
        if isinstance(message, Planned):
            known_bars.edit(message.edition, message.stale)
        else:
            known_bars.add(message.edition, message.bars)
    return known_bars


def test_bars_of_an_older_edition_that_still_hold_are_told_again():
    music = NowPlaying()
    assert music.retell() == []
    music.hear(planned())
    music.hear(BarsReady("film", 0, 0, tuple(telling_bar(i) for i in range(4))))
    music.hear(planned(edition=1, stale=(2, 3)))
    music.hear(BarsReady("film", 0, 1, (telling_bar(2, seed=7),)))
    known_bars = retold(music)
    assert [known_bars.choose(i).kind for i in range(4)] == ["known", "known", "known", "stale"]
    assert known_bars.bars() == [telling_bar(0), telling_bar(1), telling_bar(2, seed=7), telling_bar(3)]


def test_another_job_begins_with_nothing():
    music = NowPlaying()
    music.hear(planned())
    music.hear(BarsReady("film", 0, 0, (telling_bar(0),)))
    music.hear(planned(job="other"))
    music.hear(BarsReady("film", 0, 0, (telling_bar(1),)))
    assert len(retold(music)) == 0


def score_of(index):
    return ScoreJob(f"job{index}", (ClipSpec("/clips/4.mp4", 0.0, 0.0, None),), (), 24.0)


def test_requests_are_asked_again_until_they_are_taken_in_and_jobs_until_they_are_done():
    requests = Requests()
    requests.note(score())
    assert requests.ask_again() == [score()]
    requests.hear(Handled("film", score()))
    assert requests.ask_again() == [ResumeJob("film")], "what is on disk is not begun anew"
    requests.hear(planned())
    requests.hear(JobResult("film", 0, "a", "", ""))
    requests.hear(JobDone("film"))
    assert requests.ask_again() == [ResumeJob("film")], "it is still the one that is heard"
    edits = [Regenerate("film", 0, 0, None), ChooseTake("film", 1, 0)]
    for edit in edits:
        requests.note(edit)
    assert requests.ask_again() == [ResumeJob("film"), *edits]
    requests.hear(Handled("film", edits[0]))
    assert requests.ask_again() == [ResumeJob("film"), edits[1]]


def test_the_300th_of_many_jobs_is_kept_as_the_first():
    requests = Requests()
    for index in range(300):
        requests.note(score_of(index))
        requests.hear(Handled(f"job{index}", score_of(index)))
    requests.composer_died()
    asked = requests.ask_again()
    assert [message.job for message in asked] == [f"job{index}" for index in range(300)]
    assert [message.heard for message in asked] == [False] * 299 + [True]


def test_a_cancelled_job_stays_cancelled_should_the_composer_die_meanwhile():
    requests = Requests()
    requests.note(score())
    requests.hear(Handled("film", score()))
    requests.note(CancelJob("film"))
    assert DropJob("film") in requests.ask_again()
    requests.hear(JobDone("film"))
    assert DropJob("film") not in requests.ask_again()


def test_a_film_that_kills_the_composer_twice_is_given_up_and_the_others_are_not():
    requests = Requests()
    for index in range(3):
        requests.note(score_of(index))
    for death in range(TRIES):
        requests.hear(WorkingAt(("job0",)))
        assert requests.composer_died() == (["job0"] if death == TRIES - 1 else [])
    assert requests.ask_again() == [DropJob("job0"), score_of(1), score_of(2)]


def test_a_job_that_kills_the_composer_while_it_composes_is_tried_otherwise_each_time():
    requests = Requests()
    requests.note(score())
    requests.hear(Handled("film", score()))
    requests.hear(planned())
    fed = []
    for _ in range(TRIES_WITH_CARE):
        fed.append(requests.ask_again())
        requests.hear(WorkingAt(("film",)))
        given_up = requests.composer_died()
    assert fed == [[ResumeJob("film", care)] for care in range(TRIES_WITH_CARE)], "never the same twice"
    assert given_up == ["film"]


def test_one_that_gets_on_between_its_deaths_is_not_given_up():
    requests = Requests()
    requests.note(score())
    requests.hear(Handled("film", score()))
    requests.hear(planned())
    for index in range(20):
        requests.hear(WorkingAt(("film",)))
        assert requests.composer_died() == []
        requests.hear(BarsReady("film", 0, 0, (telling_bar(index),)))


def test_an_edit_that_kills_the_composer_is_given_up_and_the_music_stays():
    requests = Requests()
    requests.note(score())
    requests.hear(Handled("film", score()))
    requests.hear(planned())
    requests.note(Regenerate("film", 0, 0, None))
    for _ in range(TRIES):
        requests.hear(WorkingAt(("film",)))
        given_up = requests.composer_died()
    assert given_up == ["film"]
    assert requests.ask_again() == [ResumeJob("film")]


def test_lists_of_clips_are_kept_for_a_clock_that_is_started_again():
    shelf = Shelf()
    clips = [ClipSpec(f"/clips/{index}.mp4", float(index), 0.0, None) for index in range(3)]
    shelf.note(ListBegun("film", 25.0, 3))
    shelf.note(ClipKept("film", 0, clips[0]))
    shelf.note(ClipKept("film", 2, clips[2]))
    assert shelf.retell() == [ListKnown("film", 25.0, 3, (1,))]
    assert shelf.score(ScoreList("film", ())) is None
    shelf.note(ClipKept("film", 1, clips[1]))
    whole = ScoreJob("film", tuple(clips), (("seed", "3"),), 25.0)
    assert shelf.score(ScoreList("film", (("seed", "3"),))) == whole
    assert Shelf(shelf.whole()).score(ScoreList("film", (("seed", "3"),))) == whole
    shelf.note(ListDropped("film"))
    assert shelf.retell() == []


def test_what_is_heard_beside_the_picture_is_no_clip_of_it():
    shelf = Shelf()
    seen, voice = ClipSpec("/clips/film.mp4", 0.0, 0.0, 9.0), ClipSpec("/clips/voice.wav", 2.0, 0.0, 3.0, heard=True)
    shelf.note(ListBegun("film", 25.0, 2))
    for index, clip in enumerate((voice, seen)):
        shelf.note(ClipKept("film", index, clip))
    whole = ScoreJob("film", (seen,), (), 25.0, (voice,))
    assert shelf.score(ScoreList("film", ())) == whole
    assert Shelf(shelf.whole()).score(ScoreList("film", ())) == whole
