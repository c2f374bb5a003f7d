"""What a user may ask for, and how the words of the command line and of OSC become Wishes.

The process that keeps the time knows the names of these too, so what needs arrays is imported where it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hitpoint.model.errors import UsageError
from hitpoint.model.music.meter import FOUR_FOUR, METERS
from hitpoint.model.music.score import INSTRUMENTS, SHIPPED_GENRES
from hitpoint.model.plan.tune.motif import REGISTERS
from hitpoint.model.plan.types import Wishes
from hitpoint.model.plan.wishes import names as read
from hitpoint.model.plan.wishes.names import HARMONIES, MOOD_CHOICES
from hitpoint.model.plan.wishes.texts import (
    moments,
    mood_line,
    number,
    own_hits,
    share_or_auto,
    tempo,
    tempo_range,
    whole,
    within,
)

DYNAMICS = ("learned", "rule")
COLOURS = ("section", "off")
METER_CHOICES = (*METERS, "auto")


@dataclass(frozen=True)
class WishOption:
    """One thing that may be asked for. key: its name on the command line and over OSC; field: the one in Wishes.

    type: what a value is, in words. default: the text that gives the default. choices: what it may be, in words.
    opposite: of a switch, the command line's name for switching it off.
    """

    key: str
    field: str
    type: str
    default: str
    choices: str
    help: str
    parse: Callable[[str], Any]
    opposite: str = ""


def parse_wishes(texts: Mapping[str, object], start: Wishes | None = None) -> Wishes:
    """`start` (the defaults if None) with the wishes in `texts` (option key -> text or number; None is skipped).

    Raises UsageError, in one sentence with the choices, for an unknown key or a value out of range.
    """
    changes: dict[str, Any] = {}
    for key, value in texts.items():
        option = BY_KEY.get(key.replace("_", "-"))  # the command line's parser has no hyphens in names
        if option is None:
            raise UsageError(f"unknown option {key!r}: choose from {', '.join(BY_KEY)}")
        if value is not None:
            changes[option.field] = option.parse(_text(value))
    return replace(start or Wishes(), **changes)


def names_file(key: str, text: str) -> bool:
    """Whether the option is given a file of the user's by this text, rather than a word."""
    option = BY_KEY.get(key.replace("_", "-"))
    return option is not None and option.type.endswith("file") and text.strip().lower() not in ("", "auto", *HARMONIES)


def check_wishes(wishes: Wishes) -> None:
    """Raise UsageError if `wishes`, made by hand rather than by `parse_wishes`, are out of range."""
    read.genre(wishes.genre)
    if not wishes.instruments or not set(wishes.instruments) <= set(range(len(INSTRUMENTS))):
        raise UsageError(f"instruments must be one or more of 0..{len(INSTRUMENTS) - 1}, not {wishes.instruments}")
    if wishes.tempo_bpm is not None:
        tempo_range(*wishes.tempo_bpm)
    within("control", wishes.control, 0.0, 1.0)
    if wishes.cut_control is not None:
        within("cut-control", wishes.cut_control, 0.0, 1.0)
    within("deviation", wishes.max_deviation, 0.0, 0.5)
    within("energy", wishes.energy, -0.5, 0.5)
    within("density", wishes.density, -8, 8)
    within("accents", wishes.accents, 0.0, 2.0)
    within("humanise", wishes.humanise, 0.0, 1.0)
    within("swing", wishes.swing, 0.0, 1.0)
    read.one_of("dynamics", DYNAMICS)(wishes.dynamics)
    read.one_of("colours", COLOURS)(wishes.colours)
    read.one_of("meter", METER_CHOICES)(wishes.meter)
    within("duck", wishes.duck_db, -40.0, 0.0)
    within("harmony-strength", wishes.harmony_strength, 0.0, 2.0)
    if wishes.key is not None:
        read.key(wishes.key)
    _check_tune(wishes)
    if isinstance(wishes.harmony, str) and wishes.harmony not in HARMONIES:
        raise UsageError(f"harmony must be one of {', '.join(HARMONIES)} or a progression, not {wishes.harmony!r}")
    within("seed", wishes.seed, 0, 2**63 - 1)
    read.mood(wishes.mood)
    for name in ("valence", "arousal", "tension"):
        value = getattr(wishes, name)
        within(name, value, -1.0, 1.0)
        if value and wishes.mood == "off":
            raise UsageError(
                f"{name} {value:g} cannot be added while mood is off; set mood to auto, or leave {name} out"
            )


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # OSC hosts send whole numbers as floats: a seed of 7.0 is 7
    return str(value).strip()


def _check_tune(wishes: Wishes) -> None:
    """Raise UsageError for a tune that nobody can play, or that has no chords to go with."""
    for name, asked in (("lead", wishes.lead), ("motif", wishes.motif)):
        if asked is not None and wishes.harmony == "off":
            raise UsageError(f"a {name} needs planned chords; leave harmony off out, or {name}")
    able = {INSTRUMENTS[k] for k in wishes.instruments} & set(REGISTERS)
    if wishes.lead is not None and read.lead(wishes.lead) not in able:
        raise UsageError(
            f"{wishes.lead} is to have the tune but is not among the instruments; add it or choose another"
        )
    if wishes.motif is not None and not able - {"bass"} and wishes.lead is None:
        raise UsageError("nobody is there to play the motif; add piano, guitar or strings to the instruments")


_GENRES, _INSTRUMENTS = ", ".join(SHIPPED_GENRES), ", ".join(INSTRUMENTS)
OPTIONS: tuple[WishOption, ...] = (
    WishOption(
        "genre",
        "genre",
        "name",
        "pop",
        f"auto, {_GENRES}",
        "the style of the music; auto: one is suggested",
        read.genre_or_auto,
    ),
    WishOption(
        "instruments",
        "instruments",
        "names",
        "all",
        f"all, or some of {_INSTRUMENTS}",
        "who may play",
        read.instruments,
    ),
    WishOption("tempo", "tempo_bpm", "BPM", "auto", "auto, BPM or LO-HI, 30..300", "quarter notes a minute", tempo),
    WishOption(
        "control",
        "control",
        "number",
        "0.7",
        "0..1",
        "how much of the motion and of the visual beats binds the music",
        number("control", 0, 1),
    ),
    WishOption(
        "cut-control",
        "cut_control",
        "number",
        "auto",
        "auto or 0..1",
        "how much of the cuts and fades binds; auto: all of them while control is 0.5 or more",
        share_or_auto("cut-control"),
    ),
    WishOption(
        "deviation",
        "max_deviation",
        "number",
        "0.03",
        "0..0.5",
        "how far the tempo may bend within two bars to meet the cuts, as a share",
        number("deviation", 0, 0.5),
    ),
    WishOption(
        "seed",
        "seed",
        "whole number",
        "0",
        "0 or more",
        "the same seed gives the same score",
        whole("seed", 0, 2**63 - 1),
    ),
    WishOption(
        "energy", "energy", "number", "0", "-0.5..0.5", "louder or softer throughout", number("energy", -0.5, 0.5)
    ),
    WishOption(
        "density",
        "density",
        "whole number",
        "0",
        "-8..8",
        "busier or sparser bars throughout",
        whole("density", -8, 8),
    ),
    WishOption(
        "accents",
        "accents",
        "number",
        "1",
        "0..2",
        "how far hits stand out: breath, loudness, cymbal; 0 leaves them bare",
        number("accents", 0, 2),
    ),
    WishOption(
        "humanise",
        "humanise",
        "number",
        "1",
        "0..1",
        "how far the notes are played as people play, off the grid and unevenly; 0 leaves them as written",
        number("humanise", 0, 1),
    ),
    WishOption(
        "swing",
        "swing",
        "number",
        "0",
        "0..1",
        "how late the second of two eighths comes, or of two sixteenths in dance and electronic",
        number("swing", 0, 1),
    ),
    WishOption(
        "dynamics",
        "dynamics",
        "name",
        "learned",
        ", ".join(DYNAMICS),
        "loudness within a bar as people have it, or as it was composed",
        read.one_of("dynamics", DYNAMICS),
    ),
    WishOption(
        "colours",
        "colours",
        "name",
        "section",
        ", ".join(COLOURS),
        "programs that calm and strong sections have of their own, or one a track for instruments of yours",
        read.one_of("colours", COLOURS),
    ),
    WishOption(
        "repitch",
        "repitch",
        "switch",
        "off",
        "on or off; of files only, not live",
        "after composing, change pitches until they are as tense as the picture asks",
        read.switch("repitch"),
        "no-repitch",
    ),
    WishOption(
        "meter",
        "meter",
        "name",
        FOUR_FOUR,
        ", ".join(METER_CHOICES),
        "the time signature; auto: 3/4 or 6/8 where the visual beats plainly keep it",
        read.one_of("meter", METER_CHOICES),
    ),
    WishOption(
        "odd-bars",
        "odd_bars",
        "switch",
        "off",
        "on or off",
        "let single bars be shorter, 2/4 or 3/4, so that more cuts fall on downbeats",
        read.switch("odd-bars"),
        "no-odd-bars",
    ),
    WishOption("key", "key", "key", "auto", "auto, or such as 'A minor', Eb, F#m", "the home key", read.key),
    WishOption(
        "harmony",
        "harmony",
        "name or file",
        "auto",
        "auto, off, bound or FILE",
        "the chords: planned and leaned to, left to the composer, kept strictly on the beats, or those of a file with"
        " lines 'BAR.HALF SYMBOL' (0.0 Am7)",
        read.harmony,
    ),
    WishOption(
        "harmony-strength",
        "harmony_strength",
        "number",
        "1",
        "0..2",
        "how much the composer leans to the chords",
        number("harmony-strength", 0, 2),
    ),
    WishOption("lead", "lead", "name", "auto", f"auto, {', '.join(REGISTERS)}", "who has the tune", read.lead),
    WishOption(
        "motif", "motif", "file", "auto", "auto or FILE.mid", "a tune of your own, one to four bars, quoted", read.motif
    ),
    WishOption(
        "hits",
        "hits",
        "seconds",
        "none",
        "moments such as 2.5,12.25!",
        "moments of your own to hit; those with ! as hard as can be",
        own_hits,
    ),
    WishOption(
        "unhits",
        "unhits",
        "seconds",
        "none",
        "moments such as 4.2,9",
        "cuts and beats of the picture that are not to be hit",
        moments("unhits"),
    ),
    WishOption(
        "describe",
        "describe",
        "words",
        "none",
        "text",
        "the film in your own words, from which mood, and an open genre, are taken",
        read.words,
    ),
    WishOption(
        "mood", "mood", "name", "auto", ", ".join(MOOD_CHOICES), "the mood; auto: what the picture says", read.mood
    ),
    WishOption(
        "valence", "valence", "number", "0", "-1..1", "gladder or sadder than the mood", number("valence", -1, 1)
    ),
    WishOption(
        "arousal", "arousal", "number", "0", "-1..1", "livelier or calmer than the mood", number("arousal", -1, 1)
    ),
    WishOption(
        "tension", "tension", "number", "0", "-1..1", "tenser or easier than the mood", number("tension", -1, 1)
    ),
    WishOption(
        "mood-line",
        "mood_line",
        "points",
        "none",
        "such as 0:0.2:,12.5:-0.4:0.8",
        "valence and tension from one moment to the next, instead of the picture's: SECONDS:VALENCE:TENSION",
        mood_line,
    ),
    WishOption(
        "keep-sound",
        "keep_sound",
        "switch",
        "on",
        "on or off",
        "keep the film's own sound, and make room for what is said in it",
        read.switch("keep-sound"),
        "music-only",
    ),
    WishOption(
        "duck",
        "duck_db",
        "number",
        "-9",
        "-40..0",
        "how far the music goes down under speech, in decibels",
        number("duck", -40, 0),
    ),
)
"""Every wish, declared once: the command line, OSC and the README's table come from here."""
BY_KEY = {option.key: option for option in OPTIONS}
