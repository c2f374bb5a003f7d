"""A folder of music -> a library, read once and kept on disk: what a file holds is found again by its content.

A file that was changed, added or renamed costs only itself, and one that cannot be used is left out with its reason.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import multiprocessing
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.library.bars import FIGURES, Library, figures_of
from hitpoint.model.data.build import PieceInfo, Shard, load
from hitpoint.model.data.reader import MAX_BYTES, family_set, read_piece, to_table
from hitpoint.model.errors import InputError
from hitpoint.model.files import read_arrays, whole
from hitpoint.model.music.codec import plain_json
from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.music.tokens import notes_of_table
from hitpoint.model.video.cache import FOLDER_VARIABLE

MOST_FILES = 20_000
"""More would take hours to read: a folder below it, or shards, say which of them are meant."""
FEW_FILES = 16
"""So many are read in this process: others would take longer to start."""
MANY_FILES = 500
"""From so many on it takes long enough to be said."""
WORKERS = 2
KIND = "3"
"""Raised when the figures of a bar change."""

log = logging.getLogger("hitpoint")


class Read(NamedTuple):
    """A piece as it is kept. notes (n, 6) as in a shard; figures, strength: as `bars.figures_of`."""

    notes: NDArray[np.uint16]
    figures: NDArray[np.float32]
    strength: NDArray[np.uint8]
    tempo_bpm: float


Known = dict[str, "Read | str"]
"""SHA-256 of a file -> what is in it, or why it cannot be used."""


def read_library(folder: Path) -> Library:
    """The library of a folder of MIDI files, or of a shard folder. Raises InputError where nothing can be used."""
    return _of_shards(folder) if (folder / "pieces.json").is_file() else _of_files(folder)


def midi_files(folder: Path) -> list[Path]:
    """Every MIDI file below a folder, by name. Raises InputError where there is none, or more than MOST_FILES."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name one that holds MIDI files")
    found: list[Path] = []
    for place, _, names in os.walk(folder):
        found += [Path(place, name) for name in names if name.lower().endswith((".mid", ".midi"))]
        if len(found) > MOST_FILES:
            raise InputError(
                f"{folder} holds more than {MOST_FILES} MIDI files; name a folder below it, or make shards of it once "
                "with `hitpoint data build`"
            )
    if not found:
        raise InputError(f"no MIDI files below {folder}; name a folder that holds .mid files")
    return sorted(found)


def stamp_of(folder: Path) -> str:
    """What names, sizes and times of a library's files amount to: another stamp, another library."""
    digest = hashlib.sha256()
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            with contextlib.suppress(OSError):
                about = Path(place, name).stat()
                digest.update(f"{place}/{name} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _of_files(folder: Path) -> Library:
    files = midi_files(folder)
    kept = _load(folder)
    shas = [_sha256(path) for path in files]
    wanted = {sha: path for sha, path in zip(shas, files, strict=True) if sha and sha not in kept}
    known: Known = {sha: kept[sha] for sha in shas if sha in kept}
    if len(wanted) > MANY_FILES:
        log.warning("reading %d files of music, once; what is read is kept", len(wanted))
    if wanted:
        known |= dict(_read_all(list(wanted.items())))
    if set(known) != set(kept):
        _store(folder, known)
    left_out = []
    pieces: dict[str, tuple[str, Read]] = {}
    for path, sha in zip(files, shas, strict=True):
        name, read = str(path.relative_to(folder)), known.get(sha, f"{path.name} cannot be read")
        if isinstance(read, str):
            left_out.append((name, read))
        else:
            pieces.setdefault(sha, (name, read))
    if not pieces:
        raise InputError(f"none of {len(files)} MIDI files can be used: {left_out[0][1]}")
    sha256 = hashlib.sha256("".join(sorted(pieces)).encode()).hexdigest()
    return _library(folder.name, list(pieces.values()), sha256, left_out)


def _sha256(path: Path) -> str:
    """Of a file's content; "" where it cannot be read, or has gone."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return hashlib.sha256(f"{path.stat().st_size} {path.name}".encode()).hexdigest()
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _read_all(wanted: Sequence[tuple[str, Path]]) -> Iterable[tuple[str, Read | str]]:
    if len(wanted) <= FEW_FILES:
        yield from map(read_file, wanted)
        return
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        yield from pool.imap(read_file, wanted, 16)


def read_file(asked: tuple[str, Path]) -> tuple[str, Read | str]:
    """(SHA-256, path) -> the former and what the file holds, or why it cannot be used; another SHA-256 where the file
    was changed meanwhile, so that nothing is kept under a wrong name."""
    sha, path = asked
    try:
        piece = read_piece(path)
    except (InputError, OSError) as error:
        return sha, str(error)
    return _sha256(path), Read(to_table(piece.notes), *figures_of(piece.notes, piece.bars), piece.tempo_bpm)


def _library(
    dataset: str, pieces: Sequence[tuple[str, Read]], sha256: str, left_out: Sequence[tuple[str, str]]
) -> Library:
    infos, start = [], 0
    for name, read in pieces:
        infos.append(
            PieceInfo(
                dataset, name, name, dataset, "train", None, read.tempo_bpm, len(read.figures),
                family_set(notes_of_table(read.notes)), start, start + len(read.notes),
            )
        )  # fmt: skip
        start += len(read.notes)
    shard = Shard(np.concatenate([read.notes for _, read in pieces]), tuple(infos))
    first = np.concatenate([[0], np.cumsum([len(read.figures) for _, read in pieces])])
    return Library(
        shard,
        np.concatenate([read.figures for _, read in pieces]),
        np.concatenate([read.strength for _, read in pieces]),
        first,
        sha256,
        tuple(left_out),
    )


def of_shard(shard: Shard, pieces: Sequence[PieceInfo]) -> Library:
    """The library of some pieces of a shard, measured anew. Raises InputError where there are none."""
    if not pieces:
        raise InputError("these shards hold no pieces; build them from more music")
    reads = []
    digest = hashlib.sha256()
    for piece in pieces:
        table = np.asarray(shard.notes[piece.start : piece.end])
        digest.update(table.tobytes())
        read = Read(table, *figures_of(notes_of_table(table), piece.bars), piece.tempo_bpm)
        reads.append((piece.file, read))
    return _library(pieces[0].dataset, reads, digest.hexdigest(), ())


def _of_shards(folder: Path) -> Library:
    shard = load(folder)
    return of_shard(shard, shard.pieces)


def _place(folder: Path) -> Path | None:
    """The file in which a folder's library is kept; None where nothing is to be kept."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen == "":
        return None
    import platformdirs

    base = Path(chosen) if chosen else Path(platformdirs.user_cache_dir("hitpoint"))
    name = hashlib.sha256(f"{folder.resolve()} {KIND}".encode()).hexdigest()
    return base / "library" / f"{name}.npz"


MOST_UNPACKED = 4 << 30
"""Bytes of what is kept of one folder, unpacked; thousands of pieces are a tenth of it."""


def _load(folder: Path) -> Known:
    """What is kept of a folder's files; nothing where there is nothing, or it is damaged."""
    place = _place(folder)
    if place is None:
        return {}
    try:
        members = read_arrays(place, MOST_UNPACKED)
        index = plain_json(members["index"].tobytes())
        return _unpacked(index, members["notes"], members["figures"], members["strength"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError):
        with contextlib.suppress(OSError):
            place.unlink()
        return {}


def _unpacked(
    index: Sequence[Sequence[object]], notes: NDArray[np.uint16], figures: NDArray[np.float32],
    strength: NDArray[np.uint8],
) -> Known:  # fmt: skip
    """Raises ValueError where the parts do not fit each other."""
    known: Known = {}
    note = bar = 0
    for sha, count, length, tempo_bpm, reason in index:
        if reason:
            known[str(sha)] = str(reason)
            continue
        ends = note + int(str(count)), bar + int(str(length))
        known[str(sha)] = Read(
            notes[note : ends[0]], figures[bar : ends[1]], strength[bar : ends[1]], float(str(tempo_bpm))
        )
        note, bar = ends
    if notes.shape != (note, 6) or figures.shape != (bar, len(FIGURES)) or strength.shape != (bar, TICKS_PER_BAR):
        raise ValueError("parts of other sizes")
    return known


def _store(folder: Path, known: Known) -> None:
    """Keep what was read; a folder that cannot be written only costs time, so it is not an error."""
    place = _place(folder)
    if place is None:
        return
    reads = [read for read in known.values() if isinstance(read, Read)]
    index = [
        (sha, len(read.notes), len(read.figures), read.tempo_bpm, "")
        if isinstance(read, Read)
        else (sha, 0, 0, 0, read)
        for sha, read in known.items()
    ]
    parts = {
        "index": np.frombuffer(json.dumps(index).encode(), np.uint8),
        "notes": np.concatenate([np.zeros((0, 6), np.uint16), *(read.notes for read in reads)]),
        "figures": np.concatenate([np.zeros((0, len(FIGURES)), np.float32), *(read.figures for read in reads)]),
        "strength": np.concatenate([np.zeros((0, TICKS_PER_BAR), np.uint8), *(read.strength for read in reads)]),
    }
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        packed = io.BytesIO()
        np.savez_compressed(packed, **parts)  # type: ignore[arg-type]
        with whole(place) as part:
            part.write_bytes(packed.getvalue())
    except OSError:
        return
