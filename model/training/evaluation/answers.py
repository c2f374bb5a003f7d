"""How music answers the picture beyond its cuts, for every way of making it: feelings, chords, joins, cost.

Feelings are measured bar by bar on the notes by what the training labels are measured with (`data.labels`), over four
bars, and compared with what the plan asked for by their ranks: 1 where the gladdest bars of the plan are those of the
music, 0 by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.library.transition import Transitions
from hitpoint.model.data.labels import Known, measured
from hitpoint.model.data.reader import Piece
from hitpoint.model.music.chords import HALF_BAR_TICKS, label_chords
from hitpoint.model.music.metrics import pitch_class_entropy
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BEAT, Bar, Score
from hitpoint.model.music.tokens import notes_of
from hitpoint.model.plan.types import BarPlan, Plan
from hitpoint.model.training.evaluation.retrieval import AMONG, KS, rank_of

Figures = dict[str, float]
ANSWERS: Mapping[str, str] = {
    "valence_rank": "valence of bars, asked and heard, Spearman",
    "arousal_rank": "arousal",
    "tension_rank": "tension",
    "root_error": "half bars on another root than planned",
    "beats_in_chord": "notes on beats inside the chord that is heard",
    "entropy_8": "entropy of pitch classes over 8 bars, bits",
    "join_cost": "D of the bars around a new section",
    "plain_cost": "D of other neighbouring bars",
    **{f"found_at_{k}": f"its plan among the first {k} of {AMONG} (chance {k / AMONG:.2f})" for k in KS},
    "cpu_s": "processor seconds a minute of music",
}
"""Each figure, and what it says."""
ENTROPY_BARS = 8
FEWEST_BARS = 4
_DRUMS = INSTRUMENTS.index("drums")


def answered(score: Score, plan: Plan | None = None, transitions: Transitions | None = None) -> Figures:
    """Those of ANSWERS that there is something to measure of; the cost is left to whoever composed.

    transitions: what D is measured in.
    """
    found: Figures = {"entropy_8": pitch_class_entropy(score, ENTROPY_BARS)} | beats_in_chord(score.bars)
    if plan is None:
        return found
    found |= feelings(score, plan)
    if transitions is not None:
        found |= joins(score.bars, plan, transitions)
    return found


def found_again(bars: Sequence[Bar], plan: Plan, pool: Sequence[BarPlan]) -> Figures:
    """Whether the plan that a piece was made from is found by it; none where there is nothing to choose from."""
    if len(bars) < FEWEST_BARS or len(pool) <= len(plan.bars):
        return {}
    rank = rank_of(bars, plan, pool, plan.seed)
    return {f"found_at_{k}": float(rank < k) for k in KS}


def beats_in_chord(bars: Sequence[Bar]) -> Figures:
    """Of the pitched notes that start on a beat, how many are tones of the chord that is heard there."""
    chords = label_chords(bars)
    inside = [
        note.pitch % 12 in chord.tones
        for bar in bars
        for note in bar.notes
        if note.instrument != _DRUMS and note.tick % TICKS_PER_BEAT == 0
        for chord in (chords[2 * bar.index + note.tick // HALF_BAR_TICKS],)
        if chord is not None
    ]
    return {"beats_in_chord": float(np.mean(inside))} if inside else {}


def feelings(score: Score, plan: Plan) -> Figures:
    """Rank correlation over the bars of what was asked and what is heard; none where either stays the same."""
    if len(score.bars) < FEWEST_BARS or any(bar.affect is None for bar in plan.bars):
        return {}
    notes = notes_of(score.bars)
    if not len(notes.bar):
        return {}
    heard = measured(Piece(notes, len(score.bars), 120.0), Known()).feelings.astype(np.float64)
    valence, density, velocity, tension = heard.T
    felt = [bar.affect for bar in plan.bars if bar.affect is not None]
    pairs = {
        "valence": valence,
        "arousal": ranks(np.nan_to_num(density)) + ranks(np.nan_to_num(velocity)),
        "tension": tension,
    }
    found = {}
    for name, values in pairs.items():
        asked = np.array([getattr(each, name) for each in felt])
        known = ~np.isnan(values)
        if known.sum() >= FEWEST_BARS and np.ptp(asked[known]) > 0 and np.ptp(values[known]) > 0:
            found[f"{name}_rank"] = float(np.corrcoef(ranks(asked[known]), ranks(values[known]))[0, 1])
    return found


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each value's place, equals by the middle of theirs."""
    low, high = (np.searchsorted(np.sort(values), values, side) for side in ("left", "right"))
    return (low + high) / 2.0


def joins(bars: Sequence[Bar], plan: Plan, transitions: Transitions) -> Figures:
    """Mean D at the bar lines on which sections begin, and at the others."""
    costs = transitions.of_bars(bars)
    starts = {section.first_bar for section in plan.sections} - {0}
    found = {}
    for name, chosen in (("join_cost", True), ("plain_cost", False)):
        values = [cost for line, cost in enumerate(costs.tolist(), start=1) if (line in starts) == chosen]
        if values:
            found[name] = float(np.mean(values))
    return found


def as_text(columns: Mapping[str, Sequence[Figures]]) -> str:
    """The table: a figure a line, a way of making music a column; "-" where there is nothing to measure."""
    width = max(len(says) for says in ANSWERS.values()) + 2
    lines = ["how the music answers the picture", " " * width + "".join(f"{name[:11]:>12}" for name in columns)]
    for figure, says in ANSWERS.items():
        values = {name: [piece[figure] for piece in pieces if figure in piece] for name, pieces in columns.items()}
        if any(values.values()):
            cells = "".join(f"{np.mean(each):>12.2f}" if each else f"{'-':>12}" for each in values.values())
            lines.append(f"{says:<{width}}{cells}")
    return "\n".join(lines)
