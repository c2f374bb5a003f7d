# SPDX-License-Identifier: GPL-3.0-or-later
"""What a strip lets through: whether it fills the frame, from its kind, blending, place and animation.

Animated values count at their least over the strip, never as they happen to be at the playhead.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from .timeline import FULL, GRAPHIC, PARTIAL

OPAQUE = {"REPLACE", "ALPHA_OVER", "CROSS"}
ALPHA_FILES = {".png", ".tif", ".tiff", ".webp", ".tga", ".exr", ".gif", ".psd", ".svg", ".dpx"}
MIXES = {"ADD", "SUBTRACT", "MULTIPLY", "OVER_DROP", "ALPHA_OVER", "ALPHA_UNDER", "COLORMIX", "TRANSFORM"}
"""Effects of which only a render tells what is left of their inputs."""
SLACK = 1.005
"""A picture short of the frame by less than this is rounded to it."""


Curves = dict[str, Any]
"""What is animated in a scene: data path -> its curve; looked up once for all strips."""


def of(strip: Any, curves: Curves) -> str:
    """FULL, PARTIAL or GRAPHIC."""
    if strip.type == "TEXT" or (strip.type == "IMAGE" and _may_have_alpha(strip)):
        return GRAPHIC
    if strip.type == "SOUND" or getattr(strip, "blend_type", "REPLACE") not in OPAQUE:
        return FULL if strip.type == "SOUND" else PARTIAL
    modifiers = getattr(strip, "modifiers", ())
    if any(modifier.type == "MASK" and not modifier.mute for modifier in modifiers):
        return PARTIAL
    return FULL if _opacity(strip, curves) >= 1.0 and _fills(strip, curves) else PARTIAL


def unsure(strip: Any, curves: Curves) -> str:
    """Why it cannot be told what is seen of it; empty where it can."""
    modifiers = [modifier for modifier in getattr(strip, "modifiers", ()) if not modifier.mute]
    if any(modifier.type == "MASK" for modifier in modifiers):
        return "has a mask"
    path = strip.path_from_id() + ".modifiers" if modifiers else ""
    if modifiers and any(each.startswith(path) for each in curves):
        return "has modifiers that change"
    return "mixes its pictures" if strip.type in MIXES else ""


def is_hidden(strip: Any, curves: Curves) -> bool:
    """Whether its opacity is 0 all along."""
    return max(_values(strip, "blend_alpha", getattr(strip, "blend_alpha", 1.0), curves)) == 0.0


def fade_in(strip: Any, curves: Curves) -> int:
    """Frames over which its opacity rises from 0 to 1 at its beginning; 0 where it does not."""
    opacity = curve(strip, "blend_alpha", curves)
    start, end = strip.frame_final_start, strip.frame_final_end
    if opacity is None or opacity.evaluate(start) > 0.05:
        return 0
    return next((frame - start for frame in range(start, (start + end) // 2) if opacity.evaluate(frame) >= 0.999), 0)


def _opacity(strip: Any, curves: Curves) -> float:
    """The least opacity between a fade in and a fade out at the strip's edges."""
    opacity = curve(strip, "blend_alpha", curves)
    if opacity is None:
        return float(getattr(strip, "blend_alpha", 1.0))
    start, length = strip.frame_final_start, strip.frame_final_duration
    return round(min(float(opacity.evaluate(start + length * share / 8)) for share in range(2, 7)), 3)


def _fills(strip: Any, curves: Curves) -> bool:
    """Whether it reaches both edges of the frame across or down, where it lies and however it is scaled."""
    transform, render = getattr(strip, "transform", None), bpy.context.scene.render
    if transform is None:
        return True
    width, height = _size(strip, render)
    if max(abs(value) for value in _values(strip, "transform.rotation", transform.rotation, curves)) > 1e-3:
        return False
    crop, frame = strip.crop, (render.resolution_x, render.resolution_y)
    cropped = (crop.min_x + crop.max_x, crop.min_y + crop.max_y)
    wide, slack = [], []
    for axis, letter in enumerate("xy"):
        scales = _values(strip, f"transform.scale_{letter}", getattr(transform, f"scale_{letter}"), curves)
        offsets = _values(strip, f"transform.offset_{letter}", getattr(transform, f"offset_{letter}"), curves)
        shown = min(abs(scale) for scale in scales) * ((width, height)[axis] - cropped[axis]) * SLACK - frame[axis]
        moved = max(abs(offset) for offset in offsets)
        wide.append(shown >= 2 * moved if moved > 0.5 else shown >= 0)
        slack.append(moved <= max(1.0, abs(shown) / 2 + 1.0) and (wide[axis] or not cropped[axis]))
    return (wide[0] and slack[1]) or (wide[1] and slack[0])


def _size(strip: Any, render: Any) -> tuple[float, float]:
    """Pixels of its picture; those of the frame where Blender does not know them."""
    element = next(iter(getattr(strip, "elements", None) or ()), None)
    width, height = (element.orig_width, element.orig_height) if element is not None else (0, 0)
    return (width, height) if width and height else (render.resolution_x, render.resolution_y)


def _may_have_alpha(strip: Any) -> bool:
    names = [element.filename for element in strip.elements]
    return any(Path(name).suffix.lower() in ALPHA_FILES for name in names)


def _values(strip: Any, name: str, value: float, curves: Curves) -> list[float]:
    """All values that a property takes at its keyframes; its value where it is not animated."""
    found = curve(strip, name, curves)
    return [value] if found is None else [point.co[1] for point in found.keyframe_points] or [value]


def curve(strip: Any, name: str, curves: Curves) -> Any:
    """The curve that animates a property of a strip, or None."""
    return curves.get(f"{strip.path_from_id()}.{name}") if curves else None


def curves(scene: Any) -> Curves:
    """All that is animated in a scene; newer Blenders keep it in layers."""
    action = scene.animation_data.action if scene.animation_data else None
    if action is None:
        return {}
    if hasattr(action, "fcurves"):
        return {each.data_path: each for each in action.fcurves}
    bags = (bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags)
    return {each.data_path: each for bag in bags for each in bag.fcurves}
