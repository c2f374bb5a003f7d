"""Training: shards in, a run folder out, with everything that is needed to go on to the bit after a stop.

The batch of a step depends on the seed and the step alone, so a run that was stopped and resumed sees the same music in
the same order as one that was not.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from hitpoint.model.data.build import Shard
from hitpoint.model.data.windows import CONTROLLED, PLAIN, Windows
from hitpoint.model.errors import InputError
from hitpoint.model.network import checkpoint
from hitpoint.model.network.layout import PRESENT
from hitpoint.model.network.network import CONFIGS, Network, NetworkConfig, losses
from hitpoint.model.training.card import write_card
from hitpoint.model.training.drawers import batches, processes_for
from hitpoint.model.training.feed import Fed, feed
from hitpoint.model.training.muon import Muon
from hitpoint.model.training.pace import Pace

WEIGHT_DECAY = 0.01
CLIP_NORM = 1.0
LOG_STEPS = 20
SAVE_S = 300.0

HeldOut = Mapping[str, tuple[Windows, Windows]]
"""By data set: windows of its validation split without any control and with every control."""


@dataclass(frozen=True)
class Recipe:
    """How to train. steps of batch x length rows. learning_rate: of Muon's matrices; AdamW's is a tenth of it.

    minutes: the run is over after so long, if not after its steps before; None: after its steps. decay_share: the last
    share of the run, over which the rate falls to zero. mix: weight by data set, or by "data set:source". last_share:
    the last share of the run, drawn by last_mix. evaluate_every: steps.
    """

    config: str = "default"
    steps: int = 4000
    batch: int = 8
    length: int = 1024
    learning_rate: float = 0.02
    warmup: int = 100
    decay_share: float = 0.3
    last_share: float = 0.2
    mix: Mapping[str, float] = field(default_factory=dict)
    last_mix: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    evaluate_every: int = 250
    evaluate_windows: int = 24
    minutes: float | None = None

    def rate(self, step: int, share: float) -> float:
        """The learning rate's share of its full value: a ramp up over steps, level, a line down to zero.

        share: of the run, 0..1, that is done.
        """
        left = (1.0 - share) / max(1e-9, self.decay_share)
        return min(1.0, (step + 1) / self.warmup, left)


class Objective(nn.Module):
    """Network and loss in one module, so that data-parallel training sees one forward pass."""

    def __init__(self, network: Network, compiler: str = "") -> None:
        """compiler: a backend of `torch.compile` for the network, "" for none."""
        super().__init__()
        self.network = network
        # Outside of the module's own parts, so that weights keep their names.
        self._run = (torch.compile(network, backend=compiler, fullgraph=True) if compiler else network,)

    def forward(self, batch: Fed) -> tuple[Tensor, Tensor]:
        """-> (mean loss a row in nats, (attributes,): summed loss of each)."""
        rows = batch.rows
        hidden = self._run[0](rows[:, :-1], batch.time[:, :-1], batch.slot[:, :-1], batch.table)
        parts = torch.stack([*losses(self.network, hidden, rows[:, 1:], batch.counting).values()])
        return parts.sum() / len(batch.counting["type"]), parts.detach()


def train(
    shard: Shard, run: Path, recipe: Recipe, *, device: str = "cpu", threads: int | None = None, note: str = "",
    start_from: Path | None = None, stop_at: int | None = None, say: Callable[[str], None] = print,
    make: Callable[[NetworkConfig], Network] = Network, drawers: int | None = None,
) -> Path:  # fmt: skip
    """Train (or go on training) in the folder `run`; returns the path of the exported checkpoint.

    note: goes into the card, whose music it is and under which licences. start_from: a checkpoint whose weights a new
    run begins with. stop_at: leave after this step as if killed, for tests of resuming. make: builds the network, for
    one that is not quite its configuration. drawers: processes that draw windows; 0: a thread does; None: as suits
    the device.

    Raises InputError when the run folder or the checkpoint belongs to another configuration.
    """
    rank, world, device = _join_group(device)
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    network = make(CONFIGS[recipe.config]).to(device)
    config = network.config
    begun_from = None if start_from is None else begin_with(network, start_from)
    optimizers = _optimizers(network, recipe)
    run.mkdir(parents=True, exist_ok=True)
    step, before_s = _resume(run, network, optimizers, config, device)
    if step == 0 and begun_from and rank == 0:
        _log(run, {"begun_from": begun_from})
    pace = Pace(recipe.steps, recipe.minutes, step, before_s, shared=world > 1)
    objective: nn.Module = Objective(network, compiler_for(device))
    if world > 1:
        objective = nn.parallel.DistributedDataParallel(objective)
    held_out = _held_out(shard, recipe)
    say(f"{config.name}: {sum(p.numel() for p in network.parameters()):,} parameters, from step {step}")

    started, before = time.monotonic(), pace.step
    for batch in _batches(shard, recipe, pace, rank, device, drawers):
        loss = _step(objective, optimizers, batch, recipe, pace)
        pace.tick()
        if rank == 0:
            if pace.step % LOG_STEPS == 0 or pace.step == 1:
                _log_pace(run, pace.step, loss, world * recipe.batch * recipe.length * (pace.step - before), started)
                started, before = time.monotonic(), pace.step
            paused = time.monotonic()
            _keep(run, network, optimizers, pace, held_out, recipe, device, say)
            started += time.monotonic() - paused
        if stop_at is not None and pace.step >= stop_at:
            break
    path = run / f"{config.name}.safetensors"
    if rank == 0:
        _export(network, path, shard, recipe, note)
    if world > 1:
        torch.distributed.destroy_process_group()
    return path


def _export(network: Network, path: Path, shard: Shard, recipe: Recipe, note: str) -> None:
    """The weights, and beside them their card."""
    checkpoint.save(network, path)
    write_card(path, path.parent, shard, asdict(recipe), note)


def _log_pace(run: Path, step: int, loss: torch.Tensor, rows: int, started_s: float) -> None:
    """The loss of a step, for which the device is waited, and how quick `rows` rows have been since `started_s`."""
    row = {"step": step, "loss": round(float(loss), 4)}
    _log(run, row | {"rows_per_s": round(rows / (time.monotonic() - started_s))})


def _keep(
    run: Path, network: Network, optimizers: Sequence[torch.optim.Optimizer], pace: Pace, held_out: HeldOut,
    recipe: Recipe, device: str, say: Callable[[str], None],
) -> None:  # fmt: skip
    """Save the state where it is time for it, and look how well held-out music is predicted."""
    looks = pace.step % recipe.evaluate_every == 0 or pace.done
    if looks or pace.seconds - pace.saved_s > SAVE_S:
        _save(run, network, optimizers, pace)
    if looks:
        scores = evaluate(network, held_out, recipe, device)
        _log(run, {"step": pace.step, "held_out": scores})
        say(f"step {pace.step}: " + ", ".join(f"{name} {row['all']:.3f}" for name, row in scores.items()))


def begin_with(network: Network, path: Path) -> str:
    """Give a network the weights of a checkpoint; what that one lacks (genres, condition columns) begins at zero.

    Returns the checkpoint's SHA-256. Raises InputError where it is damaged or of another configuration.
    """
    loaded = checkpoint.load(path)
    if loaded.network.config != network.config:
        raise InputError(f"{path} is a network {loaded.name}, not {network.config.name}; name it with --config")
    network.load_state_dict(loaded.network.state_dict())
    return loaded.sha256


def _batches(
    shard: Shard, recipe: Recipe, pace: Pace, rank: int, device: str, drawers: int | None
) -> Iterator[Fed]:  # fmt: skip
    """The batches until the run is over; each depends on the step, the share done and the process alone."""

    def share(number: int) -> float:
        return pace.share if recipe.minutes else number / recipe.steps

    processes = processes_for(device) if drawers is None else drawers
    coming = batches(shard, recipe, rank, pace.step, share, processes)
    with contextlib.closing(coming):
        while not pace.done:
            yield feed(next(coming), CONFIGS[recipe.config].attributes, device)


def _step(
    objective: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    batch: Fed,
    recipe: Recipe,
    pace: Pace,
) -> Tensor:
    """One update; returns the loss, for which nobody waits here. Weights and sums are float32, matrix products as
    `products` says.
    """
    torch.manual_seed(recipe.seed * 1_000_003 + pace.step)  # dropout, too, depends on the step alone
    objective.train()
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["full_rate"] * recipe.rate(pace.step, pace.share)
    with products(batch.rows.device.type):
        loss, _ = objective(batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(objective.parameters(), CLIP_NORM)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return loss.detach()  # type: ignore[no-any-return]


def products(device: str) -> torch.autocast:
    """The context in which matrix products run: in bfloat16 where the device has instructions for it.

    A processor without them takes 7 to 20 times as long for bfloat16 as for float32.
    """
    return torch.autocast(device.partition(":")[0], torch.bfloat16, enabled=has_bfloat16(device))


@functools.cache
def has_bfloat16(device: str) -> bool:
    """Whether products in bfloat16 are quicker than in float32 there."""
    if device.startswith("cuda"):
        return bool(torch.cuda.get_device_capability(device) >= (8, 0))
    if not device.startswith("cpu"):
        return False
    known = [getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile")]
    return any(probe is not None and probe() for probe in known)


def compiler_for(device: str) -> str:
    """Where compiling pays: on graphics cards, whose kernels are launched one by one otherwise. On a processor it would
    save a fifth, but a compiler would have to be installed, and each start would take a minute longer.
    """
    return "inductor" if device.startswith("cuda") else ""


def _optimizers(network: Network, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the matrices inside the blocks, AdamW for tables, norms, biases and heads."""
    inner = [p for block in network.blocks for p in block.parameters() if p.ndim == 2]
    chosen = {id(p) for p in inner}
    outer = [p for p in network.parameters() if id(p) not in chosen]
    precision = torch.bfloat16 if has_bfloat16(str(inner[0].device)) else torch.float32
    muon = Muon(inner, recipe.learning_rate, WEIGHT_DECAY, momentum=0.95, products=precision)
    adam = torch.optim.AdamW(outer, lr=recipe.learning_rate / 10, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["full_rate"] = group["lr"]
    return [muon, adam]


def _held_out(shard: Shard, recipe: Recipe) -> HeldOut:
    """Per data set of the validation split: its windows without any control and with every control."""
    found = {}
    for dataset in sorted({piece.dataset for piece in shard.pieces}):
        part = replace(shard, pieces=tuple(piece for piece in shard.pieces if piece.dataset == dataset))
        plain = Windows(part, "validation", recipe.length, augmentation=PLAIN)
        if plain.pieces:
            found[dataset] = plain, Windows(part, "validation", recipe.length, augmentation=CONTROLLED)
    return found


@torch.no_grad()
def evaluate(network: Network, held_out: HeldOut, recipe: Recipe, device: str = "cpu") -> dict[str, dict[str, float]]:
    """Held-out loss in nats by data set: "all" a row (all attributes together), each attribute on the rows where it
    counts, and "controlled": "all" with every control given."""
    objective, attributes = Objective(network).eval(), network.config.attributes

    def sums_of(windows: Windows) -> Tensor:
        """(attributes, 2): summed loss of each, and the rows on which it counts."""
        sums = torch.zeros(len(attributes), 2, dtype=torch.float64)
        for batch in windows.sweep(recipe.batch, recipe.evaluate_windows):
            fed = feed(batch, attributes, device)
            with products(device):
                sums[:, 0] += objective(fed)[1].double().cpu()
            sums[:, 1] += torch.tensor([len(fed.counting[name]) for name in attributes])
        return sums

    scores: dict[str, dict[str, float]] = {}
    for name, (plain, controlled) in held_out.items():
        sums = sums_of(plain)
        scores[name] = {"all": float(sums[:, 0].sum() / sums[0, 1])}
        for attribute, (loss, count) in zip(attributes, sums.tolist(), strict=True):
            scores[name][attribute] = loss / max(1.0, count)
        sums = sums_of(controlled)
        scores[name]["controlled"] = float(sums[:, 0].sum() / sums[0, 1])
        scores[name] = {key: round(value, 4) for key, value in scores[name].items()}
    return scores


def _join_group(device: str) -> tuple[int, int, str]:
    """(rank, processes, the process's own device) under torchrun, (0, 1, device) otherwise."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        return 0, 1, device
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    torch.distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    return torch.distributed.get_rank(), world, device


def _save(run: Path, network: Network, optimizers: Sequence[torch.optim.Optimizer], pace: Pace) -> None:
    """The whole state, written beside and renamed, so that a kill at any moment leaves a good one."""
    pace.saved_s = pace.seconds
    state = {
        "step": pace.step,
        "seconds": pace.seconds,
        "layout": PRESENT.to_text(),
        "config": asdict(network.config),
        "network": network.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
    }
    temporary = run / "state.tmp"
    torch.save(state, temporary)
    temporary.replace(run / "state.pt")


def _resume(
    run: Path, network: Network, optimizers: Sequence[torch.optim.Optimizer], config: NetworkConfig, device: str
) -> tuple[int, float]:
    """Load the run's state if there is one; returns the step to go on from and the seconds trained."""
    path = run / "state.pt"
    if not path.is_file():
        return 0, 0.0
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise InputError(f"{path} is damaged ({type(error).__name__}); remove it to start the run again") from None
    if state["config"] != json.loads(json.dumps(asdict(config))) and state["config"] != asdict(config):
        raise InputError(f"{run} holds a run of another network ({state['config']['name']}); name another folder")
    if state.get("layout") != PRESENT.to_text():
        raise InputError(
            f"{run} was begun by another version, with other condition columns; begin a new run from its checkpoint"
        )
    network.load_state_dict(state["network"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return int(state["step"]), float(state["seconds"])


def _log(run: Path, row: Mapping[str, object]) -> None:
    with (run / "log.jsonl").open("a") as file:
        file.write(json.dumps({"time_s": round(time.time(), 1), **row}) + "\n")
