"""Three kinds of causal attention, each in a parallel form for training and a recurrent step for composing.

All three keep constant time and memory a token: two carry a matrix as state, the third a window of past rows.
Shapes: B batch, T rows, H heads, D width of a head, C rows of a chunk.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHUNK = 64
BLOCK = 128
ROTATION_BASE = 2000.0

Turn = tuple[Tensor, Tensor]
"""Cosine and sine (B, 1, T, D) by which queries and keys are turned."""

State = tuple[Tensor, ...]


def rotation(time: Tensor, width: int) -> Turn:
    """Rotary positions (Su et al. 2021) by musical time instead of by row. time: (B, T) ticks."""
    rate = ROTATION_BASE ** (-torch.arange(0, width, 2, device=time.device) / width)
    angle = time[:, None, :, None].float() * rate
    return torch.cat([angle.cos()] * 2, dim=-1), torch.cat([angle.sin()] * 2, dim=-1)


def turned(x: Tensor, turn: Turn) -> Tensor:
    """x (B, H, T, D) rotated by its time."""
    cosine, sine = turn
    left, right = x.chunk(2, dim=-1)
    return x * cosine.to(x.dtype) + torch.cat([-right, left], dim=-1) * sine.to(x.dtype)


def _split(x: Tensor, heads: int) -> Tensor:
    """(B, T, H * D) -> (B, H, T, D)."""
    batch, length, _ = x.shape
    return x.view(batch, length, heads, -1).transpose(1, 2)


def _join(x: Tensor) -> Tensor:
    """(B, H, T, D) -> (B, T, H * D)."""
    return x.transpose(1, 2).flatten(2)


def _in_chunks(x: Tensor, chunks: int) -> Tensor:
    """(B, H, T, ...) -> (B, H, chunks, CHUNK, ...), zeros appended."""
    missing = chunks * CHUNK - x.shape[2]
    if missing:
        x = F.pad(x, [0, 0] * (x.dim() - 3) + [0, missing])
    return x.reshape(*x.shape[:2], chunks, CHUNK, *x.shape[3:])


class LinearAttention(nn.Module):
    """Katharopoulos et al. 2020: phi(q) S / phi(q) z with phi = elu + 1, S the sum of phi(k) v', z that of phi(k)."""

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def _features(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = (_split(part, self.heads) for part in self.project(x).chunk(3, dim=-1))
        return F.elu(q) + 1, F.elu(k) + 1, v

    def forward(self, x: Tensor, turn: Turn) -> Tensor:
        """x (B, T, d) -> (B, T, d). Positions are in x already; `turn` is not used."""
        q, k, v = self._features(x)
        v = torch.cat([v, torch.ones_like(v[..., :1])], dim=-1)
        summed = chunked(q, k, v, None)
        return self.out(_join(summed[..., :-1] / (summed[..., -1:] + 1e-6)))  # type: ignore[no-any-return]

    def start(self, batch: int) -> State:
        """The state before any row: S with z as its last column, (B, H, D, D + 1)."""
        width = self.out.in_features // self.heads
        return (torch.zeros(batch, self.heads, width, width + 1, device=self.out.weight.device),)

    def step(self, x: Tensor, turn: Turn, state: State) -> tuple[Tensor, State]:
        """One row: x (B, 1, d) -> (B, 1, d) and the next state."""
        q, k, v = self._features(x)
        v = torch.cat([v, torch.ones_like(v[..., :1])], dim=-1)
        summed = state[0] + k.transpose(-1, -2) * v
        return self._read(q @ summed), (summed,)

    def advance(self, x: Tensor, turn: Turn, state: State) -> Tensor:
        """One row as in `step`, the state changed where it lies."""
        q, k, v = self._features(x)
        v = torch.cat([v, torch.ones_like(v[..., :1])], dim=-1)
        return self._read(q @ state[0].addcmul_(k.transpose(-1, -2), v))

    def _read(self, read: Tensor) -> Tensor:
        return self.out(_join(read[..., :-1] / (read[..., -1:] + 1e-6)))  # type: ignore[no-any-return]


class GatedAttention(nn.Module):
    """Linear attention that forgets: S <- a S + k v', with a in 0..1 for each head and row, and a gated output.

    The scalar gate a head is that of Mamba-2 (Dao & Gu 2024); the output norm and gate those of retention (Sun et al.
    2023).
    """

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.d_model = d_model
        self.project = nn.Linear(d_model, 4 * d_model + heads, bias=False)
        # Half lives from some 10 to some 1,000 rows at the start, spread over the heads.
        self.decay = nn.Parameter(torch.linspace(-2.5, -7.0, heads))
        self.norm = nn.RMSNorm(d_model // heads)
        self.out = nn.Linear(d_model, d_model, bias=False)

    def _parts(self, x: Tensor, turn: Turn) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        both, v, gate, forget = self.project(x).split([2 * self.d_model, *[self.d_model] * 2, self.heads], dim=-1)
        q, k = turned(_split(both, 2 * self.heads), turn).chunk(2, dim=1)
        log_decay = -F.softplus(forget.float() + self.decay).transpose(1, 2)
        return q, k, _split(v, self.heads), gate, log_decay

    @property
    def _scale(self) -> float:
        return float((self.d_model // self.heads) ** -0.5)

    def _finish(self, read: Tensor, gate: Tensor) -> Tensor:
        return self.out(_join(self.norm(read.float())).to(gate.dtype) * F.silu(gate))  # type: ignore[no-any-return]

    def forward(self, x: Tensor, turn: Turn) -> Tensor:
        """x (B, T, d) -> (B, T, d)."""
        q, k, v, gate, log_decay = self._parts(x, turn)
        return self._finish(chunked(q, k, v, log_decay, self._scale), gate)

    def start(self, batch: int) -> State:
        """The state before any row: S (B, H, D, D)."""
        width = self.d_model // self.heads
        return (torch.zeros(batch, self.heads, width, width, device=self.out.weight.device),)

    def step(self, x: Tensor, turn: Turn, state: State) -> tuple[Tensor, State]:
        """One row: x (B, 1, d) -> (B, 1, d) and the next state."""
        q, k, v, gate, log_decay = self._parts(x, turn)
        summed = state[0] * log_decay.exp()[..., None] + k.transpose(-1, -2) * v
        return self._finish(q * self._scale @ summed, gate), (summed,)

    def advance(self, x: Tensor, turn: Turn, state: State) -> Tensor:
        """One row as in `step`, the state changed where it lies."""
        q, k, v, gate, log_decay = self._parts(x, turn)
        summed = state[0].mul_(log_decay.exp()[..., None]).addcmul_(k.transpose(-1, -2), v)
        return self._finish(q * self._scale @ summed, gate)


class LocalAttention(nn.Module):
    """Softmax attention over the last `window` rows, the row itself among them."""

    def __init__(self, d_model: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window, self.d_model = heads, window, d_model
        self.project = nn.Linear(d_model, 3 * d_model, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)

    def _parts(self, x: Tensor, turn: Turn) -> tuple[Tensor, Tensor, Tensor]:
        both, v = self.project(x).split([2 * self.d_model, self.d_model], dim=-1)
        q, k = turned(_split(both, 2 * self.heads), turn).chunk(2, dim=1)
        return q, k, _split(v, self.heads)

    def forward(self, x: Tensor, turn: Turn) -> Tensor:
        """x (B, T, d) -> (B, T, d)."""
        return self.out(_join(windowed(*self._parts(x, turn), self.window)))  # type: ignore[no-any-return]

    def start(self, batch: int) -> State:
        """The state before any row: rings of keys and values, (B, H, window, D) each, and the count of rows seen."""
        width = self.d_model // self.heads
        ring = torch.zeros(batch, self.heads, self.window, width, device=self.out.weight.device)
        return ring, ring.clone(), torch.zeros((), dtype=torch.int64)

    def step(self, x: Tensor, turn: Turn, state: State) -> tuple[Tensor, State]:
        """One row: x (B, 1, d) -> (B, 1, d) and the next state. The rings are written in place."""
        q, k, v = self._parts(x, turn)
        keys, values, count = state
        seen = int(count)
        at = seen % self.window
        keys[:, :, at], values[:, :, at] = k[:, :, 0], v[:, :, 0]
        filled = min(seen + 1, self.window)
        # Positions are in the keys, so their order in the ring does not matter.
        read = F.scaled_dot_product_attention(q, keys[:, :, :filled], values[:, :, :filled])
        return self.out(_join(read)), (keys, values, count + 1)

    def advance(self, x: Tensor, turn: Turn, state: State) -> Tensor:
        """One row as in `step`, the state changed where it lies; each stream has a count of its own, (B,), and no
        value is looked at: the part of the ring that is still empty is masked."""
        q, k, v = self._parts(x, turn)
        keys, values, count = state
        at = (count % self.window).view(-1, 1, 1, 1).expand_as(k)
        keys.scatter_(2, at, k)
        values.scatter_(2, at, v)
        count.add_(1)
        filled = torch.arange(self.window, device=x.device) < count[:, None]
        return self.out(_join(F.scaled_dot_product_attention(q, keys, values, attn_mask=filled[:, None, None])))  # type: ignore[no-any-return]


def windowed(q: Tensor, k: Tensor, v: Tensor, window: int) -> Tensor:
    """Causal softmax attention over the last `window` rows, block by block, so that rows out of reach cost nothing.

    q, k, v (B, H, T, D). Returns (B, H, T, D). Written out: on a processor torch's own takes 2.5 times as long in
    bfloat16, backwards most of all.
    """
    parts = []
    q = q * q.shape[-1] ** -0.5
    for first in range(0, q.shape[2], BLOCK):
        end = min(first + BLOCK, q.shape[2])
        oldest = max(0, first - window + 1)
        row = torch.arange(first, end, device=q.device)
        distance = row[:, None] - torch.arange(oldest, end, device=q.device)
        unseen = (distance < 0) | (distance >= window)
        scores = q[:, :, first:end] @ k[:, :, oldest:end].transpose(-1, -2)
        share = scores.masked_fill(unseen, float("-inf")).softmax(-1).to(v.dtype)
        parts.append(share @ v[:, :, oldest:end])
    return torch.cat(parts, dim=2)


def chunked(q: Tensor, k: Tensor, v: Tensor, log_decay: Tensor | None, scale: float = 1.0) -> Tensor:
    """Causal linear attention in chunks of CHUNK rows: exact inside a chunk, a carried state between chunks.

    q, k (B, H, T, D), v (B, H, T, E), log_decay (B, H, T) or None for none. Returns (B, H, T, E), the sum over past
    rows j of scale (q_i . k_j) exp(sum of log_decay over j+1..i) v_j. Without a decay the scale must be 1.
    """
    length = q.shape[2]
    chunks = -(-length // CHUNK)
    q, k, v = (_in_chunks(x, chunks) for x in (q, k, v))
    scores = q @ k.transpose(-1, -2)
    ones = torch.ones(CHUNK, CHUNK, dtype=torch.bool, device=q.device).tril()
    if log_decay is None:
        inner = scores.masked_fill(~ones, 0)
        state = k.transpose(-1, -2) @ v
        carried = state.cumsum(2) - state
        outer = q @ carried
    else:
        # The scale goes into what the rows forget, which is smaller than the rows.
        run = _in_chunks(log_decay, chunks).cumsum(-1)
        scaled = run + math.log(scale)
        decay = (scaled[..., :, None] - run[..., None, :]).masked_fill(~ones, float("-inf")).exp()
        inner = scores * decay.to(scores.dtype)
        last = run[..., -1:]
        kept = k * (last - run).exp()[..., None].to(k.dtype)
        state = kept.transpose(-1, -2) @ v
        carried = _scan(state, last[..., None].exp().to(state.dtype))
        outer = (q @ carried) * scaled.exp()[..., None].to(q.dtype)
    return (inner @ v + outer).flatten(2, 3)[:, :, :length]


def _scan(state: Tensor, keep: Tensor) -> Tensor:
    """What each chunk inherits: S_0 = 0, S_c = keep_(c-1) S_(c-1) + state_(c-1). state (B, H, chunks, D, E)."""
    carried = [torch.zeros_like(state[:, :, 0])]
    for chunk in range(state.shape[2] - 1):
        carried.append(carried[-1] * keep[:, :, chunk] + state[:, :, chunk])
    return torch.stack(carried, dim=2)
