"""Hostile OSC: damaged packets by the hundred thousand through the whole session, then a flood while music plays.

    python tests/bench/bench_live_hostile.py [--packets 200000] [--seconds 8] [--rate 50000] [--full]

Full length: a million packets, a flood of 20 s. Baseline: python-osc's own decoder on the same packets (each with
a bound of 1 s, since it hangs on some).
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import random
import signal
import socket
import struct
import tempfile
import time

from live_bench import settings  # isort: skip
from live_kit import Bridge, Client, JackServer, RemoteEars, notes_on
from recorder import Recorder
from test_codec import HOSTILE, nested

from hitpoint.bridge.osc import codec
from hitpoint.bridge.osc.protocol import INCOMING
from hitpoint.bridge.play.player import Player

BAR_S = 0.2
"""Short bars: the lateness of hundreds of notes, and not that of the one with which playing began."""


def packets(count, seed=1):
    """Damaged real messages, noise, and the known hostile ones."""
    dice = random.Random(seed)
    addresses = list(INCOMING)
    known = [*HOSTILE.values(), nested(50), codec.bundle([codec.encode("/a")] * 300)]
    values = [0, 1, -1, 2.5, 1e300, "film", "", "x" * 300, b"blob", None, True, 2**40]
    for _ in range(count):
        kind = dice.random()
        if kind < 0.1:
            yield dice.choice(known)
        elif kind < 0.3:
            yield dice.randbytes(dice.randrange(200))
        else:
            packet = bytearray(
                codec.encode(dice.choice(addresses), *(dice.choice(values) for _ in range(dice.randrange(6))))
            )
            for _ in range(dice.randrange(4)):
                packet[dice.randrange(len(packet))] = dice.randrange(256)
            if dice.random() < 0.2:
                packet = packet[: dice.randrange(len(packet) + 1)]
            yield bytes(packet)


def fuzz(count):
    """Every packet through a whole session with a player; (packets a second, slowest packet in ms)."""
    from hitpoint.bridge.clock.clock import MonotonicClock
    from hitpoint.bridge.config.settings import Config
    from hitpoint.bridge.session.session import Session

    clock = MonotonicClock()
    config = Config(roots=["/"])
    session = Session(clock, config, "0", lambda packet, address: None, lambda message: True, lambda level, text: None)
    session.player = Player(clock, Recorder(clock), config, session)
    slowest = spent = 0.0
    for packet in packets(count):
        began = time.thread_time()  # the processor's: what others take of a busy machine is no fault of the packet
        session.hear(packet, ("127.0.0.1", 9))
        took = time.thread_time() - began
        spent += took
        slowest = max(slowest, took)
        session.player.sink.events.clear()
    return count / spent, 1000 * slowest


def python_osc(count=2000):
    """(packets a second, packets that hung for a second, packets that raised what they should not)."""
    from pythonosc.osc_packet import OscPacket, ParseError

    def late(signum, frame):
        raise TimeoutError

    logging.disable(logging.CRITICAL)  # it logs each one
    signal.signal(signal.SIGALRM, late)
    hung = wrong = 0
    spent = 0.0
    for packet in [*HOSTILE.values(), *packets(count)]:
        began = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, 1.0)
        try:
            OscPacket(packet)
        except ParseError:
            pass
        except TimeoutError:
            hung += 1
        except Exception:
            wrong += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        spent += time.perf_counter() - began
    return count / spent, hung, wrong


def strangers(minutes=10, guesses_a_second=200):
    """Tokens compared a minute while one address guesses, and while each guess comes from another; and the most bytes
    sent for each heard to an address that never said its word back, the right token and all messages included."""
    from hitpoint.bridge.clock.clock import TestClock
    from hitpoint.bridge.config.settings import Config
    from hitpoint.bridge.session.session import Session

    def met(config):
        clock, sent = TestClock(100.0), {}

        def send(packet, address):
            sent[address] = sent.get(address, 0) + len(packet)

        session = Session(clock, config, "0", send, lambda message: True, lambda level, text: None)
        session.player = Player(clock, Recorder(clock), config, session)
        return clock, session, sent

    checked = []
    for many in (False, True):
        clock, session, _ = met(Config(roots=["/"], host="0.0.0.0", token="open sesame"))
        for number in range(minutes * 60 * guesses_a_second):
            address = (f"198.51.{number % 200}.{number // 200 % 200}", 9) if many else ("192.0.2.7", 9)
            session.hear(codec.encode("/hitpoint/hello", "x", "1", 2, f"guess {number}"), address)
            clock.advance(1 / guesses_a_second)
            if number % 20 == 0:
                session.housekeeping()
        checked.append(session._greeter._door.checked / minutes)
    clock, session, sent = met(Config(roots=["/"], host="0.0.0.0", token="open sesame"))
    heard, far = 0, ("192.0.2.7", 9)
    most = 0.0
    for packet in [codec.encode("/hitpoint/hello", "x", "1", 2, "open sesame"), *packets(20_000, seed=2)]:
        heard += len(packet)
        session.hear(packet, far)
        clock.advance(0.01)
        session.housekeeping()
        most = max(most, sent.get(far, 0) / max(heard, 1))
    return *checked, most


def flood(port, rate, seconds, sent):
    """Send valid and damaged packets at `rate` a second for `seconds`."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    store = [
        codec.encode("/hitpoint/ping", 1),
        codec.encode("/x"),
        b"nonsense",
        struct.pack(">8sQi", b"#bundle", 1, -4),
    ]
    began, count = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        if count < passed * rate:
            with contextlib.suppress(OSError):
                sock.sendto(store[count % len(store)], ("127.0.0.1", port))
            count += 1
    sent.value = count


def lateness(client, seconds):
    """p50 and p99 in ms of the notes of the last 1,000 events, as the bridge tells them in so long."""
    until, told = time.monotonic() + seconds, (float("nan"), float("nan"))
    while time.monotonic() < until:
        time.sleep(0.1)
        told = next((m.arguments for _, m in reversed(client.hear()) if m.address == "/hitpoint/late"), told)
    return told


def main():
    options = settings(__doc__, packets=(200_000, 1_000_000), seconds=(8.0, 20.0), rate=50_000)
    speed, slowest = fuzz(options.packets)
    print(f"{options.packets} damaged packets heard: {speed:,.0f} a second, slowest {slowest:.2f} ms, no death")
    base, hung, wrong = python_osc()
    print(f"baseline python-osc: {base:,.0f} a second, {hung} hung for a second, {wrong} escaped as other errors")
    one, many, most = strangers()
    print(
        f"200 guesses of the token a second: {one:.1f} a minute are compared of one address, {many:.1f} of as many "
        f"addresses; at most {most:.2f} bytes sent for each heard to an address that proved nothing (1)"
    )
    with (
        JackServer(64),
        RemoteEars() as ears,
        Bridge(tempfile.mkdtemp(prefix="hitpoint-bench-"), "--no-revive") as bridge,
        Client(bridge.port) as client,
    ):
        bars = int(2 * options.seconds / BAR_S) + 16
        client.score(path=f"/clips/{bars}.mp4", tempo=str(240 / BAR_S))
        ears.connect("Hitpoint:out")
        client.say("/hitpoint/play")
        calm = lateness(client, options.seconds)
        ears.take()
        pids = bridge.pids()
        sent = multiprocessing.Value("q", 0)
        flooding = multiprocessing.Process(
            target=flood, args=(bridge.port, options.rate, options.seconds, sent), daemon=True
        )
        flooding.start()
        late = lateness(client, options.seconds)
        flooding.join(30)
        notes = len([note for note in notes_on(ears.take()) if note[1] == 0])
        print(f"flood: {sent.value / options.seconds:,.0f} packets a second sent for {options.seconds:g} s")
        due, same = int(options.seconds * 4 / BAR_S), bridge.pids() == pids
        print(f"notes heard {notes}, due about {due}; same processes: {same}; load {os.getloadavg()[0]:.1f}")
        print(f"lateness of the last notes: p50 {late[0]:.2f}, p99 {late[1]:.2f} ms (target 0.5)")
        print(f"before the flood: p50 {calm[0]:.2f}, p99 {calm[1]:.2f} ms")
        at = time.monotonic()
        client.say("/hitpoint/ping", 5)
        client.wait("/hitpoint/pong", 5, lambda a: a[0] == 5)
        print(f"answers a ping {1000 * (time.monotonic() - at):.1f} ms after the flood")


if __name__ == "__main__":
    main()
