"""The report on a take: what was promised to the picture, and what the score holds, measured again from its notes."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hitpoint.model.files import atomic
from hitpoint.model.music.chords import label_chords
from hitpoint.model.music.kept_chords import kept_chords
from hitpoint.model.music.metrics import metrics_of
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BAR, Score, beat_places
from hitpoint.model.music.symbols import parse_key, symbol_of
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.output.duck import duck_of
from hitpoint.model.output.report_mood import affect_row, mood_rows
from hitpoint.model.plan.hits.own import with_own_hits
from hitpoint.model.plan.hits.placing import WIDE_TOLERANCE_S
from hitpoint.model.plan.hits.weights import MERGE_S
from hitpoint.model.plan.types import HitPoint, Plan
from hitpoint.model.take import Prepared, Take
from hitpoint.model.video.types import Clip, Media

SCHEMA = "hitpoint.report/1"
TOO_LATE_S = 0.12
"""A cut so near the end has no tick left."""
AROUND_S = 2.6
"""Beats so near to a hit are what it has to stand out from."""


def build_report(take: Take, prepared: Prepared) -> dict[str, Any]:
    """The report, ready for JSON. Times are seconds from the in point; bars count from 0; None where left free.

    same: where the picture is that of the cut whose music was kept: before a moment, and from one of each on.
    """
    score, plan = take.score, take.promised(prepared.plan)
    media_of = {media.path: media for media in prepared.rhythm.media}
    clips = [_clip(clip, media_of[clip.path]) for clip in prepared.clips]
    report = {
        "schema": SCHEMA,
        "clip": clips[0],
        "model": {"name": take.model_name, "sha256": take.model_sha256, "parameters": take.model_parameters},
        "composer": take.composer,
        "seed": score.seed,
        "genre": score.genre,
        "instruments": [INSTRUMENTS[index] for index in score.instruments],
        "control": plan.control,
        "tempo_map": [{"time_s": p.time_s, "beat": p.beat, "bpm": p.bpm} for p in score.tempo_map.points],
        "bars": bar_rows(score, plan),
        "hits": hit_rows(score, plan.hits),
        "cuts": cut_row(score, prepared),
        "errors": control_errors(score, plan) | chord_error(score, plan),
        "music": metrics_of(score).as_report(),
        "timing": _timing(take, prepared),
        "changes": [*plan.changes, *take.account.told],
    }
    if len(clips) > 1:
        report["clips"] = clips
    if prepared.change is not None:
        same = prepared.change
        report["same"] = {"until_s": same.start_s, "old_from_s": same.old_end_s, "new_from_s": same.new_end_s}
    if not score.tempo_map.is_plain:
        report["meter"] = score.tempo_map.meter
    if prepared.rhythm.speech:
        report["sound"] = sound_row(prepared)
    mood = mood_rows(prepared)
    for row, said in zip(mood["sections"], take.account.sections, strict=False):
        row["source"] = said
    return report | mood


def sound_row(prepared: Prepared) -> dict[str, Any]:
    """What is said in the film, as [begin, end] in seconds, and the duck, as [time, gain in dB]."""
    points = duck_of(prepared).points
    return {
        "speech": [list(span) for span in prepared.rhythm.speech],
        "duck": [[time_s, round(20 * math.log10(gain), 2)] for time_s, gain in points],
    }


def write_report(report: dict[str, Any], path: Path, force: bool = False) -> None:
    """Write `report` as JSON. Raises UsageError as `hitpoint.model.files.atomic`."""
    with atomic(path, force) as part:
        part.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def bar_rows(score: Score, plan: Plan) -> list[dict[str, Any]]:
    """A row a bar: its span in seconds; where not all are of 4/4, its ticks; density, strength and chords, asked and
    found; who sounds."""
    last = len(score.bars) - 1
    keys = [None if bar.key is None else parse_key(bar.key) for bar in plan.bars for _ in range(2)]
    heard = label_chords(score.bars)
    labels = [None if chord is None else symbol_of(chord, key) for chord, key in zip(heard, keys, strict=True)]
    return [
        {
            "index": bar.index,
            "start_s": score.tempo_map.time_at_tick(bar.index),
            "end_s": score.duration_s if bar.index == last else score.tempo_map.time_at_tick(bar.index + 1),
            "density_target": promise.density,
            "density": bar.density,
            "strength_target": {str(tick): strength for tick, strength in promise.required},
            "strength": {str(tick): strength for tick, strength in sorted(bar.strengths().items())},
            "chords_target": None if promise.chords is None else list(promise.chords),
            "chords": labels[2 * bar.index : 2 * bar.index + 2],
            "instruments": [INSTRUMENTS[k] for k in sorted({note.instrument for note in bar.notes})],
            **_length(score, bar.index),
            **affect_row(promise.affect),
        }
        for bar, promise in zip(score.bars, plan.bars, strict=True)
    ]


def _length(score: Score, bar: int) -> dict[str, int]:
    """The bar's sixteenths, where not all bars are of 4/4."""
    ticks = score.last_bar_ticks if bar == len(score.bars) - 1 else score.tempo_map.ticks_of(bar)
    return {} if score.tempo_map.is_plain else {"ticks": ticks}


def hit_rows(score: Score, hits: Sequence[HitPoint]) -> list[dict[str, Any]]:
    """A row a hit point: the picture's moment, and the onset nearest to it. error_ms > 0 where the note comes late."""
    onsets = onset_times(score)
    rows = []
    for hit in hits:
        note_s = _nearest(onsets, hit.time_s)
        rows.append(
            {
                "time_s": hit.time_s,
                "kind": hit.kind,
                "saliency": hit.saliency,
                "bar": hit.bar,
                "tick": hit.tick,
                "strength_target": hit.strength,
                "note_time_s": note_s,
                "error_ms": None if note_s is None else round((note_s - hit.time_s) * 1000, 3),
                "accent": accent_row(score, hit, hits),
            }
        )
    return rows


def cut_row(score: Score, prepared: Prepared) -> dict[str, Any]:
    """How many of the cuts and fades there are were hit, and the moments of those that were not, in seconds.

    A cut is hit where the plan has it and a note begins within WIDE_TOLERANCE_S. Cuts closer to each other than MERGE_S
    are one to the ear; what falls after the last tick has nothing to be hit with.
    """
    rhythm = with_own_hits(prepared.rhythm, prepared.wishes.hits, prepared.wishes.unhits)
    onsets, end_s = onset_times(score), score.duration_s - TOO_LATE_S
    planned = [hit.time_s for hit in prepared.plan.hits if hit.kind != "beat"]
    found: list[tuple[float, bool]] = []
    for boundary in sorted(rhythm.boundaries, key=lambda each: each.time_s):
        time_s, note_s = boundary.time_s, _nearest(onsets, boundary.time_s)
        near_s = _nearest(planned, time_s)
        hit = near_s is not None and abs(near_s - time_s) < MERGE_S
        hit = hit and note_s is not None and abs(note_s - (near_s or 0.0)) <= WIDE_TOLERANCE_S + 0.001
        if found and time_s - found[-1][0] < MERGE_S:
            found[-1] = found[-1][0], found[-1][1] or hit
        elif 0.0 <= time_s < end_s:
            found.append((time_s, hit))
    missed = [round(time_s, 6) for time_s, hit in found if not hit]
    return {"found": len(found), "hit": len(found) - len(missed), "missed_s": missed}


def accent_row(score: Score, hit: HitPoint, hits: Sequence[HitPoint]) -> dict[str, Any] | None:
    """The accent's kind, and the rank 0..1 of the hit's loudness in the notes (the velocities that start there, added
    up) among the beats within AROUND_S that are not hits; None without an accent or without such beats.
    """
    if hit.accent is None:
        return None
    loudness = {
        bar.index * TICKS_PER_BAR + tick: sum(note.velocity for note in bar.notes if note.tick == tick)
        for bar in score.bars
        for tick in {note.tick for note in bar.notes}
    }
    taken = {each.bar * TICKS_PER_BAR + each.tick for each in hits}
    beats = [
        tick
        for tick in beat_places(score)
        if tick not in taken and abs(score.tempo_map.time_at_tick(0, tick) - hit.time_s) <= AROUND_S
    ]
    own = loudness.get(hit.bar * TICKS_PER_BAR + hit.tick, 0)
    softer = [(loudness.get(tick, 0) < own) + 0.5 * (loudness.get(tick, 0) == own) for tick in beats]
    return {"kind": hit.accent.kind, "rank_in_notes": round(sum(softer) / len(softer), 3) if softer else None}


def control_errors(score: Score, plan: Plan) -> dict[str, float]:
    """How far the notes are from the plan; 0 where nothing was promised.

    As in Di et al. 2021, a distance over what is usual in the music, with the piece at hand as the measure of usual:
    density: sqrt(mean over bound bars of (found - asked)^2) / mean density of the piece;
    strength: sqrt(mean over required ticks of (found - asked)^2) / mean notes of its simu-notes;
    time: |last bar line - clip's end| / clip's length. (The paper divides by its corpus: 9.9 simu-notes a bar.)
    """
    bound = [(bar, promise) for bar, promise in zip(score.bars, plan.bars, strict=True)]
    density = [bar.density - promise.density for bar, promise in bound if promise.density is not None]
    strength = [bar.strengths().get(tick, 0) - asked for bar, promise in bound for tick, asked in promise.required]
    music = metrics_of(score)
    return {
        "density": _root_mean_square(density) / max(music.density, 1.0),
        "strength": _root_mean_square(strength) / max(music.notes_per_simu_note, 1.0),
        "time": abs(score.duration_s - plan.duration_s) / plan.duration_s,
    }


def chord_error(score: Score, plan: Plan) -> dict[str, float]:
    """chord: share of the half bars in which another root is heard than the one asked for; none where none is asked."""
    kept = kept_chords(score.bars, [bar.chords for bar in plan.bars])
    return {"chord": 1 - kept["root"]} if "root" in kept else {}


def onset_times(score: Score) -> list[float]:
    """Seconds of every tick with an onset, rising."""
    ticks = sorted({(bar.index, note.tick) for bar in score.bars for note in bar.notes})
    return [score.tempo_map.time_at_tick(bar, tick) for bar, tick in ticks]


def _clip(clip: Clip, media: Media) -> dict[str, Any]:
    return {
        "path": str(clip.path),
        "sha256": media.sha256,
        "duration_s": media.duration_s,
        "fps": media.fps,
        "frames": media.frames,
        "in_s": clip.in_s,
        "out_s": media.duration_s if clip.out_s is None else clip.out_s,
    }


def _timing(take: Take, prepared: Prepared) -> dict[str, float]:
    spent_s = max(take.generation_s, 1e-9)
    return {
        "analysis_s": round(prepared.analysis_s, 3),
        "plan_s": round(prepared.plan_s, 3),
        "generation_s": round(take.generation_s, 3),
        "tokens": take.tokens,
        "tokens_per_s": round(take.tokens / spent_s, 1),
        "real_time_factor": round(take.score.duration_s / spent_s, 2),
    }


def _nearest(times_s: Sequence[float], time_s: float) -> float | None:
    index = bisect_left(times_s, time_s)
    return min(times_s[max(0, index - 1) : index + 1], key=lambda each: abs(each - time_s), default=None)


def _root_mean_square(values: Sequence[int]) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if values else 0.0


class ReportOutput(Output):
    """What was asked and what was met, as JSON."""

    key = "report"
    suffix = ".report.json"

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """As `write_report`."""
        write_report(build_report(take, prepared), path, writing.force)
        writing.progress(self.key, 1.0)
