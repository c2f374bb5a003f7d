"""What the report says of the mood: of each bar, of each section with its palette, and what was suggested."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.mood.affect import prevailing
from hitpoint.model.mood.palette import frames_of, palette
from hitpoint.model.mood.salient import feeling_of, salient_objects, scene
from hitpoint.model.plan.types import Affect
from hitpoint.model.take import Prepared


def affect_row(affect: Affect | None) -> dict[str, Any]:
    """The field `affect` of a bar; nothing where none is known."""
    if affect is None:
        return {}
    figures = {name: getattr(affect, name) for name in ("emotion", "valence", "arousal", "tension")}
    return {"affect": figures}


def _look(frame: NDArray[np.uint8]) -> dict[str, Any]:
    """A section's palette, the shares of its colours, and what they and what stands out of the picture feel like."""
    colours, shares = palette(frame.reshape(-1, 3))
    rgb = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours], np.float64)
    felt = scene(feeling_of(rgb, np.array(shares)), salient_objects(frame))
    return {
        "palette": colours,
        "shares": shares,
        "scene": {"valence": round(felt.valence, 4), "arousal": round(felt.arousal, 4)},
    }


def mood_rows(prepared: Prepared) -> dict[str, Any]:
    """`sections`, and `suggestion` where there is one."""
    plan, found = prepared.plan, prepared.suggestion
    lines_s = [*(plan.tempo_map.time_at_tick(bar.index) for bar in plan.bars), plan.duration_s]
    spans = [(lines_s[section.first_bar], lines_s[section.end_bar]) for section in plan.sections]
    frames = frames_of(prepared.rhythm, spans)
    sections: list[dict[str, Any]] = []
    for number, section in enumerate(plan.sections):
        felt = [bar.affect for bar in plan.bars[section.first_bar : section.end_bar] if bar.affect is not None]
        sections.append(
            {
                "label": section.label,
                "first_bar": section.first_bar,
                "end_bar": section.end_bar,
                "palette": [],
                "mood": prevailing(felt) if felt else None,
                **(_look(frames[number]) if frames else {}),
            }
        )
    rows: dict[str, Any] = {"sections": sections}
    if found is not None:
        rows["suggestion"] = {
            "genre": found.genre,
            "genre_share": found.genre_share,
            "mood": found.mood,
            "mood_share": found.mood_share,
            "tempo": found.tempo_bpm,
            "why": list(found.why),
        }
    return rows
