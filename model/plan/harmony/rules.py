"""What each half bar's chord must be or had better be: beginning, end, phrases, cuts, the home key and one excursion.

All chords here are counted from the home tonic, which is C in major and A in minor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.chords import CHORDS, HALF_BAR_TICKS, QUALITIES
from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.plan.types import Plan, Section

HOMES = {False: Key(0, False), True: Key(9, True)}
"""The key in which chords are planned, in major (False) and in minor (True)."""
HALF = TICKS_PER_BAR // 2
PHRASE_BARS, THEME_BARS = 4, 8
"""New material goes on as a phrase before, and where that is another section, as the theme does."""
EARLY_TICKS = 2
"""A chord comes in so much before its half bar, at the most, where a cut lies there."""
MOST_EQUAL = 4
"""Half bars on one chord, at the most."""
OUTSIDE_NATS = -0.3
"""For chords with tones outside the scale: people's music has .05 of its sound there, and the tension that is asked
for, which strain to the key raises, keeps most of it away."""
RELATIVE_NATS, MIXED_NATS = -2.5, -2.0
"""In minor, for the chords that make a listener hear another key, the relative major's tonic and dominant and a major
chord on the tonic, and for the tonic with a seventh, which holds the relative's: drawn as often as in songs they leave
a dark film in major to the ear."""
APPLIED_NATS = 1.0
"""For the dominants of other steps: human music is .95 in its key, not all of it."""
AMBIGUOUS_NATS = -2.2
"""For min7, maj6 and min6, which hold the relative's triad: .05 to .14 of human half bars have the first, .12 to .28 a
plain minor chord, and the tension that is asked for would turn these about."""
SUSPENDED_NATS = -2.8
"""For sus2 and sus4, whose tones lie so near to each other on the spiral array that a calm picture would have them in
every seventh half bar; .03 of those of songs have one, and they are neither major nor minor to the ear."""
TONIC_NATS, HALF_CADENCE_NATS, EXCURSION_NATS = 1.0, 3.0, 4.0
"""For the tonic where a section begins; for the dominant where a phrase ends; for the tonic of an excursion where it
begins, and of home where it is over."""
SEVENTH_NATS = 0.5
"""For the seventh of the dominant: .03 to .15 of human half bars have a major chord with a minor seventh, and the
tension that is asked for keeps most of them away."""
EARLY_END_NATS = -3.0
"""For the tonic a bar before the end."""
EXCURSION_BARS = 24
"""Shorter pieces stay in one key."""
EXCURSION_AT = 0.62
"""Where in the piece an excursion rather lies."""
_TONIC_FAMILY = {False: ("maj", "maj7", "maj6"), True: ("min", "min7", "min6")}
_SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10)}

Weights = NDArray[np.float64]
"""(156,): nats for each chord, in the order of the chord words."""


@dataclass
class Rule:
    """change: on another root than the half bar before. cut: and with few of its tones, for a cut is to be heard in it.
    between: that cut lies off the half bar's line, so that the half bar before the last still sounds in the ear: rather
    on another root than that, too. hold: rather on the same root. allowed: (156,) bool, None = all. nats: (156,), added
    to the network's. repeat: the earlier half bar that this one repeats, where it may. again: one that it had rather
    repeat.
    """

    change: bool = False
    cut: bool = False
    between: bool = False
    hold: bool = False
    allowed: NDArray[np.bool_] | None = None
    nats: Weights = field(default_factory=lambda: np.zeros(len(CHORDS)))
    repeat: int | None = None
    again: int | None = None


def chords_on(root: int, qualities: Iterable[str]) -> NDArray[np.bool_]:
    """The chords on a root with one of these qualities, as a mask (156,)."""
    mask = np.zeros(len(CHORDS), bool)
    order = list(QUALITIES)
    mask[[root % 12 * len(order) + order.index(quality) for quality in qualities]] = True
    return mask


def tonic(key: Key, plain: bool = False) -> NDArray[np.bool_]:
    """The tonic chords of a key; plain: the triad alone."""
    return chords_on(key.root, _TONIC_FAMILY[key.minor][: 1 if plain else None])


def dominant(key: Key) -> NDArray[np.bool_]:
    """The chords that lead to a key's tonic."""
    return chords_on(key.root + 7, ("maj", "7"))


@cache
def outside(key: Key) -> NDArray[np.bool_]:
    """Only to be read. The chords with a tone outside the key's scale; a minor key's dominant is not one of them."""
    scale = {(key.root + step) % 12 for step in _SCALES[key.minor]}
    return np.array([not set(chord.tones) <= scale for chord in CHORDS]) & ~dominant(key)


@cache
def relative(key: Key) -> Weights:
    """Only to be read. Nats for the chords of a minor key that speak for a major one; 0 in major."""
    if not key.minor:
        return np.zeros(len(CHORDS))
    major = chords_on(key.root + 3, ("maj", "maj7", "maj6")) | chords_on(key.root + 10, ("maj", "7"))
    major |= chords_on(key.root, ("maj", "maj7", "maj6", "7"))
    mixed = chords_on(key.root, ("min7",))
    return np.where(major, RELATIVE_NATS, np.where(mixed, MIXED_NATS, 0.0))


@cache
def suspended() -> NDArray[np.bool_]:
    """Only to be read. The chords without a third that lean to their neighbour."""
    return np.array([chord.quality in ("sus2", "sus4") for chord in CHORDS])


@cache
def applied_dominants(key: Key) -> NDArray[np.bool_]:
    """Only to be read. Sevenths that lead to the dominant, the submediant and the supertonic (in minor the
    subdominant)."""
    steps = (9, 2, 4) if not key.minor else (0, 2, 3)
    masks = [chords_on(key.root + step, ("7",)) for step in steps]
    return np.asarray(np.any(masks, axis=0))


@cache
def ambiguous() -> NDArray[np.bool_]:
    """Only to be read. Chords that hold another triad, so that an ear may take them for it."""
    return np.array([chord.quality in ("min7", "maj6", "min6") for chord in CHORDS])


def half_at(tick: int) -> int:
    """Which half bar's chord comes in at a tick of a bar, if one does: its own, 0 or 1, though late; or, just before
    the line, the one that follows (2: of the next bar).
    """
    return (tick + EARLY_TICKS) // HALF


def halves_of(plan: Plan) -> int:
    """Half bars of a plan, one that is cut short by the end counted in; two a bar otherwise."""
    return 2 * (len(plan.bars) - 1) + (2 if plan.last_bar_ticks > HALF else 1)


def excursion_of(plan: Plan) -> int | None:
    """The section that leaves home: of those in the middle whose label is not the first one's the one nearest to
    EXCURSION_AT, rather one whose label comes only once; None in short pieces.
    """
    sections = plan.sections
    if len(plan.bars) < EXCURSION_BARS or len(sections) < 3:
        return None
    labels = [section.label for section in sections]
    able = [k for k in range(1, len(sections) - 1) if labels[k] not in (labels[0], labels[-1])]
    if not able:
        return None

    def cost(k: int) -> tuple[bool, float]:
        middle = (sections[k].first_bar + sections[k].end_bar) / 2 / len(plan.bars)
        return labels.count(labels[k]) > 1, abs(middle - EXCURSION_AT)

    return min(able, key=cost)


def keys_of(plan: Plan, home: Key) -> list[Key]:
    """The key of each section: home, or its relative in the excursion. home: one of HOMES."""
    away = excursion_of(plan)
    other = Key((home.root + (3 if home.minor else 9)) % 12, not home.minor)
    labels = {plan.sections[away].label} if away is not None else set()
    once = away is not None and [section.label for section in plan.sections].count(plan.sections[away].label) > 1
    return [
        other if (k == away if once else section.label in labels) else home for k, section in enumerate(plan.sections)
    ]


def rules_of(plan: Plan, home: Key) -> list[Rule]:
    """A rule for each half bar of the plan. home: one of HOMES."""
    rules = [Rule() for _ in range(halves_of(plan))]
    keys = keys_of(plan, home)
    cuts = {(hit.bar, hit.tick) for hit in plan.hits if hit.accent is not None and hit.kind != "beat"}
    for bar in plan.bars:
        for tick in bar.changes:
            rule = rules[min(2 * bar.index + half_at(tick), len(rules) - 1)]
            rule.change, rule.cut = True, rule.cut or (bar.index, tick) in cuts
            rule.between = rule.between or ((bar.index, tick) in cuts and tick % HALF_BAR_TICKS != 0)
    for number in range(len(plan.sections)):
        _section(rules, plan.sections, number, keys)
    rules[0].change, rules[0].repeat = False, None
    first = keys[0] if keys else home
    rules[0].allowed = tonic(first, plain=first.minor)
    for place, rule in enumerate(rules[1:], 1):
        by_cut = any(each.cut for each in rules[place - 1 : place + 2])
        rule.hold = not rule.change and (place % 2 == 1 or by_cut)
    _end(rules, plan, home)
    return rules


def _section(rules: list[Rule], sections: Sequence[Section], number: int, keys: Sequence[Key]) -> None:
    section, key = sections[number], keys[number]
    first, end = 2 * section.first_bar, min(2 * section.end_bar, len(rules))
    if first >= end:
        return
    spoken_for = np.where(outside(key), OUTSIDE_NATS, 0.0) + relative(key) + np.where(suspended(), SUSPENDED_NATS, 0.0)
    sevenths = np.where(chords_on(key.root + 7, ("7",)), SEVENTH_NATS, 0.0)
    sevenths += np.where(applied_dominants(key), APPLIED_NATS, 0.0)
    sevenths += np.where(ambiguous(), AMBIGUOUS_NATS, 0.0)
    for rule in rules[first:end]:
        rule.nats = spoken_for + sevenths
    near = rules[max(0, first - 1) : first + 2]
    rules[first].change = number > 0 and (rules[first].change or not any(rule.change for rule in near))
    left = number > 0 and keys[number - 1] != key
    rules[first].nats = rules[first].nats + np.where(tonic(key), EXCURSION_NATS if left else TONIC_NATS, 0.0)
    for last in range(first + 2 * PHRASE_BARS - 1, end, 2 * PHRASE_BARS):
        rules[last].nats = rules[last].nats + np.where(dominant(key), HALF_CADENCE_NATS, 0.0)
    alike = (k for k in range(number) if sections[k].label == section.label and keys[k] == key)
    earlier = next(alike, None)
    if earlier is not None:
        length = 2 * (sections[earlier].end_bar - sections[earlier].first_bar)
        for place in range(end - first - 1):
            rules[first + place].repeat = 2 * sections[earlier].first_bar + place % length
        return
    for place in range(first, end):
        back = 2 * PHRASE_BARS if place - first >= 2 * PHRASE_BARS else 2 * THEME_BARS
        if place >= back and not (left and place == first):
            rules[place].again = place - back


def _end(rules: list[Rule], plan: Plan, home: Key) -> None:
    """The dominant, then the tonic from where the last chord starts."""
    last = len(plan.bars) - 1
    late = [tick for tick, _ in plan.bars[-1].entries if tick >= HALF]
    rests = 2 * last + 1 if late and len(rules) == 2 * last + 2 else 2 * last
    for rule in rules[rests:]:
        rule.allowed, rule.change, rule.repeat, rule.again = tonic(home, plain=True), False, None, None
        rule.hold = False
    if rests > 0:
        rules[rests].change = True
        before = rules[rests - 1]
        before.repeat = before.again = None
        if rests > 1:
            before.allowed = dominant(home)
            too_early = chords_on(home.root, QUALITIES)
            rules[rests - 2].nats = rules[rests - 2].nats + np.where(too_early, EARLY_END_NATS, 0.0)
