"""The ffmpeg program: where it is."""

from __future__ import annotations

import shutil

from hitpoint.model.errors import MissingError


def find_ffmpeg() -> str:
    """The path of an ffmpeg program: the system's, else that of the PyPI wheel imageio-ffmpeg; else MissingError."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise MissingError("ffmpeg is not installed; install it, or run `pip install imageio-ffmpeg`") from error
