"""Beats, seconds and frames, against the tempo map itself and the SMPTE rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitpoint.bridge.clock.timebase import Timeline, exact_rate, mtc_rate, timecode
from hitpoint.model.music.score import TempoMap, TempoPoint

MAP = TempoMap((TempoPoint(0.0, 0.0, 120.0), TempoPoint(4.0, 8.0, 90.0), TempoPoint(4.0 + 16 / 3, 16.0, 150.0)))


@given(st.floats(-20, 100), st.floats(-50, 50))
def test_timeline_is_the_tempo_map_moved(beat, origin_s):
    timeline = Timeline(MAP, 20, origin_s)
    assert timeline.time_at_beat(beat) == pytest.approx(MAP.time_at_beat(beat) + origin_s)
    assert timeline.beat_at_time(timeline.time_at_beat(beat)) == pytest.approx(beat, abs=1e-6)


def test_bars_and_tempo():
    timeline = Timeline(MAP, 5, 10.0)
    assert [timeline.bar_at_time(timeline.time_at_tick(bar) + 1e-9) for bar in range(6)] == list(range(6))
    assert timeline.bar_at_time(9.9) < 0
    assert timeline.bpm_at_time(10.1) == 120.0
    assert timeline.bpm_at_time(15.0) == 90.0
    assert timeline.end_s == pytest.approx(10.0 + 4.0 + 16 / 3 + 4 * 60 / 150)


@pytest.mark.parametrize(
    ("fps", "rate"),
    [(23.976, 24.0), (24, 24.0), (25, 25.0), (29.97, 29.97), (30, 30.0), (50, 25.0), (60, 30.0), (59.94, 29.97)],
)
def test_nearest_time_code_rate(fps, rate):
    assert mtc_rate(fps) == rate


@pytest.mark.parametrize(
    ("frame", "rate", "text"),
    [
        (0, 25.0, (0, 0, 0, 0)),
        (25 * 3661 + 7, 25.0, (1, 1, 1, 7)),
        (1799, 29.97, (0, 0, 59, 29)),
        (1800, 29.97, (0, 1, 0, 2)),
        (17981, 29.97, (0, 9, 59, 29)),
        (17982, 29.97, (0, 10, 0, 0)),
        (107892, 29.97, (1, 0, 0, 0)),
    ],
)
def test_time_code(frame, rate, text):
    code = timecode(frame, rate)
    assert (code.hours, code.minutes, code.seconds, code.frames) == text


def test_drop_frame_never_shows_a_dropped_number_and_keeps_real_time():
    shown = [timecode(frame, 29.97) for frame in range(108_000)]
    assert not [code for code in shown if code.frames < 2 and code.seconds == 0 and code.minutes % 10]
    assert len({(c.hours, c.minutes, c.seconds, c.frames) for c in shown}) == len(shown)
    assert float(107_892 / exact_rate(29.97)) == pytest.approx(3600, abs=0.01)


@pytest.mark.parametrize("end_tick", [24, 32, 36])
def test_the_last_bar_may_have_another_length(end_tick):
    timeline = Timeline(TempoMap((TempoPoint(0.0, 0.0, 120.0),)), 2, 10.0, end_tick)
    assert timeline.end_s == pytest.approx(10.0 + end_tick / 8)
    assert timeline.bar_at_time(timeline.end_s - 0.01) == 1 and timeline.bar_at_time(timeline.end_s + 0.01) >= 2


def test_bars_of_other_lengths_are_found_by_time() -> None:
    odd = TempoMap((TempoPoint(0.0, 0.0, 120.0),), "4/4", ((1, 8), (3, 12)))
    timeline = Timeline(odd, 5, 10.0)
    starts_s = [10.0, 12.0, 13.0, 15.0, 16.5]
    assert [timeline.time_at_tick(bar) for bar in range(5)] == pytest.approx(starts_s)
    assert [timeline.bar_at_time(start_s + 1e-6) for start_s in starts_s] == list(range(5))
    assert timeline.bar_at_time(12.99) == 1 and timeline.bar_at_time(9.9) < 0
    assert timeline.end_s == pytest.approx(18.5) and timeline.bar_at_time(18.51) >= 5
