"""The composer `diffusion`: tune and piano out of noise, the other instruments by the composer `cmt` around them."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from hitpoint.model.compose.base import Account, Composer, ComposerOptions, Stats, check_regenerate
from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.compose.diffusion.busy import Busy
from hitpoint.model.compose.diffusion.piece import Piece
from hitpoint.model.compose.diffusion.sampler import VARIATION, Logits, Request, sample
from hitpoint.model.errors import MissingError, UsageError
from hitpoint.model.files import file_sha256
from hitpoint.model.music.roll import PLAYERS, Roll
from hitpoint.model.music.score import Bar
from hitpoint.model.network import roll_checkpoint
from hitpoint.model.network.conditions import NAMES
from hitpoint.model.network.roll_conditions import Told
from hitpoint.model.network.roll_network import STEPS, RollNetwork
from hitpoint.model.plan.types import Plan

KEPT_ROLLS = 16


class DiffusionComposer(Composer):
    """A loaded network that draws piano rolls. Not for use from several threads at once."""

    key = "diffusion"

    def __init__(
        self, network: RollNetwork, sha256: str = "", options: ComposerOptions | None = None,
        band: CmtComposer | None = None,
    ) -> None:  # fmt: skip
        """band: the composer of the other instruments; None: one is made by `options` when it is first needed."""
        super().__init__()
        self.name, self.sha256 = "diffusion", sha256
        self.parameters = sum(each.numel() for each in network.parameters())
        self.conditions = frozenset(NAMES)
        self._network, self._options = network, options or ComposerOptions()
        self._band = band
        self._rolls: OrderedDict[bytes, Logits] = OrderedDict()
        self._told: dict[tuple[int, int, int], dict[str, None]] = {}

    @classmethod
    def create(cls, options: ComposerOptions, band: CmtComposer | None = None) -> DiffusionComposer:
        """With the weights of `options.checkpoint`, or the shipped ones. band: as `DiffusionComposer` takes it.

        Raises InputError for damaged weights, MissingError where the GPU asked for is not there.
        """
        path: Path = options.checkpoint or roll_checkpoint.SHIPPED
        network = roll_checkpoint.load(path)
        if options.device == "cuda" and not torch.cuda.is_available():
            raise MissingError("this machine has no CUDA GPU that torch can use; use --device cpu")
        torch.set_num_threads(options.threads or 1)
        if options.device == "cuda":
            network = network.cuda()
        return cls(network, file_sha256(path), replace(options, checkpoint=None), band)

    @property
    def band(self) -> CmtComposer:
        """The composer of the other instruments, and of what is wanted at once."""
        if self._band is None:
            self._band = CmtComposer.create(self._options)
            torch.set_num_threads(self._options.threads or 1)
            self._band.on_step = self.step
        return self._band

    # What a composer does.

    def stream(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        """The bars from len(history) on; each comes when the window after it is drawn, so that its notes may last."""
        _check(plan)
        began, self.stats = time.perf_counter(), Stats(pressure_by_attribute={})
        piece = Piece(self, plan, seed, history)
        for count, bar in enumerate(piece.bars(), 1):
            self._count(plan, seed, piece, count, time.perf_counter() - began)
            paused = time.perf_counter()
            yield bar
            began += time.perf_counter() - paused

    def ahead(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        """Provisional bars come from the composer `cmt`, which needs no window of eight for its first."""
        return self.band.stream(plan, seed, history)

    def regenerate(
        self, plan: Plan, bars: Sequence[Bar], first_bar: int, last_bar: int,
        instruments: Sequence[int] | None = None, seed: int = 0,
    ) -> list[Bar]:  # fmt: skip
        """The piece with bars first_bar..last_bar (inclusive) written again, the others as they are.

        instruments: only these get new notes: tune and piano by inpainting, the others by the composer `cmt`.
        """
        check_regenerate(plan, bars, first_bar, last_bar, instruments)
        free = frozenset(plan.instruments if instruments is None else instruments)
        others = tuple(sorted(free - set(PLAYERS)))
        if not free & set(PLAYERS):
            return self.band.regenerate(plan, bars, first_bar, last_bar, others, seed)
        _check(plan)
        began, self.stats = time.perf_counter(), Stats(pressure_by_attribute={})
        piece = Piece(self, plan, seed, bars, free)
        new = piece.passage(range(first_bar, last_bar + 1))
        self._count(plan, seed, piece, len(new), time.perf_counter() - began)
        return [*bars[:first_bar], *new, *bars[last_bar + 1 :]]

    def account(self, plan: Plan, seed: int, bars: Sequence[Bar]) -> Account:
        """Which bars it left to another composer."""
        return Account(tuple(self._told.get((plan.seed, plan.end_tick, seed), ())))

    def _count(self, plan: Plan, seed: int, piece: Piece, bars: int, seconds: float) -> None:
        pressure = {name: value / max(1, bars) for name, value in piece.pressure.items()}
        self.stats = Stats(self.stats.tokens, seconds, bars, pressure)
        for text in piece.told:
            self._told.setdefault((plan.seed, plan.end_tick, seed), {})[text] = None

    def drawn(
        self, told: Told, known: Roll, fixed: Roll, busy: Busy, chance: Sequence[int], like: Roll | None
    ) -> Logits:  # fmt: skip
        """One roll; the same request gives the same one. chance: where its draws begin. The rest: as in `Request`."""
        model = np.array([]) if like is None else like
        parts = (told.semantic, told.dynamic, known, fixed, *busy, np.array(chance), model)
        key = hashlib.sha256(b"".join(part.tobytes() for part in parts)).digest()
        if key not in self._rolls:
            request = Request(told, known & fixed, fixed, np.random.default_rng(list(chance)), busy, like,
                              STEPS if like is None else VARIATION)  # fmt: skip
            self._rolls[key] = sample(self._network, [request], self.step)[0]
            while len(self._rolls) > KEPT_ROLLS:
                self._rolls.popitem(last=False)
        self._rolls.move_to_end(key)
        return self._rolls[key]


def _check(plan: Plan) -> None:
    """Raise UsageError where there is nobody to write for."""
    if not set(plan.instruments) & set(PLAYERS):
        raise UsageError(
            "the composer diffusion writes for piano and strings; ask for one of them, or leave --composer out"
        )
