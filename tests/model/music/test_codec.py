"""What is kept on disk comes back whole, whatever fields it has."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hitpoint.model.music.codec import from_json, plain_json, to_json
from hitpoint.model.music.score import Bar, Controller, Marker, Note, marker_kind
from hitpoint.model.plan.types import BarPlan, HitPoint, Plan, Section
from tests.fakes import fake_plan


@dataclass(frozen=True)
class Old:
    number: int


@dataclass(frozen=True)
class New(Old):
    added: tuple[tuple[str, float], ...] = (("a", 0.5),)
    more: dict[int, str] = field(default_factory=dict)


def test_a_plan_comes_back_whole() -> None:
    plan = fake_plan()
    assert from_json(to_json(plan), Plan) == plan
    assert plan.hits and plan.bars and plan.sections  # else the line above says little
    assert isinstance(plan.hits[0], HitPoint) and isinstance(plan.bars[0], BarPlan)
    assert isinstance(plan.sections[0], Section)


def test_a_bar_keeps_what_its_performance_needs() -> None:
    bar = Bar(3, (Note(0, 1, 60, 4, 90, -0.125),), (Controller(0.0, 4, 11, 64), Controller(2.5, 4, 11, 90)))
    assert from_json(to_json(bar), Bar) == bar


def test_a_field_that_is_added_is_written_and_old_files_are_still_read() -> None:
    value = New(1, (("b", 2.0), ("c", 3.0)), {4: "d"})
    assert from_json(to_json(value), New) == value
    assert from_json(to_json(Old(7)), New) == New(7)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"number": "one"}', b"\xff", b'{"index": 1, "notes": [[0]]}'])
def test_what_is_damaged_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_json(raw, Old)


def test_the_kind_of_a_marker_is_told_from_the_text_that_a_midi_file_keeps() -> None:
    for marker in (Marker.section(1.0, "A"), *(Marker.hit(2.0, kind) for kind in ("cut", "fade", "beat"))):
        assert marker_kind(marker.text) == marker.kind
    assert [marker_kind(text) for text in ("Hit: bell", "Hitcut", "cut", "", "My Section ")] == [""] * 5


@pytest.mark.parametrize("raw", [b'{"more": ' + b"[" * 100_000, b'{"x": ' * 100_000, b"9" * 10_000, b"\xff\xfe"])
def test_what_is_damaged_or_nests_without_end_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):
        from_json(raw, New)
    if raw[:1] != b"9":
        with pytest.raises(ValueError):
            plain_json(raw)
