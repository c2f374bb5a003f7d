"""Training the diffusion network: windows of songs, a tiny run, going on, and what is exported."""

from __future__ import annotations

import json
from pathlib import Path

import mido
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hitpoint.model.data.build import Shard, build, load
from hitpoint.model.errors import InputError
from hitpoint.model.music.roll import LOWEST
from hitpoint.model.network import roll_checkpoint
from hitpoint.model.network.roll_network import RollConfig
from hitpoint.model.training import diffusion
from hitpoint.model.training.diffusion import Recipe, Songs, main, train
from hitpoint.model.training.rolls import ALL

SMALL = RollConfig(widths=(8, 8, 8), blocks=(1, 1, 1), told=16)


def write(path: Path, seed: int) -> None:
    """Twelve bars of tune and chords."""
    rng = np.random.default_rng(seed)
    midi = mido.MidiFile(type=1, ticks_per_beat=480)
    midi.tracks.append(mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)]))
    for name, channel, low in (("Piano", 0, 48), ("Strings", 4, 72)):
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        for _ in range(24):
            pitch = low + int(rng.choice([0, 4, 7, 9]))
            track.append(mido.Message("note_on", note=pitch, velocity=80, channel=channel))
            track.append(mido.Message("note_off", note=pitch, channel=channel, time=960))
        midi.tracks.append(track)
    midi.save(path)


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Shard:
    folder, out = tmp_path_factory.mktemp("duets"), tmp_path_factory.mktemp("shards")
    for number in range(40):
        write(folder / f"pop_{number:02}.mid", number)
    build([folder], out, workers=1)
    return load(out)


def test_a_window_and_what_is_told_of_it_are_transposed_together(shard: Shard) -> None:
    songs = Songs.of(shard, "train")
    plain, higher = (songs.window(songs.pieces[0], 2, steps, ALL, np.random.default_rng(0)) for steps in (0, 5))
    assert plain[0].shape == (4, 128, 88) and plain[0][0].sum() == plain[0][2].sum() == 16
    assert (higher[0][:, :, 5:] == plain[0][:, :, :-5]).all()
    roots = [told.semantic[:, 0] for _, told in (plain, higher)]
    assert ((roots[0] - 2 + 5) % 12 == roots[1] - 2).all()
    assert (plain[1].dynamic == higher[1].dynamic).all() and set(plain[1].dynamic[:, 0]) == {3}
    assert np.flatnonzero(plain[0][2, 0]).min() + LOWEST >= 48


def test_shards_without_such_songs_are_refused(shard: Shard) -> None:
    with pytest.raises(InputError, match="piano and strings alone"):
        Songs.of(shard, "train", dataset="another")


def test_a_run_learns_and_goes_on(shard: Shard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "HELD_OUT_WINDOWS", 4)
    songs, held_out = Songs.of(shard, "train"), Songs.of(shard, "validation")
    recipe = Recipe(steps=8, batch=2, evaluate_every=4, short=False, warm_steps=2)
    said: list[str] = []
    train(songs, held_out, tmp_path / "whole", recipe, config=SMALL, say=said.append)
    train(songs, held_out, tmp_path / "parts", recipe, config=SMALL, say=said.append, stop_at=3)
    path = train(songs, held_out, tmp_path / "parts", recipe, config=SMALL, note="by nobody", say=said.append)
    weights, again = load_file(tmp_path / "whole" / path.name), load_file(path)
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    first, last = (json.loads(text)["held_out"]["told"] for text in said[:2])
    assert last < first
    card = json.loads(path.with_name("diffusion.card.json").read_text())
    assert card["steps"] == 8 and card["note"] == "by nobody" and card["bytes"] == path.stat().st_size
    assert roll_checkpoint.load(path).config == SMALL
    with pytest.raises(InputError, match="run of another network"):
        train(songs, held_out, tmp_path / "parts", recipe, say=said.append)


def test_it_is_run_by_hand(
    shard: Shard, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(diffusion, "HELD_OUT_WINDOWS", 4)
    main([str(Path(shard.notes.filename).parent), "--run", str(tmp_path / "run"), "--steps", "1"])  # type: ignore[attr-defined]
    assert "wrote" in capsys.readouterr().out and (tmp_path / "run" / "diffusion.safetensors").is_file()


def test_a_run_may_begin_from_weights(shard: Shard, tmp_path: Path) -> None:
    songs, held_out = (Songs.of(shard, split) for split in ("train", "validation"))
    recipe = Recipe(steps=1, batch=2, rate=0.0)
    first = train(songs, held_out, tmp_path / "one", recipe, config=SMALL, say=lambda text: None)
    again = train(
        songs, held_out, tmp_path / "two", recipe, beginning=roll_checkpoint.load(first), say=lambda text: None
    )
    one, two = load_file(first), load_file(again)
    assert all(torch.equal(one[name], two[name]) for name in one)
    wider = RollConfig(widths=(16, 8, 8), blocks=(1, 1, 1), told=16)
    with pytest.raises(InputError, match="another size"):
        train(songs, held_out, tmp_path / "three", recipe, config=wider, beginning=roll_checkpoint.load(first))
