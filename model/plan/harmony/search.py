"""Chords drawn from the network's probabilities under the rules, one half bar after the other.

Without a tension curve one line of chords is drawn. With one, BEAM lines go on side by side, and each chord pays for
its distance from the tension asked for; the draws are the same noise that sampling is (Gumbel's), so that another seed
gives other chords.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.chords import CHORDS
from hitpoint.model.music.keys import Key
from hitpoint.model.plan.harmony.network import ChordNetwork, Reading
from hitpoint.model.plan.harmony.rules import MOST_EQUAL, Rule, outside
from hitpoint.model.plan.harmony.tension import tension_table

TEMPERATURE, NUCLEUS = 0.9, 0.9
BEAM = 8
TENSION_NATS = 10.0
REPEAT_NATS = 3.0
"""For the chord that is to be repeated, where a tension is asked for as well."""
AGAIN_NATS = 2.0
"""For one that it had rather repeat."""
SAME_BAR_NATS = -4.0
"""For a bar that begins on the root on which the bar before began: real songs have .18 to .28 of such bars."""
HOLD_NATS = 3.5
"""For the chord just before, where nothing moves the harmony on: songs change it within .22 (Billboard) to .58 (POP909)
of their bars, and a cut is heard in it only where other moments have fewer changes."""
RESOLVED_NATS = 3.5
"""For the chord that a dominant from outside the key leads to."""
NEAR_NATS = -1.2
"""For a chord on another root that shares most tones with the one before: .20 of the changes of human music are by a
third, and the tension that is asked for makes more of them."""
CLOSE_TONES = 2
"""A chord that shares so many tones with the one before is no change that a cut could be heard in."""
_ROOT = np.array([chord.root for chord in CHORDS])
_INSIDE = np.array([np.isin(np.arange(12), chord.tones) for chord in CHORDS])
_CLOSE = (_INSIDE[:, None] & _INSIDE[None]).sum(axis=2) >= CLOSE_TONES
_NEAR = _CLOSE & (_ROOT[:, None] != _ROOT)
"""(from, to): to another root, but hardly a change."""
_LEADS = np.array([chord.quality in ("maj", "7") for chord in CHORDS])[:, None] & ((_ROOT[:, None] + 5) % 12 == _ROOT)
"""(from, to): a dominant and what it leads to."""
_NEVER = -1e9


def find_chords(
    network: ChordNetwork, told: NDArray[np.int64], rules: Sequence[Rule], home: Key,
    tension: NDArray[np.float64] | None, rng: np.random.Generator,
) -> NDArray[np.int64]:  # fmt: skip
    """A chord for each half bar, (t,): 0..155, counted from the home tonic.

    told (t, columns); tension (t,): 0..1, NaN = free; None = free throughout. home: the key that the network knows.
    """
    lines = 1 if tension is None or np.isnan(tension).all() else BEAM
    reading = Reading(network, told, lines)
    history = np.zeros((lines, len(rules)), np.int64)
    totals = np.where(np.arange(lines) == 0, 0.0, _NEVER)
    table = tension_table(home)
    number = np.arange(lines)
    foreign = outside(home)
    for place, rule in enumerate(rules):
        logs = reading.logs().astype(np.float64) + rule.nats
        asked = np.nan if tension is None else float(tension[place])
        if not np.isnan(asked):
            before = history[:, place - 1] + 1 if place else np.zeros(lines, np.int64)
            logs -= TENSION_NATS * (table[before] - asked) ** 2
        if not np.isnan(asked) and rule.repeat is not None and rule.repeat < place:
            logs[number, history[:, rule.repeat]] += REPEAT_NATS
        if rule.again is not None:
            logs[number, history[:, rule.again]] += AGAIN_NATS
        if place >= 2 and place % 2 == 0:
            logs += np.where(_ROOT[history[:, place - 2], None] == _ROOT, SAME_BAR_NATS, 0.0)
        if place:
            last = history[:, place - 1]
            logs += np.where(_NEAR[last], NEAR_NATS, 0.0)
            logs += np.where(_LEADS[last] & (foreign[last, None] & ~foreign), RESOLVED_NATS, 0.0)
        if place and rule.hold:
            logs[number, history[:, place - 1]] += HOLD_NATS
        allowed = _allowed(rule, history[:, :place], bool(np.isnan(asked)))
        values = _within_nucleus(np.where(allowed, logs / TEMPERATURE, _NEVER))
        noisy = totals[:, None] + values + rng.gumbel(size=values.shape)
        best = np.argsort(-noisy, axis=None, kind="stable")[:lines]
        origins, chords = np.divmod(best, len(CHORDS))
        history, totals = history[origins], noisy[origins, chords]
        history[:, place] = chords
        reading.take(chords, origins)
    return np.asarray(history[int(totals.argmax())])


def _allowed(rule: Rule, before: NDArray[np.int64], repeats: bool) -> NDArray[np.bool_]:
    """Which chords a rule allows after these, (lines, 156); before (lines, half bars).

    repeats: where it is to repeat an earlier one, that alone if it may.
    """
    lines, place = before.shape
    number = np.arange(lines)
    mask = np.ones((lines, len(CHORDS)), bool) if rule.allowed is None else np.repeat(rule.allowed[None], lines, axis=0)
    if place:
        wanted, last = mask.copy(), before[:, -1]
        if rule.change:
            wanted &= _ROOT[last, None] != _ROOT
        if rule.cut:
            wanted = _rather(wanted & ~_CLOSE[last], wanted)
        if rule.between and place >= 2:
            wanted = _rather(wanted & (_ROOT[before[:, -2], None] != _ROOT), wanted)
        if place >= MOST_EQUAL:
            worn = (before[:, -MOST_EQUAL:] == last[:, None]).all(axis=1)
            wanted[number[worn], last[worn]] = False
        mask = np.where(wanted.any(axis=1, keepdims=True), wanted, mask)
    if repeats and rule.repeat is not None and rule.repeat < place:
        again = before[:, rule.repeat]
        only = again[:, None] == np.arange(len(CHORDS))
        mask = np.where(mask[number, again][:, None], only, mask)
    return mask


def _rather(these: NDArray[np.bool_], those: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """For each line, the chords of the first mask, if there are any."""
    return np.asarray(np.where(these.any(axis=1, keepdims=True), these, those))


def _within_nucleus(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log weights (lines, 156), normalised, without those beyond the nucleus."""
    mass = np.exp(values - values.max(axis=1, keepdims=True))
    mass /= mass.sum(axis=1, keepdims=True)
    order = np.argsort(-mass, axis=1, kind="stable")
    ordered = np.take_along_axis(mass, order, axis=1)
    beyond = ordered.cumsum(axis=1) - ordered >= NUCLEUS
    np.put_along_axis(mass, order, np.where(beyond, 0.0, ordered), axis=1)
    with np.errstate(divide="ignore"):
        return np.where(mass > 0, np.log(mass / mass.sum(axis=1, keepdims=True)), _NEVER)
