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
from hitpoint.bridge.work.jobs import Batch, Job, Take, Tools, ready, take_of
from hitpoint.bridge.work.keeper import Keeper
from hitpoint.bridge.work.splice import splice_plan
from hitpoint.model.music.flaws import flaw_of
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
        if number == job.record.take or not self._together(job, plan, number):
            self._next(job, plan, number, take, wanted)
        return True

    def _together(self, job: Job, plan: Plan, number: int) -> bool:
        """A bar of the takes that are composed side by side; False where this take is not among them, or no more."""
        if job.batch is None or job.batch.plan is not plan:
            job.batch = self._batch(job, plan)
        batch = job.batch
        if number not in batch.open:
            return False
        made = next(batch.bars, None)
        if made is None:
            batch.open.clear()
            return False
        other, bar = batch.numbers[made[0]], made[1]
        take = take_of(job, other, self._keeper.store)
        if other in batch.open and bar.index == next_wanted(take.bars, len(plan.bars)):
            if flaw_of([take.bars[index] for index in range(bar.index)], bar):
                batch.open.discard(other)  # from here on it is composed alone
            else:
                take.bars[bar.index] = bar
                self._keeper.add_bar(job, other, bar)
        return True

    def _batch(self, job: Job, plan: Plan) -> Batch:
        """The takes besides the one that is heard of which nothing is there yet; empty where that is one at most."""
        empty = [take for take in range(job.wanted_takes) if take != job.record.take]
        empty = [take for take in empty if not take_of(job, take, self._keeper.store).bars]
        if len(empty) < 2 or job.care:
            return Batch(plan)
        seeds = [take_of(job, take, self._keeper.store).seed for take in empty]
        return Batch(plan, empty, self._tools.composer(job.composer).together(plan, seeds), set(empty))

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
            take.ahead_stream = composer.ahead(splice_plan(plan, block, wanted), take.seed, history)
        bar = replace(next(take.ahead_stream), index=wanted)
        take.ahead_next = wanted + 1
        take.provisional[wanted] = bar
        self._send(ready(job, (bar,)))
        return True
