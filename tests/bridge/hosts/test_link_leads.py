"""A Link session that leads, with a stand-in for the extra: its beats are the player's from its next bar on."""

import sys
from types import SimpleNamespace

import pytest
from live_fakes import plain_plan, telling_bar
from recorder import Recorder, drive

from hitpoint.bridge.clock.clock import TestClock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import MissingError
from hitpoint.bridge.hosts.base import wanted_hosts
from hitpoint.bridge.hosts.link import LinkIn
from hitpoint.bridge.ipc.messages import BarsReady, Planned
from hitpoint.bridge.play.player import Player


class Nobody:
    def __getattr__(self, name):
        return lambda *_: None


@pytest.fixture
def clock(monkeypatch):
    """The session's clock; its tempo is 126, and it stood at beat 6.5 when the test began."""
    clock, began_s = TestClock(100.0), 100.0

    class Session:
        def __init__(self, bpm):
            self.enabled = False

        def clock(self):
            return SimpleNamespace(micros=lambda: round(clock.now() * 1e6))

        def captureSessionState(self):
            beat = lambda micros, quantum: 6.5 + (micros / 1e6 - began_s) * 126 / 60  # noqa: E731
            return SimpleNamespace(tempo=lambda: 126.0, beatAtTime=beat)

    monkeypatch.setitem(sys.modules, "link", SimpleNamespace(Link=Session))
    return clock


def test_music_without_end_goes_with_the_session(clock):
    player = Player(clock, Recorder(clock), Config(), Nobody())
    player.set_plan(Planned("live", 0, 0, 0.0, 25.0, plain_plan(0, 120.0), (0,) * 5, live=()))
    player.add_bars(BarsReady("live", 0, 0, tuple(telling_bar(index) for index in range(4))))
    host = LinkIn()
    for _ in range(round(6 / host.every_s)):
        host.feed(player, clock.now())
        drive(player.tick, clock, host.every_s)
    session_beat = 6.5 + (clock.now() - 100.0) * 126 / 60
    assert player.led_bpm == 126.0 and player.transport.playing
    assert player.timeline.beat_at_time(player.position()) == pytest.approx(session_beat - 8.0, abs=0.03)


def test_it_is_wanted_where_it_leads_and_said_where_it_lacks(monkeypatch):
    (host,) = wanted_hosts(Config(follow="link"))
    monkeypatch.setitem(sys.modules, "link", None)
    with pytest.raises(MissingError, match=r"hitpoint\[link\]"):
        host.in_clock(Config(follow="link"))
