"""What a composer gets for nothing when it can only stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from hitpoint.model.compose.base import COMPOSERS, Composer, ComposerOptions, Stats
from hitpoint.model.errors import UsageError
from hitpoint.model.music.score import Bar, Note
from hitpoint.model.plan.types import Plan
from tests.fakes import fake_plan


class Counting(Composer):
    """Each bar holds one note whose pitch tells the seed, and whose velocity tells how much history there was."""

    key = "counting"

    @classmethod
    def create(cls, options: ComposerOptions) -> Counting:
        return cls()

    def stream(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        self.stats = Stats(tokens=7, seconds=0.5)
        for bar in plan.bars[len(history) :]:
            yield Bar(bar.index, (Note(0, 1, 60 + seed, 4, 1 + len(history)),))


def test_takes_are_what_each_seed_gives_alone() -> None:
    composer, plan, came = Counting(), fake_plan(bars=4), []
    pieces = composer.takes(plan, [3, 5], came.append)
    assert pieces == [list(composer.stream(plan, 3)), list(composer.stream(plan, 5))]
    assert came == [*pieces[0], *pieces[1]]
    composer.takes(plan, [3, 5])
    assert (composer.stats.tokens, composer.stats.seconds, composer.stats.bars) == (14, 1.0, 8)


def test_a_passage_is_written_anew_and_the_rest_stays() -> None:
    composer, plan = Counting(), fake_plan(bars=6)
    bars = list(composer.stream(plan, 0))
    new = composer.regenerate(plan, bars, 2, 3, seed=9)
    assert new[:2] == bars[:2] and new[4:] == bars[4:]
    assert [(bar.index, bar.notes[0].pitch, bar.notes[0].velocity) for bar in new[2:4]] == [(2, 69, 3), (3, 69, 3)]


def test_what_it_cannot_do_it_says_by_a_sentence() -> None:
    composer, plan = Counting(), fake_plan(bars=4)
    bars = list(composer.stream(plan, 0))
    with pytest.raises(UsageError, match="writes all instruments of a bar together"):
        composer.regenerate(plan, bars, 0, 1, instruments=[1])
    assert composer.regenerate(plan, bars, 0, 1, instruments=plan.instruments, seed=2)[0] != bars[0]
    for first, last in ((3, 2), (-1, 2), (0, 4)):
        with pytest.raises(UsageError, match="bars 0-3"):
            composer.regenerate(plan, bars, first, last)
    for instruments in ([], [9]):
        with pytest.raises(UsageError, match="no such instrument"):
            composer.regenerate(plan, bars, 0, 1, instruments)


def test_every_composer_of_ours_can_be_loaded() -> None:
    for name in ("cmt", "library", "match"):
        kind = COMPOSERS.load(name)
        assert issubclass(kind, Composer) and kind.key == name
    with pytest.raises(UsageError, match="choose from cmt, library, match"):
        COMPOSERS.load("nobody")
