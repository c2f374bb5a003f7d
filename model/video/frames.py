"""Frames of a film, small and with their true presentation times, decoded ahead in a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError
from hitpoint.model.video import media

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane
    from av.video.stream import VideoStream

LONG_SIDE = 128
"""Pixels of the longer side of a delivered frame: flow is measured at this size, whatever the film's own. At 160 it
costs half as much again and finds no more impacts."""
SHORT_SIDE_MIN = 32
TIME_TOLERANCE_S = 0.002
"""Containers round times to a millisecond; an editor's in point is exact."""
END_TOLERANCE_S = 0.5
"""A film that ends so much before its declared end is damaged."""
STALL_S = 60.0
"""A decoder that gives nothing for so long is given up."""

_QUEUE_FRAMES = 32
_BAD_PACKETS = 25
_PLANAR_8_BIT = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})
_TRUE_DURATION = ("mov", "matroska")  # others estimate it


@dataclass(frozen=True)
class Frame:
    """One frame, upright and downscaled.

    time_s: of the file's own time. duration_s: how long it is shown, 0 if undeclared. luma (h, w) uint8, 16..235;
    bgr (h, w, 3) uint8.
    """

    time_s: float
    duration_s: float
    luma: NDArray[np.uint8]
    bgr: NDArray[np.uint8]


def read_frames(path: Path, in_s: float = 0.0, out_s: float | None = None) -> Iterator[Frame]:
    """Yield the frames with in_s <= time < out_s, in order of presentation.

    A thread decodes ahead through a bounded queue; what it raises is raised here, and it is joined when the iterator
    ends or is closed. Raises InputError if the film is damaged before `out_s`.
    """
    stop = threading.Event()
    pipe: queue.Queue[Frame | BaseException | None] = queue.Queue(_QUEUE_FRAMES)

    def put(item: Frame | BaseException | None) -> None:
        while not stop.is_set():
            try:
                pipe.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def work() -> None:
        """The thread: decode, hand over, and hand over what went wrong."""
        try:
            with closing(decode(path, in_s, out_s)) as frames:
                for frame in frames:
                    put(frame)
                    if stop.is_set():
                        return
        except BaseException as error:  # its owner raises it
            put(error)
        else:
            put(None)

    thread = threading.Thread(target=work, name="hitpoint-decode", daemon=True)
    thread.start()
    try:
        while (item := _take(pipe, path)) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join(timeout=STALL_S)


def _take(pipe: queue.Queue[Frame | BaseException | None], path: Path) -> Frame | BaseException | None:
    try:
        return pipe.get(timeout=STALL_S)
    except queue.Empty:
        raise InputError(f"{path.name} gave no frame for {STALL_S:.0f} s; copy it to a local disk first.") from None


def decode(path: Path, in_s: float, out_s: float | None) -> Generator[Frame]:
    """`read_frames` without its thread."""
    with media.reading(path), media.open_container(path) as container:
        stream = media.video_stream(path, container)
        stream.thread_type = "SLICE"  # frame threads cost memory and CPU; analysis itself is the second thread
        # Deblocking of frames that no other frame refers to is a fifth of the work and not seen at this size.
        stream.codec_context.options = {"skip_loop_filter": "noref"}
        zero_s, last_s = media.start_s(container), -1.0
        size: tuple[int, int] | None = None
        for frame in _from_in_point(path, container, stream, in_s):
            time_s = _time_s(frame, stream, zero_s, last_s)
            if time_s <= last_s or time_s < in_s - TIME_TOLERANCE_S:
                continue
            if out_s is not None and time_s >= out_s - TIME_TOLERANCE_S:
                return
            last_s = time_s
            size = size or _small_size(stream, frame)  # that of the first frame: some streams change theirs
            luma, bgr = shrink(frame, size)
            duration_s = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
            yield Frame(time_s, duration_s, luma, bgr)


def _from_in_point(path: Path, container: InputContainer, stream: VideoStream, in_s: float) -> Iterator[VideoFrame]:
    """Frames from the key frame before `in_s` on; from the very first if the file's index leads astray."""
    frames = _decode_packets(path, container, stream)
    if in_s <= 1.0 or not stream.time_base:
        yield from frames
        return
    zero_s = media.start_s(container)
    container.seek(int((in_s + zero_s) / stream.time_base), stream=stream, backward=True)
    first = next(frames, None)
    if first is None or first.time is None or first.time - zero_s > in_s:
        container.seek(0, stream=stream, backward=True)
        frames = _decode_packets(path, container, stream)
    else:
        yield first
    yield from frames


def _decode_packets(path: Path, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Every frame that can be decoded. Raises InputError once the damage is more than a scratch, or the end is missing.

    All tracks are read, because the declared end may be that of the sound.
    """
    import av
    from av.video.frame import VideoFrame

    bad, end_s, zero_s = 0, 0.0, media.start_s(container)
    for packet in container.demux(list(container.streams.video + container.streams.audio)):
        if packet.pts is not None and packet.time_base:
            end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base) - zero_s)
        if packet.stream.index != stream.index:  # a packet that flushes knows its stream only
            continue
        try:
            for frame in packet.decode():
                if isinstance(frame, VideoFrame):
                    yield frame
        except av.error.InvalidDataError:
            bad += 1
            if bad >= _BAD_PACKETS:
                raise InputError(f"{path.name} is damaged near {end_s:.1f} s; export or copy it again.") from None
    declared_s = media.container_end_s(container)
    if declared_s and container.format.name.startswith(_TRUE_DURATION) and end_s < declared_s - END_TOLERANCE_S:
        raise InputError(
            f"{path.name} breaks off at {end_s:.1f} s of {declared_s:.1f} s; copy it again, or set an out point "
            f"before {end_s:.1f} s."
        )


def _time_s(frame: VideoFrame, stream: VideoStream, zero_s: float, last_s: float) -> float:
    """Presentation time from the file's zero; counted on by the mean rate where a frame carries none."""
    stamp = frame.pts if frame.pts is not None else frame.dts
    if stamp is not None and frame.time_base is not None:
        return float(stamp * frame.time_base) - zero_s
    return max(0.0, last_s) + (1 / float(stream.average_rate or 25) if last_s >= 0 else 0.0)


def _small_size(stream: VideoStream, frame: VideoFrame) -> tuple[int, int]:
    """(width, height) with LONG_SIDE on the longer side, even, before rotation; pixels count in their own shape."""
    pixel = stream.sample_aspect_ratio
    aspect = frame.width / frame.height * (float(pixel) if pixel else 1.0)
    short = max(SHORT_SIDE_MIN, round(LONG_SIDE * min(aspect, 1 / aspect) / 2) * 2)
    return (LONG_SIDE, short) if aspect >= 1 else (short, LONG_SIDE)


def shrink(frame: VideoFrame, size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(luma (h, w), bgr (h, w, 3)) of `size` (width, height), then turned upright."""
    import cv2

    width, height = size
    if frame.format.name not in _PLANAR_8_BIT:
        frame = frame.reformat(width, height, "yuv420p", interpolation="AREA")
    sizes = ((width, height), (width // 2, height // 2), (width // 2, height // 2))
    planes = [_shrink_plane(plane, size) for plane, size in zip(frame.planes, sizes, strict=True)]
    joined = np.concatenate([plane.ravel() for plane in planes]).reshape(height * 3 // 2, width)
    bgr = np.asarray(cv2.cvtColor(joined, cv2.COLOR_YUV2BGR_I420), np.uint8)
    turns = frame.rotation // 90 % 4
    return np.ascontiguousarray(np.rot90(planes[0], turns)), np.ascontiguousarray(np.rot90(bgr, turns))


def _shrink_plane(plane: VideoPlane, size: tuple[int, int]) -> NDArray[np.uint8]:
    import cv2

    pixels = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
