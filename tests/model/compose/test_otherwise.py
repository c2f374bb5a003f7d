"""A passage that is written again is not the same again."""

from __future__ import annotations

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.compose.cmt.leaning import Here, Place
from hitpoint.model.compose.cmt.otherwise import SAME_NATS, Otherwise
from hitpoint.model.compose.cmt.wishes import Wishes
from hitpoint.model.music.score import Bar, Note
from tests.model.material import make_plan


def test_it_leans_away_from_what_stands_there_and_tells_the_same() -> None:
    standing = Bar(0, (Note(4, 1, 60, 2, 80), Note(4, 1, 60, 4, 80), Note(4, 2, 64, 2, 80)))
    assert Otherwise.of(Here(make_plan(1), 0)) is None
    leaning = Otherwise.of(Here(make_plan(1), 0, (), True, standing))
    assert leaning is not None and leaning.lean("pitch", Place(4, 1, 0, 1)) == {61: SAME_NATS}
    assert leaning.lean("pitch", Place(5, 1, 0, 1)) == {} and leaning.lean("beat", Place(4, 1, 0, 1)) == {}
    wishes = Wishes()
    leaning.tell(wishes)
    assert (
        wishes.pitch[4, 1, 61] == SAME_NATS
        and wishes.pitch[4, 2, 65] == SAME_NATS
        and wishes.pitch.sum() == 2 * SAME_NATS
    )


def test_one_player_s_passage_comes_out_otherwise_at_most_seeds() -> None:
    """Where all others stand and the groove is theirs, six seeds of six once gave the same notes."""
    composer, plan = CmtComposer.load(device="cpu"), make_plan(6)
    bars = list(composer.stream(plan, seed=4))
    player = max(range(5), key=lambda k: sum(note.instrument == k for bar in bars[2:4] for note in bar.notes))
    again = [composer.regenerate(plan, bars, 2, 3, instruments=(player,), seed=seed)[2:4] for seed in range(4)]
    assert sum(each != bars[2:4] for each in again) >= 2
