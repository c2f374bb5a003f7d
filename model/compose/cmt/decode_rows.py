"""Decoding where the device draws: a row goes there as tables and comes back as classes. The music is `Decoder`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.cmt.decode import BarOrder, Decoder, Run, Sampling
from hitpoint.model.compose.cmt.grammar import write_bar
from hitpoint.model.compose.cmt.rows import Drawn, RowAsk, write_rows
from hitpoint.model.music.score import TICKS_PER_BAR, Bar
from hitpoint.model.music.tokens import BAR_LINE, BEAT, FIELDS
from hitpoint.model.network.static import StaticRecurrence
from hitpoint.model.network.static_step import BAR, FREE, GIVEN, KIND, NEXT, NOTE, ONSET, PRESSURE, TIME

_KINDS = {"density": BAR, "instrument": ONSET, "pitch": NOTE}
DRAWS = 4
"""At most so many uniform draws a row."""


class RowDecoder(Decoder):
    """Streams that write bars side by side, a row at a time, drawn where the network is."""

    engine: StaticRecurrence

    def __init__(
        self, engine: StaticRecurrence, sampling: Sampling | None = None, *, weigh_forced: bool = False,
        on_rows: Callable[[int], None] | None = None,
    ) -> None:  # fmt: skip
        """As `Decoder`; `sampling` is that which the engine was made with."""
        super().__init__(engine, sampling, weigh_forced=weigh_forced, on_rows=on_rows)

    def write(self, run: Run, pieces: Sequence[Iterator[BarOrder]]) -> Iterator[tuple[int, Bar]]:
        """As `Decoder.write`."""
        streams = [_RowStream(orders) for orders in pieces]
        self.engine.place(run.memory, run.hidden)
        while True:
            for number, stream in enumerate(streams):
                if stream.bar is not None:
                    bar, stream.bar = stream.bar, None
                    run.hidden = self.engine.hidden(run.memory)
                    yield number, bar
                    self.engine.place(run.memory, run.hidden)  # both may be others now
                    stream.next_order()
            if all(stream.ask is None for stream in streams):
                run.hidden = self.engine.hidden(run.memory)
                return
            self._row(run, streams)

    def _row(self, run: Run, streams: Sequence[_RowStream]) -> None:
        """One row of every stream. One that is through reads end rows that nobody looks at."""
        for number, stream in enumerate(streams):
            if stream.ask is not None and stream.ask.values[BEAT] == BAR_LINE:
                self.engine.enter_bar(run.memory, stream.order.condition[None], number)
        desk = self.engine.desk(run.memory)
        desk["ints"][:] = 0
        for number, stream in enumerate(streams):
            if stream.ask is not None:
                _lay_out(desk, number, stream, stream.ask)
        found = self.engine.draw(run.memory)
        self.tally.rows += len(streams)
        if self.on_rows is not None:
            self.on_rows(len(streams))
        for stream, row in zip(streams, found, strict=True):
            if stream.ask is not None:
                self._weigh(stream.ask, row)
                stream.send(row)

    def _weigh(self, ask: RowAsk, row: NDArray[np.float32]) -> None:
        """Count the masks' pressure on what was drawn."""
        names = [*enumerate(ask.tables), *([] if ask.beat is None else [(3, "beat")])]
        for column, attribute in names:
            if row[FREE + column] or self.weigh_forced:
                pressure = self.tally.pressure.get(attribute, 0.0) + float(row[PRESSURE + column])
                self.tally.pressure[attribute] = pressure


class _RowStream:
    """A run of orders being written: `ask` is the row that is to be drawn next, `bar` one that has just been finished;
    both None when all are through."""

    def __init__(self, orders: Iterator[BarOrder]) -> None:
        self.orders = orders
        self.ask: RowAsk | None = None
        self.bar: Bar | None = None
        self.next_order()

    def next_order(self) -> None:
        """Begin the next bar, if there is one."""
        order = next(self.orders, None)
        if order is None:
            return
        assert order.writer is write_bar, "rows are drawn by the one grammar"
        self.order, self.draws = order, list(order.draws.random(DRAWS))
        self.writer = write_rows(order.task)
        self.ask = next(self.writer)

    def send(self, row: NDArray[np.float32]) -> None:
        """Answer the writer with a row of the device's."""
        used = int(row[FREE:].sum())
        self.draws[:used] = []
        self.draws += self.order.draws.random(used).tolist()
        first, second, third, beat = (int(each) for each in row[:PRESSURE])
        try:
            self.ask = self.writer.send(Drawn((first, second, third), beat))
        except StopIteration as stop:
            self.ask, self.bar = None, stop.value


def _lay_out(desk: dict[str, NDArray[np.generic]], number: int, stream: _RowStream, ask: RowAsk) -> None:
    """Write what the device needs for a stream's next row."""
    ints = desk["ints"][number]
    ints[: len(FIELDS)] = ask.values
    ints[TIME] = stream.order.task.index * TICKS_PER_BAR + ask.tick
    ints[KIND] = next((_KINDS[name] for name in ask.tables), GIVEN)
    desk["draws"][number] = stream.draws
    for name, table in ask.tables.items():
        desk[name][number] = table
    if ask.beat is not None:
        ints[NEXT] = 1
        desk["beat"][number, : len(ask.beat)] = ask.beat
