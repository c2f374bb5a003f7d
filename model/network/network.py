"""The transformer: rows of token ids in, a hidden vector a row out, and the heads that read it. It knows ids only.

Two families share this file. `paper` is CMT as published (Di et al. 2021, section 4): causal linear attention with the
feature map elu + 1 (Katharopoulos et al. 2020), sinusoidal beat positions, learnt time bins, all attributes of a token
predicted at once after its type. `default` keeps constant time and memory a token and changes what measurement favours:
linear attention with a gate that forgets (a learnt decay for each head and token), some layers of local softmax
attention, positions as rotations by musical time, bar conditions added at every layer, and attributes predicted one
after another.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hitpoint.model.music import tokens
from hitpoint.model.music.score import GENRES
from hitpoint.model.network import conditions
from hitpoint.model.network.attention import GatedAttention, LinearAttention, LocalAttention, Turn, rotation

ATTRIBUTES = ("type", "beat", "density", "instrument", "strength", "pitch", "duration", "velocity")
"""In the order in which the chained heads predict them."""

CHAIN: dict[str, tuple[str, ...]] = {
    "type": (),
    "beat": ("type",),
    "density": ("type", "beat"),
    "instrument": ("type", "beat"),
    "strength": ("type", "beat", "instrument"),
    "pitch": ("type",),
    "duration": ("type", "pitch"),
    "velocity": ("type", "pitch", "duration"),
}
"""What of the same token each attribute is told before it is predicted."""

PAPER_EMBEDDING = {
    "type": 32, "beat": 64, "density": 64, "strength": 64, "pitch": 512, "duration": 128, "instrument": 32,
}  # fmt: skip
TIME_BINS = 100


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes and choices. attention: one of "linear", "gated", "local" a layer. window: rows that local layers see.
    head: "parallel" (the paper) or "chained". conditioned: bar conditions at every layer. velocity: predicted or not.
    """

    name: str = "default"
    d_model: int = 256
    heads: int = 4
    d_ff: int = 704
    d_head: int = 256
    attention: tuple[str, ...] = ("gated", "gated", "gated", "local", "gated", "gated")
    window: int = 384
    dropout: float = 0.0
    head: str = "chained"
    conditioned: bool = True
    velocity: bool = True

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that this network predicts."""
        return ATTRIBUTES if self.velocity else ATTRIBUTES[:-1]


PAPER = NetworkConfig(
    name="paper", d_model=512, heads=8, d_ff=2048, d_head=512, attention=("linear",) * 12, dropout=0.1,
    head="parallel", conditioned=False, velocity=False,
)  # fmt: skip
DEFAULT = NetworkConfig()
PAPER_SMALL = dataclasses.replace(PAPER, name="paper-small", d_model=256, heads=4, d_ff=1024, attention=("linear",) * 7)
"""The paper's network at about the size of `default`, for comparison at equal size."""

CONFIGS = {config.name: config for config in (DEFAULT, PAPER, PAPER_SMALL)}


def module_key(attribute: str) -> str:
    """A module's name for an attribute; `type` alone would hide a method of the container."""
    return f"of_{attribute}"


class RowEmbedding(nn.Module):
    """Rows (..., 8) -> (..., d): each attribute embedded, joined and projected (eqs. 10-11), initial tokens apart."""

    offsets: Tensor
    columns: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        sizes = dict(zip(tokens.FIELDS, tokens.SIZES, strict=True))
        widths = dict(PAPER_EMBEDDING) | ({"velocity": 64} if config.velocity else {})
        self.fields = [name for name in tokens.FIELDS if name in widths]
        self.tables = nn.ModuleList(nn.Embedding(sizes[name], widths[name]) for name in self.fields)
        self.join = nn.Linear(sum(widths.values()), config.d_model)
        self.initial = nn.Embedding(tokens.INIT_IDS, config.d_model)
        ends = torch.tensor([0, *(sizes[name] for name in self.fields)]).cumsum(0)
        self.register_buffer("offsets", ends[:-1], persistent=False)
        self.register_buffer(
            "columns", torch.tensor([tokens.FIELDS.index(name) for name in self.fields]), persistent=False
        )

    def folded(self) -> Tensor:
        """Each table times its share of the projection, stacked: (sum of sizes, d). A row is then a sum of look-ups."""
        weight, parts, at = self.join.weight, [], 0
        for module in self.tables:
            table = module.weight
            assert isinstance(table, Tensor)
            parts.append(table @ weight[:, at : at + table.shape[1]].T)
            at += table.shape[1]
        return torch.cat(parts)

    def forward(self, rows: Tensor) -> Tensor:
        """rows: (B, T, 8) integers. Returns (B, T, d).

        In float32 whatever else is not: thousands of rows look up the same class, and of so many small gradients summed
        in bfloat16 half would be lost.
        """
        with torch.autocast(rows.device.type, enabled=False):
            folded = self.folded()
        return self.looked_up(rows, folded, self.initial.weight)

    def looked_up(self, rows: Tensor, folded: Tensor, initial: Tensor) -> Tensor:
        """`forward`, with the tables given: what `folded` returns, and the vectors of the initial tokens (ids, d)."""
        is_init = rows[..., tokens.TYPE] == tokens.INIT
        columns = rows.index_select(-1, self.columns).masked_fill(is_init[..., None], 0) + self.offsets
        x = F.embedding_bag(columns.flatten(0, -2), folded, mode="sum").view(*rows.shape[:-1], -1)
        x = x + self.join.bias
        first = F.embedding(rows[..., tokens.PITCH].masked_fill(~is_init, 0), initial)
        return torch.where(is_init[..., None], first, x)


Attention = LinearAttention | GatedAttention | LocalAttention


def _norm(config: NetworkConfig) -> nn.LayerNorm | nn.RMSNorm:
    return (nn.LayerNorm if "linear" in config.attention else nn.RMSNorm)(config.d_model)


class Block(nn.Module):
    """Attention and feed-forward, both behind a root-mean-square norm, with the bar's condition added at the start."""

    def __init__(self, config: NetworkConfig, kind: str) -> None:
        super().__init__()
        d = config.d_model
        self.kind = kind
        self.paper = kind == "linear"
        self.norm1, self.norm2 = _norm(config), _norm(config)
        self.attention: Attention
        if kind == "linear":
            self.attention = LinearAttention(d, config.heads)
            self.up = nn.Linear(d, config.d_ff)
        else:
            gated = kind == "gated"
            self.attention = (
                GatedAttention(d, config.heads) if gated else LocalAttention(d, config.heads, config.window)
            )
            self.up = nn.Linear(d, 2 * config.d_ff, bias=False)
        self.down = nn.Linear(config.d_ff, d, bias=self.paper)
        self.dropout = nn.Dropout(config.dropout)
        self.condition = nn.Linear(d, d, bias=False) if config.conditioned else None

    def feed_forward(self, x: Tensor) -> Tensor:
        """(..., d) -> (..., d): gelu as in CMT's code for `paper`, else a gated linear unit (Shazeer 2020)."""
        if self.paper:
            return cast(Tensor, self.down(F.gelu(self.up(x))))
        gate, value = self.up(x).chunk(2, dim=-1)
        return cast(Tensor, self.down(F.silu(gate) * value))


class Heads(nn.Module):
    """From a hidden vector and the attributes of the same token already known to the logits of the next attribute."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        d, width = config.d_model, config.d_head
        sizes = {name: tokens.SIZES[tokens.FIELDS.index(name)] for name in ATTRIBUTES}
        told = ("type",) if config.head == "parallel" else ("type", "beat", "instrument", "pitch", "duration")
        self.tell = nn.ModuleDict({module_key(name): nn.Embedding(sizes[name], d) for name in told})
        if config.head == "parallel":
            # Di et al. 2021, section 4.3: the type first, then six heads on the hidden vector joined with it.
            self.mix = nn.Linear(2 * d, d)
            self.out = nn.ModuleDict({module_key(name): nn.Linear(d, sizes[name]) for name in config.attributes})
        else:
            self.hidden = nn.ModuleDict({module_key(name): nn.Linear(d, width) for name in config.attributes})
            self.out = nn.ModuleDict({module_key(name): nn.Linear(width, sizes[name]) for name in config.attributes})

    def told(self, attribute: str) -> nn.Embedding:
        """The table by which a head is told a class of `attribute`."""
        return cast(nn.Embedding, self.tell[module_key(attribute)])

    def first(self, attribute: str) -> nn.Linear:
        """The first matrix of a chained head."""
        return cast(nn.Linear, self.hidden[module_key(attribute)])

    def second(self, attribute: str) -> nn.Linear:
        """The matrix that gives the logits."""
        return cast(nn.Linear, self.out[module_key(attribute)])

    def forward(self, hidden: Tensor, attribute: str, known: dict[str, Tensor]) -> Tensor:
        """hidden (n, d); known: attribute -> classes (n,). Returns logits (n, classes of `attribute`)."""
        if self.config.head == "parallel":
            if attribute != "type":
                hidden = self.mix(torch.cat([hidden, self.told("type")(known["type"])], dim=-1))
            return cast(Tensor, self.second(attribute)(hidden))
        for name in CHAIN[attribute]:
            hidden = hidden + self.told(name)(known[name])
        return cast(Tensor, self.second(attribute)(F.gelu(self.first(attribute)(hidden))))


class Network(nn.Module):
    """The whole network in its parallel form, for training and as the reference of the recurrent one."""

    bar_offsets: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        d = config.d_model
        self.embedding = RowEmbedding(config)
        self.blocks = nn.ModuleList(Block(config, kind) for kind in config.attention)
        self.norm = _norm(config)
        self.heads = Heads(config)
        self.dropout = nn.Dropout(config.dropout)
        if config.conditioned:
            self.bar_table = nn.EmbeddingBag(sum(conditions.SIZES), d, mode="sum")
            self.bar_mix = nn.Sequential(nn.Linear(d, d), nn.SiLU(), nn.Linear(d, d))
            starts = torch.tensor([0, *conditions.SIZES[:-1]]).cumsum(0)
            self.register_buffer("bar_offsets", starts, persistent=False)
        else:
            self.time_bin = nn.Embedding(TIME_BINS + 1, d)
        self.apply(_initialise)
        for table in self.embedding.tables:
            nn.init.normal_(cast(nn.Embedding, table).weight)
        for told in self.heads.tell.values():
            nn.init.normal_(cast(nn.Embedding, told).weight, std=0.1)
        for block in self.layers:  # residual branches start small, so that depth costs no stability
            for out in (block.attention.out, block.down):
                nn.init.normal_(out.weight, std=0.02 / math.sqrt(2 * len(self.blocks)))

    @property
    def layers(self) -> list[Block]:
        """The blocks in order."""
        return [cast(Block, block) for block in self.blocks]

    def bar_vectors(self, table: Tensor) -> Tensor:
        """Condition rows (..., columns) -> (..., d)."""
        flat = (table + self.bar_offsets).flatten(0, -2)
        vectors: Tensor = self.bar_mix(self.bar_table(flat))
        return vectors.view(*table.shape[:-1], -1)

    def guided_vectors(self, table: Tensor, genre_strength: float) -> Tensor:
        """`bar_vectors`, with the part that the genre plays in them multiplied: 1 leaves it as it is.

        The difference to the same bar of unknown genre is what is multiplied: classifier-free guidance (Ho & Salimans
        2022) carried over from the output to the conditions, where it costs one look-up a bar instead of a second
        network.
        """
        vectors = self.bar_vectors(table)
        if genre_strength == 1.0:
            return vectors
        unknown = table.clone()
        unknown[..., conditions.COLUMN["genre"]] = 0
        plain = self.bar_vectors(unknown)
        return plain + genre_strength * (vectors - plain)

    def guided_initials(self, genre_strength: float) -> Tensor:
        """The vectors of the initial tokens (ids, d), those of the genres drawn away from the unknown genre's alike."""
        initial = self.embedding.initial.weight.detach().clone()
        named = slice(1, 1 + len(GENRES))
        initial[named] = initial[0] + genre_strength * (initial[named] - initial[0])
        return initial

    def positions(self, time: Tensor, table_rows: Tensor) -> Tensor:
        """What `paper` adds to its input: beat sinusoid (eqs. 14-15) and time bin (eq. 12). time, (B, T) ticks;
        table_rows (B, T, columns)."""
        d = self.config.d_model
        beat = (time // 4).float()
        rate = torch.exp(torch.arange(0, d, 2, device=time.device) * (-math.log(10000.0) / d))
        angle = beat[..., None] * rate
        sinusoid = torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)
        past = table_rows[..., conditions.COLUMN["bars_from_start"]]
        left = table_rows[..., conditions.COLUMN["bars_left"]]
        share = (past - 1).clamp(min=0) / (past + left - 2).clamp(min=1)
        embedded: Tensor = self.time_bin((share * TIME_BINS).round().long().clamp(0, TIME_BINS))
        return sinusoid + embedded

    def forward(self, rows: Tensor, time: Tensor, slot: Tensor, table: Tensor) -> Tensor:
        """rows (B, T, 8), time (B, T) ticks, slot (B, T) into table (B, S, columns) -> hidden (B, T, d)."""
        return self.read(rows, time, self.turn(time), slot, table)

    def turn(self, time: Tensor) -> Turn:
        """The positions of rows at `time`, (B, T) ticks, as attention takes them."""
        return rotation(time, self.config.d_model // self.config.heads)

    def read(self, rows: Tensor, time: Tensor, turn: Turn, slot: Tensor, table: Tensor) -> Tensor:
        """`forward`, with what `turn` returns: a compiler would work out its sines anew for every head and layer."""
        x = self.embedding(rows)
        bars = None
        if self.config.conditioned:
            bars = self.bar_vectors(table)
        else:
            picked = table.gather(1, slot[..., None].expand(-1, -1, table.shape[-1]))
            x = x + self.positions(time, picked)
        x = self.dropout(x)
        place = slot + table.shape[1] * torch.arange(len(slot), device=slot.device)[:, None]
        for block in self.layers:
            if block.condition is not None and bars is not None:
                x = x + F.embedding(place, block.condition(bars).flatten(0, 1))  # computed a bar, read a row
            x = x + block.dropout(block.attention(block.norm1(x), turn))
            x = x + block.dropout(block.feed_forward(block.norm2(x)))
        return cast(Tensor, self.norm(x))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding | nn.EmbeddingBag):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def counting_rows(attribute: str, target: Tensor) -> Tensor:
    """On which target rows (..., 8) an attribute counts: a mask (...)."""
    kind, beat = target[..., tokens.TYPE], target[..., tokens.BEAT]
    if attribute == "type":
        return torch.ones_like(kind, dtype=torch.bool)
    if attribute == "beat":
        return kind == tokens.RHYTHM
    if attribute == "density":
        return (kind == tokens.RHYTHM) & (beat == tokens.BAR_LINE)
    if attribute in ("instrument", "strength"):
        return (kind == tokens.RHYTHM) & (beat >= tokens.FIRST_TICK)
    return kind == tokens.NOTE


def losses(network: Network, hidden: Tensor, target: Tensor, counting: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Attribute -> summed cross entropy in nats.

    hidden (B, T, d) at rows 0..T-1; target (B, T, 8), the rows that follow; counting: by attribute the numbers (n,) of
    the rows on which it counts. Rows that several attributes share, by the same tensor, are fetched once.
    """
    result, fetched = {}, {}
    hidden, target = hidden.flatten(0, 1), target.flatten(0, 1)
    for attribute in network.config.attributes:
        index = counting[attribute]
        if id(index) not in fetched:
            fetched[id(index)] = hidden.index_select(0, index), target.index_select(0, index)
        inner, rows = fetched[id(index)]
        known = {name: rows[:, tokens.FIELDS.index(name)] for name in CHAIN[attribute]}
        logits = network.heads(inner, attribute, known)
        result[attribute] = F.cross_entropy(logits.float(), rows[:, tokens.FIELDS.index(attribute)], reduction="sum")
    return result
