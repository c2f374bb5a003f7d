"""Top line, drum copies, loudness and tempo: each where the answer is known."""

from __future__ import annotations

import pytest

from hitpoint.model.training.heard.lines import (
    drum_figures,
    loudness_figures,
    tempo_figures,
    top_line,
    top_line_figures,
)

from .conftest import chord

TUNE = (60, 62, 64, 64, 67, 60, 60, 72)


def test_the_strings_lead_where_they_play_and_the_highest_note_where_they_do_not(written) -> None:
    strings = [(4 * index, 4, pitch, 4, 80) for index, pitch in enumerate(TUNE)]
    piano = chord(0, (50, 84))
    assert top_line(written(strings + piano, 2))[1].tolist() == list(TUNE)
    assert top_line(written(piano + chord(8, (40, 90)) + [(8, 3, 100, 4, 80)], 1))[1].tolist() == [84, 90]


def test_steps_and_repeats(written) -> None:
    found = top_line_figures(written([(4 * i, 4, pitch, 4, 80) for i, pitch in enumerate(TUNE)], 2))
    assert found == {"steps": pytest.approx(2 / 7), "repeated_pitches": pytest.approx(2 / 7)}


@pytest.mark.parametrize(("shift", "share"), [(0, 1.0), (5, 1.0), (None, 0.0)])
def test_what_returns_after_eight_bars_is_recalled_transposed_too(written, shift, share) -> None:
    """A tune of one bar in bars 0 and 8, else silence; None: a tune of other intervals."""
    first = [(4 * i, 4, 60 + p, 4, 80) for i, p in enumerate((0, 2, 4, 5))]
    later = (0, 7, 0, 7) if shift is None else tuple(p + shift for p in (0, 2, 4, 5))
    again = [(128 + 4 * i, 4, 60 + p, 4, 80) for i, p in enumerate(later)]
    tune = top_line_figures(written([*first, (124, 4, 60 + later[0], 4, 80), *again], 9))
    assert tune["recall"] == pytest.approx(0.75 if share else 0.0)


def test_drum_copies(written) -> None:
    rock = [(0, 36), (4, 38), (8, 36), (12, 38)]
    other = [(0, 36), (6, 38), (8, 36), (12, 38)]

    def bars(*patterns: list[tuple[int, int]]) -> list:
        return [(16 * bar + t, 0, key, 1, 80 + bar) for bar, pattern in enumerate(patterns) for t, key in pattern]

    assert drum_figures(written(bars(rock, rock, other, rock), 4)) == {"drum_copies": pytest.approx(1 / 3)}
    assert drum_figures(written(bars(rock, [], rock), 3)) == {}


def test_loudness_jumps_at_bar_lines(written) -> None:
    terrace = [(tick, 1, 60, 2, 60 + 20 * (tick // 16 % 2)) for tick in range(0, 64, 4)]
    assert loudness_figures(written(terrace, 4)) == {"jump_at_lines": 20.0, "jump_elsewhere": 0.0}
    ramp = [(tick, 1, 60, 2, 40 + tick) for tick in range(0, 64, 4)]
    assert loudness_figures(written(ramp, 4)) == {"jump_at_lines": 4.0, "jump_elsewhere": 4.0}


def test_tempo_bends_within_two_bars(written) -> None:
    assert tempo_figures(written([], 8)) == {"tempo_bend": 0.0, "tempo_steps": 0.0, "bpm": 120.0}
    near = tempo_figures(written([], 8, ((0.0, 100.0), (4.0, 110.0), (8.0, 100.0))))
    assert near["tempo_bend"] == pytest.approx(0.1) and near["tempo_steps"] == 0.25 and near["bpm"] == 100.0
    slow = tempo_figures(written([], 16, ((0.0, 100.0), (16.0, 102.0), (32.0, 104.04))))
    assert slow["tempo_bend"] == pytest.approx(0.02)
    far = tempo_figures(written([], 16, ((0.0, 100.0), (16.0, 102.0), (23.0, 105.0))))
    assert far["tempo_bend"] == pytest.approx(0.05)
