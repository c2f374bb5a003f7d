"""The picture in a film file: which track it is, which of its frames is shown when, and where it ends.

Read from the file's packets, before anything is decoded. The rules, each where it is needed below:
- Which track: no cover image; one that moves before a still; the one marked as default; then the largest, the longest,
  the one with the highest rate.
- When: as the file says. Where it says it not at all, or only in order of decoding (AVI, bare streams), frames are
  numbered as they come out of the decoder, at the track's own rate.
- Times that start again, or jump in a format for broadcast, are another film behind the first: joined as players do it.
- The end: the last shown frame's own duration where it was also decoded last, for only there it is meant for what is
  shown; else the declared end if it lies behind that frame's time; else that time and the median step. In Matroska the
  DURATION tag if it is later.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.format import Flags
    from av.packet import Packet
    from av.video.stream import VideoStream

UNKNOWN = np.iinfo(np.int64).min
"""A time that the file does not give."""
LEAD_S = 0.1
"""Sound may begin so much before the picture: an encoder's run-up. The film's zero is its picture then."""
RESTART_S = 0.1
"""Times of decoding go back by no more than this in one film (ffmpeg takes the same for a new one)."""
JUMP_S = 10.0
"""A step ahead that is longer is a jump, in a format where time stamps may jump (ffmpeg's threshold)."""
REORDERED_PACKETS = 16
"""A packet is decoded no further than this from its place among those shown (H.264 and HEVC allow 16)."""
SLACK_S = 1.0
"""The last time before a damaged one may be a little off itself."""
OUTLIER_PACKETS = 50
"""So many packets may carry damaged times before the old ones go on."""
LONGEST_WAIT_S = 2.0
"""Between a packet's decoding and its showing, against the usual wait; 20 steps if that is longer."""
TAG_TOLERANCE_S = 0.05
FALLBACK_RATE = 25.0
USUAL_RATES = (
    *(float(n) for n in (24, 25, 30, 48, 50, 60, 100, 120)),
    *(n * 1000 / 1001 for n in (24, 30, 48, 60, 120)),
)
"""Frames a second, of cinema and television."""
RATE_TOLERANCE = 0.0004
ROUNDING_S = 0.00101
"""Containers round times to a millisecond; two neighbours differ by one more."""

_ORDER_OF_DECODING = ("avi",)
_DECLARES_TRACKS = ("mov", "avi", "gif", "mxf", "ogg", "yuv4mpegpipe", "ivf", "dv")


@dataclass
class Packets:
    """What one video track's packets say, in order of decoding; times in the track's own unit, `base_s` seconds.

    repeats: packets without bytes, which show the frame before again; unseen: those that only prepare others; keys:
    those that can be decoded by themselves. is_trimmed: some of these lie outside the part that the file wants shown.
    """

    stream: VideoStream
    pts: array[int] = field(default_factory=lambda: array("q"))
    dts: array[int] = field(default_factory=lambda: array("q"))
    durations: array[int] = field(default_factory=lambda: array("q"))
    repeats: set[int] = field(default_factory=set)
    unseen: set[int] = field(default_factory=set)
    keys: array[int] = field(default_factory=lambda: array("q"))
    is_trimmed: bool = False

    @property
    def base_s(self) -> float:
        """Seconds in one unit of time."""
        return float(self.stream.time_base or 1)

    def add(self, packet: Packet[VideoStream]) -> None:
        """Note one packet."""
        number = len(self.pts)
        if not packet.size:
            self.repeats.add(number)
        elif packet.is_discard or _is_hidden(self.stream.codec_context.name, packet):
            self.unseen.add(number)
            self.is_trimmed |= packet.is_discard
        if packet.is_keyframe and packet.size:
            self.keys.append(number)
        self.pts.append(UNKNOWN if packet.pts is None else packet.pts)
        self.dts.append(UNKNOWN if packet.dts is None else packet.dts)
        self.durations.append(packet.duration or 0)

    @property
    def shown(self) -> int:
        """How many frames are shown, repeats not counted."""
        return len(self.pts) - len(self.repeats) - len(self.unseen)


@dataclass(frozen=True)
class Track:
    """The picture. All times are seconds from the film's zero.

    index: of the track in the file. times_s (n,): when each frame is shown, rising; repeats not among them. end_s: when
    the last one goes. step_s: the usual time between two. zero_s: the film's zero in the file's own time. numbered:
    frames have no time of their own but their place in `times_s`. pieces: (first packet, shift in the track's own unit)
    where times begin again; lead: how many frames at the beginning have no time. untimed: packets whose times are
    damaged. joints_s: when each piece but the first begins. is_trimmed: as in `Packets`. keys_s (k,): when frames are
    shown that can be decoded by themselves, rising.
    """

    index: int
    times_s: NDArray[np.float64]
    end_s: float
    step_s: float
    zero_s: float
    numbered: bool
    pieces: tuple[tuple[int, int], ...]
    lead: int = 0
    untimed: frozenset[int] = frozenset()
    joints_s: tuple[float, ...] = ()
    is_trimmed: bool = False
    keys_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @property
    def rate(self) -> float:
        """Frames a second while frames follow each other as usual; the usual rate where one is near enough."""
        steps_s = np.diff(self.times_s)
        usual_s = steps_s[np.abs(steps_s - self.step_s) <= ROUNDING_S]  # containers round to a millisecond
        if not len(usual_s):
            return 1 / self.step_s
        rate = float(1 / usual_s.mean())
        room = RATE_TOLERANCE + ROUNDING_S * rate / len(usual_s)
        near = [each for each in USUAL_RATES if abs(each / rate - 1) <= room]
        return min(near, key=lambda each: abs(each - rate), default=rate)


def candidates(container: InputContainer) -> list[VideoStream]:
    """The video tracks that can be the picture: cover images, posters and thumbnails are none."""
    from av.stream import Disposition

    no_film = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image | Disposition.dependent
    return [stream for stream in container.streams.video if not stream.disposition & no_film]


def choose(tracks: Sequence[Packets]) -> Packets:
    """The picture among one or more tracks, by the rule that stands above."""
    from av.stream import Disposition

    def rank(packets: Packets) -> tuple[bool, bool, int, float, float]:
        stream, base_s = packets.stream, packets.base_s
        times = np.asarray(packets.pts)
        known = times[times != UNKNOWN]
        length_s = round(float(known.max() - known.min()) * base_s, 1) if len(known) else 0.0
        is_default = bool(stream.disposition & Disposition.default)
        return packets.shown > 1, is_default, stream.width * stream.height, length_s, packets.shown / (length_s or 1.0)

    return max(tracks, key=rank)  # the first one where two are alike


def schedule(packets: Packets, container: InputContainer) -> Track:
    """When each frame of the picture is shown."""
    if _is_numbered(packets, container):
        return _numbered(packets, container)
    return _timed(packets, container)


def _is_numbered(packets: Packets, container: InputContainer) -> bool:
    from av.format import Flags

    name = container.format.name
    bare = _has(container, Flags.no_timestamps)
    in_order = name in _ORDER_OF_DECODING and packets.stream.codec_context.codec.reorder
    return bare or in_order or all(time == UNKNOWN for time in packets.pts)


def _has(container: InputContainer, flag: Flags) -> bool:
    return bool(container.format.flags & int(flag.value))  # type: ignore[call-overload]  # its value is a number


def _numbered(packets: Packets, container: InputContainer) -> Track:
    """Frames in order of output: at the times of decoding in their order, else at the track's own rate."""
    stream = packets.stream
    kept = [n for n in range(len(packets.dts)) if n not in packets.unseen]
    times = np.asarray([packets.dts[n] for n in kept], np.int64)
    repeated = np.asarray([n in packets.repeats for n in kept], bool)
    if container.format.name in _ORDER_OF_DECODING and len(times) and np.all(np.diff(times) > 0) and times[0] > UNKNOWN:
        at_s = (times - times[0]) * packets.base_s
        step_s = packets.base_s
    else:
        step_s = 1 / rate_of(stream)
        at_s = np.arange(len(kept)) * step_s
    end_s = float(at_s[-1]) + step_s if len(at_s) else 0.0
    is_key = np.isin(kept, np.asarray(packets.keys, np.int64))
    return Track(stream.index, at_s[~repeated], end_s, step_s, 0.0, True, ((0, 0),), keys_s=at_s[is_key & ~repeated])


def rate_of(stream: VideoStream) -> float:
    """Frames a second of a track whose frames carry no times: what its own headers say, else libav's guess."""
    rate = stream.codec_context.framerate or stream.guessed_rate or stream.average_rate
    return float(rate) if rate else FALLBACK_RATE


def _timed(packets: Packets, container: InputContainer) -> Track:
    """Frames at the times that their packets give."""
    from av.format import Flags

    base_s = packets.base_s
    raw = np.asarray(packets.pts, np.int64)
    order = np.asarray(packets.dts, np.int64)
    may_jump = _has(container, Flags.ts_discont)
    starts, untimed = _pieces(order if np.any(order != UNKNOWN) else raw, base_s, may_jump)
    untimed |= _astray(raw, order, base_s)
    seen = raw != UNKNOWN
    seen[list(packets.unseen | untimed)] = False
    shifts, ends, steps = _shifts(raw, seen, starts)
    step, lead = float(np.median(steps)), _lead(raw)
    times = raw + np.repeat(shifts, np.diff([*starts, len(raw)]))
    before_s = np.arange(-lead, 0) * _exact(steps) * base_s
    first_s = int(times[seen].min()) * base_s
    zero_s = _zero_s(container, first_s + before_s[0] if lead else first_s)
    shown = seen.copy()
    shown[list(packets.repeats)] = False
    at_s = np.concatenate([first_s + before_s, np.unique(times[shown]) * base_s]) - zero_s
    end_s = _end_s(packets, container, times, seen, step, len(starts)) - zero_s
    pieces = tuple(zip(starts, shifts.tolist(), strict=True))
    index = packets.stream.index
    joints_s = tuple(end * base_s - zero_s for end in ends)
    step_s = _exact(steps) * base_s
    is_key = np.zeros(len(raw), bool)
    is_key[np.asarray(packets.keys, np.int64)] = True
    keys_s = np.unique(times[is_key & shown]) * base_s - zero_s
    return Track(
        index,
        at_s,
        end_s,
        step_s,
        zero_s,
        False,
        pieces,
        lead,
        frozenset(untimed),
        joints_s,
        packets.is_trimmed,
        keys_s,
    )


def _pieces(order: NDArray[np.int64], base_s: float, may_jump: bool) -> tuple[list[int], set[int]]:
    """(packets at which times begin again, packets whose times are damaged), from times in order of decoding."""
    known = np.flatnonzero(order != UNKNOWN)
    steps_s = np.diff(order[known]) * base_s
    step_s = float(np.median(steps_s[steps_s > 0])) if np.any(steps_s > 0) else base_s
    far_s = max(JUMP_S, 20 * step_s) if may_jump else np.inf
    starts, untimed, at = [0], set[int](), 0
    for place in np.flatnonzero((steps_s < -RESTART_S) | (steps_s > max(1.0, 10 * step_s))) + 1:
        if place <= at:
            continue
        at = _end_of_outliers(order[known], int(place), base_s, step_s)
        if at > place:
            untimed |= set(known[place:at].tolist())
        elif not -RESTART_S <= steps_s[place - 1] <= far_s:
            starts.append(int(known[place]))
    return starts, untimed


def _astray(raw: NDArray[np.int64], order: NDArray[np.int64], base_s: float) -> set[int]:
    """Packets shown far from when they are decoded: their times are damaged."""
    known = np.flatnonzero((raw != UNKNOWN) & (order != UNKNOWN))
    if len(known) < 3:
        return set()
    waits_s = (raw[known] - order[known]) * base_s
    step_s = float(np.median(np.abs(np.diff(order[known])))) * base_s
    return set(known[np.abs(waits_s - np.median(waits_s)) > max(LONGEST_WAIT_S, 20 * step_s)].tolist())


def _end_of_outliers(times: NDArray[np.int64], place: int, base_s: float, step_s: float) -> int:
    """The packet at which the times before `place` go on, if they soon jump back there; else `place` itself."""
    ahead = times[place - 1 : place + OUTLIER_PACKETS]
    jumps_s = np.diff(ahead) * base_s
    passed_s = (ahead[1:] - ahead[0]) * base_s
    room_s = np.arange(1, len(ahead)) * step_s * 3 + RESTART_S
    back = np.sign(jumps_s) == -np.sign(jumps_s[0])
    fits = back & (np.abs(jumps_s) > RESTART_S) & (passed_s > -SLACK_S) & (passed_s <= room_s)
    return place + int(np.argmax(fits)) if np.any(fits) else place


def _shifts(
    raw: NDArray[np.int64], seen: NDArray[np.bool_], starts: list[int]
) -> tuple[NDArray[np.int64], list[int], NDArray[np.int64]]:
    """(what to add to each piece's times so that it follows the one before, where all but the first then begin, the
    steps from frame to frame), in the track's own unit."""
    bounds = [*starts, len(raw)]
    parts = [np.unique(raw[a:b][seen[a:b]]) for a, b in pairwise(bounds)]
    steps = np.concatenate([np.diff(part) for part in parts])
    steps = steps if len(steps) else np.ones(1, np.int64)
    step = float(np.median(steps))
    shifts, begins, end = np.zeros(len(starts), np.int64), [], 0
    for number, part in enumerate(parts):
        if number and len(part):
            shifts[number] = end - part[0]
            begins.append(end)
        elif number:
            shifts[number] = shifts[number - 1]
        if len(part):
            end = int(part[-1] + shifts[number] + round(step))
    return shifts, begins, steps


def _exact(steps: NDArray[np.int64]) -> float:
    """The usual step, with what containers round off."""
    return float(np.mean(steps[np.abs(steps - np.median(steps)) <= 1]))


def _lead(raw: NDArray[np.int64]) -> int:
    """How many packets at the beginning have no time: in some files those that lie before its zero."""
    if raw[0] != UNKNOWN:
        return 0
    first = int(np.argmax(raw != UNKNOWN))
    return int(np.count_nonzero(raw[: first + REORDERED_PACKETS] == UNKNOWN))


def _zero_s(container: InputContainer, first_s: float) -> float:
    """The moment that a player calls zero, in the file's own time: where sound or picture begins."""
    start_s = first_s if container.start_time is None else container.start_time / 1_000_000
    return start_s if start_s < first_s - LEAD_S else first_s


def _end_s(
    packets: Packets,
    container: InputContainer,
    times: NDArray[np.int64],
    seen: NDArray[np.bool_],
    step: float,
    pieces: int,
) -> float:
    """When the last frame goes, in the file's own time (with what was added to join its pieces)."""
    numbers = np.flatnonzero(seen)
    last = int(numbers[np.argmax(times[numbers])])
    last_s, step_s = float(times[last] * packets.base_s), step * packets.base_s
    own_s = packets.durations[last] * packets.base_s
    declared_s = declared_end_s(packets.stream, container) if pieces == 1 else None
    if last == numbers[-1] and own_s > 0:
        end_s = last_s + own_s
    elif declared_s is not None and last_s < declared_s:
        end_s = declared_s
    else:
        end_s = last_s + step_s
    tag_s = _tag_s(packets.stream, container) if pieces == 1 else None
    return end_s if tag_s is None else max(end_s, tag_s)


def declared_end_s(stream: VideoStream, container: InputContainer) -> float | None:
    """End of the track as the file declares it, in the file's own time; None where it speaks of the whole file only."""
    if not container.format.name.startswith(_DECLARES_TRACKS) or not stream.duration or not stream.time_base:
        return None
    return float(((stream.start_time or 0) + stream.duration) * stream.time_base)


def _tag_s(stream: VideoStream, container: InputContainer) -> float | None:
    """The end that Matroska's DURATION tag states, "01:02:03.500000000"; not one that another file left there."""
    if not container.format.name.startswith("matroska"):
        return None
    try:
        hours, minutes, seconds = stream.metadata.get("DURATION", "").split(":")
        tag_s = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None
    whole_s = ((container.start_time or 0) + container.duration) / 1_000_000 if container.duration else np.inf
    return tag_s if tag_s <= whole_s + TAG_TOLERANCE_S else None


def _is_hidden(codec: str, packet: Packet[VideoStream]) -> bool:
    """Whether a packet of VP8 holds a frame that is never shown, only referred to (RFC 6386, 9.1)."""
    return "vp8" in codec and not bytes(memoryview(packet)[:1])[0] & 0x10
