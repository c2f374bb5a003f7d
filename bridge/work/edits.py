"""Edits of a job that has its plan: another take, new notes in some bars, a control that was moved.

Threads and processes: lives in the composer process, in its main thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from hitpoint.bridge.errors import UsageError
from hitpoint.bridge.ipc.messages import (
    ChooseTake,
    Regenerate,
    SetChord,
    SetControl,
    SetScene,
)
from hitpoint.bridge.work.jobs import SEED_STEP, Job, Tools, announcement, pairs_of, ready, result_of, take_of
from hitpoint.bridge.work.keeper import Keeper
from hitpoint.model.plan.harmony.edit import with_chord, with_chords
from hitpoint.model.plan.scene import renumbered, with_scene
from hitpoint.model.plan.types import Plan

SUFFIXES = (".mid", ".wav", ".report.json")
PERFORMED = ("humanise",)
"""Live controls that change how notes are played, and no note: what is composed stays."""


class Editor:
    """Changes jobs, keeps what changed, and tells the clock. Every method raises UsageError for what cannot be."""

    def __init__(self, tools: Tools, keeper: Keeper, send: Callable[[object], None]) -> None:
        self._tools, self._keeper, self._send = tools, keeper, send

    def choose_take(self, job: Job, message: ChooseTake) -> None:
        """Another take is heard."""
        take = take_of(job, message.take, self._keeper.store)
        self._go_back(job, message)
        if not all(Path(path).is_file() for path in job.record.results.get(message.take, ()) if path):
            job.record.results.pop(message.take)  # somebody has cleared up: they are written again
            take.midi, take.failed = None, False
        assert job.plan is not None
        job.record.take = message.take
        job.record.requests[message.take] = message.request
        job.aim = message.from_bar
        self._raise_edition(job, range(len(job.plan.bars)))
        self.send_known(job)
        if message.take in job.record.results:
            self._send(result_of(job, message.take))

    def _go_back(self, job: Job, message: ChooseTake | Regenerate) -> bool:
        """Have the edition in place that the message speaks of, which its host has after an undo; whether it was not.

        Raises UsageError where it is gone."""
        record = job.record
        number = message.take if isinstance(message, ChooseTake) else record.take
        if message.edition < 0 or (number in record.results and record.editions.get(number) == message.edition):
            return False
        kept = self._keeper.store.load_edition(job.name, number, message.edition)
        if kept is None:
            raise UsageError("that version of the music is no longer kept; choose a take, or score the film again")
        self._keeper.keep_edition(job, number)
        take = job.takes[number]
        job.plan, take.bars = kept
        if job.prepared is not None:
            job.prepared = replace(job.prepared, plan=job.plan)
        take.provisional.clear()
        take.stream = take.ahead_stream = None
        files = [self._keeper.store.output(job.name, number, message.edition, suffix) for suffix in SUFFIXES]
        there = [str(path) if path.is_file() else "" for path in files]
        take.midi, take.failed = (files[0] if there[0] and there[2] else None), False
        record.results.pop(number, None)
        if take.midi is not None:
            record.results[number], record.editions[number] = (there[0], there[1], there[2]), message.edition
        self._keeper.save_plan(job)
        self._keeper.save_bars(job, number)
        return True

    def regenerate(self, job: Job, message: Regenerate) -> None:
        """New notes in some bars of the take that is heard."""
        if self._go_back(job, message):
            assert job.plan is not None
            self._raise_edition(job, range(len(job.plan.bars)))
            self.send_known(job)
        assert job.plan is not None
        take, first, last = job.take, message.first_bar, message.last_bar
        if last >= len(job.plan.bars):
            raise UsageError(f"{job.name} has bars 0 to {len(job.plan.bars) - 1}; there is no bar {last}")
        upto = 0
        while upto in take.bars:
            upto += 1
        if upto <= last:
            raise UsageError(f"bar {upto} is not composed yet; regenerate bars {first} to {last} after it is")
        seed = take.seed + SEED_STEP * (job.record.edition + 1)
        bars = [take.bars[index] for index in range(upto)]
        composer = self._tools.composer(job.composer)
        new = composer.regenerate(job.plan, bars, first, last, message.instruments, seed)
        asked = {bar.index: bar for bar in new if first <= bar.index <= last}
        job.record.requests[job.record.take] = message.request
        changed = tuple(bar for index, bar in asked.items() if take.bars.get(index) != bar)
        kept = tuple(bar for index, bar in asked.items() if take.bars.get(index) == bar)
        self._forget_files(job)
        take.bars.update(asked)
        take.stream = None
        self._keeper.save_bars(job, job.record.take)
        self._raise_edition(job, range(first, last + 1))
        self._send(ready(job, changed))
        self._send(ready(job, kept, kept=True))

    def set_chord(self, job: Job, message: SetChord) -> None:
        """A half bar has another chord: what is composed from now on follows it, and what sounds stays."""
        assert job.plan is not None
        job.plan = with_chord(job.plan, message.bar, message.half, message.symbol)
        if job.prepared is not None:
            job.prepared = replace(job.prepared, plan=job.plan)
        job.record.chords[f"{message.bar}.{message.half}"] = message.symbol
        for take in job.takes.values():
            take.stream = take.ahead_stream = None
        self._forget_files(job)
        self._keeper.save_plan(job)
        self._raise_edition(job, range(0))

    def keep_music(self, job: Job, kept: Mapping[int, int]) -> None:
        """The bars that a job for a changed cut takes over from the one before: new bar -> old bar, in every take."""
        before, job.before = job.before, None
        for number, old in before.bars.items() if before is not None else ():
            take = take_of(job, number, self._keeper.store)
            take.bars = {new: replace(old[bar], index=new) for new, bar in kept.items() if bar in old}
            self._keeper.save_bars(job, number)
            if number == job.record.take and take.bars:
                self._send(ready(job, (bar for _, bar in sorted(take.bars.items()))))

    def set_control(self, job: Job, message: SetControl) -> None:
        """A live control was moved: another plan from the next bar on."""
        assert job.plan is not None and job.prepared is not None
        self._keeper.keep_edition(job, job.record.take)
        controls = {**job.record.controls, message.name: message.value}
        new = self._tools.replan(job.prepared, pairs_of(job.record.score, controls))
        bars = len(job.plan.bars)
        if len(new.bars) != bars or new.tempo_map != job.plan.tempo_map:
            raise UsageError(f"{message.name} {message.value:g} would change the tempo of {job.name}; score it again")
        first = min(message.from_bar, bars)
        job.record.controls = controls
        job.plan = with_chords(joined(job.plan, new, first), job.record.chords)
        if job.record.scene is not None:
            begins, valence, arousal = job.record.scene
            job.plan = with_scene(job.plan, max(first, begins), valence, arousal)
        job.prepared = replace(job.prepared, plan=job.plan)
        if message.name not in PERFORMED:
            self._drop_bars(job, first)
        self._goes_on_from(job, first)
        if message.name in PERFORMED:
            self.send_known(job)

    def set_scene(self, job: Job, message: SetScene) -> None:
        """The picture feels otherwise from the next bar on: another plan from there, and other music."""
        assert job.plan is not None
        self._keeper.keep_edition(job, job.record.take)
        bars = len(job.plan.bars)
        first = min(message.from_bar, bars)
        job.record.scene = (first, message.valence, message.arousal)
        job.plan = with_scene(job.plan, first, message.valence, message.arousal)
        if job.prepared is not None:
            job.prepared = replace(job.prepared, plan=job.plan)
        self._drop_bars(job, first)
        self._goes_on_from(job, first)

    def _goes_on_from(self, job: Job, first: int) -> None:
        """Plan and bars are others from bar `first` on: kept, and told as another edition."""
        assert job.plan is not None
        self._forget_files(job)
        job.aim = first
        self._keeper.save_plan(job)
        self._keeper.save_bars(job, job.record.take)
        self._raise_edition(job, range(first, len(job.plan.bars)))

    def _drop_bars(self, job: Job, first: int) -> None:
        """The take that is heard is composed anew from bar `first` on."""
        take = job.take
        take.bars = {index: bar for index, bar in take.bars.items() if index < first}
        take.provisional.clear()
        take.stream = take.ahead_stream = None

    def announce(self, job: Job, stale: tuple[int, ...] = (), kept: bool = False) -> None:
        """Tell the clock of the plan."""
        assert job.plan is not None
        self._send(announcement(job.record, job.plan, stale, kept))

    def send_known(self, job: Job) -> None:
        """Tell the clock the bars that are there."""
        bars = tuple(bar for _, bar in sorted({**job.take.provisional, **job.take.bars}.items()))
        if bars:
            self._send(ready(job, bars, kept=True))

    def _forget_files(self, job: Job) -> None:
        """The take that is heard changes: its files are those of another edition."""
        self._keeper.keep_edition(job, job.record.take)
        job.take.midi, job.take.failed = None, False
        job.record.results.pop(job.record.take, None)

    def _raise_edition(self, job: Job, stale: range) -> None:
        job.record.edition += 1
        job.record.done = False
        self._keeper.save(job)
        self.announce(job, tuple(stale))


def joined(old: Plan, new: Plan, first: int) -> Plan:
    """`old` up to bar `first`, `new` from there on; both of the same bars and tempo."""
    hits = [hit for hit in old.hits if hit.bar < first] + [hit for hit in new.hits if hit.bar >= first]
    plan = replace(new, bars=old.bars[:first] + new.bars[first:], hits=tuple(hits), sections=old.sections)
    return renumbered(replace(plan, scene_bar=old.scene_bar))
