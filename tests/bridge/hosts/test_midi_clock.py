"""A MIDI clock that leads: a film's music by its song position, music without end from its next bar on."""

import random
from collections import deque

import pytest
from live_fakes import plain_plan, telling_bar
from recorder import Recorder, drive

from hitpoint.bridge.clock.clock import TestClock
from hitpoint.bridge.config.settings import Config, load_config
from hitpoint.bridge.errors import UsageError
from hitpoint.bridge.hosts.midi_clock import MidiClockIn
from hitpoint.bridge.ipc.messages import BarsReady, Planned
from hitpoint.bridge.play.player import Player

TICK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
BPM = 120.0


class Quiet:
    """A listener."""

    def __getattr__(self, name):
        return lambda *_: None


class Stage:
    """A player led by a clock of `bpm`, each message up to `jitter_s` late."""

    def __init__(self, live=False, bars=64, jitter_s=0.0):
        self.clock, self.heard, self.rng = TestClock(100.0), deque(), random.Random(3)
        self.jitter_s = jitter_s
        self.player = Player(self.clock, Recorder(self.clock), Config(), Quiet())
        self.host = MidiClockIn(type("Port", (), {"heard": self.heard, "close": lambda self: None})())
        if live:
            plan = plain_plan(0, BPM)
            self.player.set_plan(Planned("live", 0, 0, 0.0, 25.0, plan, (0,) * 5, live=()))
        else:
            self.player.set_plan(Planned("film", 0, 0, 0.0, 25.0, plain_plan(bars, BPM), (0,) * 5))
        self.beats = 0.0

    def know(self, *bars):
        job = self.player.planned.job
        self.player.add_bars(BarsReady(job, 0, 0, tuple(telling_bar(index) for index in bars)))

    def say(self, *message):
        for each in message:
            self.heard.append((self.clock.now(), each))

    def clocks(self, count, bpm=BPM):
        """So many clocks, from now on."""
        for _ in range(count):
            self.heard.append((self.clock.now() + self.rng.uniform(0, self.jitter_s), TICK))
            self.host.feed(self.player, self.clock.now())
            drive(self.player.tick, self.clock, 60.0 / bpm / 24)
        self.beats += count / 24

    @property
    def beat(self):
        return self.player.timeline.beat_at_time(self.player.position())


def test_start_stop_continue_and_song_position():
    stage = Stage()
    stage.say(START)
    stage.clocks(96)
    assert stage.player.transport.playing and stage.beat == pytest.approx(4.0, abs=0.03)
    stage.say(STOP)
    stage.host.feed(stage.player, stage.clock.now())
    assert not stage.player.transport.playing
    stage.say(bytes((0xF2, 32, 0)), CONTINUE)  # the 32nd sixteenth: the third bar
    stage.clocks(24)
    assert stage.beat == pytest.approx(9.0, abs=0.05)


@pytest.mark.parametrize("bpm", [90.0, 118.0, 126.0, 150.0])
def test_another_tempo_is_followed(bpm):
    stage = Stage(bars=200, jitter_s=0.001)
    stage.say(START)
    stage.clocks(24 * 8)
    off = []
    for _ in range(24 * 12):
        stage.clocks(1, bpm)
        off.append(abs(stage.beat - stage.beats) * 60 / bpm)
    assert max(off[24 * 4 :]) < 0.012 and stage.player.led_bpm == pytest.approx(bpm, rel=0.01)


def test_music_without_end_begins_with_the_leaders_next_bar():
    stage = Stage(live=True)
    stage.clocks(24 * 5)  # it runs already, and nothing is there to be played
    assert not stage.player.transport.playing
    stage.know(0, 1, 2)
    stage.clocks(24 * 2)
    assert not stage.player.transport.playing
    stage.clocks(24 * 3)
    assert stage.player.transport.playing and stage.beat == pytest.approx(2.0, abs=0.05)


def test_a_silent_leader_stops_the_music_and_is_forgotten():
    stage = Stage()
    stage.say(START)
    stage.clocks(48)
    drive(stage.player.tick, stage.clock, 3.0)
    stage.host.feed(stage.player, stage.clock.now())
    assert not stage.player.transport.playing and stage.player.led_bpm is None


def test_whom_to_follow_is_checked():
    with pytest.raises(UsageError, match="midi, midi:NAME or link"):
        load_config(None, follow="mtc")
