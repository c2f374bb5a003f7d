"""The studio: bars of music without end, one at a time as the clock asks for them.

Threads and processes: lives in the composer process, in its main thread. Heavy modules load inside the methods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from hitpoint.bridge.errors import HitpointError, UsageError
from hitpoint.bridge.ipc.live import CONTROLS, LIVE_JOB, GrowBar, GrownBars, LiveError
from hitpoint.bridge.ipc.messages import ComposerAsk, Planned
from hitpoint.model.compose.base import Composer
from hitpoint.model.music.score import TempoMap, TempoPoint
from hitpoint.model.plan.types import Plan

if TYPE_CHECKING:
    from hitpoint.model.plan.growing import GrowingPlan
    from hitpoint.model.plan.types import Wishes

CONTROL = "1"
"""Density follows the picture exactly unless something else is asked for: there is no film that could be balanced."""
NOT_LIVE = (
    "hits",
    "unhits",
    "mood-line",
    "deviation",
    "repitch",
    "meter",
    "odd-bars",
    "takes",
    "wav",
    "stems",
    "formats",
    "keep",
    "cuts",
    "from",
    "to",
)
"""What can be asked of a score, and means nothing without a film's end."""


class Studio:
    """composer: what was asked for -> it, loaded. programs: genre -> its programs. send: to the clock; never blocks."""

    def __init__(
        self,
        composer: Callable[[ComposerAsk], Composer],
        programs: Callable[[str], tuple[int, ...]],
        send: Callable[[object], None],
    ) -> None:
        self._composer, self._programs, self._send = composer, programs, send
        self._pairs: tuple[tuple[str, str], ...] | None = None
        self._plan: GrowingPlan | None = None
        self._at: Composer | None = None
        self._seed = 0
        self._last: GrownBars | None = None

    def handle(self, message: object) -> bool:
        """Obey what is for the studio; False for everything else. What goes wrong becomes a LiveError."""
        if not isinstance(message, GrowBar):
            return False
        try:
            self._grow(message)
        except HitpointError as error:
            code = "usage" if isinstance(error, UsageError) else "input"
            self._send(LiveError(LIVE_JOB, code, str(error)))
        return True

    def _grow(self, message: GrowBar) -> None:
        if self._plan is None or not self._goes_on(message):
            self._begin(message)
        elif self._last is not None and any(bar.index == message.index for bar in self._last.bars):
            if not message.again:
                self._send(self._last)  # it was asked for twice
                return
            self._plan.take_back()
        assert self._plan is not None
        if message.pairs != self._pairs:
            self._plan.wish(asked(message.pairs)[0])
            self._pairs = message.pairs
        plan = self._plan.cadence(message.seen) if message.ending else self._plan.next(message.seen)
        first = len(self._plan.history)
        count = len(plan.bars) - first if message.ending else 1
        self._last = self._played(plan, first, count, message)
        self._send(self._last)
        if message.ending:
            self._plan = None
        else:
            self._forget(plan)

    def _goes_on(self, message: GrowBar) -> bool:
        """Whether the bar is one of the music that is being made."""
        first_again = self._last is not None and self._last.bars[0].index == message.index
        return (message.index > 0 or first_again) and self._same(message.pairs)

    def _same(self, pairs: tuple[tuple[str, str], ...]) -> bool:
        """The home key moves with what is seen, and controls move at any time: neither makes other music."""
        mine, its = (
            {key: value for key, value in each if key not in (*CONTROLS, "home")} for each in (self._pairs or (), pairs)
        )
        return mine == its

    def _begin(self, message: GrowBar) -> None:
        """New music, or what goes on where a composer died."""
        from hitpoint.model.plan.growing import GrowingPlan
        from hitpoint.model.plan.wishes.options import check_wishes

        wishes, bpm, key, composer = asked(message.pairs)
        check_wishes(wishes)
        self._at = self._composer(composer)
        self._plan = GrowingPlan(wishes, bpm, key)
        self._pairs, self._seed, self._last = message.pairs, wishes.seed, None
        if message.index == 0:
            self._send(Planned(LIVE_JOB, 0, 0, 0.0, 25.0, empty_plan(wishes, bpm), self._programs(wishes.genre),
                               live=message.pairs))  # fmt: skip

    def _played(self, plan: Plan, first: int, count: int, message: GrowBar) -> GrownBars:
        """Compose `count` bars from `first` on, as they are to be played."""
        from hitpoint.model.perform.perform import perform

        assert self._plan is not None and self._at is not None
        stream = self._at.stream(plan, self._seed, self._plan.history)
        bars = [bar for bar, _ in zip(stream, range(count), strict=False)]
        asked_of = plan.bars[first : first + count]
        if not message.ending:
            self._plan.accept(bars[0])
        played = [
            replace(perform(bar, each, lengths_stand=self._at.own_chords), index=message.index + place)
            for place, (bar, each) in enumerate(zip(bars, asked_of, strict=True))
        ]
        return GrownBars(
            LIVE_JOB, 0, 0, tuple(played),
            chords=tuple(each.chords for each in asked_of),
            strikes=tuple(self._plan.strikes(each) for each in asked_of),
            key=self._plan.key or "",
            ends=message.ending,
        )  # fmt: skip

    def _forget(self, plan: Plan) -> None:
        assert self._plan is not None and self._at is not None
        bars = tuple(self._plan.history)
        kept = self._plan.shorten()
        if kept is not None:
            self._at.forget(plan, bars, kept)


def asked(pairs: tuple[tuple[str, str], ...]) -> tuple[Wishes, float, str | None, ComposerAsk]:
    """(wishes, tempo in BPM, key of the music that goes on, composer) of an order. Raises UsageError."""
    from hitpoint.model.plan.wishes.options import parse_wishes

    texts = dict(pairs)
    wrong = [key for key in texts if key.replace("_", "-") in NOT_LIVE]
    if wrong:
        raise UsageError(f"{wrong[0]} is for a film that ends; leave it out of music without end")
    composer, key = ComposerAsk.taken_from(texts), texts.pop("home", "") or None
    wishes = parse_wishes({"control": CONTROL, **texts})
    if wishes.genre == "auto":
        raise UsageError("the genre cannot be chosen by a film that is not there yet; name one")
    assert wishes.tempo_bpm is not None  # the clock has chosen one
    return wishes, sum(wishes.tempo_bpm) / 2, key, composer


def empty_plan(wishes: Wishes, bpm: float) -> Plan:
    """What the clock must know before the first bar: tempo, genre, players."""
    tempo_map = TempoMap((TempoPoint(0.0, 0.0, bpm),))
    return Plan(0.0, tempo_map, (), (), (), wishes.genre, wishes.instruments, wishes.control, wishes.seed)
