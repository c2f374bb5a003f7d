"""From a folder of MIDI files to a checkpoint: data, splits, controls, resuming."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.data.build import build, load
from hitpoint.model.data.splits import song_key, split_of
from hitpoint.model.data.windows import CONTROLLED, PLAIN, Windows, controls_of, piece_notes
from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.music import tokens
from hitpoint.model.network import conditions, network
from hitpoint.model.network.checkpoint import SHIPPED, file_sha256
from hitpoint.model.training import objective, pace, together
from hitpoint.model.training import train as training
from hitpoint.model.training.feed import feed
from hitpoint.model.training.group import Group
from hitpoint.model.training.objective import Objective, compiler_for
from hitpoint.model.training.recipe import Recipe
from hitpoint.model.training.together import processes_worth
from hitpoint.model.training.train import train
from tests.bench.heard_films import encode, shots
from tests.model.material import write_song

TINY = network.NetworkConfig(
    name="tiny", d_model=32, heads=2, d_ff=48, d_head=32, attention=("gated", "local"), window=64
)


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(network.CONFIGS, "tiny", TINY)


def test_files_that_cannot_be_used_are_left_out_with_a_reason(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    write_song(folder / "good.mid")
    write_song(folder / "waltz.mid", numerator=3)
    write_song(folder / "short.mid", bars=2)
    (folder / "broken.mid").write_bytes(b"MThd\0\0\0\6\0\1\0\1")
    (folder / "text.mid").write_text("no music at all")
    report = build([folder], tmp_path / "out", workers=1)
    reasons = {Path(row["file"]).stem: row["reason"] for row in report["left_out"]}
    assert report["taken"] == 1
    assert set(reasons) == {"waltz", "short", "broken", "text"}
    assert "3/4" in reasons["waltz"] and "bars" in reasons["short"]


def test_a_folder_without_music_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no MIDI files"):
        build([tmp_path], tmp_path / "out")
    with pytest.raises(InputError, match="no folder"):
        build([tmp_path / "absent"], tmp_path / "out")
    with pytest.raises(InputError, match="not a shard folder"):
        load(tmp_path)


def test_files_of_one_song_share_a_split() -> None:
    band = {"source": "pop909", "id": "001", "file": "pop_pop909_001.mid"}
    assert song_key("band", band) == song_key("pop909_5", {"id": "001", "file": "x.mid"}) == "pop909/001"
    tune = {"source": "nottingham", "id": "jigs12b", "file": "a.mid"}
    assert song_key("band", tune) == "nottingham/jigs12"
    splits = [split_of(f"source/{n}") for n in range(4000)]
    assert 120 < splits.count("test") < 280 and 120 < splits.count("validation") < 280


def test_controls_are_read_off_the_music(shard_folder: Path) -> None:
    shard = load(shard_folder)
    piece = shard.pieces[0]
    controls = controls_of(piece_notes(shard, piece), piece.bars)
    bars = tokens.decode(tokens.encode(piece_notes(shard, piece), piece.bars, end=True).rows)
    assert controls.density.tolist() == [bar.density for bar in bars]
    for bar in bars:
        assert {t: int(s) for t, s in enumerate(controls.required[bar.index]) if s} == bar.strengths()


def test_windows_line_up_rows_bars_and_conditions(shard_folder: Path) -> None:
    windows = Windows(load(shard_folder), "train", 200, augmentation=CONTROLLED)
    batch = windows.draw(*map(np.random.default_rng, range(4)))
    for b in range(4):
        bar_rows = np.flatnonzero((batch.rows[b, :, tokens.TYPE] == 1) & (batch.rows[b, :, tokens.BEAT] == 1))
        for t in bar_rows[:-1]:
            before = batch.table[b, batch.slot[b, t] - 1, conditions.COLUMN["density_next"]]
            assert before in (0, batch.rows[b, t, tokens.DENSITY])
    plain = Windows(load(shard_folder), "train", 200, augmentation=PLAIN).draw(*map(np.random.default_rng, range(4)))
    assert not plain.table[..., conditions.REQUIRED].any()
    assert not plain.table[..., conditions.COLUMN["energy"]].any()


def test_training_learns_and_resumes_to_the_bit(shard_folder: Path, tmp_path: Path) -> None:
    recipe = Recipe(config="tiny", steps=12, batch=2, length=128, warmup=2, evaluate_every=6, evaluate_windows=2)
    shard = load(shard_folder)
    whole = train(shard, tmp_path / "whole", recipe, threads=1, note="songs of our own", say=lambda text: None)
    train(shard, tmp_path / "parts", recipe, threads=1, stop_at=6, say=lambda text: None)
    parts = train(shard, tmp_path / "parts", recipe, threads=1, say=lambda text: None)
    one, two = (torch.load(path.parent / "state.pt", weights_only=True)["network"] for path in (whole, parts))
    assert all(torch.equal(one[name], two[name]) for name in one)
    drawn = train(shard, tmp_path / "drawn", recipe, threads=1, say=lambda text: None, drawers=1)
    three = torch.load(drawn.parent / "state.pt", weights_only=True)["network"]
    assert all(torch.equal(one[name], three[name]) for name in one), "whoever draws, the music is the same"
    rows = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    held_out = [row["held_out"] for row in rows if "held_out" in row]
    losses = [next(iter(scores.values()))["all"] for scores in held_out]
    assert losses[-1] < losses[0]
    assert CmtComposer.load(whole).name == "tiny"
    card = json.loads(whole.with_suffix(".card.json").read_text())
    assert card["note"] == "songs of our own" and card["held_out"][shard.pieces[0].dataset]["all"] > 0
    assert card["sha256"] == CmtComposer.load(whole).sha256 and card["rows_seen"] == 12 * 2 * 128


def test_a_run_of_another_network_is_refused(shard_folder: Path, tmp_path: Path) -> None:
    recipe = Recipe(config="tiny", steps=1, batch=1, length=64, evaluate_windows=1)
    shard = load(shard_folder)
    train(shard, tmp_path / "run", recipe, threads=1, say=lambda text: None)
    with pytest.raises(InputError, match="another network"):
        train(shard, tmp_path / "run", Recipe(config="default"), threads=1, say=lambda text: None)
    (tmp_path / "run" / "state.pt").write_bytes(b"nothing")
    with pytest.raises(InputError, match="damaged"):
        train(shard, tmp_path / "run", recipe, threads=1, say=lambda text: None)


def test_a_budget_of_minutes_ends_with_a_fallen_rate_and_a_checkpoint(
    shard_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, rates = itertools.count(), []
    monkeypatch.setattr(pace.time, "monotonic", lambda: float(next(seconds)))
    plain = Recipe.rate
    monkeypatch.setattr(Recipe, "rate", lambda *asked: rates.append(plain(*asked)) or rates[-1])
    recipe = Recipe(
        config="tiny", steps=10_000, minutes=5, batch=1, length=64, warmup=1, evaluate_every=1000, evaluate_windows=1
    )
    shard, run = load(shard_folder), tmp_path / "run"
    train(shard, run, recipe, threads=1, stop_at=3, say=lambda text: None)
    assert not (run / "state.pt").exists()
    path = train(shard, run, recipe, threads=1, say=lambda text: None)
    state = torch.load(run / "state.pt", weights_only=True)
    assert 20 < state["step"] < 300 and state["seconds"] >= 300
    assert rates[0] == 1.0 and 0 < rates[-1] < 0.2 and sorted(rates[-5:], reverse=True) == rates[-5:]
    assert CmtComposer.load(path).name == "tiny"
    again = len(rates)
    train(shard, run, recipe, threads=1, say=lambda text: None)  # its time is over
    assert len(rates) == again


def test_a_run_begins_with_a_checkpoints_weights_and_its_card_says_so(shard_folder: Path, tmp_path: Path) -> None:
    recipe = Recipe(config="tiny", steps=1, batch=1, length=64, learning_rate=0.0, evaluate_windows=1)
    shard = load(shard_folder)
    first = train(shard, tmp_path / "first", replace(recipe, learning_rate=0.02), threads=1, say=lambda text: None)
    second = train(shard, tmp_path / "second", recipe, threads=1, start_from=first, say=lambda text: None)
    one, two = load_file(first), load_file(second)  # a rate of 0 changes nothing
    assert all(torch.equal(one[name], two[name]) for name in one)
    card = json.loads(second.with_suffix(".card.json").read_text())
    assert card["begun_from"] == file_sha256(first)
    with pytest.raises(InputError, match="is a network default, not tiny"):
        train(shard, tmp_path / "third", recipe, threads=1, start_from=SHIPPED, say=lambda text: None)


def test_flat_velocities_are_not_learnt_from(shard_folder: Path) -> None:
    shard = load(shard_folder)
    flat = replace(shard, pieces=tuple(replace(piece, flat=True) for piece in shard.pieces))
    net = network.Network(TINY)
    counts = []
    for each in (shard, flat):
        windows = Windows(each, "train", 64, augmentation=CONTROLLED)
        batch = windows.draw(*map(np.random.default_rng, range(2)))
        fed = feed(batch, TINY.attributes, "cpu")
        hidden = net(fed.rows[:, :-1], fed.time[:, :-1], fed.slot[:, :-1], fed.table)
        lost = network.losses(net, hidden, fed.rows[:, 1:], fed.counting)
        counts.append({name: len(fed.counting[name]) for name in lost})
        shared = fed.counting["velocity"] is fed.counting["pitch"]
        assert shared == (each is shard) and fed.counting["duration"] is fed.counting["pitch"]
        assert bool(torch.stack([*lost.values()]).isfinite().all())
        assert bool(batch.table[..., conditions.COLUMN["energy"]].any()) == (each is shard)
    assert counts[0].pop("velocity") > 0 and counts[1].pop("velocity") == 0 and counts[0] == counts[1]


def test_a_compiled_network_is_one_graph_and_learns_the_same(shard_folder: Path) -> None:
    windows = Windows(load(shard_folder), "train", 96)
    recipe = Recipe(config="tiny", steps=4, batch=2, length=96, warmup=1)
    curves, graphs = [], []

    def backend(graph: torch.fx.GraphModule, _inputs: list[torch.Tensor]) -> Callable[..., object]:
        graphs.append(graph)
        return graph.forward

    for compiler in ("", backend):
        torch.manual_seed(0)
        net, at = network.Network(TINY), pace.Pace(4)
        whole, optimizers = Objective(net, compiler), training._optimizers(net, recipe)
        assert {name.partition(".")[0] for name, _ in whole.named_parameters()} == {"network"}
        losses = []
        for step in range(3):  # windows of unlike numbers of bars
            batch = windows.draw(*(np.random.default_rng([1, step, each]) for each in range(2)))
            fed = feed(batch, TINY.attributes, "cpu")
            losses.append(float(training._step(whole, optimizers, fed, recipe, at, Group())))
            at.tick()
        curves.append(losses)
    assert curves[1] == pytest.approx(curves[0], rel=1e-3)
    assert len(graphs) == 1, "one graph serves windows of any number of bars"


def test_gradients_in_bfloat16_are_those_in_float32(shard_folder: Path) -> None:
    """Thousands of rows look up the same class: summed in bfloat16, half of its gradient is lost."""
    windows = Windows(load(shard_folder), "train", 512)
    batch = windows.draw(*(np.random.default_rng(each) for each in range(8)))
    torch.manual_seed(0)
    net = network.Network(TINY)
    found = []
    for precise in (True, False):
        net.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=not precise):
            loss, _ = Objective(net)(feed(batch, TINY.attributes, "cpu"))
        loss.backward()
        found.append({name: weight.grad.clone() for name, weight in net.named_parameters()})
    total = torch.stack([each.norm() for each in found[0].values()]).norm()
    for name, exact in found[0].items():
        assert (exact - found[1][name]).norm() < 0.1 * exact.norm() + 1e-3 * total, name


def test_what_is_compiled_and_when(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def fake(function: Callable[..., object], backend: str) -> Callable[..., object]:
        tried.append(backend)
        return function

    monkeypatch.setattr(objective.torch, "compile", fake)
    monkeypatch.setattr(objective.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert compiler_for("cpu", "off", long=True) == compiler_for("cpu", "auto", long=False) == "" and not tried
    assert compiler_for("cpu", "auto", long=True) == compiler_for("cpu", "on", long=False) == "inductor"
    monkeypatch.setattr(objective.shutil, "which", lambda name: None)
    assert compiler_for("cpu", "auto", long=True) == ""
    assert Recipe(steps=1000).long and not Recipe(steps=999).long
    assert Recipe(minutes=20).long and not Recipe(minutes=5).long

    def broken(function: Callable[..., object], backend: str) -> Callable[..., object]:
        raise RuntimeError("no header\nand much else")

    monkeypatch.setattr(objective.torch, "compile", broken)
    with pytest.raises(InputError, match=r"nothing can be compiled here \(no header\)"):
        compiler_for("cpu", "on", long=False)
    monkeypatch.setattr(objective.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.warns(UserWarning, match=r"slower than it could be: compiling fails \(no header\)"):
        assert compiler_for("cpu", "auto", long=True) == ""


def run_together(shard_folder: Path, run: Path, processes: int, steps: int, besides: str = "") -> str:
    """Train `TINY` in a folder by that many processes; returns the exit status and what was written to stderr."""
    script = run.with_suffix(".py")
    script.write_text(
        "import multiprocessing, os, signal, sys, threading, time\nfrom pathlib import Path\n"
        "from hitpoint.model.errors import HitpointError\nfrom hitpoint.model.network import network\n"
        "from hitpoint.model.training.recipe import Recipe\n"
        "from hitpoint.model.training.together import train_together\n"
        "network.CONFIGS['tiny'] = network.NetworkConfig(name='tiny', d_model=32, heads=2, d_ff=48, d_head=32,"
        " attention=('gated', 'local'), window=64)\n"
        f"recipe = Recipe(config='tiny', steps={steps}, batch=4, length=128, warmup=2, evaluate_windows=2)\n"
        "if __name__ == '__main__':\n"
        f"    {besides or 'pass'}\n"
        "    try:\n"
        f"        train_together(Path(sys.argv[1]), Path(sys.argv[2]), recipe, {processes})\n"
        "    except HitpointError as error:\n"
        "        sys.exit(str(error))\n"
    )
    command = [sys.executable, str(script), str(shard_folder), str(run)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return f"{done.returncode} {done.stderr[-2000:]}"


def started() -> dict[str, torch.Tensor]:
    """The weights with which such a run begins."""
    torch.manual_seed(Recipe().seed)
    return network.Network(TINY).state_dict()


def test_processes_share_a_batch_and_learn_the_same(shard_folder: Path, tmp_path: Path) -> None:
    weights = []
    for processes in (1, 2):
        run = tmp_path / f"by_{processes}"
        assert run_together(shard_folder, run, processes, steps=6).startswith("0")
        weights.append(torch.load(run / "state.pt", weights_only=True)["network"])
        assert json.loads((run / "tiny.card.json").read_text())["rows_seen"] == 6 * 4 * 128
    alone, shared = (torch.cat([each.flatten() for each in found.values()]) for found in weights)
    moved = (alone - torch.cat([each.flatten() for each in started().values()])).norm()
    assert (alone - shared).norm() < 0.25 * moved, "but for rounding, the same steps"


def test_a_run_whose_second_process_dies_says_so(shard_folder: Path, tmp_path: Path) -> None:
    kill = (
        "threading.Thread(target=lambda: (time.sleep(8), [os.kill(child.pid, signal.SIGKILL)"
        " for child in multiprocessing.active_children()]), daemon=True).start()"
    )
    said = run_together(shard_folder, tmp_path / "run", 2, 1_000_000, kill)
    assert said.startswith("1 ") and "another process of this run ended" in said


def test_windows_that_cannot_be_shared_evenly_are_one_sentence() -> None:
    assert Group(1, 2).share_of(8) == 4
    with pytest.raises(InputError, match="7 windows cannot be shared evenly by 2 processes"):
        Group(1, 2).share_of(7)


def test_how_many_processes_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "cores", lambda: 6)
    assert [processes_worth("cpu", windows, None) for windows in (1, 2, 3, 8, 12, 64)] == [1, 1, 1, 4, 6, 4]
    assert processes_worth("cuda", 8, None) == processes_worth("cpu", 8, 2) == 1


def test_processes_are_for_a_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--processes shares a processor"):
        together.train_together(tmp_path, tmp_path, Recipe(), 2, device="cuda")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="torchrun"):
        together.train_together(tmp_path, tmp_path, Recipe(), 2)


def test_two_processes_train_together(shard_folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "together.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\nfrom hitpoint.model.network import network\n"
        "from hitpoint.model.data.build import load\nfrom hitpoint.model.training.train import Recipe, train\n"
        "network.CONFIGS['tiny'] = network.NetworkConfig(name='tiny', d_model=32, heads=2, d_ff=48, d_head=32,"
        " attention=('gated', 'local'), window=64)\n"
        "recipe = Recipe(config='tiny', steps=3, minutes=9, batch=2, length=64, evaluate_windows=1)\n"
        "train(load(Path(sys.argv[1])), Path(sys.argv[2]), recipe, threads=1)\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    done = subprocess.run(
        [*command, str(shard_folder), str(tmp_path / "run")], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "run" / "tiny.safetensors").is_file()


def test_the_commands_go_from_a_folder_to_a_checkpoint_and_a_table(song_folder: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from hitpoint.bridge.cli import cli

    shards, run = str(tmp_path / "shards"), str(tmp_path / "run")
    built = CliRunner().invoke(cli, ["data", "build", str(song_folder), "-o", shards, "--workers", "1"])
    assert built.exit_code == 0 and "40 pieces" in built.output, built.output
    small = ["--steps", "1", "--batch", "1", "--length", "64", "--threads", "1"]
    trained = CliRunner().invoke(cli, ["train", shards, "--run", run, *small])
    assert trained.exit_code == 0, trained.output
    film = tmp_path / "film.mp4"
    encode(shots([2.0, 1.5, 2.0], [0, 1, 2], [20.0, 60.0, 40.0]), film)
    to_json = ["--json", str(tmp_path / "table.json")]
    table = CliRunner().invoke(cli, ["evaluate", shards, str(film), "--library", shards, *to_json])
    assert table.exit_code == 0, table.output
    rows = json.loads((tmp_path / "table.json").read_text())
    assert list(rows) == [
        "real, human", "match", "match, library", "no control", "paper C=0.7", "paper C=1", "ours C=0.7", "ours C=1",
        "shuffled video", "library", "association", "diffusion", "ours, default", "ours, moved",
    ]  # fmt: skip
    assert "what an ear takes from it" in table.output and "cut rank among the beats" in table.output
    assert all("cut_rank" in piece for name in ("match", "paper C=1", "ours, default") for piece in rows[name])
    assert all("drum_copies" in piece and "cut_rank" not in piece for piece in rows["real, human"])
    exact = [piece for name in ("ours C=1", "library", "diffusion") for piece in rows[name]]
    assert all(piece["density_error"] == piece["strength_error"] == 0 for piece in exact)
    assert all({"plain_cost", "cpu_s", "beats_in_chord"} <= piece.keys() for piece in rows["library"])
    assert "how the music answers the picture" in table.output
    refused = CliRunner().invoke(cli, ["train", shards, "--run", run, "--config", "huge"])
    assert "no network huge" in str(refused.exception)
