"""What `hitpoint.report/1` promises to those who read it."""

from __future__ import annotations

import math
from typing import Any

NUMBER = (int, float)
CLIP = {"path": str, "sha256": str, "duration_s": NUMBER, "fps": NUMBER, "frames": int, "in_s": NUMBER, "out_s": NUMBER}
MODEL = {"name": str, "sha256": str, "parameters": int}
TEMPO = {"time_s": NUMBER, "beat": NUMBER, "bpm": NUMBER}
BAR = {
    "index": int,
    "start_s": NUMBER,
    "end_s": NUMBER,
    "density_target": (int, type(None)),
    "density": int,
    "strength_target": dict,
    "strength": dict,
    "instruments": list,
}
HIT = {
    "time_s": NUMBER,
    "kind": str,
    "saliency": NUMBER,
    "bar": int,
    "tick": int,
    "strength_target": (int, type(None)),
    "note_time_s": (*NUMBER, type(None)),
    "error_ms": (*NUMBER, type(None)),
    "accent": (dict, type(None)),
}
ACCENT = {"kind": str, "rank_in_notes": (*NUMBER, type(None))}
MUSIC = dict.fromkeys(("h1", "h4", "gs16", "si_short", "si_mid", "si_long", "pitch_entropy_128"), NUMBER)
TIMING = dict.fromkeys(("analysis_s", "plan_s", "generation_s", "tokens_per_s", "real_time_factor"), NUMBER) | {
    "tokens": int
}
CUTS = {"found": int, "hit": int, "missed_s": list}
ERRORS = dict.fromkeys(("density", "strength", "time"), NUMBER)
TOP = {
    "schema": str,
    "clip": dict,
    "model": dict,
    "composer": str,
    "seed": int,
    "genre": str,
    "instruments": list,
    "control": NUMBER,
    "tempo_map": list,
    "bars": list,
    "hits": list,
    "cuts": dict,
    "errors": dict,
    "music": dict,
    "timing": dict,
}
MORE = {"changes": list, "clips": list, "sound": dict, "sections": list, "suggestion": dict, "same": dict, "meter": str}
BAR_MORE = {"affect": dict, "chords": list, "chords_target": (list, type(None)), "ticks": int}
AFFECT = {"emotion": str, "valence": NUMBER, "arousal": NUMBER, "tension": NUMBER}
SECTION = {"label": str, "first_bar": int, "end_bar": int, "palette": list, "mood": (str, type(None))}
SECTION_MORE = {"shares": list, "scene": dict, "source": dict}
SUGGESTION = {
    "genre": str, "genre_share": NUMBER, "mood": str, "mood_share": NUMBER, "tempo": NUMBER, "why": list
}  # fmt: skip
MOODS = {"exciting", "fearful", "tense", "sad", "relaxing", "neutral"}


def _fields(value: Any, fields: dict[str, Any], where: str, more: dict[str, Any] | None = None) -> None:
    missing, unknown = fields.keys() - value.keys(), value.keys() - fields.keys() - (more or {}).keys()
    assert not missing and not unknown, f"{where}: missing {sorted(missing)}, unknown {sorted(unknown)}"
    for key, kind in (fields | (more or {})).items():
        if key in value:
            assert isinstance(value[key], kind) and not isinstance(value[key], bool), f"{where}.{key}: {value[key]!r}"
            if isinstance(value[key], float):
                assert math.isfinite(value[key]), f"{where}.{key}: {value[key]}"


def validate_report(report: dict[str, Any]) -> None:
    """AssertionError, naming the place, if `report` is not what the schema says."""
    _fields(report, TOP, "report", MORE)
    assert report["schema"] == "hitpoint.report/1"
    for clip in (report["clip"], *report.get("clips", ())):
        _fields(clip, CLIP, "clip")
    _fields(report["model"], MODEL, "model")
    _fields(report["errors"], ERRORS, "errors", {"chord": NUMBER})
    _fields(report["cuts"], CUTS, "cuts")
    assert report["cuts"]["hit"] + len(report["cuts"]["missed_s"]) == report["cuts"]["found"]
    _fields(report["music"], MUSIC, "music")
    _fields(report["timing"], TIMING, "timing")
    assert report["instruments"] and set(report["instruments"]) <= {"drums", "piano", "guitar", "bass", "strings"}
    for index, point in enumerate(report["tempo_map"]):
        _fields(point, TEMPO, f"tempo_map[{index}]")
    assert report["tempo_map"][0]["time_s"] == report["tempo_map"][0]["beat"] == 0
    for index, bar in enumerate(report["bars"]):
        _fields(bar, BAR, f"bars[{index}]", BAR_MORE)
        if "affect" in bar:
            _fields(bar["affect"], AFFECT, f"bars[{index}].affect")
            assert bar["affect"]["emotion"] in MOODS and 0 <= bar["affect"]["tension"] <= 1
            assert all(-1 <= bar["affect"][name] <= 1 for name in ("valence", "arousal"))
        assert bar["index"] == index and bar["start_s"] < bar["end_s"]
        for strengths in (bar["strength_target"], bar["strength"]):
            assert all(0 <= int(tick) < 16 and strength >= 1 for tick, strength in strengths.items())
        assert len(bar["strength"]) == bar["density"]
    for before, after in zip(report["bars"], report["bars"][1:], strict=False):
        assert abs(before["end_s"] - after["start_s"]) < 1e-9
    for index, hit in enumerate(report["hits"]):
        _fields(hit, HIT, f"hits[{index}]")
        if hit["accent"] is not None:
            _fields(hit["accent"], ACCENT, f"hits[{index}].accent")
        assert hit["kind"] in ("cut", "fade", "beat") and 0 <= hit["tick"] < 16
        assert 0 <= hit["bar"] < len(report["bars"]) and 0 <= hit["saliency"] <= 1
    for index, section in enumerate(report.get("sections", ())):
        _fields(section, SECTION, f"sections[{index}]", SECTION_MORE)
        assert len(section.get("shares", section["palette"])) == len(section["palette"])
        assert section["mood"] is None or section["mood"] in MOODS
        assert all(len(colour) == 7 and colour[0] == "#" for colour in section["palette"])
    if "suggestion" in report:
        _fields(report["suggestion"], SUGGESTION, "suggestion")
        assert report["suggestion"]["mood"] in MOODS and report["suggestion"]["why"]
