"""Chords named from notes."""

from __future__ import annotations

import pytest

from hitpoint.model.music.chords import CHORDS, QUALITIES, Chord, label_chords
from hitpoint.model.music.score import Bar, Note


def bars_of(halves: list[tuple[int, ...]], instrument: int = 1) -> list[Bar]:
    """A chord a half bar; the lowest pitch first."""
    bars = [[] for _ in range((len(halves) + 1) // 2)]
    for half, pitches in enumerate(halves):
        bars[half // 2] += [Note(8 * (half % 2), instrument, pitch, 8, 80) for pitch in pitches]
    return [Bar(index, tuple(sorted(notes))) for index, notes in enumerate(bars)]


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("root", [0, 5, 11])
def test_a_plain_chord_is_named(root: int, quality: str) -> None:
    tones = tuple(48 + root + step for step in QUALITIES[quality])
    (first, second) = label_chords(bars_of([tones, tones]))
    assert first == second
    assert first is not None and set(first.tones) == {(root + step) % 12 for step in QUALITIES[quality]}
    if quality not in ("dim7", "aug"):  # whose roots are a matter of spelling
        assert first.root == root or {quality, first.quality} in ({"sus2", "sus4"}, {"maj6", "min7"}, {"min6", "hdim7"})


def test_a_progression_is_followed_and_a_passing_note_is_not() -> None:
    c, f, g = (48, 52, 55), (53, 57, 60), (43, 59, 62)
    assert [str(each) for each in label_chords(bars_of([c, f, g, c]))] == ["C:maj", "F:maj", "G:maj", "C:maj"]
    passing = bars_of([c, c])
    notes = (*passing[0].notes, Note(2, 4, 74, 2, 80), Note(6, 4, 77, 1, 80))
    assert [str(each) for each in label_chords([Bar(0, tuple(sorted(notes)))])] == ["C:maj", "C:maj"]


def test_silence_and_drums_have_no_chord() -> None:
    assert label_chords([]) == []
    drums = [Bar(0, (Note(0, 0, 36, 1, 80),))]
    assert label_chords(drums) == [None, None]
    c = (48, 52, 55)
    assert [each is None for each in label_chords(bars_of([c, (), c, c]))] == [False, True, False, False]


def test_a_melody_alone_is_labelled_too() -> None:
    labels = label_chords(bars_of([(60, 64, 67), (65, 69, 72)], instrument=4))
    assert [each.root for each in labels if each] == [0, 5]


def test_borders_can_be_moved_to_any_tick() -> None:
    notes = [
        Note(tick, 1, pitch, 4, 80) for tick in (0, 4, 8, 12) for pitch in ((48, 52, 55) if tick < 4 else (53, 57, 60))
    ]
    bar = [Bar(0, tuple(sorted(notes)))]
    assert [str(each) for each in label_chords(bar, shift_ticks=4)] == ["F:maj", "F:maj"]


def test_numbers_are_those_of_the_vocabulary() -> None:
    assert [chord.number for chord in CHORDS] == list(range(1, 157))
    assert Chord(9, "min").number == 1 + 13 * 9 + 4 and str(Chord(10, "7")) == "Bb:7"
    assert Chord(0, "sus4").minor is None and Chord(0, "hdim7").minor is True and Chord(0, "7").minor is False
