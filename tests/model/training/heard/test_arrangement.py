"""Who plays, what leads on, where it breathes and ends, where the harmony moves: each where the answer is known."""

from __future__ import annotations

import pytest

from hitpoint.model.training.heard.arrangement import (
    ending_figures,
    gaps_per_8_bars,
    harmony_figures,
    key_areas,
    section_figures,
    texture_figures,
)
from hitpoint.model.training.heard.grid import Marks

from .conftest import chord

C, F, G, A_MINOR, D = (48, 52, 55), (53, 57, 60), (55, 59, 62), (57, 60, 64), (50, 54, 57)


def test_entries_and_fills_before_a_section(written) -> None:
    piano = [event for bar in range(8) for event in chord(16 * bar, C)]
    bass = [(16 * bar, 3, 36, 8, 80) for bar in range(4, 8)]
    hats = [(16 * bar + tick, 0, 42, 1, 80) for bar in range(8) for tick in (0, 8)]
    toms = [(16 * 3 + tick, 0, 45, 1, 90) for tick in (8, 10, 12)]
    found = section_figures(written(piano + bass + hats + toms, 8), (4,))
    assert found == {"section_entries": 1.0, "other_entries": 0.0, "fill": 3.0}
    late = [(16 * 4 + tick, 0, 45, 1, 90) for tick in (8, 10, 12)]
    after = section_figures(written(piano + bass + hats + late, 8), (4,))
    assert after["fill"] == pytest.approx(-3 / 7)
    assert section_figures(written(piano, 8), ()) == {}


def test_gaps_are_half_a_bar_and_more(written) -> None:
    full = [(tick, 1, 60, 2, 80) for tick in range(0, 128, 4)]
    assert gaps_per_8_bars(written(full, 8)) == 0.0
    holes = [event for event in full if event[0] not in (20, 68)]
    assert gaps_per_8_bars(written(holes, 8)) == 2.0
    assert gaps_per_8_bars(written(full[:8], 2)) == 0.0


def test_endings(written) -> None:
    body = [(tick, 0, 36, 1, 80) for tick in range(0, 16, 4)]
    held = ending_figures(written([*body, *chord(24, C)], 2))
    assert held == {"last_onset": 8.0, "late_drums": 0.0}
    busy = ending_figures(written([*body, *chord(16, C), (31, 0, 36, 1, 80)], 2))
    assert busy == {"last_onset": 15.0, "late_drums": 1.0}
    assert ending_figures(written(body, 4)) == {"last_onset": 12.0, "late_drums": 1.0}
    assert ending_figures(written([], 2)) == {}


def test_rests_and_texture(written) -> None:
    piano = [event for bar in range(8) for event in chord(16 * bar, C)]
    bass = [(16 * bar, 3, 36, 8, 80) for bar in range(4, 8)]
    assert texture_figures(written(piano, 8)) == {"rests": 0.0, "instruments": 1.0, "texture_changes": 0.0}
    found = texture_figures(written(piano + bass, 8))
    assert found == {"rests": 0.25, "instruments": 1.5, "texture_changes": 1.0}


def test_the_chord_changes_at_the_cut_or_it_does_not(written) -> None:
    turns = [
        event for tick, tones in ((0, C), (8, C), (16, C), (24, C), (32, F), (40, F)) for event in chord(tick, tones)
    ]
    score = written(turns, 3)
    assert harmony_figures(score, Marks(cuts_s=(4.0,)))["chord_change_cut"] == 1.0
    assert harmony_figures(score, Marks(cuts_s=(2.0,)))["chord_change_cut"] == 0.0
    assert harmony_figures(score, Marks(cuts_s=(2.0, 4.0)))["chord_change_cut"] == 0.5
    inside = [event for tick, tones in ((0, C), (12, G), (20, G), (28, G)) for event in chord(tick, tones)]
    assert harmony_figures(written(inside, 3), Marks(cuts_s=(1.5,)))["chord_change_cut"] == 1.0


def test_downbeats_and_bars_on_one_chord(written) -> None:
    bars = (C, C, F, G)
    score = written(
        [event for bar, tones in enumerate(bars) for half in (0, 8) for event in chord(16 * bar + half, tones)], 4
    )
    found = harmony_figures(score, Marks())
    assert found["chord_change_downbeat"] == pytest.approx(2 / 3)
    assert found["one_chord"] == pytest.approx(1 / 3)
    assert "chord_change_cut" not in found and "key_areas" not in found


def test_key_areas_count_keys_and_relatives_once(written) -> None:
    def area(first_bar: int, shift: int, minor: bool = False) -> list:
        tones = ((45, 52, 57, 60), (50, 57, 62, 65), (52, 59, 64, 67), (45, 52, 57, 60)) if minor else (C, F, G, C)
        return [
            event
            for bar in range(8)
            for event in chord(16 * (first_bar + bar), [pitch + shift for pitch in tones[bar % 4]], 16)
        ]

    assert key_areas(written(area(0, 0) + area(8, 0), 16).bars) == 1
    assert key_areas(written(area(0, 0) + area(8, 0, minor=True), 16).bars) == 1
    assert key_areas(written(area(0, 0) + area(8, 6) + area(16, 3), 24).bars) == 3
    assert harmony_figures(written(area(0, 0) * 1 + area(24, 6), 32), Marks())["key_areas"] == 2.0
