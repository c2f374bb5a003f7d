"""The composer `cmt`: a plan in, bars out. The one place that knows network, masks and plan together."""

from __future__ import annotations

import copy
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import default_rng

from hitpoint.model.compose.base import Account, Composer, ComposerOptions, Stats, check_regenerate
from hitpoint.model.compose.cmt.decode import BarOrder, Decoder, Engine, Run, Sampling
from hitpoint.model.compose.cmt.decode_rows import RowDecoder
from hitpoint.model.compose.cmt.grammar import BarTask
from hitpoint.model.compose.cmt.leaning import Here, kinds, leanings_of, untold
from hitpoint.model.compose.cmt.steering import Steering
from hitpoint.model.errors import MissingError, UsageError
from hitpoint.model.music import tokens
from hitpoint.model.music.flaws import flaw_of
from hitpoint.model.music.score import TICKS_PER_BAR, Bar
from hitpoint.model.music.tokens import init_rows
from hitpoint.model.network import checkpoint, recurrence_int8
from hitpoint.model.network.conditions import Table, table_of_plan
from hitpoint.model.network.device import Device, DeviceLost, Graphs
from hitpoint.model.network.recurrence import Recurrence
from hitpoint.model.network.static import StaticRecurrence
from hitpoint.model.plan.types import Plan

CONTEXT_BARS = 16
"""Bars read again where no snapshot is at hand: training windows are about as long, and start at any bar."""
KEPT_SNAPSHOTS = 64
SPARE_SNAPSHOTS = 4
LIVE_SIZES = (1, 8)
"""Streams that are made ready on a graphics card from the start: a take being written, the candidates of a passage."""
LONGEST_BARS = tokens.DURATIONS[-1] // TICKS_PER_BAR
CHORD_COLUMN = "root_0"
"""What weights that were trained with chords are told of a bar."""
REMAKES = 3
"""How often a bar that loops, falls silent or is flooded is written again."""
CANDIDATES = 4
FOLLOWING_BARS = 2
"""A regenerated passage is the one of CANDIDATES after which the next bars, as they stand, are the most likely."""
GENRE_STRENGTH = 6.0
"""A classifier of real songs recognises the genre asked for in 28 of 100 pieces at 4, in 50 at 6, in 44 at 8 (88 of
real songs; `tests/bench/bench_genre.py`, 36 pieces each); chords, keys and tune do not suffer."""

log = logging.getLogger("hitpoint")


class CmtComposer(Composer):
    """A loaded network that composes plans. Not for use from several threads at once."""

    key = "cmt"

    def __init__(
        self, loaded: checkpoint.Loaded, sampling: Sampling | None = None, precision: str = "auto",
        genre_strength: float = GENRE_STRENGTH, device: Device | None = None,
    ) -> None:  # fmt: skip
        """precision: "auto" (eight-bit weights on a processor where the network allows it, bfloat16 on a graphics card)
        or "float32". genre_strength: guidance, how much more than in the training music the genre counts; 1 = as there,
        0 = not. device: a graphics card, or what stands in for one; None: the processor.

        Raises DeviceLost where the card cannot be used.
        """
        super().__init__()
        self.name, self.sha256, self.parameters = loaded.name, loaded.sha256, loaded.parameters
        self.genres = loaded.layout.genres
        self.conditions = frozenset(name for name, _ in loaded.layout.columns)
        self.sampling, self._genre_strength = sampling, genre_strength
        self._network = loaded.network
        self.recurrence = self._on_processor(precision) if device is None else self._on_card(device, precision)
        self._snapshots: OrderedDict[int, tuple[Any, torch.Tensor]] = OrderedDict()

    def _on_processor(self, precision: str) -> Engine:
        quick = precision != "float32" and recurrence_int8.fits(self._network.config)
        return (recurrence_int8.FastRecurrence if quick else Recurrence)(self._network, self._genre_strength)

    def _on_card(self, device: Device, precision: str) -> StaticRecurrence:
        sampling = self.sampling or Sampling()
        with device.active():
            network = copy.deepcopy(self._network).to(device.where)
        engine = StaticRecurrence(
            network, self._genre_strength, device, half=precision != "float32",
            sharpness={name: sampling.of(name) for name in network.config.attributes}, sizes=LIVE_SIZES,
            steering=Steering(device.where),
        )  # fmt: skip
        engine.reserve(KEPT_SNAPSHOTS + SPARE_SNAPSHOTS)
        return engine

    def _fall_back(self, error: DeviceLost) -> None:
        """Go on with the processor; what the card knew of the music is read again."""
        self.recurrence = self._on_processor("auto")
        self._snapshots.clear()
        log.warning("the graphics card cannot be used any more (%s); the processor composes from here on", error)

    def _decoder(self, *, weigh_forced: bool = False) -> Decoder:
        if isinstance(self.recurrence, StaticRecurrence):
            return RowDecoder(self.recurrence, self.sampling, weigh_forced=weigh_forced, on_rows=self.step)
        return Decoder(self.recurrence, self.sampling, weigh_forced=weigh_forced, on_rows=self.step)

    @classmethod
    def create(cls, options: ComposerOptions) -> CmtComposer:
        """As `load`. Raises UsageError also where another package's leaning cannot be loaded."""
        kinds()
        return cls.load(options.checkpoint, options.device, options.threads)

    @classmethod
    def load(cls, path: Path | None = None, device: str = "auto", threads: int | None = None) -> CmtComposer:
        """Load a checkpoint (None: the shipped one) for "cpu", "cuda" or "auto", the GPU where there is one.

        threads: processor threads of a float32 network, 1 by default; eight-bit weights always take one.

        Raises InputError for a damaged checkpoint, MissingError where the GPU asked for is not there.
        """
        if device not in ("auto", "cpu", "cuda"):
            raise UsageError(f"there is no device {device}; choose auto, cpu or cuda")
        if device == "cuda" and not torch.cuda.is_available():
            raise MissingError("this machine has no CUDA GPU that torch can use; use --device cpu")
        on_card = device != "cpu" and torch.cuda.is_available()
        if on_card and (names := untold()):
            if device == "cuda":
                raise UsageError(f"the leaning {names[0]} cannot be used on a graphics card; use --device cpu")
            log.warning("the leaning %s cannot be used on a graphics card; the processor composes", names[0])
            on_card = False
        torch.set_num_threads(1)  # sums are rounded by how they are shared out, and weights to eight bits after that
        loaded = checkpoint.load(path)
        try:
            composer = cls(loaded, device=Graphs() if on_card else None)
        except DeviceLost as error:
            composer = cls(loaded)
            log.warning("the graphics card cannot be used (%s); the processor composes", error)
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
        Raises UsageError where the checkpoint does not know the plan's genre.
        """
        self._check(plan)
        written = list(history)
        while True:
            try:
                for bar in self._stream(plan, seed, tuple(written), weigh_forced):
                    written.append(bar)
                    yield bar
                return
            except DeviceLost as error:
                self._fall_back(error)

    def _stream(self, plan: Plan, seed: int, history: Sequence[Bar], weigh_forced: bool) -> Iterator[Bar]:
        decoder = self._decoder(weigh_forced=weigh_forced)
        table = table_of_plan(plan)
        began = time.perf_counter()
        keys = _chain(plan, history)
        run = self._resume(decoder, plan, history, keys)
        draft = _Draft(list(history))
        key = keys[-1]
        behind = self._copy(run)
        for _, bar in decoder.write(run, [_orders(plan, table, seed, draft)]):
            if draft.refused < REMAKES and flaw_of(draft.bars, bar):
                draft.refused += 1
                run.memory, run.hidden = self.recurrence.restore(behind[0]), behind[1].clone()
                continue
            draft.accept(bar)
            key = _link(key, bar)
            behind = self._keep(key, run)
            self._count(decoder, len(draft.bars) - len(history), time.perf_counter() - began)
            paused = time.perf_counter()
            yield bar
            began += time.perf_counter() - paused

    def account(self, plan: Plan, seed: int, bars: Sequence[Bar]) -> Account:
        """Whether the weights knew what they were told."""
        if not plan.harmony or CHORD_COLUMN in self.conditions:
            return Account()
        return Account((f"the checkpoint {self.name} was trained without chords and mood: it is led to the planned "
                        "chords, and not told of them",))  # fmt: skip

    def forget(self, plan: Plan, bars: Sequence[Bar], kept: int) -> None:
        """As `Composer.forget`: what is known behind the last bar is found by the shorter history too."""
        known = self._snapshots.pop(_chain(plan, bars)[-1], None)
        if known is not None:
            self._snapshots[_chain(plan, bars[-kept:])[-1]] = known

    def takes(self, plan: Plan, seeds: Sequence[int], on_bar: Callable[[Bar], None] | None = None) -> list[list[Bar]]:
        """One whole take for each seed, decoded together, so that they share the cost of reading the weights.

        on_bar: called with each bar of any take as it comes.
        """
        began, takes = time.perf_counter(), [list[Bar]() for _ in seeds]
        for place, bar in self.together(plan, seeds):
            takes[place].append(bar)
            if on_bar:
                on_bar(bar)
        stats = self.stats
        for seed, take in zip(seeds, takes, strict=True):
            flawed = next((at for at, bar in enumerate(take) if flaw_of(take[:at], bar)), None)
            if flawed is not None:
                take[flawed:] = self.stream(plan, seed, take[:flawed])
        self.stats = replace(stats, seconds=time.perf_counter() - began)
        return takes

    def together(self, plan: Plan, seeds: Sequence[int]) -> Iterator[tuple[int, Bar]]:
        """As `Composer.together`, decoded side by side; on the processor, one after another, if the card goes away."""
        self._check(plan)
        written = [list[Bar]() for _ in seeds]
        try:
            for place, bar in self._together(plan, seeds):
                written[place].append(bar)
                yield place, bar
        except DeviceLost as error:
            self._fall_back(error)
            for place, seed in enumerate(seeds):
                for bar in self.stream(plan, seed, written[place]):
                    yield place, bar

    def _together(self, plan: Plan, seeds: Sequence[int]) -> Iterator[tuple[int, Bar]]:
        decoder = self._decoder()
        table = table_of_plan(plan)
        began = time.perf_counter()
        run = decoder.start(init_rows(plan.genre, plan.instruments), table[0], len(seeds))
        drafts = [_Draft() for _ in seeds]
        pieces = [_orders(plan, table, seed, draft) for seed, draft in zip(seeds, drafts, strict=True)]
        for place, bar in decoder.write(run, pieces):
            drafts[place].accept(bar)
            self._count(decoder, sum(len(draft.bars) for draft in drafts), time.perf_counter() - began)
            yield place, bar

    def regenerate(
        self, plan: Plan, bars: Sequence[Bar], first_bar: int, last_bar: int,
        instruments: Sequence[int] | None = None, seed: int = 0, candidates: int = CANDIDATES,
    ) -> list[Bar]:  # fmt: skip
        """The piece with bars first_bar..last_bar (inclusive) written again, the others as they are.

        instruments: only these get new notes; the notes of the others stay, and the new ones hear them. None: all.
        candidates: written side by side; the one stays that the following bars like best.
        Raises UsageError for bars outside the piece or an instrument that the plan does not hold.
        """
        self._check(plan)
        check_regenerate(plan, bars, first_bar, last_bar, instruments)
        free = tuple(plan.instruments if instruments is None else sorted(set(instruments)))
        try:
            return self._regenerate(plan, bars, range(first_bar, last_bar + 1), free, seed, candidates)
        except DeviceLost as error:
            self._fall_back(error)
            return self._regenerate(plan, bars, range(first_bar, last_bar + 1), free, seed, candidates)

    def _regenerate(
        self, plan: Plan, bars: Sequence[Bar], passage: range, free: tuple[int, ...], seed: int, candidates: int
    ) -> list[Bar]:  # fmt: skip
        first_bar, last_bar = passage[0], passage[-1]
        decoder = self._decoder()
        table = table_of_plan(plan)
        history = bars[:first_bar]
        run = self._resume(decoder, plan, history, _chain(plan, history))
        after = range(last_bar + 1, min(last_bar + 1 + FOLLOWING_BARS, len(bars)))
        streams = max(1, candidates) if after else 1
        run = decoder.multiply(run, streams, table[first_bar])
        written = [list(history) for _ in range(streams)]

        def orders(number: int) -> Iterator[BarOrder]:
            for index in passage:
                leanings = leanings_of(Here(plan, index, written[number], True, bars[index]))
                task = replace(task_of(plan, index, free, bars[index]), leanings=leanings)
                yield BarOrder(task, table[index + 1], default_rng([seed, index, 1, number]))

        for number, bar in decoder.write(run, [orders(number) for number in range(streams)]):
            written[number].append(bar)
        liked = np.zeros(streams)
        for index in after if streams > 1 else ():
            liked += decoder.weigh_bar(run, bars[index], index, table[index + 1])
        return [*written[int(liked.argmax())], *bars[last_bar + 1 :]]

    def around(
        self, plan: Plan, standing: Sequence[Bar], instruments: Sequence[int], seed: int, history: Sequence[Bar]
    ) -> Iterator[Bar]:  # fmt: skip
        """The bars `standing`, which come after `history`, with notes of `instruments` written to what they hold."""
        self._check(plan)
        written = list(history)
        try:
            for bar in self._around(plan, standing, instruments, seed, history):
                written.append(bar)
                yield bar
        except DeviceLost as error:
            self._fall_back(error)
            yield from self._around(plan, standing[len(written) - len(history) :], instruments, seed, written)

    def _around(
        self, plan: Plan, standing: Sequence[Bar], instruments: Sequence[int], seed: int, history: Sequence[Bar]
    ) -> Iterator[Bar]:  # fmt: skip
        decoder, table, written = self._decoder(), table_of_plan(plan), list(history)
        keys = _chain(plan, history)
        run, key = self._resume(decoder, plan, history, keys), keys[-1]

        def orders() -> Iterator[BarOrder]:
            for bar in standing:
                leanings = leanings_of(Here(plan, bar.index, written, anew=True))
                task = replace(task_of(plan, bar.index, instruments, bar), leanings=leanings)
                yield BarOrder(task, table[bar.index + 1], default_rng([seed, bar.index, 2]))

        for _, bar in decoder.write(run, [orders()]):
            written.append(bar)
            key = _link(key, bar)
            self._keep(key, run)
            yield bar

    def _check(self, plan: Plan) -> None:
        if plan.genre not in self.genres:
            raise UsageError(
                f"the checkpoint {self.name} was not trained on {plan.genre} music; choose another genre "
                f"({', '.join(self.genres)}) or another checkpoint"
            )

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

    def _copy(self, run: Run) -> tuple[Any, torch.Tensor]:
        return self.recurrence.snapshot(run.memory), run.hidden.clone()

    def _keep(self, key: int, run: Run) -> tuple[Any, torch.Tensor]:
        kept = self._snapshots[key] = self._copy(run)
        self._snapshots.move_to_end(key)
        while len(self._snapshots) > KEPT_SNAPSHOTS:
            self._snapshots.popitem(last=False)
        return kept

    def _count(self, decoder: Decoder, bars: int, seconds: float) -> None:
        pressure = {name: value / max(1, bars) for name, value in decoder.tally.pressure.items()}
        self.stats = Stats(decoder.tally.rows, seconds, bars, pressure)


@dataclass
class _Draft:
    """The bars accepted so far, and how often the present one was refused."""

    bars: list[Bar] = field(default_factory=list)
    refused: int = 0

    def accept(self, bar: Bar) -> None:
        self.bars.append(bar)
        self.refused = 0


def _orders(plan: Plan, table: Table, seed: int, draft: _Draft) -> Iterator[BarOrder]:
    """The bars still to be written, each asked for when all before it are in the draft."""
    while (index := len(draft.bars)) < len(plan.bars):
        task = replace(task_of(plan, index), leanings=leanings_of(Here(plan, index, draft.bars)))
        yield BarOrder(task, table[index + 1], default_rng([seed, index, draft.refused]))


def task_of(plan: Plan, index: int, instruments: Sequence[int] | None = None, standing: Bar | None = None) -> BarTask:
    """What the plan asks of a bar. With `standing`, the notes of all but `instruments` in it are kept as they are."""
    bar = plan.bars[index]
    players = plan.instruments if bar.instruments is None else bar.instruments
    anew = set(plan.instruments if instruments is None else instruments)
    kept = () if standing is None else tuple(note for note in standing.notes if note.instrument not in anew)
    scored = tuple(note for note in bar.scored if note.instrument in anew)
    return BarTask(
        index,
        tuple(sorted(anew & set(players))),
        plan.end_tick - index * TICKS_PER_BAR,
        bar.density,
        dict(bar.required),
        tuple(sorted(kept + scored)),
        closed=frozenset(bar.closed),
        entries=frozenset(bar.entries),
        stops=_stops(plan, index),
        caps=dict(bar.caps),
    )


def _stops(plan: Plan, index: int) -> tuple[int, ...]:
    """Ticks from the bar's start at which held notes end, as far on as a note can last."""
    near = plan.bars[index : index + 1 + LONGEST_BARS]
    return tuple(tick + TICKS_PER_BAR * ahead for ahead, bar in enumerate(near) for tick in bar.stops)


def _chain(plan: Plan, bars: Sequence[Bar]) -> list[int]:
    """A key before the first bar and behind each bar: equal keys mean the same music so far, asked for alike."""
    keys = [hash((plan.genre, plan.instruments))]
    for bar in bars:
        keys.append(_link(keys[-1], bar))
    return keys


def _link(key: int, bar: Bar) -> int:
    return hash((key, bar.notes))
