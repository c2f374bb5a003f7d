"""Metres and odd bars: `python tests/bench/bench_meter.py [--films 12] [--clip FILM ...] [--compose]`.

Cuts on downbeats, the largest bend of the tempo within two bars and the share of cuts bound, with and without
`--odd-bars`, in each metre, for films of a minute made up as in `bench_plan.py` (log-normal shots, motion and visual
beats) and for clips. At default settings, and at a tempo that does not bend. With --compose the first films are
composed too, and the control errors of the score and the beat that its notes tell are printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from bench_plan import LENGTH_S, rhythm_of

from hitpoint.model import job
from hitpoint.model.compose.base import COMPOSERS, ComposerOptions
from hitpoint.model.music.meter import METERS
from hitpoint.model.music.score import Bar, Score
from hitpoint.model.output.report import control_errors
from hitpoint.model.perform.perform import perform_all
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.tempo.ease import bend
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.video.types import Clip, VisualRhythm

ON_S = 0.04
COMPOSED = 2


class Row(NamedTuple):
    """Of one film: shares of its cuts, share of odd bars among all, the largest bend."""

    on_downbeat: float
    on_beat: float
    bound: float
    odd: float
    bend: float


def row_of(plan: Plan, rhythm: VisualRhythm) -> Row:
    tempo, metre = plan.tempo_map, plan.tempo_map.metre
    cuts = [hit for hit in plan.hits if hit.kind != "beat"]
    near = [hit for hit in cuts if abs(tempo.time_at_tick(hit.bar, hit.tick) - hit.time_s) <= ON_S]
    count = max(1, len(rhythm.boundaries))
    bars = range(len(plan.bars))
    lines_s = np.array([*(tempo.time_at_tick(bar) for bar in bars), plan.duration_s])
    ticks = np.array([*(tempo.ticks_of(bar) for bar in bars[:-1]), plan.last_bar_ticks])
    return Row(
        sum(hit.tick == 0 for hit in near) / count,
        sum(hit.tick % metre.beat_ticks == 0 for hit in near) / count,
        sum(hit.strength is not None for hit in near) / count,
        len(tempo.odd_bars) / len(plan.bars),
        float(bend(lines_s, ticks).max()),
    )


def drawn(count: int) -> list[VisualRhythm]:
    return [rhythm_of(seed, LENGTH_S, 10.0 + 3.0 * (seed % 6)) for seed in range(count)]


def table(name: str, films: Sequence[VisualRhythm], tempo_bpm: tuple[float, float] | None) -> None:
    print(f"\n{name}\n{'':22}{'downbeat':>10}{'beat':>8}{'bound':>8}{'odd bars':>10}{'bend':>8}")
    for meter in METERS:
        for odd in (False, True):
            wishes = Wishes(meter=meter, odd_bars=odd, tempo_bpm=tempo_bpm)
            rows = [row_of(build_plan(film, wishes), film) for film in films]
            mean = 100 * np.mean(rows, axis=0)
            name = meter + (" --odd-bars" if odd else "")
            print(f"{name:22}{mean[0]:9.1f}%{mean[1]:7.1f}%{mean[2]:7.1f}%{mean[3]:9.1f}%"
                  f"{100 * max(row.bend for row in rows):7.2f}%")  # fmt: skip


def told_period(score: Score) -> int:
    """After how many sixteenths, of 12 and 16, the loudness of the notes repeats itself best."""
    loudness = np.zeros(score.written_ticks)
    for bar in score.bars:
        for note in bar.notes:
            loudness[round(score.tempo_map.written_tick(bar.index, note.tick))] += note.velocity
    loudness -= loudness.mean()
    return max((12, 16), key=lambda lag: float(loudness[lag:] @ loudness[:-lag]) / (len(loudness) - lag))


def composed(films: Sequence[VisualRhythm]) -> None:
    composer = COMPOSERS.load("cmt").create(ComposerOptions(device="cpu"))
    print("\ncomposed: control errors, the period that the notes tell")
    for meter in METERS:
        for odd in (False, True):
            wishes = Wishes(meter=meter, odd_bars=odd)
            for number, film in enumerate(films):
                plan = build_plan(film, wishes)
                score = performed(plan, list(composer.stream(plan, 0)))
                errors = control_errors(score, plan)
                print(
                    f"{meter} {'odd' if odd else '   '} film {number}: {errors}, {told_period(score)} sixteenths",
                    flush=True,
                )


def performed(plan: Plan, bars: Sequence[Bar]) -> Score:
    return Score(
        perform_all(bars, plan),
        plan.tempo_map,
        plan.genre,
        plan.instruments,
        plan.seed,
        last_bar_ticks=plan.last_bar_ticks,
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--films", type=int, default=12)
    parser.add_argument("--clip", type=Path, action="append", default=[])
    parser.add_argument("--compose", action="store_true")
    args = parser.parse_args()
    films = drawn(args.films)
    table(f"{args.films} films of {LENGTH_S:g} s, defaults", films, None)
    table(f"{args.films} films of {LENGTH_S:g} s, --tempo 90", films, (90.0, 90.0))
    for clip in args.clip:
        prepared = job.prepare([Clip(clip)], Wishes())
        table(clip.name, [prepared.rhythm], None)
    if args.compose:
        composed(films[:COMPOSED])


if __name__ == "__main__":
    main()
