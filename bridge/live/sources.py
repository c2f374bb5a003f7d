"""Where the picture comes from: a camera, a film or a pipe, frame by frame as they come.

Threads and processes: live in the eye's process; a source is read by one thread. Heavy modules load inside.
"""

from __future__ import annotations

import contextlib
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hitpoint.bridge.errors import InputError, MissingError

if TYPE_CHECKING:
    from hitpoint.model.video.frames import Frame

CAMERA = "camera"
AGAIN_S = 2.0
"""A camera that went away is looked for so often."""
LOST_READS = 5


@dataclass(frozen=True)
class Source:
    """name: a camera ("camera", "camera:1", "camera:/dev/video2") or the path of a film or a pipe.

    timed: whether its frames say when they are to be seen; a camera's are seen when they come.
    """

    name: str

    @property
    def timed(self) -> bool:
        """A film or a pipe."""
        return self.name.partition(":")[0] != CAMERA

    @property
    def waits(self) -> bool:
        """A pipe: opening it waits for whoever writes into it."""
        with contextlib.suppress(OSError):
            return self.timed and stat.S_ISFIFO(Path(self.name).stat().st_mode)
        return False

    def check(self) -> None:
        """Raise MissingError where there is no such camera, InputError where the file is no film that can be read."""
        if not self.timed:
            _open_camera(self.name).release()
        elif not self.waits:
            next(film_frames(self.name), None)

    def frames(self) -> Iterator[Frame | None]:
        """Frames; None where a camera gives none just now. Ends with the film."""
        return film_frames(self.name) if self.timed else camera_frames(self.name)


def film_frames(name: str) -> Iterator[Frame]:
    """The frames of a film or a pipe, times from its first. Raises InputError where it cannot be read."""
    import av

    from hitpoint.model.video.frames import Frame, Shrinker, small_size

    try:
        with av.open(name) as container:
            if not container.streams.video:
                raise InputError(f"{Path(name).name} has no picture; name a film")
            stream = container.streams.video[0]
            stream.thread_type = "SLICE"
            shrinker, size, first_s, last_s = Shrinker(), None, None, -1.0
            for frame in container.decode(stream):
                size = size or small_size(stream, frame)
                at_s = last_s + 0.04 if frame.time is None else frame.time
                first_s = at_s if first_s is None else first_s
                if at_s - first_s > last_s:
                    last_s = at_s - first_s
                    yield Frame(last_s, *shrinker.shrink(frame, size))
    except (av.FFmpegError, OSError) as error:
        why = getattr(error, "strerror", "") or str(error)
        raise InputError(f"{Path(name).name} cannot be read as a film ({why}); check the path") from error


def camera_frames(name: str) -> Iterator[Frame | None]:
    """A camera's frames at the moments at which they came, for ever; one that goes away is looked for again."""
    from hitpoint.model.video.frames import Frame

    camera: Any = _open_camera(name)
    lost = 0
    while True:
        good, picture = camera.read()
        if good:
            lost = 0
            yield Frame(time.monotonic(), *_shrunk(picture))
            continue
        lost += 1
        yield None
        if lost < LOST_READS:
            time.sleep(0.02)
            continue
        camera.release()
        time.sleep(AGAIN_S)
        with contextlib.suppress(MissingError):
            camera = _open_camera(name)


def _open_camera(name: str) -> Any:
    import os

    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    import cv2

    from hitpoint.bridge.midi.ports import quiet_libraries

    which = name.partition(":")[2] or "0"
    with quiet_libraries():
        camera = cv2.VideoCapture(int(which) if which.isdigit() else which)
    if not camera.isOpened():
        camera.release()
        there = ", ".join(sorted(str(path) for path in Path("/dev").glob("video*"))) or "none"
        seen = f" (there are: {there})" if sys.platform == "linux" else ""
        raise MissingError(f"camera {which} cannot be opened{seen}; plug it in, close what uses it, or name another")
    camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return camera


def _shrunk(picture: Any) -> tuple[Any, Any]:
    """(luma, bgr) of a camera's picture at the analysis's size."""
    import cv2

    from hitpoint.model.video.frames import LONG_SIDE

    height, width = picture.shape[:2]
    scale = LONG_SIDE / max(height, width)
    size = max(32, round(width * scale / 2) * 2), max(32, round(height * scale / 2) * 2)
    bgr = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), bgr
