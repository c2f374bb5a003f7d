"""Jobs and scores on disk, so that any process may die and the music is still there.

Threads and processes: the composer process writes jobs, from one thread at a time; the watchdog reads them and writes
live.json. Every file is whole or not there, but a take's list of bars: that one grows by a line for each bar, and a
torn last line is left out. What `save` and `save_plan` wrote is on the disk when they return, power cut or not; bars
can be composed again.

    STATE/live.json                the transport, as the watchdog last heard of it
    STATE/lists.json               the lists of clips that were sent whole
    STATE/latest                   the job that was saved last
    STATE/jobs/NAME/job.json       what was asked, the take that is heard, the edition
    STATE/jobs/NAME/plan.json      the plan
    STATE/jobs/NAME/take-N.jsonl   one line a bar; a later line for the same bar wins
    STATE/jobs/NAME/take-N-edition-E.jsonl and .plan.json   the bars and the plan of an earlier edition
    STATE/jobs/NAME/NAME-take-N.*  the finished files; those of later editions NAME-take-N-edition-E.*
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hitpoint.bridge.ipc.messages import ScoreJob
from hitpoint.bridge.ipc.supervision import LiveState, Parties
from hitpoint.bridge.state.soundness import is_sound_bar, is_sound_plan, is_sound_record
from hitpoint.model.files import flush, put_in_place
from hitpoint.model.music.codec import from_json, to_json
from hitpoint.model.music.score import Bar
from hitpoint.model.plan.types import Plan

PART = re.compile(r"\..*\.part(\.[A-Za-z0-9]+)?")
"""Names of files that are being written; those of a run that was killed are litter."""

CASE_COUNTS = sys.platform not in ("win32", "darwin")
"""Whether `Film` and `film` are two names here."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)

SCHEMA = "hitpoint.job/2"
LIVE_SCHEMA = "hitpoint.live/6"

Value = TypeVar("Value")


@dataclass
class JobRecord:
    """What stands in job.json. done: nothing is left to compose or write. By take: results: its files; editions: the
    edition of the notes in them; requests: the number of the client's latest wish for it.
    chords: those that a client set, "bar.half" -> symbol. scene: the bar
    from which on the picture feels as a client said, and its valence and arousal.
    """

    score: ScoreJob
    take: int = 0
    edition: int = 0
    controls: dict[str, float] = field(default_factory=dict)
    programs: tuple[int, ...] = ()
    results: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    editions: dict[int, int] = field(default_factory=dict)
    requests: dict[int, int] = field(default_factory=dict)
    chords: dict[str, str] = field(default_factory=dict)
    scene: tuple[int, float, float] | None = None
    done: bool = False
    schema: str = SCHEMA


@dataclass
class _LiveRecord:
    """What stands in live.json. wiring: (our port, destination) pairs."""

    live: LiveState
    parties: Parties
    wiring: list[tuple[str, str]]
    schema: str = LIVE_SCHEMA


class Store:
    """The jobs below `state`. Raises OSError where the disk does not let it."""

    def __init__(self, state: Path) -> None:
        self._root = state / "jobs"
        self._latest = state / "latest"

    def folder(self, job: str) -> Path:
        """The job's folder (a job's name holds no separators: the OSC table sees to it)."""
        return self._root / folder_name(job)

    def sweep(self) -> None:
        """Remove what a run that was killed was just writing. To be called while nobody writes."""
        old = self._root / "latest"  # where earlier versions kept it, in the way of a job of that name
        if old.is_file():
            old.replace(self._latest)
        folders = [self._root.parent, self._root, *(path for path in _listed(self._root) if path.is_dir())]
        for path in (path for folder in folders for path in _listed(folder)):
            if PART.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    path.unlink()

    def unfinished(self) -> list[str]:
        """The jobs of which something is left to do, the oldest first."""
        found = []
        for folder in _listed(self._root):
            record = _record(folder)
            if record is not None and not record.done:
                with contextlib.suppress(OSError):
                    found.append(((folder / "job.json").stat().st_mtime, record.score.job))
        return [job for _, job in sorted(found)]

    def output(self, job: str, take: int, edition: int, suffix: str) -> Path:
        """Where a finished file goes: `suffix` is .mid, .wav or .report.json.

        Every edition has a name of its own: a host that goes back to an older one finds its sound unchanged.
        """
        return self.folder(job) / f"{job}-take-{take}{f'-edition-{edition}' if edition else ''}{suffix}"

    def begin(self, record: JobRecord) -> None:
        """Start a job anew: what stood there under its name is removed, but for finished files."""
        folder = self.folder(record.score.job)
        make_folder(folder)
        for path in folder.iterdir():
            if path.is_file() and not path.name.startswith(f"{record.score.job}-take-"):
                path.unlink()
        self.save(record)

    def save(self, record: JobRecord) -> None:
        """Write job.json, and note that this job is the latest."""
        self._write(record.score.job, "job.json", to_json(record))
        if self.latest() != record.score.job:
            write_whole(self._latest, record.score.job.encode(), durable=True)

    def _write(self, job: str, name: str, raw: bytes) -> None:
        """A file of the job's folder, which is made where it does not exist."""
        folder = self.folder(job)
        make_folder(folder)
        write_whole(folder / name, raw, durable=True)

    def latest(self) -> str:
        """The job that was saved last; empty where there is none."""
        try:
            return _bytes_of(self._latest).decode().strip()
        except (OSError, ValueError):
            return ""

    def load(self, job: str) -> JobRecord | None:
        """job.json; None where there is none, or none that can be used."""
        return _record(self.folder(job))

    def load_planned(self, job: str) -> tuple[JobRecord | None, Plan | None]:
        """The job, and its plan where it got so far that this can be played: the record is written first, and where
        the power went in between, the plan is another score's, or none of anybody's."""
        record = self.load(job)
        return record, self.load_plan(job) if record is not None and record.programs else None

    def save_plan(self, job: str, plan: Plan) -> None:
        """Write plan.json."""
        self._write(job, "plan.json", to_json(plan))

    def load_plan(self, job: str) -> Plan | None:
        """plan.json; None where there is none, or none that can be played."""
        return _plan(self.folder(job) / "plan.json")

    def add_bar(self, job: str, take: int, bar: Bar) -> None:
        """Append one bar to the take."""
        with self._take_path(job, take).open("ab") as file:
            file.write(_bar_line(bar))

    def save_bars(self, job: str, take: int, bars: Mapping[int, Bar]) -> None:
        """Write the take again, with these bars only."""
        self._write(job, f"take-{take}.jsonl", b"".join(_bar_line(bars[index]) for index in sorted(bars)))

    def load_bars(self, job: str, take: int) -> dict[int, Bar]:
        """The take's bars by index; a torn line, and a bar that cannot be played, are left out."""
        return _read_bars(self._take_path(job, take))

    def keep_edition(self, job: str, take: int, edition: int, plan: Plan, bars: Mapping[int, Bar]) -> None:
        """Keep what a finished take holds before it is changed, so that a host can go back to it."""
        name = f"take-{take}-edition-{edition}"
        self._write(job, f"{name}.jsonl", b"".join(_bar_line(bars[index]) for index in sorted(bars)))
        self._write(job, f"{name}.plan.json", to_json(plan))

    def load_edition(self, job: str, take: int, edition: int) -> tuple[Plan, dict[int, Bar]] | None:
        """What `keep_edition` kept; None where that is not there."""
        path = self.folder(job) / f"take-{take}-edition-{edition}.jsonl"
        plan, bars = _plan(path.with_suffix(".plan.json")), _read_bars(path)
        return None if plan is None or len(bars) < len(plan.bars) else (plan, bars)

    def save_live(self, live: LiveState, parties: Parties, wiring: set[tuple[str, str]]) -> None:
        """Note where the transport is, who is there, and what our ports lead to, for a watchdog that takes over."""
        make_folder(self._root)
        write_whole(self._root.parent / "live.json", to_json(_LiveRecord(live, parties, sorted(wiring))))

    def load_live(self) -> tuple[LiveState, Parties, set[tuple[str, str]]] | None:
        """What `save_live` noted; None where there is nothing that can be read."""
        record = _read(self._root.parent / "live.json", _LiveRecord)
        if record is None or record.schema != LIVE_SCHEMA:
            return None
        return record.live, record.parties, set(record.wiring)

    def save_lists(self, lists: Sequence[ScoreJob]) -> None:
        """Note the lists of clips that were sent, for a watchdog that takes over."""
        make_folder(self._root)
        write_whole(self._root.parent / "lists.json", to_json(list(lists)))

    def load_lists(self) -> list[ScoreJob]:
        """What `save_lists` noted."""
        return _read(self._root.parent / "lists.json", list[ScoreJob]) or []

    def _take_path(self, job: str, take: int) -> Path:
        return self.folder(job) / f"take-{take}.jsonl"


def _record(folder: Path) -> JobRecord | None:
    record = _read(folder / "job.json", JobRecord)
    if record is None or record.schema != SCHEMA or folder_name(record.score.job) != folder.name:
        return None
    return record if is_sound_record(record) else None


def _plan(path: Path) -> Plan | None:
    plan = _read(path, Plan)
    return plan if plan is not None and is_sound_plan(plan) else None


def _read_bars(path: Path) -> dict[int, Bar]:
    bars: dict[int, Bar] = {}
    try:
        lines = _bytes_of(path).splitlines()
    except OSError:
        return bars
    for line in lines:
        with contextlib.suppress(ValueError):
            bar = from_json(line, Bar)
            if is_sound_bar(bar):
                bars[bar.index] = bar
    return bars


def _bar_line(bar: Bar) -> bytes:
    return b"\n" + to_json(bar)  # a line that was torn before it stays alone


def folder_name(job: str, case_counts: bool = CASE_COUNTS) -> str:
    """The name of a job's folder, its own for each job: Windows has names of devices and drops a dot at the end, and
    it and macOS take capitals for small letters. "=" is in no job's name."""
    name = job if case_counts else re.sub(r"[A-Z]", lambda match: "=" + match[0].lower(), job)
    name = f"{name}=" if name.endswith(".") else name
    return f"=={name}" if _RESERVED.fullmatch(name) else name


def write_whole(path: Path, raw: bytes, durable: bool = False) -> None:
    """Write a file whole or not at all. durable: it and its name are on the disk, not in a cache, afterwards."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("wb") as file:
            file.write(raw)
            if durable:
                file.flush()
                flush(file.fileno())
        put_in_place(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are not there, and have their names on the disk. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_file(path: Path) -> None:
    """Have what stands in a file, and its name, on the disk. Raises OSError."""
    with path.open("rb+") as file:
        flush(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk; nothing on Windows, which opens no folders and does so by itself."""
    if sys.platform == "win32":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        flush(number)
    finally:
        os.close(number)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _bytes_of(path: Path) -> bytes:
    """What a file holds. Raises OSError; also for what is no regular file: to read a pipe would take for ever."""
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
    return path.read_bytes()


def _read(path: Path, kind: type[Value]) -> Value | None:
    try:
        return from_json(_bytes_of(path), kind)
    except (OSError, ValueError):
        return None
