# SPDX-License-Identifier: GPL-3.0-or-later
"""From a reading of strips to the list of clips that the viewer sees. Knows nothing of Blender's own types.

Frames are timeline frames; seconds are frame / fps of the timeline, so that frame 0 is 0 s.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace

TRANSITIONS = {"CROSS", "GAMMA_CROSS", "WIPE"}
LOOKS = FULL, PARTIAL, GRAPHIC = ("full", "partial", "graphic")
"""An opaque picture that fills the frame; one that lets something through; titles, colours and images with alpha."""
SHORT_HOLD_S = 0.15
UNSURE = ": to have it seen as it is, score the rendered picture."
NOTHING = {"SOUND", "ADJUSTMENT"}
NO_FILE = {
    "SCENE": "is a scene",
    "IMAGE": "is an image sequence",
    "MOVIECLIP": "is a clip of the tracker",
    "MASK": "is a mask",
    "MULTICAM": "is a multicam strip",
}


@dataclass(frozen=True)
class Strip:
    """A strip as it lies in the timeline. start, end: frames, end excluded.

    first: the source frame shown at `start` (of an effect: frames into it), counted as an edge: where it plays
    backwards, the one before. rate: source frames per timeline frame, below 0 backwards.
    low, frames: the first source frame that it may show, and the one after the last. source_fps: of the file. inputs:
    what an effect works on. children: what a meta holds. steady: False where the speed changes inside. unsure: why it
    cannot be told what is seen of it. look: what it lets through, one of LOOKS. fade_in: frames over which it appears
    from nothing.
    """

    name: str
    kind: str
    channel: int
    start: int
    end: int
    path: str = ""
    first: float = 0.0
    look: str = FULL
    rate: float = 1.0
    source_fps: float = 0.0
    low: float = 0.0
    frames: int = 0
    fade_in: int = 0
    mute: bool = False
    selected: bool = True
    missing: bool = False
    steady: bool = True
    unsure: str = ""
    inputs: tuple[Strip, ...] = ()
    children: tuple[Strip, ...] = ()


@dataclass(frozen=True)
class Clip:
    """What the bridge is told: seconds of the timeline, seconds of the file, and the file's speed, below 0 backwards.

    fade_s: length of the mix from the picture before, in whose middle it begins.
    """

    path: str
    start_s: float
    in_s: float
    out_s: float
    rate: float
    fade_s: float = 0.0


@dataclass
class Edit:
    """The visible clips in timeline order, sentences on what was left out, and the range of frames that is scored.

    unsure: whether only a render can tell all that the viewer sees.

    stills: frames at which one still follows another, or black one: cuts that no film shows. holds: frames at which a
    strip that was pulled out beyond its film begins or ends to hold a still: no cuts, though no film is there.
    """

    clips: list[Clip] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unsure: bool = False
    stills: list[int] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class _Layer:
    """A stretch of one strip (None: nothing to analyse). order: channels, from the outermost in; look: as the strip's.

    source: the strip itself, whether it can be analysed or not. fade: frames of the mix in whose middle it begins.
    """

    order: tuple[int, ...]
    start: int
    end: int
    strip: Strip | None
    look: str = FULL
    fade: int = 0
    source: Strip | None = None


def _trim(strip: Strip, start: int, end: int) -> Strip:
    """`strip` cut down to [start, end)."""
    start, end = max(start, strip.start), min(end, strip.end)
    return replace(strip, start=start, end=end, first=strip.first + (start - strip.start) * strip.rate)


def _effect(strip: Strip, order: tuple[int, ...], notes: list[str]) -> list[_Layer]:
    """A transition hands over in its middle; any other effect shows its first input, at its own speed."""
    parts: list[tuple[int, int, Strip, int]] = [(strip.start, strip.end, strip.inputs[0], 0)]
    if strip.kind in TRANSITIONS and len(strip.inputs) > 1:
        middle, length = (strip.start + strip.end) // 2, strip.end - strip.start
        parts = [(strip.start, middle, strip.inputs[0], 0), (middle, strip.end, strip.inputs[1], length)]
    layers = []
    for start, end, source, fade in parts:
        if strip.kind == "SPEED":
            first = source.first + (strip.first + (start - strip.start) * strip.rate) * source.rate
            steady = source.steady and strip.steady
            source = replace(source, start=start, end=end, first=first, rate=source.rate * strip.rate, steady=steady)
        shown = _layers(replace(_trim(source, start, end), mute=False, fade_in=0), order, notes)
        layers += [replace(each, look=_least(each.look, strip.look), fade=fade) for each in shown]
    return layers


def _least(*looks: str) -> str:
    """The one of these looks that lets the most through."""
    return max(looks, key=LOOKS.index)


def _layers(strip: Strip, order: tuple[int, ...], notes: list[str]) -> list[_Layer]:
    """The strip as layers, metas and effects opened; what cannot be analysed leaves a sentence in `notes`."""
    if strip.mute or strip.kind in NOTHING or strip.start >= strip.end:
        return []
    if strip.unsure:
        notes.append(f"“{strip.name}” {strip.unsure}{UNSURE}")
    if strip.kind == "META":
        inside = [_trim(child, strip.start, strip.end) for child in strip.children]
        return [replace(each, look=_least(each.look, strip.look)) for each in stack(inside, order, notes)]
    if strip.inputs:
        return _effect(strip, order, notes)
    usable = strip.kind == "MOVIE" and not strip.missing and strip.source_fps > 0 and strip.rate != 0
    if strip.kind == "MOVIE" and not usable:
        notes.append(f"“{strip.name}” has no readable file: {strip.path or 'no path'}. Relink it.")
    elif strip.kind in NO_FILE and not (strip.kind == "IMAGE" and strip.frames == 1):  # a still is what it seems
        notes.append(f"“{strip.name}” {NO_FILE[strip.kind]}{UNSURE}")
    elif not strip.steady:
        notes.append(f"“{strip.name}” changes speed inside, and is scored at {strip.rate:.2f}× throughout{UNSURE}")
    start = strip.start + strip.fade_in // 2
    return [_Layer(order, start, strip.end, strip if usable else None, strip.look, strip.fade_in, strip)]


def stack(strips: list[Strip], order: tuple[int, ...], notes: list[str]) -> list[_Layer]:
    """All strips of one level as layers; an effect's inputs show through the effect, over its own length."""
    return [layer for strip in strips for layer in _layers(strip, (*order, strip.channel), notes)]


def _visible(layers: list[_Layer], start: int, end: int) -> list[_Layer]:
    """What is seen from `start` to `end`, as the bridge's rule for timelines has it. n log n plus the overlaps."""
    base = min((layer.order[0] for layer in layers), default=0)
    edges = sorted({start, end} | {f for layer in layers for f in (layer.start, layer.end) if start < f < end})
    waiting = sorted(layers, key=lambda layer: layer.start, reverse=True)
    active: list[_Layer] = []
    seen: list[_Layer] = []
    for left, right in itertools.pairwise(edges):
        while waiting and waiting[-1].start <= left:
            active.append(waiting.pop())
        active = [layer for layer in active if layer.end > left]
        top = _seen_of(active, base)
        if top is None:
            continue
        if seen and seen[-1].source is top.source and seen[-1].end == left:
            seen[-1] = replace(seen[-1], end=right)
        else:
            seen.append(replace(top, start=left, end=right, fade=top.fade if left == top.start else 0))
    return seen


def _seen_of(active: list[_Layer], base: int) -> _Layer | None:
    """Of what lies over a moment: the topmost that fills the frame; else the lowest that lets something through; else a
    title or image on the film's own channel, `base`. So a logo over the film hides nothing."""
    full = [layer for layer in active if layer.look == FULL]
    if full:
        return max(full, key=lambda layer: layer.order)
    partial = [layer for layer in active if layer.look == PARTIAL]
    if partial:
        return min(partial, key=lambda layer: layer.order)
    return next((layer for layer in active if layer.order[0] == base), None)


def _clip(layer: _Layer, fps: float) -> Clip:
    """What the file has to show there: a strip pulled out beyond its file holds a still, which is a gap to us."""
    assert layer.strip is not None
    strip = _trim(layer.strip, layer.start, layer.end)
    edges = sorted((strip.first, strip.first + (strip.end - strip.start) * strip.rate))
    low, high = max(strip.low, edges[0]), min(float(strip.frames or math.inf), edges[1])
    start = strip.start + ((low if strip.rate > 0 else high) - strip.first) / strip.rate
    rate = strip.rate * fps / strip.source_fps
    return Clip(strip.path, start / fps, low / strip.source_fps, high / strip.source_fps, rate, layer.fade / fps)


def read(strips: list[Strip], fps: float, span: tuple[int, int] | None) -> Edit:
    """The edit of the selected strips (span None), or of everything seen within `span`, frames, end excluded."""
    edit = Edit()
    if span is None:
        strips = [strip for strip in strips if strip.selected or any(source.selected for source in strip.inputs)]
    else:
        strips = [strip for strip in strips if strip.start < span[1] and strip.end > span[0]]
    layers = stack(strips, (), edit.notes)
    if layers:
        start, end = span or (min(layer.start for layer in layers), max(layer.end for layer in layers))
        seen = _visible(layers, start, end)
        films = [layer for layer in seen if layer.strip is not None]
        shown = [(clip, layer) for layer in films if (clip := _clip(layer, fps)).out_s > clip.in_s]
        edit.clips = [clip for clip, _ in shown]
        edit.start, edit.end, edit.stills = start, end, _still_cuts(seen)
        edit.holds = [frame for clip, layer in shown for frame in _holds(clip, layer, fps)]
    edit.notes = list(dict.fromkeys(edit.notes))
    edit.unsure = any(note.endswith(UNSURE) for note in edit.notes)
    if not edit.clips:
        edit.notes.append("None of these strips can be scored." if edit.notes else _nothing(strips, span))
    return edit


def _holds(clip: Clip, layer: _Layer, fps: float) -> list[int]:
    """Where a strip begins to move, and stops, inside what is seen of it; holds too short to be told from a cut not."""
    first, last = (
        frame_at(moment_s, fps) for moment_s in (clip.start_s, clip.start_s + (clip.out_s - clip.in_s) / abs(clip.rate))
    )
    least = SHORT_HOLD_S * fps
    return [first] * (first - layer.start >= least) + [last] * (layer.end - last >= least)


def _still_cuts(seen: list[_Layer]) -> list[int]:
    """Where a still begins or ends beside another still or black; beside a film the film's own edge tells."""
    cuts: set[int] = set()
    for before, after in itertools.pairwise([None, *seen, None]):
        if after is not None and after.strip is None:
            meets_film = before is not None and before.end == after.start and before.strip is not None
            cuts |= set() if meets_film else {after.start}
        if before is not None and before.strip is None and (after is None or after.start > before.end):
            cuts.add(before.end)
    return sorted(cuts)


def grown(strips: list[Strip], span: tuple[int, int]) -> tuple[int, int]:
    """The range of a score whose edit has changed: from its start to the end of what follows without a hole."""
    start, end = span
    picture = sorted((s.start, s.end) for s in strips if s.kind not in NOTHING and not s.mute and s.end > start)
    shown = start
    for first, last in picture:
        if first > max(shown, start):
            break
        shown = max(shown, last)
    return start, shown if shown > start else end


def wishes(edit: Edit, markers: list[tuple[int, str]], fps: float) -> tuple[str | float, ...]:
    """What the bridge is told besides: the range, and the editor's own word on what to hit.

    A marker named `hit` is a moment to hit, `hit!` one to hit above all, and `no` a cut that is to be left alone.
    """
    hits = [f"{frame / fps:.6f}" for frame in edit.stills if edit.start < frame < edit.end]
    unhits = [f"{frame / fps:.6f}" for frame in edit.holds]
    for frame, name in sorted(markers):
        word, text = name.strip().lower(), f"{frame / fps:.6f}"
        if edit.start <= frame < edit.end:
            hits += [text] if word == "hit" else [text + "!"] if word == "hit!" else []
            unhits += [text] if word == "no" else []
    told: list[str | float] = ["from", edit.start / fps, "to", edit.end / fps]
    told += ["hits", ",".join(hits)] if hits else []
    told += ["unhits", ",".join(unhits)] if unhits else []
    return tuple(told)


def _nothing(strips: list[Strip], span: tuple[int, int] | None) -> str:
    """Why there is no clip to score, and what to do."""
    if not strips:
        return (
            "Nothing is selected: select the strips to score, or score the timeline range."
            if span is None
            else "There are no strips to score."
        )
    if all(strip.kind == "SOUND" for strip in strips):
        return "There is only sound here: music is written for picture, so select movie strips."
    if all(strip.mute for strip in strips):
        return "All strips here are muted: unmute the ones to score."
    return "There is no movie strip to score here."


def rendered(edit: Edit, film: str, fps: float, pieces: bool) -> Edit:
    """The edit as the film that was rendered of it. pieces: cut where the edit is, for a bridge that is to hit its edit
    points alone."""
    bounds = {edit.start, edit.end}
    if pieces:
        for clip in edit.clips:
            ends_s = clip.start_s, clip.start_s + (clip.out_s - clip.in_s) / abs(clip.rate)
            bounds |= {frame_at(moment_s, fps) for moment_s in ends_s} - set(edit.holds)
        bounds |= set(edit.stills)
    inside = sorted(frame for frame in bounds if edit.start <= frame <= edit.end)
    clips = [
        Clip(film, first / fps, (first - edit.start) / fps, (last - edit.start) / fps, 1.0)
        for first, last in itertools.pairwise(inside)
    ]
    return replace(edit, clips=clips, stills=[], holds=[])


def bar_at(bars: list[float], seconds: float) -> int:
    """The index of the bar that sounds at `seconds`; `bars` are the bars' starts, rising. 0 before the first."""
    return max(0, sum(start <= seconds + 1e-6 for start in bars) - 1)


def frame_at(seconds: float, fps: float) -> int:
    """The frame nearest to `seconds`; halves go up."""
    return math.floor(seconds * fps + 0.5)


def marker_names(bars: list[float], hits: list[tuple[float, str]], fps: float, prefix: str) -> dict[int, str]:
    """Frame -> name of the marker there: bars by number from 1, hit points by kind, both in one where they meet."""
    names: dict[int, list[str]] = {}
    for index, start in enumerate(bars):
        names.setdefault(frame_at(start, fps), []).append(str(index + 1))
    for seconds, kind in hits:
        words = names.setdefault(frame_at(seconds, fps), [])
        if kind not in words:
            words.append(kind)
    return {frame: prefix + " ".join(words) for frame, words in sorted(names.items())}
