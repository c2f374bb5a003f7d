"""What a damaged film lost: which of its frames never came out of the decoder, or came out broken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.track import Track

BAD_PACKETS = 25
BAD_SHARE = 0.25
"""More packets than both, this many and this part of all, that cannot be decoded are not a scratch any longer."""
UNPROVEN_FRAMES = 3
"""Where nothing else speaks of damage, so many missing in a row do: one packet may hold half a frame, or none."""
JOINED_S = 0.5
"""Losses that lie closer are told as one."""
LOST_COLUMNS = 5


class Damage:
    """Collects what goes wrong while a film is decoded."""

    def __init__(self) -> None:
        self.bad_packets = 0
        self.broken_s: list[float] = []

    def packet(self, time_s: float) -> None:
        """One could not be decoded, or carried a damaged time."""
        self.bad_packets += 1
        self.broken_s.append(time_s)

    def is_too_much(self, track: Track) -> bool:
        """Whether what is left says little of the film."""
        return self.bad_packets >= max(BAD_PACKETS, BAD_SHARE * len(track.times_s))

    def frame(self, time_s: float) -> None:
        """One came out broken."""
        self.broken_s.append(time_s)


def lost_spans(
    track: Track, times_s: NDArray[np.float64], in_s: float, out_s: float, damage: Damage
) -> NDArray[np.float64]:
    """Stretches of film that were lost (k, LOST_COLUMNS): begin, end, frames, and, as a cut in it shows only where the
    picture is whole again, that moment and the one at which the cut most likely lies: at the middle one of the key
    frames in it, as encoders begin a shot with one; NaN where there is none. times_s (n,): of the frames that came out.

    Times are seconds of the film; only what lies between in_s and out_s counts.
    """
    due_s = track.times_s[(track.times_s >= in_s) & (track.times_s < out_s)]
    if not len(due_s):
        return np.zeros((0, LOST_COLUMNS))
    lost = _missing(due_s, times_s, track.step_s)
    if not damage.broken_s:
        lost = _long_runs(lost, UNPROVEN_FRAMES)
    broken_s = np.asarray(damage.broken_s)
    broken_s = broken_s[(broken_s >= in_s) & (broken_s < out_s)]
    told = lost | ~_missing(due_s, broken_s, track.step_s)
    elsewhere_s = broken_s[_missing(broken_s, due_s, track.step_s)]
    spans = _spans(np.sort(np.concatenate([due_s[told], np.unique(elsewhere_s)])), track.step_s)
    hidden = [_hidden(track, begin_s, end_s) for begin_s, end_s, _ in spans]
    return np.hstack([spans, np.asarray(hidden, np.float64).reshape(-1, 2)])


def _hidden(track: Track, begin_s: float, end_s: float) -> tuple[float, float]:
    """(when a stretch's picture is whole again, where a cut in it most likely lies).

    A key frame whose mark was lost too is missed from where the next one lies: encoders count anew from a cut.
    """
    keys_s, slack_s = track.keys_s, track.step_s / 4
    first, last = np.searchsorted(keys_s, (begin_s - slack_s, end_s - slack_s))
    if last == len(keys_s):
        return track.end_s, np.nan
    whole_s = float(keys_s[last])
    if last > first:
        return whole_s, float(keys_s[(first + last - 1) // 2])
    missed_s = whole_s - float(np.median(np.diff(keys_s))) if len(keys_s) > 2 else np.nan
    return whole_s, missed_s if begin_s - slack_s <= missed_s < end_s else np.nan


def sentences(name: str, spans: NDArray[np.float64]) -> list[str]:
    """What was lost of a film, for the user."""
    told = []
    for begin_s, end_s, frames in spans[:, :3]:
        what = "a frame was" if frames == 1 else f"at least {frames:.0f} frames were"
        told.append(
            f"{name} is damaged between {begin_s:.2f} s and {end_s:.2f} s: {what} lost or broken, so cuts and beats "
            "there are uncertain; export or copy it again"
        )
    return told


def _missing(due_s: NDArray[np.float64], times_s: NDArray[np.float64], step_s: float) -> NDArray[np.bool_]:
    """Which of the moments due (n,) have nothing within a quarter of a step."""
    if not len(times_s):
        return np.ones(len(due_s), bool)
    ordered = np.sort(times_s)
    right = np.clip(np.searchsorted(ordered, due_s), 0, len(ordered) - 1)
    left = np.maximum(right - 1, 0)
    nearest = np.minimum(np.abs(ordered[right] - due_s), np.abs(ordered[left] - due_s))
    return np.asarray(nearest > step_s / 4)


def _long_runs(lost: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Only those that are `least` or more in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]]).astype(np.int8)))
    kept = np.zeros(len(lost), bool)
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        kept[begin:end] = end - begin >= least
    return kept


def _spans(lost_s: NDArray[np.float64], step_s: float) -> NDArray[np.float64]:
    """Moments, rising, as stretches (k, 3)."""
    spans: list[list[float]] = []
    for time_s in lost_s:
        if spans and time_s - spans[-1][1] <= JOINED_S:
            spans[-1][1:] = [time_s + step_s, spans[-1][2] + 1]
        else:
            spans.append([time_s, time_s + step_s, 1])
    return np.asarray(spans, np.float64).reshape(-1, 3)
