"""Bars, one by one: the next one of a take, or a provisional one where the playhead is ahead of what is composed.

Threads and processes: lives in the composer process, in its main thread.

Bars of a take come in order and are the ones that its seed gives offline too. Where the playhead is sent to a place
that is not composed yet, the composer first makes provisional bars there, from the state at the nearest bar it knows;
the take's own bars replace them once it gets there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hitpoint.bridge.ipc.messages import JobProgress
from hitpoint.bridge.play.lookahead import known_block, next_wanted
from hitpoint.bridge.work.jobs import Job, Take, Tools, ready
from hitpoint.bridge.work.keeper import Keeper
from hitpoint.bridge.work.splice import splice_plan
from hitpoint.model.plan.types import Plan

PROVISIONAL_AHEAD = 3
"""Bars that must be there ahead of the playhead before the gap behind it is worked on."""
HEARD_BARS = 4
"""Known bars that the composer listens to before a provisional one."""
CARE_NOT_AHEAD, CARE_OTHER_SEED = 1, 2
OTHER_SEED = 7_919
"""Added to a take's seed for each time that composing it went wrong again after CARE_NOT_AHEAD."""


class BarMaker:
    """Makes bars, keeps them, and sends those of the take that is heard."""

    def __init__(self, tools: Tools, keeper: Keeper, send: Callable[[object], None]) -> None:
        self._tools, self._keeper, self._send = tools, keeper, send

    def make(self, job: Job, plan: Plan, number: int, take: Take) -> bool:
        """The bar of this take that is wanted most; False where all are there."""
        if number == job.record.take and job.care < CARE_NOT_AHEAD and self._ahead(job, plan, take):
            return True
        wanted = next_wanted(take.bars, len(plan.bars))
        if wanted is None:
            return False
        self._next(job, plan, number, take, wanted)
        return True

    def _next(self, job: Job, plan: Plan, number: int, take: Take, wanted: int) -> None:
        if take.stream is None or take.stream_next != wanted:
            history = [take.bars[index] for index in range(wanted)]
            seed = take.seed + OTHER_SEED * max(0, job.care - CARE_OTHER_SEED + 1)
            take.stream = self._tools.composer(job.composer).stream(plan, seed, history)
        bar = next(take.stream)
        take.stream_next = wanted + 1
        take.bars[wanted] = bar
        take.provisional.pop(wanted, None)
        self._keeper.add_bar(job, number, bar)
        if number == job.record.take:
            self._send(ready(job, (bar,)))
            self._send(JobProgress(job.name, "compose", len(take.bars) / len(plan.bars)))
        if take.stream_next == len(plan.bars):
            take.stream = None

    def _ahead(self, job: Job, plan: Plan, take: Take) -> bool:
        """A provisional bar, where the playhead stands beyond a gap and too little lies ahead of it."""
        there = take.bars.keys() | take.provisional.keys()
        near = range(job.aim, min(job.aim + PROVISIONAL_AHEAD, len(plan.bars)))
        wanted = next((index for index in near if index not in there), None)
        if wanted is None or next_wanted(take.bars, len(plan.bars)) in near:
            return False
        if take.ahead_stream is None or take.ahead_next != wanted:
            block = known_block(there, wanted, HEARD_BARS)
            bars = {**take.provisional, **take.bars}
            history = [replace(bars[index], index=position) for position, index in enumerate(block)]
            composer = self._tools.composer(job.composer)
            take.ahead_stream = composer.stream(splice_plan(plan, block, wanted), take.seed, history)
        bar = replace(next(take.ahead_stream), index=wanted)
        take.ahead_next = wanted + 1
        take.provisional[wanted] = bar
        self._send(ready(job, (bar,)))
        return True
