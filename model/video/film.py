"""A film: the one answer to which stream is the picture, which frame is shown when, and where the picture ends.

Everything that looks at a film asks here: the analysis, the film with its music, plots, reports and the hosts' clips.

Threads: any. The last few films are remembered for as long as their files stay as they are.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hitpoint.model.errors import InputError
from hitpoint.model.video.media import (
    MAX_PIXELS,
    Identity,
    check_file,
    open_container,
    reading,
    stated_rate,
)
from hitpoint.model.video.patience import Hashing, Stopped, Tick, patiently
from hitpoint.model.video.track import Packets, Track, candidates, choose, declared_end_s, rate_of, schedule
from hitpoint.model.video.types import Media

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MAX_PACKETS = 20_000_000
"""More than this is not a film: a whole day holds half as many at 120 frames a second."""
MISSING_END_S = 0.5
"""A film that ends so much before its declared end is damaged."""

MAX_FRAMES = 1_000_000
"""Looked at in one clip: over nine hours at 30 a second."""
MAX_LENGTH_S = 12 * 3600.0

_REMEMBERED = 16
_TRUE_DURATION = ("mov", "matroska")  # their declared length is that of what was written
_INDEXED = ("mov", "matroska")
_ROUGH_DURATION = ("avi", "flv", "asf", "mxf")
_known: OrderedDict[tuple[Path, Identity], Film] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Film:
    """One state of one file.

    start_s: where a player begins, in the file's own time. has_index: it can be entered at any moment. breaks_off_s:
    where its data ends, if that is before the end it declares; declared_s: that end. notes: sentences on what had to be
    assumed.
    """

    path: Path
    identity: Identity
    media: Media
    track: Track
    start_s: float = 0.0
    has_index: bool = True
    breaks_off_s: float | None = None
    declared_s: float = 0.0
    notes: tuple[str, ...] = ()

    def check_unchanged(self) -> None:
        """Raise InputError if the file under this name is no longer the one that was surveyed."""
        try:
            same = Identity.of(self.path) == self.identity
        except OSError:
            same = False
        if not same:
            raise InputError(
                f"{self.path.name} changed while it was being analysed; wait until it is complete, then score it again"
            )

    def check_reaches(self, out_s: float | None) -> None:
        """Raise InputError if the file's data ends before `out_s`, seconds of the film; None: before its end."""
        if self.breaks_off_s is not None and (out_s is None or out_s > self.breaks_off_s + MISSING_END_S):
            raise InputError(
                f"{self.path.name} breaks off at {self.breaks_off_s:.1f} s of {self.declared_s:.1f} s; copy it again, "
                f"or set an out point before {self.breaks_off_s:.1f} s"
            )

    def check_length(self, in_s: float, out_s: float | None) -> None:
        """Raise InputError if so much of the film is too much to look at."""
        end_s = self.track.end_s if out_s is None else min(out_s, self.track.end_s)
        first, last = np.searchsorted(self.track.times_s, [in_s, end_s])
        frames, length_s = int(last - first), end_s - in_s
        if frames < MAX_FRAMES and length_s <= MAX_LENGTH_S:
            return
        what = f"{frames:,} frames" if frames >= MAX_FRAMES else f"{length_s / 3600:.0f} hours"
        limit = f"{MAX_FRAMES:,}" if frames >= MAX_FRAMES else f"{MAX_LENGTH_S / 3600:.0f} hours"
        raise InputError(
            f"{self.path.name} is {what} long, and less than {limit} can be scored; set an in and an out point"
        )


def probe(path: Path, tick: Tick | None = None) -> Media:
    """Facts of a film; little or nothing is decoded. Raises InputError as `open_film`."""
    return open_film(path, tick).media


def open_film(path: Path, tick: Tick | None = None) -> Film:
    """Survey a film: hash it, and read what all its packets say.

    Raises InputError if `path` is missing, empty, a folder, of a kind that is not read, no film, has sound only, holds
    a single frame, has frames over MAX_PIXELS, or changes meanwhile; and what `tick` raises.
    """
    path = Path(path)
    check_file(path)
    with reading(path):
        key = (path.absolute(), Identity.of(path))
    with _lock:
        found = _known.get(key)
    if found is None:
        found = patiently(lambda stop: _survey(path, key[1], stop), tick)
        found.check_unchanged()
        with _lock:
            _known[key] = found
            while len(_known) > _REMEMBERED:
                _known.popitem(last=False)
    return found


def _survey(path: Path, identity: Identity, stop: threading.Event) -> Film:
    """Hash the file and read its packets side by side, so that a disk gives each byte once."""
    with reading(path), open_container(path) as container:
        tracks = _candidates(path, container)
        hashing = Hashing(path, stop)
        packets, end_s = _picture(path, container, tracks, stop)
        track = schedule(packets, container)
        declared_s, found_s = _ends(packets, track, container, end_s)
        notes = _notes(path, container, packets, track, declared_s, found_s)
        breaks_off = container.format.name.startswith(_TRUE_DURATION) and found_s < declared_s - MISSING_END_S
        fps = _mean_rate(packets.stream, track)
        width, height = _upright_size(path, track.index, stop)
        digest = hashing.result()
        start_s = track.zero_s if container.start_time is None else container.start_time / 1_000_000
        has_index = container.format.name.startswith(_INDEXED) and not track.numbered
    media = Media(path, digest, track.end_s, fps, len(track.times_s), width, height, track.rate)
    breaks_off_s = found_s if breaks_off else None
    return Film(path, identity, media, track, start_s, has_index, breaks_off_s, declared_s, notes)


def _candidates(path: Path, container: InputContainer) -> list[VideoStream]:
    """The tracks that can be the picture. Raises InputError if there is none, or one is too large."""
    found = candidates(container)
    if not found:
        what = "has only sound" if container.streams.audio else "has no picture"
        raise InputError(f"{path.name} {what}; give a file with a video track")
    for stream in found:
        _check_pixels(path, stream.width, stream.height)
    return found


def _check_pixels(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{path.name} has frames of {width}x{height}, over {MAX_PIXELS // 1_000_000} million pixels; scale it down "
            "first"
        )


def _picture(
    path: Path, container: InputContainer, tracks: list[VideoStream], stop: threading.Event
) -> tuple[Packets, float]:
    """(what the picture's packets say, when the last packet of any track ends in the file's own time)."""
    of_track = {stream.index: Packets(stream) for stream in tracks}
    end_s, count = -math.inf, 0
    for packet in container.demux():
        if stop.is_set():
            raise Stopped
        if packet.pts is None and not packet.size and packet.dts is None:  # libav's own, at the end
            continue
        count += 1
        if count > MAX_PACKETS:
            raise InputError(f"{path.name} holds over {MAX_PACKETS:,} frames; give a shorter film")
        if packet.pts is not None and packet.time_base:
            end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if packet.stream_index in of_track:
            of_track[packet.stream_index].add(packet)  # type: ignore[arg-type]  # they are video
    picture = choose(list(of_track.values()))
    if picture.shown < 2:
        raise InputError(
            f"{path.name} holds {'only one frame' if picture.shown else 'no frame'}; give a film that moves"
        )
    return picture, end_s


def _ends(packets: Packets, track: Track, container: InputContainer, end_s: float) -> tuple[float, float]:
    """(where the file says that it ends, where its data end), seconds of the film; of the picture where it tells."""
    declared_s = declared_end_s(packets.stream, container)
    if container.format.name == "avi":  # its header counts frames, those without bytes too
        declared_s = packets.stream.frames * packets.base_s
    if declared_s is not None and len(track.pieces) == 1:
        return declared_s - track.zero_s, float(track.times_s[-1]) + track.step_s
    whole_s = (container.duration or 0) / 1_000_000
    return whole_s, end_s - track.zero_s


def _notes(
    path: Path, container: InputContainer, packets: Packets, track: Track, declared_s: float, found_s: float
) -> tuple[str, ...]:
    notes = []
    if track.numbered and not stated_rate(path, container):
        notes.append(
            f"{path.name} does not say its frame rate: {rate_of(packets.stream):g} frames a second were taken; if that "
            "is wrong, put it into an MP4 at its own rate"
        )
    if len(track.pieces) > 1:
        joints = ", ".join(f"{time_s:.2f} s" for time_s in track.joints_s)
        notes.append(f"the times in {path.name} start again or jump; its parts were joined at {joints}")
    if container.format.name.startswith(_ROUGH_DURATION) and found_s < declared_s - MISSING_END_S:
        notes.append(f"{path.name} ends at {found_s:.1f} s but declares {declared_s:.1f} s; its end may be missing")
    return tuple(notes)


def _mean_rate(stream: VideoStream, track: Track) -> float:
    """Frames a second: the file's own statement where it is true to a hundredth, because it is exact."""
    mean = len(track.times_s) / (track.end_s - float(track.times_s[0]))
    stated = float(stream.average_rate or 0)
    return stated if abs(stated / mean - 1) < 0.01 else mean


def _upright_size(path: Path, index: int, stop: threading.Event) -> tuple[int, int]:
    """(width, height) as a player shows it: the rotation stands on the frames."""
    with open_container(path) as container:
        stream = container.streams[index]
        for packet in container.demux(stream):
            if stop.is_set():
                raise Stopped
            for frame in decoded(packet):
                _check_pixels(path, frame.width, frame.height)
                return (frame.height, frame.width) if frame.rotation % 180 else (frame.width, frame.height)
    raise InputError(f"{path.name} holds no frame that can be decoded; export or copy the film again")


def decoded(packet: Packet[VideoStream]) -> list[VideoFrame]:
    """A packet's frames: none where it has no bytes, which repeats the frame before, or cannot be decoded."""
    import av

    if not packet.size and (packet.pts is not None or packet.dts is not None):
        return []
    try:
        return packet.decode()
    except av.error.InvalidDataError:
        return []
