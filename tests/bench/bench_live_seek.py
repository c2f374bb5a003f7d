"""Seeking live, over JACK: locate → silence → first new note, bar known and unknown; notes lost in random moves.

    python tests/bench/bench_live_seek.py [--seeks 40] [--moves 40] [--bar-s 0.2] [--full]

Full length: 200 random moves. The composer is the tests' own, at 0.2 s a bar. Baseline: a ping's way there and back.
"""

from __future__ import annotations

import os
import random
import tempfile
import time

from live_bench import settings  # isort: skip
from live_fakes import BAR_S
from live_kit import RATE, Bridge, Client, JackServer, RemoteEars, hanging, notes_on

PERIOD = 64


def quantiles(name, values, target):
    values = sorted(values)
    if not values:
        print(f"{name:44} nothing measured")
        return
    p50, p95 = values[len(values) // 2], values[int(0.95 * (len(values) - 1))]
    print(
        f"{name:44} n {len(values):3}  p50 {p50:7.2f}  p95 {p95:7.2f}  max {values[-1]:8.2f} ms (target {target})",
        flush=True,
    )


def seek(client, ears, place_s, within_s=3.0):
    """(ms to silence or None where nothing sounded, ms to the first note) after a locate."""
    before = ears.take()
    sounding = hanging(before)
    at = ears.frame
    client.say("/hitpoint/locate", place_s)
    events, until = [], time.monotonic() + within_s
    while time.monotonic() < until:
        events += [(frame, m) for frame, m in ears.take() if frame >= at - 64]
        if notes_on(events):
            break
        time.sleep(0.002)
    offs = [frame for frame, m in events if m[0] & 0xF0 == 0xB0 and m[1] == 120]
    first = notes_on(events)
    silent_ms = 1000 * (offs[15] - at) / RATE if sounding and len(offs) > 15 else None
    return silent_ms, (1000 * (first[0][0] - at) / RATE if first else None)


def ping_ms(client, count=100):
    found = []
    for number in range(count):
        at = time.monotonic()
        client.say("/hitpoint/ping", number)
        client.wait("/hitpoint/pong", 2)
        found.append(1000 * (time.monotonic() - at))
    return found


def known(client, ears, seeks, bars):
    dice = random.Random(1)
    silent, first = [], []
    client.say("/hitpoint/play")
    for _ in range(seeks):
        time.sleep(dice.uniform(0.3, 0.7))
        a, b = seek(client, ears, dice.randrange(bars - 2) * BAR_S)
        silent += [a] if a is not None else []
        first += [b] if b is not None else []
    client.say("/hitpoint/stop")
    return silent, first


def unknown(folder, seeks, bar_s):
    """A fresh job for each seek, far beyond what is composed: to the fallback's first note, and to the real bar."""
    stand_in, real = [], []
    with (
        Bridge(folder, "--no-revive", bar_s=bar_s) as bridge,
        Client(bridge.port) as client,
        RemoteEars("ears2") as ears,
    ):
        ears.connect("Hitpoint:out")
        for number in range(seeks):
            client.score(f"job{number}", "/clips/64.mp4", wait=False)
            client.wait("/hitpoint/state", 20, lambda s, n=number: s[1] == f"job{n}" and s[5] >= 2)
            client.say("/hitpoint/locate", 0.0)
            client.say("/hitpoint/play")
            time.sleep(0.3)
            client.hear()
            target = 20 + 7 * number % 35  # far from the last one, around which the next job begins
            at = time.monotonic()
            _, first = seek(client, ears, target * BAR_S)
            stand_in += [first] if first is not None else []
            client.wait("/hitpoint/bar", 10, lambda bar, t=target: bar[1] == t)
            real.append(1000 * (time.monotonic() - at))
            client.say("/hitpoint/stop")
            client.say("/hitpoint/cancel", f"job{number}")
            time.sleep(0.2)
    return stand_in, real


def random_moves(client, ears, moves, bars):
    """Plays, seeks, loops, speeds; every note of each stretch must come exactly as often as it was passed.

    Of the lost ones, those of moves in which JACK lost periods, and with them whatever was sent, are counted apart.
    """
    dice = random.Random(2)
    lost = doubled = expected = jacks = 0
    hung = 0
    for _ in range(moves):
        client.say("/hitpoint/stop")
        time.sleep(0.1)
        hung += len(hanging(ears.take()))
        start = dice.randrange(bars * 4 - 16) * BAR_S / 4
        rate = dice.choice([1.0, 1.0, 0.5, 2.0])
        looped = dice.random() < 0.3
        length = dice.choice([1.0, 1.5, 2.0])
        client.say("/hitpoint/loop", start, start + length if looped else start)
        client.say("/hitpoint/rate", rate)
        client.say("/hitpoint/locate", start)
        seconds = dice.uniform(0.5, 2.0)
        began, missed = time.monotonic(), ears.frame - ears.passed
        client.say("/hitpoint/play")
        time.sleep(seconds)
        client.say("/hitpoint/stop")
        played = (time.monotonic() - began) * rate
        time.sleep(0.05)
        heard = [pitch for _, channel, pitch, _ in notes_on(ears.take()) if channel == 0]
        beats, place, left = [], start, played - 0.004 * rate
        while left >= 0:
            beat = round(place / (BAR_S / 4))
            beats.append(36 + (beat // 4) % 60)
            place += BAR_S / 4
            if looped and place >= start + length - 1e-6:
                place = start
            left -= BAR_S / 4
        expected += len(beats)
        gone = max(0, len(beats) - len(heard)) or sum(a != b for a, b in zip(beats, heard, strict=False))
        if ears.frame - ears.passed - missed > 2 * PERIOD:
            jacks += gone
        else:
            lost += gone
        doubled += max(0, len(heard) - len(beats) - 1)
    client.say("/hitpoint/loop", 0.0, 0.0)
    client.say("/hitpoint/rate", 1.0)
    return expected, lost, jacks, doubled, hung


def main():
    options = settings(__doc__, seeks=40, moves=(40, 200), bar_s=0.2)
    print(f"JACK period {PERIOD}")
    with JackServer(PERIOD), RemoteEars() as ears:
        with Bridge(tempfile.mkdtemp(prefix="hitpoint-bench-"), "--no-revive") as bridge, Client(bridge.port) as client:
            ears.connect("Hitpoint:out")
            client.score(path="/clips/64.mp4")
            quantiles("baseline: ping → pong", ping_ms(client), "-")
            silent, first = known(client, ears, options.seeks, 64)
            quantiles("locate → old notes silent", silent, "5")
            quantiles("locate → first new note, bar known", first, "30")
            expected, lost, jacks, doubled, hung = random_moves(client, ears, options.moves, 64)
            print(
                f"{options.moves} random moves: {expected} notes, lost {lost} (0), {jacks} where JACK lost periods, "
                f"doubled {doubled}, hanging {hung} (0); load {os.getloadavg()[0]:.1f}"
            )
        folder = tempfile.mkdtemp(prefix="hitpoint-bench-")
        stand_in, real = unknown(folder, max(3, options.seeks // 4), options.bar_s)
        quantiles("locate → first note, bar unknown (stand-in)", stand_in, "300")
        quantiles(f"locate → bar composed at {options.bar_s} s a bar", real, "300")


if __name__ == "__main__":
    main()
