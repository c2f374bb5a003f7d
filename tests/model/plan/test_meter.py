"""Metres and odd bars: exact wherever time is written, and kept by plan and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest

from hitpoint.model.errors import UsageError
from hitpoint.model.job import compose
from hitpoint.model.music.meter import METERS, Meter, signature
from hitpoint.model.music.score import Score, TempoMap, TempoPoint
from hitpoint.model.output.click import beats_s
from hitpoint.model.output.midi_file import time_signatures, to_midi
from hitpoint.model.output.midi_reading import read_midi
from hitpoint.model.output.musicxml import chords_of, to_music21
from hitpoint.model.output.report import control_errors
from hitpoint.model.output.rpp import write_rpp
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.hits.weights import Moment
from hitpoint.model.plan.tempo.odd import WHOLE_BEFORE, odd_bars
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.plan.wishes.options import parse_wishes
from hitpoint.model.take import Prepared
from hitpoint.model.video.types import Boundary, Clip, VisualRhythm
from tests.fakes import FakeComposer, fake_rhythm

ASKED = [("4/4", True), ("3/4", False), ("3/4", True), ("6/8", False), ("6/8", True)]
ODD = TempoMap((TempoPoint(0.0, 0.0, 120.0),), "4/4", ((3, 8), (7, 12)))
FIRST = TempoMap((TempoPoint(0.0, 0.0, 120.0),), "3/4", ((0, 8), (1, 16)))


def film(seed: int, length_s: float = 40.0) -> VisualRhythm:
    """A film whose cuts keep no time."""
    random = np.random.default_rng(seed)
    cuts_s = np.cumsum(random.uniform(1.2, 4.5, 40))
    cuts = tuple(Boundary(float(each), "cut", float(random.uniform(0.3, 1))) for each in cuts_s if each < length_s - 1)
    return replace(fake_rhythm(length_s), boundaries=cuts, shots=tuple("AB"[n % 2] for n in range(len(cuts) + 1)))


def prepared(seed: int, **wishes: object) -> Prepared:
    asked = Wishes(seed=seed, **wishes)  # type: ignore[arg-type]
    rhythm = film(seed)
    return Prepared((Clip(Path("film.mp4")),), asked, rhythm, build_plan(rhythm, asked), 0.0, 0.0)


def played(seed: int, **wishes: object) -> tuple[Score, Plan]:
    ready = prepared(seed, **wishes)
    return compose(ready, FakeComposer()).score, ready.plan


def test_a_place_is_found_again_and_what_lies_behind_a_short_bar_falls_on_its_end() -> None:
    lines = [ODD.first_tick(bar) for bar in range(10)]
    assert lines == [0, 16, 32, 48, 56, 72, 88, 104, 116, 132]
    for bar in range(9):
        for tick in range(ODD.ticks_of(bar)):
            assert ODD.place_of(ODD.written_tick(bar, tick)) == (bar, tick)
            assert ODD.written_tick(0, 16 * bar + tick) == lines[bar] + tick
        for tick in range(ODD.ticks_of(bar), 17):
            assert ODD.written_tick(bar, tick) == lines[bar + 1]
    assert [FIRST.place_of(written) for written in (0, 7, 8, 23, 24, 36)] == [
        (0, 0),
        (0, 7),
        (1, 0),
        (1, 15),
        (2, 0),
        (3, 0),
    ]
    assert ODD.place_of(-1)[0] == FIRST.place_of(-1)[0] == -1
    assert ODD.written_tick(4, -0.25) == 55.75  # a note that comes early is early in any metre


@pytest.mark.parametrize(("meter", "odd"), ASKED)
@pytest.mark.parametrize("tempo_bpm", [None, (93.0, 93.0)])
def test_hits_lie_on_ticks_that_bars_have_at_their_moments(
    meter: str, odd: bool, tempo_bpm: tuple[float, float] | None
) -> None:
    for seed in range(3):
        plan = prepared(seed, meter=meter, odd_bars=odd, tempo_bpm=tempo_bpm).plan
        assert plan.tempo_map.time_at_tick(0, plan.end_tick) == pytest.approx(plan.duration_s, abs=1e-6)
        assert plan.hits
        for hit in plan.hits:
            assert hit.tick < plan.bars[hit.bar].ticks
            assert abs(plan.tempo_map.time_at_tick(hit.bar, hit.tick) - hit.time_s) <= 0.04
        for bar in plan.bars:
            assert bar.ticks == plan.tempo_map.ticks_of(bar.index) <= 16
            assert bar.density_told is None or bar.density_told <= bar.ticks


@pytest.mark.parametrize(("meter", "odd"), ASKED)
def test_every_note_of_the_midi_file_falls_where_the_score_has_it(meter: str, odd: bool, tmp_path: Path) -> None:
    score, plan = played(1, meter=meter, odd_bars=odd)
    assert odd is False or score.tempo_map.odd_bars, "the film was made so that an odd bar pays"
    assert control_errors(score, plan) == pytest.approx({"density": 0, "strength": 0, "time": 0}, abs=1e-6)
    file = to_midi(score)
    onsets = seconds_of(file)
    asked = np.array([score.tempo_map.time_at_tick(bar.index, note.tick) + note.shift_ticks * tick_s(score, bar.index)
                      for bar in score.bars for note in bar.notes])  # fmt: skip
    off_s = np.abs(np.array(onsets)[:, None] - asked)
    assert off_s.min(axis=0).max() < 2e-3 and off_s.min(axis=1).max() < 2e-3
    assert file.length == pytest.approx(plan.duration_s, abs=2e-3)
    path = tmp_path / "odd.mid"
    file.save(path)
    again = read_midi(path)
    assert again.tempo_map.meter == meter and again.tempo_map.odd_bars == score.tempo_map.odd_bars
    assert (len(again.bars), again.last_bar_ticks) == (len(score.bars), score.last_bar_ticks)
    assert seconds_of(to_midi(again)) == pytest.approx(onsets, abs=1e-3)
    assert again.chords == score.chords


def tick_s(score: Score, bar: int) -> float:
    return (score.tempo_map.time_at_tick(bar + 1) - score.tempo_map.time_at_tick(bar)) / score.tempo_map.ticks_of(bar)


def seconds_of(file: mido.MidiFile) -> list[float]:
    """Seconds of all onsets, each once."""
    now_s, found = 0.0, set()
    for message in file:
        now_s += message.time
        if message.type == "note_on" and message.velocity:
            found.add(round(now_s, 6))
    return sorted(found)


def test_time_signatures_say_how_long_each_bar_is() -> None:
    score, _ = played(1, odd_bars=True)
    at = {pulse: (beats, unit) for pulse, beats, unit in time_signatures(score)}
    pulse, here = 0, (4, 4)
    for bar in range(len(score.bars) - 1):
        here = at.get(pulse, here)
        assert here == signature(score.tempo_map.ticks_of(bar), METERS["4/4"])
        pulse += here[0] * 480 * 4 // here[1]
    assert len(at) > 1


@pytest.mark.parametrize(("meter", "odd"), ASKED)
def test_clicks_begin_each_bar_and_notes_on_paper_end_with_the_piece(meter: str, odd: bool) -> None:
    score, _ = played(2, meter=meter, odd_bars=odd)
    begins = [time_s for time_s, begins in beats_s(score) if begins]
    assert begins == pytest.approx([score.tempo_map.time_at_tick(bar) for bar in range(len(score.bars))])
    for instrument in score.instruments:
        chords = chords_of(score, instrument)
        assert all(length >= 1 for _, length, _ in chords)
        assert all(tick + length <= score.written_ticks for tick, length, _ in chords)


def cuts_at(ticks: Sequence[int], tick_s: float = 0.15) -> list[Moment]:
    return [Moment(tick * tick_s, "cut", 1.0, 1.0) for tick in ticks]


def grid_s(total: int, tick_s: float = 0.15) -> np.ndarray:
    return np.arange(total + 1) * tick_s


def test_a_bar_is_shortened_for_a_cut_that_a_downbeat_then_meets() -> None:
    bars, _ = odd_bars(grid_s(16 * 8 + 8), cuts_at([72, 104]), METERS["4/4"])
    assert bars == [16, 16, 16, 16, 8, 16, 16, 16, 16] and sum(bars) == 16 * 8 + 8


@pytest.mark.parametrize("meter", list(METERS.values()), ids=lambda meter: meter.name)
def test_odd_bars_end_with_cuts_and_leave_whole_bars_between_them(meter: Meter) -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        ticks = np.cumsum(random.integers(4, 40, 30)).tolist()
        total = 16 * 30
        cuts = cuts_at([tick for tick in ticks if tick < total - 20])
        bars, _ = odd_bars(grid_s(total), cuts, meter)
        assert sum(bars) == total
        lines = np.cumsum(bars).tolist()
        odd = [bar for bar, length in enumerate(bars[:-1]) if length != meter.ticks]
        assert all(bars[bar] in meter.odd_ticks and lines[bar] in ticks for bar in odd)
        assert all(later - earlier > WHOLE_BEFORE for earlier, later in zip([-1, *odd], odd, strict=False))


def test_odd_bars_put_more_cuts_on_downbeats() -> None:
    def met(odd: bool) -> int:
        return sum(
            hit.tick == 0 for seed in range(3) for hit in prepared(seed, odd_bars=odd).plan.hits if hit.kind == "cut"
        )

    assert met(True) > met(False)


def test_drums_keep_the_metre_that_is_asked_for() -> None:
    for meter, beats in (("3/4", [0, 4, 8]), ("6/8", [0, 6])):
        plan = prepared(0, meter=meter).plan
        hits = {(hit.bar, hit.tick) for hit in plan.hits}
        plain = [bar for bar in plan.bars[:-1] if 0 in (bar.instruments or ()) and not bar.lead]
        ticks = [{note.tick for note in bar.scored if note.instrument == 0 and note.pitch in (36, 38)} for bar in plain]
        own = [each - {tick for at, tick in hits if at == bar.index} for each, bar in zip(ticks, plain, strict=True)]
        kept = [each <= set(beats) <= struck for each, struck in zip(own, ticks, strict=True)]
        assert kept and sum(kept) > len(kept) / 2
        assert all(first == second for first, second in (bar.chords for bar in plan.bars if bar.chords))


@pytest.mark.parametrize("text", ["7/8", "3", "waltz", ""])
def test_a_metre_that_is_not_offered_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="4/4, 3/4, 6/8"):
        parse_wishes({"meter": text})


@pytest.mark.parametrize("length_s", [0.4, 1.5, 3.0])
@pytest.mark.parametrize("instruments", [(0,), (0, 1, 2, 3, 4)])
@pytest.mark.parametrize(("meter", "odd"), ASKED)
def test_a_film_under_two_bars_and_drums_alone_are_planned(
    meter: str, odd: bool, instruments: tuple[int, ...], length_s: float
) -> None:
    rhythm = fake_rhythm(length_s)
    wishes = Wishes(meter=meter, odd_bars=odd, instruments=instruments)
    ready = Prepared((Clip(Path("film.mp4")),), wishes, rhythm, build_plan(rhythm, wishes), 0.0, 0.0)
    score = compose(ready, FakeComposer()).score
    assert to_midi(score).length == pytest.approx(length_s, abs=2e-3)


@pytest.mark.parametrize(("meter", "odd"), ASKED)
def test_notes_on_paper_have_as_many_bars_as_the_score(meter: str, odd: bool) -> None:
    pytest.importorskip("music21", reason="needs hitpoint[notation]")
    score, plan = played(1, meter=meter, odd_bars=odd)
    measures = to_music21(score, plan).parts[0].getElementsByClass("Measure")
    starts = [round(4 * float(measure.offset)) for measure in measures]
    assert starts == [score.tempo_map.first_tick(bar) for bar in range(len(score.bars))]


@pytest.mark.parametrize(("meter", "odd"), ASKED)
def test_reaper_is_told_every_time_signature_at_its_second(meter: str, odd: bool, tmp_path: Path) -> None:
    score, _ = played(1, meter=meter, odd_bars=odd)
    path = tmp_path / "odd.rpp"
    write_rpp(score, (), path)
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("    PT ")]
    told = {float(row[1]): divmod(int(row[4]), 65536)[::-1] for row in rows if len(row) > 4}
    asked = {score.tempo_map.time_at_beat(pulse / 480): (beats, unit) for pulse, beats, unit in time_signatures(score)}
    assert sorted(told) == pytest.approx(sorted(asked), abs=1e-3)
    assert [told[at] for at in sorted(told)] == [asked[at] for at in sorted(asked)]
