"""MIDI -> tokens -> MIDI over folders of training music: is every file the same on the grid?

Run: python tests/bench/bench_round_trip.py FOLDER ... [--every N] [--workers N].

Each file is read, written as token rows, read back from the rows, saved as a MIDI file by the product's own writer and
read again. A file is equal when every note has its bar, tick, instrument and pitch again, its duration as far as the
classes of durations reach (exact up to two bars) and a MIDI track can hold it, and its velocity within its class. Files
that `hitpoint data build` leaves out are counted with their reason.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from hitpoint.model.data.reader import read_piece
from hitpoint.model.errors import InputError
from hitpoint.model.music import tokens
from hitpoint.model.music.score import GENRES, INSTRUMENTS, TICKS_PER_BAR, Score, TempoMap, TempoPoint
from hitpoint.model.music.tokens import DURATIONS, VELOCITY_STEP, Notes
from hitpoint.model.output.midi_file import write_midi


def held(notes: Notes, bars: int) -> np.ndarray:
    """Ticks each note can sound in a file: to its class, the next strike of its pitch or the last bar line."""
    start = notes.bar.astype(int) * TICKS_PER_BAR + notes.tick
    ticks = np.array(DURATIONS)[tokens.duration_class(notes.duration) - 1]
    result = np.minimum(ticks, bars * TICKS_PER_BAR - start)
    order = np.lexsort((start, notes.pitch, notes.instrument))
    same = (np.diff(notes.pitch[order]) == 0) & (np.diff(notes.instrument[order]) == 0)
    gap = np.diff(start[order])
    result[order[:-1][same]] = np.minimum(result[order[:-1][same]], gap[same])
    return result


def check(path: Path) -> str:
    """ "" where a file is the same again, else what is not."""
    try:
        piece = read_piece(path)
    except InputError as error:
        return f"left out: {str(error).removeprefix(path.name).strip()}"
    notes = piece.notes
    bars = tuple(tokens.decode(tokens.encode(notes, piece.bars, end=True).rows))
    steady = TempoMap((TempoPoint(0.0, 0.0, 120.0),))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.mid"
        write_midi(Score(bars, steady, GENRES[0], tuple(range(len(INSTRUMENTS))), 0), copy)
        again = read_piece(copy).notes
    if len(again.bar) != len(notes.bar):
        return f"{len(notes.bar)} notes became {len(again.bar)}"
    for name in ("bar", "tick", "instrument", "pitch"):
        if (getattr(again, name) != getattr(notes, name)).any():
            return f"another {name}"
    if (again.duration != held(notes, piece.bars)).any():
        return "another duration"
    if (again.velocity // VELOCITY_STEP != notes.velocity // VELOCITY_STEP).any():
        return "another velocity"
    return ""


def main() -> None:
    """Count the files that are equal, and say what the others are."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=20, help="take every Nth file; 1 for all")
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    for folder in asked.folders:
        began = time.monotonic()
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))[:: asked.every]
        with multiprocessing.get_context("spawn").Pool(asked.workers) as pool:
            found = list(pool.imap(check, paths, 8))
        spent_s = time.monotonic() - began
        print(f"{folder}: {found.count('')} of {len(paths)} files the same again, {spent_s:.0f} s", flush=True)
        for reason, count in Counter(found).most_common(12):
            if reason:
                first = paths[found.index(reason)]
                print(f"  {count} x {reason} ({first.name})")


if __name__ == "__main__":
    main()
