"""Is it played as people play, and what does that cost?

    python tests/bench/bench_expression.py [--pieces 6]

Loudness within the bar, as composed (rule) and as the players have it (learned), against held-out people: POP909 as it
was played (piano) and the Groove MIDI Dataset (drums), unpacked from ../shared/data; the distance is the mean over four
figures, in the spread of those from song to song; people of another split stand beside it. The share of the variance
that the players explain, beside a linear map, the mean and other notes' guesses. Also: the share of notes that leave
the grid, how far, and what is exact; and the cost beside composing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from hitpoint.model import job
from hitpoint.model.compose.base import COMPOSERS, ComposerOptions
from hitpoint.model.music.score import INSTRUMENTS, Bar
from hitpoint.model.perform.perform import perform_all
from hitpoint.model.perform.players import guess
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.training.players import PARTS, by_chord, explained, groove, joined, linear, pop909
from hitpoint.model.video.types import Clip

ROOT = Path(__file__).parents[2]
FIGURES = ("sd in a bar", "beat over off-beat", "top over rest", "neighbours alike")
GENRES = ("pop", "rock", "country", "dance", "electronic", "metal")


def figures(bars: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> np.ndarray | None:
    """(4,) FIGURES of one song from (ticks, pitches, velocities) of each bar; None where there is too little."""
    spread, beat, top, pairs = [], [], [], []
    for ticks, pitches, velocities in bars:
        if len(ticks) < 4:
            continue
        differs = velocities - velocities.mean()
        spread.append(differs.std())
        on = ticks % 4 == 0
        if on.any() and not on.all():
            beat.append(differs[on].mean() - differs[~on].mean())
        means = []
        for tick in np.unique(ticks):
            here = ticks == tick
            means.append(differs[here].mean())
            if here.sum() > 1:
                highest = pitches[here].argmax()
                top.append(differs[here][highest] - np.delete(differs[here], highest).mean())
        pairs += pairwise(means)
    if len(spread) < 4 or len(pairs) < 8 or not beat:
        return None
    alike = float(np.corrcoef(np.array(pairs).T)[0, 1]) if np.std(pairs) > 0 else 0.0
    return np.array([np.mean(spread), np.mean(beat), np.mean(top or [0.0]), alike])


def people(rows: list[tuple[np.ndarray, ...]], per_song: int = 60) -> np.ndarray:
    """(songs, 4) of bars as `training.players` reads them, in groups as long as a song."""
    found = []
    for first in range(0, len(rows), per_song):
        bars = [(tick.astype(int) % 16, _pitch(columns), velocity)
                for columns, velocity, _, tick in rows[first : first + per_song]]  # fmt: skip
        found.append(figures(bars))
    return np.array([each for each in found if each is not None])


def _pitch(columns: np.ndarray) -> np.ndarray:
    """Something that rises with pitch within a chord: the order in which the rows stand."""
    return np.arange(len(columns))


def of_score(bars: Iterable[Bar], instrument: int) -> np.ndarray | None:
    """(4,) of one instrument of a piece."""
    return figures([
        (np.array([n.tick for n in own]), np.array([n.pitch for n in own]), np.array([float(n.velocity) for n in own]))
        for bar in bars if (own := [n for n in bar.notes if n.instrument == instrument])
    ])  # fmt: skip


def asked(plan: Plan, **changes: object) -> Plan:
    """The plan with other playing."""
    return replace(plan, bars=tuple(
        replace(bar, playing=replace(bar.playing, **changes)) for bar in plan.bars if bar.playing is not None
    ))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pieces", type=int, default=6)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options = parser.parse_args()
    composer = COMPOSERS.load("cmt").create(ComposerOptions(device="cpu"))
    pieces, compose_s, play_s = [], 0.0, 0.0
    moved, notes, far, wrong = 0, 0, [], 0
    for number in range(options.pieces):
        prepared = job.prepare([Clip(ROOT / "examples" / "film.mp4")], Wishes(GENRES[number % 6], seed=number))
        begun = time.process_time()
        bars = list(composer.stream(prepared.plan, number))
        compose_s += time.process_time() - begun
        begun = time.process_time()
        played = perform_all(bars, prepared.plan)
        play_s += time.process_time() - begun
        rule = perform_all(bars, asked(prepared.plan, learned=False))
        pieces.append({"composed": bars, "rule": rule, "learned": played})
        for bar, plan_bar in zip(played, prepared.plan.bars, strict=True):
            exact = {0, *(tick for tick, _ in (*plan_bar.required, *plan_bar.required_told))}
            for note in bar.notes:
                notes += 1
                moved += note.shift_ticks != 0
                far.append(abs(note.shift_ticks) * 15000 / plan_bar.playing.bpm)
                wrong += note.shift_ticks != 0 and (note.tick in exact or bar is played[-1])
    print(f"{notes} notes: {100 * moved / notes:.0f} % off the grid, {np.mean(far):.1f} ms in the mean, "
          f"{np.max(far):.0f} at most; {wrong} of hits, downbeats and last bars")  # fmt: skip
    print(f"playing takes {100 * play_s / compose_s:.1f} % of composing's processor time")
    if not (options.data / "pop909_played").is_dir():
        print("the people's own playing is not at hand: unpack pop909_played and groove of ../shared/data")
        return
    print_explained(options.data)
    held_out = ("validation", "test")
    for name, data in (("piano", pop909(options.data / "pop909_played", held_out)["keys"]),
                       ("drums", groove(options.data / "groove", held_out)["drums"])):  # fmt: skip
        true, other = people(data["test"]), people(data["validation"])
        print(f"{name}: {', '.join(FIGURES)}; distance")
        print(f"  people (test)       {np.round(true.mean(0), 2)}")
        for kind, table in (
            ("people (validation)", other),
            *((kind, _table(pieces, kind, name)) for kind in ("rule", "learned")),
        ):
            away = np.abs(table.mean(0) - true.mean(0)) / true.std(0)
            print(f"  {kind:19} {np.round(table.mean(0), 2)}  {away.mean():.2f}")


def print_explained(data: Path) -> None:
    """Share of the variance within bars of held-out people that the shipped players explain, simu-note by simu-note,
    beside a linear map fitted to the same columns, the bar's mean, and the players' guess for notes drawn at random.
    """
    splits = ("train", "test")
    played, drummed = pop909(data / "pop909_played", splits), groove(data / "groove", splits)
    for part in PARTS:
        rows = (drummed if part == "drums" else played)[part]
        train, test = joined(rows["train"]), joined(rows["test"])
        louder = guess(part, test.columns.astype(np.float64))[:, 0]
        drawn = louder[np.random.default_rng(0).permutation(len(louder))]
        true = by_chord(test.velocity, test.chords)
        own, other = (explained(by_chord(each, test.chords), true) for each in (louder, drawn))
        print(f"{part}: velocity R2 {own:.3f}, a linear map {linear(train, test)['velocity of a simu-note']:.3f}, "
              f"the bar's mean 0, other notes' guesses {other:.3f}")  # fmt: skip


def _table(pieces: list[dict[str, object]], kind: str, name: str) -> np.ndarray:
    found = [of_score(piece[kind], INSTRUMENTS.index(name)) for piece in pieces]
    return np.array([each for each in found if each is not None])


if __name__ == "__main__":
    main()
