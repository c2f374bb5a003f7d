"""The diffusion network: a noisy piano roll and what is told of its bars -> log-odds of the clean one.

A U-Net over 4 x 4 patches of the roll (ticks x pitches), told how noisy it is in every block; it looks at the tokens of
the query's own bar and of those beside it. The clean roll is predicted as logits: pixels are -1 or 1, and what the
noise alone leaves of them, 2 sqrt(a) x / (1 - a) for a = alpha-bar, is exact and added at the end (bounded), so that
the network has only the context to add. Music learnt this way keeps its rhythm, where noise or velocity prediction
stood still (the idea of rolls and streams is Diff-BGM's, Li et al. 2024, after Polyffusion, Min et al. 2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hitpoint.model.music.roll import CHANNELS, PITCHES, ROLL_BARS, ROLL_TICKS
from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.network.roll_conditions import DYNAMIC_SIZES, MAPS, SEMANTIC_SIZES, TOKEN_BARS

PATCH = 4
PADDED = 96
STEPS = 1000
"""Noise levels: beta rises from FIRST_BETA to LAST_BETA, linear in its root."""
FIRST_BETA, LAST_BETA = 0.00085, 0.012
MOST_LOGIT = 12.0
PRIOR = (0.0027, 0.0037, 0.011, 0.024)
"""How many pixels of each channel are set in songs: where learning begins, and what pure noise stands for."""


@dataclass(frozen=True)
class RollConfig:
    """widths: of the levels, each half as fine as the one above. blocks: of each level, each way. near: the tokens of
    bars less than so many away are seen. halves: the window as two blocks that do not see each other's tokens, as
    Diff-BGM was released.
    """

    widths: tuple[int, ...] = (32, 64, 128)
    blocks: tuple[int, ...] = (1, 2, 2)
    heads: int = 4
    told: int = 128
    near: int = 2
    halves: bool = False


def alpha_bars() -> NDArray[np.float64]:
    """(1001,): what is left of the signal's power after each step, 1 before the first."""
    betas = np.linspace(FIRST_BETA**0.5, LAST_BETA**0.5, STEPS) ** 2
    return np.concatenate([[1.0], np.cumprod(1.0 - betas)])


class Block(nn.Module):
    """Two convolutions, norms before each; scaled and shifted by the noise level between them.

    short: the convolutions in bfloat16, quicker on processors that have it.
    """

    def __init__(self, wide: int, out: int, told: int) -> None:
        super().__init__()
        self.short = False
        self.norm_in, self.norm_mid = nn.GroupNorm(8, wide), nn.GroupNorm(8, out)
        self.first, self.second = nn.Conv2d(wide, out, 3, padding=1), nn.Conv2d(out, out, 3, padding=1)
        self.film = nn.Linear(told, 2 * out)
        self.skip: nn.Module = nn.Identity() if wide == out else nn.Conv2d(wide, out, 1)
        with torch.no_grad():
            self.second.weight.mul_(0.5)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """x (n, wide, h, w), level (n, told) -> (n, out, h, w)."""
        scale, shift = self.film(level)[:, :, None, None].chunk(2, dim=1)
        h = self._convolved(self.first, functional.silu(self.norm_in(x)))
        h = self._convolved(self.second, functional.silu(self.norm_mid(h) * (1 + scale) + shift))
        grown: Tensor = self.skip(x) + h
        return grown

    def _convolved(self, layer: nn.Conv2d, x: Tensor) -> Tensor:
        if not self.short:
            found: Tensor = layer(x)
            return found
        assert layer.bias is not None
        weight, bias = layer.weight.bfloat16(), layer.bias.bfloat16()
        return functional.conv2d(x.bfloat16(), weight, bias, padding=1).float()


class Attention(nn.Module):
    """Each place looks at the tokens (or at all places), and adds what it sees."""

    def __init__(self, width: int, told: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, width)
        self.query, self.keys, self.out = nn.Linear(width, width), nn.Linear(told, 2 * width), nn.Linear(width, width)
        with torch.no_grad():
            self.out.weight.mul_(0.5)

    def forward(self, x: Tensor, tokens: Tensor | None, mask: Tensor | None) -> Tensor:
        """x (n, width, h, w); tokens (n, m, told), None: x itself; mask (h * w, m)."""
        n, width, high, wide = x.shape
        places = self.norm(x).flatten(2).transpose(1, 2)
        query = self.query(places).view(n, high * wide, self.heads, -1).transpose(1, 2)
        keys = self.keys(places if tokens is None else tokens)
        k, v = keys.view(n, keys.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, k, v, attn_mask=mask)
        seen = self.out(seen.transpose(1, 2).reshape(n, high * wide, width))
        grown: Tensor = x + seen.transpose(1, 2).reshape(n, width, high, wide)
        return grown


class Stage(nn.Module):
    """Blocks of one level, one way, each followed by a look at the tokens; at the coarsest also at all places."""

    def __init__(self, wide: list[int], out: int, config: RollConfig, coarsest: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(each, out, config.told) for each in wide)
        self.looks = nn.ModuleList(Attention(out, config.told, config.heads) for _ in wide[-1:])
        self.around = nn.ModuleList(Attention(out, out, config.heads) for _ in range(coarsest))


class RollNetwork(nn.Module):
    """Noisy rolls -> logits of clean ones."""

    alpha_bar: Tensor

    def __init__(self, config: RollConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or RollConfig()
        widths, told = config.widths, config.told
        pixels = PATCH * PATCH
        self.rows, self.columns = ROLL_TICKS // PATCH, PADDED // PATCH
        self.enter = nn.Conv2d((CHANNELS + MAPS) * pixels, widths[0], 1)
        self.when = nn.Parameter(0.02 * torch.randn(widths[0], self.rows, 1))
        self.height = nn.Parameter(0.02 * torch.randn(widths[0], 1, self.columns))
        self.level = nn.Sequential(nn.Linear(64, told), nn.SiLU(), nn.Linear(told, told), nn.SiLU())
        self.semantic = nn.ModuleList(nn.Embedding(size, told) for size in SEMANTIC_SIZES)
        self.dynamic = nn.ModuleList(nn.Embedding(size, told) for size in DYNAMIC_SIZES)
        self.place = nn.Parameter(0.02 * torch.randn(len(TOKEN_BARS), told))
        self.untold = nn.Parameter(0.02 * torch.randn(told))
        self.mix = nn.Sequential(nn.LayerNorm(told), nn.Linear(told, told), nn.SiLU(), nn.Linear(told, told))
        for embedding in (*self.semantic, *self.dynamic):
            nn.init.normal_(embedding.weight, std=0.3)
        last = len(widths) - 1
        self.down = nn.ModuleList(
            Stage([width] * config.blocks[number], width, config, number == last) for number, width in enumerate(widths)
        )
        self.finer = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(
            Stage([2 * width] + [width] * (config.blocks[number] - 1), width, config, False)
            for number, width in enumerate(widths)
        )
        self.coarser = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.leave = nn.Sequential(nn.GroupNorm(8, widths[0]), nn.SiLU(), nn.Conv2d(widths[0], CHANNELS * pixels, 1))
        last_layer = self.leave[-1]
        assert isinstance(last_layer, nn.Conv2d) and last_layer.bias is not None
        with torch.no_grad():
            last_layer.weight.mul_(0.3)
            last_layer.bias.copy_(torch.tensor(PRIOR).logit().repeat_interleave(pixels))
        for number in range(len(widths)):
            self.register_buffer(f"mask_{number}", self._mask(number), persistent=False)
        self.register_buffer("alpha_bar", torch.from_numpy(alpha_bars()).float(), persistent=False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # its stub lacks this form

    def _mask(self, level: int) -> Tensor:
        """(places, tokens): which tokens each place of a level may see."""
        rows, columns = self.rows >> level, self.columns >> level
        bar = np.arange(rows) * (PATCH << level) // TICKS_PER_BAR
        if self.config.halves:
            half = ROLL_BARS // 2
            seen = bar[:, None] // half == TOKEN_BARS[None] // half
        else:
            seen = np.abs(bar[:, None] - TOKEN_BARS[None]) < self.config.near
        return torch.from_numpy(seen.repeat(columns, axis=0))

    def tokens(self, semantic: Tensor, dynamic: Tensor, untold: Tensor) -> Tensor:
        """Classes (n, 16, 7) and (n, 32, 6) -> (n, 48, told); untold (n,): of these nothing is said."""
        parts = [
            torch.stack([embedding(rows[..., k]) for k, embedding in enumerate(embeddings)]).sum(0)
            for embeddings, rows in ((self.semantic, semantic), (self.dynamic, dynamic))
        ]
        told: Tensor = self.mix(torch.cat(parts, dim=1) + self.place)
        return torch.where(untold[:, None, None], self.untold.to(told.dtype) + 0 * told, told)

    def forward(self, noisy: Tensor, t: Tensor, tokens: Tensor, maps: Tensor) -> Tensor:
        """noisy (n, 4, 128, 88), t (n,) in 1..1000, tokens as `tokens` gives them, maps (n, 4, 128, 88) -> logits."""
        a = self.alpha_bar[t][:, None, None, None]
        level = self.level(_waves(t))
        x = functional.pad(torch.cat([noisy, maps], dim=1), (0, PADDED - PITCHES))
        x = functional.pixel_unshuffle(x, PATCH).contiguous(memory_format=torch.channels_last)
        x = self.enter(x) + self.when + self.height
        ways = []
        for number, stage in enumerate(self.down):
            x = self._stage(stage, x, level, tokens, number)
            ways.append(x)
            if number < len(self.finer):
                x = self.finer[number](x)
        for number in reversed(range(len(self.up))):
            x = self._stage(self.up[number], torch.cat([x, ways[number]], dim=1), level, tokens, number)
            if number:
                x = functional.interpolate(self.coarser[number - 1](x), scale_factor=2)
        x = functional.pixel_shuffle(self.leave(x).float(), PATCH)[..., :PITCHES]
        exact = (2 * a.sqrt() * noisy / (1 - a)).clamp(-MOST_LOGIT, MOST_LOGIT)
        return x + exact

    def _stage(self, stage: nn.Module, x: Tensor, level: Tensor, tokens: Tensor, number: int) -> Tensor:
        assert isinstance(stage, Stage)
        for block in stage.blocks:
            x = block(x, level)
        for look in stage.looks:
            x = look(x, tokens, getattr(self, f"mask_{number}"))
        for look in stage.around:
            x = look(x, None, None)
        return x


def _waves(t: Tensor) -> Tensor:
    """(n,) -> (n, 64): sines and cosines of the noise level."""
    rate = torch.exp(-math.log(10_000.0) * torch.arange(32, device=t.device) / 32)
    angle = t[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1)
