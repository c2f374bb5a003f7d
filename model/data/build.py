"""Folders of MIDI files -> one shard folder: `notes.npy`, `pieces.json` and a report of what was left out and why."""

from __future__ import annotations

import json
import multiprocessing
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.data.reader import family_set, read_piece, to_table
from hitpoint.model.data.splits import song_key, split_of
from hitpoint.model.errors import InputError
from hitpoint.model.files import atomic
from hitpoint.model.music.score import GENRES

SCHEMA = "hitpoint.shards/1"

_Read = tuple[NDArray[np.uint16], int, float, tuple[int, ...]]
"""A file's notes table, bars, tempo in beats a minute and instruments."""


@dataclass(frozen=True)
class PieceInfo:
    """One piece of a shard: its notes are rows start..end of `notes.npy`."""

    dataset: str
    file: str
    song: str
    source: str
    split: str
    genre: str | None
    tempo_bpm: float
    bars: int
    instruments: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Shard:
    """A built data set. notes (n, 6) uint16: bar, tick, instrument, pitch, duration, velocity of all pieces in turn."""

    notes: NDArray[np.uint16]
    pieces: tuple[PieceInfo, ...]


def build(
    folders: Sequence[Path],
    out: Path,
    *,
    excluded_sources: Sequence[str] = (),
    workers: int = 2,
    progress: Callable[[float], None] | None = None,
) -> dict[str, object]:
    """Read every MIDI file below the folders and write a shard folder; returns the report that is also written there.

    A folder may hold a `manifest.json` (a list of entries with file, source, id, genre); without one each file is a
    song of its own, and a genre is taken from a parent folder or file name that starts with one.
    Raises InputError when a folder is missing or nothing usable is found.
    """
    shard, left_out = read_folders(folders, excluded_sources=excluded_sources, workers=workers, progress=progress)
    report = _report(shard.pieces, left_out)
    out.mkdir(parents=True, exist_ok=True)
    # The index goes first and comes last: without it the folder is no shard folder, so none is ever half written.
    (out / "pieces.json").unlink(missing_ok=True)
    np.save(out / "notes.npy", shard.notes)
    (out / "report.json").write_text(json.dumps(report, indent=1))
    index = {"schema": SCHEMA, "pieces": [asdict(piece) for piece in shard.pieces]}
    with atomic(out / "pieces.json") as part:
        part.write_text(json.dumps(index))
    return report


def read_folders(
    folders: Sequence[Path],
    *,
    excluded_sources: Sequence[str] = (),
    workers: int = 2,
    progress: Callable[[float], None] | None = None,
) -> tuple[Shard, list[tuple[str, str]]]:
    """Every usable MIDI file below the folders, in memory, and (file, reason) of those left out; raises as `build`."""
    jobs = [job for folder in folders for job in _jobs(folder)]
    if not jobs:
        raise InputError(f"no MIDI files below {', '.join(map(str, folders))}; name a folder that holds .mid files")
    tables: list[NDArray[np.uint16]] = []
    pieces: list[PieceInfo] = []
    left_out: list[tuple[str, str]] = []
    start = 0
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for done, (job, result) in enumerate(zip(jobs, pool.imap(_read, [job[2] for job in jobs], 16), strict=True)):
            dataset, entry, path = job
            source = str(entry.get("source") or dataset)
            if source in excluded_sources:
                left_out.append((str(path), f"its source {source} is excluded"))
            elif isinstance(result, str):
                left_out.append((str(path), result))
            else:
                tables.append(result[0])
                pieces.append(_piece(dataset, entry, path, result, start))
                start = pieces[-1].end
            if progress and done % 50 == 0:
                progress(done / len(jobs))
    if not pieces:
        raise InputError(f"none of {len(jobs)} MIDI files can be used: {left_out[0][1]}")
    return Shard(np.concatenate(tables), tuple(pieces)), left_out


def load(folder: Path) -> Shard:
    """Open a shard folder; the notes are memory-mapped. Raises InputError when it is not one."""
    try:
        index = json.loads((folder / "pieces.json").read_text())
        notes = np.load(folder / "notes.npy", mmap_mode="r")
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} is not a shard folder ({error}); make one with `hitpoint data build`") from None
    if index.get("schema") != SCHEMA:
        raise InputError(f"{folder} was built by another version; build it again with `hitpoint data build`")
    pieces = tuple(PieceInfo(**{**p, "instruments": tuple(p["instruments"])}) for p in index["pieces"])
    return Shard(notes, pieces)


def _jobs(folder: Path) -> Iterator[tuple[str, dict[str, object], Path]]:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name one that holds MIDI files")
    manifest = folder / "manifest.json"
    if manifest.is_file():
        for entry in json.loads(manifest.read_text()):
            path = folder / "midi" / entry["file"]
            yield folder.name, entry, path if path.is_file() else folder / entry["file"]
        return
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".mid", ".midi")):
        yield folder.name, {"file": str(path.relative_to(folder))}, path


def _piece(dataset: str, entry: dict[str, object], path: Path, read: _Read, start: int) -> PieceInfo:
    """What the shard says of a piece whose notes begin at row `start`."""
    table, bars, tempo_bpm, instruments = read
    key = song_key(dataset, entry)
    return PieceInfo(
        dataset=dataset,
        file=str(entry["file"]),
        song=key,
        source=str(entry.get("source") or dataset),
        split=split_of(key),
        genre=_genre(entry, path),
        tempo_bpm=tempo_bpm,
        bars=bars,
        instruments=instruments,
        start=start,
        end=start + len(table),
    )


def _read(path: Path) -> _Read | str:
    """One file in a worker: its notes table, bars, tempo and instruments, or the reason why not."""
    try:
        piece = read_piece(path)
    except (InputError, OSError) as error:
        return str(error)
    return to_table(piece.notes), piece.bars, piece.tempo_bpm, family_set(piece.notes)


def _genre(entry: dict[str, object], path: Path) -> str | None:
    named = entry.get("genre") or entry.get("genre_guess")
    if named in GENRES:
        return str(named)
    words = [re.split(r"[^a-z]", part.lower(), maxsplit=1)[0] for part in (path.name, path.parent.name)]
    return next((word for word in words if word in GENRES), None)


def _report(pieces: Sequence[PieceInfo], left_out: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Counts by split and genre, and every file left out with its reason."""
    by_genre: dict[str, dict[str, int]] = {}
    for piece in pieces:
        row = by_genre.setdefault(piece.genre or "unknown", {"pieces": 0, "bars": 0, "notes": 0})
        row["pieces"] += 1
        row["bars"] += piece.bars
        row["notes"] += piece.end - piece.start
    return {
        "taken": len(pieces),
        "songs": len({piece.song for piece in pieces}),
        "splits": dict(Counter(piece.split for piece in pieces)),
        "genres": by_genre,
        "left_out": [{"file": file, "reason": reason} for file, reason in left_out],
    }
