"""The desk of music without end: bars are asked for in time, events struck on the next beat.

Threads and processes: one owner (the clock process). Pure: messages leave by the function handed in. Bar k is asked for
when bar k - 1 begins, or earlier where the composer is slow. Should something else be seen before it begins, it is
asked for again, as long as the composer has the time.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hitpoint.bridge.errors import UsageError
from hitpoint.bridge.ipc.live import GrowBar, GrownBars, Halves
from hitpoint.bridge.ipc.messages import Planned
from hitpoint.bridge.live.features import Features
from hitpoint.bridge.osc.protocol import ProtocolError
from hitpoint.bridge.play.player import Player
from hitpoint.model.music.score import BEATS_PER_BAR, Note
from hitpoint.model.plan.seen import FEATURES, Seen
from hitpoint.model.plan.wishes.texts import tempo

AUTO_BPM = 108.0
TIMES_SLOWEST, SPARE_S = 2.0, 0.1
"""A bar is asked for so many times as long before its bar line as the slowest of the last ones took, and so much."""
EXPECTED_S = 0.4
LEAST_BEATS, MOST_BEATS = BEATS_PER_BAR, 7
SEEN_BEATS = 2
"""What was seen for so long counts."""
OTHER = 0.15
"""Motion, energy or (twice that) valence that is off by so much is something else."""
AGAIN_S = 2.0
"""A bar that has not come so long after it was asked for is asked for again: the composer may have died meanwhile."""
NEXT_BEAT_S = 0.015
"""An event so near before a beat strikes the one after it: it could not be heard in time."""
SOFTEST, LOUDEST = 84, 127
TAIL_S = 0.25
GIVE_UP_S = 12.0
"""A cadence that does not come within so long is not waited for."""


class LiveDesk:
    """player: the one that plays. ask: a message for the composer. leads: whether nobody else's clock leads."""

    def __init__(self, player: Callable[[], Player], ask: Callable[[object], bool], leads: bool) -> None:
        self._player, self._ask, self._leads = player, ask, leads
        self._features = Features()
        self._said: set[str] = set()
        self._pairs: tuple[tuple[str, str], ...] | None = None
        self._home = ""
        self._next = 0
        self._asked, self._asked_s, self._asked_for = -1, -math.inf, Seen()
        self._took_s: deque[float] = deque(maxlen=8)
        self._strikes: dict[int, Halves] = {}
        self._struck = -1
        self._ending_s: float | None = None
        self._last: int | None = None

    @property
    def on(self) -> bool:
        """Whether there is music without end, or is going to be."""
        return self._pairs is not None

    def begin(self, wishes: Mapping[str, str], heard_bpm: float | None, now_s: float) -> None:
        """`/hitpoint/live`: music begins as soon as its first bar is there. heard_bpm: of the clock that leads.

        Raises ProtocolError for what cannot be asked for.
        """
        pairs = dict(wishes)
        try:
            asked = tempo(pairs.pop("tempo", "auto"))
        except UsageError as error:
            raise ProtocolError("usage", str(error)) from None
        bpm = heard_bpm or AUTO_BPM
        if asked is not None:
            bpm = min(max(bpm, asked[0]), asked[1])
        self._start_over()
        self._pairs = (*pairs.items(), ("tempo", f"{bpm:.6g}"))
        self._grow(0, now_s, self._features.seen(now_s, now_s))

    def feature(self, name: str, value: float, now_s: float) -> str:
        """`/hitpoint/feature`: something was seen. What is to be said of a value beyond its range, once a feature.

        Raises ProtocolError for a feature that there is none of.
        """
        if name not in FEATURES:
            raise ProtocolError("arguments", f"no feature {name!r}; choose from {', '.join(FEATURES)}")
        low, high = FEATURES[name]
        inside = min(max(value, low), high)
        size = self._features.hear(name, inside, now_s)
        if size:
            self._strike(size, now_s)
        if inside == value or name in self._said:
            return ""
        self._said.add(name)
        return f"{name} lies in {low:g}..{high:g}; {value:g}, and whatever else lies beyond, is taken for its end"

    def control(self, name: str, value: float) -> None:
        """`/hitpoint/control/...`: a wish takes another value with the next bar that is asked for."""
        text = str(round(value)) if name == "density" else f"{value:.6g}"
        self._pairs = tuple({**dict(self._pairs or ()), name: text}.items())

    def stop(self, now_s: float) -> bool:
        """`/hitpoint/stop`: end with a cadence, at once where it is said twice. False where it is none of ours."""
        if not self.on:
            return False
        if self._ending_s is not None or not self._player().transport.sounding:
            self._over(now_s)
        else:
            self._ending_s = now_s
        return True

    def heed(self, planned: Planned) -> None:
        """What is played from now on: what a clock process that died had been playing, or a film's music instead."""
        if planned.live is not None and planned.kept:
            self._start_over()
            self._pairs, self._next = planned.live, -1
        elif planned.live is None and not planned.kept:
            self._start_over()

    def take(self, grown: GrownBars, now_s: float) -> None:
        """Bars came: play on, and remember what an event would strike in them."""
        if not self.on:
            return
        index = grown.bars[-1].index
        if grown.bars[0].index == self._asked and self._asked > 0:
            self._took_s.append(now_s - self._asked_s)
        begins = self._next == 0
        self._next, self._home = max(self._next, index + 1), grown.key
        self._strikes.update((bar.index, each) for bar, each in zip(grown.bars, grown.strikes, strict=True))
        for old in [known for known in self._strikes if known < index - 2]:
            del self._strikes[old]
        player = self._player()
        if grown.ends:
            self._last = index
            player.end_after(index)
        elif begins and self._leads:
            player.set_rate(now_s, 1.0)
            player.set_loop(now_s, 0.0, 0.0)
            player.stop(now_s)
            player.locate(now_s, 0.0)
            player.play(now_s)
        self.attend(now_s)

    def failed(self) -> None:
        """The composer cannot make what was asked for."""
        self._pairs = None

    def attend(self, now_s: float) -> None:
        """To be called at each beat and a few times a second: ask for the next bar when it is time, notice the end."""
        player = self._player()
        if not self.on:
            return
        timeline = player.timeline
        if timeline is None or player.planned is None or player.planned.live is None:
            if now_s - self._asked_s > AGAIN_S:
                self._grow(0, now_s, self._features.seen(now_s, now_s))
            return
        if self._last is not None:
            if player.position() > timeline.time_at_tick(self._last + 1) + TAIL_S:
                self._over(now_s)
            return
        if self._ending_s is not None and now_s - self._ending_s > GIVE_UP_S:
            self._over(now_s)
            return
        if not player.transport.sounding:
            return
        self._follow_jumps(player.bar)
        beat_s = 60.0 / timeline.bpm_at_time(0.0) / max(player.transport.rate, 1e-3)
        beat = timeline.beat_at_time(player.position())
        seen = self._features.seen(now_s, now_s - SEEN_BEATS * beat_s)
        left_s = (self._asked * BEATS_PER_BAR - beat) * beat_s
        if beat >= self._next * BEATS_PER_BAR - self._lead_beats(beat_s):
            if self._asked != self._next or now_s - self._asked_s > AGAIN_S:
                self._grow(self._next, now_s, seen)
        elif self._asked == self._next - 1 and self._can_again(left_s, beat_s) and self._is_other(seen):
            self._next = self._asked
            self._grow(self._asked, now_s, seen, again=True)

    def _follow_jumps(self, bar: int) -> None:
        """The bar to ask for where the playhead is elsewhere, or the composer fell behind: the one that sounds, or,
        where that is known, the one after it."""
        if self._next < bar or self._next > bar + MOST_BEATS // BEATS_PER_BAR + 2:
            known = self._player().known_bars.known(bar)
            self._next = bar + 1 if known else bar

    def _lead_beats(self, beat_s: float) -> float:
        """How many beats before its bar line a bar is asked for; whole ones, since that is when we look."""
        return min(MOST_BEATS, max(LEAST_BEATS, math.ceil((TIMES_SLOWEST * self._slowest_s + SPARE_S) / beat_s)))

    @property
    def _slowest_s(self) -> float:
        return max(self._took_s, default=EXPECTED_S)

    def _can_again(self, left_s: float, beat_s: float) -> bool:
        """Whether the composer can write a bar again in the time that is left, and has half of its time to spare."""
        return left_s > self._slowest_s + SPARE_S and TIMES_SLOWEST * self._slowest_s < BEATS_PER_BAR * beat_s

    def _is_other(self, seen: Seen) -> bool:
        """Whether the bar that was asked for last would be another one by now."""
        before = self._asked_for
        if self._ending_s is not None or seen.cuts > before.cuts:
            return True
        valence = abs((seen.valence or 0.0) - (before.valence or 0.0)) / 2
        return max(valence, abs(seen.level - before.level), abs(seen.stir - before.stir)) >= OTHER

    def _grow(self, index: int, now_s: float, seen: Seen, again: bool = False) -> None:
        """Ask for a bar."""
        assert self._pairs is not None
        pairs = (*self._pairs, ("home", self._home)) if self._home else self._pairs
        self._asked, self._asked_s, self._asked_for = index, now_s, seen
        self._ask(GrowBar(index, pairs, seen, self._ending_s is not None, again))

    def _strike(self, size: float, now_s: float) -> None:
        """An accent on the next beat; one a beat."""
        player = self._player()
        timeline, amount = player.timeline, self._accents()
        if not self.on or timeline is None or not player.transport.sounding or amount <= 0:
            return
        beat = math.ceil(timeline.beat_at_time(player.position() + NEXT_BEAT_S * player.transport.rate))
        if beat <= self._struck or (self._last is not None and beat >= BEATS_PER_BAR * self._last):
            return
        self._struck = beat
        bar, place = divmod(beat, BEATS_PER_BAR)
        halves = self._strikes.get(bar) or self._strikes.get(bar - 1)
        if halves is not None:
            player.strike(_sized(halves[place // 2], min(1.0, size * amount)), beat)

    def _accents(self) -> float:
        try:
            return float(dict(self._pairs or ()).get("accents", 1.0))
        except ValueError:
            return 1.0

    def _over(self, now_s: float) -> None:
        """The music is over."""
        self._start_over()
        self._player().end_plan(now_s)

    def _start_over(self) -> None:
        self._pairs, self._home, self._next, self._asked = None, "", 0, -1
        self._struck, self._ending_s, self._last = -1, None, None
        self._strikes.clear()


def _sized(notes: Sequence[Note], size: float) -> list[Note]:
    """As loud as the event is large, 0..1."""
    velocity = round(SOFTEST + (LOUDEST - SOFTEST) * size)
    return [replace(note, velocity=velocity) for note in notes]
