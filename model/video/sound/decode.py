"""The film's own sound as samples, each at its moment of the film: late sound begins late, holes are silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError
from hitpoint.model.video.film import open_film
from hitpoint.model.video.media import check_file, open_container, reading

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer

Block = NDArray[np.float32]

QUIET = 10 ** (-60 / 20)
"""A track that never exceeds this (full scale = 1) is silent."""
JITTER_S = 0.02
"""Time stamps that are off by less are rounding: the samples simply go on."""
LONGEST_HOLE_S = 0.5
"""Silence is handed out in blocks of this length at most."""
_EARLY_S = 1.0
"""So long before the in point reading begins: codecs need a run-up."""
_ASIDE = ("comment", "hearing_impaired", "visual_impaired", "clean_effects", "karaoke", "lyrics")


class Times(Protocol):
    """Where a file's zero lies in its own time, and its end from there, seconds."""

    @property
    def zero_s(self) -> float:
        """The zero in the file's own time."""

    @property
    def end_s(self) -> float:
        """The end, from the zero."""


class Source(Protocol):
    """A file that is heard: a film, or a `Recording`."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def track(self) -> Times:
        """Its time."""

    @property
    def has_index(self) -> bool:
        """Whether it can be entered at any moment."""


@dataclass(frozen=True)
class Length:
    """The time of a file of sound alone."""

    end_s: float
    zero_s: float = 0.0


@dataclass(frozen=True)
class Recording:
    """A file of sound alone."""

    path: Path
    track: Length
    has_index: bool = False


def open_sound(path: Path) -> Source:
    """A file to be heard. Where it shows a picture, that sets its time. Raises InputError where it holds no sound."""
    check_file(path)
    with reading(path), open_container(path) as container:
        if not container.streams.audio:
            raise InputError(f"{path.name} holds no sound")
        recording = Recording(path, Length((container.duration or 0) / 1e6))
        if not container.streams.video:
            return recording
    try:
        return open_film(path)
    except InputError:  # the picture is a cover
        return recording


@dataclass(frozen=True)
class SoundTrack:
    """One track of sound. index: of the stream in the file. name: what is told of it, its language and title."""

    index: int
    channels: int
    rate_hz: int
    name: str = ""


def tracks(film: Source) -> tuple[SoundTrack, ...]:
    """The film's tracks of sound, the one that a player takes first: the default, then the others in order, comments
    and descriptions last. Raises InputError as `hitpoint.model.video.media.reading`."""
    with reading(film.path), open_container(film.path) as container:
        found = [stream for stream in container.streams.audio if stream.codec_context is not None]
        ordered = sorted(found, key=lambda stream: (_is_aside(stream), not _is_default(stream), stream.index))
        return tuple(_track(stream) for stream in ordered)


def heard_track(film: Source, in_s: float = 0.0, out_s: float | None = None) -> SoundTrack | None:
    """The first of the tracks that is not silent between these seconds of the film; None where none is."""
    for track in tracks(film):
        if any(float(np.abs(block).max(initial=0.0)) > QUIET for block in samples(film, track, in_s, out_s, 8000, 1)):
            return track
    return None


def samples(
    film: Source, track: SoundTrack, in_s: float = 0.0, out_s: float | None = None, rate_hz: int = 16_000,
    channels: int = 1,
) -> Iterator[Block]:  # fmt: skip
    """Blocks (frames, channels), full scale = 1, that join to the sound from in_s to out_s, seconds of the film (None:
    the end of its picture), to the frame; channels 1 or 2.

    What is damaged is left out, as silence. Raises InputError as `hitpoint.model.video.media.reading`.
    """
    end_s = film.track.end_s if out_s is None else out_s
    wanted = round((end_s - in_s) * rate_hz)
    done = 0
    for first, block in _placed(film, track, in_s, rate_hz, channels):
        if first > done:
            for hole in _silence(min(first, wanted) - done, rate_hz, channels):
                yield hole
                done += len(hole)
        block = block[max(0, done - first) : max(0, wanted - first)]
        if len(block):
            yield block
            done += len(block)
        if done >= wanted:
            return
    yield from _silence(wanted - done, rate_hz, channels)


def _placed(film: Source, track: SoundTrack, in_s: float, rate_hz: int, channels: int) -> Iterator[tuple[int, Block]]:
    """(place of its first frame, counted from in_s, block) in the order of the file."""
    expected: int | None = None
    with reading(film.path), open_container(film.path) as container:
        stream = next(each for each in container.streams.audio if each.index == track.index)
        if in_s > _EARLY_S and film.has_index and stream.time_base:
            container.seek(int((in_s - _EARLY_S + film.track.zero_s) / stream.time_base), stream=stream, backward=True)
        resampler = _Resampler(rate_hz, channels)
        for frame in _frames(container, stream):
            at_s = None if frame.time is None else frame.time - film.track.zero_s - in_s
            block, delay = resampler.convert(frame)
            first = expected if at_s is None else round(at_s * rate_hz) - delay
            if expected is not None and (first is None or abs(first - expected) <= JITTER_S * rate_hz):
                first = expected
            if first is None or not len(block):
                continue
            yield first, block
            expected = first + len(block)
        rest = resampler.rest()
        if expected is not None and len(rest):
            yield expected, rest


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Every frame that can be decoded."""
    import av

    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue


class _Resampler:
    """libswresample, started again where the sound's format changes in the middle."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz, self._channels = rate_hz, channels
        self._form: tuple[object, ...] = ()
        self._taken = self._given = 0.0
        self._made = channels
        self._resampler: AudioResampler | None = None

    def _begin(self, frame: AudioFrame) -> None:
        import av

        self._taken = self._given = 0.0
        self._made = min(self._channels, frame.layout.nb_channels)  # libswresample halves a mono's power on each side
        layout = "stereo" if self._made == 2 else "mono"
        self._resampler = av.AudioResampler(format="flt", layout=layout, rate=self._rate_hz)

    def convert(self, frame: AudioFrame) -> tuple[Block, int]:
        """The samples that this frame brings out, and how many of the frames before it are among them."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        kept = np.zeros((0, self._channels), np.float32)
        if form != self._form:
            kept = self.rest()
            self._begin(frame)
            self._form = form
        delay = round(self._taken - self._given) + len(kept)
        self._taken += frame.samples * self._rate_hz / frame.sample_rate
        frame.pts = None
        block = self._out(frame)
        self._given += len(block)
        return np.concatenate([kept, block]), max(0, delay)

    def rest(self) -> Block:
        """What is still inside."""
        return self._out(None)

    def _out(self, frame: AudioFrame | None) -> Block:
        made = [] if self._resampler is None else self._resampler.resample(frame)
        blocks = [each.to_ndarray().reshape(-1, self._made) for each in made]
        if not blocks:
            return np.zeros((0, self._channels), np.float32)
        return np.broadcast_to(np.concatenate(blocks), (sum(map(len, blocks)), self._channels))


def _silence(frames: int, rate_hz: int, channels: int) -> Iterator[Block]:
    most = round(LONGEST_HOLE_S * rate_hz)
    for first in range(0, max(0, frames), most):
        yield np.zeros((min(most, frames - first), channels), np.float32)


def _is_default(stream: AudioStream) -> bool:
    return _has(stream, "default")


def _is_aside(stream: AudioStream) -> bool:
    return any(_has(stream, name) for name in _ASIDE)


def _has(stream: AudioStream, name: str) -> bool:
    """Whether the file says so of the track."""
    flag = getattr(type(stream.disposition), name, None)
    return flag is not None and bool(stream.disposition & flag)


def _track(stream: AudioStream) -> SoundTrack:
    told = [stream.metadata.get(key, "") for key in ("language", "title")]
    name = " ".join(each for each in told if each and each != "und")
    return SoundTrack(stream.index, stream.channels, stream.rate or 0, name)


def sound_is_there(path: Path) -> bool:
    """Whether the file holds any track of sound at all; cheap. Raises InputError as `reading`."""
    with reading(path), open_container(path) as container:
        return bool(container.streams.audio)
