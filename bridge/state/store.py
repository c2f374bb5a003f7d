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

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hitpoint.bridge.clock.transport import Transport
from hitpoint.bridge.ipc.messages import ClipSpec, LiveState, ScoreJob
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Note, TempoMap, TempoPoint
from hitpoint.model.plan.types import BarPlan, HitPoint, Plan, Section

SCHEMA = "hitpoint.job/1"
LIVE_SCHEMA = "hitpoint.live/3"


@dataclass
class JobRecord:
    """What stands in job.json."""

    score: ScoreJob
    take: int = 0
    edition: int = 0
    controls: dict[str, float] = field(default_factory=dict)
    programs: tuple[int, ...] = ()
    results: dict[int, tuple[str, str, str]] = field(default_factory=dict)


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
        values = {
            "schema": SCHEMA,
            "score": asdict(record.score),
            "take": record.take,
            "edition": record.edition,
            "controls": record.controls,
            "programs": record.programs,
            "results": record.results,
        }
        _write(self.folder(record.score.job) / "job.json", json.dumps(values))
        _write(self._root / "latest", record.score.job)

    def latest(self) -> str:
        """The job that was saved last; empty where there is none."""
        try:
            return (self._root / "latest").read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def load(self, job: str) -> JobRecord | None:
        """job.json; None where there is none, or none that can be read."""
        values = _read(self.folder(job) / "job.json")
        if values is None or values.get("schema") != SCHEMA:
            return None
        return JobRecord(
            _score_from(values["score"]),
            values["take"],
            values["edition"],
            dict(values["controls"]),
            tuple(values["programs"]),
            {int(take): (paths[0], paths[1], paths[2]) for take, paths in values["results"].items()},
        )

    def save_plan(self, job: str, plan: Plan) -> None:
        """Write plan.json."""
        _write(self.folder(job) / "plan.json", json.dumps(asdict(plan)))

    def load_plan(self, job: str) -> Plan | None:
        """plan.json; None where there is none."""
        values = _read(self.folder(job) / "plan.json")
        return None if values is None else plan_from(values)

    def add_bar(self, job: str, take: int, bar: Bar) -> None:
        """Append one bar to the take."""
        with self._take_path(job, take).open("a", encoding="utf-8") as file:
            file.write(_bar_line(bar))

    def save_bars(self, job: str, take: int, bars: Mapping[int, Bar]) -> None:
        """Write the take anew, with these bars only."""
        _write(self._take_path(job, take), "".join(_bar_line(bars[index]) for index in sorted(bars)))

    def load_bars(self, job: str, take: int) -> dict[int, Bar]:
        """The take's bars by index; a torn line is left out."""
        bars: dict[int, Bar] = {}
        try:
            lines = self._take_path(job, take).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return bars
        for line in lines:
            try:
                index, notes = json.loads(line)
                bars[index] = Bar(index, tuple(Note(*note) for note in notes))
            except (ValueError, TypeError):
                continue
        return bars

    def save_live(self, live: LiveState, wiring: set[tuple[str, str]]) -> None:
        """Note where the transport is and what our ports lead to, for a watchdog that takes over."""
        self._root.mkdir(parents=True, exist_ok=True)
        values = {"schema": LIVE_SCHEMA, "live": asdict(live), "wiring": sorted(wiring)}
        _write(self._root.parent / "live.json", json.dumps(values))

    def load_live(self) -> tuple[LiveState, set[tuple[str, str]]] | None:
        """What `save_live` noted; None where there is nothing that can be read."""
        values = _read(self._root.parent / "live.json")
        if values is None or values.get("schema") != LIVE_SCHEMA:
            return None
        live = dict(values["live"])
        loop = live["transport"]["loop"]
        live["transport"] = Transport(**{**live["transport"], "loop": tuple(loop) if loop else None})
        live["muted"] = tuple(live["muted"])
        live["volumes"] = tuple((instrument, level) for instrument, level in live["volumes"])
        for key in ("clients", "owners"):
            live[key] = tuple((name, (address[0], address[1])) for name, address in live[key])
        live["clip_lists"] = tuple(_score_from(score) for score in live["clip_lists"])
        return LiveState(**live), {(port, destination) for port, destination in values["wiring"]}

    def _take_path(self, job: str, take: int) -> Path:
        return self.folder(job) / f"take-{take}.jsonl"


def plan_from(values: Mapping[str, Any]) -> Plan:
    """The Plan of `dataclasses.asdict(plan)`, as JSON gives it back."""
    return Plan(
        duration_s=values["duration_s"],
        tempo_map=TempoMap(tuple(TempoPoint(**point) for point in values["tempo_map"]["points"])),
        bars=tuple(BarPlan(**{key: _tuples(value) for key, value in bar.items()}) for bar in values["bars"]),
        hits=tuple(HitPoint(**hit) for hit in values["hits"]),
        sections=tuple(Section(**section) for section in values["sections"]),
        genre=values["genre"],
        instruments=tuple(values["instruments"]),
        control=values["control"],
        seed=values["seed"],
        changes=tuple(values["changes"]),
        last_bar_ticks=values.get("last_bar_ticks", TICKS_PER_BAR),
    )


def _tuples(value: Any) -> Any:
    """Lists, and lists in them, as the tuples they were before JSON."""
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value


def _score_from(values: Mapping[str, Any]) -> ScoreJob:
    clips = tuple(ClipSpec(**clip) for clip in values["clips"])
    return ScoreJob(values["job"], clips, tuple((key, value) for key, value in values["pairs"]), values["fps"])


def _bar_line(bar: Bar) -> str:
    notes = [[note.tick, note.instrument, note.pitch, note.duration_ticks, note.velocity] for note in bar.notes]
    return "\n" + json.dumps([bar.index, notes])  # a line that was torn before it stays alone


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None
