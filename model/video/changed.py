"""Where two cuts of one edit show the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hitpoint.model.video.edit import SEAM_S, merged, placed, shown_s
from hitpoint.model.video.types import Clip


@dataclass(frozen=True)
class Change:
    """Two edits show the same before `start_s`, and from `old_end_s` of the one and `new_end_s` of the other on.

    All in seconds from each edit's own start; all are the length of the edits where nothing has changed.
    """

    start_s: float
    old_end_s: float
    new_end_s: float

    def within(self, old_lead_s: float, new_lead_s: float, old_s: float, new_s: float) -> Change:
        """The same where so much black lies before the clips of the edits, which are so long in all."""
        same_lead = abs(old_lead_s - new_lead_s) <= SEAM_S
        same_tail = abs((old_s - old_lead_s - self.old_end_s) - (new_s - new_lead_s - self.new_end_s)) <= SEAM_S
        if same_lead and self.start_s >= max(self.old_end_s, self.new_end_s):
            return Change(new_s if same_tail else min(old_s, new_s), old_s, new_s)
        start_s = self.start_s + new_lead_s if same_lead else 0.0
        if not same_tail:
            return Change(start_s, old_s, new_s)
        return Change(start_s, self.old_end_s + old_lead_s, self.new_end_s + new_lead_s)


@dataclass(frozen=True)
class _Shot:
    """start_s, end_s: from one end of the edit; at_s: of the file, at start_s. mix_s: the mix at its start begins
    there; over_s: the one at its end does.
    """

    start_s: float
    end_s: float
    path: Path
    rate: float
    at_s: float
    mix_s: float
    over_s: float


def changed(old: Sequence[Clip], new: Sequence[Clip]) -> Change:
    """What has changed from `old` to `new`, each a list of clips that all have an out point."""
    before, after = _shots(old), _shots(new)
    old_s, new_s = before[-1].end_s, after[-1].end_s
    head_s = min(_alike_s(before, after), old_s, new_s)
    tail_s = _alike_s(_from_the_end(before), _from_the_end(after))
    tail_s = max(0.0, min(tail_s, old_s - head_s, new_s - head_s))
    if head_s >= max(old_s, new_s) - SEAM_S:
        return Change(new_s, old_s, new_s)
    return Change(max(0.0, head_s), old_s - tail_s, new_s - tail_s)


def _shots(clips: Sequence[Clip]) -> list[_Shot]:
    rows = [(clip, start_s, start_s + length_s) for clip, start_s, length_s in placed(merged(clips))]
    fades = [clip.fade_s for clip, _, _ in rows] + [0.0]
    return [
        _Shot(start_s, end_s, clip.path, clip.rate, shown_s(clip), start_s - fades[i] / 2, end_s - fades[i + 1] / 2)
        for i, (clip, start_s, end_s) in enumerate(rows)
    ]


def _from_the_end(shots: Sequence[_Shot]) -> list[_Shot]:
    """The edit as it looks when it is run backwards."""
    whole_s = shots[-1].end_s
    turned = []
    for shot in reversed(shots):
        out_s = shot.at_s + (shot.end_s - shot.start_s) * shot.rate
        start_s, end_s = whole_s - shot.end_s, whole_s - shot.start_s
        mix_s = start_s - (shot.end_s - shot.over_s)
        turned.append(_Shot(start_s, end_s, shot.path, -shot.rate, out_s, mix_s, end_s - (shot.start_s - shot.mix_s)))
    return turned


def _alike_s(one: Sequence[_Shot], other: Sequence[_Shot]) -> float:
    """How long both show the same from their start; infinite where to their end."""
    for mine, its in zip(one, other, strict=False):
        begins = math.isclose(mine.start_s, its.start_s, abs_tol=SEAM_S)
        mixes = math.isclose(mine.start_s - mine.mix_s, its.start_s - its.mix_s, abs_tol=SEAM_S)
        same = (mine.path, mine.rate) == (its.path, its.rate) and math.isclose(mine.at_s, its.at_s, abs_tol=SEAM_S)
        if not (begins and mixes and same):
            return min(mine.mix_s, its.mix_s)
        if not math.isclose(mine.end_s, its.end_s, abs_tol=SEAM_S):
            return min(mine.over_s, its.over_s)
    if len(one) == len(other):
        return math.inf
    longer, common = max(one, other, key=len), min(len(one), len(other))
    return longer[common].mix_s if common else 0.0
