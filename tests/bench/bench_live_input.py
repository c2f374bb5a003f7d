"""Music without end: how soon it follows what is seen, with packets lost and late; late bars; memory.

    python tests/bench/bench_live_input.py [--seconds 60] [--genre pop] [--tempo 112] [--alone] [--full]

Full length: 20 minutes. --alone: the composer goes before everything else on the machine (real-time priority, which
root may give), so that the figures of a busy machine are those of a quiet one. Features come 25 times a second, one in
seven lost, up to 40 ms late. Baselines: for motion, the next bar line, which only somebody who knew of it beforehand
could meet; for an event, the next beat.
"""

from __future__ import annotations

import bisect
import os
import random
import tempfile
import time
from pathlib import Path

from live_bench import settings  # isort: skip
from listing import Listing
from live_kit import Bridge, Client, hanging, notes_on, wait_for

CALM, LIVELY = 0.1, 0.9
LOSS, JITTER_S, EVERY_S = 1 / 7, 0.04, 0.04
CRASHES = (49, 57)
SETTLED_BARS = 3
EXACT_S = 0.012
MEMORY_EVERY_S = 10.0
WARM_S = 60.0


def spread(name, beats):
    """Print p50, p95 and worst of so many beats."""
    sizes = sorted(beats)
    if not sizes:
        print(f"{name:42} nothing measured")
        return
    p50, p95 = sizes[len(sizes) // 2], sizes[int(0.95 * (len(sizes) - 1))]
    print(f"{name:42} n {len(sizes):4}  p50 {p50:5.2f}  p95 {p95:5.2f}  max {sizes[-1]:5.2f} beats", flush=True)


def tell(client, seconds, memory, seed=1):
    """Be a camera for so long: (steps of motion, events), each with its moment."""
    rng = random.Random(seed)
    began = time.monotonic()
    motion, steps, events, waiting = CALM, [(began, CALM)], [], []
    turn_s, event_s, look_s = began + 8, began + 4, began
    while (now := time.monotonic()) < began + seconds:
        if now >= turn_s:
            motion = LIVELY if motion == CALM else CALM
            steps.append((now, motion))
            turn_s = now + rng.uniform(9, 14)
        if now >= event_s:
            events.append(now)
            client.say("/hitpoint/feature", "cut", 0.9)
            event_s = now + rng.uniform(3, 7)
        if now >= look_s:
            memory()
            look_s = now + MEMORY_EVERY_S
        if rng.random() > LOSS:
            waiting.append((now + rng.uniform(0, JITTER_S), motion + rng.uniform(-0.05, 0.05)))
        for each in [each for each in waiting if each[0] <= now]:
            waiting.remove(each)
            client.say("/hitpoint/feature", "motion", each[1])
        client.hear()
        time.sleep(EVERY_S)
    return steps, events


def densities(bars, notes, tick_s):
    """Ticks with an onset in each bar; bars: their moments."""
    found = [set() for _ in bars]
    for at, *_ in notes:
        place = bisect.bisect(bars, at + tick_s / 2) - 1
        if 0 <= place < len(bars):
            found[place].add(round((at - bars[place]) / tick_s))
    return [len(each) for each in found]


def motion_beats(steps, bars, density, beat_s):
    """(beats from each step to the bar that follows it, beats to the next bar line, steps that nothing followed)."""
    settled = {CALM: [], LIVELY: []}
    for (at, value), (until, _) in zip(steps, [*steps[1:], (bars[-1], 0)], strict=True):
        first, last = bisect.bisect(bars, at) + SETTLED_BARS, bisect.bisect(bars, until) - 1
        settled[value] += density[first:last]
    middle = sum(sum(each) / max(1, len(each)) for each in settled.values()) / 2
    print(f"density when calm, when lively: {[round(sum(e) / max(1, len(e)), 1) for e in settled.values()]}")
    followed, best, missed = [], [], 0
    for (at, value), (until, _) in zip(steps[1:], [*steps[2:], (bars[-1], 0)], strict=True):
        first, last = bisect.bisect(bars, at), bisect.bisect(bars, until) - 1
        found = next((k for k in range(first, last) if (density[k] > middle) == (value == LIVELY)), None)
        if found is None:
            missed += last - first > SETTLED_BARS
            continue
        followed.append((bars[found] - at) / beat_s)
        best.append((bars[first] - at) / beat_s)
    return followed, best, missed


def event_beats(events, beats, notes, beat_s):
    """(beats from each event to its accent, to the next beat, how many accents were on that beat)."""
    crashes = [at for at, channel, pitch, _ in notes if channel == 9 and pitch in CRASHES]
    waited, best, exact = [], [], 0
    for at in events:
        place = bisect.bisect(beats, at + 0.02)
        struck = next((each for each in crashes if each > at), None)
        if struck is None or place >= len(beats) or struck - at > 3 * beat_s:
            continue
        waited.append((struck - at) / beat_s)
        best.append((beats[place] - at) / beat_s)
        exact += abs(struck - beats[place]) < EXACT_S
    return waited, best, exact


def resident_mib(pids):
    """name -> MiB of each process."""
    found = {}
    for name, pid in pids.items():
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        found[name] = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
    return found


def main():
    options = settings(__doc__, seconds=(60.0, 1200.0), genre="pop", tempo=112.0, alone=False)
    folder = Path(tempfile.mkdtemp(prefix="hitpoint-bench-"))
    listing = Listing(folder)
    os.environ["PYTHONPATH"] = listing.python_path
    beat_s, looks = 60.0 / options.tempo, []
    bridge = Bridge(folder, "--no-revive", tools="", midi_port=listing.port, realtime=True)
    with bridge, Client(bridge.port) as client:
        client.say("/hitpoint/live", "genre", options.genre, "tempo", options.tempo)
        client.wait("/hitpoint/state", 120, lambda values: values[0] == "playing")
        began = time.monotonic()
        if options.alone:
            os.sched_setscheduler(bridge.pids()["composer"], os.SCHED_RR, os.sched_param(1))
        steps, events = tell(
            client, options.seconds, lambda: looks.append((time.monotonic() - began, resident_mib(bridge.pids())))
        )
        states = [m.arguments for _, m in client.heard if m.address == "/hitpoint/state"]
        heard = [(at, m.arguments) for at, m in client.heard if m.address == "/hitpoint/beat"]
        stopped = time.monotonic()
        client.say("/hitpoint/stop")
        client.wait("/hitpoint/state", 30, lambda values: values[0] == "idle")
        ended_s = time.monotonic() - stopped
        wait_for(lambda: listing.events(), 5, "MIDI")
    midi = listing.events()
    notes = notes_on(midi)
    late_s = min(at - values[2] for at, values in heard)  # the music's zero, on our clock
    beats = [late_s + values[2] for _, values in heard]
    bars = [beat for beat, (_, values) in zip(beats, heard, strict=True) if values[1] == 0]
    followed, best, missed = motion_beats(steps, bars, densities(bars, notes, beat_s / 4), beat_s)
    spread("motion → density", followed)
    spread("baseline: the next bar line", best)
    print(f"steps that nothing followed: {missed} of {len(steps) - 1}")
    waited, best, exact = event_beats(events, beats, notes, beat_s)
    spread("event → accent", waited)
    spread("baseline: the next beat", best)
    print(f"accents on the very next beat: {exact} of {len(waited)} ({len(events)} events)")
    print(
        f"late bars: {states[-1][7]} of {len(bars)}; hanging notes: {len(hanging(midi))}; load {os.getloadavg()[0]:.1f}"
    )
    print(
        f"from stop to silence: {ended_s / beat_s:.1f} beats, {len(notes)} notes in all; load {os.getloadavg()[0]:.1f}"
    )
    first = next((each for each in looks if each[0] >= min(WARM_S, options.seconds / 3)), looks[0])
    for name, last in looks[-1][1].items():
        then = first[1].get(name, float("nan"))
        print(f"memory of the {name}: {then:.1f} MiB after {first[0]:.0f} s, {last:.1f} after {looks[-1][0]:.0f} s")


if __name__ == "__main__":
    main()
