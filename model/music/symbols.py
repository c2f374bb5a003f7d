"""Chord symbols and names of keys: "Am7", "F#m7b5/E", "A minor" read and printed.

A symbol stands for one of 157 words: no chord ("N") or one of twelve roots with one of thirteen qualities
(`hitpoint.model.music.chords`). Richer symbols are read as the nearest of these: "C9" as C7, "Cadd9" as C.
"""

from __future__ import annotations

import re

from hitpoint.model.music.chords import Chord
from hitpoint.model.music.keys import Key

NO_CHORD = "N"
_NO_CHORDS = ("n", "nc", "n.c.", "z")
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_MAJOR_KEYS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR_KEYS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
SHARP_KEYS = {False: (2, 4, 6, 7, 9, 11), True: (1, 4, 6, 8, 11)}
"""Roots of the major (False) and minor (True) keys that are written with sharps."""

SUFFIXES = {
    "maj": "", "dim": "dim", "sus4": "sus4", "min7": "m7", "min": "m", "sus2": "sus2", "aug": "aug", "dim7": "dim7",
    "maj6": "6", "hdim7": "m7b5", "7": "7", "min6": "m6", "maj7": "maj7",
}  # fmt: skip
"""Quality -> what is printed after the root."""

_READ_AS = {
    "maj": "maj M major 5 add9 add2 maj(add9)",
    "min": "min mi - minor m(add9) madd9 mM7 mmaj7 m(maj7) m5",
    "7": "9 11 13 dom7 aug7 7#5 +7 7b5 7b9 7#9 7#11 7b13 7alt 9sus13 7(b9) 7(#9)",
    "maj7": "M7 Maj7 ma7 j7 ^7 ^ Δ Δ7 M9 maj9 M13 maj13 maj7#11",
    "min7": "min7 mi7 -7 m9 min9 m11 min11 m13 min13",
    "maj6": "maj6 M6 69 6/9 6add9",
    "min6": "min6 -6 m69 m6/9",
    "sus4": "sus 7sus 7sus4 9sus 9sus4 sus4sus2 13sus 13sus4 4",
    "sus2": "2",
    "dim": "o ° mb5 m(b5)",
    "dim7": "o7 °7",
    "hdim7": "min7b5 m7(b5) -7b5 hdim7 hdim ø ø7",
    "aug": "+ #5 aug5 (#5)",
}
_QUALITIES = {suffix: quality for quality, suffix in SUFFIXES.items()} | {
    text: quality for quality, texts in _READ_AS.items() for text in texts.split()
}
_SYMBOL = re.compile(r"([A-G])([#b]{0,2})(.*)")
_BASS = re.compile(r"/([A-G])([#b]{0,2})$")
_KEY = re.compile(r"([A-Ga-g])([#b]?)[ :_-]*(major|maj|minor|min|m|)", re.IGNORECASE)


def parse_symbol(text: str) -> Chord | None:
    """The chord that a symbol stands for, a slash bass left out; None for no chord ("N", "N.C.").

    Raises ValueError, in one sentence, for anything else.
    """
    plain = text.strip().replace("♯", "#").replace("♭", "b")
    if plain.lower() in _NO_CHORDS:
        return None
    found = _SYMBOL.fullmatch(_BASS.sub("", plain))
    quality = None if found is None else _QUALITIES.get(found[3].strip())
    if found is None or quality is None:
        raise ValueError(
            f"{text!r} is not a chord symbol; write a root and a quality, such as C, Am7, F#m7b5 or Bbmaj7"
        )
    return Chord(_pitch_class(found[1], found[2]), quality)


def symbol_of(chord: Chord | None, key: Key | None = None) -> str:
    """The symbol of a chord, spelled for `key` (with flats where there is none); "N" for no chord."""
    if chord is None:
        return NO_CHORD
    names = _SHARPS if key is not None and key.root in SHARP_KEYS[key.minor] else _FLATS
    return names[chord.root] + SUFFIXES[chord.quality]


def parse_key(text: str) -> Key:
    """The key that "A minor", "Am", "F# major" or "Eb" names. Raises ValueError, in one sentence, for anything else."""
    found = _KEY.fullmatch(text.strip().replace("♯", "#").replace("♭", "b"))
    if found is None:
        raise ValueError(f"{text!r} is not a key; write a tonic and a mode, such as 'C major', 'A minor' or 'F#m'")
    minor = found[3] == "m" or found[3].lower().startswith("min")
    return Key(_pitch_class(found[1].upper(), found[2].lower()), minor)


def key_name(key: Key) -> str:
    """ "A minor": the key's usual name."""
    return f"{(_MINOR_KEYS if key.minor else _MAJOR_KEYS)[key.root]} {'minor' if key.minor else 'major'}"


def _pitch_class(letter: str, signs: str) -> int:
    return (_LETTERS[letter] + signs.count("#") - signs.count("b")) % 12
