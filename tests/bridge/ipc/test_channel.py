"""Messages between processes: whole, in order, bounded, and an end that is noticed. And the remembered connections."""

import pytest
from live_fakes import telling_bar
from rich.console import Console

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc import channel
from hitpoint.bridge.ipc.channel import MAX_WAITING_BYTES, Channel, ChannelClosed
from hitpoint.bridge.ipc.messages import Aim, BarsReady
from hitpoint.bridge.ipc.supervision import Heartbeat
from hitpoint.bridge.midi.guard import Guard
from hitpoint.bridge.midi.jack_connections import Wiring
from hitpoint.bridge.process.screen import Screen


def both():
    ours, theirs = Channel.pair()
    return ours, Channel(theirs)


def test_messages_arrive_whole_and_in_order():
    one, two = both()
    sent = [Aim("film", 1), BarsReady("film", 0, 0, tuple(telling_bar(i) for i in range(400))), "x" * 300_000, 7]
    for message in sent:
        assert one.send(message)
    got = []
    while len(got) < len(sent):
        one.flush()
        assert two.wait(1.0)
        got += two.receive()
    assert got == sent


def test_waiting_for_nothing_is_no_error_where_select_says_so(monkeypatch):
    def as_on_windows(readers, writers, odd, timeout_s):
        raise OSError(10022, "an invalid argument was supplied")

    monkeypatch.setattr(channel.select, "select", as_on_windows)
    assert channel.wait_for_any([], [], 0.001) == ([], [])


def test_a_reader_that_does_not_read_stops_the_writer_from_growing():
    one, _ = both()
    while one.send("x" * 1_000_000):
        pass
    assert one.waiting
    assert not one.send("more")
    assert MAX_WAITING_BYTES < 64 << 20


def test_the_others_end_is_noticed_after_its_last_words():
    one, two = both()
    one.send("last words")
    one.close()
    assert two.receive() == ["last words"]
    with pytest.raises(ChannelClosed):
        two.receive()
    with pytest.raises(ChannelClosed):
        for _ in range(3):
            two.send("hello?")


def test_connections_are_remembered_made_again_and_forgotten_when_taken_away():
    wiring = Wiring()
    assert wiring.update({"out": {"synth:in", "daw:in"}}, {"synth:in", "daw:in"}) == []
    assert wiring.update({"out": {"daw:in"}}, {"daw:in"}) == [], "the synth went away"
    assert wiring.update({"out": {"daw:in"}}, {"synth:in", "daw:in"}) == [("out", "synth:in")], "and came back"
    wiring.update({"out": {"synth:in", "daw:in"}}, {"synth:in", "daw:in"})
    for _ in range(2):
        assert wiring.update({"out": {"synth:in"}}, {"synth:in", "daw:in"}) == [], "somebody unplugged the DAW"
    wiring.forget_seen()
    assert wiring.update({"out": set()}, {"synth:in", "daw:in"}) == [("out", "synth:in")], "our port is new"
    assert wiring.destinations() == {"synth:in"}


def test_connections_that_a_killed_client_loses_before_its_port_are_not_forgotten():
    wiring = Wiring()
    wiring.update({"out": {"synth:in"}}, {"synth:in"})
    assert wiring.update({"out": set()}, {"synth:in"}) == [], "its port is still there for a moment"
    assert wiring.update({}, {"synth:in"}) == []
    assert wiring.update({"out": set()}, {"synth:in"}) == [("out", "synth:in")], "its successor's is there"


class Patchbay:
    """One port of ours, connected or not."""

    alive = True

    def __init__(self):
        self.name, self.connected = "Hitpoint:out", {"synth:in"}

    def sources(self, client_name):
        return {"out": self.name} if client_name == "Hitpoint" else {}

    def destinations(self, source):
        return set(self.connected)

    def inputs(self):
        return {"synth:in"}

    def connect(self, source, destination):
        self.connected.add(destination)


@pytest.mark.parametrize("how", ["the clock died", "another port"])
def test_the_guard_connects_again_whatever_a_dead_clock_leaves_in_jack(how):
    guard = Guard(Config())
    guard._patchbay = patchbay = Patchbay()
    for _ in range(2):
        guard._wire()
    patchbay.connected.clear()
    if how == "the clock died":
        guard.lost()
    else:
        patchbay.name = "Hitpoint-01:out"
    for _ in range(3):
        guard._wire()
    assert patchbay.connected == {"synth:in"}


def test_the_screen_shows_what_matters():
    beat = Heartbeat(
        "playing", ("blender",), "Hitpoint:out", "film", 1, 12.5, 2.0, 6, 9, 15, 19, 0.05, 9.0, 12.0, 321, 2, 4, False,
        "bar 3 is late",
    )  # fmt: skip
    console = Console(record=True, width=110)
    screen = Screen("127.0.0.1:7710", console)
    console.print(screen.draw(beat, {"clock": 1, "composer": 0}))
    console.print(screen.draw(None, {}))
    text = console.export_text()
    for word in ("playing", "blender", "take 1: 15 of 19 bars", "12.500 s × 2", "9 bars ahead", "p99 9.00", "2",
                 "4 messages", "clock 1×", "bar 3 is late", "ordinary priority", "starting"):  # fmt: skip
        assert word in text
