"""What processes tell each other about themselves: who lives, who died, what to go on with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hitpoint.bridge.clock.transport import Transport
from hitpoint.bridge.ipc.messages import JobMessage

# From the composer to the watchdog.


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
