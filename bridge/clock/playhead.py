"""Where the host's playhead is, from messages that jitter, come late, get lost and stop.

Threads and processes: one owner (the clock process); pure: it never looks at a clock, every moment is handed in.

A Kalman filter follows place and speed (constant-velocity model: Bar-Shalom, Li, Kirubarajan, "Estimation with
Applications to Tracking and Navigation", ch. 6). Its innovations also run a change detector: two or more in a row
beyond the gate are told apart by their slope, a jump that stays (a seek) from one that grows (pause, another speed,
reverse). Where a host keeps a steady cadence, the steps between the places that it reports show a change of speed
sooner than the arrival times can (`cadence`).

A network only ever delays: where the jitter is large, the estimate leans on the earliest packets of the last two
seconds, since those met the least delay.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from hitpoint.bridge.clock.cadence import USUAL_RATES, Cadence

SEEK_S = 0.3
"""A jump beyond this is a seek at the first message that shows it."""

_NOISE_FLOOR_S = 0.0004
_NOISE_CEILING_S = 0.04
_GATE_FLOOR_S = 0.004
_GATE_SIGMAS = 4.5
_JITTER_SIGMAS = 4.0
"""Two delays differ by at most so many spreads: evenly spread ones by 3.5."""
_JITTER_FLOOR_S = 0.002
_WINDOW = 64
_SETTLING = 8
_ALARMS = 3
_ALARMS_WITHIN_S = 1.5
_EARLIEST = 3
_FOR_LEAD = 15
_SPEED_WALK = 2e-5
_LEANING_SHARE, _LEANING_SIGMAS, _LEANING_WITHIN_S = 0.2, 1.6, 0.4
"""Innovations that lean to one side by this many spreads in the mean are no jitter: the host runs faster or slower."""


@dataclass(frozen=True)
class Observation:
    """What one playhead message means. kind: "track", "seek", "rate" (the speed changed; 0 = it stopped) or "hold".

    media_s, rate: the estimate at the message's moment. "hold": odd, wait for the next message; nothing changes.
    """

    kind: str
    media_s: float
    rate: float


class PlayheadEstimator:
    """Follows one playhead. All times in seconds; `now_s` monotonic, `media_s` on the host's timeline."""

    def __init__(self) -> None:
        self._noise_s = 0.001
        self._unsettled = _SETTLING
        self._alarms: deque[float] = deque(maxlen=_ALARMS)
        self._cadence = Cadence()
        self.reset(0.0, 0.0, 1.0)

    def reset(self, now_s: float, media_s: float, rate: float, rate_known: bool = True) -> None:
        """Begin again at a known place and speed."""
        self._at_s, self._media_s, self._rate = now_s, media_s, rate
        self._place_var = 4.0 * self._noise_s**2
        self._cross = 0.0
        self._rate_var = 1e-6 if rate_known else 0.05**2
        self._window: deque[tuple[float, float]] = deque([(now_s, media_s)], maxlen=_WINDOW)
        self._leaning_s = self._kept_lead_s = 0.0
        self._odd: list[tuple[float, float, float]] = []
        self._cadence.restart()

    def shift(self, by_s: float) -> None:
        """The place is counted afresh: a loop's end became its start."""
        self._media_s += by_s
        self._window = deque(((at_s, media_s + by_s) for at_s, media_s in self._window), maxlen=_WINDOW)
        self._odd = []
        self._cadence.shift(by_s)

    @property
    def rate(self) -> float:
        """The speed as estimated; 0 while the playhead stands."""
        return self._rate

    def position(self, now_s: float) -> float:
        """The best estimate of the place at `now_s`."""
        return self._media_s + self._rate * (now_s - self._at_s) + self._lead()

    def observe(self, now_s: float, media_s: float, loop: tuple[float, float] | None = None) -> Observation:
        """Take in a message heard at `now_s`; `loop` lets a wrap pass for what it is."""
        predicted = self._media_s + self._rate * (now_s - self._at_s)
        innovation = media_s - predicted
        if loop is not None and loop[0] - 0.1 <= media_s < loop[1] + 0.1:
            length = loop[1] - loop[0]
            innovation -= length * round(innovation / length)
            media_s = predicted + innovation
        stepped = self._cadence.hear(now_s, media_s, self._rate, _JITTER_SIGMAS * self._noise_s + _JITTER_FLOOR_S)
        if stepped is not None:
            self.reset(now_s, media_s, stepped)
            return Observation("rate", media_s, stepped)
        if self._cadence.jumped or abs(innovation) > SEEK_S + 3.0 * self._noise_s:
            return self._jump(now_s, media_s)
        if self._unsettled:
            return self._settle(now_s, media_s, innovation)
        gate = max(_GATE_FLOOR_S, _GATE_SIGMAS * self._noise_s)
        if abs(innovation) > gate and not self._cadence.usual:
            return self._judge(now_s, media_s, innovation, gate)
        if self._odd:
            self._widen(self._odd)
            self._odd = []
        self._update(now_s, media_s, innovation)
        return Observation("track", self.position(now_s), self._rate)

    def _settle(self, now_s: float, media_s: float, innovation: float) -> Observation:
        """The first messages of all show how much they jitter: nothing else is read from them."""
        at_s, place_s = self._window[-1]
        between_s = (now_s - at_s) * self._rate - (media_s - place_s)
        share = 1.0 / (_SETTLING - self._unsettled + 1)
        self._unsettled -= 1
        self._update(now_s, media_s, innovation, share, between_s / 2**0.5)
        return Observation("track", self.position(now_s), self._rate)

    def _jump(self, now_s: float, media_s: float) -> Observation:
        rate = self._rate
        self.reset(now_s, media_s, rate)
        return Observation("seek", media_s, rate)

    def _judge(self, now_s: float, media_s: float, innovation: float, gate: float) -> Observation:
        """An innovation beyond the gate: wait for a second one, then tell a jump from a change of speed."""
        if self._odd and (self._odd[-1][2] > 0) != (innovation > 0):
            self._widen(self._odd)
            self._odd = []
        self._odd.append((now_s, media_s, innovation))
        if len(self._odd) < 2:
            return Observation("hold", self.position(now_s), self._rate)
        if self._false_alarms(now_s, innovation):
            self._update(now_s, media_s, innovation)
            return Observation("track", self.position(now_s), self._rate)
        first, last = self._odd[0], self._odd[-1]
        span_s = last[0] - first[0]
        if span_s <= 0.0:
            return Observation("hold", self.position(now_s), self._rate)
        growth = (last[2] - first[2]) / span_s
        uncertain = 2.0 * self._noise_s / span_s
        if abs(growth) <= max(0.15, uncertain) and abs(first[2]) > 1.5 * abs(growth) * span_s:
            if len(self._odd) < 2 + (self._noise_s > 0.003):
                return Observation("hold", self.position(now_s), self._rate)
            self._alarms.append(now_s)
            return self._jump(now_s, media_s)
        if uncertain > 0.3 and len(self._odd) < 4:
            return Observation("hold", self.position(now_s), self._rate)
        return self._change_rate(now_s, media_s, self._rate + growth, uncertain)

    def _false_alarms(self, now_s: float, innovation: float) -> bool:
        """Alarm upon alarm is noise that was believed too little of (whole frames, say): believe more, and settle."""
        if len(self._alarms) < _ALARMS or now_s - self._alarms[0] > _ALARMS_WITHIN_S:
            return False
        self._alarms.clear()
        self._odd = []
        self._noise_s = min(_NOISE_CEILING_S, max(1.6 * self._noise_s, 0.4 * abs(innovation)))
        self._rate_var = max(self._rate_var, 0.1**2)
        return True

    def _change_rate(self, now_s: float, media_s: float, rate: float, uncertain: float) -> Observation:
        self._alarms.append(now_s)
        usual = min(USUAL_RATES, key=lambda known: abs(known - rate))
        known = abs(usual - rate) <= max(0.06, min(0.2, uncertain))
        self.reset(now_s, media_s, usual if known else rate, known)
        return Observation("rate", media_s, self._rate)

    def _widen(self, odd: list[tuple[float, float, float]]) -> None:
        """Messages that turned out to be mere noise make the gate wider."""
        for _, _, innovation in odd:
            self._learn_noise(min(abs(innovation), 3.0 * self._noise_s + 0.002))

    def _learn_noise(self, off_s: float, share: float = 0.06) -> None:
        variance = self._noise_s**2 + share * (off_s**2 - self._noise_s**2)
        self._noise_s = min(_NOISE_CEILING_S, max(_NOISE_FLOOR_S, variance**0.5))

    def _update(
        self, now_s: float, media_s: float, innovation: float, share: float = 0.06, off_s: float | None = None
    ) -> None:
        """One step of the filter; state (place, rate), measured place only. off_s: what the noise is learned from."""
        span_s = now_s - self._at_s
        if not self._unsettled:
            self._follow_drift(innovation)
        place_var = self._place_var + 2 * span_s * self._cross + span_s**2 * self._rate_var + 1e-9 * span_s
        cross = self._cross + span_s * self._rate_var
        rate_var = self._rate_var + _SPEED_WALK**2 * span_s
        innovation_var = place_var + self._noise_s**2
        place_gain, rate_gain = place_var / innovation_var, cross / innovation_var
        self._media_s += self._rate * span_s + place_gain * innovation
        self._rate += rate_gain * innovation
        self._at_s = now_s
        self._place_var = (1 - place_gain) * place_var
        self._cross = (1 - place_gain) * cross
        self._rate_var = rate_var - rate_gain * cross
        self._window.append((now_s, media_s))
        self._learn_noise(innovation - self._leaning_s if off_s is None else off_s, share)

    def _follow_drift(self, innovation: float) -> None:
        """Where the innovations are not white, the speed is not what it was (a host that stumbles, whose sound device
        misses periods): believe it less, rather than take what it does for jitter."""
        self._leaning_s += _LEANING_SHARE * (innovation - self._leaning_s)
        if abs(self._leaning_s) < _LEANING_SIGMAS * self._noise_s:
            return
        self._rate_var = max(self._rate_var, (self._leaning_s / _LEANING_WITHIN_S) ** 2)
        self._place_var = max(self._place_var, self._leaning_s**2)
        self._kept_lead_s = self._lead()
        self._window.clear()  # the places in it were reached at another speed

    def _lead(self) -> float:
        """How far the earliest packets of the window lie ahead of the mean: 0 where there is hardly any jitter."""
        if self._noise_s < 0.0015:
            return 0.0
        if len(self._window) < _FOR_LEAD:
            return self._kept_lead_s
        ahead = sorted(media_s - self._media_s - self._rate * (at_s - self._at_s) for at_s, media_s in self._window)
        return sum(ahead[-_EARLIEST:]) / _EARLIEST
