"""Inside Blender: what lies over the film, what lets it through, and what is animated."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host

addon = host.load()
from blender import compat, timeline  # noqa: E402

scene = host.scene()
scene.render.fps = 24
scene.sequence_editor_create()
one = host.movie("one", 1, 1, length=100)
host.movie("two", 1, 101, first=20, length=100)
found = {}


def told():
    """(first frame, frame of the file, frames, frames of the mix) of each clip that the bridge would be told."""
    edit = timeline.read(compat.read_strips(scene), 24.0, (1, 201))
    return [
        [round(c.start_s * 24), round(c.in_s * 24), round((c.out_s - c.in_s) * 24), round(c.fade_s * 24)]
        for c in edit.clips
    ]


def over(name, **changes):
    """A third film above both, with these properties."""
    strip = host.movie(name, 4, 51, first=60, length=100)
    for key, value in changes.items():
        holder, _, last = key.rpartition("__")
        setattr(getattr(strip, holder) if holder else strip, last, value)
    return strip


def seen(strip):
    """What is told with this strip, which is then removed."""
    rows = told()
    host.strips().remove(strip)
    return rows


found["alone"] = told()
found["opaque"] = seen(over("opaque"))
found["logo"] = seen(over("logo", transform__scale_x=0.25, transform__scale_y=0.25, transform__offset_x=50))
found["zoomed in"] = seen(over("zoomed in", transform__scale_x=1.5, transform__scale_y=1.5))
found["moved aside"] = seen(over("moved aside", transform__offset_x=40))
found["cropped"] = seen(over("cropped", crop__min_x=40))
found["faint"] = seen(over("faint", blend_alpha=0.2))
found["added light"] = seen(over("added light", blend_type="ADD"))
found["title"] = seen(host.effect("TEXT", 5, 51, 151))
colour = host.effect("COLOR", 5, 51, 151)
colour.blend_alpha = 0.3
found["faint colour"] = seen(colour)
found["colour"] = seen(host.effect("COLOR", 5, 51, 151))

scene.frame_set(1)
one.blend_alpha = 0.0
one.keyframe_insert("blend_alpha", frame=1)
one.blend_alpha = 1.0
one.keyframe_insert("blend_alpha", frame=13)
scene.frame_set(1)  # the playhead stands where the film is still dark
found["fade in at the playhead"] = told()
rises = over("rises", blend_alpha=0.0)
rises.keyframe_insert("blend_alpha", frame=51)
rises.blend_alpha = 1.0
rises.keyframe_insert("blend_alpha", frame=61)
scene.frame_set(1)
found["rises over the film"] = seen(rises)
host.result(**found)
