"""Chord symbols and names of keys, there and back."""

from __future__ import annotations

import pytest

from hitpoint.model.music.chords import CHORDS, Chord
from hitpoint.model.music.keys import Key
from hitpoint.model.music.symbols import key_name, parse_key, parse_symbol, symbol_of


def test_every_chord_is_printed_and_read_back_in_every_key() -> None:
    for key in [None, *(Key(root, minor) for root in range(12) for minor in (False, True))]:
        for chord in CHORDS:
            assert parse_symbol(symbol_of(chord, key)) == chord
    assert parse_symbol(symbol_of(None)) is None


@pytest.mark.parametrize(
    ("text", "chord"),
    [
        ("Am7", Chord(9, "min7")), ("F#m7b5/E", Chord(6, "hdim7")), ("Bb", Chord(10, "maj")), ("C9", Chord(0, "7")),
        ("Cadd9", Chord(0, "maj")), ("E♭M7", Chord(3, "maj7")), ("G7sus", Chord(7, "sus4")), ("N.C.", None),
        ("C6/9", Chord(0, "maj6")), ("C5", Chord(0, "maj")), (" Db:".replace(":", "dim "), Chord(1, "dim")),
        ("Cb", Chord(11, "maj")), ("AmM7", Chord(9, "min")), ("BbM13", Chord(10, "maj7")),
    ],
)  # fmt: skip
def test_symbols_as_people_write_them(text: str, chord: Chord | None) -> None:
    assert parse_symbol(text) == chord


@pytest.mark.parametrize("text", ["", "H", "Am8", "C/", "C/x", "a", "Cmin77", "maj7", "C G"])
def test_what_is_no_symbol_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="not a chord symbol"):
        parse_symbol(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [("A minor", Key(9, True)), ("Am", Key(9, True)), ("C", Key(0, False)), ("f# MINOR", Key(6, True)),
     ("Eb major", Key(3, False)), ("bb", Key(10, False)), ("C#m", Key(1, True)), ("G:maj", Key(7, False))],
)  # fmt: skip
def test_keys_as_people_write_them(text: str, key: Key) -> None:
    assert parse_key(text) == key


def test_keys_are_printed_and_read_back() -> None:
    for key in (Key(root, minor) for root in range(12) for minor in (False, True)):
        assert parse_key(key_name(key)) == key


@pytest.mark.parametrize("text", ["", "H minor", "A dorian", "minor", "A  minor minor"])
def test_what_is_no_key_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        parse_key(text)
