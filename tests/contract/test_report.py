"""The report against its schema, and its figures against what the notes are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hitpoint.model.music.score import Bar
from hitpoint.model.output.report import build_report, write_report
from tests.contract.schema import validate_report
from tests.fakes import fake_prepared, fake_take


def test_schema_through_json(tmp_path: Path) -> None:
    prepared = fake_prepared()
    write_report(build_report(fake_take(prepared), prepared), tmp_path / "r.json")
    validate_report(json.loads((tmp_path / "r.json").read_text()))


def test_an_exact_take_has_no_errors() -> None:
    prepared = fake_prepared()
    report = build_report(fake_take(prepared), prepared)
    assert report["errors"] == {"density": 0, "strength": 0, "time": pytest.approx(0, abs=1e-12)}
    assert all(abs(hit["error_ms"]) < 1e-6 for hit in report["hits"])


def test_errors_are_measured_from_the_notes() -> None:
    prepared = fake_prepared()
    take = fake_take(prepared)
    first = take.score.bars[0]
    fewer = Bar(0, tuple(note for note in first.notes if note.tick != 0))
    report = build_report(replace(take, score=replace(take.score, bars=(fewer, *take.score.bars[1:]))), prepared)
    assert report["bars"][0]["density"] == first.density - 1 and "0" not in report["bars"][0]["strength"]
    density = sum(bar["density"] for bar in report["bars"]) / 8
    assert report["errors"]["density"] == pytest.approx((1 / 8) ** 0.5 / density)
    assert report["errors"]["strength"] > 0
    assert report["hits"][0]["error_ms"] > 0


def test_what_c_left_free_is_null() -> None:
    prepared = fake_prepared()
    bars = tuple(replace(bar, density=None, required=()) for bar in prepared.plan.bars)
    hits = tuple(replace(hit, strength=None) for hit in prepared.plan.hits)
    free = replace(prepared, plan=replace(prepared.plan, bars=bars, hits=hits, control=0.0))
    report = json.loads(json.dumps(build_report(fake_take(free), free)))
    validate_report(report)
    assert {bar["density_target"] for bar in report["bars"]} == {None}
    assert {hit["strength_target"] for hit in report["hits"]} == {None}
    assert report["errors"]["density"] == report["errors"]["strength"] == 0


def test_no_notes_at_all() -> None:
    prepared = fake_prepared()
    take = fake_take(prepared)
    silent = replace(take, score=replace(take.score, bars=tuple(Bar(i) for i in range(8))))
    report = json.loads(json.dumps(build_report(silent, prepared), allow_nan=False))
    validate_report(report)
    assert report["hits"][0]["note_time_s"] is None and report["errors"]["density"] == pytest.approx(
        (sum((4 + i) ** 2 for i in range(8)) / 8) ** 0.5
    )


def test_the_validator_can_fail() -> None:
    prepared = fake_prepared()
    report = build_report(fake_take(prepared), prepared)
    for spoil in ({"schema": "2"}, {"seed": None}, {"bars": [{}]}, {"music": {}}, {"surprise": 1}):
        with pytest.raises(AssertionError):
            validate_report(report | spoil)


def test_chords_heard_are_spelled_as_those_asked_for() -> None:
    prepared = fake_prepared(bars=8)
    bars = tuple(replace(bar, key="E major", chords=("E", "G#m")) for bar in prepared.plan.bars)
    prepared = replace(prepared, plan=replace(prepared.plan, bars=bars))
    take = fake_take(prepared)
    higher = [replace(bar, notes=tuple(replace(n, pitch=n.pitch + 1) for n in bar.notes)) for bar in take.score.bars]
    take = replace(take, score=replace(take.score, bars=tuple(higher)))
    roots = {chord[:2] for row in build_report(take, prepared)["bars"] for chord in row["chords"] if chord}
    assert "G#" in roots and "Ab" not in roots
