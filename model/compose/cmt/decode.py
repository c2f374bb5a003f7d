"""From the network's logits to rows: masked, renormalised, sampled. Several streams advance in lockstep.

Each stream is a writer (`grammar.write_bar`) that asks for one attribute after another. What a mask takes away is
measured as mask pressure, -log of the probability it leaves, in nats: low when the network had understood the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hitpoint.model.compose.cmt.grammar import Ask, BarTask, Row, Writer, write_bar
from hitpoint.model.music.score import TICKS_PER_BAR, Bar
from hitpoint.model.music.tokens import BAR_LINE, BEAT, FIELDS, Rows, encode, notes_of
from hitpoint.model.network.conditions import Table
from hitpoint.model.network.network import CHAIN, NetworkConfig, counting_rows


@dataclass(frozen=True)
class Sampling:
    """Temperature and nucleus (top-p, Holtzman et al. 2020) of each attribute; `other` where an attribute is absent."""

    temperature: dict[str, float] = field(default_factory=lambda: {"pitch": 0.95, "velocity": 0.9})
    # A rest among dense onsets is unlikely at each single tick: a narrow nucleus would never leave one.
    nucleus: dict[str, float] = field(
        default_factory=lambda: {"beat": 0.98, "density": 0.9, "pitch": 0.95, "velocity": 0.85}
    )
    other_temperature: float = 0.85
    other_nucleus: float = 0.98

    def of(self, attribute: str) -> tuple[float, float]:
        """Temperature and nucleus of an attribute."""
        temperature = self.temperature.get(attribute, self.other_temperature)
        return temperature, self.nucleus.get(attribute, self.other_nucleus)


@dataclass
class Tally:
    """What decoding cost: rows read, and the mask pressure by attribute in nats."""

    rows: int = 0
    pressure: dict[str, float] = field(default_factory=dict)


_NEVER, _TINY = np.float32(-np.inf), np.finfo(np.float32).tiny


def choose(
    logits: NDArray[np.float32], masks: NDArray[np.bool_], leans: Sequence[Mapping[int, float]],
    temperature: float, nucleus: float, draws: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:  # fmt: skip
    """One class a row under the masks, and the masks' pressures in nats.

    logits, masks (n, classes); leans (n): nats added to some classes; draws (n,): uniform in 0..1. The nucleus is taken
    among the allowed classes; the pressure is that of the network's own logits, and at most 87.
    """
    mass = np.exp(logits - np.maximum.reduce(logits, axis=1, keepdims=True))
    pressure = np.log(np.add.reduce(mass, axis=1)) - np.log(np.add.reduce(mass * masks, axis=1) + _TINY)
    within = np.where(masks, logits, _NEVER)
    for row, lean in enumerate(leans):
        if lean:
            within[row, list(lean)] += np.array(list(lean.values()), np.float32)
    within -= np.maximum.reduce(within, axis=1, keepdims=True)
    weight = np.exp(within / np.float32(temperature))
    order = np.argsort(-weight, axis=1, kind="stable")
    number = np.arange(len(logits))
    cumulative = weight[number[:, None], order].cumsum(axis=1)
    last = (cumulative < nucleus * cumulative[:, -1:]).sum(axis=1)
    aim = draws * cumulative[number, last]
    picked = np.minimum((cumulative <= aim[:, None]).sum(axis=1), last)
    return order[number, picked], pressure


class BarOrder(NamedTuple):
    """One bar to be written: its task, its condition (columns,), the source of its random draws, and its grammar."""

    task: BarTask
    condition: Table
    draws: np.random.Generator
    writer: Callable[[BarTask], Writer] = write_bar


class Engine(Protocol):
    """What decoding needs of a network: `Recurrence` on any device, `FastRecurrence` on a processor.

    The memory of streams and the snapshots are the engine's own; nobody else looks into them.
    """

    @property
    def config(self) -> NetworkConfig:
        """The network's sizes and choices."""

    @property
    def precision(self) -> str:
        """float32 or int8."""

    def start(self, streams: int) -> Any:
        """Memory before any row."""

    def enter_bar(self, memory: Any, table: NDArray[np.int16], stream: int | None = None) -> None:
        """From the next row on a condition holds: table (N, columns) for all streams, or (1, columns) for one."""

    def advance(self, memory: Any, rows: NDArray[np.int64], time: NDArray[np.int64]) -> Tensor:
        """Read one row a stream: rows (N, 8), time (N,) ticks. Returns the hidden vectors (N, d)."""

    def logits(self, hidden: Tensor, attribute: str, known: dict[str, list[int]]) -> NDArray[np.float32]:
        """hidden (n, d), known: attribute -> n classes. Returns logits (n, classes)."""

    def snapshot(self, memory: Any, stream: int = 0) -> Any:
        """A copy of one stream's memory."""

    def restore(self, snapshot: Any, streams: int = 1) -> Any:
        """Streams that all go on from one snapshot."""


@dataclass
class Run:
    """Streams under way: their memory and the hidden vectors (N, d) behind their last rows."""

    memory: Any
    hidden: Tensor


class Decoder:
    """Streams that write bars side by side from one network."""

    def __init__(
        self, engine: Engine, sampling: Sampling | None = None, *, weigh_forced: bool = False,
        on_rows: Callable[[int], None] | None = None,
    ) -> None:  # fmt: skip
        """weigh_forced: ask the network also where a mask leaves one class, so that the pressure counts it.

        on_rows: told how many rows were read, each time.
        """
        self.engine, self.on_rows = engine, on_rows
        self.weigh_forced = weigh_forced
        self.sampling = sampling or Sampling()
        self.tally = Tally()

    def start(self, init: Rows, condition: Table, streams: int = 1) -> Run:
        """Read the initial tokens. condition (columns,): what is known before the first bar."""
        memory = self.engine.start(streams)
        self.engine.enter_bar(memory, np.repeat(condition[None], streams, axis=0))
        run = Run(memory, torch.zeros(0))
        for row in init:
            self._read(run, np.repeat(row[None], streams, axis=0), np.zeros(streams, np.int64))
        return run

    def read_bar(self, run: Run, bar: Bar, number: int, condition: Table) -> None:
        """Read a bar that stands already (one stream), as the bar `number` of the piece."""
        encoded = encode(notes_of([bar]), 1, end=False)
        self.engine.enter_bar(run.memory, condition[None])
        for row, tick in zip(encoded.rows, encoded.tick, strict=True):
            self._read(run, row[None], np.array([number * TICKS_PER_BAR + int(tick)]))

    def multiply(self, run: Run, streams: int, condition: Table) -> Run:
        """Streams that all go on from a run of one stream."""
        memory = self.engine.restore(self.engine.snapshot(run.memory), streams)
        self.engine.enter_bar(memory, np.repeat(condition[None], streams, axis=0))
        return Run(memory, run.hidden.expand(streams, -1).clone())

    def weigh_bar(self, run: Run, bar: Bar, number: int, condition: Table) -> NDArray[np.float64]:
        """Read a bar that stands already in all streams; the log-likelihood (N,) in nats that each gave it before."""
        encoded = encode(notes_of([bar]), 1, end=False)
        streams = len(run.hidden)
        found = np.zeros(streams)
        for row, tick in zip(encoded.rows, encoded.tick, strict=True):
            target = torch.from_numpy(row)
            for attribute in self.engine.config.attributes:
                if counting_rows(attribute, target):
                    told = {name: [int(row[FIELDS.index(name)])] * streams for name in CHAIN[attribute]}
                    logits = torch.from_numpy(self.engine.logits(run.hidden, attribute, told))
                    found += logits.log_softmax(dim=-1)[:, int(row[FIELDS.index(attribute)])].numpy()
            if row[BEAT] == BAR_LINE:
                self.engine.enter_bar(run.memory, np.repeat(condition[None], streams, axis=0))
            self._read(run, np.repeat(row[None], streams, axis=0), np.full(streams, number * TICKS_PER_BAR + int(tick)))
        return found

    def write(self, run: Run, pieces: Sequence[Iterator[BarOrder]]) -> Iterator[tuple[int, Bar]]:
        """Write every stream's orders to the end; yields (stream, bar) as each bar is finished.

        While a bar is being yielded the memory of its stream stands just behind its last row.
        """
        streams = [_Stream(orders) for orders in pieces]
        while True:
            for number, stream in enumerate(streams):
                yield from ((number, bar) for bar in stream.finished())
            self._answer(run, streams)
            for number, stream in enumerate(streams):
                yield from ((number, bar) for bar in stream.finished())
            if all(stream.ask is None for stream in streams):
                return
            if all(isinstance(stream.ask, Row | None) for stream in streams):
                self._advance(run, streams)

    def _answer(self, run: Run, streams: Sequence[_Stream]) -> None:
        """Answer one round of questions; alike ones go through the network together."""
        groups: dict[str, list[tuple[int, Ask]]] = {}
        for number, stream in enumerate(streams):
            while isinstance(stream.ask, Ask) and not self.weigh_forced and _forced(stream.ask):
                stream.send(int(stream.ask.mask.argmax()))
            if isinstance(stream.ask, Ask):
                groups.setdefault(stream.ask.attribute, []).append((number, stream.ask))
        for attribute, group in groups.items():
            if attribute not in self.engine.config.attributes:
                for number, _ in group:
                    streams[number].send(CONSTANT_VELOCITY_CLASS)
                continue
            numbers, asks = [number for number, _ in group], [ask for _, ask in group]
            told = {name: [ask.known[name] for ask in asks] for name in asks[0].known}
            hidden = run.hidden if len(numbers) == len(run.hidden) else run.hidden[numbers]
            logits = self.engine.logits(hidden, attribute, told)
            temperature, nucleus = self.sampling.of(attribute)
            draws = np.array([0.0 if _forced(a) else streams[n].order.draws.random() for n, a in group])
            masks, leans = np.stack([ask.mask for ask in asks]), [ask.lean for ask in asks]
            picked, pressure = choose(logits, masks, leans, temperature, nucleus, draws)
            self.tally.pressure[attribute] = self.tally.pressure.get(attribute, 0.0) + float(pressure.sum())
            for number, value in zip(numbers, picked.tolist(), strict=True):
                streams[number].send(value)

    def _advance(self, run: Run, streams: Sequence[_Stream]) -> None:
        """Read the row that each stream has ready. A stream that is through reads end rows that nobody looks at."""
        rows = np.zeros((len(streams), len(FIELDS)), np.int64)
        time = np.zeros(len(streams), np.int64)
        for number, stream in enumerate(streams):
            if not isinstance(stream.ask, Row):
                continue
            rows[number] = stream.ask.values
            time[number] = stream.order.task.index * TICKS_PER_BAR + stream.ask.tick
            if stream.ask.values[BEAT] == BAR_LINE:  # the bar row is the first under its own condition
                self.engine.enter_bar(run.memory, stream.order.condition[None], number)
        self._read(run, rows, time)
        for stream in streams:
            if isinstance(stream.ask, Row):
                stream.send(0)

    def _read(self, run: Run, rows: NDArray[np.int64] | Rows, time: NDArray[np.int64]) -> None:
        self.tally.rows += len(rows)
        if self.on_rows is not None:
            self.on_rows(len(rows))
        run.hidden = self.engine.advance(run.memory, rows.astype(np.int64), time)


class _Stream:
    """A run of orders being written: `ask` is what the present bar's writer waits for, None when all are through."""

    def __init__(self, orders: Iterator[BarOrder]) -> None:
        self.orders = orders
        self.ask: Ask | Row | None = None
        self._done: Bar | None = None
        self._next_order()

    def _next_order(self) -> None:
        order = next(self.orders, None)
        if order is None:
            self.ask = None
            return
        self.order = order
        self.writer = order.writer(order.task)
        self.ask = next(self.writer)

    def send(self, value: int) -> None:
        """Answer the writer; at the end of its bar the bar is kept for `finished`."""
        try:
            self.ask = self.writer.send(value)
        except StopIteration as stop:
            self.ask, self._done = None, stop.value

    def finished(self) -> Iterator[Bar]:
        """The bar that has just been finished, if any; the next one begins after it has been taken."""
        if self._done is not None:
            bar, self._done = self._done, None
            yield bar
            self._next_order()


def _forced(ask: Ask) -> bool:
    return int(np.count_nonzero(ask.mask)) == 1


CONSTANT_VELOCITY_CLASS = 11
"""For networks that do not predict velocity: 84, near CMT's constant 80."""
