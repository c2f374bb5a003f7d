"""Checkpoints from strangers: whatever the header says, one sentence, and nothing large is allocated."""

import dataclasses
import json
import random
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file

from hitpoint.model.errors import InputError
from hitpoint.model.network import checkpoint
from hitpoint.model.network.network import Network, NetworkConfig

SMALL = NetworkConfig(name="small", d_model=16, heads=2, d_ff=24, d_head=16, attention=("gated", "local"), window=16)


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.safetensors"
    checkpoint.save(Network(SMALL), path)
    return path


def rewritten(path, weights=None, **config):
    """The checkpoint with other weights, or another description."""
    fields = {**dataclasses.asdict(SMALL), **config}
    header = {"schema": checkpoint.SCHEMA, "config": json.dumps(fields), "vocabulary": checkpoint.vocabulary()}
    save_file(weights or load_file(path), path, metadata=header)


def test_a_sound_one_loads(small):
    assert checkpoint.load(small).name == "small"


@pytest.mark.parametrize(
    "config",
    [
        {"d_model": 1_000_000},
        {"d_model": 65_536, "d_ff": 65_536, "heads": 1},
        {"d_ff": 10**12},
        {"attention": ["gated"] * 100_000},
        {"attention": ["gated"] * 200, "d_model": 4096},
        {"heads": 0},
        {"heads": 3},
        {"d_model": -16},
        {"d_model": "wide"},
        {"window": 10**9},
        {"attention": 7},
        {"unknown": 1},
    ],
)
def test_sizes_in_the_header_are_bounded_before_anything_is_allocated(small, config, monkeypatch):
    rewritten(small, **config)
    with pytest.raises(InputError) as caught:
        checkpoint.load(small)
    assert "\n" not in str(caught.value) and str(small) in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(small, value):
    weights = load_file(small)
    name = sorted(weights)[0]
    weights[name].view(-1)[0] = value
    rewritten(small, weights)
    with pytest.raises(InputError, match="no numbers"):
        checkpoint.load(small)


def test_damaged_files_are_one_sentence_each(small):
    whole = small.read_bytes()
    dice = random.Random(4)
    (length,) = struct.unpack("<Q", whole[:8])
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(dice.randrange(1, 6)):
            data[dice.randrange(8 + length)] = dice.randrange(256)
        if dice.random() < 0.3:
            del data[dice.randrange(len(data)) :]
        small.write_bytes(bytes(data))
        try:
            checkpoint.load(small)
        except InputError as error:
            assert "\n" not in str(error)
    small.write_bytes(struct.pack("<Q", 2**62) + whole[8:])
    with pytest.raises(InputError):
        checkpoint.load(small)


def test_a_network_is_described_without_being_made():
    with torch.device("meta"):
        assert all(weight.is_meta for weight in Network(SMALL).parameters())
