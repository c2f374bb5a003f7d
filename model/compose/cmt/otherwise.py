"""Other notes than stand there: whoever has a passage written again does not want the same."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place
from hitpoint.model.compose.cmt.wishes import Wishes
from hitpoint.model.music.score import Bar

SAME_NATS = -5.0
"""Against each pitch where it stands: as much as a chord speaks for its tones, so that another of them is as good."""


class Otherwise(Leaning):
    """Leans away from the notes of the bar that is written again."""

    leans_on = ("pitch",)

    @classmethod
    def of(cls, here: Here) -> Otherwise | None:
        """Where a bar stands in this one's place."""
        return None if here.standing is None else cls(here.standing)

    def __init__(self, bar: Bar) -> None:
        self._notes = bar.notes

    def lean(self, attribute: str, place: Place) -> Mapping[int, float]:
        """Nats by class."""
        here = (note for note in self._notes if (note.tick, note.instrument) == (place.tick, place.instrument))
        return {note.pitch + 1: SAME_NATS for note in here} if attribute == "pitch" else {}

    @property
    def signature(self) -> Hashable:
        """All that it is made of."""
        return self._notes

    def tell(self, wishes: Wishes) -> None:
        """By tick and player; a pitch that stands there twice counts once."""
        for tick, player, pitch in {(note.tick, note.instrument, note.pitch) for note in self._notes}:
            wishes.pitch[tick, player, pitch + 1] += SAME_NATS
