"""Chord symbols and keys as musicians write them."""

from __future__ import annotations

import pytest

from hitpoint.model.music.chord_symbols import key_name, parse_key, parse_symbol, symbol_of
from hitpoint.model.music.chords import CHORDS, Chord


def test_every_chord_is_read_as_it_is_written() -> None:
    assert [parse_symbol(symbol_of(chord)) for chord in CHORDS] == list(CHORDS)
    assert [parse_symbol(str(chord)) for chord in CHORDS] == list(CHORDS)
    assert parse_symbol(symbol_of(None)) is None


@pytest.mark.parametrize(
    ("symbol", "root", "quality"),
    [
        ("C5", 0, "maj"), ("Dadd9", 2, "maj"), ("G9", 7, "7"), ("G13", 7, "7"), ("Ebaug7", 3, "7"), ("FM9", 5, "maj7"),
        ("Bbm11", 10, "min7"), ("AmM7", 9, "min"), ("Em(add9)", 4, "min"), ("A7sus", 9, "sus4"), ("F#m7b5", 6, "hdim7"),
        ("Db/F", 1, "maj"), ("Fsus2/A", 5, "sus2"), ("G7/B", 7, "7"), ("C6/9", 0, "maj6"), ("Cb", 11, "maj"),
    ],
)  # fmt: skip
def test_richer_chords_are_taken_for_the_nearest_one(symbol: str, root: int, quality: str) -> None:
    assert parse_symbol(symbol) == Chord(root, quality)


@pytest.mark.parametrize("text", ["", "H", "Amaj77", "C/", "N7", "Cm7 Dm7", "c", "C" * 1000])
def test_what_is_no_chord_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="there is no chord"):
        parse_symbol(text)


@pytest.mark.parametrize(
    ("text", "tonic", "minor"),
    [("A minor", 9, True), ("Bb major", 10, False), ("F# Minor", 6, True), ("Em", 4, True), ("C", 0, False),
     ("g", 7, True), ("eb minor", 3, True), ("CM", 0, False)],
)  # fmt: skip
def test_keys(text: str, tonic: int, minor: bool) -> None:
    assert parse_key(text) == (tonic, minor)
    assert parse_key(key_name(tonic, minor)) == (tonic, minor)


@pytest.mark.parametrize("text", ["", "H minor", "A dorian", "minor", "A minor minor"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="there is no key"):
        parse_key(text)
