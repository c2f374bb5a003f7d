"""Genres strike where their own music does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.compose.cmt.idiom import Idiom
from hitpoint.model.compose.cmt.idiom_table import IDIOMS, ROWS
from hitpoint.model.compose.cmt.leaning import Here, Place
from hitpoint.model.data.idioms import rows_of
from hitpoint.model.music.score import DRUM_KINDS, INSTRUMENTS, KIT_GENRES, TICKS_PER_BAR
from tests.model.material import make_plan

DRUMS, KICK = INSTRUMENTS.index("drums"), 37


def leaning(genre: str) -> Idiom | None:
    return Idiom.of(Here(dataclasses.replace(make_plan(2), genre=genre), 0))


def test_dance_has_its_kick_on_every_beat_and_country_has_not() -> None:
    dance, country = leaning("dance"), leaning("country")
    for tick in (4, 12):
        place = Place(tick, DRUMS, 35, 4)
        assert dance.lean("pitch", place)[KICK] > 0 > country.lean("pitch", place)[KICK]
    assert dance.lean("pitch", Place(4, INSTRUMENTS.index("bass"), 35, 4)) == {}
    assert len(dance.lean("beat", Place(12, DRUMS, 35, 4))) == len((13, 14, 15))


def test_without_a_kit_there_is_no_idiom_and_all_others_have_one() -> None:
    assert leaning("orchestral") is None
    assert set(IDIOMS) == set(KIT_GENRES) and all(len(rows) == len(ROWS) for rows in IDIOMS.values())


def test_the_groove_of_a_genre_is_heard_under_the_film_s_accents() -> None:
    """Real pop has 5.4 strokes a bar on the closed hat, electronic music 6.5."""
    composer = CmtComposer.load(device="cpu")
    made = make_plan(8)
    bars = tuple(dataclasses.replace(bar, density=10, required=((3, 3),)) for bar in made.bars)
    for genre in ("electronic", "pop"):
        plan = dataclasses.replace(made, bars=bars, genre=genre)
        notes = [note for seed in range(2) for bar in composer.stream(plan, seed) for note in bar.notes]
        hats = [note for note in notes if note.instrument == DRUMS and note.pitch in DRUM_KINDS["closed hat"]]
        assert len(hats) > 5 * 2 * len(bars)


def test_what_all_genres_do_alike_is_leaned_to_in_none() -> None:
    could = np.ones((len(ROWS), TICKS_PER_BAR))
    rows = rows_of((genre, could, 0.3 * could) for genre in KIT_GENRES)
    assert not any(each.any() for each in rows.values())
    did = 0.3 * could
    did[ROWS.index("kick"), 4] = 0.9
    rows = rows_of((genre, could, did if genre == "dance" else 0.3 * could) for genre in KIT_GENRES)
    assert rows["dance"][ROWS.index("kick"), 4] > 5 and rows["pop"][ROWS.index("kick"), 4] < 0


@pytest.mark.parametrize("genre", KIT_GENRES)
def test_an_idiom_never_forbids(genre: str) -> None:
    assert np.abs(np.array(IDIOMS[genre])).max() <= 25
