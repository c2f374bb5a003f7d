"""Who plays when, what leads into a section, where the music breathes, how it ends, and where the harmony moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from hitpoint.model.music.chords import HALF_BAR_TICKS, Chord, label_chords
from hitpoint.model.music.harmony import key_of
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Score
from hitpoint.model.training.heard.grid import DRUMS, Marks, nearest_tick, playing, table_of

SNARES_AND_TOMS = (37, 38, 39, 40, 41, 43, 45, 47, 48, 50)
GAP_TICKS = 8
BLOCK_BARS = 4
AREA_BARS = 8
AREAS_FROM_BARS = 32
_PRESENT_SHARE = 0.5


def arrangement_figures(score: Score, marks: Marks) -> dict[str, float]:
    """All figures of this page; one without anything to measure is left out."""
    found = section_figures(score, marks.section_bars)
    found |= ending_figures(score)
    found |= texture_figures(score)
    found |= harmony_figures(score, marks)
    found["gaps"] = gaps_per_8_bars(score)
    return found


def section_figures(score: Score, section_bars: Sequence[int]) -> dict[str, float]:
    """Instruments that enter or leave in a section's first bar and in other bars; snares and toms in the half bar
    before a section over those of a plain second half.
    """
    heard = playing(score)
    found: dict[str, float] = {}
    if len(heard) < 2 or not section_bars:
        return found
    changes = (heard[1:] != heard[:-1]).sum(axis=1)
    first = np.isin(np.arange(1, len(heard)), section_bars)
    found["section_entries"] = float(changes[first].mean())
    if (~first).any():
        found["other_entries"] = float(changes[~first].mean())
    table = table_of(score)
    drums = table.where((table.instrument == DRUMS) & np.isin(table.pitch, SNARES_AND_TOMS))
    late = drums.tick[drums.tick % TICKS_PER_BAR >= HALF_BAR_TICKS] // TICKS_PER_BAR
    strokes = np.bincount(late, minlength=len(heard))
    before = np.isin(np.arange(len(heard)), np.asarray(section_bars) - 1)
    if (table.instrument == DRUMS).any() and (~before).any():
        found["fill"] = float(strokes[before].mean() - strokes[~before].mean())
    return found


def gaps_per_8_bars(score: Score) -> float:
    """Pairs of neighbouring onsets half a bar and more apart, per 8 bars; what lies before the first and after the last
    is not counted.
    """
    ticks = np.unique(table_of(score).tick)
    return float((np.diff(ticks) >= GAP_TICKS).sum() * 8 / max(1, len(score.bars)))


def ending_figures(score: Score) -> dict[str, float]:
    """last_onset: the last onset of the last bar that has notes, 0..15; late_drums: 1 where drums play in its second
    half. Empty without notes.
    """
    sounding = [bar for bar in score.bars if bar.notes]
    if not sounding:
        return {}
    notes = sounding[-1].notes
    late = any(note.instrument == DRUMS and note.tick >= HALF_BAR_TICKS for note in notes)
    return {"last_onset": float(max(note.tick for note in notes)), "late_drums": float(late)}


def texture_figures(score: Score) -> dict[str, float]:
    """rests: share of bars in which an instrument that the piece has does not play. texture_changes: instruments that
    come or go from one block of 4 bars to the next (one that plays in half of a block's bars or more is there).
    """
    heard = playing(score)
    heard = heard[:, heard.any(axis=0)]
    if not heard.size:
        return {}
    found = {"rests": float(1 - heard.mean()), "instruments": float(heard.sum(axis=1).mean())}
    blocks = len(heard) // BLOCK_BARS
    if blocks >= 2:
        shares = heard[: blocks * BLOCK_BARS].reshape(blocks, BLOCK_BARS, -1).mean(axis=1)
        sets = shares >= _PRESENT_SHARE
        found["texture_changes"] = float((sets[1:] != sets[:-1]).sum(axis=1).mean())
    return found


def harmony_figures(score: Score, marks: Marks) -> dict[str, float]:
    """Share of cuts and of plain downbeats at which the chord changes; share of neighbouring bars on one chord; key
    areas of a piece of 32 bars and more.
    """
    found: dict[str, float] = {}
    labels = label_chords(score.bars)
    cut_ticks = [nearest_tick(score, cut) for cut in marks.cuts_s]
    at_cuts = _changes_at(score.bars, cut_ticks)
    if at_cuts:
        found["chord_change_cut"] = float(np.mean(at_cuts))
    others = {tick // TICKS_PER_BAR for tick in cut_ticks if tick % TICKS_PER_BAR == 0}
    plain = [
        labels[2 * bar] != labels[2 * bar - 1]
        for bar in range(1, len(score.bars))
        if bar not in others and labels[2 * bar] and labels[2 * bar - 1]
    ]
    if plain:
        found["chord_change_downbeat"] = float(np.mean(plain))
    still = one_chord(labels)
    if still is not None:
        found["one_chord"] = still
    if len(score.bars) >= AREAS_FROM_BARS:
        found["key_areas"] = float(key_areas(score.bars))
    return found


def _changes_at(bars: Sequence[Bar], ticks: Sequence[int]) -> list[bool]:
    """Whether the chord changes at each of these ticks: what sounds from there on against what sounded before.

    The half bars are moved so that a border falls on the tick. Ticks with silence on one side are left out.
    """
    by_shift: dict[int, list[Chord | None]] = {}
    changes = []
    for tick in ticks:
        shift = tick % HALF_BAR_TICKS
        if shift not in by_shift:
            by_shift[shift] = label_chords(bars, shift_ticks=shift)
        labels, half = by_shift[shift], (tick - shift) // HALF_BAR_TICKS
        if 0 < half < len(labels) and labels[half] and labels[half - 1]:
            changes.append(labels[half] != labels[half - 1])
    return changes


def one_chord(labels: Sequence[Chord | None]) -> float | None:
    """Share of neighbouring bars that begin on the same root with the same third; None without two bars that sound."""
    pairs = [
        (one.root, one.minor) == (other.root, other.minor)
        for one, other in zip(labels[::2], labels[2::2], strict=False)
        if one and other
    ]
    return float(np.mean(pairs)) if pairs else None


def key_areas(bars: Sequence[Bar]) -> int:
    """Distinct keys of the stretches of 8 bars; relatives (C major, A minor) are one."""
    keys = [key_of(bars[first : first + AREA_BARS]) for first in range(0, len(bars) - AREA_BARS // 2, AREA_BARS)]
    areas = Counter((key.root + 3 * key.minor) % 12 for key in keys if key is not None)
    return len(areas)
