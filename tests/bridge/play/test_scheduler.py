"""The scheduler on a test clock: exact lists of what is sent when."""

import pytest
from recorder import Recorder, drive

from hitpoint.bridge.clock.clock import TestClock
from hitpoint.bridge.clock.timebase import Timeline
from hitpoint.bridge.clock.transport import Play, SetRate, Transport, step
from hitpoint.bridge.play.lookahead import BarChoice, KnownBars
from hitpoint.bridge.play.scheduler import Scheduler, Voice
from hitpoint.model.music.score import Bar, Controller, Note, TempoMap, TempoPoint

BAR_S = 2.0


def made(bars, known=None):
    clock = TestClock(100.0)
    sink = Recorder(clock)
    known_bars = KnownBars()
    known_bars.add(0, bars if known is None else known)
    beats, choices = [], []
    scheduler = Scheduler(
        clock,
        sink,
        known_bars.choose,
        lambda *beat: beats.append((round(clock.now() - 100, 6), *beat)),
        lambda bar, choice: choices.append((bar, choice.kind)),
    )
    scheduler.voices = {i: Voice(i) for i in range(5)}
    scheduler.timeline = Timeline(TempoMap((TempoPoint(0.0, 0.0, 120.0),)), len(bars))
    return clock, sink, known_bars, scheduler, beats, choices


def sent(sink):
    return [(round(at - 100.0, 6), message.hex(" ")) for at, message in sink.events]


def playing(rate=1.0):
    return step(step(Transport(), SetRate(100.0, rate)), Play(100.0))


TWO_BARS = [
    Bar(0, (Note(0, 1, 60, 4, 80), Note(8, 1, 60, 12, 70))),
    Bar(1, (Note(0, 1, 64, 2, 90), Note(4, 1, 60, 2, 64))),
]


def test_exact_events():
    clock, sink, _, scheduler, beats, choices = made(TWO_BARS)
    scheduler.start(0.0)
    drive(lambda: scheduler.run(playing()), clock, 5.0)
    assert sent(sink) == [
        (0.0, "91 3c 50"),
        (0.5, "81 3c 00"),
        (1.0, "91 3c 46"),
        (2.0, "91 40 5a"),
        (2.25, "81 40 00"),
        (2.5, "81 3c 00"),  # ends where the same pitch is struck anew
        (2.5, "91 3c 40"),
        (2.75, "81 3c 00"),
    ]
    assert [beat[:3] for beat in beats] == [(b * 0.5, b // 4, b % 4) for b in range(8)]
    assert choices == [(0, "known"), (1, "known")]
    assert max(scheduler.lateness) < 1e-9


def test_a_performance_is_played_off_the_grid_and_with_its_controllers():
    bar = Bar(
        0,
        (Note(0, 1, 60, 4, 80), Note(4, 1, 62, 4, 70, 0.25, -1.25)),
        (Controller(0.0, 1, 11, 64), Controller(4.0, 1, 11, 99)),
    )
    clock, sink, _, scheduler, _, _ = made([bar])
    scheduler.start(0.0)
    drive(lambda: scheduler.run(playing()), clock, 2.0)
    assert sent(sink) == [
        (0.0, "b1 0b 40"),  # before the note that it is for
        (0.0, "91 3c 50"),
        (0.5, "81 3c 00"),
        (0.5, "b1 0b 63"),
        (0.53125, "91 3e 46"),
        (0.875, "81 3e 00"),
    ]
    scheduler.voices[1] = Voice(1, muted=True)
    sink.events.clear()
    scheduler.start(0.0)
    drive(lambda: scheduler.run(playing()), clock, 2.0)
    assert not sent(sink)


def test_half_speed_takes_twice_as_long():
    clock, sink, _, scheduler, _, _ = made(TWO_BARS)
    scheduler.start(0.0)
    drive(lambda: scheduler.run(playing(0.5)), clock, 9.0)
    assert [at for at, _ in sent(sink)] == [0.0, 1.0, 2.0, 4.0, 4.5, 5.0, 5.0, 5.5]


def test_start_in_the_middle_skips_what_lies_before_and_keeps_the_downbeat():
    for place, first in ((1.0, "91 3c 46"), (1.0005, "91 3c 46"), (1.01, "91 40 5a"), (2.0, "91 40 5a")):
        clock, sink, _, scheduler, _, _ = made(TWO_BARS)
        scheduler.start(place)
        state = Transport(True, 100.0, place)
        drive(lambda scheduler=scheduler, state=state: scheduler.run(state), clock, 3.0)
        assert sent(sink)[0][1] == first


def test_no_note_sounds_after_the_end():
    clock, sink, _, scheduler, _, _ = made([Bar(0, (Note(12, 1, 60, 64, 80),))])
    scheduler.start(0.0)
    drive(lambda: scheduler.run(playing()), clock, 9.0)
    assert sent(sink) == [(1.5, "91 3c 50"), (2.0, "81 3c 00")]


def test_nothing_while_stopped_or_backwards():
    clock, sink, _, scheduler, _, _ = made(TWO_BARS)
    scheduler.start(0.0)
    for state in (Transport(), playing(-1.0), playing(0.0)):
        drive(lambda state=state: scheduler.run(state), clock, 3.0)
    assert sink.events == []


def test_mute_is_heard_from_the_next_bar_on():
    clock, sink, _, scheduler, _, _ = made(TWO_BARS)
    scheduler.start(0.0)
    drive(lambda: scheduler.run(playing()), clock, 0.7)
    scheduler.voices = {i: Voice(i, muted=True) for i in range(5)}
    drive(lambda: scheduler.run(playing()), clock, 4.0)
    assert [event for event in sent(sink) if event[1].startswith("91")] == [(0.0, "91 3c 50"), (1.0, "91 3c 46")]


def test_a_stand_in_gives_way_at_once_and_is_told():
    bars = [Bar(index, (Note(0, 1, 60 + index, 2, 80), Note(8, 1, 60 + index, 2, 80))) for index in range(6)]
    clock, sink, known_bars, scheduler, _, choices = made(bars, known=bars[:1])
    scheduler.start(8.0)
    state = Transport(True, 100.0, 8.0)
    drive(lambda: scheduler.run(state), clock, 0.5)
    assert choices == [(4, "fallback")]
    assert sent(sink)[0] == (0.0, "91 3c 50"), "bar 0 stands in, a phrase of four bars before"
    known_bars.add(0, [bars[4]])
    scheduler.refresh(state.position(clock.now()))
    drive(lambda: scheduler.run(state), clock, 1.0)
    assert (1.0, "91 40 50") in sent(sink)
    assert sink.hanging() == set() or sink.hanging() == {(1, 64)}


def test_a_bar_that_comes_just_before_its_line_keeps_the_notes_of_the_bar_before():
    bars = [Bar(0, (Note(15, 1, 50, 4, 80),)), Bar(1, (Note(0, 1, 70, 2, 80),))]
    clock, sink, known_bars, scheduler, _, _ = made(bars, known=bars[:1])
    scheduler.start(0.0)
    drive(lambda: scheduler.run(playing()), clock, 1.99)
    known_bars.add(0, [bars[1]])
    scheduler.refresh(playing().position(clock.now()))
    drive(lambda: scheduler.run(playing()), clock, 2.0)
    assert sent(sink) == [(1.875, "91 32 50"), (2.0, "91 46 50"), (2.25, "81 46 00"), (2.375, "81 32 00")]


def test_a_newer_edition_waits_for_the_next_bar():
    clock, sink, known_bars, scheduler, _, _ = made(TWO_BARS)
    scheduler.start(0.0)
    drive(lambda: scheduler.run(playing()), clock, 0.6)
    known_bars.edit(1, range(2))
    known_bars.add(1, [Bar(0, (Note(8, 1, 99, 2, 80),)), Bar(1, (Note(0, 1, 98, 2, 80),))])
    scheduler.refresh(playing().position(clock.now()))
    drive(lambda: scheduler.run(playing()), clock, 2.0)
    assert [event[1] for event in sent(sink) if event[1].startswith("91")] == ["91 3c 50", "91 3c 46", "91 62 50"]


def test_library_drops_late_bars_of_older_editions():
    known_bars = KnownBars()
    known_bars.add(0, TWO_BARS)
    known_bars.edit(2, [1])
    assert len(known_bars) == 1
    assert known_bars.choose(1).kind == "stale"
    assert known_bars.add(1, [TWO_BARS[1]]) == []
    assert known_bars.add(2, [TWO_BARS[1]]) == [1]
    assert known_bars.choose(1) == BarChoice("known", TWO_BARS[1])
    assert known_bars.ahead(0) == 2


@pytest.mark.parametrize("jitter_s", [0.0, 0.0004])
def test_a_wandering_estimate_neither_loses_nor_doubles(jitter_s):
    bars = [Bar(index, tuple(Note(tick, 1, 40 + tick, 1, 80) for tick in range(16))) for index in range(8)]
    clock, sink, _, scheduler, _, _ = made(bars)
    scheduler.start(0.0)
    wobble = {"sign": 1}

    def tick():
        wobble["sign"] *= -1
        return scheduler.run(Transport(True, 100.0, wobble["sign"] * jitter_s))

    drive(tick, clock, 17.0, 0.003)
    assert len(sink.notes_on()) == 8 * 16


def test_a_short_bar_is_played_as_long_as_it_is():
    bars = [Bar(0, (Note(4, 1, 60, 8, 80),)), Bar(1, (Note(0, 1, 62, 2, 70),))]
    clock, sink, _, scheduler, beats, _ = made(bars)
    scheduler.timeline = Timeline(TempoMap((TempoPoint(0.0, 0.0, 120.0),), "4/4", ((0, 8),)), 2)
    scheduler.start(0.0)
    drive(lambda: scheduler.run(playing()), clock, 4.0)
    assert sent(sink) == [(0.5, "91 3c 50"), (1.0, "81 3c 00"), (1.0, "91 3e 46"), (1.25, "81 3e 00")]
    assert [beat[:3] for beat in beats] == [
        (0.0, 0, 0),
        (0.5, 0, 1),
        (1.0, 1, 0),
        (1.5, 1, 1),
        (2.0, 1, 2),
        (2.5, 1, 3),
    ]


def test_a_whole_bar_that_stands_in_for_a_short_one_ends_with_it():
    whole = Bar(0, (Note(0, 1, 60, 2, 80), Note(12, 1, 64, 2, 70)))
    clock, sink, _, scheduler, _, _ = made([whole] * 2, [whole])
    scheduler.timeline = Timeline(TempoMap((TempoPoint(0.0, 0.0, 120.0),), "4/4", ((1, 8),)), 2)
    scheduler.start(0.0)
    drive(lambda: scheduler.run(playing()), clock, 4.0)
    assert [at for at, message in sent(sink) if message.startswith("91")] == [0.0, 1.5, 2.0]


def test_the_beats_of_six_eight_are_two():
    clock, _, _, scheduler, beats, _ = made([Bar(0), Bar(1)])
    scheduler.timeline = Timeline(TempoMap((TempoPoint(0.0, 0.0, 120.0),), "6/8"), 2)
    scheduler.start(0.0)
    drive(lambda: scheduler.run(playing()), clock, 4.0)
    assert [beat[:3] for beat in beats] == [(0.0, 0, 0), (0.75, 0, 1), (1.5, 1, 0), (2.25, 1, 1)]
