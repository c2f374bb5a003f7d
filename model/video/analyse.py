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
from hitpoint.model.video.detectors.base import Part
from hitpoint.model.video.detectors.registry import registered
from hitpoint.model.video.edit import SMALLEST_GAP_S, closed, placed
from hitpoint.model.video.features import Features, measure, version
from hitpoint.model.video.media import probe
from hitpoint.model.video.types import Boundary, Clip, Media, VisualBeat, VisualRhythm

__all__ = ["analyse", "probe"]

END_TOLERANCE_S = 0.1
"""An out point may lie this far behind the film's end: editors round to frames of the timeline."""
LARGEST_GAP_S = 600.0
"""What lies so far apart is two edits."""
BLACK_STEP_S = 0.04


@dataclass(frozen=True)
class _Timeline:
    """All clips joined: `Features` in seconds of the edit. joints: frames at which a clip, or black, begins."""

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
    name = cache.key(media.sha256, clip.in_s, clip.out_s, version())
    features = cache.load(name)
    if features is None:
        features = measure(clip, length_s, progress)
        cache.store(name, features)
    return features


def _join(clips: Sequence[Clip], measured: Sequence[Features]) -> _Timeline:
    """Lay the clips on the timeline, and black between them. A clip without an out point ends with its last frame."""
    laid: list[tuple[NDArray[np.float64], Features]] = []
    end_s = 0.0
    shown = placed([closed(clip, part.end_s) for clip, part in zip(clips, measured, strict=True)])
    for (clip, start_s, length_s), part in zip(shown, measured, strict=True):
        if start_s - end_s >= SMALLEST_GAP_S:
            black = _black(start_s - end_s)
            laid.append((end_s + black.times_s, black))
        laid.append((start_s + np.maximum(part.times_s - clip.in_s, 0.0) / clip.rate, part))
        end_s = start_s + length_s
    firsts = np.cumsum([0, *(len(at_s) for at_s, _ in laid[:-1])])
    arrays = {
        each.name: each.join(
            [
                Part(part.arrays[each.name], at_s, first)
                for (at_s, part), first in zip(laid, firsts.tolist(), strict=True)
            ]
        )
        for each in registered()
    }
    joined = Features(np.concatenate([at_s for at_s, _ in laid]), end_s, arrays)
    return _Timeline(joined, firsts[1:].astype(np.int64), end_s)


def _black(length_s: float) -> Features:
    """So many seconds of black, from second 0 on."""
    count = math.ceil(length_s / BLACK_STEP_S)
    arrays = {each.name: each.black(count) for each in registered()}
    return Features(np.arange(count, dtype=np.float64) * BLACK_STEP_S, length_s, arrays)


def _rhythm(timeline: _Timeline, media: tuple[Media, ...], given: Sequence[Boundary] | None) -> VisualRhythm:
    times_s, n = timeline.features.times_s, len(timeline.features.times_s)
    looks, directogram = timeline.features.arrays["shots"], timeline.features.arrays["motion"]["directogram"]
    fades = shots.find_fades(times_s, looks["luma_mean"], looks["luma_spread"])
    breaks = looks["cuts"]  # frame 0, joints and detected cuts: no flow is true across them
    valid = np.ones(n, bool)
    valid[breaks] = False
    shot = np.searchsorted(breaks, np.arange(n), side="right").astype(np.int32)
    saliency = visual_beats.impact_envelope(directogram, times_s, shot, valid)
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
        motion=_motion(directogram.sum(axis=1), breaks),
        saliency=saliency,
        beats=tuple(VisualBeat(float(times_s[i]), float(s)) for i, s in zip(beats, ranks, strict=True)),
        boundaries=boundaries,
        shots=shots.label_shots(shots.mean_histograms(looks["histograms"], starts)),
        measured={each.name: timeline.features.arrays[each.name] for each in registered() if each.is_handed_on},
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
    arrays, times_s = timeline.features.arrays["shots"], timeline.features.times_s
    joints = set(timeline.joints.tolist())
    found: list[tuple[int, str, float]] = [(darkest, "fade", 0.9) for _, darkest, _ in fades]
    cuts = [int(c) for c in arrays["cuts"] if c > 0]
    cuts = [c for c in cuts if c in joints or not any(first <= c <= last for first, _, last in fades)]
    looks = shots.mean_histograms(arrays["histograms"], [0, *cuts])
    for before, after, cut in zip(looks[:-1], looks[1:], cuts, strict=True):
        found.append((cut, "cut", 1.0 if cut in joints else 0.4 + 0.6 * (1 - shots.overlap(before, after))))
    return tuple(Boundary(float(times_s[frame]), kind, weight) for frame, kind, weight in sorted(found))
