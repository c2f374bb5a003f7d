"""The chord planner's network: torch in training and numpy in planning are one; songs are read as they are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hitpoint.model.music.keys import Key
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.plan.harmony.columns import SIZES
from hitpoint.model.plan.harmony.network import ChordNetwork, Reading, Sizes
from hitpoint.model.training import chords
from hitpoint.model.training.chord_songs import Example, Scales, half_bars, key_of_chords


@pytest.mark.parametrize("halves", [1, 20, 230])
def test_numpy_guesses_what_torch_guesses(tmp_path: Path, halves: int) -> None:
    torch.manual_seed(0)
    network = chords.ChordNetwork(Sizes(16, 2, 32, 2, 2))
    for block in (*network.encoder, *network.decoder):
        torch.nn.init.normal_(block.bias, std=0.5)
    chords.save(network, tmp_path / "w.safetensors")
    network.load_state_dict({name: value.half().float() for name, value in network.state_dict().items()})
    network.eval()
    rng = np.random.default_rng(1)
    told = np.stack([rng.integers(size, size=halves) for size in SIZES], axis=1)
    root, quality = rng.integers(12, size=halves), rng.integers(13, size=halves)
    reading = Reading(ChordNetwork.load(tmp_path / "w.safetensors"), told, 2)
    found = []
    for place in range(halves):
        found.append(reading.logs()[1])
        reading.take(np.array([0, root[place] * 13 + quality[place]]), np.array([0, 1]))
    seen = 80 if halves > 192 else halves  # farther on, a long piece is read in other windows
    with torch.no_grad():
        expected = chords.chord_logs(network, chords.batch_of([(told[:192], root[:192], quality[:192])]))
    wanted = expected[0].reshape(-1, 156).numpy()
    np.testing.assert_allclose(np.array(found)[:seen], wanted[:seen], atol=2e-4)
    assert np.isfinite(found).all() and np.allclose(np.exp(found).sum(axis=1), 1, atol=1e-4)


def test_a_line_goes_on_from_another_line(tmp_path: Path) -> None:
    torch.manual_seed(0)
    chords.save(chords.ChordNetwork(Sizes(16, 2, 32, 1, 1)), tmp_path / "w.safetensors")
    network, told = ChordNetwork.load(tmp_path / "w.safetensors"), np.ones((4, len(SIZES)), np.int64)
    both, alone = Reading(network, told, 2), Reading(network, told, 1)
    both.logs(), alone.logs()
    both.take(np.array([5, 60])), alone.take(np.array([60]))
    both.logs(), alone.logs()
    both.take(np.array([7, 7]), np.array([1, 1])), alone.take(np.array([7]))
    np.testing.assert_allclose(both.logs()[0], alone.logs()[0], atol=1e-6)


def test_bars_of_songs_become_half_bars() -> None:
    assert half_bars("0:F/A 3:G/B") == (parse_symbol("F"), parse_symbol("F"))
    assert half_bars("0:F 2:G7") == (parse_symbol("F"), parse_symbol("G7"))
    assert half_bars("0:z 1:C") == (None, parse_symbol("C"))


@pytest.mark.parametrize(
    ("symbols", "key"),
    [("C F G7 C Am F G C", Key(0, False)), ("Am F C G Am Dm E7 Am", Key(9, True)), ("D G A7 D", Key(2, False))],
)
def test_the_key_of_chords(symbols: str, key: Key) -> None:
    assert key_of_chords([parse_symbol(each) for each in symbols.split()]) == key


def test_the_weights_that_guess_best_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = np.linspace(0, 1, 40)
    song = Example(np.arange(40) % 4, np.zeros(40, np.int64), ranks, ranks, ranks, (), False, ((None, None),))
    scales = Scales(*[np.linspace(0, 1, 9)] * 6)
    looks = iter([2.0, 2.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0])  # told and not told, look after look
    monkeypatch.setattr(chords, "evaluate", lambda *_: {"nats": next(looks)})
    monkeypatch.setattr(chords, "LOOK_STEPS", 1)
    monkeypatch.setattr(chords, "PATIENCE", 2)
    network, seen = chords.ChordNetwork(Sizes(8, 2, 8, 1, 1)), []
    monkeypatch.setattr(chords, "save", lambda *_: seen.append(next(network.parameters()).detach().clone()))
    kept = chords.train(network, {"train": [song] * 128, "validation": [song]}, scales, 9, tmp_path / "w.safetensors")
    assert kept == 2 and len(seen) == 2  # the third and fourth look are worse, and the fourth is the last
    assert not torch.equal(seen[1], next(network.parameters()))
