"""The workshop: what is asked, what comes back, what is on disk; with a composer that tells which bar is which."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from job_bench import Bench, score
from live_fakes import plain_plan, telling_bar

from hitpoint.bridge.clock.transport import Transport
from hitpoint.bridge.ipc.messages import (
    Aim,
    BarsReady,
    CancelJob,
    ChooseTake,
    JobError,
    JobProgress,
    JobResult,
    Planned,
    Regenerate,
    SetChord,
    SetControl,
    SetScene,
)
from hitpoint.bridge.ipc.supervision import (
    LiveState,
    Parties,
    ResumeJob,
)
from hitpoint.bridge.play.lookahead import known_block, next_wanted
from hitpoint.bridge.state.store import Store
from hitpoint.bridge.work.clips import strip_cuts
from hitpoint.bridge.work.splice import splice_plan
from hitpoint.model.music.score import TempoMap, TempoPoint
from hitpoint.model.plan.types import HitPoint
from hitpoint.model.video.analyse import probe
from hitpoint.model.video.types import Clip


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_from_clips_to_files(bench):
    bench.ask(score(start_s=3.0, seed="2"))
    bench.work()
    kinds = [type(message) for message in bench.sent]
    assert kinds.index(JobProgress) < kinds.index(Planned) < kinds.index(BarsReady) < kinds.index(JobResult)
    (planned,) = bench.of(Planned)
    assert planned.origin_s == 3.0
    assert bench.bars() == bench.played(telling_bar(i, 2) for i in range(8))
    (result,) = bench.of(JobResult)
    for path in (result.midi, result.wav, result.report):
        assert Path(path).read_text() == "8 bars, seed 2"


def test_takes_have_their_own_seeds_and_files(bench):
    bench.ask(score(takes="3", wav="0"))
    bench.work()
    results = bench.of(JobResult)
    assert [result.take for result in results] == [0, 1, 2]
    assert len({Path(result.midi).read_text() for result in results}) == 3
    assert {result.wav for result in results} == {""}
    assert {message.take for message in bench.of(BarsReady)} == {0}, "only the take that is heard goes to the clock"


def test_the_takes_beside_the_one_that_is_heard_are_composed_together(bench):
    bench.ask(score(takes="4", wav="0"))
    bench.work()
    composer, plan = bench.tools.composer(), plain_plan(8)
    [seeds] = composer.batches
    assert len(seeds) == 3 and len({*seeds, plan.seed}) == 4
    for take, seed in enumerate([plan.seed, *seeds]):
        wanted = {bar.index: bar for bar in composer.stream(plan, seed)}
        assert bench.store.load_bars("film", take) == wanted, "each is what its seed alone gives"


def test_a_take_that_was_chosen_while_they_are_composed_goes_first(bench):
    bench.ask(score(takes="3", wav="0"))
    bench.work(until=lambda sent: bench.store.load_bars("film", 2))
    bench.ask(ChooseTake("film", 2, 0))
    bench.work()
    composer, plan = bench.tools.composer(), plain_plan(8)
    for take, seed in enumerate([plan.seed, *composer.batches[0]]):
        assert bench.store.load_bars("film", take) == {bar.index: bar for bar in composer.stream(plan, seed)}
    assert sorted(result.take for result in bench.of(JobResult)) == [0, 1, 2]


def test_a_take_that_goes_wrong_beside_the_others_goes_on_alone(bench):
    composer, plan = bench.tools.composer(), plain_plan(8)
    right = composer.together

    def silent_second(plan, seeds):
        """Its second take falls silent after the second bar."""
        for place, bar in right(plan, seeds):
            yield place, replace(bar, notes=()) if place == 1 and bar.index > 1 else bar

    composer.together = silent_second
    bench.ask(score(takes="3", wav="0"))
    bench.work()
    third = bench.store.load_bars("film", 2)
    written = [index for index, bar in third.items() if bar.notes]
    assert len(third) == 8 and len(written) >= 5, "from where it fell silent it is composed as a take alone is"
    assert bench.store.load_bars("film", 1) == {b.index: b for b in composer.stream(plan, composer.batches[0][0])}


@pytest.mark.parametrize(
    ("pairs", "code"), [({"takes": "0"}, "usage"), ({"wav": "x"}, "usage"), ({"cuts": "guess"}, "usage")]
)
def test_wrong_wishes(bench, pairs, code):
    bench.ask(score(**pairs))
    assert bench.of(JobError)[0].code == code


def test_strips_as_cuts_name_both_ends_of_a_gap():
    film = Path(__file__).parents[3] / "examples" / "film.mp4"
    length_s = probe(film).duration_s
    clips = [
        Clip(film, 1.0, 5.0, 2.0, start_s=20.0),
        Clip(film, 0.0, 3.0, start_s=22.05),
        Clip(film, 2.0, start_s=26.0),
        Clip(film, 0.0, 1.0, start_s=80.0),
    ]
    cuts = strip_cuts(clips)
    assert [cut.time_s for cut in cuts] == pytest.approx([2.05, 5.05, 6.0, 6.0 + length_s - 2.0, 60.0])
    assert {(cut.kind, cut.weight) for cut in cuts} == {("cut", 1.0)}


def test_a_broken_film_is_one_sentence_and_the_next_job_works(bench):
    bench.ask(score(name="broken.mp4"), score(job="other"))
    bench.work()
    (error,) = bench.of(JobError)
    assert (error.job, error.code) == ("film", "input")
    assert [result.job for result in bench.of(JobResult)] == ["other"]


def test_the_latest_job_is_composed_first_and_all_get_done(bench):
    bench.tools.composer().delay_s = 0.002
    bench.ask(score("one", "64.mp4"), score("two", "16.mp4"))
    bench.work(idle_s=0.6)
    assert [result.job for result in bench.of(JobResult)] == ["two", "one"]


def test_cancel(bench):
    bench.ask(score(name="64.mp4"))
    bench.work(until=lambda sent: len([m for m in sent if isinstance(m, BarsReady)]) > 3)
    bench.ask(CancelJob("film"))
    bench.work()
    assert not bench.of(JobResult)
    assert len(bench.bars()) < 64


def test_writing_ends_once_its_job_is_called_off_and_the_next_one_is_done(bench):
    real, written = bench.tools.write, []

    def write(*arguments):
        written.append(1)
        while len(written) == 1:
            arguments[-1]("wav", 0.5)
        real(*arguments)

    bench.tools.write = write
    bench.ask(score("long"))
    bench.work(until=lambda sent: written)
    bench.ask(score("next"), CancelJob("long"))
    bench.work(until=lambda sent: any(isinstance(m, JobResult) for m in sent), most_s=20)
    assert [result.job for result in bench.of(JobResult)] == ["next"]


def test_an_edit_ends_once_its_job_is_called_off(bench):
    bench.ask(score())
    bench.work()
    composer = bench.tools.composer()

    def regenerate(*arguments):
        for _ in range(100):
            time.sleep(0.05)
            composer.on_step()
        raise AssertionError("it was never called off")

    composer.regenerate = regenerate
    bench.waiting.append(CancelJob("film"))
    bench.ask(Regenerate("film", 0, 7, None))
    composer.on_step()  # as good as before
    bench.ask(CancelJob("film"))
    assert [error.text for error in bench.of(JobError)] == []
    assert bench.store.load("film").results, "what was finished stays"


def test_a_seek_beyond_what_is_known_gets_provisional_bars_first(bench):
    bench.ask(score(name="64.mp4"))
    bench.work(until=lambda sent: len([m for m in sent if isinstance(m, BarsReady)]) >= 6)
    before = len(bench.of(BarsReady))
    bench.ask(Aim("film", 40))
    bench.work(until=lambda sent: len([m for m in sent if isinstance(m, BarsReady)]) >= before + 5)
    order = [bar.index for message in bench.of(BarsReady)[before:] for bar in message.bars]
    assert order[:3] == [40, 41, 42]
    assert order[3] == before, "then the gap"
    plan_bars, history = bench.tools.composer().streams[1]
    assert (plan_bars, history) == (4 + 24, 4), "the composer heard the nearest four known bars"
    bench.work()
    assert bench.bars() == bench.played(telling_bar(i) for i in range(64)), "in the end the take is what its seed gives"
    assert bench.played(bench.store.load_bars("film", 0).values()) == bench.bars()


def test_regenerate_changes_what_it_is_asked_for_and_nothing_else(bench):
    bench.ask(score())
    bench.work()
    old = bench.bars()
    bench.sent.clear()
    bench.ask(Regenerate("film", 2, 3, (1,)))
    (planned,) = bench.of(Planned)
    assert (planned.edition, planned.stale) == (1, (2, 3))
    new = bench.bars()
    assert sorted(new) == [2, 3]
    for index in new:
        assert [n for n in new[index].notes if n.instrument != 1] == [n for n in old[index].notes if n.instrument != 1]
        assert [n.pitch - 12 for n in new[index].notes if n.instrument == 1] == [36 + index] * 4
    assert {message.edition for message in bench.of(BarsReady)} == {1}
    bench.work()
    assert len(bench.of(JobResult)) == 1, "the files are written anew"
    assert bench.played([bench.store.load_bars("film", 0)[2]]) == {2: new[2]}


def with_chords(bench):
    """The bench's films get plans with chords, as the planner makes them."""
    real, again = bench.tools.prepare, bench.tools.replan

    def chorded(plan):
        bars = tuple(replace(bar, chords=("C", "G7"), key="C major") for bar in plan.bars)
        return replace(plan, bars=bars, harmony="leaned")

    def prepare(*args):
        prepared = real(*args)
        return replace(prepared, plan=chorded(prepared.plan))

    bench.tools.prepare = prepare
    bench.tools.replan = lambda prepared, pairs: chorded(again(prepared, pairs))


def test_a_chord_of_the_clients_own_is_kept_for_regenerate_and_for_live_controls(bench):
    with_chords(bench)
    bench.ask(score())
    bench.work()
    bars = bench.bars()
    bench.sent.clear()
    bench.ask(SetChord("film", 6, 1, "Am7"))
    (planned,) = bench.of(Planned)
    assert [bar.chords for bar in planned.plan.bars[5:]] == [("C", "G7"), ("C", "Am7"), ("C", "G7")]
    assert planned.stale == () and bench.bars() == {} and planned.edition == 1
    bench.work()
    assert bench.played(bench.store.load_bars("film", 0).values()) == bars, (
        "what sounds stays until it is asked for anew"
    )
    assert bench.store.load_plan("film").bars[6].chords == ("C", "Am7")
    bench.ask(SetControl("film", "density", 2.0, 3))
    assert bench.of(Planned)[-1].plan.bars[6].chords == ("C", "Am7")
    for wrong in (SetChord("film", 6, 0, "Hm"), SetChord("film", 99, 0, "C")):
        bench.ask(wrong)
        assert bench.of(JobError)[-1].code == "usage"


def test_a_chord_for_music_without_chords_is_refused(bench):
    bench.ask(score())
    bench.work()
    bench.ask(SetChord("film", 0, 0, "C"))
    assert "no planned chords" in bench.of(JobError)[-1].text


def test_a_scene_is_felt_from_the_next_bar_on_and_outlasts_live_controls(bench):
    bench.ask(score())
    bench.work()
    bars = bench.bars()
    bench.sent.clear()
    bench.ask(SetScene("film", -0.7, 0.6, 3))
    planned = bench.of(Planned)[-1]
    felt = [bar.affect for bar in planned.plan.bars]
    assert felt[:3] == [None] * 3 and {(each.valence, each.arousal, each.emotion) for each in felt[3:]} == {
        (-0.7, 0.6, "fearful")
    }
    assert planned.plan.scene_bar == 3 and planned.stale == tuple(range(3, 8)) and planned.edition == 1
    assert [bar.section for bar in planned.plan.bars] == [
        at for at, part in enumerate(planned.plan.sections) for _ in range(part.first_bar, part.end_bar)
    ]
    bench.work()
    assert sorted(bench.store.load_bars("film", 0)) == sorted(bars)
    bench.ask(SetControl("film", "density", 2.0, 5))
    felt = [bar.affect for bar in bench.of(Planned)[-1].plan.bars]
    assert felt[2] is None and {each.valence for each in felt[3:]} == {-0.7}
    other = bench.of(Planned)[-1].plan
    bench.ask(SetScene("film", 0.5, -0.5, 99))
    assert bench.of(Planned)[-1].plan.bars == other.bars


def test_every_edition_has_its_own_files_and_the_old_ones_stay(bench):
    bench.ask(score())
    bench.work()
    bench.ask(Regenerate("film", 2, 3, None))
    bench.work()
    bench.ask(SetControl("film", "density", 3.0, 5))
    bench.work()
    bench.ask(score())
    bench.work()
    results = bench.of(JobResult)
    assert len({path for result in results for path in (result.midi, result.wav, result.report)}) == 12
    assert all(Path(result.wav).is_file() for result in results)
    assert bench.of(Planned)[-1].edition > bench.of(Planned)[-2].edition, "late bars of the old score are dropped"
    assert bench.of(Planned)[-1].stale == tuple(range(8))


def test_an_answer_says_which_question_it_belongs_to_and_which_notes_it_holds(bench):
    bench.ask(score())
    bench.work()
    bench.ask(Regenerate("film", 2, 3, None, request=71, edition=0))
    bench.work()
    bench.ask(ChooseTake("film", 0, 0, request=72), Regenerate("film", 2, 99, None, request=73))
    told = [(result.request, result.edition) for result in bench.of(JobResult)]
    assert told == [(0, 0), (71, 1), (72, 1)] and [error.request for error in bench.of(JobError)] == [73]


def test_files_that_somebody_has_deleted_are_written_again(bench):
    bench.ask(score())
    bench.work()
    (result,) = bench.of(JobResult)
    Path(result.wav).unlink()
    bench.sent.clear()
    bench.ask(ChooseTake("film", 0, 0))
    bench.work()
    (again,) = bench.of(JobResult)
    assert all(Path(path).is_file() for path in (again.midi, again.wav, again.report))


def test_after_an_undo_the_edition_that_the_host_has_is_the_one_that_is_changed(bench):
    bench.ask(score())
    bench.work()
    first = bench.bars()
    bench.ask(Regenerate("film", 2, 3, None, request=1, edition=0))
    bench.work()
    bench.ask(Regenerate("film", 6, 6, None, request=2, edition=0))
    bench.work()
    now = bench.played(bench.store.load_bars("film", 0).values())
    assert {index for index in range(8) if now[index] != first[index]} == {6}, "bars 2 and 3 had been undone"
    assert bench.bars() == now, "what sounds is what is on disk"
    bench.ask(ChooseTake("film", 0, 0, request=3, edition=1))
    bench.work()
    back = bench.played(bench.store.load_bars("film", 0).values())
    assert {index for index in range(8) if back[index] != first[index]} == {2, 3}
    results = {result.request: result for result in bench.of(JobResult)}
    assert results[3].midi == results[1].midi and results[3].edition == results[1].edition
    bench.ask(Regenerate("film", 0, 0, None, request=4, edition=77))
    assert bench.of(JobError)[-1].request == 4 and "no longer kept" in bench.of(JobError)[-1].text


def test_a_take_that_is_there_already_is_answered_with_its_files(bench, tmp_path):
    bench.ask(score(takes="2"))
    bench.work()
    first, second = bench.of(JobResult)
    bench.sent.clear()
    bench.ask(ChooseTake("film", 1, 0), ChooseTake("film", 0, 0))
    assert bench.of(JobResult) == [second, first]
    bench.ask(ChooseTake("film", 0, 0, 5, first.edition))
    assert bench.of(JobResult)[-1] == replace(first, request=5)
    bench.sent.clear()
    other = Bench(tmp_path)
    other.ask(ResumeJob("film"), ChooseTake("film", 1, 0))
    assert other.of(JobResult) == [second]
    bench.sent.clear()
    bench.ask(Regenerate("film", 0, 0, None), ChooseTake("film", 1, 0), ChooseTake("film", 0, 0))
    assert bench.of(JobResult) == [second], "the changed take's files follow when they are written"
    bench.work()
    assert [result.take for result in bench.of(JobResult)] == [1, 0]
    assert bench.of(JobResult)[-1].midi != first.midi


def test_a_take_chosen_while_another_is_being_written_costs_neither_its_result(bench):
    bench.ask(score(takes="2"))
    bench.work(until=lambda sent: any(isinstance(m, JobProgress) and m.stage == "write" for m in sent))
    bench.ask(ChooseTake("film", 1, 0))
    bench.work()
    assert sorted(result.take for result in bench.of(JobResult)) == [0, 1]


def test_regenerate_out_of_range_or_too_early(bench):
    bench.ask(Regenerate("nothing", 0, 1, None))
    bench.ask(score(name="64.mp4"))
    bench.work(until=lambda sent: len([m for m in sent if isinstance(m, BarsReady)]) > 2)
    bench.ask(Regenerate("film", 60, 64, None), Regenerate("film", 30, 40, None))
    assert [error.code for error in bench.of(JobError)] == ["usage"] * 3


def test_another_take_is_composed_from_the_playhead_on(bench):
    bench.ask(score(name="16.mp4"))
    bench.work()
    bench.sent.clear()
    bench.ask(ChooseTake("film", 1, 9))
    bench.work()
    planned = bench.of(Planned)[0]
    assert (planned.take, planned.edition) == (1, 1)
    assert planned.stale == tuple(range(16))
    order = [bar.index for message in bench.of(BarsReady) for bar in message.bars]
    assert order[0] == 9
    assert set(order) == set(range(16))
    bench.sent.clear()
    bench.ask(ChooseTake("film", 0, 9))
    assert {bar.index for message in bench.of(BarsReady) for bar in message.bars} == set(range(16)), "it is there still"


def test_a_live_control_recomposes_from_the_next_bar_on(bench):
    bench.ask(score(name="16.mp4"))
    bench.work()
    bench.sent.clear()
    bench.ask(SetControl("film", "density", 3.0, 5))
    bench.work()
    planned = bench.of(Planned)[0]
    assert [bar.density for bar in planned.plan.bars] == [4] * 5 + [7] * 11
    assert planned.stale == tuple(range(5, 16))
    assert [bar.index for message in bench.of(BarsReady) for bar in message.bars] == list(range(5, 16))
    assert len(bench.of(JobResult)) == 1


def test_a_live_control_of_how_it_is_played_composes_nothing_anew(bench):
    bench.ask(score(name="16.mp4"))
    bench.work()
    composed = bench.store.load_bars("film", 0)
    bench.sent.clear()
    bench.ask(SetControl("film", "humanise", 0.5, 5))
    bench.work()
    assert bench.store.load_bars("film", 0) == composed
    assert bench.of(Planned)[0].stale == tuple(range(5, 16))
    assert set(range(5, 16)) <= {bar.index for message in bench.of(BarsReady) for bar in message.bars}
    assert len(bench.of(JobResult)) == 1


def test_another_process_goes_on_where_the_first_one_died(bench, tmp_path):
    bench.ask(score(name="64.mp4"))
    bench.work(until=lambda sent: len([m for m in sent if isinstance(m, BarsReady)]) > 20)
    done = len(bench.bars())
    other = Bench(tmp_path)
    other.ask(ResumeJob("film"))
    other.work(idle_s=0.6)
    first = other.of(BarsReady)[0]
    assert first.kept and len(first.bars) == done
    assert other.bars() == bench.played(telling_bar(i) for i in range(64))
    assert len(other.of(JobResult)) == 1


def test_a_live_control_outlasts_the_process(bench, tmp_path):
    bench.ask(score())
    bench.work()
    bench.ask(SetControl("film", "energy", 0.25, 5))
    other, seen = Bench(tmp_path), []
    replan = other.tools.replan
    other.tools.replan = lambda prepared, pairs: seen.append(pairs) or replan(prepared, pairs)
    other.ask(ResumeJob("film"), SetControl("film", "density", 3.0, 5))
    other.work()
    assert seen == [{"energy": "0.25", "density": "3"}]


@pytest.mark.parametrize("edit", [Regenerate("film", 0, 1, None), ChooseTake("film", 1, 0)])
def test_an_edit_of_a_score_that_is_gone_tells_the_user_what_to_do(bench, edit):
    bench.ask(edit)
    (error,) = bench.of(JobError)
    assert (error.job, error.code) == ("film", "usage")
    assert error.text == "this score is no longer known; score the film again (there is no job 'film')"


def test_a_finished_job_needs_no_new_analysis_until_it_is_edited(bench, tmp_path):
    bench.ask(score())
    bench.work()
    other = Bench(tmp_path)
    other.tools.prepare = None
    other.ask(ResumeJob("film"))
    other.work()
    assert len(other.bars()) == 8
    assert not other.of(JobError) + other.of(JobResult)
    third = Bench(tmp_path)
    third.ask(ResumeJob("film"), Regenerate("film", 0, 0, None))
    third.work()
    assert len(third.of(JobResult)) == 1


def test_store_survives_a_torn_line(tmp_path):
    store = Store(tmp_path)
    (tmp_path / "jobs" / "film").mkdir(parents=True)
    for index in range(3):
        store.add_bar("film", 0, telling_bar(index))
    path = tmp_path / "jobs" / "film" / "take-0.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert store.load_bars("film", 0) == {0: telling_bar(0), 1: telling_bar(1)}
    store.add_bar("film", 0, telling_bar(2))
    assert store.load_bars("film", 0) == {index: telling_bar(index) for index in range(3)}


def test_store_gives_plan_and_transport_back(tmp_path):
    store = Store(tmp_path)
    (tmp_path / "jobs" / "film").mkdir(parents=True)
    store.save_plan("film", plain_plan(5))
    assert store.load_plan("film") == plain_plan(5)
    live = LiveState(Transport(True, 1.0, 2.0, 1.0, (3.0, 4.0), True, 7, True), (1,), ((0, 0.5),))
    parties = Parties((("me", ("127.0.0.1", 5), 2),), (("film", ("127.0.0.1", 5)),), ("film",))
    store.save_live(live, parties, {("out", "synth:in")})
    assert store.load_live() == (live, parties, {("out", "synth:in")})
    store.save_lists([score(seed="3")])
    assert store.load_lists() == [score(seed="3")]
    (tmp_path / "live.json").write_text("{")
    assert store.load_live() is None


@given(st.sets(st.integers(0, 19)), st.integers(-3, 25))
def test_what_is_wanted_next(known, aim):
    assert next_wanted(known, 20) == min(set(range(20)) - known, default=None)
    block = known_block(known, max(aim, 0), 4)
    assert set(block) <= known and len(block) <= 4


@given(st.integers(0, 6), st.integers(0, 4), st.integers(0, 5))
def test_spliced_plans_keep_each_bars_length_and_wishes(start, heard, gap):
    points = (TempoPoint(0.0, 0.0, 100.0), TempoPoint(12.0, 20.0, 140.0), TempoPoint(12 + 13 * 60 / 140, 33.0, 80.0))
    plan = plain_plan(16)
    hits = tuple(HitPoint(TempoMap(points).time_at_tick(bar, 3) + 0.01, "cut", 1.0, bar, 3, 2) for bar in range(16))
    plan = type(plan)(**{**vars(plan), "tempo_map": TempoMap(points), "hits": hits})
    block, target = range(start, start + heard), start + heard + gap
    new = splice_plan(plan, block, target)
    kept = [*block, *range(target, 16)]
    assert [bar.index for bar in new.bars] == list(range(len(kept)))
    for place, bar in enumerate(kept):
        length = plan.tempo_map.time_at_tick(bar + 1) - plan.tempo_map.time_at_tick(bar)
        assert new.tempo_map.time_at_tick(place + 1) - new.tempo_map.time_at_tick(place) == pytest.approx(length)
        hit = next(hit for hit in new.hits if hit.bar == place)
        assert hit.time_s - new.tempo_map.time_at_tick(place, 3) == pytest.approx(0.01)
    assert new.duration_s == pytest.approx(new.tempo_map.time_at_tick(len(kept)))
