"""From clips to a VisualRhythm: the whole analysis in one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.video import cache
from hitpoint.model.video.damage import sentences
from hitpoint.model.video.detectors import motion, shot_choice, shot_looks, visual_beats
from hitpoint.model.video.detectors.base import Part
from hitpoint.model.video.detectors.registry import registered
from hitpoint.model.video.edit import FADE_WEIGHT, SMALLEST_GAP_S, closed, merged, placed
from hitpoint.model.video.features import Features, measure, version
from hitpoint.model.video.film import Film, open_film, probe
from hitpoint.model.video.fine import check_fine, fine_boundaries
from hitpoint.model.video.sound.listen import speech_of
from hitpoint.model.video.types import Boundary, Clip, Media, VisualRhythm

__all__ = ["analyse", "probe"]

END_TOLERANCE_S = 0.1
"""An out point may lie this far behind the film's end: editors round to frames of the timeline."""
LARGEST_GAP_S = 600.0
"""What lies so far apart is two edits."""
BLACK_STEP_S = 0.04
MENDED_S = 0.25
"""Around a damaged stretch nothing that moves is believed for so long: the picture jumps back to what it should be."""


@dataclass(frozen=True)
class _Timeline:
    """All clips joined: `Features` in seconds of the edit.

    joints: frames at which a clip, or black, begins; mixes: those of them that lie in the middle of a mix. lost: spans
    of seconds of which little is known; hidden: (begin, end, where a cut in it most likely lies, NaN where
    nothing tells) of those that were damaged.
    """

    features: Features
    joints: NDArray[np.int64]
    mixes: frozenset[int]
    duration_s: float
    lost: tuple[tuple[float, float], ...] = ()
    hidden: tuple[tuple[float, float, float], ...] = ()


def analyse(
    clips: Sequence[Clip],
    cuts: Sequence[Boundary] | None = None,
    progress: Callable[[float], None] | None = None,
    detector: str = "quick",
    listen: bool = False,
) -> VisualRhythm:
    """The rhythm of one clip, or of an edit: the clips in order, each at its `start_s` or where the one before it ends,
    whichever is later; what no clip shows between them is black. Pieces of one film that go on are one clip.

    Times run from the first clip's in point; a clip's `rate` shortens its times and speeds its motion, and turns both
    round where it is below 0. Where one clip
    meets the next, or black, stands a cut of weight 1 (a fade, where they mix). cuts: boundaries in seconds of the
    edit, taken instead of detected ones (those outside the edit are left out). progress: called with 0..1. detector:
    "quick", or "fine" for boundaries found by the large network of the extra of that name. listen: also find where
    somebody speaks.

    Raises InputError for a film that cannot be used, MissingError without that extra, UsageError for points or rates
    that make no sense and for a gap over LARGEST_GAP_S.
    """
    if not clips:
        raise UsageError("there is no clip to analyse; give at least one video file")
    if detector == "fine":
        check_fine()
    films = _films(clips, _part_of(progress, 0.0, 0.0))
    clips = merged(clips)
    whole_clips = [closed(clip, films[clip.path].media.duration_s) for clip in clips]
    _check_gaps(whole_clips)
    lengths = [clip.out_s - clip.in_s for clip in whole_clips if clip.out_s is not None]
    whole, done = sum(lengths), 0.0
    measured = []
    for clip, length in zip(clips, lengths, strict=True):
        report = _part_of(progress, done / whole, length / whole)
        measured.append(_measured(clip, films[clip.path], report))
        done += length
        report(1.0)
    if detector == "fine" and cuts is None:
        cuts = fine_boundaries(whole_clips, _part_of(progress, 0.0, 1.0))
    media = tuple(film.media for film in films.values())
    speech, heard = speech_of(clips, films) if listen else ((), ())
    notes = (*_notes(clips, films, measured), *heard)
    return replace(_rhythm(_join(clips, measured), media, cuts), notes=notes, speech=speech)


def joined(clips: Sequence[Clip]) -> Features:
    """What is measured in the clips, on one timeline, as `analyse` measures it. Raises as that."""
    films = _films(clips, _part_of(None, 0.0, 0.0))
    clips = merged(clips)
    return _join(clips, [_measured(clip, films[clip.path], _part_of(None, 0.0, 0.0)) for clip in clips]).features


def _films(clips: Sequence[Clip], report: Callable[[float], None]) -> dict[Path, Film]:
    """The film of each clip, surveyed once."""
    films: dict[Path, Film] = {}
    for clip in clips:
        if clip.path not in films:
            films[clip.path] = open_film(clip.path, lambda: report(0.0))
        _check_points(clip, films[clip.path])
    return films


def _notes(clips: Sequence[Clip], films: dict[Path, Film], measured: Sequence[Features]) -> tuple[str, ...]:
    """What is to be said of the films, each sentence once."""
    found = [note for film in films.values() for note in film.notes]
    for clip, part in zip(clips, measured, strict=True):
        found += sentences(clip.path.name, part.lost)
    return tuple(dict.fromkeys(found))


def _part_of(progress: Callable[[float], None] | None, start: float, share: float) -> Callable[[float], None]:
    """A callback for one clip's 0..1 that reports its place in the whole."""

    def report(done: float) -> None:
        if progress is not None:
            progress(start + share * done)

    return report


def _check_points(clip: Clip, film: Film) -> None:
    name, media = clip.path.name, film.media
    if not 0 < clip.speed < math.inf:
        raise UsageError(f"{name}: the rate {clip.rate:g} is no speed; use 1 for the normal one, -1 for backwards")
    if not clip.in_s >= 0:
        raise UsageError(f"{name}: the in point {clip.in_s:g} s lies before the film; use 0 or more")
    if clip.out_s is not None and not clip.out_s > clip.in_s:
        raise UsageError(f"{name}: the out point {clip.out_s:g} s is not after the in point {clip.in_s:g} s; swap them")
    if clip.in_s >= media.duration_s:
        raise InputError(
            f"{name}: the in point {clip.in_s:g} s lies beyond the film's end at {media.duration_s:.2f} s; "
            "choose an earlier one"
        )
    film.check_reaches(clip.out_s)
    if clip.out_s is not None and clip.out_s > media.duration_s + END_TOLERANCE_S:
        raise InputError(
            f"{name}: the out point {clip.out_s:g} s lies beyond the film's end at {media.duration_s:.2f} s; "
            "choose an earlier one"
        )


def _check_gaps(clips: Sequence[Clip]) -> None:
    end_s = 0.0
    for clip, start_s, length_s in placed(clips):
        if start_s - end_s > LARGEST_GAP_S:
            raise UsageError(
                f"there is no picture for {start_s - end_s:.0f} s before {clip.path.name}; close the gap, or score the "
                "parts one by one"
            )
        end_s = start_s + length_s


def _measured(clip: Clip, film: Film, progress: Callable[[float], None]) -> Features:
    """The clip's features, measured or remembered. Raises InputError if its file is not the one that was hashed."""
    name = cache.key(film.media.sha256, clip.in_s, clip.out_s, version() + " backwards" * (clip.rate < 0))
    features = cache.load(name)
    if features is None:
        film.check_length(clip.in_s, clip.out_s)
        features = measure(clip, film, progress)
        film.check_unchanged()
        cache.store(name, features)
    return features


def _join(clips: Sequence[Clip], measured: Sequence[Features]) -> _Timeline:
    """Lay the clips on the timeline, and black between them. A clip without an out point ends with its last frame."""
    laid: list[tuple[NDArray[np.float64], Features]] = []
    mixed: list[int] = []
    lost: list[tuple[float, float]] = []
    hidden: list[tuple[float, float, float]] = []
    end_s = 0.0
    shown = placed([closed(clip, part.end_s) for clip, part in zip(clips, measured, strict=True)])
    for (clip, start_s, length_s), part in zip(shown, measured, strict=True):
        if start_s - end_s >= SMALLEST_GAP_S:
            black = _black(start_s - end_s)
            laid.append((end_s + black.times_s, black))
        if clip.fade_s > 0:
            mixed.append(len(laid))
        laid.append((start_s + np.maximum(part.times_s - clip.in_s, 0.0) / clip.speed, part))
        spans_s = start_s + (part.lost[:, :2] - clip.in_s) / clip.speed + (-MENDED_S, MENDED_S)
        lost += [(float(first_s), float(last_s)) for first_s, last_s in spans_s]
        inside_s = start_s + (part.lost[:, [0, 3, 4]] - clip.in_s) / clip.speed
        hidden += [
            (float(a), float(b), float(at_s)) for a, b, at_s in inside_s if not _outside(at_s - start_s, length_s)
        ]
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
    mixes = frozenset(int(firsts[part]) for part in mixed)
    return _Timeline(joined, firsts[1:].astype(np.int64), mixes, end_s, tuple(lost), tuple(hidden))


def _black(length_s: float) -> Features:
    """So many seconds of black, from second 0 on."""
    count = math.ceil(length_s / BLACK_STEP_S)
    arrays = {each.name: each.black(count) for each in registered()}
    return Features(np.arange(count, dtype=np.float64) * BLACK_STEP_S, length_s, arrays)


def _rhythm(timeline: _Timeline, media: tuple[Media, ...], given: Sequence[Boundary] | None) -> VisualRhythm:
    times_s, n = timeline.features.times_s, len(timeline.features.times_s)
    looks, moves = timeline.features.arrays["shots"], timeline.features.arrays["motion"]
    fades = shot_choice.find_fades(times_s, looks["luma_mean"], looks["luma_spread"])
    breaks = looks["cuts"]  # frame 0, joints and detected cuts: no motion is true across them
    valid = np.ones(n, bool)
    valid[breaks] = False
    shot = np.searchsorted(breaks, np.arange(n), side="right").astype(np.int32)
    # A change of light is not an impact.
    quiet = [
        (float(times_s[first]), float(times_s[last])) for first, _, last in [*fades, *looks["transitions"].tolist()]
    ] + list(timeline.lost)
    beats, saliency = visual_beats.find(times_s, moves["changes"], moves["is_new"], looks["luma_mean"], breaks, quiet)
    boundaries = _detected(timeline, fades) if given is None else _given(given, timeline.duration_s)
    starts = [0, *(int(np.clip(np.searchsorted(times_s, b.time_s - 1e-6), 1, n - 1)) for b in boundaries)]
    return VisualRhythm(
        duration_s=timeline.duration_s,
        media=media,
        times_s=times_s,
        motion=_motion(motion.seen_speed(moves, times_s, shot, valid), breaks),
        saliency=saliency,
        beats=beats,
        boundaries=boundaries,
        shots=shot_looks.label_shots(shot_looks.mean_histograms(looks, starts)),
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
    """Cuts, transitions and fades in order of time; what lies inside a fade through black is that fade."""
    arrays, times_s = timeline.features.arrays["shots"], timeline.features.times_s
    joints = set(timeline.joints.tolist())
    ends = shot_choice.blank_ends(times_s, arrays["luma_mean"], arrays["luma_spread"])
    covered = [*((first, last) for first, _, last in fades), *ends]

    def is_free(frame: int) -> bool:
        return frame in joints or not any(first <= frame <= last for first, last in covered)

    found: list[tuple[int, str, float]] = [(darkest, "fade", 0.9) for _, darkest, _ in fades]
    for middle, sure in zip(arrays["transitions"][:, 1].tolist(), arrays["transition_sure"].tolist(), strict=True):
        if is_free(middle):
            found.append((middle, "fade", 0.9 * sure))
    cuts = [cut for cut in _cut_frames(timeline, joints) if is_free(cut)]
    means = shot_looks.mean_histograms(arrays, [0, *cuts])
    for before, after, cut in zip(means[:-1], means[1:], cuts, strict=True):
        weight = 1.0 if cut in joints else 0.4 + 0.6 * (1 - shot_looks.overlap(before, after))
        found.append((cut, "fade", FADE_WEIGHT) if cut in timeline.mixes else (cut, "cut", weight))
    return tuple(Boundary(float(times_s[frame]), kind, weight) for frame, kind, weight in sorted(found))


def _cut_frames(timeline: _Timeline, joints: set[int]) -> list[int]:
    """Frames of all cuts: joints first, then where the picture is suddenly black or back, then those of the detector;
    none close to a surer one.
    """
    arrays, times_s = timeline.features.arrays["shots"], timeline.features.times_s
    chosen, hurt = set(joints), set[int]()
    black = shot_choice.black_edges(times_s, arrays["luma_mean"], arrays["luma_spread"])
    for found in [*black, *arrays["cuts"].tolist()]:
        stretch = None if found in joints else _damaged(timeline, found)
        if stretch in hurt:
            continue  # a broken picture may change several times
        frame = found if stretch is None else _mended(timeline, found, stretch)
        near = times_s[sorted(chosen)] - times_s[frame]
        if frame > 0 and (frame in joints or np.all(np.abs(near) >= shot_choice.MIN_SHOT_S - 1e-6)):
            chosen.add(frame)
            hurt |= set() if stretch is None else {stretch}
    return sorted(chosen)


def _outside(at_s: float, length_s: float) -> bool:
    """Whether a moment is known, and not within a clip so long."""
    return not math.isnan(at_s) and not 0 < at_s < length_s


def _damaged(timeline: _Timeline, frame: int) -> int | None:
    """Which of the damaged stretches a frame lies in."""
    at_s = timeline.features.times_s[frame]
    inside = (n for n, (begin_s, whole_s, _) in enumerate(timeline.hidden) if begin_s - 1e-3 <= at_s <= whole_s + 1e-3)
    return next(inside, None)


def _mended(timeline: _Timeline, frame: int, stretch: int) -> int:
    """Where a cut lies that was seen at `frame`: a damaged stretch shows the old shot until the picture is whole."""
    at_s = timeline.hidden[stretch][2]
    return frame if math.isnan(at_s) else int(np.argmin(np.abs(timeline.features.times_s - at_s)))
