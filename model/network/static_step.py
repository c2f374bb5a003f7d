"""One row of music as a chain of kernels with nothing between them: drawn from the hidden vectors, read, remembered.

Everything that a step reads and writes lies at fixed addresses (`Buffers`), and no value is looked at on the way, so
that a device may record the chain once and launch it as a whole. What a class may be, and how welcome it is, is said by
a `Steering` in nats, minus infinity where it is not allowed; this file knows ids only. Shapes: N streams, d the
network's width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from hitpoint.model.music import tokens
from hitpoint.model.network import conditions
from hitpoint.model.network.attention import LocalAttention, State, rotation
from hitpoint.model.network.device import Device
from hitpoint.model.network.network import CHAIN, Network

IDLE, BAR, ONSET, NOTE, TURN = range(5)
"""What comes next in a stream: nothing more of this bar; a row whose density, whose instrument and strength, or whose
pitch, length and velocity are drawn, if they are not known; or, behind a bar's row and a simu-note's last, the beat."""
STAGE, TICK, LOCKED, NOTES, TIME = range(5)
"""Columns of a steering's state that others know: what comes next, the tick reached, the notes of its simu-note that
stand already, those still to come, and the time of the row in ticks."""
FIRST, SECOND, THIRD, BEAT = range(4)
ROW = len(tokens.FIELDS)
PRESSURE, FREE, STATE, OUT = ROW + 1, ROW + 5, ROW + 9, ROW + 13
"""Columns of `out`: the row; the beat drawn behind it; from PRESSURE on the masks' pressure on each of the four that
may be drawn, from FREE on whether there was a choice, so that a draw was used up; from STATE on the first four columns
of the state."""
TINY = torch.finfo(torch.float32).tiny
SILENT_VELOCITY = 11
"""Where a network does not predict velocity: 84, near CMT's constant 80."""
SLOTS = 8
"""Streams that can be told of a bar without waiting."""
Told = Mapping[str, Tensor]
"""What a steering knows of the streams, by the names of its `told`, (N, numbers) each."""


class Steering(Protocol):
    """What leads the writing of streams: kernels on what it was told, which look at no value.

    told: name -> (numbers a stream, kind); "state" is among them, with the columns above.
    """

    told: Mapping[str, tuple[int, torch.dtype]]

    def open(self, told: Told) -> Tensor:
        """The rows (N, 8) that come next as far as they are known; their TIME is written into the state."""

    def drawing(self, told: Told, stage: int) -> Tensor:
        """(N,): which streams draw a row of this kind."""

    def uniform(self, told: Told) -> Tensor:
        """(N, 1): the next random number in 0..1 of each stream."""

    def used(self, told: Told, draws: Tensor) -> None:
        """(N,): whether it was used up."""

    def densities(self, told: Told) -> Tensor:
        """Nats (N, classes)."""

    def instruments(self, told: Told) -> Tensor:
        """Nats (N, classes)."""

    def strengths(self, told: Told, player: Tensor) -> Tensor:
        """Nats (N, classes) for the instruments drawn (N,)."""

    def pitches(self, told: Told) -> Tensor:
        """Nats (N, classes)."""

    def durations(self, told: Told, pitch: Tensor) -> Tensor:
        """Nats (N, classes) for the pitches drawn (N,)."""

    def velocities(self, told: Told) -> Tensor:
        """Nats (N, classes)."""

    def settle(self, told: Told, row: Tensor, onsets: bool, notes: bool) -> None:
        """The rows (N, 8) are whole. onsets, notes: whether any may be among them."""

    def beats(self, told: Told) -> tuple[Tensor, Tensor]:
        """Nats (N, classes), and whether a beat may come at all (N,)."""

    def due(self, told: Told) -> Tensor:
        """(N,): which streams draw the beat of their next row now."""

    def turn(self, told: Told, beat: Tensor) -> None:
        """The beats (N,) that are due are drawn."""


@dataclass
class Buffers:
    """The fixed memory of N streams, on the device and, for what goes to and fro, on the host.

    hidden (N, d): behind the last rows. states: one a layer. bars: what the bar's condition adds, (N, d) a layer.
    table (N, columns): the condition itself. told: what the steering knows. row (N, 8), time (N,) in ticks: as it is
    read. out (N, OUT), and out_here on the host. here, there: what the host says, on the host and on the device: "rows"
    (N, 9): rows that stand already, and their time; "incoming" (N, columns), "entering" (N, 1): conditions that come
    into force. slots: what the steering is told of one stream, on the host and on the device, and "stream" (1,), its
    number.
    """

    hidden: Tensor
    states: list[State]
    bars: list[Tensor]
    table: Tensor
    told: dict[str, Tensor]
    row: Tensor
    time: Tensor
    out: Tensor
    here: dict[str, Tensor]
    there: dict[str, Tensor]
    slots: list[tuple[dict[str, Tensor], dict[str, Tensor]]]
    out_here: Tensor

    @classmethod
    def make(cls, network: Network, streams: int, device: Device, steering: Steering | None) -> Buffers:
        """For so many streams, all zero."""
        d = network.config.d_model
        shapes = {"rows": (ROW + 1, torch.int64), "incoming": (len(conditions.NAMES), torch.int64)}
        shapes |= {"entering": (1, torch.bool)}
        host, card = {}, {}
        for name, (width, dtype) in shapes.items():
            host[name], card[name] = (make(streams, width, dtype=dtype) for make in (device.host, device.zeros))
        with device.active():
            states = [block.attention.start(streams) for block in network.layers]
        for number, block in enumerate(network.layers):
            if isinstance(block.attention, LocalAttention):
                states[number] = (*states[number][:2], device.zeros(streams, dtype=torch.int64))
        told = {} if steering is None else dict(steering.told)
        slots = []
        for _ in range(min(streams, SLOTS) if told else 0):
            pair = [
                {name: make(1, width, dtype=dtype) for name, (width, dtype) in told.items()}
                | {"stream": make(1, dtype=torch.int64)}
                for make in (device.host, device.zeros)
            ]
            slots.append((pair[0], pair[1]))
        return cls(
            device.zeros(streams, d), states, [device.zeros(streams, d) for block in network.layers if block.condition],
            device.zeros(streams, len(conditions.NAMES), dtype=torch.int64),
            {name: device.zeros(streams, width, dtype=dtype) for name, (width, dtype) in told.items()},
            device.zeros(streams, ROW, dtype=torch.int64), device.zeros(streams, dtype=torch.int64),
            device.zeros(streams, OUT), host, card, slots, device.host(streams, OUT),
        )  # fmt: skip

    def remembered(self) -> list[Tensor]:
        """What makes the streams what they are, in a fixed order: N first in every shape."""
        parts = [*(part for state in self.states for part in state), *self.bars, self.table, self.hidden]
        return [*parts, *self.told.values()]


class Step:
    """The kernels of a step, for one network; `Buffers` of any number of streams."""

    def __init__(
        self, network: Network, genre_strength: float, sharpness: Mapping[str, tuple[float, float]],
        steering: Steering | None,
    ) -> None:  # fmt: skip
        """sharpness: temperature and nucleus of each attribute."""
        self.network, self.config = network, network.config
        self.steering = steering
        self._genre_strength = genre_strength
        where = network.norm.weight.device
        self._sharpness = {
            name: (torch.tensor(temperature, device=where), nucleus)
            for name, (temperature, nucleus) in sharpness.items()
        }
        self._folded = network.embedding.folded()
        self._initial = network.guided_initials(genre_strength)
        self._told: dict[tuple[str, str], Tensor] = {}
        if self.config.head == "chained":
            for attribute in self.config.attributes:
                weight = network.heads.first(attribute).weight
                for name in CHAIN[attribute]:
                    told = network.heads.told(name).weight
                    self._told[attribute, name] = (told.to(weight.dtype) @ weight.T).float()

    def logits(self, hidden: Tensor, attribute: str, known: Mapping[str, Tensor]) -> Tensor:
        """hidden (n, d), known: attribute -> classes (n,). Returns logits (n, classes)."""
        heads = self.network.heads
        if self.config.head == "parallel":
            return heads(hidden, attribute, dict(known)).float()  # type: ignore[no-any-return]
        inner = heads.first(attribute)(hidden)
        for name in CHAIN[attribute]:
            inner = inner + F.embedding(known[name], self._told[attribute, name])
        return heads.second(attribute)(F.gelu(inner)).float()  # type: ignore[no-any-return]

    def enter(self, b: Buffers) -> None:
        """The conditions of the streams that enter a bar come into force."""
        for name in ("incoming", "entering"):
            b.there[name].copy_(b.here[name], non_blocking=True)
        entering, incoming = b.there["entering"], b.there["incoming"]
        b.table.copy_(torch.where(entering, incoming, b.table))
        if not self.config.conditioned:
            return
        vectors = self.network.guided_vectors(incoming, self._genre_strength)
        layers = [block.condition for block in self.network.layers if block.condition is not None]
        for kept, condition in zip(b.bars, layers, strict=True):
            kept.copy_(torch.where(entering, condition(vectors), kept))

    def tell(self, b: Buffers, slot: int) -> None:
        """The steering is told of one stream's next bar."""
        here, there = b.slots[slot]
        for name, values in there.items():
            values.copy_(here[name], non_blocking=True)
        for name, values in b.told.items():
            values.index_copy_(0, there["stream"], there[name])

    def take(self, b: Buffers) -> None:
        """Fetch rows that stand already."""
        rows = b.there["rows"]
        rows.copy_(b.here["rows"], non_blocking=True)
        b.row.copy_(rows[:, :ROW])
        b.time.copy_(rows[:, ROW])

    def draw(self, b: Buffers, kinds: tuple[int, ...]) -> None:
        """Draw the next rows, of which no others than `kinds` are to be drawn."""
        assert self.steering is not None
        b.out.zero_()
        b.row.copy_(self.steering.open(b.told))
        b.time.copy_(b.told["state"][:, TIME])
        for kind, part in ((BAR, self._density), (ONSET, self._onset), (NOTE, self._note)):
            if kind in kinds:
                part(b, self.steering, self.steering.drawing(b.told, kind))
        alone = len(b.row) == 1  # then nobody else's row is of another kind
        self.steering.settle(b.told, b.row, ONSET in kinds, not (alone and ONSET in kinds))
        self._say(b)

    def beat(self, b: Buffers) -> None:
        """Draw the beat of the row after the one just read, where one is due."""
        assert self.steering is not None
        nats, possible = self.steering.beats(b.told)
        due = self.steering.due(b.told)
        known = {"type": torch.full_like(b.time, tokens.RHYTHM)}
        value = self._draw(b, "beat", nats, known, due & possible, BEAT)
        b.out[:, ROW].copy_(value)
        self.steering.turn(b.told, value)
        self._say(b)

    def _say(self, b: Buffers) -> None:
        b.out[:, :ROW].copy_(b.row)
        b.out[:, STATE:].copy_(b.told["state"][:, : OUT - STATE])

    def _density(self, b: Buffers, steering: Steering, active: Tensor) -> None:
        rhythm, line = torch.full_like(b.time, tokens.RHYTHM), torch.full_like(b.time, tokens.BAR_LINE)
        nats = steering.densities(b.told)
        value = self._draw(b, "density", nats, {"type": rhythm, "beat": line}, active, FIRST)
        self._write(b, "density", value, active)

    def _onset(self, b: Buffers, steering: Steering, active: Tensor) -> None:
        known = {"type": torch.full_like(b.time, tokens.RHYTHM), "beat": b.row[:, tokens.BEAT]}
        player = self._draw(b, "instrument", steering.instruments(b.told), known, active, FIRST)
        self._write(b, "instrument", player, active)
        known["instrument"] = player
        nats = steering.strengths(b.told, player)
        self._write(b, "strength", self._draw(b, "strength", nats, known, active, SECOND), active)

    def _note(self, b: Buffers, steering: Steering, active: Tensor) -> None:
        known = {"type": torch.full_like(b.time, tokens.NOTE)}
        known["pitch"] = self._draw(b, "pitch", steering.pitches(b.told), known, active, FIRST)
        self._write(b, "pitch", known["pitch"], active)
        nats = steering.durations(b.told, known["pitch"])
        known["duration"] = self._draw(b, "duration", nats, known, active, SECOND)
        self._write(b, "duration", known["duration"], active)
        velocity = torch.full_like(b.time, SILENT_VELOCITY)
        if self.config.velocity:
            velocity = self._draw(b, "velocity", steering.velocities(b.told), known, active, THIRD)
        self._write(b, "velocity", velocity, active)

    def read(self, b: Buffers) -> None:
        """Read the rows: states and hidden vectors go on by one."""
        network = self.network
        clock = b.time[:, None]
        x = network.embedding.looked_up(b.row, self._folded, self._initial)[:, None]
        if not self.config.conditioned:
            x = x + network.positions(clock, b.table[:, None])
        turn = rotation(clock, self.config.d_model // self.config.heads)
        for number, (block, state) in enumerate(zip(network.layers, b.states, strict=True)):
            if b.bars:
                x = x + b.bars[number][:, None]
            x = x + block.attention.advance(block.norm1(x), turn, state)
            x = x + block.feed_forward(block.norm2(x))
        b.hidden.copy_(network.norm(x)[:, 0])

    def _draw(
        self, b: Buffers, attribute: str, nats: Tensor, known: Mapping[str, Tensor], active: Tensor, column: int
    ) -> Tensor:  # fmt: skip
        """One attribute of all streams: (N,) classes; pressures and choices are noted for those that are active."""
        assert self.steering is not None
        logits = self.logits(b.hidden, attribute, known)
        temperature, nucleus = self._sharpness[attribute]
        value, pressure, free = drawn(logits, nats, temperature, nucleus, self.steering.uniform(b.told))
        used = free & active
        self.steering.used(b.told, used)
        b.out[:, PRESSURE + column].copy_(torch.where(active, pressure, b.out[:, PRESSURE + column]))
        b.out[:, FREE + column].add_(used)
        return value

    def _write(self, b: Buffers, attribute: str, value: Tensor, active: Tensor) -> None:
        field = tokens.FIELDS.index(attribute)
        b.row[:, field].copy_(torch.where(active, value, b.row[:, field]))


def drawn(
    logits: Tensor, nats: Tensor, temperature: Tensor, nucleus: float, uniform: Tensor
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """One class a row: (n,) classes, (n,) pressures in nats, (n,) whether there was a choice at all.

    logits, nats (n, classes): minus infinity where not allowed; uniform (n, 1) in 0..1, float64. The same as `choose`
    of the composer, which does it on the host: the nucleus is taken among the allowed classes, the pressure is that of
    the network's own logits.
    """
    allowed = nats > float("-inf")
    mass = (logits - logits.amax(dim=1, keepdim=True)).exp()
    pressure = mass.sum(dim=1).log() - ((mass * allowed).sum(dim=1) + TINY).log()
    within = logits + nats
    weight = ((within - within.amax(dim=1, keepdim=True)) / temperature).exp()
    ordered, order = weight.sort(dim=1, descending=True, stable=True)
    cumulative = ordered.cumsum(dim=1)
    last = (cumulative < nucleus * cumulative[:, -1:]).sum(dim=1, keepdim=True)
    aim = uniform * cumulative.gather(1, last)
    picked = torch.minimum((cumulative <= aim).sum(dim=1, keepdim=True), last)
    return order.gather(1, picked)[:, 0], pressure, allowed.sum(dim=1) > 1
