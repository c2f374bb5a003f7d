"""Training: shards in, a run folder out, with everything that is needed to go on to the bit after a stop.

The batch of a step depends on the seed and the step alone, so a run that was stopped and resumed sees the same music in
the same order as one that was not.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from hitpoint.model.data.build import Shard
from hitpoint.model.errors import InputError
from hitpoint.model.network import checkpoint
from hitpoint.model.network.layout import PRESENT
from hitpoint.model.network.network import CONFIGS, Network, NetworkConfig
from hitpoint.model.training.card import write_card
from hitpoint.model.training.drawers import batches, processes_for
from hitpoint.model.training.feed import Fed, feed
from hitpoint.model.training.group import Group
from hitpoint.model.training.held_out import HeldOut, evaluate, held_out_of
from hitpoint.model.training.muon import Muon
from hitpoint.model.training.objective import Objective, compiler_for, has_bfloat16, products
from hitpoint.model.training.pace import Pace
from hitpoint.model.training.recipe import Recipe

WEIGHT_DECAY = 0.01
CLIP_NORM = 1.0
LOG_STEPS = 20
SAVE_S = 300.0


@dataclass
class _Running:
    """A run under way: what its steps change, and the folder that keeps it."""

    folder: Path
    recipe: Recipe
    network: Network
    optimizers: Sequence[torch.optim.Optimizer]
    pace: Pace
    group: Group
    device: str
    held_out: HeldOut
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self._logged_s, self._logged_step = time.monotonic(), self.pace.step

    def keep(self, loss: Tensor) -> None:
        """After a step: log it, save the state and look at held-out music where it is time for that."""
        step = self.pace.step
        if step % LOG_STEPS == 0 or step == 1:
            loss = self.group.mean(loss)
            if self.group.rank == 0:
                self._log_pace(float(loss))
        if self.group.rank:
            return
        paused = time.monotonic()
        looks = step % self.recipe.evaluate_every == 0 or self.pace.done
        if looks or self.pace.seconds - self.pace.saved_s > SAVE_S:
            _save(self.folder, self.network, self.optimizers, self.pace)
        if looks:
            scores = evaluate(self.network, self.held_out, self.recipe, self.device)
            _log(self.folder, {"step": step, "held_out": scores})
            self.say(f"step {step}: " + ", ".join(f"{name} {row['all']:.3f}" for name, row in scores.items()))
        self._logged_s += time.monotonic() - paused

    def _log_pace(self, loss: float) -> None:
        """The loss of a step, for which the device has been waited, and how quick the rows since the last one were."""
        rows = self.recipe.batch * self.recipe.length * (self.pace.step - self._logged_step)
        now = time.monotonic()
        row = {"step": self.pace.step, "loss": round(loss, 4), "rows_per_s": round(rows / (now - self._logged_s))}
        _log(self.folder, row)
        self._logged_s, self._logged_step = now, self.pace.step


def train(
    shard: Shard, run: Path, recipe: Recipe, *, device: str = "cpu", threads: int | None = None, note: str = "",
    start_from: Path | None = None, stop_at: int | None = None, say: Callable[[str], None] = print,
    make: Callable[[NetworkConfig], Network] = Network, drawers: int | None = None, compiled: str = "auto",
    group: Group | None = None,
) -> Path:  # fmt: skip
    """Train (or go on training) in the folder `run`; returns the path of the exported checkpoint.

    note: goes into the card, whose music it is and under which licences. start_from: a checkpoint whose weights a new
    run begins with. stop_at: leave after this step as if killed, for tests of resuming. make: builds the network, for
    one that is not quite its configuration. drawers: processes that draw windows; 0: a thread does; None: as suits
    the device. compiled: "auto", "on" or "off", see `compiler_for`. group: the place among processes that train
    together; None: that of `torchrun`.

    Raises InputError when the run folder or the checkpoint belongs to another configuration.
    """
    group = group or Group.around()
    group.share_of(recipe.batch)
    device = group.join(device)
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    network = make(CONFIGS[recipe.config]).to(device)
    begun_from = None if start_from is None else begin_with(network, start_from)
    optimizers = _optimizers(network, recipe)
    run.mkdir(parents=True, exist_ok=True)
    step, before_s = _resume(run, network, optimizers, network.config, device)
    if step == 0 and begun_from and group.rank == 0:
        _log(run, {"begun_from": begun_from})
    say(f"{network.config.name}: {sum(p.numel() for p in network.parameters()):,} parameters, from step {step}")
    compiler = compiler_for(device, compiled, recipe.long)
    if compiler:
        say("the network is compiled first, which takes a minute or two")
    objective = _objective(network, compiler, group)
    pace = Pace(recipe.steps, recipe.minutes, step, before_s, shared=group.world > 1)
    held_out = held_out_of(shard, recipe)
    running = _Running(run, recipe, network, optimizers, pace, group, device, held_out, say)
    for batch in _batches(shard, running, drawers):
        loss = _step(objective, optimizers, batch, recipe, pace, group)
        pace.tick()
        running.keep(loss)
        if stop_at is not None and pace.step >= stop_at:
            break
    path = run / f"{network.config.name}.safetensors"
    if group.rank == 0:
        checkpoint.save(network, path)
        write_card(path, run, shard, asdict(recipe), note)
    group.leave()
    return path


def _objective(network: Network, compiler: str, group: Group) -> nn.Module:
    objective = Objective(network, compiler)
    if group.world == 1:
        return objective
    # Cut up by what is sent together, as torch would have it, the compiled network is slower and nothing is won.
    torch._dynamo.config.optimize_ddp = False
    return nn.parallel.DistributedDataParallel(objective, gradient_as_bucket_view=True)


def begin_with(network: Network, path: Path) -> str:
    """Give a network the weights of a checkpoint; what that one lacks (genres, condition columns) begins at zero.

    Returns the checkpoint's SHA-256. Raises InputError where it is damaged or of another configuration.
    """
    loaded = checkpoint.load(path)
    if loaded.network.config != network.config:
        raise InputError(f"{path} is a network {loaded.name}, not {network.config.name}; name it with --config")
    network.load_state_dict(loaded.network.state_dict())
    return loaded.sha256


def _batches(shard: Shard, running: _Running, drawers: int | None) -> Iterator[Fed]:
    """The process's share of the batches until the run is over; each depends on the step and the share done alone."""
    pace, recipe, device = running.pace, running.recipe, running.device

    def share(number: int) -> float:
        return pace.share if recipe.minutes else number / recipe.steps

    processes = processes_for(device) if drawers is None else drawers
    coming = batches(shard, recipe, running.group, pace.step, share, processes)
    with contextlib.closing(coming):
        while not pace.done:
            yield feed(next(coming), CONFIGS[recipe.config].attributes, device)


def _step(
    objective: nn.Module, optimizers: Sequence[torch.optim.Optimizer], batch: Fed, recipe: Recipe, pace: Pace,
    together: Group,
) -> Tensor:  # fmt: skip
    """One update; returns the process's share of the loss, for which nobody waits here. Weights and sums are float32,
    matrix products as `products` says.
    """
    torch.manual_seed(recipe.seed * 1_000_003 + pace.step)  # dropout, too, depends on the step alone
    objective.train()
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["full_rate"] * recipe.rate(pace.step, pace.share)
    with products(batch.rows.device.type):
        mean, _ = objective(batch)
    loss: Tensor = mean * together.weight(len(batch.counting["type"]))
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(objective.parameters(), CLIP_NORM)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return loss.detach()


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
