"""Decoding where the device draws by itself: it is told of bars, and answers with rows. The music is `Decoder`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.cmt.decode import BarOrder, Decoder, Run, Sampling
from hitpoint.model.compose.cmt.grammar import write_bar
from hitpoint.model.compose.cmt.steering import OWED, told_of
from hitpoint.model.compose.cmt.tables import Teller
from hitpoint.model.music import tokens
from hitpoint.model.music.score import Bar, Note
from hitpoint.model.music.tokens import DURATIONS
from hitpoint.model.network.static import StaticRecurrence
from hitpoint.model.network.static_step import BAR, FREE, IDLE, LOCKED, NOTE, ONSET, OUT, PRESSURE, STATE, TICK

_DRAWN = (
    (BAR, 0, "density"), (ONSET, 0, "instrument"), (ONSET, 1, "strength"), (NOTE, 0, "pitch"), (NOTE, 1, "duration"),
    (NOTE, 2, "velocity"),
)  # fmt: skip
"""Stage, column, attribute."""
_BEAT = 3


class RowDecoder(Decoder):
    """Streams that write bars side by side, drawn where the network is."""

    engine: StaticRecurrence

    def __init__(
        self, engine: StaticRecurrence, sampling: Sampling | None = None, *, weigh_forced: bool = False,
        on_rows: Callable[[int], None] | None = None,
    ) -> None:  # fmt: skip
        """As `Decoder`; `sampling` is that which the engine was made with."""
        super().__init__(engine, sampling, weigh_forced=weigh_forced, on_rows=on_rows)
        self._teller = Teller()

    def write(self, run: Run, pieces: Sequence[Iterator[BarOrder]]) -> Iterator[tuple[int, Bar]]:
        """As `Decoder.write`, but where several streams finish a bar with one row, all stand behind it meanwhile."""
        board = _Board(len(pieces))
        orders = [next(piece, None) for piece in pieces]
        self.engine.place(run.memory, run.hidden)
        self._begin(run, board, orders, range(len(pieces)))
        while board.stage.any():
            self._row(run, board)
            finished = board.finished()
            if not finished:
                continue
            self._weigh(board)
            run.hidden = self.engine.hidden(run.memory)
            for number in finished:
                order = orders[number]
                assert order is not None
                yield number, board.bar(number, order)
                orders[number] = next(pieces[number], None)
            self.engine.place(run.memory, run.hidden)  # both may be others now
            self._begin(run, board, orders, finished)
        run.hidden = self.engine.hidden(run.memory)

    def _begin(self, run: Run, board: _Board, orders: Sequence[BarOrder | None], numbers: Sequence[int]) -> None:
        """Tell the device of the bars that these streams begin now."""
        begun = [(number, order) for number in numbers if (order := orders[number]) is not None]
        for number, order in begun:
            assert order.writer is write_bar, "rows are drawn by the one grammar"
            told = told_of(order.task, order.draws, self._teller)
            self.engine.tell(run.memory, number, told)
            board.begin(number, free=int(told["state"][OWED]) < 0)
        if begun:
            conditions = np.stack([order.condition for _, order in begun])
            self.engine.enter_bar(run.memory, conditions, [number for number, _ in begun])

    def _row(self, run: Run, board: _Board) -> None:
        """One row of every stream. One that is through reads end rows that nobody looks at."""
        found = self.engine.draw(run.memory, board.drawn(), board.beat_is_due())
        board.add(found, self.weigh_forced)
        self.tally.rows += len(found)
        if self.on_rows is not None:
            self.on_rows(len(found))

    def _weigh(self, board: _Board) -> None:
        """Count the masks' pressure on what was drawn."""
        pressure, asked = board.weighed()
        for stage, column, attribute in _DRAWN:
            if asked[stage, column]:
                self._felt(attribute, float(pressure[stage, column]))
        if asked[:, _BEAT].any():
            self._felt("beat", float(pressure[:, _BEAT].sum()))

    def _felt(self, attribute: str, pressure: float) -> None:
        self.tally.pressure[attribute] = self.tally.pressure.get(attribute, 0.0) + pressure


class _Board:
    """Where N streams stand, and the rows of their bars so far."""

    def __init__(self, streams: int) -> None:
        self.stage = np.zeros(streams, np.int64)
        self._locked, self._notes = np.zeros(streams, np.int64), np.zeros(streams, np.int64)
        self._free = np.zeros(streams, bool)
        self._streams = np.arange(streams)
        self._rows = np.zeros((64, streams, OUT), np.float32)
        self._count = np.zeros(streams, np.int64)
        self._ended = np.zeros(streams, bool)
        self._clear()

    def _clear(self) -> None:
        self._pressure, self._asked = np.zeros((NOTE + 1, 4)), np.zeros((NOTE + 1, 4))

    def begin(self, number: int, free: bool) -> None:
        """A stream begins a bar; free: whose density is drawn."""
        self.stage[number], self._free[number], self._count[number] = BAR, free, 0

    def drawn(self) -> set[int]:
        """What is drawn in the next rows, among BAR, ONSET and NOTE."""
        known = np.where(self.stage == NOTE, self._locked > 0, (self.stage == BAR) & ~self._free)
        return set(np.where(known, IDLE, self.stage).tolist()) - {IDLE}

    def beat_is_due(self) -> bool:
        """Whether any of the next rows is a bar's, or the last of a simu-note."""
        return bool(((self.stage == BAR) | ((self.stage == NOTE) & (self._notes == 1))).any())

    def add(self, found: NDArray[np.float32], weigh_forced: bool) -> None:
        """Rows (N, OUT) that came back."""
        if self._count.max() == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._count, self._streams] = found
        self._count += 1
        pressure, free = found[:, PRESSURE:FREE], found[:, FREE:STATE]
        stage = np.eye(NOTE + 1)[self.stage]
        self._pressure += stage.T @ (pressure if weigh_forced else pressure * free)
        self._asked += stage.T @ (free + (pressure > 0) * weigh_forced)
        before = self.stage
        self.stage, _, self._locked, self._notes = found[:, STATE:].T.astype(np.int64)
        self._ended = (before != IDLE) & (self.stage == IDLE)
        self._count[self.stage == IDLE] *= self._ended[self.stage == IDLE]  # who is through keeps nothing

    def finished(self) -> list[int]:
        """Streams whose bar ended with the last row."""
        return [int(number) for number in np.flatnonzero(self._ended)]

    def weighed(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The masks' pressure by stage and column, and how often it was asked for, since the last call."""
        found = self._pressure, self._asked
        self._clear()
        return found

    def bar(self, number: int, order: BarOrder) -> Bar:
        """The bar that a stream has just finished."""
        rows = self._rows[: self._count[number], number].astype(np.int64)
        rows = rows[rows[:, tokens.TYPE] == tokens.NOTE]
        self._count[number] = 0
        places = {(note.tick, note.instrument) for note in order.task.locked}
        standing = {at: iter([n for n in order.task.locked if (n.tick, n.instrument) == at]) for at in places}
        columns = [STATE + TICK, tokens.INSTRUMENT, tokens.PITCH, tokens.DURATION, tokens.VELOCITY, STATE + LOCKED]
        notes = [
            next(standing[tick, player - 1])
            if locked
            else Note(tick, player - 1, pitch - 1, DURATIONS[duration - 1], tokens.velocity_of(velocity))
            for tick, player, pitch, duration, velocity, locked in rows[:, columns].tolist()
        ]
        return Bar(order.task.index, tuple(sorted(notes)))
