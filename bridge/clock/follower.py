"""From playhead messages to transport events: what a host says, and what its movement shows.

Threads and processes: one owner (the clock process); pure: every moment is handed in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import pairwise

from hitpoint.bridge.clock.playhead import SEEK_S, PlayheadEstimator
from hitpoint.bridge.clock.transport import Event, Locate, Play, SetRate, Stop, Track, Transport

SAME_PLACE_S = 0.002
STANDING_RATE = 0.02
RATE_SAID = 0.02
"""A speed that the host names is a change where it differs by more than this share."""
BEGUN_S = 0.12
"""A host heard playing this little beyond where it stood began there: its first notes are late, not to be left out."""
NOTICED_S = 1.2
"""A host that does not say that it plays is seen to within this, and began where its movement did."""
SLIP_S = 0.1
"""A host that stumbles by less (it dropped frames, its audio missed periods) has not moved: what sounds goes on, and no
note is struck twice."""
ARRIVALS_KEPT = 64


class Follower:
    """Follows one host. The caller applies the events in order to the transport that it hands in."""

    def __init__(self) -> None:
        self._estimator = PlayheadEstimator()
        self._delays: deque[float] = deque(maxlen=ARRIVALS_KEPT)
        self._standing: deque[tuple[float, float]] = deque(maxlen=4)

    def reset(self, now_s: float, media_s: float, rate: float) -> None:
        """The transport was moved by other means."""
        self._estimator.reset(now_s, media_s, rate)

    def wrapped(self, by_s: float) -> None:
        """The transport went back by `by_s` to its loop's start."""
        self._estimator.shift(-by_s)

    def hear(
        self,
        transport: Transport,
        now_s: float,
        media_s: float,
        playing: bool | None,
        rate: float | None,
        host_clock_s: float | None,
    ) -> list[Event]:
        """What one message means. playing, rate, host_clock_s: None where the host does not say."""
        at_s = self._moment(now_s, host_clock_s)
        if playing is False:
            return self._standing_still(transport, at_s, media_s)
        if not transport.playing:
            return self._first(transport, at_s, media_s, playing, rate)
        return self._next(transport, at_s, media_s, rate)

    def _moment(self, now_s: float, host_clock_s: float | None) -> float:
        """When the message would have been heard, had it met the least delay of the last ones: no jitter is left
        where the host stamps its messages with a steady clock of its own."""
        if host_clock_s is None:
            return now_s
        delay_s = now_s - host_clock_s
        if self._delays and abs(delay_s - min(self._delays)) > 1.0:
            self._delays.clear()
        self._delays.append(delay_s)
        return host_clock_s + min(self._delays)

    def _standing_still(self, transport: Transport, at_s: float, media_s: float) -> list[Event]:
        self._standing.clear()
        if transport.playing:
            return [Stop(at_s, media_s)]
        return [Locate(at_s, media_s)] if media_s != transport.media_s else []

    def _first(
        self, transport: Transport, at_s: float, media_s: float, playing: bool | None, rate: float | None
    ) -> list[Event]:
        """A message while stopped: it says that it plays, or its movement must show it."""
        if not self._standing:
            self._standing.append((at_s, transport.media_s))  # where it stood before it said anything
        self._standing.append((at_s, media_s))
        speed, stood_s = 1.0 if rate is None else rate, transport.media_s
        if playing is None:
            guess = steady_speed(list(self._standing)[-3:])
            if guess is None:
                return [Locate(at_s, media_s)] if media_s != transport.media_s else []
            speed = guess if rate is None else rate
            return self._seen_moving(at_s, media_s, speed)
        self._standing.clear()
        self._estimator.reset(at_s, media_s, speed)
        begun_s = media_s - stood_s
        if speed > 0 and 0 <= begun_s / speed <= BEGUN_S:
            return [SetRate(at_s, speed), Play(at_s - begun_s / speed, following=True)]
        events: list[Event] = []
        if abs(begun_s) > SAME_PLACE_S:
            events.append(Locate(at_s, media_s))
        return [*events, SetRate(at_s, speed), Play(at_s, following=True)]

    def _seen_moving(self, at_s: float, media_s: float, speed: float) -> list[Event]:
        """It has been playing since before this message: from the first of those that moved, or from where it stood
        right before that, so that the downbeat there is late and not lost."""
        stood_s, first_s, *_ = [place_s for _, place_s in self._standing]
        step_s = (self._standing[-1][0] - self._standing[-3][0]) / 2
        if 0 <= (first_s - stood_s) / speed <= max(BEGUN_S, 1.5 * step_s):
            first_s = stood_s
        self._standing.clear()
        self._estimator.reset(at_s, media_s, speed)
        if not 0 <= (media_s - first_s) / speed <= NOTICED_S:
            first_s = media_s
        began_s = at_s - (media_s - first_s) / speed
        return [SetRate(began_s, speed), Locate(began_s, first_s), Play(began_s, following=True)]

    def _next(self, transport: Transport, at_s: float, media_s: float, rate: float | None) -> list[Event]:
        events: list[Event] = [] if transport.following else [Play(at_s, following=True)]
        if rate is not None and abs(rate - transport.rate) > max(RATE_SAID, RATE_SAID * abs(rate)):
            return events + self._rate_said(transport, at_s, media_s, rate)
        seen = self._estimator.observe(at_s, media_s, transport.loop if transport.looping else None)
        if seen.kind == "seek" and abs(seen.media_s - transport.position(at_s)) > SLIP_S:
            events.append(Locate(at_s, seen.media_s))
        elif seen.kind == "seek":
            events.append(Track(at_s, seen.media_s, transport.rate))
        elif seen.kind == "rate":
            speed = 0.0 if abs(seen.rate) < STANDING_RATE else seen.rate
            events += [SetRate(at_s, speed), Track(at_s, seen.media_s, speed)]
        elif seen.kind == "track":
            events.append(Track(at_s, seen.media_s, seen.rate if transport.rate else 0.0))
        return events

    def _rate_said(self, transport: Transport, at_s: float, media_s: float, rate: float) -> list[Event]:
        events: list[Event] = [SetRate(at_s, rate)]
        jump_s = abs(media_s - transport.position(at_s))
        if jump_s > SEEK_S:
            events.append(Locate(at_s, media_s))
        elif jump_s > SAME_PLACE_S:
            events.append(Track(at_s, media_s, rate))
        self._estimator.reset(at_s, media_s, rate)
        return events


def steady_speed(heard: Iterable[tuple[float, float]]) -> float | None:
    """The speed of a playhead that moved steadily over three messages, 1 where it is near; None where it did not."""
    points = list(heard)
    if len(points) < 3:
        return None
    spans = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
    if any(span_s <= 0 or moved_s <= 0 or span_s > 1 for span_s, moved_s in spans):
        return None
    speeds = [moved_s / span_s for span_s, moved_s in spans]
    if max(speeds) > 1.6 * min(speeds) or not min(speeds) > 0.2 or max(speeds) > 9:
        return None
    speed = sum(moved_s for _, moved_s in spans) / sum(span_s for span_s, _ in spans)
    return 1.0 if 0.6 < speed < 1.5 else speed
