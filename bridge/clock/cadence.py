"""A host's cadence: what the places in its messages tell by themselves, whatever the network does to their arrival.

Threads and processes: one owner (the clock process); pure: every moment is handed in.

A host that reports its playhead every P seconds reports places that lie rate · P apart. A network delays messages and
loses some, but cannot change what they say: two steps of half the length are half the speed, be the arrival times what
they may. How many periods a step spans (messages get lost) is bounded by the arrival times and the network's jitter.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from dataclasses import dataclass

USUAL_RATES = (0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 0.25, 4.0, -4.0, 8.0, -8.0, 1.5, 0.75)

_LEARNED_FROM = 12
_STEADY = 0.09
"""A spread of more than this share of a period is not a cadence."""
_SIGMAS = 4.0
_FLOOR = 0.015
"""The least that a step may differ from what is expected of it, as a share of a period."""
_FORGET = 0.06
_LOSS_COST = 6.0
"""One message in 20 is lost, say: minus twice the logarithm of that."""
_LONGEST = 12
"""Periods, of the longest step that is looked at."""
_SPAN = 4
"""Messages that one is compared with."""
_AT_A_LOSS = 8
"""After so many odd steps in a row the host has another cadence."""


@dataclass(frozen=True)
class _Step:
    """From one message to the next: seconds between their arrivals, and between the places they report."""

    heard_s: float
    moved_s: float


class Cadence:
    """Listens to one host."""

    def __init__(self) -> None:
        self._first: deque[float] = deque(maxlen=_LEARNED_FROM)
        self._period_s = 0.0
        self._variance = 0.0
        self._heard: deque[tuple[float, float]] = deque(maxlen=_SPAN)
        self._odd: list[_Step] = []
        self.usual = False
        """Whether the last step was one at the speed believed."""
        self.jumped = False
        """Whether the last step was, too, but the one before it a jump that no delay explains."""

    def restart(self) -> None:
        """The playhead was moved: what was heard before tells nothing of what comes."""
        self._heard.clear()
        self._odd = []

    def shift(self, by_s: float) -> None:
        """The place is counted afresh."""
        self._heard = deque(((at_s, media_s + by_s) for at_s, media_s in self._heard), maxlen=_SPAN)

    def hear(self, at_s: float, media_s: float, rate: float, jitter_s: float) -> float | None:
        """The new speed, once two steps show one; None where nothing is new, or nothing can be said.

        rate: as believed until now; jitter_s: by how much two messages' delays may differ.
        """
        self.usual = self.jumped = False
        before, self._heard = self._heard, deque([*self._heard, (at_s, media_s)], maxlen=_SPAN)
        if not before or at_s <= before[-1][0]:
            return None
        step = _Step(at_s - before[-1][0], media_s - before[-1][1])
        if not self._steady:
            self._learn_first(step, rate)
            return None
        spans = (_Step(at_s - heard_s, media_s - place_s) for heard_s, place_s in before)
        alone = bool(self._counts(step, rate, jitter_s))
        self.usual = alone and all(self._fits(span, rate, jitter_s) for span in spans)
        if self.usual:
            self._learn(step, rate)
            self._odd = []
            return None
        if alone and not self._odd and len(before) > 1:  # odd only together: the one before was odd as well
            self._odd.append(_Step(before[-1][0] - before[-2][0], before[-1][1] - before[-2][1]))
        self._odd.append(step)
        found = self._new_rate(rate, jitter_s)
        self.jumped = alone and found is None and len(self._odd) == 2
        if found is None and len(self._odd) > _AT_A_LOSS:
            self._first.clear()
            self._period_s, self._odd = 0.0, []
        return found

    @property
    def _steady(self) -> bool:
        return self._period_s > 0 and math.sqrt(self._variance) <= _STEADY * self._period_s

    @property
    def _gate_s(self) -> float:
        return max(_FLOOR * self._period_s, _SIGMAS * math.sqrt(self._variance))

    def _learn_first(self, step: _Step, rate: float) -> None:
        if not rate:
            return
        self._first.append(step.moved_s / rate)
        if len(self._first) == _LEARNED_FROM:
            period_s = max(statistics.median(self._first), 1e-6)
            off = [each - period_s * max(1, round(each / period_s)) for each in self._first]
            self._period_s, self._variance = period_s, sum(each**2 for each in off) / len(off)

    def _learn(self, step: _Step, rate: float) -> None:
        if not rate:
            return
        count = max(1, round(step.moved_s / rate / self._period_s))
        off_s = step.moved_s / rate / count - self._period_s
        self._period_s += _FORGET * off_s
        self._variance += _FORGET * (off_s**2 - self._variance)

    def _fits(self, span: _Step, rate: float, jitter_s: float) -> bool:
        """Whether the arrivals allow what was covered at this speed."""
        return not rate or abs(span.heard_s - span.moved_s / rate) <= jitter_s + self._gate_s

    def _lasted(self, heard_s: float, jitter_s: float) -> list[int]:
        """How many periods may lie between two arrivals."""
        slack_s = jitter_s + self._gate_s
        return [count for count in range(1, _LONGEST) if abs(heard_s - count * self._period_s) <= slack_s]

    def _counts(self, step: _Step, rate: float, jitter_s: float) -> list[int]:
        """How many periods the step may span at this speed; none where it does not fit."""
        slack_s = self._gate_s * max(1.0, abs(rate))
        lasted = self._lasted(step.heard_s, jitter_s)
        return [count for count in lasted if abs(step.moved_s - rate * count * self._period_s) <= slack_s]

    def _new_rate(self, rate: float, jitter_s: float) -> float | None:
        """The likeliest speed of the last step, if the change to it may have fallen in the step before."""
        if len(self._odd) < 2:
            return None
        before, step = self._odd[-2:]
        found = [
            (
                self._unlikely(step, new, count, jitter_s)
                + self._change_unlikely(before, step, count, rate, new, jitter_s),
                new,
            )
            for new in USUAL_RATES
            if new != rate
            for count in self._counts(step, new, jitter_s)
        ]
        cost, new = min(found, default=(math.inf, 0.0))
        return new if cost < math.inf else None

    def _unlikely(self, step: _Step, new: float, count: int, jitter_s: float) -> float:
        """Minus twice the logarithm of the likelihood that the step is `count` periods at the speed `new`."""
        moved_off = (step.moved_s - new * count * self._period_s) / (self._gate_s / _SIGMAS)
        heard_off = (step.heard_s - count * self._period_s) / (jitter_s / 3)
        return moved_off**2 + heard_off**2 + _LOSS_COST * (count - 1)

    def _change_unlikely(self, step: _Step, after: _Step, count: int, old: float, new: float, jitter_s: float) -> float:
        """The same of the step in which the speed changed, `after` being `count` periods; infinite where it cannot."""
        slack_s = self._gate_s * max(1.0, abs(old), abs(new))
        both = self._lasted(step.heard_s + after.heard_s, jitter_s)
        for periods in self._lasted(step.heard_s, jitter_s):
            low, high = sorted((old * periods * self._period_s, new * periods * self._period_s))
            if periods + count in both and low - slack_s <= step.moved_s <= high + slack_s:
                return _LOSS_COST * (periods - 1)
        return math.inf
