"""Checkpoints from strangers: whatever the header says, one sentence, and nothing large is allocated."""

import dataclasses
import json
import random
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from hitpoint.model.errors import InputError
from hitpoint.model.music.score import INSTRUMENTS, KIT_GENRES, SHIPPED_GENRES
from hitpoint.model.network import checkpoint
from hitpoint.model.network.layout import FIRST, FIRST_VOCABULARY, PRESENT, Layout
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
    header = {
        "schema": checkpoint.SCHEMA,
        "config": json.dumps(fields),
        "vocabulary": checkpoint.vocabulary(),
        "layout": PRESENT.to_text(),
    }
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
    with pytest.raises(InputError, match="not numbers"):
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


def first_version(path):
    """A checkpoint as the first version wrote them, of fewer columns and genres; returns its weights."""
    weights = load_file(path)
    columns = sum(size for _, size in FIRST.columns)
    weights["bar_table.weight"] = torch.randn(columns, 16, dtype=torch.float16)
    weights["embedding.initial.weight"] = torch.randn(1 + len(FIRST.genres) + len(INSTRUMENTS), 16, dtype=torch.float16)
    header = {
        "schema": checkpoint.SCHEMA,
        "config": json.dumps(dataclasses.asdict(SMALL)),
        "vocabulary": FIRST_VOCABULARY,
    }
    save_file(weights, path, metadata=header)
    return {name: weight.float() for name, weight in weights.items()}


def test_older_weights_say_the_same_to_the_bit(small):
    old = first_version(small)
    loaded = checkpoint.load(small)
    assert loaded.layout == FIRST and loaded.layout.genres == KIT_GENRES
    rng = np.random.default_rng(0)
    table = np.stack([rng.integers(0, size, 500) for _, size in PRESENT.columns], axis=1)
    table[:, 0] = rng.integers(0, dict(FIRST.columns)["genre"], 500)  # a genre that they know; the rest is arbitrary
    offsets = np.cumsum([0, *(size for _, size in FIRST.columns[:-1])])
    before = F.embedding_bag(torch.from_numpy(table[:, : len(offsets)] + offsets), old["bar_table.weight"], mode="sum")
    with torch.inference_mode():
        assert torch.equal(loaded.network.bar_vectors(torch.from_numpy(table)), loaded.network.bar_mix(before))
        initial = loaded.network.embedding.initial.weight
        assert torch.equal(initial[:7], old["embedding.initial.weight"][:7]) and not initial[7].any()
        assert torch.equal(initial[-5:], old["embedding.initial.weight"][-5:])  # the instruments
        assert not loaded.network.bar_table.weight[dict(FIRST.columns)["genre"]].any()  # a genre that is new


def test_a_checkpoint_names_what_it_was_trained_with(small):
    assert checkpoint.load(small).layout == PRESENT
    assert Layout.from_text(FIRST.to_text()) == FIRST


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (Layout((*PRESENT.genres, "polka"), PRESENT.columns), "newer version .it has polka"),
        (Layout(PRESENT.genres, (*PRESENT.columns, ("weather", 4))), "newer version .it has weather"),
        (Layout(PRESENT.genres, (("genre", 99), *PRESENT.columns[1:])), "newer version .it has genre"),
        (Layout(("rock", *PRESENT.genres[1:]), PRESENT.columns), "newer version"),
        (Layout(PRESENT.genres[:6], PRESENT.columns), "does not fit its own description"),
        (Layout(PRESENT.genres, PRESENT.columns[:-1]), "does not fit its own description"),
    ],
)
def test_columns_that_this_version_lacks_are_named(small, layout, words):
    checkpoint.save(Network(SMALL), small, layout=layout)
    with pytest.raises(InputError, match=words):
        checkpoint.load(small)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "7", '{"genres": [], "columns": 3}', '{"genres": [], "columns": [["a", "b"]]}',
     '{"genres": [1], "columns": []}', '{"genres": [], "columns": [["a", 1e9]]}',
     '{"genres": [], "columns": [[[], 1]]}',
     '{"genres": "pop", "columns": []}', '{"genres": [], "columns": [["a", 2], ["a", 2]]}'],
)  # fmt: skip
def test_a_damaged_list_of_columns_is_one_sentence(small, text):
    header = {"schema": checkpoint.SCHEMA, "config": json.dumps(dataclasses.asdict(SMALL)), "layout": text}
    save_file(load_file(small), small, metadata={**header, "vocabulary": checkpoint.vocabulary()})
    with pytest.raises(InputError, match="does not say what it was trained with") as caught:
        checkpoint.load(small)
    assert "\n" not in str(caught.value)


def test_the_shipped_weights_know_what_is_offered():
    assert set(SHIPPED_GENRES) <= set(checkpoint.load().layout.genres)
