"""The diffusion network: what it may see, what it begins with, and weights that are not what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hitpoint.model.errors import InputError
from hitpoint.model.music.roll import LOWEST, PITCHES, ROLL_TICKS
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.music.tokens import MAX_SIMU_NOTE
from hitpoint.model.network.conditions import Controls, Labels, chord_classes
from hitpoint.model.network.roll_checkpoint import load, save
from hitpoint.model.network.roll_conditions import DYNAMIC_SIZES, MAPS, SEMANTIC_SIZES, maps_of, told_of
from hitpoint.model.network.roll_network import MOST_LOGIT, STEPS, RollConfig, RollNetwork, alpha_bars

SMALL = RollConfig(widths=(8, 8, 8), blocks=(1, 1, 1), told=16)


@pytest.fixture(scope="module")
def network() -> RollNetwork:
    torch.manual_seed(0)
    return RollNetwork(SMALL).eval()


def asked(network: RollNetwork, change: int | None = None, untold: bool = False) -> torch.Tensor:
    """Logits of one noisy roll; the tokens of bar `change` are others."""
    torch.manual_seed(1)
    semantic, dynamic = torch.ones(1, 16, len(SEMANTIC_SIZES), dtype=torch.long), torch.ones(
        1, 32, len(DYNAMIC_SIZES), dtype=torch.long)  # fmt: skip
    if change is not None:
        semantic[:, 2 * change : 2 * change + 2] = 2
        dynamic[:, 4 * change : 4 * change + 4] = 2
    tokens = network.tokens(semantic, dynamic, torch.tensor([untold]))
    noisy = torch.randn(1, 4, ROLL_TICKS, PITCHES)
    with torch.no_grad():
        found: torch.Tensor = network(noisy, torch.tensor([500]), tokens, torch.zeros(1, MAPS, ROLL_TICKS, PITCHES))
    return found


def test_the_levels_are_those_of_the_paper() -> None:
    alphas = alpha_bars()
    assert len(alphas) == STEPS + 1 and alphas[0] == 1.0
    assert alphas[1] == pytest.approx(1 - 0.00085) and alphas[STEPS] == pytest.approx(0.0047, abs=5e-4)


def test_tokens_are_seen_from_their_own_bar_and_those_beside_it(network: RollNetwork) -> None:
    seen = network.mask_0.numpy().reshape(32, 24, 48)[:, 0]
    assert seen[0, :4].all() and not seen[0, 4:16].any() and seen[0, 16:24].all() and not seen[0, 24:].any()
    assert seen[16, 6:12].all() and not seen[16, :6].any()
    halves = RollNetwork(RollConfig(widths=(8, 8, 8), blocks=(1, 1, 1), told=16, halves=True)).mask_0.numpy()
    assert halves.reshape(32, 24, 48)[0, 0, :8].all() and not halves.reshape(32, 24, 48)[0, 0, 8:16].any()


def test_what_is_told_counts_unless_nothing_is(network: RollNetwork) -> None:
    assert not torch.equal(asked(network), asked(network, change=3))
    assert torch.equal(asked(network, untold=True), asked(network, change=3, untold=True))


def test_a_clear_pixel_is_taken_at_its_word(network: RollNetwork) -> None:
    clean = torch.where(torch.rand(1, 4, ROLL_TICKS, PITCHES) < 0.1, 1.0, -1.0)
    tokens = network.tokens(torch.zeros(1, 16, 7, dtype=torch.long), torch.zeros(1, 32, 6, dtype=torch.long),
                            torch.tensor([True]))  # fmt: skip
    with torch.no_grad():
        logits = network(clean, torch.tensor([1]), tokens, torch.zeros(1, MAPS, ROLL_TICKS, PITCHES))
    exact = MOST_LOGIT * clean
    assert torch.equal(logits[clean > 0] > 0, torch.ones_like(logits[clean > 0]) > 0)
    assert float((logits - exact).abs().max()) < MOST_LOGIT


def test_chords_lie_where_their_tones_are() -> None:
    labels = Labels.unknown(8)
    labels.chords[0] = [*chord_classes(parse_symbol("Am")), *chord_classes(None)]
    controls = Controls(np.full(8, -1, np.int16), np.full(8, np.nan, np.float32), np.zeros((8, 16), np.int16))
    maps = maps_of(told_of(controls, labels))
    assert {(row + LOWEST) % 12 for row in np.flatnonzero(maps[0, 0])} == {9, 0, 4}
    assert {(row + LOWEST) % 12 for row in np.flatnonzero(maps[1, 7])} == {9}
    assert not maps[:, 8:].any()


def test_strengths_and_densities_lie_on_their_ticks_and_bars() -> None:
    controls = Controls(np.full(8, -1, np.int16), np.full(8, np.nan, np.float32), np.zeros((8, 16), np.int16))
    controls.required[1, 4], controls.density[2] = 3, 8
    maps = maps_of(told_of(controls, Labels.unknown(8)))
    strength, density = maps[2:, :, 0]
    assert np.flatnonzero(strength).tolist() == [20] and strength[20] == pytest.approx(3 / MAX_SIMU_NOTE)
    assert np.flatnonzero(density).tolist() == list(range(32, 48)) and set(density[32:48]) == {0.5}


def test_weights_learnt_before_a_map_was_there_do_not_hear_it(network: RollNetwork, tmp_path: Path) -> None:
    path = tmp_path / "roll.safetensors"
    save(network, path)
    weights = load_file(path)
    weights["enter.weight"] = weights["enter.weight"][:, :-16].contiguous()
    from safetensors import safe_open

    with safe_open(str(path), "pt") as file:
        save_file(weights, path, file.metadata())
    older = load(path).enter.weight
    assert older.shape == network.enter.weight.shape and not older[:, -16:].any() and older[:, :-16].any()


def test_weights_come_back_and_those_that_are_no_numbers_are_refused(network: RollNetwork, tmp_path: Path) -> None:
    path = tmp_path / "roll.safetensors"
    save(network, path)
    again = load(path)
    assert again.config == SMALL
    weights = load_file(path)
    torch.testing.assert_close(again.height, weights["height"].float())
    with pytest.raises(InputError, match="there is no checkpoint"):
        load(tmp_path / "none.safetensors")
    weights["height"][0] = float("nan")
    from safetensors import safe_open

    with safe_open(str(path), "pt") as file:
        header = file.metadata()
    save_file(weights, path, header)
    with pytest.raises(InputError, match=r"what are no numbers \(in height\)") as raised:
        load(path)
    assert raised.value.exit_code == 3
    save_file(weights, path, {"schema": "another"})
    with pytest.raises(InputError, match="no weights of the composer diffusion"):
        load(path)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="damaged"):
        load(path)
