"""Ableton Link: a peer of its own hears our tempo, our beats, and whether we play."""

import socket
import time

import pytest
from live_fakes import plain_plan, telling_bar
from live_kit import wait_for
from recorder import Recorder

from hitpoint.bridge.clock.clock import MonotonicClock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.hosts.link import QUANTUM_BEATS, LinkIn, LinkOut
from hitpoint.bridge.ipc.messages import BarsReady, Planned
from hitpoint.bridge.play.player import Player
from hitpoint.bridge.session.session import Session

link = pytest.importorskip("link", reason="Ableton Link is an extra: pip install 'hitpoint[link]'")
BPM = 132.0
GROUP = "224.76.78.75"
"""By which the peers find each other."""


@pytest.fixture
def player():
    clock, config = MonotonicClock(), Config()
    session = Session(clock, config, "0", lambda packet, address: None, lambda message: True, lambda level, text: None)
    session.player = Player(clock, Recorder(clock), config, session)
    session.player.set_plan(Planned("film", 0, 0, 0.0, 24.0, plain_plan(64, BPM), (0, 0, 0, 0, 0)))
    return session.player


def multicast_passes():
    """Whether a packet to Link's group comes back to this machine."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hears,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as says,
    ):
        hears.settimeout(2.0)
        try:
            hears.bind(("", 0))
            hears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + bytes(4))
            says.sendto(b"here", (GROUP, hears.getsockname()[1]))
            return hears.recv(16) == b"here"
        except OSError:
            return False


@pytest.mark.skipif(not multicast_passes(), reason="no multicast here, by which Link's peers find each other")
def test_a_peer_hears_tempo_beats_start_and_stop(player):
    peer = link.Link(100.0)
    peer.startStopSyncEnabled = peer.enabled = True
    ours = LinkOut()
    try:
        wait_for(lambda: peer.numPeers() and ours.peers, 30, "the peer")
        player.play(time.monotonic())

        def heard(playing):
            ours.feed(player, 0.0)
            state = peer.captureSessionState()
            return state if state.isPlaying() == playing and abs(state.tempo() - BPM) < 0.01 else None

        state = wait_for(lambda: heard(True), 5, "our start")
        micros = peer.clock().micros()
        off = state.phaseAtTime(micros, QUANTUM_BEATS) - player.timeline.beat_at_time(player.position())
        assert abs((off + QUANTUM_BEATS / 2) % QUANTUM_BEATS - QUANTUM_BEATS / 2) < 0.1
        player.stop(time.monotonic())
        wait_for(lambda: heard(False), 5, "our stop")
    finally:
        ours.close()
        peer.enabled = False


@pytest.mark.skipif(not multicast_passes(), reason="no multicast here, by which Link's peers find each other")
def test_a_peers_tempo_and_beats_are_followed(player):
    peer, ours = link.Link(100.0), LinkIn()
    player.set_plan(Planned("live", 0, 0, 0.0, 24.0, plain_plan(0, BPM), (0,) * 5, live=()))
    player.add_bars(BarsReady("live", 0, 0, tuple(telling_bar(index) for index in range(4))))
    peer.enabled = True
    try:
        wait_for(lambda: peer.numPeers() and ours.peers, 30, "the peer")
        state = peer.captureSessionState()
        state.setTempo(118.0, peer.clock().micros())
        peer.commitSessionState(state)

        def follows():
            ours.feed(player, time.monotonic())
            off = state_of(peer).phaseAtTime(peer.clock().micros(), QUANTUM_BEATS)
            player.tick()
            off -= player.timeline.beat_at_time(player.position())
            near = abs((off + QUANTUM_BEATS / 2) % QUANTUM_BEATS - QUANTUM_BEATS / 2) < 0.05
            return near and player.transport.playing and abs(player.led_bpm - 118.0) < 0.01

        wait_for(follows, 20, "the peer's beats", every=0.02)
    finally:
        ours.close()
        peer.enabled = False


def state_of(peer):
    return peer.captureSessionState()
