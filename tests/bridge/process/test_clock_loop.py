"""The clock's loop: nothing that it does beside the music takes longer than a note can wait."""

import pickle
import socket

import pytest

from hitpoint.bridge.clock.clock import TestClock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc import channel
from hitpoint.bridge.ipc.channel import Channel
from hitpoint.bridge.ipc.messages import Aim
from hitpoint.bridge.osc import codec
from hitpoint.bridge.process import clock_process
from hitpoint.bridge.process.clock_process import HOUSE_TAKES_S, HOUSE_WAITS_S, ClockLoop


@pytest.fixture
def room():
    """(the loop, the watchdog's end of its channel, the OSC socket)."""
    osc = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    osc.bind(("127.0.0.1", 0))
    osc.setblocking(False)
    ours, theirs = Channel.pair()
    loop = ClockLoop(osc, Channel(theirs), Config(midi_port="none", realtime=False), "1")
    yield loop, ours, osc
    ours.close()
    theirs.close()
    osc.close()


def test_music_goes_between_two_messages_of_the_watchdog_and_none_is_lost(room, monkeypatch):
    loop, watchdog, _ = room
    done, tick, unpack = [], loop._player.tick, pickle.loads
    monkeypatch.setattr(loop._player, "tick", lambda: done.append("music") or tick())
    monkeypatch.setattr(channel.pickle, "loads", lambda raw: done.append("unpack") or unpack(raw))
    monkeypatch.setattr(loop, "_obey", done.append)
    sent = [Aim("film", bar) for bar in range(3 * clock_process.MESSAGES_A_ROUND)]
    for message in sent:
        watchdog.send(message)
    for _ in range(5):
        loop._round()
    assert [each for each in done if isinstance(each, Aim)] == sent
    words = "".join({"music": "m", "unpack": "u"}.get(each, "o") for each in map(str, done))
    assert "uou" not in words and "uu" not in words


def test_housekeeping_waits_for_a_gap_in_the_music_but_not_for_ever(room, monkeypatch):
    loop, _, _ = room
    loop._clock = clock = TestClock(loop._next_housekeeping_s)
    kept = []
    monkeypatch.setattr(loop, "_housekeeping", lambda: kept.append(clock.now()))
    monkeypatch.setattr(loop._player, "tick", lambda: clock.now() + HOUSE_TAKES_S / 2)
    loop._keep_house()
    assert not kept
    clock.advance(1.1 * HOUSE_WAITS_S)
    loop._keep_house()
    assert len(kept) == 1
    monkeypatch.setattr(loop._player, "tick", lambda: clock.now() + 2 * HOUSE_TAKES_S)
    loop._keep_house()
    assert len(kept) == 2


def test_packets_that_take_long_are_read_a_few_at_a_time(room, monkeypatch):
    loop, _, osc = room
    loop._clock = clock = TestClock(1.0)
    heard = []
    monkeypatch.setattr(loop._session, "hear", lambda packet, sender: heard.append(packet) or clock.advance(0.004))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(50):
            stranger.sendto(codec.encode("/hitpoint/ping", 1), osc.getsockname())
    loop._read_osc(float("inf"))
    assert 1 <= len(heard) <= 2
