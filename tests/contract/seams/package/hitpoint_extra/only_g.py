"""A leaning in one file: every pitched instrument plays G, whatever else would be likelier."""

from __future__ import annotations

from collections.abc import Mapping

from hitpoint.model.compose.cmt.leaning import Here, Leaning, Place


class OnlyG(Leaning):
    @classmethod
    def of(cls, here: Here) -> OnlyG:
        return cls()

    def lean(self, attribute: str, place: Place) -> Mapping[int, float]:
        if attribute != "pitch" or place.instrument == 0:
            return {}
        return {pitch + 1: 30.0 for pitch in range(place.low, 128) if pitch % 12 == 7}
