"""The conductor: begins the music, lets the eye look once it sounds, and ends both."""

import socket
import threading

import pytest

from hitpoint.bridge.errors import InputError, MissingError, UsageError
from hitpoint.bridge.live.conductor import Conductor
from hitpoint.bridge.live.sources import Source
from hitpoint.bridge.osc import codec


class Bridge:
    """Answers hello, and says what it is told to."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(10)
        self.address = self.sock.getsockname()

    def hear(self, address):
        """The next message to `address`, and from whom."""
        while True:
            packet, sender = self.sock.recvfrom(65536)
            for message in codec.decode(packet):
                if message.address == address:
                    return message.arguments, sender

    def say(self, to, *message):
        self.sock.sendto(codec.encode(*message), to)


@pytest.fixture
def bridge():
    made = Bridge()
    yield made
    made.sock.close()


def state(name, job="live"):
    return ("/hitpoint/state", name, job, 0, 0.0, 0, 0, 0, 0, "port")


def test_it_begins_and_ends_with_the_music(bridge):
    stopped = threading.Event()
    conductor = Conductor(None, ("genre", "rock"), "a token of ours")
    conductor.begin(bridge.address, stopped.set)
    try:
        hello, sender = bridge.hear("/hitpoint/hello")
        assert hello[-1] == "a token of ours"
        assert not conductor.leave()  # before there is music, Ctrl-C ends it at once
        bridge.say(sender, "/hitpoint/welcome", "1", 2, "port", "idle")
        assert bridge.hear("/hitpoint/live")[0] == ("genre", "rock")
        bridge.say(sender, *state("idle", ""))
        bridge.say(sender, *state("playing"))
        assert not stopped.wait(0.3)
        assert conductor.leave() and bridge.hear("/hitpoint/stop") and not conductor.leave()
        bridge.say(sender, *state("idle", ""))
        assert stopped.wait(10) and conductor.error is None
    finally:
        conductor.close()


def test_what_the_bridge_refuses_is_raised_at_the_end(bridge):
    stopped = threading.Event()
    conductor = Conductor(None, (), "")
    conductor.begin(bridge.address, stopped.set)
    try:
        _, sender = bridge.hear("/hitpoint/hello")
        bridge.say(sender, "/hitpoint/welcome", "1", 2, "port", "idle")
        bridge.hear("/hitpoint/live")
        bridge.say(sender, "/hitpoint/error", "usage", "no such thing", "live", 0)
        assert stopped.wait(10) and isinstance(conductor.error, UsageError) and "no such" in str(conductor.error)
    finally:
        conductor.close()


@pytest.mark.parametrize(("name", "kind"), [("nothing.mp4", InputError), ("camera:77", MissingError)])
def test_a_source_that_is_not_there_is_said_before_anything_begins(name, kind):
    with pytest.raises(kind, match=r"check the path|cannot be opened"):
        Conductor(Source(name), (), "").prepare()
