"""Composing with the shipped checkpoint: exact control, the same again for the same seed, going on from anywhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.plan.arrangement.arrange import arrange
from tests.fakes import fake_plan
from tests.model.material import make_plan


@pytest.fixture(scope="module")
def composer() -> CmtComposer:
    return CmtComposer.load(device="cpu")


def test_control_is_exact_and_nothing_sounds_past_the_end(composer: CmtComposer) -> None:
    plan = make_plan(6)
    bars = list(composer.stream(plan, seed=3))
    assert [bar.index for bar in bars] == list(range(6))
    for bar, wanted in zip(bars, plan.bars, strict=True):
        assert bar.density == wanted.density
        strengths = bar.strengths()
        assert {tick: strengths[tick] for tick, _ in wanted.required} == dict(wanted.required)
    ends = [bar.index * TICKS_PER_BAR + note.tick + note.duration_ticks for bar in bars for note in bar.notes]
    assert max(ends) <= 6 * TICKS_PER_BAR


def test_the_same_seed_gives_the_same_bars_from_any_point(composer: CmtComposer) -> None:
    plan = make_plan(5)
    bars = list(composer.stream(plan, seed=1))
    assert list(composer.stream(plan, seed=1)) == bars
    assert list(composer.stream(plan, seed=1, history=bars[:3])) == bars[3:]
    assert list(composer.stream(plan, seed=2)) != bars


def test_only_the_instruments_asked_for_sound(composer: CmtComposer) -> None:
    plan = make_plan(4, instruments=(1, 3))
    assert {note.instrument for bar in composer.stream(plan, seed=0) for note in bar.notes} <= {1, 3}


def test_everybody_is_heard_where_the_arrangement_has_them_play(composer: CmtComposer) -> None:
    plan = arrange(make_plan(10))
    bars = list(composer.stream(plan, 1))
    for bar, asked in zip(bars, plan.bars, strict=True):
        heard = {note.instrument for note in bar.notes}
        assert heard <= set(asked.instruments or ()) and {k for _, k in asked.entries} <= heard
    assert {note.instrument for bar in bars for note in bar.notes} >= {1, 2, 3, 4}


def test_a_bar_made_again_keeps_its_accent_its_fill_and_its_breath(composer: CmtComposer) -> None:
    plan = arrange(fake_plan(6))
    bars = list(composer.stream(plan, 1))
    marked = next(bar.index for bar in plan.bars if bar.scored)
    for instruments in (None, (0,), (1,)):
        again = composer.regenerate(plan, bars, marked, marked, instruments, seed=5)[marked]
        asked = plan.bars[marked]
        heard = {(note.tick, note.instrument, note.pitch) for note in again.notes}
        assert {(n.tick, n.instrument, n.pitch) for n in asked.scored} <= heard
        assert not {(tick, k) for tick, k, _ in heard} & set(asked.closed)
        assert again.density == bars[marked].density


def test_takes_decoded_together_equal_takes_decoded_alone(composer: CmtComposer) -> None:
    plan = make_plan(3)
    came = []
    together = composer.takes(plan, [5, 6, 7], came.append)
    assert together == [list(composer.stream(plan, seed)) for seed in (5, 6, 7)]
    assert len({tuple(take) for take in together}) == 3 and len(came) == 9
    pieces = list(composer.together(plan, [5, 6, 7]))
    assert [[bar for place, bar in pieces if place == at] for at in range(3)] == together


def test_regenerating_one_instrument_leaves_the_others_note_for_note(composer: CmtComposer) -> None:
    plan = make_plan(6)
    bars = list(composer.stream(plan, seed=4))
    pitched = [note.instrument for bar in bars[2:4] for note in bar.notes if note.instrument]  # drums have few choices
    busiest = Counter(pitched).most_common(1)[0][0]
    again = composer.regenerate(plan, bars, 2, 3, instruments=(busiest,), seed=9)
    assert again[:2] == bars[:2] and again[4:] == bars[4:]
    for old, new in zip(bars[2:4], again[2:4], strict=True):
        kept = [note for note in old.notes if note.instrument != busiest]
        assert [note for note in new.notes if note.instrument != busiest] == kept
    assert again[2:4] != bars[2:4]


def test_regenerating_outside_the_piece_is_refused(composer: CmtComposer) -> None:
    plan = make_plan(3)
    bars = list(composer.stream(plan, seed=4))
    with pytest.raises(UsageError, match="not in this piece"):
        composer.regenerate(plan, bars, 2, 3)
    with pytest.raises(UsageError, match="no such instrument"):
        composer.regenerate(make_plan(3, instruments=(1,)), bars, 0, 1, instruments=(0,))


def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    from hitpoint.model.network.checkpoint import SHIPPED

    damaged = tmp_path / "x.safetensors"
    damaged.write_bytes(SHIPPED.read_bytes()[:5000])
    with pytest.raises(InputError, match="damaged"):
        CmtComposer.load(damaged)
    with pytest.raises(InputError, match="no checkpoint"):
        CmtComposer.load(tmp_path / "absent.safetensors")


def test_a_checkpoint_of_another_vocabulary_is_one_sentence(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    path = tmp_path / "x.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"schema": "hitpoint.checkpoint/1", "vocabulary": "other"})
    with pytest.raises(InputError, match="another vocabulary"):
        CmtComposer.load(path)


def test_the_papers_control_misses_where_it_does_not_overwrite_and_ours_is_exact(composer: CmtComposer) -> None:
    from hitpoint.model.music.score import Score
    from hitpoint.model.training.evaluation.rows import figures
    from hitpoint.model.training.evaluation.ways import overwritten

    plan = make_plan(6)
    ours, theirs = (
        figures(Score(tuple(bars), plan.tempo_map, plan.genre, plan.instruments, 0), plan)
        for bars in (list(composer.stream(plan, 0)), overwritten(composer, plan, 0.3))
    )
    assert ours["density_error"] == ours["strength_error"] == 0.0
    assert theirs["density_error"] + theirs["strength_error"] > 0.0


def test_matching_finds_the_stretch_that_was_asked_for(shard_folder: Path) -> None:
    from dataclasses import replace

    from hitpoint.model.compose.library.match import best_match, stretch
    from hitpoint.model.data.build import load

    shard = load(shard_folder)
    piece = shard.pieces[3]
    wanted = stretch(shard, piece, 5, 4)
    plan = make_plan(4)
    asked = tuple(
        replace(plan.bars[bar.index], density=bar.density, required=tuple(sorted(bar.strengths().items())))
        for bar in wanted
    )
    assert best_match(replace(plan, bars=asked), shard, shard.pieces) == wanted


def test_the_shipped_checkpoint_has_its_card(composer: CmtComposer) -> None:
    import json

    from hitpoint.model.network.checkpoint import SHIPPED
    from hitpoint.model.training.card import card_path

    card = json.loads(card_path(SHIPPED).read_text())
    assert card["sha256"] == composer.sha256 and card["bytes"] == SHIPPED.stat().st_size < 60_000_000
    assert not {"openmsx", "debian_games", "nottingham"} & {name.split(": ")[1] for name in card["pieces"]}


def test_the_papers_network_composes_under_the_same_masks(tmp_path: Path) -> None:
    import dataclasses

    import torch

    from hitpoint.model.network import checkpoint
    from hitpoint.model.network.network import PAPER, Network

    torch.manual_seed(0)
    config = dataclasses.replace(PAPER, d_model=64, heads=2, d_ff=64, attention=("linear",) * 2)
    checkpoint.save(Network(config), tmp_path / "paper.safetensors")
    paper = CmtComposer.load(tmp_path / "paper.safetensors", device="cpu")
    plan = make_plan(3)
    bars = list(paper.stream(plan, seed=0))
    assert [bar.density for bar in bars] == [bar.density for bar in plan.bars]
