"""How names, switches and files are read from the texts of the command line and of OSC.

The process that keeps the time knows the names of these too, so what needs arrays is imported where it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hitpoint.model.errors import UsageError
from hitpoint.model.mood.types import LONGEST_TEXT, MOODS
from hitpoint.model.music.score import GENRES, INSTRUMENTS
from hitpoint.model.plan.tune.motif import REGISTERS, Motif
from hitpoint.model.plan.types import ChordAt

HARMONIES = ("auto", "off", "bound")
MOOD_CHOICES = ("auto", "off", *MOODS)


def genre(text: str) -> str:
    """A genre by its name; raises UsageError with the choices, as all of these do for a value they do not know."""
    return _genre(text, GENRES)


def genre_or_auto(text: str) -> str:
    """The same, or auto: the one that is suggested."""
    return _genre(text, ("auto", *GENRES))


def _genre(text: str, choices: Sequence[str]) -> str:
    name = text.lower()
    if name not in choices:
        raise UsageError(f"unknown genre {text!r}: choose from {', '.join(choices)}")
    return name


def words(text: str) -> str:
    """A description; none is an empty one."""
    if text.lower() == "none":
        return ""
    return text[: LONGEST_TEXT + 1]  # one letter too many tells that there were more


def mood(text: str) -> str:
    """A mood, auto or off."""
    name = text.lower()
    if name not in MOOD_CHOICES:
        raise UsageError(f"unknown mood {text!r}: choose from {', '.join(MOOD_CHOICES)}")
    return name


def one_of(key: str, names: tuple[str, ...]) -> Callable[[str], str]:
    """A reader of one of `names`; `key`: the option's name, for the sentence."""

    def parse(text: str) -> str:
        name = text.lower()
        if name not in names:
            raise UsageError(f"{key} must be one of {', '.join(names)}, not {text!r}")
        return name

    return parse


def instruments(text: str) -> tuple[int, ...]:
    """Indexes into INSTRUMENTS of names separated by commas, ascending; all is every one."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if names == ["all"]:
        return tuple(range(len(INSTRUMENTS)))
    for name in names:
        if name not in INSTRUMENTS:
            raise UsageError(f"unknown instrument {name!r}: choose from {', '.join(INSTRUMENTS)}, separated by commas")
    if not names:
        raise UsageError(f"no instrument named: choose from {', '.join(INSTRUMENTS)}, separated by commas")
    return tuple(sorted({INSTRUMENTS.index(name) for name in names}))


def key(text: str) -> str | None:
    """A key as `key_name` writes it, or None for auto."""
    from hitpoint.model.music.symbols import key_name, parse_key

    if text.lower() == "auto":
        return None
    try:
        return key_name(parse_key(text))
    except ValueError as error:
        raise UsageError(str(error)) from error


def lead(text: str) -> str | None:
    """An instrument that can have the tune, or None for auto."""
    name = text.lower()
    if name == "auto":
        return None
    if name not in REGISTERS:
        raise UsageError(f"{text!r} cannot have the tune: choose from auto, {', '.join(REGISTERS)}")
    return name


def motif(text: str) -> Motif | None:
    """The tune of a MIDI file, or None for auto."""
    from hitpoint.model.plan.tune.motif_file import read_motif

    return None if text.lower() in ("", "auto") else read_motif(Path(text))


def harmony(text: str) -> str | tuple[ChordAt, ...]:
    """auto, off, bound, or the chords of a file."""
    from hitpoint.model.plan.harmony.progression import read_progression

    if text.lower() in HARMONIES:
        return text.lower()
    path = Path(text)
    if not path.is_file():
        raise UsageError(f"there is no file {text!r} of chords: choose from {', '.join(HARMONIES)}, or name a file")
    return read_progression(path)


def switch(name: str) -> Callable[[str], bool]:
    """A reader of on and off; `name`: the option's name, for the sentence."""

    def parse(text: str) -> bool:
        word = text.lower()
        value = True if word in ("on", "1", "true") else False if word in ("off", "0", "false") else None
        if value is None:
            raise UsageError(f"{name} must be on or off, not {text!r}")
        return value

    return parse
