"""Figures of eight bars of melody and of harmony, by which a forest is to tell one set of music from another.

All are rates, shares, means or entropies that do not grow with the number of bars. Loudness, tempo and drums are left
out: what is told apart is which pitches and durations are written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.music.chords import HALF_BAR_TICKS, label_chords
from hitpoint.model.music.harmony import PROFILES, key_of
from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT, Bar
from hitpoint.model.training.heard.grid import BASS, DRUMS, STRINGS

STRETCH_BARS = 8
LEAST_NOTES = 12
"""Of the top line, and of all others, in a stretch: fewer say nothing."""
EDGES = (0, 1, 2, 3, 5, 8, 12)
"""Intervals are counted in these classes, by their lower ends: 0, 1, 2, 3 and 4, 5 to 7, 8 to 11, 12 and more."""
LENGTHS = (1, 2, 3, 4, 6, 8, 16)
"""Ticks likewise: 1, 2, 3, 4 and 5, 6 and 7, 8 to 15, 16 and more."""
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))

Ints = NDArray[np.int64]
Row = dict[str, float]


def stretches(bars: Sequence[Bar]) -> list[Sequence[Bar]]:
    """Neighbouring stretches of STRETCH_BARS bars."""
    return [bars[at : at + STRETCH_BARS] for at in range(0, len(bars) - STRETCH_BARS + 1, STRETCH_BARS)]


def line_player(bars: Sequence[Bar]) -> tuple[int, ...]:
    """Who has the top line of a piece: the strings where they play in half of its bars, else all but drums and bass."""
    played = sum(any(note.instrument == STRINGS for note in bar.notes) for bar in bars)
    return (STRINGS,) if played * 2 >= len(bars) else (1, 2, STRINGS)


def melody(bars: Sequence[Bar], players: Sequence[int]) -> Row | None:
    """The highest notes of `players` in a stretch; None where they are too few."""
    line: dict[int, tuple[int, int]] = {}
    for place, bar in enumerate(bars):
        for note in bar.notes:
            if note.instrument in players:
                tick = place * TICKS_PER_BAR + note.tick
                line[tick] = max(line.get(tick, (0, 0)), (note.pitch, note.duration_ticks))
    if len(line) < LEAST_NOTES:
        return None
    tick = np.array(sorted(line))
    pitch, length = np.array([line[each] for each in tick.tolist()]).T
    return _intervals(pitch) | _rhythm(tick, length, len(bars)) | _scale(bars, tick, pitch) | _recall(tick, pitch)


def _intervals(pitch: Ints) -> Row:
    moves = np.diff(pitch)
    turns = np.sign(moves[moves != 0])
    leaps = np.abs(moves[:-1]) >= 5
    back = leaps & (np.sign(moves[1:]) == -np.sign(moves[:-1])) & (np.abs(moves[1:]) <= 2)
    found = {f"move_{edge}": share for edge, share in zip(EDGES, _classes(np.abs(moves), EDGES), strict=True)}
    return found | {
        "upwards": _mean(moves > 0),
        "steps_up": _mean((moves == 1) | (moves == 2)),
        "mean_move": _mean(np.abs(moves)),
        "turns": _mean(turns[1:] != turns[:-1]),
        "step_goes_on": _mean((np.abs(moves[1:]) <= 2) & (np.sign(moves[1:]) == np.sign(moves[:-1]))),
        "leap_then_back": float(back.sum() / max(1, leaps.sum())),
        "there_and_back": _mean(pitch[2:] == pitch[:-2]),
        "range": float(np.ptp(pitch)),
        "mean_pitch": _mean(pitch),
        "pitch_deviation": float(pitch.std()),
        "pitch_entropy": _entropy(pitch),
        "class_entropy": _entropy(pitch % 12),
        "move_entropy": _entropy(moves),
        "bigram_entropy": _entropy(moves[:-1] * 1000 + moves[1:]),
        "most_pitch": float(np.bincount(pitch).max() / len(pitch)),
    }


def _rhythm(tick: Ints, length: Ints, bars: int) -> Row:
    apart = np.diff(tick)
    sounded = np.minimum(length[:-1], apart)
    place = tick % TICKS_PER_BAR
    per_bar = np.bincount(tick // TICKS_PER_BAR, minlength=bars)
    there = set(tick.tolist())
    weak = [each for each in there if each % 2 or (each % 4 == 2 and each + 2 not in there)]
    found = {f"apart_{edge}": share for edge, share in zip(LENGTHS, _classes(apart, LENGTHS), strict=True)}
    found |= {f"length_{edge}": share for edge, share in zip(LENGTHS, _classes(length, LENGTHS), strict=True)}
    found |= {f"on_{at}": float(np.sum(place == at) / bars) for at in range(0, TICKS_PER_BAR, 2)}
    rests = np.maximum(apart - length[:-1], 0)
    return found | {
        "on_odd": _mean(place % 2 == 1),
        "syncopated": len(weak) / len(tick),
        "notes": len(tick) / bars,
        "notes_deviation": float(per_bar.std()),
        "empty_bars": _mean(per_bar == 0),
        "legato": _mean(sounded / apart),
        "legato_deviation": float((sounded / apart).std()),
        "rest": float(rests.sum() / (bars * TICKS_PER_BAR)),
        "rests": float((rests >= TICKS_PER_BEAT).sum() / bars),
        "longest_rest": float(rests.max()),
        "phrase": len(tick) / (1.0 + float((apart >= 6).sum())),
        "apart_entropy": _entropy(apart),
        "length_entropy": _entropy(length),
        "place_entropy": _entropy(place),
        "apart_bigram": _entropy(apart[:-1] * 1000 + apart[1:]),
        "same_apart": _mean(apart[1:] == apart[:-1]),
    }


def _scale(bars: Sequence[Bar], tick: Ints, pitch: Ints) -> Row:
    key = key_of(bars)
    chords = label_chords([Bar(at, bar.notes) for at, bar in enumerate(bars)])
    tones = [() if each is None else each.tones for each in chords]
    inside = np.array(
        [p % 12 in tones[t // HALF_BAR_TICKS] for t, p in zip(tick.tolist(), pitch.tolist(), strict=True)]
    )
    on_beat = tick % TICKS_PER_BEAT == 0
    degrees = (pitch - (key.root if key else 0)) % 12
    found = {f"degree_{at}": _mean(degrees == at) for at in range(12)} if key else {}
    scale = _SCALES[bool(key and key.minor)]
    moves = np.diff(pitch)
    passing = ~inside[1:-1] & (np.abs(moves[:-1]) <= 2) & (np.abs(moves[1:]) <= 2)
    return found | {
        "in_scale": _mean(np.isin(degrees, scale)),
        "tones_on_beats": _mean(inside[on_beat]),
        "tones_between": _mean(inside[~on_beat]),
        "passing": _mean(passing),
        "outside_by_leap": _mean(~inside[1:-1] & ~passing),
    }


def _recall(tick: Ints, pitch: Ints) -> Row:
    """How much of a bar's rhythm, and of its pitches, is there so many bars later."""
    rhythm: list[set[int]] = [set() for _ in range(STRETCH_BARS)]
    sung: list[set[tuple[int, int]]] = [set() for _ in range(STRETCH_BARS)]
    moved: list[set[tuple[int, int]]] = [set() for _ in range(STRETCH_BARS)]
    for number, (t, p) in enumerate(zip(tick.tolist(), pitch.tolist(), strict=True)):
        bar, at = divmod(t, TICKS_PER_BAR)
        rhythm[bar].add(at)
        sung[bar].add((at, p))
        if number:
            moved[bar].add((at, p - int(pitch[number - 1])))
    found: Row = {}
    for name, what in (("rhythm", rhythm), ("pitches", sung), ("moves", moved)):
        for distance in (1, 2, 4):
            pairs = [(a, b) for a, b in zip(what, what[distance:], strict=False) if a or b]
            found[f"{name}_again_{distance}"] = _mean([len(a & b) / len(a | b) for a, b in pairs])  # type: ignore[operator]
    return found


def harmony(bars: Sequence[Bar]) -> Row | None:
    """All pitched notes of a stretch; None where they are too few."""
    notes = [
        (place * TICKS_PER_BAR + note.tick, note.pitch, note.duration_ticks, note.instrument)
        for place, bar in enumerate(bars)
        for note in bar.notes
        if note.instrument != DRUMS
    ]
    if len(notes) < 2 * LEAST_NOTES:
        return None
    tick, pitch, length, player = np.array(sorted(notes)).T
    ticks = len(bars) * TICKS_PER_BAR
    rolls = np.zeros((ticks, 128), bool)
    for t, p, n in zip(tick.tolist(), pitch.tolist(), length.tolist(), strict=True):
        rolls[t : t + n, p] = True
    found = _chords(bars) | _key(tick, pitch, length) | _sounding(rolls) | _chroma(rolls)
    bass = pitch[player == BASS]
    moves = np.abs(np.diff(bass))
    found |= {f"bass_{edge}": share for edge, share in zip(EDGES, _classes(moves, EDGES), strict=True)}
    together = np.unique(np.stack([tick, player]), axis=1, return_counts=True)[1]
    onsets = np.unique(tick, return_counts=True)[1]
    return found | {
        "bass_notes": len(bass) / len(bars),
        "bass_entropy": _entropy(bass % 12),
        "notes": len(tick) / len(bars),
        "onsets": len(onsets) / len(bars),
        "at_once": _mean(onsets),
        "at_once_deviation": float(onsets.std()),
        "chord_size": _mean(together),
        "single": _mean(together == 1),
        "length": _mean(np.log2(length)),
        "length_deviation": float(np.log2(length).std()),
        "length_entropy": _entropy(length),
    }


def _chords(bars: Sequence[Bar]) -> Row:
    labels = label_chords([Bar(at, bar.notes) for at, bar in enumerate(bars)])
    known = [each for each in labels if each is not None]
    if not known:
        return {}
    moves = np.array([(b.root - a.root) % 12 for a, b in pairwise(known)] or [0])
    changed = [(b.root - a.root) % 12 for a, b in pairwise(known) if a != b]
    shared = [len(set(a.tones) & set(b.tones)) for a, b in pairwise(known) if a != b]
    qualities = [each.quality for each in known]
    kinds = ("maj", "min", "7", "min7", "maj7", "sus4", "sus2", "dim", "maj6", "min6")
    found = {f"quality_{kind}": qualities.count(kind) / len(qualities) for kind in kinds}
    found |= {f"root_by_{step}": changed.count(step) / max(1, len(changed)) for step in range(12)}
    roots = [each.root for each in known[::2]]
    return found | {
        "chord_rate": len(changed) / len(bars),
        "changes_within": _mean(moves[::2] != 0),
        "changes_at_lines": _mean(moves[1::2] != 0),
        "chord_words": len(set(known)) / len(known),
        "chord_entropy": _entropy(np.array([each.number for each in known])),
        "root_entropy": _entropy(np.array([each.root for each in known])),
        "tones_shared": _mean(shared),
        "roots_again_4": _mean([a == b for a, b in zip(roots, roots[4:], strict=False)]),
        "roots_again_2": _mean([a == b for a, b in zip(roots, roots[2:], strict=False)]),
    }


def _key(tick: Ints, pitch: Ints, length: Ints) -> Row:
    weights = np.bincount(pitch % 12, length, 12)
    fits = sorted(float(np.corrcoef(np.roll(p, root), weights)[0, 1]) for root in range(12) for p in PROFILES)
    scales = [[(root + step) % 12 for step in mode] for root in range(12) for mode in _SCALES]
    inside = max(float(weights[each].sum()) for each in scales) / float(weights.sum())
    bar = tick // TICKS_PER_BAR
    of_bar = [_entropy(pitch[bar == each] % 12) for each in np.unique(bar)]
    return {
        "in_key": inside,
        "in_key_exactly": float(inside > 0.9999),
        "key_clarity": fits[-1],
        "key_margin": fits[-1] - fits[-2],
        "classes": float((weights > 0).sum()),
        "class_entropy": _entropy_of(weights),
        "class_entropy_of_bars": _mean(of_bar),
        "pitch_entropy": _entropy(pitch),
        "mean_pitch": _mean(pitch),
        "pitch_deviation": float(pitch.std()),
    }


def _sounding(rolls: NDArray[np.bool_]) -> Row:
    voices = rolls.sum(axis=1)
    heard = np.flatnonzero(voices)
    classes = np.zeros((len(rolls), 12), bool)
    for at in range(128):
        classes[:, at % 12] |= rolls[:, at]
    distinct = classes.sum(axis=1)
    chosen = heard[:: max(1, len(heard) // 64)]
    gaps, above_bass, vector = [], [], np.zeros(7)
    for each in chosen:
        sounding = np.flatnonzero(rolls[each])
        gaps += np.diff(sounding).tolist()
        above_bass += ((sounding[1:] - sounding[0]) % 12).tolist()
        there = np.flatnonzero(classes[each])
        for n, a in enumerate(there):
            for b in there[n + 1 :]:
                vector[min(b - a, 12 - (b - a))] += 1
    found = {f"interval_class_{at}": float(vector[at] / max(1.0, vector.sum())) for at in range(1, 7)}
    found |= {f"over_bass_{at}": _mean(np.array(above_bass) == at) for at in range(12)}
    low = np.array([np.flatnonzero(rolls[each])[0] for each in chosen])
    top = np.array([np.flatnonzero(rolls[each])[-1] for each in chosen])
    spacing = np.array(gaps)
    return found | {
        "voices": _mean(voices),
        "voices_deviation": float(voices.std()),
        "silence": _mean(voices == 0),
        "one_voice": _mean(voices == 1),
        "distinct": _mean(distinct[heard]),
        "doubled": _mean(1 - distinct[heard] / voices[heard]),
        "semitones": _mean((classes & np.roll(classes, 1, axis=1)).any(axis=1)[heard]),
        "tritones": _mean((classes & np.roll(classes, 6, axis=1)).any(axis=1)[heard]),
        "spacing": _mean(spacing),
        "close": _mean(spacing <= 2),
        "octaves": _mean(spacing == 12),
        "widest": _mean(top - low),
        "lowest": _mean(low),
        "lowest_deviation": float(low.std()),
        "highest": _mean(top),
    }


def _chroma(rolls: NDArray[np.bool_]) -> Row:
    """How alike the pitch classes of bars are that lie so far apart."""
    chroma = np.stack([rolls[:, at::12].sum(axis=1) for at in range(12)], axis=1).astype(float)
    bars = chroma.reshape(STRETCH_BARS, TICKS_PER_BAR, 12).sum(axis=1)
    unit = bars / np.maximum(np.linalg.norm(bars, axis=1, keepdims=True), 1e-9)
    exact = rolls.reshape(STRETCH_BARS, -1)
    found = {f"bars_alike_{n}": _mean((unit[n:] * unit[:-n]).sum(axis=1)) for n in (1, 2, 4)}
    for n in (1, 2, 4):
        both, either = (exact[n:] & exact[:-n]).sum(axis=1), (exact[n:] | exact[:-n]).sum(axis=1)
        found[f"same_pitches_{n}"] = _mean(both / np.maximum(either, 1))
    return found


def _classes(values: Ints, edges: Sequence[int]) -> list[float]:
    """The share of values from each edge up to the next."""
    place = np.searchsorted(edges, values, side="right") - 1
    counts = np.bincount(place[place >= 0], minlength=len(edges))
    return [float(each) for each in counts / max(1, len(values))]


def _mean(values: NDArray[np.generic] | Sequence[float] | Sequence[bool]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _entropy(values: Ints) -> float:
    return _entropy_of(np.unique(values, return_counts=True)[1].astype(float))


def _entropy_of(weights: NDArray[np.float64]) -> float:
    total = weights.sum()
    if not total:
        return 0.0
    shares = weights[weights > 0] / total
    return float(-(shares * np.log2(shares)).sum())
