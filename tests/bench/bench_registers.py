"""Is there a low register, does calm music sound, and are players in each other's way?

    python tests/bench/bench_registers.py [--films F ...] [--genres a,b] [--seeds N] [--shards SHARDS] [any wish]

A row for each genre: pieces as they are played at default settings, and with shards people's music of that genre
(three instruments and more, drawn songs of all splits). Columns: the lowest pitch of a bar, in the middle and in one of
twenty bars; bars without a pitch below C3 (48); the bass in the middle; bars with at most one and at most two onset
ticks; ticks on which nothing sounds, and the longest such stretch in the middle piece, in ticks; bars in which piano,
guitar and strings all play and their middle pitches lie within a fifth; pitch classes in the last bar (ours alone).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model import job
from hitpoint.model.compose.base import COMPOSERS, ComposerOptions
from hitpoint.model.music.score import GENRES, INSTRUMENTS, TICKS_PER_BAR
from hitpoint.model.plan.wishes.options import parse_wishes
from hitpoint.model.video.types import Clip

ROOT = Path(__file__).parents[2]
C3, FIFTH = 48, 7
SONGS = 150
DRUMS, BASS = INSTRUMENTS.index("drums"), INSTRUMENTS.index("bass")
COLUMNS = ("lowest", "of 20 bars", "no low", "bass", "<= 1", "<= 2", "silent", "longest", "crowded", "last chord")


class Piece(NamedTuple):
    """notes (n, 5): bar, tick, instrument, pitch, duration in ticks. bars: its length."""

    notes: NDArray[np.float64]
    bars: int


def silence(piece: Piece) -> NDArray[np.bool_]:
    """Of each tick from the first note to the last onset: nothing sounds, drums for a beat after each stroke."""
    begin = piece.notes[:, 0] * TICKS_PER_BAR + piece.notes[:, 1]
    lasts = np.where(piece.notes[:, 2] == DRUMS, 4, piece.notes[:, 4])
    sounds = np.zeros(int(begin.max()) + 2, bool)
    for first, length in zip(begin, lasts, strict=True):
        sounds[int(first) : max(int(first) + 1, round(first + length))] = True
    return ~sounds[int(begin.min()) : int(begin.max()) + 1]


def longest(silent: NDArray[np.bool_]) -> int:
    """Of the stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], silent, [False]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def figures(pieces: Sequence[Piece], *, ends: bool) -> list[float]:
    """COLUMNS over all bars of the pieces."""
    lowest, onsets, silent, stretch, crowded, last, bass = [], [], [], [], [], [], []
    for notes, bars in pieces:
        pitched = notes[notes[:, 2] != DRUMS]
        bass += list(pitched[pitched[:, 2] == BASS, 3])
        silent += list(silence(Piece(notes, bars)))
        stretch.append(longest(silence(Piece(notes, bars))))
        for bar in range(int(notes[:, 0].min()), bars):
            own = pitched[pitched[:, 0] == bar]
            onsets.append(len(np.unique(notes[notes[:, 0] == bar, 1])))
            if len(own):
                lowest.append(own[:, 3].min())
            middles = [np.median(own[own[:, 2] == k, 3]) for k in (1, 2, 4) if (own[:, 2] == k).any()]
            if len(middles) == 3:
                crowded.append(np.ptp(middles) <= FIFTH)
        last.append(len(np.unique(pitched[pitched[:, 0] == bars - 1, 3] % 12)))
    low, few = np.array(lowest), np.array(onsets)
    return [
        float(np.median(low)), float(np.percentile(low, 95)), float((low >= C3).mean()),
        float(np.median(bass)) if bass else np.nan, float((few <= 1).mean()), float((few <= 2).mean()),
        float(np.mean(silent)), float(np.median(stretch)), float(np.mean(crowded)) if crowded else np.nan,
        float(np.mean(last)) if ends else np.nan,
    ]  # fmt: skip


def ours(films: Sequence[Path], genre: str, seeds: int, wishes: dict[str, str]) -> list[Piece]:
    """Pieces as they are played."""
    composer = COMPOSERS.load("cmt").create(ComposerOptions(device="cpu"))
    pieces = []
    for film in films:
        for seed in range(seeds):
            prepared = job.prepare([Clip(film)], parse_wishes({"genre": genre, "seed": seed, **wishes}))
            bars = job.compose(prepared, composer).score.bars
            notes = [(bar.index, note) for bar in bars for note in bar.notes]
            rows = [(bar, n.tick, n.instrument, n.pitch, n.end_ticks - n.onset_ticks) for bar, n in notes]
            pieces.append(Piece(np.array(rows, float), len(bars)))
    return pieces


def people(shards: Path, genre: str) -> list[Piece]:
    """SONGS pieces of three instruments and more."""
    table = np.load(shards / "notes.npy", mmap_mode="r")
    entries = [each for each in json.loads((shards / "pieces.json").read_text())["pieces"]
               if each["genre"] == genre and len(each["instruments"]) > 2 and each["end"] > each["start"]]  # fmt: skip
    chosen = np.random.default_rng(0).permutation(len(entries))[:SONGS]
    drawn = [entries[number] for number in chosen]
    return [Piece(np.asarray(table[each["start"] : each["end"], :5], float), each["bars"]) for each in drawn]


def main() -> None:
    """As the page's head says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", nargs="+", type=Path, default=[ROOT / "examples" / "film.mp4"])
    parser.add_argument("--genres", default=",".join(GENRES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--shards", type=Path)
    asked, rest = parser.parse_known_args()
    wishes = {name.removeprefix("--"): value for name, value in zip(rest[::2], rest[1::2], strict=True)}
    print(f"{'':20}" + "".join(f"{name:>12}" for name in COLUMNS))
    for genre in asked.genres.split(","):
        rows = {genre: figures(ours(asked.films, genre, asked.seeds, wishes), ends=True)}
        if asked.shards is not None:
            rows["  people"] = figures(people(asked.shards, genre), ends=False)
        for name, row in rows.items():
            print(f"{name:20}" + "".join(f"{value:12.2f}" for value in row), flush=True)


if __name__ == "__main__":
    sys.exit(main())
