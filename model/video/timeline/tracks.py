"""What every timeline format boils down to: tracks of spans and fades, flattened to what the viewer sees.

The rule that all formats share is written down in docs/timelines.md; this module is that rule.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import pairwise

SAME_MOMENT_S = 1e-4
"""Edges nearer than this are one: formats round to frames, milliseconds or flicks."""
SAME_SOURCE_S = 5e-3
"""A take runs on over a seam where its source times differ by less: a fifth of a frame at 48 frames a second."""


class TimelineError(ValueError):
    """The file is not what its name says; the message is half a sentence without the file's name.

    line: where in the file, counted from 1; None where the format has no lines.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class Look(IntEnum):
    """How much of the frame something fills."""

    GRAPHIC = 0
    """A title, a generator, an image that may have alpha, an adjustment layer: picture on the lowest track only."""
    PARTIAL = 1
    """A moving picture that lets others through: scaled, moved, cropped, blended, or not quite opaque."""
    FULL = 2
    """Opaque and as large as the frame: hides what lies beneath."""


@dataclass(frozen=True)
class Span:
    """A stretch of one shot on a track, [start_s, end_s).

    source: what it plays, empty where that is not known; source_s, speed: the source's second at `start_s`, and how
    many of its seconds pass in one. soft_start, soft_end: that edge lies inside a fade, and is not a cut.
    """

    start_s: float
    end_s: float
    look: Look = Look.FULL
    source: str = ""
    source_s: float = 0.0
    speed: float = 1.0
    soft_start: bool = False
    soft_end: bool = False

    def part(self, start_s: float, end_s: float) -> Span:
        """What of it lies in [start_s, end_s), which must overlap it; a newly cut edge is hard."""
        first, last = max(start_s, self.start_s), min(end_s, self.end_s)
        return replace(
            self,
            start_s=first,
            end_s=last,
            source_s=self.source_s + (first - self.start_s) * self.speed,
            soft_start=self.soft_start and first - self.start_s <= SAME_MOMENT_S,
            soft_end=self.soft_end and self.end_s - last <= SAME_MOMENT_S,
        )

    def moved(self, by_s: float) -> Span:
        """The same, `by_s` later."""
        return replace(self, start_s=self.start_s + by_s, end_s=self.end_s + by_s)

    def runs_on_into(self, following: Span) -> bool:
        """Whether `following` goes on where this one's source stops, so that nothing is seen to change."""
        source_end_s = self.source_s + (self.end_s - self.start_s) * self.speed
        same = bool(self.source) and (self.source, self.look) == (following.source, following.look)
        return same and abs(source_end_s - following.source_s) < SAME_SOURCE_S


@dataclass(frozen=True)
class Fade:
    """A dissolve, wipe or fade over [start_s, end_s]. from_black, to_black: nothing lies on that side of it.

    solid: its black is in the picture itself, and so is seen even where something lies beneath.
    """

    start_s: float
    end_s: float
    from_black: bool = False
    to_black: bool = False
    look: Look = Look.FULL
    solid: bool = False

    @property
    def time_s(self) -> float:
        """Its one moment of change: the black end if it has one, else its middle."""
        if self.from_black != self.to_black:
            return self.end_s if self.to_black else self.start_s
        return (self.start_s + self.end_s) / 2.0

    def moved(self, by_s: float) -> Fade:
        """The same, `by_s` later."""
        return replace(self, start_s=self.start_s + by_s, end_s=self.end_s + by_s)


@dataclass(frozen=True)
class Track:
    """Spans in order, and the fades between them; gaps show what lies beneath.

    length_s: how long the track is with the gaps around its spans.
    """

    spans: tuple[Span, ...] = ()
    fades: tuple[Fade, ...] = ()
    length_s: float = 0.0

    @property
    def end_s(self) -> float:
        """Where the track ends; 0 when it is empty."""
        return max(self.length_s, *(span.end_s for span in self.spans), 0.0)


@dataclass(frozen=True)
class Reading:
    """What a list says.

    start_s: its own timecode at second 0 of `track`; notes: what was passed over, in sentences; fps: frames a second of
    its timecodes, None where it has no rate of its own; drop: whether they count in drop frame.
    """

    track: Track
    start_s: float = 0.0
    notes: tuple[str, ...] = ()
    fps: float | None = None
    drop: bool = False


@dataclass
class Notes:
    """What a reader passes over, collected while it reads: one sentence a kind, with how often and where first."""

    kinds: dict[str, list[int]] = field(default_factory=dict)

    def add(self, what: str, line: int | None = None) -> None:
        """Count `what`, a clause such as "captions were passed over"; `line` is where it stands."""
        self.kinds.setdefault(what, []).append(line or 0)

    def sentences(self) -> tuple[str, ...]:
        """One sentence a kind."""
        return tuple(self._sentence(what, lines) for what, lines in self.kinds.items())

    @staticmethod
    def _sentence(what: str, lines: list[int]) -> str:
        if not lines[0]:
            return what
        more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
        return f"{what} (line {lines[0]}{more})"


def track(spans: Sequence[Span], fades: Sequence[Fade] = (), length_s: float = 0.0) -> Track:
    """A track whose edges inside its own fades are soft: a fade stands for both of them."""
    placed = [span for span in spans if abs(span.end_s - span.start_s) > SAME_MOMENT_S]
    whole = Track(tuple(sorted(placed, key=lambda span: span.start_s)), tuple(fades), length_s)
    return soften(whole, fades)


def soften(track: Track, fades: Sequence[Fade]) -> Track:
    """The track whose edges inside `fades` are soft."""
    inside = _Inside(sorted(fades, key=lambda fade: fade.start_s))
    soft = tuple(
        replace(span, soft_start=span.soft_start or inside(span.start_s), soft_end=span.soft_end or inside(span.end_s))
        for span in track.spans
    )
    return replace(track, spans=soft)


class _Inside:
    """Whether a moment lies in one of many fades."""

    def __init__(self, fades: Sequence[Fade]) -> None:
        self.starts_s = [fade.start_s for fade in fades]
        self.ends_s: list[float] = []  # the latest end of this fade and those before it
        for fade in fades:
            self.ends_s.append(max(fade.end_s, self.ends_s[-1] if self.ends_s else fade.end_s))

    def __call__(self, time_s: float) -> bool:
        index = bisect_right(self.starts_s, time_s + SAME_MOMENT_S) - 1
        return index >= 0 and time_s <= self.ends_s[index] + SAME_MOMENT_S


def trim(track: Track, in_s: float, out_s: float, at_s: float, look: Look = Look.FULL) -> Track:
    """The part of `track` in [in_s, out_s), moved so that `in_s` comes to lie at `at_s`, none of it above `look`."""
    shift = at_s - in_s
    spans = [
        replace(span.part(in_s, out_s).moved(shift), look=min(span.look, look))
        for span in track.spans
        if span.end_s > in_s + SAME_MOMENT_S and span.start_s < out_s - SAME_MOMENT_S
    ]
    fades = [
        replace(fade.moved(shift), look=min(fade.look, look)) for fade in track.fades if in_s < fade.time_s < out_s
    ]
    return Track(tuple(spans), tuple(fades), at_s + out_s - in_s)


class _Layers:
    """Tracks, bottom first, asked what they show at a moment."""

    def __init__(self, tracks: Sequence[Track], base: int) -> None:
        self.tracks = tracks
        self.base = base
        self.starts_s = [[span.start_s for span in track.spans] for track in tracks]

    def span(self, layer: int, time_s: float) -> Span | None:
        """What lies on one layer at that moment."""
        index = bisect_right(self.starts_s[layer], time_s) - 1
        found = self.tracks[layer].spans[index] if index >= 0 else None
        return found if found is not None and time_s < found.end_s else None

    def seen(self, time_s: float, below: int | None = None) -> tuple[int, Span] | None:
        """(layer, span) that is the picture then: the topmost full frame; where there is none, the lowest partial one;
        else what lies on the base. below: look only at the layers under this one.
        """
        lowest: tuple[int, Span] | None = None
        for layer in range(len(self.tracks) if below is None else below)[::-1]:
            span = self.span(layer, time_s)
            if span is None:
                continue
            if span.look == Look.FULL:
                return layer, span
            if span.look == Look.PARTIAL:
                lowest = layer, span
        if lowest is None and (below is None or self.base < below):
            span = self.span(self.base, time_s) if self.tracks else None
            lowest = None if span is None else (self.base, span)
        return lowest

    def hides(self, layer: int, time_s: float) -> bool:
        """Whether a full frame lies above `layer` then."""
        above = (self.span(upper, time_s) for upper in range(layer + 1, len(self.tracks)))
        return any(span is not None and span.look == Look.FULL for span in above)

    def fade(self, layer: int, fade: Fade) -> Fade | None:
        """The fade of that layer as it is seen, or None where it is not."""
        if fade.from_black and not fade.solid and self.seen(fade.start_s + SAME_MOMENT_S, layer) is not None:
            fade = replace(fade, from_black=False)
        if fade.to_black and not fade.solid and self.seen(fade.end_s - SAME_MOMENT_S, layer) is not None:
            fade = replace(fade, to_black=False)
        if self.hides(layer, fade.time_s):
            return None
        if fade.look < Look.FULL:
            seen = self.seen(fade.time_s)
            if seen is not None and seen[0] != layer:
                return None
            if fade.look == Look.GRAPHIC and layer != self.base:
                return None
        return fade


def flatten(tracks: Sequence[Track], base: int | None = None) -> Track:
    """One track that shows what a viewer of `tracks` (bottom first) sees at each moment.

    base: the track whose graphics are picture; by default the lowest that holds anything.
    """
    if base is None or not tracks[base].spans:
        held = [index for index, track in enumerate(tracks) if track.spans] or [0]
        base = next((index for index in held if index >= (base or 0)), held[0])
    length_s = max((track.end_s for track in tracks), default=0.0)
    if sum(bool(track.spans) for track in tracks) <= 1:
        return replace(tracks[base], length_s=length_s) if tracks else Track()
    layers = _Layers(tracks, base)
    fades = [layers.fade(layer, fade) for layer, track in enumerate(tracks) for fade in track.fades]
    visible = sorted((fade for fade in fades if fade is not None), key=lambda fade: fade.time_s)
    return Track(_pieces(layers), tuple(visible), length_s)


def _pieces(layers: _Layers) -> tuple[Span, ...]:
    """What is seen of the spans, in order; one that a full frame interrupts comes back as two."""
    edges = sorted({edge for track in layers.tracks for span in track.spans for edge in (span.start_s, span.end_s)})
    pieces: list[tuple[Span, float, float]] = []  # whole span, what is seen of it
    for start_s, end_s in pairwise(edges):
        seen = layers.seen((start_s + end_s) / 2.0)
        if seen is None or end_s - start_s <= SAME_MOMENT_S:
            continue
        whole = seen[1]
        if pieces and pieces[-1][0] is whole and start_s - pieces[-1][2] <= 2 * SAME_MOMENT_S:
            start_s = pieces.pop()[1]
        pieces.append((whole, start_s, end_s))
    return tuple(whole.part(start_s, end_s) for whole, start_s, end_s in pieces)


def changes(track: Track, inside_start: bool = False) -> tuple[list[tuple[float, str]], int]:
    """(time_s, "cut" or "fade") of every change of shot inside the track, in order, and how many seams were none.

    The track's own ends are not changes, its start only where `inside_start` says that something lies before it. A
    seam at which a take runs on is not a cut, unless most of the list is such seams: then it is a list of a film's
    shots. Raises TimelineError where a shot has no proper place.
    """
    if not all(-SAME_MOMENT_S <= span.end_s - span.start_s < math.inf for span in track.spans):
        raise TimelineError("a time in it is damaged")
    spans, end_s = sorted(track.spans, key=lambda span: span.start_s), track.end_s
    cuts: list[float] = []
    seams: list[float] = []
    for before, after in pairwise(spans):
        if after.start_s - before.end_s > SAME_MOMENT_S:
            cuts += _hard(before, ends=True) + _hard(after, ends=False)
        elif not (before.soft_end or after.soft_start):
            (seams if before.runs_on_into(after) else cuts).append(after.start_s)
    if spans:
        cuts += _hard(spans[0], ends=False) + _hard(spans[-1], ends=True)
    first_s, last_s = -SAME_MOMENT_S if inside_start else SAME_MOMENT_S, end_s - SAME_MOMENT_S
    found = [(time_s, "cut") for time_s in cuts] + [(fade.time_s, "fade") for fade in track.fades]
    found = [(time_s, kind) for time_s, kind in found if first_s < time_s < last_s]
    if len(seams) >= len(found):
        found, seams = found + [(time_s, "cut") for time_s in seams], []
    return _merged(found), len(seams)


def _hard(span: Span, ends: bool) -> list[float]:
    """Its end or its start, where that is an edge to black."""
    if span.soft_end if ends else span.soft_start:
        return []
    return [span.end_s if ends else span.start_s]


def _merged(found: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """In order, each moment once; a fade before a cut of the same moment."""
    merged: list[tuple[float, str]] = []
    for time_s, kind in sorted(found, key=lambda change: (round(change[0] / SAME_MOMENT_S), change[1] != "fade")):
        if not merged or time_s - merged[-1][0] > SAME_MOMENT_S:
            merged.append((time_s, kind))
    return merged
