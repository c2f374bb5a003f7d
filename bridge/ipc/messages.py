"""What the bridge's own processes say to each other. Frozen values; standard library only.

Threads and processes: immutable. Three processes: the clock (OSC and MIDI), the composer, and the watchdog, their
parent, which passes the messages between the other two on and keeps what is needed to start either again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hitpoint.bridge.clock.transport import Transport
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


@dataclass(frozen=True)
class WorkingAt:
    """The jobs that the composer works at from now on: should it die, one of them is to blame."""

    jobs: tuple[str, ...]


@dataclass(frozen=True)
class Pulse:
    """The composer lives. stage: what it is at (empty: waiting for something to do); age_s, cpu_s: for how long, and
    how much of the processor it got meanwhile; limit_s: the most of that it may take before something must be wrong.
    """

    stage: str
    age_s: float
    cpu_s: float
    limit_s: float


@dataclass(frozen=True)
class ComposerReady:
    """The composer process is up."""


@dataclass(frozen=True)
class ComposerCrashed:
    """The composer process is about to end by a mistake: the reason, in one line."""

    reason: str


# From the clock to the watchdog.


@dataclass(frozen=True)
class Heartbeat:
    """The clock is alive; what the screen shows. Lateness in ms over the last events; position in host seconds.

    obeyed: how many of the watchdog's messages it has obeyed since its start.
    """

    state: str
    clients: tuple[str, ...]
    midi_port: str
    job: str
    take: int
    media_s: float
    rate: float
    bar: int
    bars_ahead: int
    bars_ready: int
    bars: int
    late_p50_ms: float
    late_p99_ms: float
    late_max_ms: float
    sent: int
    underruns: int
    refused: int
    realtime: bool
    last_error: str
    obeyed: int = 0


@dataclass(frozen=True)
class Patience:
    """The clock is going to open a port, and may say nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class LiveState:
    """What a clock that is started again needs to go on where the last one was: told at each move, so it is small."""

    transport: Transport = field(default_factory=Transport)
    muted: tuple[int, ...] = ()
    volumes: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Owned(JobMessage):
    """The job is this client's from now on."""

    address: tuple[str, int]


@dataclass(frozen=True)
class Parties:
    """Who said hello (name, address, protocol), whose jobs are whose (job, address), and the jobs not done yet."""

    clients: tuple[tuple[str, tuple[str, int], int], ...] = ()
    owners: tuple[tuple[str, tuple[str, int]], ...] = ()
    working: tuple[str, ...] = ()

    def with_owner(self, owned: Owned) -> Parties:
        """And that one."""
        owners = {**dict(self.owners), owned.job: owned.address}
        return replace(self, owners=tuple(owners.items()))


@dataclass(frozen=True)
class LogLine:
    """Something for the log. level: as in `logging`."""

    level: int
    text: str


@dataclass(frozen=True)
class PortOpened:
    """The clock opened its port. name: the sink's; api: its MIDI system's, or that of what stands in for one."""

    name: str
    api: str


# From the watchdog to the clock and the composer.


@dataclass(frozen=True)
class Restore:
    """Go on from here; plan and bars come as Planned and BarsReady before, lists of clips as ListKnown."""

    live: LiveState
    parties: Parties = field(default_factory=Parties)


@dataclass(frozen=True)
class ResumeJob(JobMessage):
    """Read this job from disk and go on with it. heard: it is the one that is played.

    care: how often a composer died on it. 1: no provisional bars; 2: another seed from the bar on that cost it its
    life.
    """

    care: int = 0
    heard: bool = True


@dataclass(frozen=True)
class DropJob(JobMessage):
    """The composer died on this job time after time: do nothing more for it."""


@dataclass(frozen=True)
class ComposerGone(JobMessage):
    """The composer process died. given_up: the job was dropped. down: why it is not started again, else empty."""

    given_up: bool = False
    down: str = ""


@dataclass(frozen=True)
class Promote:
    """To a spare process: you are the one from now on."""


@dataclass(frozen=True)
class ReopenPort:
    """The MIDI system changed: look for the port again."""

    reason: str


@dataclass(frozen=True)
class Quit:
    """Silence everything and exit."""
