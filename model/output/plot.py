"""Picture and music on one time axis, as a PNG: what an editor looks at to see whether the music fits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError
from hitpoint.model.files import atomic
from hitpoint.model.music.score import Score
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.output.colours import INSTRUMENT_COLOURS, hexadecimal
from hitpoint.model.output.duck import Duck, duck_of
from hitpoint.model.output.midi_file import PULSES_PER_QUARTER, TRACK_NAMES, sounding_notes
from hitpoint.model.output.plot_arrangement import draw_arrangement
from hitpoint.model.output.plot_mood import draw_mood
from hitpoint.model.plan.types import Plan
from hitpoint.model.take import Prepared, Take
from hitpoint.model.video.edit import closed, placed, shown_s
from hitpoint.model.video.types import Clip, VisualRhythm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BACKGROUND, PANEL, GRID, TEXT, FAINT = "#12141a", "#191c24", "#2a2f3a", "#e4e7ee", "#8c94a3"
CUT, FADE, BEAT = "#ff6b78", "#d58cff", "#ffd166"
MOTION, SALIENCY = "#3f7fbf", "#ffd166"
INSTRUMENTS_HEX = tuple(map(hexadecimal, INSTRUMENT_COLOURS))
SECTION_COLOURS = ("#2e5f8a", "#8a5a2e", "#3f7a4d", "#6a4a8c", "#8a3f55", "#5c6b2e")
BEAT_MARKS = {"stop": ("s", "#ffd166"), "turn": ("o", "#7ee0a6"), "light": ("*", "#ffffff")}
"""Marker and colour of each kind of visual beat."""
DPI = 120
_DRUM_LANE = 14
_COLOURS = {"cut": CUT, "fade": FADE, "beat": BEAT}


def plot_score(
    score: Score, plan: Plan, rhythm: VisualRhythm, clips: Sequence[Clip], path: Path, force: bool = False,
    duck: Duck | None = None,
) -> None:  # fmt: skip
    """Write a PNG: film, motion, sections and tempo, density asked and found, mood, who plays, notes; cuts and hit
    points through all.

    Raises UsageError as `hitpoint.model.files.atomic`, InputError if the film can no longer be read.
    """
    film = _film_height(rhythm, _width_in(rhythm.duration_s))
    voice = [("voice", 0.5)] if rhythm.speech else []
    rows = [
        ("", film),
        ("motion", 1.1),
        ("tempo", 0.62),
        ("density", 1.0),
        ("mood", 1.0),
        ("players", 1.2),
        ("music", 3.4),
        *voice,
    ]
    figure, axes = _figure(rows, rhythm.duration_s)
    _film(axes[0], rhythm, clips)
    _motion(axes[1], rhythm)
    _tempo(axes[2], plan)
    _density(axes[3], score, plan)
    draw_mood(axes[4], rhythm, plan)
    draw_arrangement(axes[5], score, plan, INSTRUMENTS_HEX)
    _notes(axes[6], score)
    _chords(axes[6], score)
    if voice:
        _voice(axes[7], rhythm, duck or Duck())
    _boundaries(axes, rhythm, 0.45)
    _hits(axes, plan)
    bpm = [point.bpm for point in plan.tempo_map.points]
    tempo = f"{min(bpm):.1f}" if max(bpm) - min(bpm) < 0.05 else f"{min(bpm):.1f}–{max(bpm):.1f}"
    facts = f"{score.genre} · {tempo} BPM · {len(score.bars)} bars · {_minutes(score.duration_s)} · seed {score.seed}"
    _titles(figure, clips, facts, sorted(score.instruments))
    _save(figure, path, force)


def plot_rhythm(rhythm: VisualRhythm, clips: Sequence[Clip], path: Path, force: bool = False) -> None:
    """Write a PNG of what the picture says: film, motion, how sure each visual beat is and its kind, mood, cuts,
    fades."""
    film = _film_height(rhythm, _width_in(rhythm.duration_s))
    figure, axes = _figure([("", film), ("motion", 2.0), ("sure", 1.0), ("mood", 1.2)], rhythm.duration_s)
    _film(axes[0], rhythm, clips)
    _motion(axes[1], rhythm)
    _confidence(axes[2], rhythm)
    draw_mood(axes[3], rhythm)
    _boundaries(axes, rhythm, 0.9)
    count = {kind: sum(b.kind == kind for b in rhythm.boundaries) for kind in ("cut", "fade")}
    kinds = ", ".join(f"{n} {kind}s" for kind in BEAT_MARKS if (n := sum(b.kind == kind for b in rhythm.beats)))
    found = f"{count['cut']} cuts · {count['fade']} fades · {len(rhythm.beats)} visual beats" + f" ({kinds})" * bool(
        kinds
    )
    _titles(figure, clips, f"{found} · {_minutes(rhythm.duration_s)}")
    _save(figure, path, force)


def _width_in(duration_s: float) -> float:
    return min(max(16.0, 0.3 * duration_s), 36.0)


def _figure(rows: Sequence[tuple[str, float]], duration_s: float) -> tuple[Figure, list[Axes]]:
    """Stacked rows (name, height in inches) that share a time axis of `duration_s` seconds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    width, gap, head, foot = _width_in(duration_s), 0.08, 0.62, 0.42
    height = sum(row[1] for row in rows) + gap * (len(rows) - 1) + head + foot
    figure = Figure(figsize=(width, height), facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    axes: list[Axes] = []
    top = height - head
    for name, row_height in rows:
        box = (0.8 / width, (top - row_height) / height, 1 - 1.15 / width, row_height / height)
        axis = figure.add_axes(box, sharex=axes[0] if axes else None, facecolor=PANEL)
        top -= row_height + gap
        axis.set_xlim(0, duration_s)
        axis.tick_params(length=0, labelsize=8, colors=FAINT, labelbottom=False)
        axis.spines[:].set_visible(False)
        axis.yaxis.set_major_locator(MaxNLocator(3))
        axis.text(-0.66 / (width - 1.15), 0.5, name, transform=axis.transAxes, color=FAINT, fontsize=9, rotation=90,
                  ha="center", va="center")  # fmt: skip
        axes.append(axis)
    axes[-1].xaxis.set_major_locator(MaxNLocator(int(width), steps=[1, 2, 3, 5, 6, 10]))
    axes[-1].xaxis.set_major_formatter(FuncFormatter(lambda x, _: _minutes(x)))
    axes[-1].tick_params(labelbottom=True, labelsize=9)
    return figure, axes


def _film_height(rhythm: VisualRhythm, width_in: float) -> float:
    """Inches: a strip of some 13 frames of the first clip's shape."""
    media = rhythm.media[0]
    return float(np.clip((width_in - 1.15) / _frame_count(rhythm, width_in) * media.height / media.width, 0.5, 2.0))


def _frame_count(rhythm: VisualRhythm, width_in: float) -> int:
    """Frames that lie side by side at 1 inch of height, near their own shape."""
    media = rhythm.media[0]
    aspect = float(np.clip(media.width / media.height, 0.5, 2.5))
    return max(4, round((width_in - 1.15) / aspect / 0.68))


def _film(axis: Axes, rhythm: VisualRhythm, clips: Sequence[Clip]) -> None:
    """Frames side by side, each from the middle of the time that it covers."""
    count = _frame_count(rhythm, _width_in(rhythm.duration_s))
    edges = np.linspace(0, rhythm.duration_s, count + 1)
    shape = axis.get_window_extent()
    wanted = shape.width / count / shape.height
    for left, right in pairwise(edges):
        picture = _frame_at(clips, rhythm, float(left + right) / 2)
        if picture is not None:
            axis.imshow(_crop(picture, wanted), extent=(left, right, 0, 1), aspect="auto", interpolation="antialiased")
            axis.axvline(left, color=BACKGROUND, linewidth=1.5)
    axis.set_xlim(0, rhythm.duration_s)
    axis.set_ylim(0, 1)
    axis.set_yticks([])


def _frame_at(clips: Sequence[Clip], rhythm: VisualRhythm, time_s: float) -> NDArray[np.uint8] | None:
    """The frame (h, w, 3), RGB, shown at `time_s` of the edit; None past the last one."""
    from hitpoint.model.video.film import open_film
    from hitpoint.model.video.frames import decode

    media_of = {media.path: media for media in rhythm.media}
    whole = [closed(clip, media_of[clip.path].duration_s) for clip in clips]
    laid = [each for each in placed(whole) if each[1] <= time_s]
    if not laid:
        raise InputError("there is no clip to show")
    clip, start_s, length_s = laid[-1]
    if time_s >= start_s + length_s and clip is not whole[-1]:
        media = media_of[clip.path]
        return np.zeros((media.height, media.width, 3), np.uint8)
    with closing(decode(open_film(clip.path), shown_s(clip, time_s - start_s), clip.out_s)) as frames:
        frame = next(frames, None)
    return None if frame is None else np.asarray(frame.bgr[:, :, ::-1])


def _crop(picture: NDArray[np.uint8], aspect: float) -> NDArray[np.uint8]:
    """The middle of (h, w, 3) with width / height = `aspect`."""
    height, width = picture.shape[:2]
    new_width, new_height = min(width, round(height * aspect)), min(height, round(width / aspect))
    x, y = (width - new_width) // 2, (height - new_height) // 2
    return picture[y : y + new_height, x : x + new_width]


def _motion(axis: Axes, rhythm: VisualRhythm) -> None:
    """The square root of motion, up to its 99th percentile, so that slow shots show; saliency; visual beats as dots."""
    top = float(np.percentile(rhythm.motion, 99)) or 1.0
    heights = np.sqrt(np.clip(rhythm.motion / top, 0, 1))
    axis.fill_between(rhythm.times_s, heights, color=MOTION, alpha=0.55, linewidth=0)
    peak = float(rhythm.saliency.max(initial=0)) or 1.0
    axis.vlines(rhythm.times_s, 0, rhythm.saliency / peak, color=SALIENCY, linewidth=0.8, alpha=0.55)
    times = [beat.time_s for beat in rhythm.beats]
    sizes = [4 + 26 * beat.saliency for beat in rhythm.beats]
    axis.scatter(times, np.full(len(times), 1.04), s=sizes, color=BEAT, linewidth=0, zorder=4, clip_on=False)
    axis.set_ylim(0, 1.12)
    axis.set_yticks([])


def _confidence(axis: Axes, rhythm: VisualRhythm) -> None:
    """Each visual beat as a stem as high as it is sure, marked by its kind; the dotted line parts loud from faint."""
    for kind, (marker, colour) in BEAT_MARKS.items():
        beats = [beat for beat in rhythm.beats if beat.kind == kind]
        times, heights = [beat.time_s for beat in beats], [beat.confidence for beat in beats]
        axis.vlines(times, 0, heights, color=colour, linewidth=1.2, alpha=0.7)
        axis.scatter(times, heights, marker=marker, s=18, color=colour, linewidth=0, zorder=4, clip_on=False)
    axis.axhline(0.4, color=FAINT, linewidth=0.8, linestyle=":")
    axis.text(
        0.998, 0.93, "■ stop  ● turn  ★ light", transform=axis.transAxes, color=FAINT, fontsize=8, ha="right", va="top"
    )
    axis.set_ylim(0, 1.08)
    axis.set_yticks([0, 0.5, 1])


def _tempo(axis: Axes, plan: Plan) -> None:
    """Sections as bands with their names, bar lines with numbers, and the tempo as steps."""
    lines = [*(plan.tempo_map.time_at_tick(bar) for bar in range(len(plan.bars))), plan.duration_s]
    labels = sorted({section.label for section in plan.sections})
    for section in plan.sections:
        start, stop = lines[section.first_bar], lines[section.end_bar]
        colour = SECTION_COLOURS[labels.index(section.label) % len(SECTION_COLOURS)]
        axis.axvspan(start, stop, color=colour, alpha=0.55, linewidth=0)
        if (stop - start) / plan.duration_s * axis.get_window_extent().width > 14:
            axis.annotate(section.label, (start, 0.9), (4, 0), textcoords="offset points", color=TEXT, va="top",
                          fontsize=10, weight="bold", annotation_clip=False)  # fmt: skip
    every = max(1, round(len(plan.bars) / (axis.get_window_extent().width / 45)))
    for bar, time_s in enumerate(lines[:-1]):
        axis.axvline(time_s, color=TEXT, linewidth=0.5, alpha=0.35)
        if bar % every == 0 and bar:
            axis.text(time_s, 0.06, f" {bar + 1}", color=FAINT, fontsize=7)
    beats = [point.beat for point in plan.tempo_map.points]
    times = [plan.tempo_map.time_at_beat(beat) for beat in beats] + [plan.duration_s]
    bpm = np.array([point.bpm for point in plan.tempo_map.points])
    middle, spread = (bpm.min() + bpm.max()) / 2, max(bpm.max() - bpm.min(), 0.06 * bpm.mean())
    heights = 0.5 + 0.6 * (bpm - middle) / spread
    axis.stairs(heights, times, baseline=None, color=TEXT, linewidth=1.4)
    axis.set_ylim(0, 1)
    axis.set_yticks([float(heights.min()), float(heights.max())][: 1 + bool(np.ptp(bpm) > 0.05)])
    axis.set_yticklabels([f"{value:.0f}" for value in (bpm.min(), bpm.max())][: 1 + bool(np.ptp(bpm) > 0.05)])


def _density(axis: Axes, score: Score, plan: Plan) -> None:
    """Onsets a bar: found as filled blocks, asked as a bright line (none where C left it free)."""
    lines = [*(score.tempo_map.time_at_tick(bar) for bar in range(len(score.bars))), score.duration_s]
    axis.stairs([bar.density for bar in score.bars], lines, fill=True, color="#4d7f78", alpha=0.75)
    asked = [np.nan if bar.density is None else bar.density for bar in plan.bars]
    axis.stairs(asked, lines, baseline=None, color="#9ff0dd", linewidth=1.6)
    axis.set_ylim(0, 16.8)
    axis.set_yticks([0, 8, 16])
    axis.text(0.998, 0.93, "onsets a bar: line asked, block found", transform=axis.transAxes, color=FAINT, fontsize=8,
              ha="right", va="top")  # fmt: skip


def _notes(axis: Axes, score: Score) -> None:
    """The piano roll: one colour an instrument, louder notes brighter; drums in a lane of their own below."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba

    pitched = [note.pitch for bar in score.bars for note in bar.notes if note.instrument]
    low, high = (min(pitched), max(pitched)) if pitched else (48, 72)
    lane = low - _DRUM_LANE - 3 if 0 in score.instruments else low - 2
    keys = sorted({note.pitch for bar in score.bars for note in bar.notes if note.instrument == 0})
    for instrument in sorted(score.instruments):
        boxes, colours = [], []
        for start, stop, pitch, velocity in sounding_notes(score, instrument):
            left, right = (score.tempo_map.time_at_beat(pulse / PULSES_PER_QUARTER) for pulse in (start, stop))
            y, thick = float(pitch), 0.9
            if instrument == 0:
                y = lane + 1 + keys.index(pitch) * (_DRUM_LANE - 2) / max(1, len(keys))
                right, thick = (
                    left + score.duration_s / _width_in(score.duration_s) / 40,
                    max(0.6, 8 / max(6, len(keys))),
                )
            boxes.append(((left, y), (right, y), (right, y + thick), (left, y + thick)))
            colours.append(to_rgba(INSTRUMENTS_HEX[instrument], 0.35 + 0.65 * velocity / 127))
        axis.add_collection(PolyCollection(boxes, facecolors=colours, linewidths=0, zorder=3))
    if 0 in score.instruments:
        axis.axhspan(lane, lane + _DRUM_LANE, color=BACKGROUND, alpha=0.5, linewidth=0)
    octaves = [pitch for pitch in range(0, 128, 12) if low <= pitch <= high]
    axis.set_ylim(lane, high + 3)
    axis.set_yticks(octaves, [f"C{pitch // 12 - 1}" for pitch in octaves])
    axis.grid(axis="y", color=GRID, linewidth=0.6)
    axis.set_axisbelow(True)


def _voice(axis: Axes, rhythm: VisualRhythm, duck: Duck) -> None:
    """Who speaks as blocks, and over them how loud the music is let be."""
    for start_s, end_s in rhythm.speech:
        axis.axvspan(start_s, end_s, color=BEAT, alpha=0.35, linewidth=0)
    if duck.points:
        axis.plot(*zip(*duck.points, strict=True), color=TEXT, linewidth=1.2)
    axis.set_ylim(0, 1.1)
    axis.set_yticks([])


def _chords(axis: Axes, score: Score) -> None:
    """The planned chords, each where it comes in."""
    for tick, symbol in score.chords:
        axis.text(score.tempo_map.time_at_tick(0, tick + 0.3), 0.01, symbol, transform=axis.get_xaxis_transform(),
                  color=TEXT, fontsize=7, ha="left", va="bottom", clip_on=True)  # fmt: skip


def _boundaries(axes: Sequence[Axes], rhythm: VisualRhythm, alpha: float) -> None:
    """Cuts as lines and fades as dashed ones, through every row."""
    for boundary in rhythm.boundaries:
        style = "--" if boundary.kind == "fade" else "-"
        for axis in axes:
            axis.axvline(boundary.time_s, color=_COLOURS[boundary.kind], linewidth=1.0, alpha=alpha, linestyle=style)


def _hits(axes: Sequence[Axes], plan: Plan) -> None:
    """Each hit point: a triangle below the film and a bright line through the rows, as strong as it is salient."""
    for hit in plan.hits:
        colour = _COLOURS[hit.kind]
        for axis in axes[1:]:
            axis.axvline(hit.time_s, color=colour, linewidth=0.6 + 0.9 * hit.saliency, alpha=0.35 + 0.5 * hit.saliency)
        axes[0].plot(
            hit.time_s, 0.0, marker="^", color=colour, markersize=5 + 4 * hit.saliency, clip_on=False, zorder=6
        )


def _titles(figure: Figure, clips: Sequence[Clip], facts: str, instruments: Sequence[int] = ()) -> None:
    """The clip's name on the left, facts on the right, and the key to the colours between."""
    name = clips[0].path.name if len(clips) == 1 else f"{clips[0].path.name} and {len(clips) - 1} more"
    width, height = figure.get_size_inches()
    line = 1 - 0.34 / height
    figure.text(0.8 / width, line, _shorten(name), color=TEXT, fontsize=14, weight="bold", va="center")
    figure.text(1 - 0.35 / width, line, facts, color=FAINT, fontsize=10, ha="right", va="center")
    key = [(CUT, "| cut"), (FADE, "¦ fade"), (BEAT, "• visual beat")]
    key += [(INSTRUMENTS_HEX[index], f"▬ {TRACK_NAMES[index].lower()}") for index in instruments]
    left = 4.1
    for colour, text in key:
        figure.text(left / width, line, text, color=colour, fontsize=9, va="center")
        left += 0.3 + 0.075 * len(text)


def _shorten(name: str, length: int = 26) -> str:
    return name if len(name) <= length else f"{name[: length - 8]}…{name[-7:]}"


def _save(figure: Figure, path: Path, force: bool) -> None:
    with atomic(path, force) as part:
        figure.savefig(part, format="png", dpi=DPI, facecolor=BACKGROUND)


def _minutes(time_s: float) -> str:
    minutes, seconds = divmod(round(time_s, 1), 60)
    return f"{int(minutes)}:{seconds:04.1f}" if seconds % 1 else f"{int(minutes)}:{int(seconds):02d}"


class PlotOutput(Output):
    """Picture and music on one time axis, as a PNG."""

    key = "plot"
    suffix = ".png"

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """As `plot_score`."""
        plot_score(take.score, prepared.plan, prepared.rhythm, prepared.clips, path, writing.force, duck_of(prepared))
        writing.progress(self.key, 1.0)
