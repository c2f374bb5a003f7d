"""From clips to a VisualRhythm: the whole analysis in one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.video import cache
from hitpoint.model.video.detectors import shots, visual_beats
from hitpoint.model.video.detectors.motion import ANGLE_BINS
from hitpoint.model.video.edit import SMALLEST_GAP_S, closed, placed
from hitpoint.model.video.features import Features, measure
from hitpoint.model.video.frames import LONG_SIDE
from hitpoint.model.video.media import probe
from hitpoint.model.video.types import Boundary, Clip, Media, VisualBeat, VisualRhythm

__all__ = ["analyse", "probe"]

VERSION = f"5 {LONG_SIDE} {ANGLE_BINS} {shots.HISTOGRAM_BINS} {shots.MIN_SHOT_S}"
"""Raise it whenever `features.measure` gives other numbers, so that old cache entries are not used."""
END_TOLERANCE_S = 0.1
"""An out point may lie this far behind the film's end: editors round to frames of the timeline."""
LARGEST_GAP_S = 600.0
"""What lies so far apart is two edits."""
BLACK_STEP_S = 0.04


@dataclass(frozen=True)
class _Timeline:
    """All clips joined: `Features` in seconds of the edit, motion already per second of it."""

    features: Features
    joints: NDArray[np.int64]
    duration_s: float


def analyse(
    clips: Sequence[Clip],
    cuts: Sequence[Boundary] | None = None,
    progress: Callable[[float], None] | None = None,
) -> VisualRhythm:
    """The rhythm of one clip, or of an edit: the clips in order, each at its `start_s` or where the one before it ends,
    whichever is later; what no clip shows between them is black.

    Times run from the first clip's in point; a clip's `rate` shortens its times and speeds its motion. Where one clip
    meets the next, or black, stands a cut of weight 1. cuts: boundaries in seconds of the edit, taken instead of
    detected ones (those outside the edit are left out). progress: called with 0..1.

    Raises InputError for a film that cannot be used, UsageError for points or rates that make no sense and for a gap
    over LARGEST_GAP_S.
    """
    if not clips:
        raise UsageError("There is no clip to analyse; give at least one video file.")
    media_of: dict[Path, Media] = {}
    for clip in clips:
        if clip.path not in media_of:
            media_of[clip.path] = probe(clip.path)
        _check_points(clip, media_of[clip.path])
    whole_clips = [closed(clip, media_of[clip.path].duration_s) for clip in clips]
    _check_gaps(whole_clips)
    lengths = [clip.out_s - clip.in_s for clip in whole_clips if clip.out_s is not None]
    whole, done = sum(lengths), 0.0
    measured = []
    for clip, length in zip(clips, lengths, strict=True):
        report = _part_of(progress, done / whole, length / whole)
        measured.append(_measured(clip, media_of[clip.path], length, report))
        done += length
        report(1.0)
    return _rhythm(_join(clips, measured), tuple(media_of.values()), cuts)


def _part_of(progress: Callable[[float], None] | None, start: float, share: float) -> Callable[[float], None]:
    """A callback for one clip's 0..1 that reports its place in the whole."""

    def report(done: float) -> None:
        if progress is not None:
            progress(start + share * done)

    return report


def _check_points(clip: Clip, media: Media) -> None:
    name = clip.path.name
    if not clip.rate > 0:
        raise UsageError(f"{name}: the rate {clip.rate:g} is not above 0; use 1 for normal speed.")
    if not clip.in_s >= 0:
        raise UsageError(f"{name}: the in point {clip.in_s:g} s lies before the film; use 0 or more.")
    if clip.out_s is not None and not clip.out_s > clip.in_s:
        raise UsageError(
            f"{name}: the out point {clip.out_s:g} s is not after the in point {clip.in_s:g} s; swap them."
        )
    if clip.in_s >= media.duration_s:
        raise InputError(
            f"{name}: the in point {clip.in_s:g} s lies beyond the film's end at {media.duration_s:.2f} s; "
            "choose an earlier one."
        )
    if clip.out_s is not None and clip.out_s > media.duration_s + END_TOLERANCE_S:
        raise InputError(
            f"{name}: the out point {clip.out_s:g} s lies beyond the film's end at {media.duration_s:.2f} s; "
            "choose an earlier one."
        )


def _check_gaps(clips: Sequence[Clip]) -> None:
    end_s = 0.0
    for clip, start_s, length_s in placed(clips):
        if start_s - end_s > LARGEST_GAP_S:
            raise UsageError(
                f"There is no picture for {start_s - end_s:.0f} s before {clip.path.name}; close the gap, or score the "
                "parts one by one."
            )
        end_s = start_s + length_s


def _measured(clip: Clip, media: Media, length_s: float, progress: Callable[[float], None]) -> Features:
    name = cache.key(media.sha256, clip.in_s, clip.out_s, VERSION)
    features = cache.load(name)
    if features is None:
        features = measure(clip, length_s, progress)
        cache.store(name, features)
    return features


def _join(clips: Sequence[Clip], measured: Sequence[Features]) -> _Timeline:
    """Lay the clips on the timeline, and black between them. A clip without an out point ends with its last frame."""
    times: list[NDArray[np.float64]] = []
    parts: list[Features] = []
    end_s = 0.0
    shown = placed([closed(clip, part.end_s) for clip, part in zip(clips, measured, strict=True)])
    for (clip, start_s, length_s), part in zip(shown, measured, strict=True):
        if start_s - end_s >= SMALLEST_GAP_S:
            parts.append(_black(start_s - end_s, part))
            times.append(end_s + parts[-1].times_s)
        parts.append(part)
        times.append(start_s + np.maximum(part.times_s - clip.in_s, 0.0) / clip.rate)
        end_s = start_s + length_s
    steps_s = [np.maximum(np.diff(at_s, prepend=at_s[0]), 1e-6).astype(np.float32) for at_s in times]
    joints = np.cumsum([0, *(len(at_s) for at_s in times[:-1])])
    cuts = [part.cuts + joint for part, joint in zip(parts, joints, strict=True)]
    joined = Features(
        times_s=np.concatenate(times),
        end_s=end_s,
        directogram=np.concatenate([part.directogram / s[:, None] for part, s in zip(parts, steps_s, strict=True)]),
        luma_mean=np.concatenate([part.luma_mean for part in parts]),
        luma_spread=np.concatenate([part.luma_spread for part in parts]),
        histograms=np.concatenate([part.histograms for part in parts]),
        cuts=np.union1d(joints, np.concatenate(cuts)).astype(np.int64),
    )
    return _Timeline(joined, joints[1:].astype(np.int64), end_s)


def _black(length_s: float, like: Features) -> Features:
    """So many seconds of black, from second 0 on; shaped as `like`."""
    frames = math.ceil(length_s / BLACK_STEP_S)
    histograms = np.zeros((frames, like.histograms.shape[1]), np.float16)
    histograms[:, 0] = 1.0  # no hue, no saturation, no value
    return Features(
        times_s=np.arange(frames, dtype=np.float64) * BLACK_STEP_S,
        end_s=length_s,
        directogram=np.zeros((frames, like.directogram.shape[1]), np.float32),
        luma_mean=np.zeros(frames, np.float32),
        luma_spread=np.zeros(frames, np.float32),
        histograms=histograms,
        cuts=np.zeros(0, np.int64),
    )


def _rhythm(timeline: _Timeline, media: tuple[Media, ...], given: Sequence[Boundary] | None) -> VisualRhythm:
    features = timeline.features
    times_s, n = features.times_s, len(features.times_s)
    fades = shots.find_fades(times_s, features.luma_mean, features.luma_spread)
    breaks = features.cuts  # frame 0, joints and detected cuts: no flow is true across them
    valid = np.ones(n, bool)
    valid[breaks] = False
    shot = np.searchsorted(breaks, np.arange(n), side="right").astype(np.int32)
    saliency = visual_beats.impact_envelope(features.directogram, times_s, shot, valid)
    for first, _, last in fades:
        saliency[first : last + 1] = 0  # a change of light is no impact
    heights = visual_beats.prominence(times_s, saliency)
    beats = visual_beats.pick_beats(times_s, heights)
    ranks = visual_beats.rank(heights[beats])
    boundaries = _detected(timeline, fades) if given is None else _given(given, timeline.duration_s)
    starts = [0, *(int(np.clip(np.searchsorted(times_s, b.time_s - 1e-6), 1, n - 1)) for b in boundaries)]
    return VisualRhythm(
        duration_s=timeline.duration_s,
        media=media,
        times_s=times_s,
        motion=_motion(features.directogram.sum(axis=1), breaks),
        saliency=saliency,
        beats=tuple(VisualBeat(float(times_s[i]), float(s)) for i, s in zip(beats, ranks, strict=True)),
        boundaries=boundaries,
        shots=shots.label_shots(shots.mean_histograms(features.histograms, starts)),
    )


def _motion(speed: NDArray[np.float32], breaks: NDArray[np.int64]) -> NDArray[np.float32]:
    """Speed per frame; a frame that begins a shot takes the value of the next one, the film's first is 0."""
    motion = speed.astype(np.float32)
    for frame in breaks[::-1]:
        motion[frame] = motion[frame + 1] if frame + 1 < len(motion) else 0.0
    motion[0] = 0.0
    return motion


def _given(given: Sequence[Boundary], duration_s: float) -> tuple[Boundary, ...]:
    inside = {b.time_s: b for b in given if 0 < b.time_s < duration_s}
    return tuple(inside[time_s] for time_s in sorted(inside))


def _detected(timeline: _Timeline, fades: list[tuple[int, int, int]]) -> tuple[Boundary, ...]:
    """Cuts and fades in order of time; a cut inside a fade is the fade itself."""
    features = timeline.features
    joints = set(timeline.joints.tolist())
    found: list[tuple[int, str, float]] = [(darkest, "fade", 0.9) for _, darkest, _ in fades]
    cuts = [int(c) for c in features.cuts if c > 0]
    cuts = [c for c in cuts if c in joints or not any(first <= c <= last for first, _, last in fades)]
    looks = shots.mean_histograms(features.histograms, [0, *cuts])
    for before, after, cut in zip(looks[:-1], looks[1:], cuts, strict=True):
        found.append((cut, "cut", 1.0 if cut in joints else 0.4 + 0.6 * (1 - shots.overlap(before, after))))
    return tuple(Boundary(float(features.times_s[frame]), kind, weight) for frame, kind, weight in sorted(found))
