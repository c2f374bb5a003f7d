"""From a piece of music and clips to the edit: the whole way in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hitpoint.model.cut.edit import Cutting, cut_to
from hitpoint.model.cut.read import read_music
from hitpoint.model.cut.shots import read_footage
from hitpoint.model.cut.write import write_list
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.apart import analyse_apart
from hitpoint.model.video.types import Clip


def cut_clips(
    music: Path,
    clips: Sequence[Clip],
    fps: float | None = None,
    pace: float = 1.0,
    progress: Callable[[float], None] | None = None,
    apart: bool = False,
) -> Cutting:
    """Cut clips to the music in a file. fps, pace: as `cut_to`. apart: films are looked at in a process of its own.

    Raises as `read_music`, `read_footage` and `cut_to`.
    """
    heard = read_music(music)
    footage = read_footage(clips, progress, analyse_apart if apart else analyse)
    return cut_to(heard, footage, fps, pace)


def cut_to_list(
    music: Path, clips: Sequence[Clip], fps: float, path: Path, progress: Callable[[float], None]
) -> tuple[str, ...]:
    """As `cut_clips`, apart, and written to `path`, which may be there; what is to be said of it."""
    cutting = cut_clips(music, clips, fps, progress=progress, apart=True)
    write_list(cutting, path, force=True)
    return cutting.notes
