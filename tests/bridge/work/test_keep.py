"""A changed cut of an edit that has its score: real analysis and plans, and a composer that tells bar from bar."""

import json
import subprocess
import wave
from dataclasses import replace
from pathlib import Path

import pytest
from live_fakes import TellingComposer

from hitpoint.bridge.ipc.messages import (
    BarsReady,
    ClipSpec,
    JobError,
    JobResult,
    Planned,
    Regenerate,
    ScoreJob,
)
from hitpoint.bridge.state.store import Store
from hitpoint.bridge.work.clips import change_of, closed_clips
from hitpoint.bridge.work.jobs import Tools, pairs_of, since
from hitpoint.bridge.work.workshop import Workshop
from hitpoint.model.video.changed import Change
from tests.bridge.job_bench import Bench
from tests.speech_scenes import RATE_HZ, need_espeak, sentence

FILM = str(Path(__file__).parents[3] / "examples" / "film.mp4")
SHOTS = ((0.0, 3.5), (5.5, 8.5), (12.0, 15.25), (18.25, 22.0), (24.5, 28.0))


def clips(shots=SHOTS, start_s=10.0):
    made, at_s = [], start_s
    for in_s, out_s in shots:
        made.append(ClipSpec(FILM, at_s, in_s, out_s))
        at_s += out_s - in_s
    return tuple(made)


def score(job, shots=SHOTS, **pairs):
    return ScoreJob(job, clips(shots), tuple({"wav": "0", "tempo": "100-150", **pairs}.items()), 24.0)


class Composer(TellingComposer):
    """One that a report can name."""

    key = "telling"


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    made.workshop = Workshop(Tools(lambda key: Composer()), Store(tmp_path), made.sent.append)
    return made


def ask(bench, *messages):
    """Ask, and wait for the result or the refusal."""
    bench.sent.clear()
    bench.ask(*messages)
    bench.work(until=lambda sent: any(isinstance(each, JobResult | JobError) for each in sent))


def test_what_has_not_changed_keeps_its_notes_and_the_rest_is_written(bench):
    ask(bench, score("one", genre="rock", seed="5"))
    ask(bench, Regenerate("one", 0, 0, None))
    old, before = bench.store.load_bars("one", 0), bench.store.load_plan("one")
    assert not bench.of(JobError) and old[0].notes[-1].pitch > 40
    changed = [*SHOTS[:2], (12.0, 14.75), *SHOTS[3:]]
    ask(bench, score("two", changed, keep="one", genre="pop"))
    assert not bench.of(JobError), bench.of(JobError)
    plan, new = bench.of(Planned)[-1].plan, bench.store.load_bars("two", 0)
    lines_s = [before.tempo_map.time_at_tick(bar) for bar in range(len(before.bars))]
    untouched = sum(line_s <= 6.5 + 2.75 for line_s in lines_s) - 1
    assert untouched >= 3 and [new[bar].notes for bar in range(untouched)] == [
        old[bar].notes for bar in range(untouched)
    ]
    assert plan.genre == "rock" and plan.seed == 5 and plan.duration_s == pytest.approx(16.5, abs=0.01)
    assert sorted(new) == list(range(len(plan.bars))) and len(bench.bars()) == len(plan.bars), (
        "clients hear of all bars"
    )
    assert any("keep the music" in change for change in plan.changes)
    same = json.loads(Path(bench.of(JobResult)[-1].report).read_text())["same"]
    assert same == {"until_s": 9.25, "old_from_s": 9.75, "new_from_s": 9.25}
    assert any(isinstance(each, BarsReady) and not each.kept for each in bench.sent)


def test_other_takes_keep_their_own_notes(bench):
    ask(bench, score("one", takes="2"))
    bench.work()
    ask(bench, score("two", [*SHOTS[:4], (24.5, 27.0)], keep="one", takes="2"))
    bench.work()
    for take in (0, 1):
        assert bench.store.load_bars("two", take)[1].notes == bench.store.load_bars("one", take)[1].notes
    assert bench.store.load_bars("two", 0)[1].notes != bench.store.load_bars("two", 1)[1].notes


def test_a_bridge_that_is_started_again_in_between_keeps_it_too(bench, tmp_path):
    ask(bench, score("one", seed="3"))
    bench.ask(score("two", [*SHOTS[:4], (24.5, 27.0)], keep="one"))
    other = Workshop(Tools(lambda key: Composer()), Store(tmp_path), bench.sent.append)
    bench.workshop, later = other, bench.store.load("two").score
    ask(bench, later)
    assert bench.store.load_bars("two", 0)[2].notes == bench.store.load_bars("one", 0)[2].notes


@pytest.mark.parametrize(("keep", "says"), [("two", "of its own"), ("none", "score the film again")])
def test_what_cannot_be_kept_is_said(bench, keep, says):
    ask(bench, score("two", keep=keep))
    (error,) = bench.of(JobError)
    assert error.code == "usage" and says in error.text


def test_moments_of_the_timeline_become_moments_of_the_music(bench):
    assert since("12.5!, 11,x", 10.0) == "2.5!,1.0,x"
    assert since("12.5:-0.4:0.8, 11::1,x:1:1", 10.0) == "2.5:-0.4:0.8,1.0::1,x:1:1"
    ask(bench, score("one", hits="15.1!,17.3", unhits="13.5"))
    plan = bench.of(Planned)[-1].plan
    cuts_s = [hit.time_s for hit in plan.hits if hit.kind == "cut"]
    for time_s in (5.1, 7.3):
        assert min(abs(cut_s - time_s) for cut_s in cuts_s) < 0.002, cuts_s
    assert min(abs(cut_s - 3.5) for cut_s in cuts_s) > 0.1
    again = replace(score("one"), pairs=(*score("one").pairs, ("hits", "soon")))
    ask(bench, again)
    assert "hits must be moments in seconds" in bench.of(JobError)[0].text


def rendered(path, shots):
    """The edit as a film of its own, as a host renders it."""
    parts = "".join(f"[0:v]trim={a}:{b},setpts=PTS-STARTPTS[v{i}];" for i, (a, b) in enumerate(shots))
    joined = "".join(f"[v{i}]" for i in range(len(shots))) + f"concat=n={len(shots)}[v]"
    quick = ["-s", "240x136", "-c:v", "libx264", "-preset", "ultrafast", "-g", "18"]
    command = ["ffmpeg", "-v", "error", "-y", "-i", FILM, "-filter_complex", parts + joined, "-map", "[v]", *quick]
    subprocess.run([*command, str(path)], check=True)
    return ClipSpec(str(path), 10.0, 0.0, sum(b - a for a, b in shots))


def test_films_that_were_rendered_anew_are_compared_by_their_pictures(tmp_path):
    films = [
        rendered(tmp_path / "one.mp4", SHOTS),
        rendered(tmp_path / "two.mp4", [*SHOTS[:2], (12.0, 14.5), *SHOTS[3:]]),
    ]
    old, new = (closed_clips(ScoreJob("one", (film,), (), 24.0)) for film in films)
    change = change_of(old, new)
    assert change.start_s == pytest.approx(6.5 + 2.5, abs=0.05), "where the third shot ends earlier"
    assert change.old_end_s == pytest.approx(6.5 + 3.25, abs=0.05)
    assert change.new_end_s == pytest.approx(6.5 + 2.5, abs=0.05)
    (tmp_path / "again.mp4").write_bytes((tmp_path / "one.mp4").read_bytes())
    same = change_of(old, [replace(old[0], path=tmp_path / "again.mp4")])
    assert same == Change(*(pytest.approx(old[0].out_s, abs=0.05),) * 3)
    (tmp_path / "one.mp4").unlink()
    assert change_of(old, new).start_s == 0.0, "the older one is gone"


def test_what_is_said_beside_the_picture_is_found_where_it_lies(tmp_path):
    need_espeak()
    voice = tmp_path / "voice.wav"
    said = sentence(1)
    with wave.open(str(voice), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes((said * 32767).astype("<i2").tobytes())
    beside = ClipSpec(str(voice), 12.0, 0.0, len(said) / RATE_HZ, heard=True)
    asked = ScoreJob("one", clips(SHOTS[:2]), (("from", "9.0"), ("keep-sound", "on")), 24.0, (beside,))
    tools = Tools(lambda key: Composer())
    found = tools.prepare(asked, pairs_of(asked, {}), lambda *_: None).rhythm.speech
    assert found[0][0] == pytest.approx(3.0, abs=0.2) and found[-1][1] == pytest.approx(
        3 + len(said) / RATE_HZ, abs=0.4
    )


def test_an_edit_of_sound_alone_is_refused(bench):
    ask(bench, ScoreJob("one", (), (), 24.0, clips()))
    assert "only sound" in bench.of(JobError)[0].text


def test_the_range_is_the_range(bench):
    """Black before and after the clips is scored too, and its edges are cuts."""
    bench.sent.clear()
    ask(bench, replace(score("one"), pairs=(*score("one").pairs, ("from", "6.0"), ("to", "31.0"))))
    planned = bench.of(Planned)[-1]
    assert planned.origin_s == 6.0 and planned.plan.duration_s == pytest.approx(25.0, abs=1e-6)
    cuts_s = [hit.time_s for hit in planned.plan.hits if hit.kind == "cut"]
    for time_s in (4.0, 7.5, 21.0):
        assert min(abs(cut_s - time_s) for cut_s in cuts_s) < 0.03, cuts_s
    changed = [*SHOTS[:4], (24.5, 27.0)]
    later = (("keep", "one"), ("from", "6.0"), ("to", "30.0"))
    ask(bench, replace(score("two", changed), pairs=(*score("one").pairs, *later)))
    old, new = bench.store.load_bars("one", 0), bench.store.load_bars("two", 0)
    assert all(new[bar].notes == old[bar].notes for bar in range(7))
    ask(bench, replace(score("three"), pairs=(("from", "11.0"),)))
    assert "must hold the first clip" in bench.of(JobError)[0].text
