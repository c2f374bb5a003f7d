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
from hitpoint.model.video.damage import Damage
from hitpoint.model.video.fields import Fields, whole
from hitpoint.model.video.film import Film, open_film
from hitpoint.model.video.patience import TICK_S, Tick
from hitpoint.model.video.track import Track

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane
    from av.video.stream import VideoStream

LONG_SIDE = 128
"""Pixels of the longer side of a delivered frame: flow is measured at this size, whatever the film's own. At 160 it
costs half as much again and finds no more impacts."""
VERSION = f"4 {LONG_SIDE}"
"""Changed whenever other frames, or the same at other times, come out of the same film."""
SHORT_SIDE_MIN = 32
TIME_TOLERANCE_S = 0.002
"""Containers round times to a millisecond; an editor's in point is exact."""
STALL_S = 60.0
"""A decoder that gives nothing for so long is given up."""

_QUEUE_FRAMES = 32
_PARTING_S = 0.5  # a decoder that is busy longer ends by itself once it is done
_SMALLEST_FIELDS = 8
_PLANAR_8_BIT = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})


@dataclass(frozen=True)
class Frame:
    """One frame, upright and downscaled.

    time_s: of the film, from its zero. luma (h, w) uint8, 16..235; bgr (h, w, 3) uint8.
    """

    time_s: float
    luma: NDArray[np.uint8]
    bgr: NDArray[np.uint8]


def read_frames(
    path: Path,
    in_s: float = 0.0,
    out_s: float | None = None,
    tick: Tick | None = None,
    damage: Damage | None = None,
) -> Iterator[Frame]:
    """Yield the frames with in_s <= time < out_s, in order of presentation.

    A thread decodes ahead through a bounded queue; what it raises is raised here, and it ends with the iterator. tick:
    called while there is nothing to yield. damage: what goes wrong is noted there. Raises InputError if the film is
    damaged before `out_s`.
    """
    stop = threading.Event()
    pipe: queue.Queue[Frame | BaseException | None] = queue.Queue(_QUEUE_FRAMES)
    film = open_film(path, tick)

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
            with closing(decode(film, in_s, out_s, damage, stop)) as frames:
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
        while (item := _take(pipe, path, tick)) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join(timeout=_PARTING_S)


def _take(
    pipe: queue.Queue[Frame | BaseException | None], path: Path, tick: Tick | None
) -> Frame | BaseException | None:
    for _ in range(round(STALL_S / TICK_S)):
        try:
            return pipe.get(timeout=TICK_S)
        except queue.Empty:
            if tick is not None:
                tick()
    raise InputError(f"{path.name} gave no frame for {STALL_S:.0f} s; copy it to a local disk first")


def decode(
    film: Film,
    in_s: float,
    out_s: float | None,
    damage: Damage | None = None,
    stop: threading.Event | None = None,
) -> Generator[Frame]:
    """`read_frames` without its thread."""
    film.check_reaches(out_s)
    path, track = film.path, film.track
    with media.reading(path), media.open_container(path) as container:
        stream = container.streams.video[_place(container, track)]
        stream.thread_type = "SLICE"  # frame threads cost memory and CPU; analysis itself is the second thread
        # Deblocking of frames that no other frame refers to is a fifth of the work and not seen at this size.
        stream.codec_context.options = {"skip_loop_filter": "noref", "max_pixels": str(media.MAX_PIXELS)}
        size: tuple[int, int] | None = None
        fields, shrinker, last_s = Fields(), Shrinker(), -1.0
        for time_s, frame in _from_in_point(film, container, stream, in_s, damage or Damage(), stop):
            if time_s <= last_s or time_s < in_s - TIME_TOLERANCE_S:
                continue
            if out_s is not None and time_s >= out_s - TIME_TOLERANCE_S:
                return
            last_s = time_s
            size = size or small_size(stream, frame)  # that of the first frame: some streams change theirs
            if frame.interlaced_frame and frame.format.name not in _PLANAR_8_BIT:
                frame = frame.reformat(format="yuv422p")  # keeps each line of brightness apart
            for part_s, lines in _parts(frame, time_s, track.step_s, fields):
                yield Frame(part_s, *shrinker.shrink(frame, size, lines))


def _parts(frame: VideoFrame, time_s: float, step_s: float, fields: Fields) -> list[tuple[float, int | None]]:
    """(time, lines) of the frame, or of each of its two fields where they show two pictures."""
    if frame.interlaced_frame and frame.height >= _SMALLEST_FIELDS:
        lines = fields.split(_plane(frame.planes[0]))
        if lines is not None:
            return [(time_s, lines[0]), (time_s + step_s / 2, lines[1])]
    return [(time_s, None)]


def _place(container: InputContainer, track: Track) -> int:
    """Which of the file's video tracks is the picture."""
    return [stream.index for stream in container.streams.video].index(track.index)


def _from_in_point(
    film: Film,
    container: InputContainer,
    stream: VideoStream,
    in_s: float,
    damage: Damage,
    stop: threading.Event | None,
) -> Iterator[tuple[float, VideoFrame]]:
    """Frames from the key frame before `in_s` on; from the very first if the file's index leads astray, or where a
    frame's time depends on those before it."""
    track = film.track
    frames = _timed_frames(film, container, stream, damage, stop)
    if in_s <= 1.0 or not stream.time_base or track.numbered or len(track.pieces) > 1 or track.lead or track.untimed:
        yield from frames
        return
    container.seek(int((in_s + track.zero_s) / stream.time_base), stream=stream, backward=True)
    first = next(frames, None)
    if first is None or first[0] > in_s:
        container.seek(0, stream=stream, backward=True)
        frames = _timed_frames(film, container, stream, damage, stop)
    else:
        yield first
    yield from frames


def _timed_frames(
    film: Film, container: InputContainer, stream: VideoStream, damage: Damage, stop: threading.Event | None
) -> Iterator[tuple[float, VideoFrame]]:
    """Each frame with the moment at which it is shown."""
    track, last_s = film.track, -film.track.step_s
    unit_s, place = float(stream.time_base or 1), _Place()
    for packets, frame in _decode_packets(film, container, stream, damage, stop):
        number = place.next(packets, damage)
        if track.numbered or (number < track.lead and frame.pts is None):
            past = number - len(track.times_s) + 1
            time_s = float(track.times_s[number]) if past <= 0 else track.end_s + (past - 1) * track.step_s
        else:
            time_s = last_s + track.step_s if frame.pts is None else frame.pts * unit_s - track.zero_s
        if frame.is_corrupt:
            damage.frame(time_s)
        last_s = time_s
        yield time_s, frame


class _Place:
    """Counts frames as they come out of the decoder, and those that damage kept from coming.

    A decoder gives a frame for each packet, some packets later; once one was damaged, what it is behind more than that
    was lost.
    """

    def __init__(self) -> None:
        self._next, self._delay = 0, 0

    def next(self, packets: int, damage: Damage) -> int:
        """The place of the frame that came out after so many packets."""
        behind = packets - 1 - self._next
        if not damage.bad_packets:
            self._delay = max(self._delay, behind)
        elif behind > self._delay:
            self._next += behind - self._delay
        self._next += 1
        return self._next - 1


def _decode_packets(
    film: Film, container: InputContainer, stream: VideoStream, damage: Damage, stop: threading.Event | None
) -> Iterator[tuple[int, VideoFrame]]:
    """Every frame that can be decoded, after how many packets, and `pts` as the film's schedule has it.

    Raises InputError once the damage is more than a scratch.
    """
    import av

    shift_of, time_s, fed = _Shifts(film.track), 0.0, 0
    for number, packet in enumerate(container.demux(stream)):
        if stop is not None and stop.is_set():
            return
        is_flush = packet.pts is None and packet.dts is None and not packet.size
        if not packet.size and not is_flush:
            continue  # the frame before is shown again
        fed += not is_flush
        if number in film.track.untimed:
            packet.pts = None
            damage.packet(time_s)
        elif packet.pts is not None and packet.time_base:
            packet.pts += shift_of(number)
            time_s = float(packet.pts * packet.time_base) - film.track.zero_s
        packet.dts = None  # where a frame has no time, this one is not to stand in for it
        try:
            for frame in packet.decode():
                yield fed, frame
        except av.error.InvalidDataError:
            damage.packet(time_s)
            if damage.is_too_much(film.track):
                raise InputError(
                    f"{film.path.name} is damaged near {max(time_s, 0.0):.1f} s; export or copy it again"
                ) from None


class _Shifts:
    """What to add to a packet's time so that the pieces of a film follow each other; asked in order."""

    def __init__(self, track: Track) -> None:
        self._pieces, self._at = track.pieces, 0

    def __call__(self, number: int) -> int:
        """In the track's own unit, for packet `number`."""
        while self._at + 1 < len(self._pieces) and number >= self._pieces[self._at + 1][0]:
            self._at += 1
        return self._pieces[self._at][1]


def small_size(stream: VideoStream, frame: VideoFrame) -> tuple[int, int]:
    """(width, height) with LONG_SIDE on the longer side, even, before rotation; pixels count in their own shape."""
    pixel = stream.sample_aspect_ratio
    aspect = frame.width / frame.height * (float(pixel) if pixel else 1.0)
    short = max(SHORT_SIDE_MIN, round(LONG_SIDE * min(aspect, 1 / aspect) / 2) * 2)
    return (LONG_SIDE, short) if aspect >= 1 else (short, LONG_SIDE)


class Shrinker:
    """Makes small pictures of a film's frames."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._scaler = VideoReformatter()

    def shrink(
        self, frame: VideoFrame, size: tuple[int, int], lines: int | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """(luma (h, w), bgr (h, w, 3)) of `size` (width, height), then turned upright. lines: of one field only, 0 the
        even ones, 1 the odd ones."""
        import cv2

        width, height = size
        sizes = ((width, height), (width // 2, height // 2), (width // 2, height // 2))
        if frame.interlaced_frame and frame.format.name in _PLANAR_8_BIT:
            planes = [_shrink_plane(plane, size, lines) for plane, size in zip(frame.planes, sizes, strict=True)]
        else:
            kind = "yuvj420p" if frame.format.name.startswith("yuvj") else "yuv420p"
            small = self._scaler.reformat(frame, width, height, kind, interpolation="AREA")
            planes = [_plane(plane) for plane in small.planes]
        joined = np.concatenate([plane.ravel() for plane in planes]).reshape(height * 3 // 2, width)
        bgr = np.asarray(cv2.cvtColor(joined, cv2.COLOR_YUV2BGR_I420), np.uint8)
        luma, turns = joined[:height], frame.rotation // 90 % 4
        if turns:
            luma, bgr = (np.ascontiguousarray(np.rot90(each, turns)) for each in (luma, bgr))
        return luma, bgr


def _plane(plane: VideoPlane) -> NDArray[np.uint8]:
    """(h, w), without a copy."""
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _shrink_plane(plane: VideoPlane, size: tuple[int, int], lines: int | None) -> NDArray[np.uint8]:
    import cv2

    pixels = _plane(plane) if lines is None else whole(_plane(plane), lines)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
