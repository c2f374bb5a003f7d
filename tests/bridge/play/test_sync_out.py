"""MIDI clock and time code as bytes and moments."""

from itertools import pairwise

import pytest
from recorder import Recorder, drive

from hitpoint.bridge.clock.clock import TestClock
from hitpoint.bridge.clock.timebase import Timeline, timecode
from hitpoint.bridge.clock.transport import Transport
from hitpoint.bridge.play.sync_out import SyncOut, full_frame, quarter_frame
from hitpoint.model.music.score import TempoMap, TempoPoint


def made(midi_clock=True, mtc=False, fps=25.0, bpm=120.0):
    clock = TestClock(50.0)
    sink = Recorder(clock)
    sync = SyncOut(clock, sink, midi_clock, mtc)
    sync.timeline = Timeline(TempoMap((TempoPoint(0.0, 0.0, bpm),)), 8)
    sync.fps = fps
    return clock, sink, sync


def run(sync, clock, media_s, seconds, rate=1.0):
    state = Transport(True, clock.now(), media_s, rate)
    sync.moved(state, media_s)
    drive(lambda: sync.run(state), clock, seconds)


def test_clock_from_the_top():
    clock, sink, sync = made()
    run(sync, clock, 0.0, 1.0)
    assert [m for _, m in sink.events[:3]] == [b"\xf2\0\0", b"\xfa", b"\xf8"]
    pulses = [at - 50.0 for at, m in sink.events if m == b"\xf8"]
    assert pulses == pytest.approx([n / 48 for n in range(49)])


def test_clock_from_the_middle_waits_for_the_sixteenth_it_names():
    clock, sink, sync = made()
    run(sync, clock, 16.3, 0.3)
    assert [m.hex() for _, m in sink.events[:2]] == ["f20301", "fb"]  # sixteenth 131 = 3 + 128
    first = next(at for at, m in sink.events if m == b"\xf8")
    assert first - 50.0 == pytest.approx(131 / 8 - 16.3)


def test_stop_and_seek():
    clock, sink, sync = made()
    run(sync, clock, 0.0, 0.1)
    sink.events.clear()
    sync.moved(Transport(True, clock.now(), 4.0), 4.0)
    assert [m.hex() for _, m in sink.events] == ["fc", "f22000", "fb"]
    sink.events.clear()
    stopped = Transport(False, clock.now(), 5.0)
    sync.moved(stopped, 5.0)
    assert [m.hex() for _, m in sink.events] == ["fc"], (
        "right after another jump: stop at once, the place a little later"
    )
    assert clock.now() < sync.catch_up(stopped, 5.0) < clock.now() + 0.06
    clock.advance(0.06)
    sync.catch_up(stopped, 5.0)
    assert [m.hex() for _, m in sink.events] == ["fc", "f22800"]


def test_quarter_frames_spell_the_time_code():
    clock, sink, sync = made(midi_clock=False, mtc=True)
    run(sync, clock, 3661.0, 1.0)
    assert sink.events[0][1].hex() == "f07f7f010121010100f7"
    pieces = [m[1] for _, m in sink.events[1:] if m[0] == 0xF1]
    assert len(pieces) == pytest.approx(100, abs=8)
    start = next(i for i, piece in enumerate(pieces) if piece >> 4 == 0)
    assert [piece >> 4 for piece in pieces[start : start + 16]] == [*range(8), *range(8)]
    nibbles = [piece & 15 for piece in pieces[start : start + 8]]
    frames, seconds, minutes = (nibbles[i] | nibbles[i + 1] << 4 for i in (0, 2, 4))
    hours = nibbles[6] | (nibbles[7] & 1) << 4
    assert (hours, minutes, seconds) == (1, 1, 1)
    assert frames % 2 == 0 or frames < 25
    assert nibbles[7] >> 1 == 1  # 25 frames a second


def test_quarter_frames_come_four_a_frame():
    clock, sink, sync = made(midi_clock=False, mtc=True, fps=24.0)
    run(sync, clock, 0.0, 2.0)
    moments = [at for at, m in sink.events if m[0] == 0xF1]
    gaps = [b - a for a, b in pairwise(moments)]
    assert gaps == pytest.approx([1 / 96] * len(gaps))


def test_far_from_normal_speed_there_are_only_full_frames():
    clock, sink, sync = made(midi_clock=False, mtc=True)
    run(sync, clock, 0.0, 1.0, rate=4.0)
    assert [m[0] for _, m in sink.events] == [0xF0]


def test_switched_off_sends_nothing():
    clock, sink, sync = made(midi_clock=False, mtc=False)
    run(sync, clock, 0.0, 1.0)
    assert sink.events == []


def test_spelling():
    assert full_frame(timecode(0, 29.97)).hex() == "f07f7f01014000000 0f7".replace(" ", "")
    assert quarter_frame(timecode(30 * 3600 * 23, 30.0), 7).hex() == "f177"
