"""What the name of a file, or of an editor's own item, tells about its picture."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote

from hitpoint.model.video.timeline.tracks import Look

_SOUND = {
    "wav", "wave", "bwf", "rf64", "w64", "mp3", "mp2", "m4a", "m4b", "aac", "flac", "ogg", "oga", "opus", "aif", "aiff",
    "aifc", "caf", "wma", "ac3", "eac3", "dts", "amr", "au", "mka", "weba", "mid", "midi", "ape", "wv",
}  # fmt: skip
_ALPHA = {"png", "apng", "webp", "svg", "svgz", "gif", "tga", "tif", "tiff", "psd", "psb", "exr", "ai", "pdf", "ico"}
_NUMBERED = re.compile(r"%0?\d*d|#|\[\d|\*")
"""Marks in the name of the frames of a moving picture."""
_GRAPHICS = {
    "text", "text+", "title", "basic title", "fusion title", "rich text", "scroll", "subtitle", "graphic", "caption",
    "adjustment clip", "adjustment layer", "solid color", "color matte", "solid", "fusion composition",
}  # fmt: skip


def _ending(url: str) -> str:
    return PurePosixPath(unquote(url.split("?")[0].split("#")[0]).replace("\\", "/")).suffix.lower().lstrip(".")


def is_sound(url: str) -> bool:
    """Whether a file of that name holds sound only."""
    return _ending(url) in _SOUND


def is_still_with_alpha(url: str) -> bool:
    """Whether a file of that name is a single image of a kind that may have alpha."""
    return _ending(url) in _ALPHA and not _NUMBERED.search(url)


def look_of_name(name: str) -> Look | None:
    """GRAPHIC where an item without media is named as editors name titles, generators and adjustment layers."""
    return Look.GRAPHIC if name.strip().lower() in _GRAPHICS else None
