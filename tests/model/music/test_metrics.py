"""Each figure on music whose answer is known by hand."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from hitpoint.model.music.metrics import grooving_similarity, metrics_of, pitch_class_entropy
from hitpoint.model.music.score import Bar, Note, Score, TempoMap, TempoPoint


def score(*bars: tuple[Note, ...]) -> Score:
    return Score(
        tuple(Bar(i, tuple(sorted(notes))) for i, notes in enumerate(bars)),
        TempoMap((TempoPoint(0.0, 0.0, 120.0),)),
        "pop",
        (0, 1, 2, 3, 4),
        0,
    )


def melody(*pitches: int) -> tuple[Note, ...]:
    return tuple(Note(4 * beat, 1, pitch, 4, 80) for beat, pitch in enumerate(pitches))


def test_entropy_of_pitch_classes() -> None:
    one, four = melody(60, 72, 60, 48), melody(60, 62, 64, 65)
    assert pitch_class_entropy(score(one), 1) == 0
    assert pitch_class_entropy(score(four), 1) == pytest.approx(2)
    assert pitch_class_entropy(score(one, four), 1) == pytest.approx(1)
    assert pitch_class_entropy(score(one, one, one, one), 4) == 0
    drums = (Note(0, 0, 37, 1, 80),)
    assert pitch_class_entropy(score(four, drums), 1) == pytest.approx(2)
    assert metrics_of(score(four)).pitch_entropy_128 == pytest.approx(2)


def test_grooving_similarity_equals_the_loop_over_pairs() -> None:
    rng = random.Random(1)
    bars = [tuple(Note(t, 0, 36, 1, 80) for t in range(16) if rng.random() < 0.4) for _ in range(9)]
    patterns = [{note.tick for note in bar} for bar in bars]
    slow = [1 - len(a ^ b) / 16 for a, b in combinations(patterns, 2)]
    assert grooving_similarity(score(*bars)) == pytest.approx(sum(slow) / len(slow))
    assert grooving_similarity(score(bars[0], bars[0])) == 1


def test_density_and_simu_notes() -> None:
    music = metrics_of(
        score((Note(0, 0, 36, 1, 80), Note(0, 1, 60, 1, 80), Note(0, 1, 64, 1, 80), Note(5, 1, 60, 1, 80)))
    )
    assert (music.density, music.simu_notes_per_bar, music.notes_per_simu_note) == (2, 3, pytest.approx(4 / 3))
    assert music.empty_beats == 0.5


def test_structure_finds_repeats_of_the_right_length() -> None:
    rng = random.Random(2)

    def phrase(bars: int) -> list[tuple[Note, ...]]:
        return [melody(*(rng.randrange(48, 84) for _ in range(4))) for _ in range(bars)]

    two_bars = phrase(2)  # 4 s at 120 BPM
    repeated = metrics_of(score(*two_bars * 8))
    assert repeated.si_short > 0.8
    through_composed = metrics_of(score(*phrase(16)))
    assert through_composed.si_short < 0.2 and through_composed.si_long < 0.1
    long = phrase(9)  # 18 s: no repeat shorter than that
    twice = metrics_of(score(*long, *long))
    assert twice.si_long > 0.6 and twice.si_long > twice.si_short


def test_a_long_piece_and_an_empty_one() -> None:
    assert metrics_of(score(*[melody(60, 64, 67, 72)] * 400)).si_long > 0.8
    assert set(vars(metrics_of(score((), ()))).values()) == {0.0, 1.0}  # no figure but the share of empty beats
    assert metrics_of(score()).h1 == 0
