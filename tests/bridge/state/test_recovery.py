"""What the watchdog keeps for successors: the music as it was; no request is lost, or asked for ever."""

from live_fakes import plain_plan, telling_bar

from hitpoint.bridge.ipc.messages import (
    BarsReady,
    CancelJob,
    ChooseTake,
    ClipSpec,
    JobResult,
    Planned,
    Regenerate,
    ResumeJob,
    ScoreJob,
)
from hitpoint.bridge.play.lookahead import Library
from hitpoint.bridge.state.recovery import DEATHS_ON_ONE_REQUEST, Music, Requests

PROGRAMS = (0, 0, 25, 33, 48)


def planned(edition=0, stale=(), take=0, job="film"):
    return Planned(job, take, edition, 0.0, 24.0, plain_plan(4), PROGRAMS, stale)


def score(job="film"):
    return ScoreJob(job, (ClipSpec("/clips/4.mp4", 0.0, 0.0, None),), (), 24.0)


def retold(music):
    """A clock's library after it was told everything anew."""
    library = Library()
    for message in music.retell():
        if isinstance(message, Planned):
            library.edit(message.edition, message.stale)
        else:
            library.add(message.edition, message.bars)
    return library


def test_bars_of_an_older_edition_that_still_hold_are_told_again():
    music = Music()
    assert music.retell() == []
    music.hear(planned())
    music.hear(BarsReady("film", 0, 0, tuple(telling_bar(i) for i in range(4))))
    music.hear(planned(edition=1, stale=(2, 3)))
    music.hear(BarsReady("film", 0, 1, (telling_bar(2, seed=7),)))
    library = retold(music)
    assert [library.choose(i).kind for i in range(4)] == ["known", "known", "known", "stale"]
    assert library.bars() == [telling_bar(0), telling_bar(1), telling_bar(2, seed=7), telling_bar(3)]


def test_another_job_begins_with_nothing():
    music = Music()
    music.hear(planned())
    music.hear(BarsReady("film", 0, 0, (telling_bar(0),)))
    music.hear(planned(job="other"))
    music.hear(BarsReady("film", 0, 0, (telling_bar(1),)))
    assert len(retold(music)) == 0


def test_requests_are_asked_again_until_they_are_answered():
    requests = Requests()
    requests.note(score())
    assert requests.ask_again() == [score()]
    requests.hear(planned())
    requests.hear(JobResult("film", 0, "a", "", ""))
    assert requests.ask_again() == [ResumeJob("film")]
    requests.note(Regenerate("film", 0, 0, None))
    requests.note(ChooseTake("film", 1, 0))
    assert requests.ask_again() == [ResumeJob("film", (Regenerate("film", 0, 0, None), ChooseTake("film", 1, 0)))]
    requests.note(CancelJob("film"))
    assert requests.ask_again() == [ResumeJob("film")]


def test_a_request_that_kills_the_composer_is_given_up():
    requests = Requests()
    requests.note(score())
    for _ in range(DEATHS_ON_ONE_REQUEST - 1):
        assert requests.composer_died() == []
    assert requests.composer_died() == ["film"]
    assert requests.ask_again() == []
