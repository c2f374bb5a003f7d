"""How often the chord labeller names the chord that a person named, and what it costs.

Run: python tests/bench/bench_chords.py FOLDER [--split test|validation|train]. FOLDER: a data set whose manifest.json
carries human chords a bar, as POP909 arranged for five tracks does. Beside it: the most common chord of each piece, the
same for every half bar, and the labels of another piece (chance).
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import numpy as np

from hitpoint.model.data.reader import read_piece
from hitpoint.model.data.splits import song_key, split_of
from hitpoint.model.music.chords import Chord, label_chords
from hitpoint.model.training.heard.real import bars_of

SYMBOLS = {
    "": "maj", "5": "maj", "add9": "maj", "m": "min", "mM7": "min", "m(add9)": "min", "dim": "dim", "aug": "aug",
    "sus4": "sus4", "7sus": "sus4", "sus2": "sus2", "7": "7", "9": "7", "13": "7", "11": "7", "aug7": "7",
    "M7": "maj7", "M9": "maj7", "M13": "maj7", "m7": "min7", "m9": "min7", "m11": "min7", "m13": "min7",
    "6": "maj6", "m6": "min6", "dim7": "dim7", "m7b5": "hdim7",
}  # fmt: skip
"""The data's chord symbols -> the qualities that the labeller knows."""


def human_chords(bars: list[list]) -> list[Chord | None]:
    """The label of every half bar: of each the chord that holds for most of its two beats, the later one if equal."""
    beats: list[Chord | None] = []
    now: Chord | None = None
    for bar in bars:
        changes = dict(bar)
        for beat in range(4):
            if beat in changes:
                each = changes[beat]
                now = Chord(each[0] % 12, SYMBOLS[each[1]]) if each else None
            beats.append(now)
    return beats[::2]


def shares(human: list[Chord | None], found: list[Chord | None]) -> tuple[int, np.ndarray]:
    """Half bars compared; how many agree in root, in root and minor third, in all; the overlap of their tones."""
    both = [(a, b) for a, b in zip(human, found, strict=False) if a is not None and b is not None]
    agree = np.zeros(4)
    for a, b in both:
        same_root = a.root == b.root
        overlap = len(set(a.tones) & set(b.tones)) / len(set(a.tones) | set(b.tones))
        agree += (same_root, same_root and bool(a.minor) == bool(b.minor), a == b, overlap)
    return len(both), agree


def main() -> None:
    """Print a row a way of labelling."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", default="test")
    asked = parser.parse_args()
    pieces = []
    seconds = 0.0
    for entry in json.loads((asked.folder / "manifest.json").read_text()):
        if entry.get("chords") and split_of(song_key(asked.folder.name, entry)) == asked.split:
            bars = bars_of(read_piece(asked.folder / "midi" / entry["file"]).notes)
            began = time.perf_counter()
            found = label_chords(bars)
            seconds += time.perf_counter() - began
            pieces.append((human_chords(entry["chords"]), found))
    common = [[Counter(filter(None, human)).most_common(1)[0][0]] * len(found) for human, found in pieces]
    others = [pieces[i - 1][1] for i in range(len(pieces))]
    print(f"{asked.split}, {len(pieces)} pieces   half bars   root   maj/min   all 13   overlap")
    for name, labels in (("labeller", [f for _, f in pieces]), ("commonest", common), ("another piece", others)):
        rows = [shares(human, each) for (human, _), each in zip(pieces, labels, strict=True)]
        count = sum(row[0] for row in rows)
        root, mode, whole, overlap = sum(row[1] for row in rows) / count
        print(f"{name:<22}{count:>10}   {root:.3f}   {mode:.3f}     {whole:.3f}    {overlap:.3f}")
    print(f"{1000 * seconds / sum(len(found) for _, found in pieces):.3f} ms a half bar")


if __name__ == "__main__":
    main()
