"""What a film file declares about itself, and one clear sentence for every file that is none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hitpoint.model.errors import InputError
from hitpoint.model.video.types import Media

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_MICROSECONDS = 1_000_000  # libav's unit for a container's own times


def sha256_of(path: Path) -> str:
    """Hex digest of the file's content, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def probe(path: Path) -> Media:
    """Facts of a film; little or nothing is decoded.

    Raises InputError if `path` is missing, empty, a folder, no film, has sound only, or holds a single frame.
    """
    path = Path(path)
    check_file(path)
    with reading(path):
        digest = sha256_of(path)
        with open_container(path) as container:
            stream = video_stream(path, container)
            duration_s, frames = declared_duration_s(container, stream), stream.frames
            if duration_s is None or not frames:
                counted_s, frames = _count_packets(container, stream)
                duration_s = counted_s if duration_s is None else duration_s
            fps = float(stream.average_rate or 0) or (frames / duration_s if duration_s > 0 else 0.0)
        width, height = _upright_size(path)
    if frames < 2:
        raise InputError(f"{path.name} holds {'one frame' if frames else 'no frame'} only; give a film that moves.")
    return Media(path, digest, duration_s, fps, frames, width, height)


def check_file(path: Path) -> None:
    """Raise InputError unless `path` is a regular file with content."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a video file.")
    if not path.exists():
        raise InputError(f"{path} does not exist; check its name and folder.")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file; give a video file.")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; export or copy the film again.")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn a refusal of the system or of the decoder into an InputError of one sentence."""
    import av

    try:
        yield
    except PermissionError:
        raise InputError(f"{path.name} may not be read; give yourself the right to read it.") from None
    except (av.error.InvalidDataError, av.error.EOFError):
        raise InputError(f"{path.name} is no film, or a damaged one; give a file that a video player opens.") from None
    except av.error.FFmpegError as error:
        reason = error.strerror or "unknown reason"
        raise InputError(f"{path.name} cannot be decoded ({reason}); convert it to H.264 and try again.") from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror}); copy it and try again.") from None


def open_container(path: Path) -> InputContainer:
    """Open a local file: by absolute path, so that "scene:1.mp4" is no protocol, and without any network."""
    import av

    return av.open(str(path.absolute()), options={"protocol_whitelist": "file"}, metadata_errors="replace")


def video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The film's picture: its first video track that is no cover image. Raises InputError if it has none."""
    from av.stream import Disposition

    if container.format.name == "tty":  # libav draws any text as a film
        raise InputError(f"{path.name} is a text; give a video file.")
    tracks = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not tracks:
        what = "has sound only" if container.streams.audio else "has no picture"
        raise InputError(f"{path.name} {what}; give a file with a video track.")
    return tracks[0]


def start_s(container: InputContainer) -> float:
    """The moment that a player calls zero, in the container's own time."""
    return (container.start_time or 0) / _MICROSECONDS


def container_end_s(container: InputContainer) -> float | None:
    """Declared length of the longest track in seconds, or None."""
    return container.duration / _MICROSECONDS if container.duration else None


def declared_duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """End of the picture in seconds as the file declares it, or None."""
    if stream.duration and stream.time_base:
        end = ((stream.start_time or 0) + stream.duration) * stream.time_base
        return float(end) - start_s(container)
    return _tag_seconds(stream.metadata.get("DURATION", ""))


def _tag_seconds(text: str) -> float | None:
    """Seconds of Matroska's DURATION tag, "01:02:03.500000000"."""
    try:
        hours, minutes, seconds = text.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None


def _count_packets(container: InputContainer, stream: VideoStream) -> tuple[float, int]:
    """(end in seconds, frames) of the picture, counted in its packets."""
    end_s, frames, base = 0.0, 0, float(stream.time_base or 0)
    for packet in container.demux(stream):
        if packet.pts is not None:
            end_s = max(end_s, (packet.pts + (packet.duration or 0)) * base - start_s(container))
            frames += 1
    return end_s, frames


def _upright_size(path: Path) -> tuple[int, int]:
    """(width, height) as a player shows it: the rotation stands on the frames."""
    with open_container(path) as container:
        stream = video_stream(path, container)
        for frame in container.decode(stream):
            return (frame.height, frame.width) if frame.rotation % 180 else (frame.width, frame.height)
    raise InputError(f"{path.name} holds no frame that can be decoded; export or copy the film again.")
