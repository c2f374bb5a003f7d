# SPDX-License-Identifier: GPL-3.0-or-later
"""All that differs between Blender versions, and all reading of strips: features are tested for, never versions."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from . import look
from .timeline import Strip

_EDITING = ("TRANSFORM_OT_", "SEQUENCER_OT_", "MARKER_OT_", "ED_OT_")
MUSIC_FOLDER = "Hitpoint"
_source_frames: dict[tuple[str, float], int] = {}


class HostError(Exception):
    """Blender refused; the text is a sentence for the panel."""


def scene_of(context: Any) -> Any:
    """The scene that the sequencer shows, or None."""
    return context.sequencer_scene if hasattr(context, "sequencer_scene") else context.scene


def fps(scene: Any) -> float:
    """Frames a second of the timeline."""
    return float(scene.render.fps / scene.render.fps_base)


def span(scene: Any) -> tuple[int, int]:
    """The timeline range, or the preview range where one is set: frames, end excluded."""
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end + 1
    return scene.frame_start, scene.frame_end + 1


def strips_of(holder: Any) -> Any:
    """The strips of an editor or of a meta."""
    return holder.strips if hasattr(holder, "strips") else holder.sequences


def edges(strip: Any) -> tuple[int, int]:
    """First frame of a strip, and the frame after its last."""
    return strip.frame_final_start, strip.frame_final_end


def relative(path: str) -> str:
    """A path as a project keeps it: relative to it where both lie together, else as it is."""
    base = Path(bpy.data.filepath).parent if bpy.data.filepath else None
    if base is None or not path or not Path(path).is_absolute():
        return path
    return bpy.path.relpath(path) if Path(path).is_relative_to(base) else path


def beside(path: str) -> str:
    """The path, relative to the project, of a file in its music folder; for a project that is just being saved."""
    return f"//{MUSIC_FOLDER}/{Path(path).name}" if path else ""


def music_folder(project: str) -> str:
    """Where a project keeps its music; empty for one that is not saved yet."""
    return str(Path(project).parent / MUSIC_FOLDER) if project else ""


def relink(strips: list[Any], moved: dict[str, str]) -> None:
    """Let the sounds of these strips be the same files in the project's music folder."""
    whole = {os.path.normpath(path): new for path, new in moved.items() if path}
    for strip in strips:
        sound = getattr(strip, "sound", None)
        path = "" if sound is None else os.path.normpath(bpy.path.abspath(sound.filepath))
        if sound is not None and path in whole:
            sound.filepath = beside(whole[path])


def set_end(strip: Any, frame: int) -> None:
    """Let a strip end before `frame`; beyond its sound it is silent."""
    strip.frame_offset_end += edges(strip)[1] - frame


def closed_channels(editor: Any) -> set[int]:
    """The channels that are muted or locked."""
    return {index for index, channel in enumerate(editor.channels) if channel.mute or channel.lock}


def own_markers(scene: Any) -> list[tuple[int, str]]:
    """The editor's own markers: frame and name."""
    return [(marker.frame, marker.name) for marker in scene.timeline_markers]


def read_strips(scene: Any) -> list[Strip]:
    """What lies on the level of the timeline that is open (an entered meta, or all)."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    level = editor.meta_stack[-1] if len(editor.meta_stack) else editor
    return _read_level(level, _Reading(fps(scene), look.curves(scene)))


@dataclass(frozen=True)
class _Reading:
    """What all strips of one reading share. files: the real path of each looked for, empty if it is gone."""

    fps: float
    curves: look.Curves
    files: dict[str, str] = field(default_factory=dict)

    def file(self, path: str) -> str:
        """The real path of a file, empty where there is none."""
        if path not in self.files:
            self.files[path] = os.path.realpath(path) if Path(path).is_file() else ""
        return self.files[path]


def _read_level(level: Any, reading: _Reading) -> list[Strip]:
    muted = {index for index, channel in enumerate(level.channels) if channel.mute}
    return [_read(strip, muted, reading) for strip in strips_of(level)]


def _read(strip: Any, muted: set[int], reading: _Reading) -> Strip:
    (start, end), curves = edges(strip), reading.curves
    fields: dict[str, Any] = {
        "mute": strip.mute or strip.channel in muted or look.is_hidden(strip, curves),
        "selected": strip.select,
        "look": look.of(strip, curves),
        "unsure": look.unsure(strip, curves),
        "fade_in": look.fade_in(strip, curves),
    }
    if strip.type == "MOVIE":
        fields |= _movie(strip, reading)
    elif strip.type == "IMAGE":
        fields["frames"] = len(strip.elements)
    elif strip.type == "META":
        fields["children"] = tuple(_read_level(strip, reading))
    elif getattr(strip, "input_count", 0):
        inputs = [getattr(strip, name, None) for name in ("input_1", "input_2")[: strip.input_count]]
        fields["inputs"] = tuple(_read(found, set(), reading) for found in inputs if found is not None)
        if strip.type == "SPEED":
            fields |= _speed_effect(strip)
    return Strip(strip.name, strip.type, strip.channel, start, end, **fields)


def _movie(strip: Any, reading: _Reading) -> dict[str, Any]:
    """File, first source frame and source frames per timeline frame of a movie strip."""
    named = bpy.path.abspath(strip.filepath)
    path = reading.file(named)
    source_fps = float(strip.elements[0].orig_fps if len(strip.elements) else 0.0)
    if not path or source_fps <= 0:
        return {"path": named, "missing": True}
    keys = [key.timeline_frame for key in getattr(strip, "retiming_keys", ())]
    length = strip.frame_final_duration + strip.frame_offset_start + strip.frame_offset_end
    rate, frames, hidden = 1.0, strip.frame_duration, strip.animation_offset_start + strip.animation_offset_end
    if keys or getattr(strip, "speed_factor", 1.0) != 1.0 or abs(source_fps - reading.fps) > 5e-4 * source_fps:
        frames = source_frames(path) - hidden
        rate = rate_of(frames, float(length), keys)
    low, skipped = strip.animation_offset_start, strip.frame_offset_start * rate
    first = low + skipped
    if strip.use_reverse_frames:
        rate, first = -rate, low + frames - skipped
    return {
        "path": path,
        "source_fps": source_fps,
        "low": low,
        "frames": low + frames,
        "rate": rate,
        "first": first,
        "steady": len(keys) <= 2,
    }


def rate_of(frames: int, length: float, keys: list[float]) -> float:
    """Source frames per timeline frame. With retiming keys the versions differ by a frame in the strip's length,
    so of length and distance of the keys the one is taken that gives the nearer to a whole percent."""
    if not keys:
        return frames / length
    percents = [100.0 * frames / width for width in (keys[-1] - keys[0], length) if width > 0]
    return min(percents, key=lambda percent: abs(percent - round(percent))) / 100.0


def source_frames(path: str) -> int:
    """How many frames a movie file has; remembered until the file changes."""
    key = (path, Path(path).stat().st_mtime)
    if key not in _source_frames:
        clip = bpy.data.movieclips.load(path)
        _source_frames[key] = int(clip.frame_duration)
        bpy.data.movieclips.remove(clip)
    return _source_frames[key]


def _speed_effect(strip: Any) -> dict[str, Any]:
    if strip.speed_control == "MULTIPLY":
        return {"rate": float(strip.speed_factor)}
    if strip.speed_control == "STRETCH" and strip.input_1 is not None:
        return {"rate": strip.input_1.frame_duration / strip.frame_final_duration}
    return {"steady": False}


# ---- a render of what is seen


def write_scene(scene: Any, path: Path) -> None:
    """The scene and all it needs as a file of its own; the project itself is neither saved nor changed."""
    bpy.data.libraries.write(str(path), {scene}, path_remap="ABSOLUTE")


def another_blender(script: str) -> list[str]:
    """How to run a script of this extension in a Blender beside this one; its last argument is still to be added."""
    path = str(Path(__file__).with_name(script))
    if bpy.app.binary_path:
        return [bpy.app.binary_path, "-b", "--factory-startup", "--python-exit-code", "1", "-P", path, "--"]
    return [sys.executable, path]


# ---- the window and its places


def preferences() -> Any:
    """The extension's preferences, or None where it was registered without being installed."""
    addon = bpy.context.preferences.addons.get(__package__)
    return addon.preferences if addon else None


def folder() -> Path:
    """Where this extension may write."""
    if hasattr(bpy.utils, "extension_path_user") and __package__.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(__package__, create=True))
    return Path(bpy.utils.user_resource("CONFIG", path="hitpoint", create=True))


def playing() -> bool:
    """Whether any window plays the timeline."""
    return any(window.screen.is_animation_playing for window in bpy.context.window_manager.windows)


def editing() -> bool:
    """Whether strips or markers are being dragged, so that none may be added or removed now."""
    windows = bpy.context.window_manager.windows
    running = (operator for window in windows for operator in getattr(window, "modal_operators", ()))
    return any(operator.bl_idname.startswith(_EDITING) for operator in running)


def redraw() -> None:
    """Draw the sidebars of all sequencers again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if area.type == "SEQUENCE_EDITOR" and region.type == "UI":
                    region.tag_redraw()


def call(operator: Any) -> None:
    """Run an operator from a timer, as one undo step of its own.

    With no context of our own: Blender 4.5 looks into one without Python's lock when it pushes the undo step, and
    crashes where another thread, as that which hears the bridge, runs just then.
    """
    operator("EXEC_DEFAULT", True)


def translated(text: str) -> str:
    """The words in the language that Blender's interface speaks."""
    return str(bpy.app.translations.pgettext_iface(text))


def silent(context: Any) -> bool:
    """Whether Blender plays through no sound device."""
    return getattr(context.preferences.system, "audio_device", "") in ("NONE", "None")


def progress(layout: Any, text: str, share: float) -> None:
    """A bar where layouts have one, else words."""
    if hasattr(layout, "progress"):
        layout.progress(text=text, factor=share)
    else:
        layout.label(text=f"{text} {share:.0%}", icon="TIME")
