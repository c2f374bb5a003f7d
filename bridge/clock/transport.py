"""The transport: (state, event) -> state. Pure; standard library only.

Threads and processes: immutable values, callable from any. `at_s` is always a moment of the monotonic clock,
`media_s` a place on the host's timeline, both in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Transport:
    """Where the picture is. While playing, media time is `media_s + rate * (now - at_s)`.

    loop: (start, end) in host seconds, or None; looping: the playhead was before its end, and so will wrap. epoch:
    raised by everything after which the notes that sound are wrong.
    following: a playhead is being followed, so its silence means stop.
    """

    playing: bool = False
    at_s: float = 0.0
    media_s: float = 0.0
    rate: float = 1.0
    loop: tuple[float, float] | None = None
    looping: bool = False
    epoch: int = 0
    following: bool = False

    def position(self, now_s: float) -> float:
        """Media time at `now_s`, not wrapped into the loop."""
        return self.media_s + self.rate * (now_s - self.at_s) if self.playing else self.media_s

    def moment_of(self, media_s: float) -> float | None:
        """The moment at which the playhead comes (or came) to `media_s`; None where it stands or runs backwards."""
        if not self.playing or self.rate <= 0:
            return None
        return self.at_s + (media_s - self.media_s) / self.rate

    @property
    def sounding(self) -> bool:
        """Whether music may sound: playing, and forwards."""
        return self.playing and self.rate > 0


@dataclass(frozen=True)
class Play:
    """Play from the playhead."""

    at_s: float
    following: bool = False


@dataclass(frozen=True)
class Stop:
    """Stop where the playhead is, or at `media_s` where the host says so."""

    at_s: float
    media_s: float | None = None


@dataclass(frozen=True)
class Locate:
    """The playhead is elsewhere from now on."""

    at_s: float
    media_s: float


@dataclass(frozen=True)
class SetRate:
    """The playing speed changes."""

    at_s: float
    rate: float


@dataclass(frozen=True)
class SetLoop:
    """Loop from start to end; no loop where end is not after start."""

    at_s: float
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Track:
    """A small correction of place and speed that is not a seek: the estimate of where the host is."""

    at_s: float
    media_s: float
    rate: float


@dataclass(frozen=True)
class Wrap:
    """The playhead came to the loop's end."""


Event = Play | Stop | Locate | SetRate | SetLoop | Track | Wrap


def step(state: Transport, event: Event) -> Transport:
    """The transport after `event`."""
    if isinstance(event, Wrap):
        return _wrap(state)
    if isinstance(event, Track):
        return replace(state, at_s=event.at_s, media_s=event.media_s, rate=event.rate)
    moved = replace(state, at_s=event.at_s, media_s=state.position(event.at_s))
    if isinstance(event, Play):
        raised = state.epoch if state.playing else state.epoch + 1
        return _armed(replace(moved, playing=True, epoch=raised, following=event.following))
    if isinstance(event, Stop):
        media_s = moved.media_s if event.media_s is None else event.media_s
        raised = state.epoch + 1 if state.playing else state.epoch
        return replace(moved, playing=False, media_s=media_s, epoch=raised, following=False)
    if isinstance(event, Locate):
        return _armed(replace(moved, media_s=event.media_s, epoch=state.epoch + 1))
    if isinstance(event, SetRate):
        turned = (event.rate > 0) != (state.rate > 0)
        return replace(moved, rate=event.rate, epoch=state.epoch + 1 if turned else state.epoch)
    loop = (event.start_s, event.end_s) if event.end_s > event.start_s else None
    return _armed(replace(moved, loop=loop))


def _armed(state: Transport) -> Transport:
    return replace(state, looping=state.loop is not None and state.media_s < state.loop[1])


def _wrap(state: Transport) -> Transport:
    """Back by one loop length: the moment of the loop's end becomes the moment of its start."""
    if state.loop is None:
        return state
    start_s, end_s = state.loop
    return replace(state, media_s=state.media_s - (end_s - start_s))
