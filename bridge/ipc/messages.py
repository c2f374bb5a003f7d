"""What the bridge's own processes say to each other. Frozen values; standard library only.

Threads and processes: immutable. Three processes: the clock (OSC and MIDI), the composer, and the watchdog, their
parent, which passes the messages between the other two on and keeps what is needed to start either again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hitpoint.model.music.score import Bar
from hitpoint.model.plan.types import Plan


@dataclass(frozen=True)
class ClipSpec:
    """A clip as the client sent it: seconds, `out_s` None = the file's end. start_s: on the host's timeline.

    fade_s: length of the cross fade from the clip before, in whose middle this one begins. heard: sound alone.
    """

    path: str
    start_s: float
    in_s: float
    out_s: float | None
    rate: float = 1.0
    fade_s: float = 0.0
    heard: bool = False


@dataclass(frozen=True)
class JobMessage:
    """What is about one job, by its name."""

    job: str


# From the clock to the composer: what clients ask for.


class ComposerAsk(NamedTuple):
    """Which composer a job wants: its key, a folder of music for it, a way of choosing; "" for the configuration's."""

    key: str = ""
    library: str = ""
    select: str = ""

    @classmethod
    def taken_from(cls, wishes: dict[str, str]) -> ComposerAsk:
        """As a request's pairs say it; they are taken out of `wishes`."""
        return cls(wishes.pop("composer", ""), wishes.pop("library", ""), wishes.pop("select", ""))


OWN = ComposerAsk()
"""The configuration's."""


@dataclass(frozen=True)
class ScoreJob(JobMessage):
    """Analyse, plan and compose. pairs: keys and values as in `plan.wishes.options`, and takes, cuts, wav.

    sounds: what lies beside the picture and is heard.
    """

    clips: tuple[ClipSpec, ...]
    pairs: tuple[tuple[str, str], ...]
    fps: float
    sounds: tuple[ClipSpec, ...] = ()


@dataclass(frozen=True)
class CancelJob(JobMessage):
    """Stop working on the job."""


@dataclass(frozen=True)
class Regenerate(JobMessage):
    """New notes in bars first..last, of these instruments, or of all where None.

    request: the client's number for it, 0 where there is none; edition: the one to be changed, -1 for the latest.
    """

    first_bar: int
    last_bar: int
    instruments: tuple[int, ...] | None
    request: int = 0
    edition: int = -1


@dataclass(frozen=True)
class ChooseTake(JobMessage):
    """Play take `take`; compose what is not there, from bar `from_bar` on first. request, edition: as in Regenerate."""

    take: int
    from_bar: int
    request: int = 0
    edition: int = -1


@dataclass(frozen=True)
class SetControl(JobMessage):
    """A live control, such as energy or valence, has a new value, heard from bar `from_bar` on."""

    name: str
    value: float
    from_bar: int

    def is_overtaken_by(self, later: object) -> bool:
        """Whether it no longer needs to be obeyed once `later` has come."""
        return isinstance(later, SetControl) and (self.job, self.name) == (later.job, later.name)


@dataclass(frozen=True)
class SetChord(JobMessage):
    """Half bar `half` (0 or 1) of bar `bar` is to have the chord `symbol` from the next regenerate on."""

    bar: int
    half: int
    symbol: str


@dataclass(frozen=True)
class SetScene(JobMessage):
    """From bar `from_bar` on the picture feels so, -1..1 each, whatever was seen in it."""

    valence: float
    arousal: float
    from_bar: int

    def is_overtaken_by(self, later: object) -> bool:
        """Whether it no longer needs to be obeyed once `later` has come."""
        return isinstance(later, SetScene) and self.job == later.job


Edit = Regenerate | ChooseTake | SetChord | SetControl | SetScene
"""What changes a job that has its plan."""


@dataclass(frozen=True)
class Aim(JobMessage):
    """The playhead is in (or was moved to) this bar: compose from there on first."""

    bar: int


# From the clock to the watchdog, who keeps the clips and asks the composer: the clock never handles a whole edit.


@dataclass(frozen=True)
class ListBegun(JobMessage):
    """An edit's list of clips begins, anew where there is one."""

    fps: float
    count: int


@dataclass(frozen=True)
class ClipKept(JobMessage):
    """One clip of the list."""

    index: int
    clip: ClipSpec


@dataclass(frozen=True)
class ListDropped(JobMessage):
    """The list is no longer needed."""


@dataclass(frozen=True)
class ScoreList(JobMessage):
    """Score the clips of this job's list, which is complete. pairs: as in ScoreJob."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ListKnown(JobMessage):
    """To a clock that is started again: the list of clips that its predecessor took in. missing: indexes."""

    fps: float
    count: int
    missing: tuple[int, ...]


# From the composer to the clock.


@dataclass(frozen=True)
class Planned(JobMessage):
    """The plan of a job stands (or changed); bars follow. programs: instrument -> General MIDI program.

    edition: bars of older editions are to be dropped; stale: bars that are to be replaced, sounding until then. kept:
    it was there before (read back from disk), so no client is told again. live: music without end (its plan has no
    bars), and what was asked of it.
    """

    take: int
    edition: int
    origin_s: float
    fps: float
    plan: Plan
    programs: tuple[int, ...]
    stale: tuple[int, ...] = ()
    kept: bool = False
    live: tuple[tuple[str, str], ...] | None = None

    def same_music(self, other: Planned) -> bool:
        """Whether `other` is a later edition or another take: what is known of this one goes on sounding meanwhile."""
        mine, its = (
            (planned.job, planned.origin_s, planned.fps, planned.programs, planned.plan.tempo_map)
            for planned in (self, other)
        )
        return mine == its


@dataclass(frozen=True)
class BarsReady(JobMessage):
    """Bars of a take. kept: they were there before (read back from disk), so no client is told again."""

    take: int
    edition: int
    bars: tuple[Bar, ...]
    kept: bool = False


@dataclass(frozen=True)
class JobProgress(JobMessage):
    """How far a stage has come, 0..1."""

    stage: str
    share: float


@dataclass(frozen=True)
class JobResult(JobMessage):
    """A take is finished: absolute paths of its files, empty where there is none.

    request: of the latest ChooseTake or Regenerate of that take, 0 where there was none; edition: of its notes.
    """

    take: int
    midi: str
    wav: str
    report: str
    request: int = 0
    edition: int = 0


@dataclass(frozen=True)
class JobError(JobMessage):
    """A job failed: an error code of the OSC table and a sentence. request: the one that failed, 0 for the job."""

    code: str
    text: str
    request: int = 0


@dataclass(frozen=True)
class JobDone(JobMessage):
    """Nothing is left to do for this job: its results were told, or its error was, or it was called off."""


@dataclass(frozen=True)
class Handled(JobMessage):
    """A request was taken in: it is answered, or what it asks for is on disk (or in memory, where the disk is full)."""

    request: JobMessage
