"""Rolls from noise: in twenty steps pixels are drawn from the network's guess and made noisy again, ever less.

Known pixels (bars that stand already, a part that is not to be written) are put in at every step, as noisy as the rest
(inpainting); so that the new agrees with them, part of the way is gone twice (Lugmayr et al. 2022, RePaint).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from hitpoint.model.compose.diffusion.busy import Busy, fitted
from hitpoint.model.music.roll import Roll
from hitpoint.model.network.roll_conditions import Told, maps_of
from hitpoint.model.network.roll_network import MOST_LOGIT, PRIOR, STEPS, RollNetwork, alpha_bars

SAMPLING_STEPS = 20
GUIDANCE = 1.5
"""How much more than without them the conditions count; at 2 and more the roll floods with notes."""
JUMPS, JUMP = (8, 14), 2
"""After these steps the last JUMP are gone again, where something is known."""
VARIATION = 250
"""The level at which a variation begins: what is left of its model there is its rhythm and its outline."""

Logits = NDArray[np.float32]
"""(4, 128, 88): log-odds of each pixel of a roll."""


@dataclass(frozen=True)
class Request:
    """One roll to be drawn. told: of its bars. known: what stands already, where `fixed` says so. draws: its chance.

    busy: how many onsets its bars are to have. like: a roll that it begins from, made noisy to the level `begin`;
    None: it is drawn from nothing.
    """

    told: Told
    known: Roll
    fixed: Roll
    draws: np.random.Generator
    busy: Busy = field(default_factory=Busy.anyhow)
    like: Roll | None = None
    begin: int = STEPS


def order_of_steps(inpaints: bool, begin: int = STEPS) -> list[int]:
    """The noise levels in the order in which they are gone through, from `begin` on."""
    levels = np.linspace(STEPS, STEPS // SAMPLING_STEPS, SAMPLING_STEPS).astype(int).tolist()
    found: list[int] = []
    for number, level in enumerate(levels, 1):
        if level > begin:
            continue
        found.append(level)
        if inpaints and number in JUMPS and begin == STEPS:
            found += levels[number - JUMP : number]
    return found


@torch.inference_mode()
def sample(
    network: RollNetwork, requests: Sequence[Request], step: Callable[[], None] = lambda: None,
    guidance: float = GUIDANCE, guess: Callable[[torch.Tensor, int], torch.Tensor] | None = None,
) -> list[Logits]:  # fmt: skip
    """The logits of the last step, of each request; those of known pixels say what is known. step: called at each.

    guess: what is asked in place of the network, as `Guided`.
    """
    where = network.alpha_bar.device
    guided = guess or Guided(network, requests, guidance)
    known = np.stack([request.known for request in requests])
    fixed = np.stack([request.fixed for request in requests])
    draws = [request.draws for request in requests]
    signal, alphas = _beginning(requests), alpha_bars()
    logits = np.zeros(known.shape, np.float32)
    for level in order_of_steps(bool(fixed.any()), max(each.begin for each in requests)):
        signal = np.where(fixed, 2.0 * known - 1.0, signal).astype(np.float32)
        noise = np.stack([each.standard_normal(known.shape[1:], np.float32) for each in draws])
        noisy = np.float32(alphas[level] ** 0.5) * signal + np.float32((1 - alphas[level]) ** 0.5) * noise
        found = guided(torch.from_numpy(noisy).to(where), level).cpu().numpy()
        logits = np.stack([fitted(each, request.busy) for each, request in zip(found, requests, strict=True)])
        chance = np.stack([each.random(known.shape[1:], np.float32) for each in draws])
        likely = 1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))
        signal = np.where(chance < likely, 1.0, -1.0).astype(np.float32)
        step()
    certain = np.where(known, MOST_LOGIT, -MOST_LOGIT).astype(np.float32)
    return list(np.where(fixed, certain, logits))


def _beginning(requests: Sequence[Request]) -> NDArray[np.float32]:
    """What is made noisy first, (n, 4, 128, 88): the model of a variation; else what is expected before anything is
    seen, of which a trace is left in the noise of the first level."""
    expected = (2.0 * np.array(PRIOR, np.float32) - 1.0)[:, None, None]
    shape = requests[0].known.shape
    return np.stack([
        np.broadcast_to(expected, shape) if each.like is None else 2.0 * each.like - 1.0 for each in requests
    ]).astype(np.float32)  # fmt: skip


class Guided:
    """The network asked with the conditions and without them, and what is drawn from both."""

    def __init__(self, network: RollNetwork, requests: Sequence[Request], guidance: float) -> None:
        where, count = network.alpha_bar.device, len(requests)
        self._network, self._guidance = network, guidance
        semantic = torch.from_numpy(np.stack([each.told.semantic for each in requests])).to(where)
        dynamic = torch.from_numpy(np.stack([each.told.dynamic for each in requests])).to(where)
        maps = torch.from_numpy(np.stack([maps_of(each.told) for each in requests])).to(where)
        untold = torch.arange(2 * count, device=where) >= count
        self._tokens = network.tokens(semantic.repeat(2, 1, 1), dynamic.repeat(2, 1, 1), untold)
        self._maps = torch.cat([maps, torch.zeros_like(maps)])

    def __call__(self, noisy: torch.Tensor, level: int) -> torch.Tensor:
        """noisy (n, 4, 128, 88) -> logits."""
        t = torch.full((2 * len(noisy),), level, device=noisy.device)
        told, untold = self._network(noisy.repeat(2, 1, 1, 1), t, self._tokens, self._maps).chunk(2)
        found: torch.Tensor = untold + self._guidance * (told - untold)
        return found
