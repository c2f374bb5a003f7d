"""Jobs and scores on disk, so that any process may die and the music is still there.

Threads and processes: the composer process writes jobs, from one thread at a time; the watchdog reads them and writes
live.json. Every file is whole or not there, but a take's list of bars: that one grows by a line for each bar, and a
torn last line is left out.

    STATE/live.json                the transport, as the watchdog last heard of it
    STATE/jobs/NAME/job.json       what was asked, the take that is heard, the edition
    STATE/jobs/NAME/plan.json      the plan
    STATE/jobs/NAME/take-N.jsonl   one line a bar; a later line for the same bar wins
    STATE/jobs/NAME/NAME-take-N.*  the finished files; those of later editions NAME-take-N-edition-E.*
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hitpoint.bridge.ipc.messages import LiveState, ScoreJob
from hitpoint.model.music.codec import from_json, to_json
from hitpoint.model.music.score import Bar
from hitpoint.model.plan.types import Plan

SCHEMA = "hitpoint.job/2"
LIVE_SCHEMA = "hitpoint.live/4"

Value = TypeVar("Value")


@dataclass
class JobRecord:
    """What stands in job.json."""

    score: ScoreJob
    take: int = 0
    edition: int = 0
    controls: dict[str, float] = field(default_factory=dict)
    programs: tuple[int, ...] = ()
    results: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    schema: str = SCHEMA


@dataclass
class _LiveRecord:
    """What stands in live.json. wiring: (our port, destination) pairs."""

    live: LiveState
    wiring: list[tuple[str, str]]
    schema: str = LIVE_SCHEMA


class Store:
    """The jobs below `state`. Raises OSError where the disk does not let it."""

    def __init__(self, state: Path) -> None:
        self._root = state / "jobs"

    def folder(self, job: str) -> Path:
        """The job's folder (a job's name holds no separators: the OSC table sees to it)."""
        return self._root / job

    def output(self, job: str, take: int, edition: int, suffix: str) -> Path:
        """Where a finished file goes: `suffix` is .mid, .wav or .report.json.

        Every edition has a name of its own: a host that goes back to an older one finds its sound unchanged.
        """
        return self.folder(job) / f"{job}-take-{take}{f'-edition-{edition}' if edition else ''}{suffix}"

    def begin(self, record: JobRecord) -> None:
        """Start a job anew: what stood there under its name is removed, but for finished files."""
        folder = self.folder(record.score.job)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.is_file() and not path.name.startswith(f"{record.score.job}-take-"):
                path.unlink()
        self.save(record)

    def save(self, record: JobRecord) -> None:
        """Write job.json, and note that this job is the latest."""
        _write(self.folder(record.score.job) / "job.json", to_json(record))
        _write(self._root / "latest", record.score.job.encode())

    def latest(self) -> str:
        """The job that was saved last; empty where there is none."""
        try:
            return (self._root / "latest").read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def load(self, job: str) -> JobRecord | None:
        """job.json; None where there is none, or none that can be read."""
        record = _read(self.folder(job) / "job.json", JobRecord)
        return record if record is not None and record.schema == SCHEMA else None

    def save_plan(self, job: str, plan: Plan) -> None:
        """Write plan.json."""
        _write(self.folder(job) / "plan.json", to_json(plan))

    def load_plan(self, job: str) -> Plan | None:
        """plan.json; None where there is none."""
        return _read(self.folder(job) / "plan.json", Plan)

    def add_bar(self, job: str, take: int, bar: Bar) -> None:
        """Append one bar to the take."""
        with self._take_path(job, take).open("ab") as file:
            file.write(_bar_line(bar))

    def save_bars(self, job: str, take: int, bars: Mapping[int, Bar]) -> None:
        """Write the take anew, with these bars only."""
        _write(self._take_path(job, take), b"".join(_bar_line(bars[index]) for index in sorted(bars)))

    def load_bars(self, job: str, take: int) -> dict[int, Bar]:
        """The take's bars by index; a torn line is left out."""
        bars: dict[int, Bar] = {}
        try:
            lines = self._take_path(job, take).read_bytes().splitlines()
        except OSError:
            return bars
        for line in lines:
            try:
                bar = from_json(line, Bar)
            except ValueError:
                continue
            bars[bar.index] = bar
        return bars

    def save_live(self, live: LiveState, wiring: set[tuple[str, str]]) -> None:
        """Note where the transport is and what our ports lead to, for a watchdog that takes over."""
        self._root.mkdir(parents=True, exist_ok=True)
        _write(self._root.parent / "live.json", to_json(_LiveRecord(live, sorted(wiring))))

    def load_live(self) -> tuple[LiveState, set[tuple[str, str]]] | None:
        """What `save_live` noted; None where there is nothing that can be read."""
        record = _read(self._root.parent / "live.json", _LiveRecord)
        if record is None or record.schema != LIVE_SCHEMA:
            return None
        return record.live, set(record.wiring)

    def _take_path(self, job: str, take: int) -> Path:
        return self.folder(job) / f"take-{take}.jsonl"


def _bar_line(bar: Bar) -> bytes:
    return b"\n" + to_json(bar)  # a line that was torn before it stays alone


def _write(path: Path, raw: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(raw)
    part.replace(path)


def _read(path: Path, kind: type[Value]) -> Value | None:
    try:
        return from_json(path.read_bytes(), kind)
    except (OSError, ValueError):
        return None
