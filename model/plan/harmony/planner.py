"""The harmony of a plan: a home key, and a chord for each half bar, before a note is composed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.mood.types import MOODS
from hitpoint.model.music.chords import CHORDS, Chord
from hitpoint.model.music.keys import Key
from hitpoint.model.music.meter import FOUR_FOUR
from hitpoint.model.music.score import INSTRUMENTS
from hitpoint.model.music.symbols import key_name, symbol_of
from hitpoint.model.plan.harmony.columns import CHORD_GENRES, COLUMN, Span, affect_class, table
from hitpoint.model.plan.harmony.home import home_of
from hitpoint.model.plan.harmony.network import shipped
from hitpoint.model.plan.harmony.progression import spread
from hitpoint.model.plan.harmony.rules import HOMES, halves_of, keys_of, rules_of
from hitpoint.model.plan.harmony.search import find_chords
from hitpoint.model.plan.types import Affect, Plan, Wishes

_DRUMS = INSTRUMENTS.index("drums")


def harmonise(plan: Plan, wishes: Wishes) -> Plan:
    """`plan` with a chord for each half bar and the key of each bar; the same plan and wishes give the same chords.

    As it is where no harmony is wished for, and where drums play alone.
    """
    if set(plan.instruments) <= {_DRUMS}:
        return replace(plan, changes=(*plan.changes, *_unheard(wishes)))
    if wishes.harmony == "off":
        return plan
    home = home_of(plan, wishes)
    if isinstance(wishes.harmony, tuple):
        symbols = spread(wishes.harmony, len(plan.bars))
        keys = [home] * len(plan.bars)
    else:
        found, section_keys = _drawn(plan, HOMES[home.minor])
        keys = [_moved(section_keys[bar.section], home) for bar in plan.bars]
        chords = [Chord((chord.root + home.root - HOMES[home.minor].root) % 12, chord.quality) for chord in found]
        chords += [chords[-1]] * (2 * len(plan.bars) - len(chords))
        halves = [symbol_of(chord, keys[place // 2]) for place, chord in enumerate(chords)]
        symbols = list(zip(halves[::2], halves[1::2], strict=True))
        if plan.tempo_map.meter != FOUR_FOUR:  # a bar has one chord: half of 3/4 is on no beat
            symbols = [(first, first) for first, _ in symbols]
    bars = tuple(
        replace(bar, chords=pair, key=key_name(key)) for bar, pair, key in zip(plan.bars, symbols, keys, strict=True)
    )
    return replace(plan, bars=bars, harmony="bound" if wishes.harmony == "bound" else "leaned",
                   harmony_strength=wishes.harmony_strength)  # fmt: skip


def _unheard(wishes: Wishes) -> tuple[str, ...]:
    """What drums alone cannot play of what was asked for."""
    named = {"a key": wishes.key is not None, "chords": wishes.harmony not in ("auto", "off"), "a lead": wishes.lead}
    asked = [name for name, is_asked in named.items() if is_asked]
    return (f"drums play alone: nothing is heard of {' and '.join(asked)}",) if asked else ()


def _moved(key: Key, home: Key) -> Key:
    """A key counted from C major or A minor as it is in the home key."""
    return Key((key.root + home.root - HOMES[home.minor].root) % 12, key.minor)


def _drawn(plan: Plan, home: Key) -> tuple[list[Chord], list[Key]]:
    """The chords of all half bars and the keys of all sections, in C major or A minor."""
    rules = rules_of(plan, home)
    rng = np.random.default_rng([plan.seed, 7])
    chords = find_chords(shipped(), told_of(plan, home), rules, home, tension_of(plan), rng)
    return [CHORDS[number] for number in chords], keys_of(plan, home)


def told_of(plan: Plan, home: Key) -> NDArray[np.int64]:
    """What the network is told of a plan, (half bars, columns)."""
    tempo_bpm = plan.mean_bpm
    count = halves_of(plan)
    labels = [section.label for section in plan.sections]
    spans = [
        Span(2 * each.first_bar, min(2 * each.end_bar, count), each.label in labels[:number])
        for number, each in enumerate(plan.sections)
    ]
    genre = plan.genre if plan.genre in CHORD_GENRES else None
    rows = table(count, spans, minor=home.minor, tempo_bpm=tempo_bpm, genre=genre)
    affects = [bar.affect for bar in plan.bars for _ in range(2)][:count]
    for name in ("valence", "arousal", "tension"):
        rows[:, COLUMN[name]] = affect_class(np.array([_share(affect, name) for affect in affects]))
    rows[:, COLUMN["emotion"]] = [0 if each is None else 1 + MOODS.index(each.emotion) for each in affects]
    return rows


def _share(affect: Affect | None, name: str) -> float:
    """A side of the affect on a scale of 0..1; NaN where nothing is known."""
    if affect is None:
        return float("nan")
    value = float(getattr(affect, name))
    return value if name == "tension" else (value + 1) / 2


def tension_of(plan: Plan) -> NDArray[np.float64] | None:
    """The tension asked for in each half bar, 0..1; None where the plan says nothing of it."""
    if all(bar.affect is None for bar in plan.bars):
        return None
    return np.repeat([_share(bar.affect, "tension") for bar in plan.bars], 2)[: halves_of(plan)]
