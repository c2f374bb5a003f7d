"""One row of music as a chain of kernels with nothing between them: drawn from the hidden vectors, read, remembered.

Everything that a step reads and writes lies at fixed addresses (`Buffers`), and no value is looked at on the way, so
that a device may record the chain once and launch it as a whole. What a class may be, and how welcome it is, comes in
as tables of nats, minus infinity where it is not allowed; this file knows ids only. Shapes: N streams, d the network's
width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hitpoint.model.music import tokens
from hitpoint.model.network import conditions
from hitpoint.model.network.attention import LocalAttention, State, rotation
from hitpoint.model.network.device import Device
from hitpoint.model.network.network import CHAIN, Network

SIZE = dict(zip(tokens.FIELDS, tokens.SIZES, strict=True))
GIVEN, BAR, ONSET, NOTE = range(4)
"""Kinds of rows: read as it is; its density is drawn; its instrument and strength; its pitch, length and velocity."""
TIME, KIND, NEXT = range(len(tokens.FIELDS), len(tokens.FIELDS) + 3)
"""Columns of `ints` behind the row's own; NEXT: whether the beat of the row after it is to be drawn."""
FIRST, SECOND, THIRD, BEAT = range(4)
PRESSURE, FREE, OUT = 4, 8, 12
"""Columns of `out`: the four classes that may be drawn; from PRESSURE on the masks' pressure on each of them, from FREE
on whether there was a choice, so that a draw was used up; and how many columns that makes."""
TABLES: Mapping[str, tuple[int, ...]] = {
    "density": (SIZE["density"],),
    "instrument": (SIZE["instrument"],),
    "strength": (SIZE["instrument"], SIZE["strength"]),
    "pitch": (SIZE["pitch"],),
    "duration": (SIZE["pitch"], SIZE["duration"]),
    "velocity": (SIZE["velocity"],),
    "beat": (SIZE["density"], SIZE["beat"]),
}
"""A strength's table depends on the instrument drawn before it, a duration's on the pitch, a beat's on a density that
was drawn with it (else row 0 holds)."""
TINY = torch.finfo(torch.float32).tiny
SILENT_VELOCITY = 11
"""Where a network does not predict velocity: 84, near CMT's constant 80."""


@dataclass
class Buffers:
    """The fixed memory of N streams, on the device and, for what goes to and fro, on the host.

    hidden (N, d): behind the last rows. states: one a layer. bars: what the bar's condition adds, (N, d) a layer.
    table (N, columns): the condition itself. row (N, 8): as it is read. used (N,): draws used up. out (N, OUT), and
    out_here on the host. here, there: what the host says, on the host and on the device: "ints" (N, 11): row, time in
    ticks, kind, next; "draws" (N, 4): uniform in 0..1; "incoming" (N, columns), "entering" (N, 1): conditions that come
    into force; and the nats of TABLES.
    """

    hidden: Tensor
    states: list[State]
    bars: list[Tensor]
    table: Tensor
    row: Tensor
    used: Tensor
    out: Tensor
    here: dict[str, Tensor]
    there: dict[str, Tensor]
    out_here: Tensor

    @classmethod
    def make(cls, network: Network, streams: int, device: Device) -> Buffers:
        """For so many streams, all zero."""
        d = network.config.d_model
        shapes = {"ints": (NEXT + 1, torch.int64), "draws": (4, torch.float64)}
        shapes |= {"incoming": (len(conditions.NAMES), torch.int64), "entering": (1, torch.bool)}
        host, card = {}, {}
        for name, (width, dtype) in shapes.items():
            host[name], card[name] = (make(streams, width, dtype=dtype) for make in (device.host, device.zeros))
        for name, shape in TABLES.items():
            host[name], card[name] = (make(streams, *shape) for make in (device.host, device.zeros))
        with device.active():
            states = [block.attention.start(streams) for block in network.layers]
        for number, block in enumerate(network.layers):
            if isinstance(block.attention, LocalAttention):
                states[number] = (*states[number][:2], device.zeros(streams, dtype=torch.int64))
        return cls(
            device.zeros(streams, d), states, [device.zeros(streams, d) for block in network.layers if block.condition],
            device.zeros(streams, len(conditions.NAMES), dtype=torch.int64),
            device.zeros(streams, len(tokens.FIELDS), dtype=torch.int64), device.zeros(streams, dtype=torch.int64),
            device.zeros(streams, OUT), host, card, device.host(streams, OUT),
        )  # fmt: skip

    def remembered(self) -> list[Tensor]:
        """What makes the streams what they are, in a fixed order: N first in every shape."""
        return [*(part for state in self.states for part in state), *self.bars, self.table, self.hidden]


class Step:
    """The kernels of a step, for one network; `Buffers` of any number of streams."""

    def __init__(self, network: Network, genre_strength: float, sharpness: Mapping[str, tuple[float, float]]) -> None:
        """sharpness: temperature and nucleus of each attribute."""
        self.network, self.config = network, network.config
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

    def begin(self, b: Buffers, names: tuple[str, ...]) -> None:
        """Fetch what the host says of this row, and the tables called `names`."""
        for name in ("ints", "draws", *names):
            b.there[name].copy_(b.here[name], non_blocking=True)
        b.row.copy_(b.there["ints"][:, : len(tokens.FIELDS)])
        b.used.zero_()
        b.out.zero_()

    def density(self, b: Buffers) -> None:
        """Draw the density of the streams that write a bar row."""
        active = b.there["ints"][:, KIND] == BAR
        rhythm, line = torch.full_like(b.used, tokens.RHYTHM), torch.full_like(b.used, tokens.BAR_LINE)
        self._draw(b, "density", b.there["density"], {"type": rhythm, "beat": line}, active, FIRST)

    def onset(self, b: Buffers) -> None:
        """Draw instrument and strength of the streams that write an onset."""
        active = b.there["ints"][:, KIND] == ONSET
        known = {"type": torch.full_like(b.used, tokens.RHYTHM), "beat": b.there["ints"][:, tokens.BEAT]}
        player = self._draw(b, "instrument", b.there["instrument"], known, active, FIRST)
        known["instrument"] = player
        self._draw(b, "strength", _of_class(b.there["strength"], player), known, active, SECOND)

    def note(self, b: Buffers) -> None:
        """Draw pitch, duration and velocity of the streams that write a note."""
        active = b.there["ints"][:, KIND] == NOTE
        known = {"type": torch.full_like(b.used, tokens.NOTE)}
        known["pitch"] = self._draw(b, "pitch", b.there["pitch"], known, active, FIRST)
        table = _of_class(b.there["duration"], known["pitch"])
        known["duration"] = self._draw(b, "duration", table, known, active, SECOND)
        if self.config.velocity:
            self._draw(b, "velocity", b.there["velocity"], known, active, THIRD)
            return
        silent = torch.full_like(b.used, SILENT_VELOCITY)
        self._write(b, "velocity", silent, active, THIRD)

    def beat(self, b: Buffers) -> None:
        """Draw the beat of the row after the one just read; it is written down by the host."""
        kind, active = b.there["ints"][:, KIND], b.there["ints"][:, NEXT] > 0
        density = torch.where(kind == BAR, b.row[:, tokens.DENSITY], 0)
        known = {"type": torch.full_like(b.used, tokens.RHYTHM)}
        self._draw(b, "beat", _of_class(b.there["beat"], density), known, active, BEAT)

    def read(self, b: Buffers) -> None:
        """Read the rows: states and hidden vectors go on by one."""
        network = self.network
        clock = b.there["ints"][:, TIME, None]
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
        """One attribute of all streams: (N,) classes; written down for those that are active."""
        logits = self.logits(b.hidden, attribute, known)
        temperature, nucleus = self._sharpness[attribute]
        uniform = b.there["draws"].gather(1, b.used[:, None])
        value, pressure, free = drawn(logits, nats, temperature, nucleus, uniform)
        b.used.add_(free & active)
        if column != BEAT:
            self._write(b, attribute, value, active, column)
        else:
            b.out[:, BEAT].copy_(value)
        b.out[:, PRESSURE + column].copy_(torch.where(active, pressure, b.out[:, PRESSURE + column]))
        b.out[:, FREE + column].copy_(torch.where(active, free, b.out[:, FREE + column]))
        return value

    def _write(self, b: Buffers, attribute: str, value: Tensor, active: Tensor, column: int) -> None:
        field = tokens.FIELDS.index(attribute)
        b.row[:, field].copy_(torch.where(active, value, b.row[:, field]))
        b.out[:, column].copy_(torch.where(active, value, b.out[:, column]))


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


def _of_class(tables: Tensor, classes: Tensor) -> Tensor:
    """tables (N, classes, values), classes (N,) -> (N, values)."""
    return tables.gather(1, classes[:, None, None].expand(-1, 1, tables.shape[2]))[:, 0]
