"""Jobs, takes, and the tools that make them.

Threads and processes: lives in the composer process; jobs and takes belong to its main thread, `Tools.prepare` and
`Tools.write` are called from its worker thread. Heavy modules load inside the methods that need them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hitpoint.bridge.errors import UsageError
from hitpoint.bridge.ipc.messages import BarsReady, Planned, ScoreJob
from hitpoint.bridge.state.store import JobRecord, Store
from hitpoint.model.compose.base import Composer
from hitpoint.model.music.score import Bar
from hitpoint.model.plan.types import Plan

if TYPE_CHECKING:
    from hitpoint.model.take import Prepared
    from hitpoint.model.video.types import Boundary, Clip

OWN_PAIRS = ("takes", "wav", "cuts", "composer")
"""Keys of a score request that are no wishes of the plan."""
SEED_STEP = 1_000_003
"""Between the seeds of a job's takes, and of one bar's regenerations."""


@dataclass
class Take:
    """One take in the making. bars: its own; provisional: stand-ins for those still to come.

    midi: the file that holds these bars, there or being written; None while there is none. failed: it cannot be
    written, and not because of the disk.
    """

    seed: int
    bars: dict[int, Bar] = field(default_factory=dict)
    provisional: dict[int, Bar] = field(default_factory=dict)
    stream: Iterator[Bar] | None = None
    stream_next: int = -1
    ahead_stream: Iterator[Bar] | None = None
    ahead_next: int = -1
    midi: Path | None = None
    failed: bool = False


@dataclass
class Job:
    """One job. prepared: None until analysed in this process; plan: None until planned.

    care: how often composing it went wrong. 1: no provisional bars any more; 2: another seed from there on.
    again_s: not to be written before this moment (monotonic), the disk being full; disk_told: its client knows.
    """

    record: JobRecord
    plan: Plan | None = None
    prepared: Prepared | None = None
    takes: dict[int, Take] = field(default_factory=dict)
    wanted_takes: int = 1
    wav: bool = True
    aim: int = 0
    care: int = 0
    again_s: float = 0.0
    disk_told: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)
    preparing: bool = False
    analysing: bool = False
    after_prepare: list[object] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The job's name."""
        return self.record.score.job

    @property
    def composer(self) -> str:
        """The key of the composer that was asked for, "" for the configuration's."""
        return dict(self.record.score.pairs).get("composer", "")

    @property
    def take(self) -> Take:
        """The take that is heard."""
        return self.takes[self.record.take]


class Cancelled(Exception):
    """The job was called off."""


class Tools:
    """What the workshop works with; tests hand in their own."""

    def __init__(self, load_composer: Callable[[str], Composer]) -> None:
        """load_composer: a composer's key ("" for the configuration's) -> the composer, ready."""
        self._load_composer = load_composer
        self._composers: dict[str, Composer] = {}

    def composer(self, key: str = "") -> Composer:
        """The composer called `key` ("" for the configuration's), loaded at first use. Raises as its `create`."""
        if key not in self._composers:
            self._composers[key] = self._load_composer(key)
        return self._composers[key]

    def prepare(self, score: ScoreJob, pairs: dict[str, str], progress: Callable[[str, float], None]) -> Prepared:
        """Analyse and plan."""
        from hitpoint.model.job import prepare
        from hitpoint.model.plan.wishes import parse_wishes
        from hitpoint.model.video.types import Clip

        wishes = parse_wishes(pairs)
        clips = [
            Clip(Path(clip.path), clip.in_s, clip.out_s, clip.rate, clip.start_s, clip.fade_s) for clip in score.clips
        ]
        source = dict(score.pairs).get("cuts", "auto")
        cuts = strip_cuts(clips) if source == "strips" else None
        return prepare(clips, wishes, cuts, progress, apart=True, detector="fine" if source == "fine" else "quick")

    def replan(self, prepared: Prepared, pairs: dict[str, str]) -> Plan:
        """Another plan for what was analysed, of the same tempo, since its music is being heard."""
        from hitpoint.model.plan.build import build_plan
        from hitpoint.model.plan.wishes import parse_wishes

        return build_plan(prepared.rhythm, parse_wishes(pairs), prepared.plan)

    def programs(self, genre: str) -> tuple[int, ...]:
        """The General MIDI program of each instrument."""
        from hitpoint.model.output.midi_file import PROGRAMS

        return PROGRAMS[genre]

    def write(
        self,
        prepared: Prepared,
        composer: Composer,
        bars: Sequence[Bar],
        seed: int,
        midi: Path,
        wav: Path | None,
        report: Path,
    ) -> None:
        """Write a take's files."""
        from hitpoint.model.job import assemble
        from hitpoint.model.output.base import Writing, write_outputs

        take = assemble(prepared, bars, composer, seed)
        files = {"midi": midi, "report": report, **({} if wav is None else {"wav": wav})}
        write_outputs(take, prepared, files, Writing(force=True))


def strip_cuts(clips: Sequence[Clip]) -> list[Boundary]:
    """Where a clip begins, or black after one, in seconds from the first: what `cuts: strips` asks for.

    Raises InputError for a film that cannot be used.
    """
    from hitpoint.model.video.apart import probe_apart
    from hitpoint.model.video.edit import closed, edges

    whole = [clip if clip.out_s is not None else closed(clip, probe_apart(clip.path).duration_s) for clip in clips]
    return edges(whole)


def announcement(record: JobRecord, plan: Plan, stale: tuple[int, ...] = (), kept: bool = False) -> Planned:
    """What the clock is told of a job's plan."""
    score = record.score
    return Planned(score.job, record.take, record.edition, origin(score), score.fps, plan, record.programs, stale, kept)


def ready(job: Job, bars: Iterable[Bar], kept: bool = False) -> BarsReady:
    """Bars of the take that is heard, as they are to be played."""
    from hitpoint.model.perform.perform import perform_all

    assert job.plan is not None
    return BarsReady(job.name, job.record.take, job.record.edition, perform_all(bars, job.plan), kept=kept)


def pairs_of(score: ScoreJob, controls: Mapping[str, float]) -> dict[str, str]:
    """The wishes of a job for the planner, its live controls as they stand now."""
    pairs = {key: value for key, value in score.pairs if key not in OWN_PAIRS}
    for name, value in controls.items():
        pairs[name] = str(round(value)) if name == "density" else repr(value)
    return pairs


def take_of(job: Job, number: int, store: Store) -> Take:
    """Take `number` of a job that has its plan, with the bars that are on disk."""
    assert job.plan is not None
    take = job.takes.get(number)
    if take is None:
        seed = job.plan.seed + number * SEED_STEP
        bars = {i: bar for i, bar in store.load_bars(job.name, number).items() if i < len(job.plan.bars)}
        take = job.takes[number] = Take(seed, bars)
        files = job.record.results.get(number)
        if files is not None and len(bars) == len(job.plan.bars):
            take.midi = Path(files[0])
    return take


def origin(score: ScoreJob) -> float:
    """Where the music begins on the host's timeline: the earliest clip's start, in seconds."""
    return min(clip.start_s for clip in score.clips)


def whole_number(text: str, name: str, low: int, high: int) -> int:
    """The number that a wish names. Raises UsageError where it is none, or out of its range."""
    try:
        number = int(float(text))
    except (ValueError, OverflowError):
        number = low - 1
    if not low <= number <= high:
        raise UsageError(f"{name} must be a whole number within {low}..{high}, not {text!r}")
    return number
