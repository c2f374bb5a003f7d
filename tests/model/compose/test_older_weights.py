"""A checkpoint that was trained before chords, mood and the orchestra were told to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from safetensors import safe_open
from safetensors.torch import save_file

from hitpoint.model.compose.cmt import composer
from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.errors import UsageError
from hitpoint.model.mood.types import Affect
from hitpoint.model.music.score import GENRES, INSTRUMENTS
from hitpoint.model.network import checkpoint
from hitpoint.model.network.conditions import table_of_plan
from hitpoint.model.network.layout import FIRST, FIRST_VOCABULARY, PRESENT
from hitpoint.model.plan.types import Plan
from tests.model.material import make_plan


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> CmtComposer:
    """The shipped weights without what came later, in a file as the first version wrote them."""
    with safe_open(str(checkpoint.SHIPPED), framework="pt") as file:
        header = file.metadata()
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    kept = [(name, at) for name, size in FIRST.columns for at in range(size)]
    have = FIRST if "layout" not in header else PRESENT
    place = {row: at for at, row in enumerate((name, at) for name, size in have.columns for at in range(size))}
    weights["bar_table.weight"] = weights["bar_table.weight"][[place[row] for row in kept]]
    ids = ["", *have.genres, *INSTRUMENTS]
    initial = [ids.index(name) for name in ("", *FIRST.genres, *INSTRUMENTS)]
    weights["embedding.initial.weight"] = weights["embedding.initial.weight"][initial]
    path = tmp_path_factory.mktemp("older") / "older.safetensors"
    header = {"schema": checkpoint.SCHEMA, "config": header["config"], "vocabulary": FIRST_VOCABULARY}
    save_file({name: weight.contiguous() for name, weight in weights.items()}, path, metadata=header)
    return CmtComposer.load(path, device="cpu")


def coloured(plan: Plan) -> Plan:
    mood = Affect(0.8, -0.7, 0.3, "relaxing")
    bars = (replace(bar, chords=("Fm7", "Bb7"), key="Eb major", affect=mood) for bar in plan.bars)
    return replace(plan, bars=tuple(bars))


def test_what_they_are_not_told_makes_no_difference(older: CmtComposer, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan(4)
    assert "root_0" not in older.conditions and "density_next" in older.conditions
    plain, told = table_of_plan(plan), table_of_plan(coloured(plan))
    bars = list(older.stream(plan, seed=2))
    monkeypatch.setattr(composer, "table_of_plan", lambda _: told)  # the network alone hears of it, no leaning does
    assert list(older.stream(plan, seed=2)) == bars and (told != plain).any()


def test_they_say_that_they_are_not_told_of_chords(older: CmtComposer) -> None:
    plan = replace(coloured(make_plan(4)), harmony="leaned")
    (told,) = older.account(plan, 0, ()).told
    assert "trained without chords" in told
    assert not older.account(replace(plan, harmony=""), 0, ()).told
    assert not CmtComposer.load(device="cpu").account(plan, 0, ()).told


def test_they_say_that_they_do_not_know_a_later_genre(older: CmtComposer) -> None:
    plan = replace(make_plan(4), genre=GENRES[-1])
    assert older.genres == GENRES[:-1]
    for compose in (
        lambda: list(older.stream(plan, seed=0)),
        lambda: older.takes(plan, [0, 1]),
        lambda: older.regenerate(plan, list(older.stream(make_plan(4), 0)), 1, 2),
    ):
        with pytest.raises(UsageError, match="was not trained on orchestral music; choose another genre"):
            compose()
