"""What every timeline format boils down to: tracks of spans and fades, flattened to what the viewer sees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

SAME_MOMENT_S = 1e-4
"""Edges nearer than this are one: formats round to frames, milliseconds or flicks."""


class TimelineError(ValueError):
    """The file is not what its name says; the message is half a sentence without the file's name."""


@dataclass(frozen=True)
class Span:
    """A stretch of one shot on a track, [start_s, end_s)."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Fade:
    """A dissolve, wipe or fade over [start_s, end_s]; `time_s` is its moment of change (the darkest, if it has one)."""

    start_s: float
    end_s: float
    time_s: float


@dataclass(frozen=True)
class Track:
    """Spans that do not overlap, in order, and the fades between them; gaps show what lies beneath."""

    spans: tuple[Span, ...] = ()
    fades: tuple[Fade, ...] = field(default=())

    @property
    def end_s(self) -> float:
        """Where the last span ends; 0 when there is none."""
        return max((span.end_s for span in self.spans), default=0.0)


def dissolve(start_s: float, end_s: float, black_before: bool = False, black_after: bool = False) -> Fade:
    """A fade whose moment of change is its middle; from or to black, its black end."""
    if black_before != black_after:
        return Fade(start_s, end_s, end_s if black_after else start_s)
    return Fade(start_s, end_s, (start_s + end_s) / 2.0)


def trim(track: Track, in_s: float, out_s: float, at_s: float) -> Track:
    """The part of `track` in [in_s, out_s), moved so that `in_s` comes to lie at `at_s`."""
    shift = at_s - in_s
    spans = tuple(
        Span(max(span.start_s, in_s) + shift, min(span.end_s, out_s) + shift)
        for span in track.spans
        if span.end_s > in_s + SAME_MOMENT_S and span.start_s < out_s - SAME_MOMENT_S
    )
    fades = tuple(
        Fade(fade.start_s + shift, fade.end_s + shift, fade.time_s + shift)
        for fade in track.fades
        if in_s < fade.time_s < out_s
    )
    return Track(spans, fades)


def _covers(track: Track, time_s: float) -> bool:
    return any(span.start_s <= time_s < span.end_s for span in track.spans)


def flatten(tracks: Sequence[Track]) -> Track:
    """One track that shows what a viewer of `tracks` (bottom first) sees: the topmost span at each moment."""
    spans: list[Span] = []
    fades: list[Fade] = []
    for track in tracks:
        fades = [fade for fade in fades if not _covers(track, fade.time_s)] + list(track.fades)
        for top in track.spans:
            spans = [piece for span in spans for piece in _without(span, top)]
        spans += track.spans
    return Track(tuple(sorted(spans, key=lambda span: span.start_s)), tuple(sorted(fades, key=lambda f: f.time_s)))


def _without(span: Span, hole: Span) -> list[Span]:
    """What of `span` is left where `hole` lies on top of it."""
    if hole.end_s <= span.start_s or span.end_s <= hole.start_s:
        return [span]
    left = Span(span.start_s, hole.start_s)
    right = Span(hole.end_s, span.end_s)
    return [piece for piece in (left, right) if piece.end_s - piece.start_s > SAME_MOMENT_S]


def changes(track: Track) -> list[tuple[float, str]]:
    """(time_s, "cut" or "fade") of every change of shot inside the track, in order; its ends are none.

    Raises TimelineError where a shot has no proper place.
    """
    if not all(-SAME_MOMENT_S <= span.end_s - span.start_s < math.inf for span in track.spans):
        raise TimelineError("a time in it is damaged")
    found = [(fade.time_s, "fade") for fade in track.fades]
    start_s = min((span.start_s for span in track.spans), default=0.0)
    edges = sorted({edge for span in track.spans for edge in (span.start_s, span.end_s)})
    for edge in edges:
        inside_fade = any(f.start_s - SAME_MOMENT_S <= edge <= f.end_s + SAME_MOMENT_S for f in track.fades)
        if start_s < edge < track.end_s and not inside_fade:
            found.append((edge, "cut"))
    merged: list[tuple[float, str]] = []
    for time_s, kind in sorted(found):
        if not merged or time_s - merged[-1][0] > SAME_MOMENT_S:
            merged.append((time_s, kind))
    return merged
