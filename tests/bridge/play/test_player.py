"""The player on a test clock: whatever a performer does, every note that should sound does, and none hangs."""

import random

import pytest
from live_fakes import BAR_S, plain_plan, telling_bar
from recorder import Recorder, drive

from hitpoint.bridge.clock.clock import TestClock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc.messages import BarsReady, Planned
from hitpoint.bridge.play.player import Player
from hitpoint.model.music.score import Bar, Note

PROGRAMS = (0, 0, 25, 33, 48)


class Heard:
    def __init__(self):
        self.beats, self.underruns, self.moves, self.lost = [], [], 0, []

    def on_beat(self, bar, beat, media_s):
        self.beats.append((bar, beat, media_s))

    def on_underrun(self, bar, choice):
        self.underruns.append((bar, choice.kind))

    def on_moved(self, seek):
        self.moves += 1

    def on_playhead_lost(self, silent_s):
        self.lost.append(silent_s)


class Stage:
    """A player with `bars` bars of a note on each tick, and what it played."""

    def __init__(self, bars=32, known=None, origin_s=0.0, **settings):
        self.clock = TestClock(1000.0)
        self.sink = Recorder(self.clock)
        self.heard = Heard()
        self.player = Player(self.clock, self.sink, Config(**settings), self.heard)
        self.plan = plain_plan(bars)
        self.player.set_plan(Planned("film", 0, 0, origin_s, 24.0, self.plan, PROGRAMS))
        every = [Bar(i, tuple(Note(t, 1, 30 + t, 1, 1 + i % 100) for t in range(16))) for i in range(bars)]
        self.bars = every
        self.player.add_bars(BarsReady("film", 0, 0, tuple(every if known is None else every[:known])))

    def run(self, seconds):
        drive(self.player.tick, self.clock, seconds)

    def notes(self, since=0):
        """(bar, tick) of the notes struck, in order, from event `since` on."""
        struck = [m for _, m in self.sink.events[since:] if m[0] == 0x90 and m[2]]
        return [(m[2] - 1, m[1] - 30) for m in struck]


def expected(start_s, end_s, bars=32):
    """(bar, tick) of the ticks in [start, end), seconds of the music."""
    tick_s = BAR_S / 16
    return [(n // 16, n % 16) for n in range(bars * 16) if start_s - 0.002 <= n * tick_s < end_s - 1e-6]


def test_programs_and_volume_come_before_the_first_note():
    stage = Stage(volumes={"piano": 0.5}, banks={"piano": 128 + 3})
    assert [m.hex() for _, m in stage.sink.events if m[0] & 0xF in (0, 9)] == [
        "c900", "b90764", "b00001", "b02003", "c000", "b00732",
    ]  # fmt: skip


def test_play_locate_stop():
    stage = Stage(origin_s=10.0)
    stage.player.locate(stage.clock.now(), 14.0)
    stage.player.play(stage.clock.now())
    stage.run(1.0)
    assert stage.notes() == expected(4.0, 5.001)
    stage.player.stop(stage.clock.now())
    assert stage.sink.hanging() == set()
    assert len(stage.sink.events[-48:]) == 48
    quiet = len(stage.sink.events)
    stage.run(3.0)
    assert len(stage.sink.events) == quiet


@pytest.mark.parametrize("slip_s", [-0.06, -0.03, 0.04, 0.08])
def test_a_host_that_stumbles_strikes_no_note_twice_and_loses_none(slip_s):
    stage = Stage()
    for number in range(150):
        slipped_s = slip_s * ((number >= 60) + (number >= 100))
        stage.player.hear_playhead(stage.clock.now(), number / 30 + slipped_s, True, None, None)
        stage.run(1 / 30)
    end_s = 5.0 + 2 * slip_s
    notes = stage.notes()
    assert notes == expected(0.0, end_s)[: len(notes)] and len(notes) >= len(expected(0.0, end_s)) - 1
    assert stage.heard.moves <= 8, "it was taken for a seek"
    assert stage.player.position() == pytest.approx(end_s, abs=0.004)


def test_seek_silences_within_the_call_and_the_first_note_is_there_at_once():
    stage = Stage()
    stage.player.play(stage.clock.now())
    stage.run(3.03)
    since = len(stage.sink.events)
    stage.player.locate(stage.clock.now(), 20.0)
    assert stage.sink.hanging() == set()
    stage.run(0.0)
    assert stage.notes(since) == [(10, 0)]


def test_loop_plays_each_round_whole():
    stage = Stage()
    stage.player.set_loop(stage.clock.now(), 2.0, 4.0)
    stage.player.locate(stage.clock.now(), 1.5)
    stage.player.play(stage.clock.now())
    stage.run(6.49)
    assert stage.notes() == expected(1.5, 4) + expected(2, 4) + expected(2, 4)
    assert [beat for beat in stage.heard.beats if beat[:2] == (1, 0)] == [(1, 0, 2.0)] * 3


def test_loop_of_a_followed_host_is_not_a_seek():
    stage = Stage()
    stage.player.set_loop(stage.clock.now(), 2.0, 4.0)
    start = stage.clock.now()
    for n in range(240):
        media = 1.0 + n / 30
        while media >= 4.0:
            media -= 2.0
        stage.player.hear_playhead(stage.clock.now(), media, True, None, None)
        drive(stage.player.tick, stage.clock, start + (n + 1) / 30 - stage.clock.now())
    assert stage.notes() == expected(1, 4) + expected(2, 4) * 2 + expected(2, 3.0001)


def test_a_playhead_that_stops_coming_means_stop():
    stage = Stage(playhead_timeout_s=0.5)
    for n in range(30):
        stage.player.hear_playhead(stage.clock.now(), n / 30, True, None, None)
        stage.run(1 / 30)
    stage.run(2.0)
    assert not stage.player.transport.playing
    assert stage.heard.lost and stage.heard.lost[0] == pytest.approx(0.5, abs=0.02)
    assert stage.sink.hanging() == set()


def test_explicit_play_needs_no_playhead():
    stage = Stage()
    stage.player.play(stage.clock.now())
    stage.run(5.0)
    assert stage.player.transport.playing


def test_scrubbing_is_silent_and_moves():
    stage = Stage()
    since = len(stage.sink.events)
    for n in range(30):
        stage.player.hear_playhead(stage.clock.now(), 10.0 + (n * 7) % 5, False, None, None)
        stage.run(1 / 30)
    assert stage.notes(since) == []
    assert stage.player.position() == 10.0 + (29 * 7) % 5


def test_a_host_that_never_says_whether_it_plays():
    stage = Stage()
    start = stage.clock.now()
    for n in range(60):
        stage.player.hear_playhead(stage.clock.now(), n / 30, None, None, None)
        drive(stage.player.tick, stage.clock, start + (n + 1) / 30 - stage.clock.now())
    assert stage.player.transport.playing
    assert stage.notes()[-1] in expected(1.7, 2.1)
    for _ in range(6):
        stage.player.hear_playhead(stage.clock.now(), 2.0, None, None, None)
        stage.run(1 / 30)
    assert not stage.player.transport.sounding
    assert stage.sink.hanging() == set()


def test_reverse_is_silent_and_forward_sounds_again():
    stage = Stage()
    stage.player.locate(stage.clock.now(), 8.0)
    stage.player.play(stage.clock.now())
    stage.run(1.0)
    stage.player.set_rate(stage.clock.now(), -1.0)
    assert stage.sink.hanging() == set()
    since = len(stage.sink.events)
    stage.run(2.0)
    assert stage.notes(since) == []
    stage.player.set_rate(stage.clock.now(), 1.0)
    stage.run(1.0)
    assert stage.notes(since) == expected(7.0, 8.001)


def test_unknown_bars_are_stood_in_for_and_counted():
    stage = Stage(known=4)
    stage.player.locate(stage.clock.now(), 16.0)
    stage.player.play(stage.clock.now())
    stage.run(0.5)
    assert stage.player.state == "fallback"
    assert stage.notes() == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)]
    assert stage.heard.underruns == [(8, "fallback")]
    since = len(stage.sink.events)
    stage.player.add_bars(BarsReady("film", 0, 0, (stage.bars[8],)))
    stage.run(0.5)
    assert stage.player.state == "playing"
    assert stage.notes(since) == expected(16.5, 17.001)
    assert stage.player.underruns == 1


def test_pre_roll_decides_when_the_bridge_is_ready():
    assert Stage(known=1, preroll_bars=2).player.state == "working"
    assert Stage(known=2, preroll_bars=2).player.state == "ready"


def test_another_take_is_heard_at_the_next_bar():
    stage = Stage()
    stage.player.play(stage.clock.now())
    stage.run(1.0)
    player = stage.player
    assert player.next_bar == 1
    player.set_plan(Planned("film", 1, 1, 0.0, 24.0, stage.plan, PROGRAMS, tuple(range(32))))
    player.add_bars(BarsReady("film", 1, 1, tuple(telling_bar(i, seed=40) for i in range(2, 32))))
    stage.run(4.5)
    velocities = [m[2] for _, m in stage.sink.events if m[0] == 0x90 and m[2]]
    assert velocities == [1] * 16 + [2] * 16 + [100] * 4
    assert stage.heard.underruns == []


@pytest.mark.parametrize("seed", range(4))
def test_200_random_moves_lose_no_note_and_hang_none(seed):
    """Plays, seeks, loops and changes of speed: after each, exactly the notes of the stretch played have sounded."""
    dice = random.Random(seed)
    stage = Stage()
    player, clock = stage.player, stage.clock
    for _ in range(50):
        place = dice.choice([dice.randrange(480) * BAR_S / 16, dice.uniform(0, 60)])
        rate = dice.choice([1.0, 1.0, 0.5, 2.0, 0.731, 4.0])
        loop = dice.random() < 0.3
        player.stop(clock.now())
        start, end = place, place + dice.uniform(0.2, 3.0)
        player.set_loop(clock.now(), start, end) if loop else player.set_loop(clock.now(), 0, 0)
        player.set_rate(clock.now(), rate)
        player.locate(clock.now(), start)
        since = len(stage.sink.events)
        player.play(clock.now())
        seconds = dice.uniform(0.05, 4.0)
        stage.run(seconds)
        length = end - start
        reached = seconds * rate
        want = []
        while loop and reached >= length:
            want += expected(start, end)
            reached -= length
        want += expected(start, start + reached)
        got = stage.notes(since)
        near = expected(start, start + reached + 1e-4)
        assert got in (want, want[: len(want) - len(expected(start, start + reached))] + near)
        assert len(stage.sink.hanging()) <= 2
    player.stop(clock.now())
    assert stage.sink.hanging() == set()


def test_restored_player_goes_on_where_the_old_one_was():
    old, new = Stage(), Stage()
    old.player.mute(0, True)
    old.player.locate(old.clock.now(), 6.0)
    old.player.play(old.clock.now())
    old.run(1.0)
    new.clock.time_s = old.clock.now() + 0.3
    new.player.restore(old.player.live_state())
    since = len(new.sink.events)
    new.run(0.5)
    assert new.player.position() == pytest.approx(7.8)
    assert new.notes(since) == expected(7.3, 7.8001)
    assert new.player.muted == {0}


@pytest.mark.parametrize("rate_hz", [8, 10, 25, 30, 60])
@pytest.mark.parametrize("start_s", [0.0, 8.0])
@pytest.mark.parametrize("stood", ["silent", "told once", "told all the time"])
def test_seconds_without_flags_lose_no_downbeat(rate_hz, start_s, stood):
    stage = Stage()
    clock, player = stage.clock, stage.player
    player.locate(clock.now(), start_s)
    for _ in range({"silent": 0, "told once": 1, "told all the time": 20}[stood]):
        player.hear_playhead(clock.now(), start_s, None, None, None)
        stage.run(1.0 / rate_hz)
    if stood == "told once":
        stage.run(3.0)
    assert stage.notes() == []
    for number in range(1, 3 * rate_hz):
        stage.run(1.0 / rate_hz)
        player.hear_playhead(clock.now(), start_s + number / rate_hz, None, None, None)
    struck = stage.notes()
    assert len(struck) > 20
    assert struck == expected(start_s, start_s + 4.0)[: len(struck)], "from the downbeat on, each once"
    assert player.position() == pytest.approx(start_s + (3 * rate_hz - 1) / rate_hz, abs=0.02)


def test_a_host_that_is_dragged_about_without_flags_does_not_play():
    stage = Stage()
    for place_s in (3.0, 9.0, 1.0, 14.0, 14.0, 2.0):
        stage.run(0.05)
        stage.player.hear_playhead(stage.clock.now(), place_s, None, None, None)
    stage.run(1.0)
    assert stage.notes() == [] and not stage.player.transport.playing


@pytest.mark.parametrize("settings", [{}, {"midi_clock": True, "mtc": True}])
@pytest.mark.parametrize("buttons", [False, True])
def test_scrubbing_leaves_a_midi_cable_room(settings, buttons):
    stage = Stage(**settings)
    stage.player.play(stage.clock.now())
    stage.run(1.0)
    before = len(stage.sink.events)
    for jump in range(240):
        if buttons:
            stage.player.stop(stage.clock.now())
        stage.player.locate(stage.clock.now(), (jump * 37 % 60) + 0.01)
        if buttons:
            stage.player.play(stage.clock.now())
        stage.run(1 / 60)
    sent = sum(len(message) for _, message in stage.sink.events[before:])
    assert sent / 4.0 < 1000, "bytes a second"
    stage.player.stop(stage.clock.now())
    stage.run(1.0)
    assert stage.sink.hanging() == set()
    last = {message[0] for _, message in stage.sink.events[-60:] if message[0] & 0xF0 == 0xB0 and message[1] == 120}
    assert len(last) == 16, "silence on every channel at last"
