"""The facade: a plan in, bars out, one by one. The one place that knows network, masks and plan together."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hitpoint.model import checkpoint, fast_recurrence
from hitpoint.model.conditions import Table, table_of_plan
from hitpoint.model.decode import Decoder, Engine, Part, Run, Sampling
from hitpoint.model.errors import MissingError, UsageError
from hitpoint.model.grammar import BarTask
from hitpoint.model.plan.types import Plan
from hitpoint.model.recurrence import Recurrence
from hitpoint.model.score import INSTRUMENTS, TICKS_PER_BAR, Bar
from hitpoint.model.tokens import init_rows

CONTEXT_BARS = 16
"""Bars read again where no snapshot is at hand: training windows are about as long, and start at any bar."""
KEPT_SNAPSHOTS = 64
SILENT_BARS = 2
"""After so many bars of silence an instrument that was asked for comes in again."""
CALM = 0.25
"""Energy below which drums may rest."""


@dataclass
class Stats:
    """What the last piece cost: rows decoded and seconds spent, and the mask pressure in nats a bar by attribute."""

    tokens: int = 0
    seconds: float = 0.0
    bars: int = 0
    pressure_by_attribute: dict[str, float] | None = None

    @property
    def tokens_per_s(self) -> float:
        """Rows a second of decoding."""
        return self.tokens / self.seconds if self.seconds else 0.0


class Composer:
    """A loaded network that composes plans. Not for use from several threads at once."""

    def __init__(self, loaded: checkpoint.Loaded, sampling: Sampling | None = None, precision: str = "auto") -> None:
        """precision: "auto" (eight-bit weights on a processor where the network allows it) or "float32"."""
        self.name, self.sha256, self.parameters = loaded.name, loaded.sha256, loaded.parameters
        self.sampling = sampling
        on_processor = loaded.network.norm.weight.device.type == "cpu"
        quick = on_processor and precision != "float32" and fast_recurrence.fits(loaded.network.config)
        self.recurrence: Engine = (
            fast_recurrence.FastRecurrence(loaded.network) if quick else Recurrence(loaded.network)
        )
        self.stats = Stats()
        self._snapshots: OrderedDict[int, tuple[Any, torch.Tensor]] = OrderedDict()

    @classmethod
    def load(cls, path: Path | None = None, device: str = "auto", threads: int | None = None) -> Composer:
        """Load a checkpoint (None: the shipped one) for "cpu", "cuda" or "auto", the GPU where there is one.

        threads: processor threads of a float32 network, 1 by default; eight-bit weights always take one.

        Raises InputError for a damaged checkpoint, MissingError where the GPU asked for is not there.
        """
        if device not in ("auto", "cpu", "cuda"):
            raise UsageError(f"there is no device {device}; take auto, cpu or cuda")
        if device == "cuda" and not torch.cuda.is_available():
            raise MissingError("this machine has no CUDA GPU that torch can use; take --device cpu")
        chosen = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
        composer = cls(checkpoint.load(path, chosen))
        # A row is a chain of small products: with eight-bit weights a second thread waits more than it works, and on a
        # busy machine both wait for each other.
        torch.set_num_threads(1 if composer.recurrence.precision == "int8" else threads or 1)
        return composer

    def stream(
        self, plan: Plan, seed: int, history: Sequence[Bar] = (), *, weigh_forced: bool = False
    ) -> Iterator[Bar]:
        """The bars of the plan from bar len(history) on, one by one; the same seed gives the same bars.

        history: the bars before, whether composed here or not. A snapshot behind every bar composed makes going on
        from there immediate; without one the last CONTEXT_BARS are read again.
        """
        decoder = Decoder(self.recurrence, self.sampling, weigh_forced=weigh_forced)
        table = table_of_plan(plan)
        began = time.perf_counter()
        keys = _chain(plan, history)
        run = self._resume(decoder, plan, history, keys)
        written = list(history)
        key = keys[-1]
        for done, (_, bar) in enumerate(decoder.write(run, [_parts(plan, table, seed, written)]), start=1):
            written.append(bar)
            key = _link(key, bar)
            self._keep(key, run)
            self._count(decoder, done, time.perf_counter() - began)
            paused = time.perf_counter()
            yield bar
            began += time.perf_counter() - paused

    def takes(self, plan: Plan, seeds: Sequence[int]) -> list[list[Bar]]:
        """One whole take for each seed, decoded together, so that they share the cost of reading the weights."""
        decoder = Decoder(self.recurrence, self.sampling)
        table = table_of_plan(plan)
        began = time.perf_counter()
        run = decoder.start(init_rows(plan.genre, plan.instruments), table[0], len(seeds))
        takes: list[list[Bar]] = [[] for _ in seeds]
        pieces = [_parts(plan, table, seed, take) for seed, take in zip(seeds, takes, strict=True)]
        for stream, bar in decoder.write(run, pieces):
            takes[stream].append(bar)
        self._count(decoder, len(plan.bars) * len(seeds), time.perf_counter() - began)
        return takes

    def regenerate(
        self, plan: Plan, bars: Sequence[Bar], first_bar: int, last_bar: int,
        instruments: Sequence[int] | None = None, seed: int = 0,
    ) -> list[Bar]:  # fmt: skip
        """The piece with bars first_bar..last_bar (counted in) written anew, the others as they are.

        instruments: only these get new notes; the notes of the others stay, and the new ones hear them. None: all.
        Raises UsageError for bars outside the piece or an instrument that the plan does not hold.
        """
        if not 0 <= first_bar <= last_bar < len(bars) or len(bars) > len(plan.bars):
            raise UsageError(f"bars {first_bar}-{last_bar} are not in this piece; it has bars 0-{len(bars) - 1}")
        free = tuple(plan.instruments if instruments is None else sorted(set(instruments)))
        if not free or not set(free) <= set(plan.instruments):
            raise UsageError("no such instrument in this piece; name one that it was composed for")
        decoder = Decoder(self.recurrence, self.sampling)
        table = table_of_plan(plan)
        history = bars[:first_bar]
        run = self._resume(decoder, plan, history, _chain(plan, history))
        parts = (
            Part(task_of(plan, index, free, bars[index]), table[index + 1], np.random.default_rng([seed, index, 1]))
            for index in range(first_bar, last_bar + 1)
        )
        written = [bar for _, bar in decoder.write(run, [parts])]
        return [*bars[:first_bar], *written, *bars[last_bar + 1 :]]

    def _resume(self, decoder: Decoder, plan: Plan, history: Sequence[Bar], keys: Sequence[int]) -> Run:
        """A run that stands behind `history`: from the nearest snapshot, or by reading the last bars again."""
        table = table_of_plan(plan)
        oldest = max(0, len(history) - CONTEXT_BARS)
        for at in range(len(history), oldest - 1, -1):
            if keys[at] in self._snapshots:
                self._snapshots.move_to_end(keys[at])
                snapshot, hidden = self._snapshots[keys[at]]
                run = Run(self.recurrence.restore(snapshot), hidden.clone())
                break
        else:
            at = oldest
            run = decoder.start(init_rows(plan.genre, plan.instruments), table[at])
        for number in range(at, len(history)):
            decoder.read_bar(run, history[number], number, table[number + 1])
            self._keep(keys[number + 1], run)
        return run

    def _keep(self, key: int, run: Run) -> None:
        self._snapshots[key] = self.recurrence.snapshot(run.memory), run.hidden.clone()
        self._snapshots.move_to_end(key)
        while len(self._snapshots) > KEPT_SNAPSHOTS:
            self._snapshots.popitem(last=False)

    def _count(self, decoder: Decoder, bars: int, seconds: float) -> None:
        pressure = {name: value / max(1, bars) for name, value in decoder.tally.pressure.items()}
        self.stats = Stats(decoder.tally.rows, seconds, bars, pressure)


def _parts(plan: Plan, table: Table, seed: int, written: Sequence[Bar]) -> Iterator[Part]:
    """The bars still to be written, each asked for when all before it are in `written`."""
    for index in range(len(written), len(plan.bars)):
        task = replace(task_of(plan, index), missed=missed_instruments(plan, written))
        yield Part(task, table[index + 1], np.random.default_rng([seed, index]))


def missed_instruments(plan: Plan, written: Sequence[Bar]) -> tuple[int, ...]:
    """Instruments of the plan that were silent for the last SILENT_BARS bars; drums may be, where it is calm."""
    recent = written[-SILENT_BARS:]
    if len(recent) < SILENT_BARS:
        return ()
    heard = {note.instrument for bar in recent for note in bar.notes}
    calm = plan.bars[len(written)].energy < CALM
    return tuple(k for k in plan.instruments if k not in heard and not (calm and INSTRUMENTS[k] == "drums"))


def task_of(plan: Plan, index: int, instruments: Sequence[int] | None = None, standing: Bar | None = None) -> BarTask:
    """What the plan asks of a bar. With `standing`, the notes of all but `instruments` in it are kept as they are."""
    bar = plan.bars[index]
    free = tuple(sorted(plan.instruments if instruments is None else instruments))
    locked = () if standing is None else tuple(note for note in standing.notes if note.instrument not in free)
    ticks_left = (len(plan.bars) - index) * TICKS_PER_BAR
    return BarTask(index, free, ticks_left, bar.density, dict(bar.required), locked)


def _chain(plan: Plan, bars: Sequence[Bar]) -> list[int]:
    """A key before the first bar and behind each bar: equal keys mean the same music so far, asked for alike."""
    keys = [hash((plan.genre, plan.instruments))]
    for bar in bars:
        keys.append(_link(keys[-1], bar))
    return keys


def _link(key: int, bar: Bar) -> int:
    return hash((key, bar.notes))
