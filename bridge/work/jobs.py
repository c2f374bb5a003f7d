"""Jobs, takes, and the tools that make them.

Threads and processes: lives in the composer process; jobs and takes belong to its main thread, `Tools.prepare` and
`Tools.write` are called from its worker thread. Heavy modules load inside the methods that need them.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hitpoint.bridge.errors import UsageError
from hitpoint.bridge.ipc.messages import (
    OWN,
    BarsReady,
    ComposerAsk,
    JobResult,
    Planned,
    ScoreJob,
)
from hitpoint.bridge.state.store import JobRecord, Store
from hitpoint.bridge.work.clips import as_clips, change_of, closed_clips, strip_cuts
from hitpoint.bridge.work.composers import Composers
from hitpoint.model.compose.base import COMPOSERS, DEFAULT, Composer
from hitpoint.model.music.score import GENRES, Bar
from hitpoint.model.output.base import parse_formats
from hitpoint.model.plan.types import Plan

if TYPE_CHECKING:
    from hitpoint.model.mood.suggest import Suggestion
    from hitpoint.model.take import Prepared

OWN_PAIRS = ("takes", "wav", "cuts", "composer", "library", "select", "stems", "keep", "from", "to", "formats")
"""Keys of a score request that are not wishes of the plan."""
OWN_FORMATS = ("midi", "wav", "report", "stems")
"""Outputs that a take has anyway, or by a wish of their own."""
MOMENTS = ("hits", "unhits", "mood-line")
"""Wishes that are moments of the host's timeline, or begin with them."""
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
class Batch:
    """Takes that are composed side by side. bars: (place among `numbers`, bar), as they come; open: the takes of which
    they are still to be used.
    """

    plan: Plan
    numbers: list[int] = field(default_factory=list)
    bars: Iterator[tuple[int, Bar]] = field(default_factory=lambda: iter(()))
    open: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Before:
    """A job as it was left: what was asked, its plan, the take that was heard, and the bars of its takes."""

    score: ScoreJob
    plan: Plan
    take: int
    bars: Mapping[int, Mapping[int, Bar]]

    def pairs_with(self, pairs: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The wishes of a job that keeps this one's music: it goes on in the same style, whatever is asked for now."""
        new = {key: value for key, value in pairs.items() if key in OWN_PAIRS + MOMENTS}
        kept = {key: value for key, value in self.score.pairs if key not in (*MOMENTS, "from", "to", "keep")}
        return tuple({**kept, **new}.items())


@dataclass
class Job:
    """One job. prepared: None until analysed in this process; plan: None until planned.

    before: the job whose music is to be kept where the picture has not changed, until that is done. batch: the takes
    beside the one that is heard, while they are composed.
    care: how often composing it went wrong. 1: no more provisional bars; 2: another seed from there on.
    again_s: not to be written before this moment (monotonic), the disk being full; disk_told: its client knows.
    """

    record: JobRecord
    plan: Plan | None = None
    prepared: Prepared | None = None
    takes: dict[int, Take] = field(default_factory=dict)
    wanted_takes: int = 1
    wav: bool = True
    stems: bool = False
    before: Before | None = None
    batch: Batch | None = None
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
    def composer(self) -> ComposerAsk:
        """The composer that was asked for."""
        return ComposerAsk.taken_from(dict(self.record.score.pairs))

    @property
    def formats(self) -> tuple[str, ...]:
        """Further outputs that were asked for, written beside the MIDI file."""
        text = dict(self.record.score.pairs).get("formats", "")
        return tuple(name for name in parse_formats(text) if name not in OWN_FORMATS) if text else ()

    @property
    def take(self) -> Take:
        """The take that is heard."""
        return self.takes[self.record.take]

    @property
    def in_turn(self) -> list[int]:
        """The takes that are to be made, the one being heard first."""
        heard = self.record.take
        return [heard, *(take for take in range(self.wanted_takes) if take != heard)]


class Cancelled(Exception):
    """The job was called off."""


class Tools:
    """What the workshop works with; tests hand in their own."""

    def __init__(self, load_composer: Callable[[ComposerAsk], Composer]) -> None:
        """load_composer: what is asked for -> the composer, ready."""
        self._composers = Composers(load_composer)

    def composer(self, asked: ComposerAsk = OWN) -> Composer:
        """The composer that is asked for, loaded at first use. Raises as its `create`."""
        return self._composers.of(asked)

    def renew(self, asked: ComposerAsk) -> None:
        """Have a composer loaded anew where what it was loaded from has changed."""
        self._composers.renew(asked)

    def counter(self, asked: ComposerAsk = OWN) -> Callable[[], int]:
        """What tells, to any thread, how many small steps that composer has done; 0 where it does not count them."""
        return self._composers.counter(asked)

    def prepare(self, score: ScoreJob, pairs: dict[str, str], progress: Callable[[str, float], None]) -> Prepared:
        """Analyse and plan."""
        from hitpoint.model.job import prepare
        from hitpoint.model.plan.wishes.options import parse_wishes

        wishes = parse_wishes(pairs)
        clips = as_clips(score.clips)
        source = dict(score.pairs).get("cuts", "auto")
        cuts = strip_cuts(clips) if source == "strips" else None
        genres = self.composer(ComposerAsk.taken_from(dict(score.pairs))).genres if wishes.genre == "auto" else GENRES
        finder = "fine" if source == "fine" else "quick"
        lead_s, length_s = span(score)
        return prepare(clips, wishes, cuts, progress, True, finder, genres, lead_s, length_s, as_clips(score.sounds))

    def suggest(self, score: ScoreJob, pairs: dict[str, str], progress: Callable[[str, float], None]) -> Suggestion:
        """What genre and mood the clips suggest. pairs: describe, and whatever else a score may have."""
        from hitpoint.model.job import names
        from hitpoint.model.plan.suggested import suggested
        from hitpoint.model.plan.wishes.options import parse_wishes
        from hitpoint.model.video.apart import analyse_apart

        wishes, clips = parse_wishes(pairs), as_clips(score.clips)
        rhythm = analyse_apart(clips, None, lambda share: progress("analyse", share))
        return suggested(rhythm, wishes.describe, names(clips, apart=True))

    def cut(self, score: ScoreJob, music: Path, path: Path, progress: Callable[[str, float], None]) -> tuple[str, ...]:
        """Cut the clips to music, at the score's rate, and write the edit to `path`; what is to be said of it."""
        from hitpoint.model.cut.make import cut_to_list

        return cut_to_list(music, as_clips(score.clips), score.fps, path, lambda share: progress("analyse", share))

    def rework(self, prepared: Prepared, now: ScoreJob, before: Before) -> tuple[Prepared, dict[int, int]]:
        """Another plan for what was analysed, which keeps what it can of an earlier one; new bar -> old bar kept."""
        from hitpoint.model.plan.rework import rework

        change = change_of(closed_clips(before.score), closed_clips(now))
        (old_lead_s, _), (new_lead_s, _) = span(before.score), span(now)
        change = change.within(old_lead_s, new_lead_s, before.plan.duration_s, prepared.rhythm.duration_s)
        reworked = rework(prepared.rhythm, prepared.wishes, before.plan, change)
        return replace(prepared, plan=reworked.plan, change=change), reworked.kept

    def replan(self, prepared: Prepared, pairs: dict[str, str]) -> Plan:
        """Another plan for what was analysed, of the same tempo, since its music is being heard."""
        from hitpoint.model.plan.build import build_plan
        from hitpoint.model.plan.suggested import followed
        from hitpoint.model.plan.tempo.planner import tempo_of
        from hitpoint.model.plan.wishes.options import parse_wishes

        wishes = parse_wishes(pairs)
        if prepared.suggestion is not None:
            wishes = followed(wishes, prepared.suggestion)
        return build_plan(prepared.rhythm, wishes, tempo_of(prepared.plan))

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
        stems: bool = False,
        formats: Sequence[str] = (),
        progress: Callable[[str, float], None] | None = None,
    ) -> None:
        """Write a take's files; stems: a WAV for each instrument beside it as well; formats: further outputs.

        What `progress` raises ends it.
        """
        from hitpoint.model.job import assemble
        from hitpoint.model.output.base import Writing, targets_of, write_outputs
        from hitpoint.model.take import silent

        take = assemble(prepared, bars, composer, seed)
        files = {"midi": midi, "report": report, **({} if wav is None else {"wav": wav})}
        if stems and wav is not None:
            files["stems"] = wav
        files |= targets_of(formats, midi)
        write_outputs(take, prepared, files, Writing(force=True, progress=progress or silent))


def announcement(record: JobRecord, plan: Plan, stale: tuple[int, ...] = (), kept: bool = False) -> Planned:
    """What the clock is told of a job's plan."""
    score = record.score
    return Planned(score.job, record.take, record.edition, origin(score), score.fps, plan, record.programs, stale, kept)


def ready(job: Job, bars: Iterable[Bar], kept: bool = False) -> BarsReady:
    """Bars of the take that is heard, as they are to be played."""
    from hitpoint.model.perform.perform import perform_all

    assert job.plan is not None
    return BarsReady(job.name, job.record.take, job.record.edition, perform_all(bars, job.plan), kept=kept)


def result_of(job: Job, take: int) -> JobResult:
    """What the client is told of a finished take."""
    record = job.record
    files, asked, edition = record.results[take], record.requests.get(take, 0), record.editions.get(take, 0)
    return JobResult(job.name, take, *files, asked, edition)


def pairs_of(score: ScoreJob, controls: Mapping[str, float]) -> dict[str, str]:
    """The wishes of a job for the planner, its live controls as they stand now."""
    pairs = {key: value for key, value in score.pairs if key not in OWN_PAIRS}
    for key in MOMENTS:
        if key in pairs:
            pairs[key] = since(pairs[key], origin(score))
    for name, value in controls.items():
        pairs[name] = str(round(value)) if name == "density" else repr(value)
    return pairs


def since(text: str, origin_s: float) -> str:
    """Moments of the host's timeline, separated by commas, as seconds since `origin_s`; what stands behind a ! or : of
    theirs, and what is no moment, stays as it is."""
    parts = []
    for part in text.split(","):
        moment, mark, rest = re.fullmatch(r"([^!:]*)([!:]?)(.*)", part.strip(), re.DOTALL).groups()  # type: ignore[union-attr]
        with contextlib.suppress(ValueError):
            part = repr(round(float(moment) - origin_s, 6)) + mark + rest
        parts.append(part)
    return ",".join(parts)


def checked(pairs: Mapping[str, str]) -> tuple[int, bool, bool]:
    """How many takes a score request wants, whether as WAV, and whether as stems. Raises UsageError."""
    takes = whole_number(pairs.get("takes", "1"), "takes", 1, 16)
    wav = whole_number(pairs.get("wav", "1"), "wav", 0, 1)
    stems = whole_number(pairs.get("stems", "0"), "stems", 0, 1)
    if pairs.get("repitch", "off").lower() in ("on", "1", "true"):
        raise UsageError("repitch needs the whole piece before it sounds; use `hitpoint score --repitch` for a file")
    cuts = pairs.get("cuts", "auto")
    if cuts not in ("auto", "strips", "fine"):
        raise UsageError(f"cuts must be auto, strips or fine, not {cuts!r}")
    COMPOSERS.check(pairs.get("composer", DEFAULT))
    if "select" in pairs:
        from hitpoint.model.compose.library.select.base import SELECTORS

        SELECTORS.check(pairs["select"])
    if "formats" in pairs:
        parse_formats(pairs["formats"])
    return takes, bool(wav), bool(stems)


def before_of(job: Job | None, store: Store) -> Before:
    """The job as it was left, for one that keeps its music. Raises UsageError where it has none yet."""
    if job is None or job.plan is None:
        raise UsageError("the score to keep has no music yet; wait for it, or score the film again")
    takes = {job.record.take, *job.record.results, *job.takes}
    bars = {number: dict(take_of(job, number, store).bars) for number in takes}
    return Before(job.record.score, job.plan, job.record.take, bars)


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
    """Where the music begins on the host's timeline, in seconds: where it is asked for, else with the first clip."""
    asked = _moment(score, "from")
    return min(clip.start_s for clip in score.clips) if asked is None else asked


def span(score: ScoreJob) -> tuple[float, float]:
    """Seconds of the range that is scored before the first clip, and its length; 0 and 0 where it is that of the clips.

    Raises UsageError where the range does not hold the first clip's start.
    """
    begins_s, until_s = _moment(score, "from"), _moment(score, "to")
    first_s = min(clip.start_s for clip in score.clips)
    start_s = first_s if begins_s is None else begins_s
    if start_s > first_s + 1e-6 or (until_s is not None and until_s <= first_s):
        raise UsageError(f"from and to must hold the first clip, which begins at {first_s:g} s")
    return max(0.0, first_s - start_s), 0.0 if until_s is None else until_s - start_s


def _moment(score: ScoreJob, key: str) -> float | None:
    text = dict(score.pairs).get(key)
    try:
        return None if text is None else float(text)
    except ValueError:
        raise UsageError(f"{key} must be a number of seconds, not {text!r}") from None


def whole_number(text: str, name: str, low: int, high: int) -> int:
    """The number that a wish names. Raises UsageError where it is none, or out of its range."""
    try:
        number = int(float(text))
    except (ValueError, OverflowError):
        number = low - 1
    if not low <= number <= high:
        raise UsageError(f"{name} must be a whole number between {low}..{high}, not {text!r}")
    return number
