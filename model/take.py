"""What passes from stage to stage of a job: what is known before the first note, and a finished take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hitpoint.model.compose.base import Account
from hitpoint.model.music.score import Score
from hitpoint.model.plan.types import Plan, Wishes

if TYPE_CHECKING:
    from hitpoint.model.mood.suggest import Suggestion
    from hitpoint.model.video.changed import Change
    from hitpoint.model.video.types import Clip, VisualRhythm

Progress = Callable[[str, float], None]
"""Called with a stage (analyse, plan, compose, or the name of an output) and its share done, 0..1."""


@dataclass(frozen=True)
class Prepared:
    """What is known before the first note: the clips, what they show, and the plan. Times are wall-clock seconds.

    wishes: as followed, with what was suggested in them. suggestion: None where none was asked for. change: from the
    cut whose music is kept, None where there is none.
    """

    clips: tuple[Clip, ...]
    wishes: Wishes
    rhythm: VisualRhythm
    plan: Plan
    analysis_s: float
    plan_s: float
    suggestion: Suggestion | None = None
    change: Change | None = None


@dataclass(frozen=True)
class Take:
    """A finished score and how it came about. composer: its key; generation_s: wall-clock seconds of composing.

    account: what the composer says of it. own_chords: the music follows chords of its own, not the plan's.
    """

    score: Score
    composer: str
    model_name: str
    model_sha256: str
    model_parameters: int
    tokens: int
    generation_s: float
    account: Account = field(default_factory=Account)
    own_chords: bool = False

    def promised(self, plan: Plan) -> Plan:
        """What of the plan the music was to keep: all but its chords, where it has its own."""
        if not self.own_chords:
            return plan
        return replace(plan, bars=tuple(replace(bar, chords=None) for bar in plan.bars))


def silent(stage: str, share: float) -> None:
    """A Progress that nobody asked for."""
