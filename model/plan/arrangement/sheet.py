"""The sheet on which an arrangement is written, tick by tick, before it becomes part of the bars of a plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hitpoint.model.music.score import MAX_STRENGTH, TICKS_PER_BAR, Note
from hitpoint.model.plan.density.table import ENSEMBLE_DENSITIES
from hitpoint.model.plan.types import BarPlan, Plan

BUSY_SHARE = 8
"""Bars of a small ensemble are no busier than this decile of what such ensembles play."""


class Sheet:
    """What the arrangement asks for. All ticks are counted from the start of the piece; `end` is where the last one on
    which anything may start has passed.

    players: who plays in each bar. silent: ticks that take no time, behind the ends of short bars. The other fields are
    those of BarPlan.
    """

    def __init__(self, plan: Plan) -> None:
        self.instruments = plan.instruments
        self.end = min(plan.end_tick, len(plan.bars) * TICKS_PER_BAR)
        self.players: list[set[int]] = [set(plan.instruments) for _ in plan.bars]
        self.required = {bar.index * TICKS_PER_BAR + tick: most for bar in plan.bars for tick, most in bar.required}
        self.silent = {
            bar.index * TICKS_PER_BAR + tick for bar in plan.bars for tick in range(bar.ticks, TICKS_PER_BAR)
        }
        self.closed = {(tick, k) for tick in self.silent for k in plan.instruments}
        self.entries: set[tuple[int, int]] = set()
        self.stops: set[int] = set()
        self.changes: set[int] = set()
        self.caps: dict[int, int] = {}
        self.leads: dict[int, str] = {}
        self._scored: dict[tuple[int, int], list[Note]] = {}
        self._tempo_map = plan.tempo_map

    def before(self, tick: int, count: int) -> int:
        """The tick that comes `count` sixteenths before `tick`, or after it where they are below 0; below 0 before the
        start."""
        written = round(self._tempo_map.written_tick(0, tick)) - count
        if written < 0:
            return written
        bar, within = self._tempo_map.place_of(written)
        return bar * TICKS_PER_BAR + round(within)

    def apart(self, first: int, second: int) -> int:
        """Sixteenths from one tick to another."""
        at = self._tempo_map.written_tick
        return round(at(0, second) - at(0, first))

    def playing(self, tick: int) -> set[int]:
        """Who may start a note on `tick`."""
        return {k for k in self.players[tick // TICKS_PER_BAR] if (tick, k) not in self.closed}

    def close(self, ticks: Iterable[int], instruments: Iterable[int] | None = None) -> None:
        """Nothing of these instruments (None: of all) may start on `ticks`; what is promised there stays possible."""
        who = set(self.instruments if instruments is None else instruments)
        for tick in ticks:
            if 0 <= tick < self.end and self.reach(tick, who) >= self.required.get(tick, 0):
                self.closed.update((tick, k) for k in who)
                for k in who:
                    self._scored.pop((tick, k), None)
                    self.entries.discard((tick, k))

    def reach(self, tick: int, without: set[int]) -> int:
        """The largest simu-note that can be played on `tick` by others than these."""
        able = self.playing(tick) - without
        return max((len(self._scored.get((tick, k), ())) or MAX_STRENGTH[k] for k in able), default=0)

    def enter(self, tick: int, instruments: Iterable[int]) -> None:
        """These instruments sound on `tick`, if they play there at all."""
        self.entries.update((tick, k) for k in set(instruments) & self.playing(tick))

    def score(self, tick: int, instrument: int, pitches: Iterable[int], velocity: int) -> None:
        """Write out what an instrument plays on `tick`, one of the bar's: nothing else of it starts there."""
        self._scored[tick, instrument] = [
            Note(tick % TICKS_PER_BAR, instrument, pitch, 1, velocity) for pitch in sorted(pitches)
        ]
        self.closed.discard((tick, instrument))

    def is_scored(self, tick: int, instrument: int) -> bool:
        """Whether what an instrument plays on `tick` is written out."""
        return (tick, instrument) in self._scored

    def bars(self, plan: Plan) -> tuple[BarPlan, ...]:
        """The bars of `plan` with all this in them; a bound density is set to what still fits."""
        return tuple(self._bar(bar) for bar in plan.bars)

    def _bar(self, bar: BarPlan) -> BarPlan:
        first = bar.index * TICKS_PER_BAR
        inside = range(first, min(first + TICKS_PER_BAR, self.end))
        players = tuple(sorted(self.players[bar.index]))
        scored = [note for tick in inside for k in players for note in self._scored.get((tick, k), ())]
        entries = tuple(sorted((tick - first, k) for tick, k in self.entries if tick in inside and k in players))
        must = {tick for tick, _ in bar.required} | {note.tick for note in scored} | {tick for tick, _ in entries}
        able = must | {tick - first for tick in inside if self.playing(tick)}
        most = min(len(able), _most(players, self.instruments))
        return replace(
            bar,
            density=None if bar.density is None else max(len(must), min(bar.density, most)),
            density_told=None if bar.density_told is None else max(len(must), min(bar.density_told, most)),
            instruments=players,
            closed=tuple(sorted((tick - first, k) for tick, k in self.closed if tick in inside and k in players)),
            entries=entries,
            stops=tuple(sorted(tick - first for tick in self.stops if tick in inside)),
            scored=tuple(sorted(scored)),
            changes=tuple(sorted(tick - first for tick in self.changes if tick in inside)),
            caps=tuple((tick - first, self.caps[tick]) for tick in inside if tick in self.caps),
            lead=self.leads.get(bar.index, ""),
        )


def _most(players: tuple[int, ...], instruments: tuple[int, ...]) -> int:
    """Onsets a bar that so few play at the most; no bound where all of them play or drums do."""
    usual = ENSEMBLE_DENSITIES.get(players)
    return TICKS_PER_BAR if usual is None or len(players) == len(instruments) else round(usual[BUSY_SHARE])
