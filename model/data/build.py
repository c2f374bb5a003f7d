"""Folders of MIDI files -> one shard folder: `notes.npy`, `labels.npy` (what is known of each bar), `pieces.json` and a
report of what was left out and why.
"""

from __future__ import annotations

import json
import lzma
import multiprocessing
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.data.labels import COLUMNS, Known, Measured, Rows, known_of, measured, write_affect
from hitpoint.model.data.reader import family_set, read_piece, to_table
from hitpoint.model.data.splits import song_key, split_of
from hitpoint.model.errors import InputError
from hitpoint.model.files import atomic
from hitpoint.model.music.score import GENRES

SCHEMA = "hitpoint.shards/2"
READABLE = ("hitpoint.shards/1", SCHEMA)
"""Shards of the first kind have no labels."""
SONGS = ("songs.json", "songs.json.xz")
"""Chords and sections of songs by source and id, in a data set's folder or beside it."""


SPARE_BARS = 4
"""Labels of more or fewer bars than so many beside a piece's own are of another version of it."""


class _Read(NamedTuple):
    """What a worker finds in a file."""

    notes: NDArray[np.uint16]
    bars: int
    tempo_bpm: float
    instruments: tuple[int, ...]
    measured: Measured


class _Job(NamedTuple):
    """A file to read: its data set, its manifest's entry, and what people say of it."""

    dataset: str
    entry: dict[str, object]
    path: Path
    known: Known


Reading = Callable[[Sequence[_Job]], Iterator["_Read | str"]]
"""Files -> what is in each, in their order, or why it is not taken."""
BLOCK = 16
"""Files that a worker takes at once."""


@dataclass(frozen=True)
class PieceInfo:
    """One piece of a shard: its notes are rows start..end of `notes.npy`, its bars begin at row `first_label` of
    `labels.npy` (-1: it has none). flat: its velocities say nothing.
    """

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
    first_label: int = -1
    flat: bool = False


@dataclass(frozen=True)
class Shard:
    """A built data set. notes (n, 6) uint16: bar, tick, instrument, pitch, duration, velocity of all pieces in turn.

    labels: `data.labels.Rows` of all pieces in turn; None where the shards have none.
    """

    notes: NDArray[np.uint16]
    pieces: tuple[PieceInfo, ...]
    labels: Rows | None = None

    def labels_of(self, piece: PieceInfo) -> Rows | None:
        """What is known of each bar of a piece, None where nothing is."""
        if self.labels is None or piece.first_label < 0:
            return None
        return np.asarray(self.labels[piece.first_label : piece.first_label + piece.bars])


def build(
    folders: Sequence[Path],
    out: Path,
    *,
    excluded_sources: Sequence[str] = (),
    workers: int = 2,
    progress: Callable[[float], None] | None = None,
    reading: Reading | None = None,
) -> dict[str, object]:
    """Read every MIDI file below the folders and write a shard folder; returns the report that is also written there.
    reading: who reads the files, None for so many `workers` of this machine.

    A folder may hold a `manifest.json` (a list of entries with file, source, id, genre, and, where they are known,
    chords and key: see `data.labels.known_of`); without one each file is a song of its own, and a genre is taken from a
    parent folder or file name that starts with one. Chords and sections of songs are read from SONGS.
    Raises InputError when a folder is missing or nothing usable is found.
    """
    reading = reading or here(workers)
    shard, left_out = read_folders(folders, excluded_sources=excluded_sources, progress=progress, reading=reading)
    report = _report(shard.pieces, left_out)
    out.mkdir(parents=True, exist_ok=True)
    # The index goes first and comes last: without it the folder does not count as a shard folder, so none is ever half
    # written.
    (out / "pieces.json").unlink(missing_ok=True)
    np.save(out / "notes.npy", shard.notes)
    assert shard.labels is not None  # what was read just now has them
    np.save(out / "labels.npy", shard.labels)
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
    reading: Reading | None = None,
) -> tuple[Shard, list[tuple[str, str]]]:
    """Every usable MIDI file below the folders, in memory, and (file, reason) of those left out; raises as `build`."""
    reading = reading or here(workers)
    jobs = [job for folder in folders for job in _jobs(folder)]
    if not jobs:
        raise InputError(f"no MIDI files below {', '.join(map(str, folders))}; name a folder that holds .mid files")
    excluded = [job for job in jobs if _source(job) in excluded_sources]
    left_out = [(str(job.path), f"its source {_source(job)} is excluded") for job in excluded]
    taken = [job for job in jobs if _source(job) not in excluded_sources]
    reads: list[_Read] = []
    pieces: list[PieceInfo] = []
    start = first_label = 0
    for done, (job, result) in enumerate(zip(taken, reading(taken), strict=True)):
        if isinstance(result, str):
            left_out.append((str(job.path), result))
        else:
            reads.append(result)
            pieces.append(_piece(job, result, start, first_label))
            start, first_label = pieces[-1].end, first_label + result.bars
        if progress and done % 50 == 0:
            progress(done / len(taken))
    if not pieces:
        raise InputError(f"none of {len(jobs)} MIDI files can be used: {left_out[0][1]}")
    write_affect(
        [read.measured for read in reads],
        [read.tempo_bpm for read in reads],
        [piece.dataset for piece in pieces],
        [piece.split == "train" for piece in pieces],
    )
    labels = np.concatenate([read.measured.rows for read in reads])
    return Shard(np.concatenate([read.notes for read in reads]), tuple(pieces), labels), left_out


def here(workers: int) -> Reading:
    """Processes of this machine that read files."""

    def read_all(jobs: Sequence[_Job]) -> Iterator[_Read | str]:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            yield from pool.imap(_read, jobs, BLOCK)

    return read_all


def read_block(jobs: Sequence[_Job]) -> list[_Read | str]:
    """Some files, one after the other: what a worker elsewhere does."""
    return [_read(job) for job in jobs]


def load(folder: Path) -> Shard:
    """Open a shard folder; the notes are memory-mapped. Raises InputError when it is not one."""
    try:
        index = json.loads((folder / "pieces.json").read_text())
        notes = np.load(folder / "notes.npy", mmap_mode="r")
        labelled = index.get("schema") == SCHEMA
        labels = np.load(folder / "labels.npy", mmap_mode="r") if labelled else None
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} is not a shard folder ({error}); make one with `hitpoint data build`") from None
    if index.get("schema") not in READABLE or (labels is not None and labels.shape[1:] != (COLUMNS,)):
        raise InputError(f"{folder} was built by another version; build it again with `hitpoint data build`")
    pieces = tuple(PieceInfo(**{**p, "instruments": tuple(p["instruments"])}) for p in index["pieces"])
    return Shard(notes, pieces, labels)


def _source(job: _Job) -> str:
    return str(job.entry.get("source") or job.dataset)


def _jobs(folder: Path) -> Iterator[_Job]:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name one that holds MIDI files")
    manifest = folder / "manifest.json"
    if manifest.is_file():
        songs = _songs(folder)
        for entry in json.loads(manifest.read_text(encoding="utf-8")):
            path = folder / "midi" / entry["file"]
            path = path if path.is_file() else folder / entry["file"]
            source = song_key(folder.name, entry).partition("/")[0]
            try:
                known = known_of(entry, songs.get(source, {}))
            except (ValueError, TypeError, KeyError, IndexError) as error:
                raise InputError(
                    f"{manifest}: {entry['file']} has labels that cannot be read ({error}); correct them"
                ) from None
            yield _Job(folder.name, entry, path, known)
        return
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".mid", ".midi")):
        yield _Job(folder.name, {"file": str(path.relative_to(folder))}, path, Known())


def _songs(folder: Path) -> dict[str, dict[str, object]]:
    """Songs by source and id; none where there is no such file. Raises InputError where it is damaged."""
    found = next(
        (path for place in (folder, folder.parent) for name in SONGS if (path := place / name).is_file()), None
    )
    if found is None:
        return {}
    try:
        raw = lzma.decompress(found.read_bytes()) if found.suffix == ".xz" else found.read_bytes()
        songs = json.loads(raw)
        return {str(source): dict(of) for source, of in songs.items()}
    except (OSError, lzma.LZMAError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{found} holds no songs ({error}); repair it, or move it away to do without") from None


def _piece(job: _Job, read: _Read, start: int, first_label: int) -> PieceInfo:
    """What the shard says of a piece whose notes and labels begin at these rows."""
    key = song_key(job.dataset, job.entry)
    return PieceInfo(
        dataset=job.dataset,
        file=str(job.entry["file"]),
        song=key,
        source=_source(job),
        split=split_of(key),
        genre=_genre(job.entry, job.path),
        tempo_bpm=read.tempo_bpm,
        bars=read.bars,
        instruments=read.instruments,
        start=start,
        end=start + len(read.notes),
        first_label=first_label,
        flat=read.measured.flat,
    )


def _read(job: _Job) -> _Read | str:
    """One file in a worker: what is in it, or the reason why it is not taken."""
    try:
        piece = read_piece(job.path)
    except (InputError, OSError) as error:
        return str(error)
    known = measured(piece, _fitting(job.known, piece.bars))
    return _Read(to_table(piece.notes), piece.bars, piece.tempo_bpm, family_set(piece.notes), known)


def _fitting(known: Known, bars: int) -> Known:
    """What people say of a piece, as far as it can be of this one: their bars and its own are about as many."""
    if known.chords and abs(len(known.chords) // 2 - bars) > SPARE_BARS:
        return replace(known, chords=(), starts=())
    return known


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
