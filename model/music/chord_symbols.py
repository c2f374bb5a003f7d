"""Chord symbols as musicians write them ("Am7", "Bb", "F#m7b5/A") <-> the chords of this program."""

from __future__ import annotations

import re

from hitpoint.model.music.chords import NAMES, QUALITIES, Chord

NONE = "N"
"""The symbol for no chord."""

_SUFFIXES = {
    "maj": "", "min": "m", "dim": "dim", "sus4": "sus4", "min7": "m7", "sus2": "sus2", "aug": "aug", "dim7": "dim7",
    "maj6": "6", "hdim7": "m7b5", "7": "7", "min6": "m6", "maj7": "maj7",
}  # fmt: skip
"""Quality -> what is written behind the root."""

_OTHER_SUFFIXES = {
    "M": "maj", "maj": "maj", "5": "maj", "add9": "maj", "min": "min", "-": "min", "mM7": "min", "m(add9)": "min",
    "madd9": "min", "o": "dim", "°": "dim", "+": "aug", "sus": "sus4", "7sus": "sus4", "7sus4": "sus4", "9sus4": "sus4",
    "9": "7", "11": "7", "13": "7", "aug7": "7", "+7": "7", "7b9": "7", "7#9": "7", "7b5": "7", "7#5": "7",
    "M7": "maj7", "M9": "maj7", "M13": "maj7", "maj9": "maj7", "maj13": "maj7", "min7": "min7", "-7": "min7",
    "m9": "min7", "m11": "min7", "m13": "min7", "min9": "min7", "o7": "dim7", "°7": "dim7", "ø": "hdim7", "ø7": "hdim7",
    "hdim7": "hdim7", "m7(b5)": "hdim7", "maj7#11": "maj7", "ma7": "maj7", "^7": "maj7", "^": "maj7", "Δ": "maj7",
    "Δ7": "maj7", "Maj7": "maj7", "mi": "min", "mi7": "min7", "mmaj7": "min", "m(maj7)": "min", "m69": "min6",
    "add2": "maj", "7alt": "7", "7#11": "7", "7b13": "7", "7(b9)": "7", "9sus": "sus4", "13sus4": "sus4", "2": "sus2",
    "min7b5": "hdim7", "maj6": "maj6", "6/9": "maj6", "69": "maj6", "min6": "min6", "-6": "min6",
}  # fmt: skip
"""Further suffixes, each taken for the quality that is nearest to it among QUALITIES."""

_QUALITY = {**_OTHER_SUFFIXES, **{suffix: quality for quality, suffix in _SUFFIXES.items()}}
_SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHIFTS = {"#": 1, "♯": 1, "b": -1, "♭": -1}
_SYMBOL = re.compile(r"([A-G])([#♯b♭]?):?(.*?)(?:/[A-G][#♯b♭]?)?")
_KEY = re.compile(r"([A-Ga-g])([#♯b♭]?)\s*(major|minor|maj|min|m)?", re.IGNORECASE)


def parse_symbol(text: str) -> Chord | None:
    """ "Am7" -> the chord; None for "N" (no chord). A bass behind a slash is dropped. Raises ValueError for others."""
    symbol = text.strip()
    if symbol in (NONE, "N.C.", "NC"):
        return None
    found = _SYMBOL.fullmatch(symbol)
    quality = _QUALITY.get(found[3]) if found else None
    if found is None or quality is None:
        raise ValueError(f"there is no chord {text!r}; write it as C, Am7, F#dim or Bb/D")
    return Chord(_pitch_class(found[1], found[2]), quality)


def symbol_of(chord: Chord | None, sharps: bool = False) -> str:
    """The chord as it is written, with flats or with sharps; "N" for none."""
    return NONE if chord is None else (_SHARPS if sharps else NAMES)[chord.root] + _SUFFIXES[chord.quality]


def has_sharps(tonic: int, minor: bool) -> bool:
    """Whether a key is written with sharps."""
    return (tonic + 3 if minor else tonic) % 12 in (2, 4, 6, 7, 9, 11)


def parse_key(text: str) -> tuple[int, bool]:
    """ "A minor" -> tonic 0..11 (C = 0) and whether it is minor. Raises ValueError for what is no key."""
    found = _KEY.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"there is no key {text!r}; write it as A minor or Bb major")
    mode = found[3] or ("minor" if found[1].islower() else "major")
    return _pitch_class(found[1].upper(), found[2]), mode == "m" or mode.lower() in ("minor", "min")


def key_name(tonic: int, minor: bool) -> str:
    """ "A minor"."""
    names = _SHARPS if has_sharps(tonic, minor) else NAMES
    return f"{names[tonic]} {'minor' if minor else 'major'}"


def _pitch_class(letter: str, accidental: str) -> int:
    return (_STEPS[letter] + _SHIFTS.get(accidental, 0)) % 12


assert _SUFFIXES.keys() == QUALITIES.keys()
