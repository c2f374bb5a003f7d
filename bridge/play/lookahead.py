"""Which bars are there, which are wanted next, and what stands in for one that is not there yet. Pure.

Threads and processes: one owner each; the clock process keeps a KnownBars of the take it plays, the composer process
asks `next_wanted` what to compose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from hitpoint.model.music.score import TICKS_PER_BAR, Bar
from hitpoint.model.plan.types import PHRASE_BARS

NO_BAR = Bar(-1)
LIVE_BARS_KEPT = 2 * PHRASE_BARS
"""Of music without end, so many bars behind the newest are kept: one of them may have to stand in."""


@dataclass(frozen=True)
class BarChoice:
    """What sounds in a bar. kind: "known", "stale" (an older edition's bar), "fallback" (another bar) or "none".

    bar: whose notes and controllers sound; its index is that of the bar they were written for.
    """

    kind: str
    bar: Bar = NO_BAR


class KnownBars:
    """The bars of the take that is played, each with the edition it belongs to.

    An edit (another take, new notes, a moved control) raises the edition from some bar on; older bars go on sounding
    until their successors come in, and a bar of an older edition that comes in late is dropped.
    """

    def __init__(self) -> None:
        self._bars: dict[int, tuple[int, Bar]] = {}
        self.edition = 0
        self._stale: set[int] = set()

    def clear(self) -> None:
        """Forget every bar."""
        self._bars.clear()
        self._stale.clear()

    def edit(self, edition: int, stale: Iterable[int]) -> None:
        """From now on bars belong to `edition`; those in `stale` are to be replaced."""
        self.edition = edition
        self._stale.update(index for index in stale if index in self._bars)

    def add(self, edition: int, bars: Iterable[Bar]) -> list[int]:
        """Take in bars; those of an edition older than the current one are dropped. Returns the indexes taken."""
        taken = []
        for bar in bars:
            if edition >= self.edition:
                self._bars[bar.index] = (edition, bar)
                self._stale.discard(bar.index)
                taken.append(bar.index)
        return taken

    def forget_before(self, index: int) -> None:
        """Of music without end: the bars before `index` are no longer needed."""
        for old in [known for known in self._bars if known < index]:
            del self._bars[old]
            self._stale.discard(old)

    def bars(self) -> list[Bar]:
        """Every bar, in order."""
        return [bar for _, (_, bar) in sorted(self._bars.items())]

    def stale(self) -> tuple[int, ...]:
        """The indexes of the bars that are to be replaced."""
        return tuple(sorted(self._stale))

    def __len__(self) -> int:
        return len(self._bars) - len(self._stale)

    def known(self, index: int) -> bool:
        """Whether the bar is there and up to date."""
        return index in self._bars and index not in self._stale

    def ahead(self, index: int, most: int = 64) -> int:
        """How many bars from `index` on are there without a gap, counted to `most`."""
        count = 0
        while count < most and self.known(index + count):
            count += 1
        return count

    def choose(self, index: int) -> BarChoice:
        """The bar itself, else its older edition, else the one a phrase before it, else the nearest one before it."""
        if index in self._bars:
            return BarChoice("stale" if index in self._stale else "known", self._bars[index][1])
        for earlier in range(index - PHRASE_BARS, -1, -PHRASE_BARS):
            if earlier in self._bars:
                return BarChoice("fallback", _within_bar(self._bars[earlier][1]))
        before = [known for known in self._bars if known < index]
        if before:
            return BarChoice("fallback", _within_bar(self._bars[max(before)][1]))
        if self._bars:
            return BarChoice("fallback", _within_bar(self._bars[min(self._bars)][1]))
        return BarChoice("none")


def _within_bar(bar: Bar) -> Bar:
    """The bar, no note reaching over the bar line: what follows is another bar than it was written for."""
    notes = (replace(note, duration_ticks=min(note.duration_ticks, TICKS_PER_BAR - note.tick)) for note in bar.notes)
    return replace(bar, notes=tuple(notes))


def next_wanted(known: Collection[int], bars: int) -> int | None:
    """The next bar to compose: the first unknown one; None where all are known."""
    return next((index for index in range(bars) if index not in known), None)


def known_block(known: Collection[int], target: int, longest: int) -> range:
    """The nearest unbroken run of at most `longest` known bars before `target`: what the composer is to hear."""
    end = target
    while end > 0 and end - 1 not in known:
        end -= 1
    start = end
    while start > 0 and start - 1 in known and end - start < longest:
        start -= 1
    return range(start, end)
