"""A real Ardour 7 without a window: it drives us by its own OSC, records our notes, and follows our clocks.

    python tests/bench/bench_live_ardour.py [--bars 8] [--period 128] [--part recording] [--part "MIDI Clock"] …

Recording: Ardour rolls, we follow what its OSC says. Every note of the score must stand in Ardour's own file; the gaps
between onsets are compared with the gaps on the wire (JACK's frames, at another JACK client) and with the score's.
Baseline: what the wire itself makes of the score's gaps.
Following: Ardour chases our MIDI clock or time code; its metronome is heard beside our notes, in JACK's frames.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "bridge"))
sys.path.insert(0, str(Path(__file__).parents[1] / "bridge" / "hosts"))
sys.path.insert(0, str(Path(__file__).parents[2]))

from live_fakes import BAR_S
from live_kit import RATE, notes_on
from test_ardour import gaps_ms, offsets_ms, record, score, studio

from tests.ardour_kit import clock_s, connect

BEAT_S = BAR_S / 4
CLOCKS = {"MIDI Clock": {"midi_clock": True}, "MTC": {"mtc": True, "mtc_fps": 30.0}}
"""What Ardour follows, and our settings for it; 30 is its timecode in a new session."""


def print_recording(period, bars):
    wanted = score(bars)
    notes, tick_s, wire, xruns = record(period, bars)
    print(
        f"recording: {len(wanted)} notes in the score, {len(wire)} on the wire, {len(notes)} in Ardour's file; "
        f"a tick there {1000 * tick_s:.3f} ms, xruns {len(xruns)}"
    )
    for name, one, other in (
        ("Ardour's file against the wire", notes, wire),
        ("Ardour's file against the score", notes, wanted),
        ("baseline: wire against the score", wire, wanted),
    ):
        offsets = offsets_ms(one, other)
        if offsets is None:
            print(f"  {name}: NOT the same notes")
            continue
        worst = max(abs(b - a) for a, b in pairwise(offsets))
        place = "" if one is wire or other is wire else f"; places off by {min(offsets):+.2f}..{max(offsets):+.2f} ms"
        print(f"  {name}: every note; gaps differ by at most {worst:.2f} ms{place}", flush=True)
        if other is wire:
            print_gaps(offsets, [at for at, *_ in wire], xruns, 1000 * (period / RATE + tick_s))


def print_gaps(offsets, moments, xruns, bound_ms):
    whole, broken = gaps_ms(offsets, moments, xruns)
    within = sum(each <= bound_ms for each in whole)
    print(
        f"    {within} of {len(whole)} gaps outside an xrun within one JACK period and a tick ({bound_ms:.2f} ms), "
        f"at most {max(whole, default=0):.2f} ms; {len(broken)} with xruns: at most {max(broken, default=0):.2f} ms",
        flush=True,
    )


def onsets(ears):
    """Frames at which sound begins after 0.1 s of silence."""
    sound = np.abs(np.frombuffer(ears.sound, dtype=np.float32)[: ears.filled // 4])
    loud = np.flatnonzero(sound > 0.01)
    begins = [at for before, at in pairwise([-RATE, *loud]) if at - before > RATE // 10]
    return [int(at) + ears.sound_from for at in begins]


def hear_for(ardour, seconds):
    """What Ardour says meanwhile, read as it comes: a socket holds some 16 s of it."""
    until, told = time.monotonic() + seconds, []
    while time.monotonic() < until:
        time.sleep(0.5)
        told += ardour.hear()
    return told


def print_following(part, period, bars):
    """Ardour follows us from 0, and after a stop from the middle of the film."""
    room_s = 3 * bars * BAR_S
    with studio(period, bars, 0.0, follow=part, sound_s=room_s, **CLOCKS[part]) as (ardour, client, ears, _):
        connect(ears.client, "ardour:Click/audio_out 1", "ears:sound")
        ears.recording = True
        for from_s, for_s in ((0.0, bars * BAR_S), (bars * BAR_S / 2, bars * BAR_S / 2)):
            client.say("/hitpoint/locate", from_s)
            time.sleep(0.5)
            ears.take()
            ardour.hear()
            begun = len(onsets(ears))
            client.say("/hitpoint/play")
            told = hear_for(ardour, for_s)
            client.say("/hitpoint/stop")
            told += hear_for(ardour, 2.0)
            places = [clock_s(m.arguments[0]) for m in told if m.address == "/position/time"]
            ours = [at for at, channel, _, _ in notes_on(ears.take()) if channel == 0]
            clicks = [
                at for at in onsets(ears)[begun:] if ours[0] - RATE * BEAT_S / 2 < at < ours[-1] + RATE * BEAT_S / 2
            ]
            late = [1000 * (at - min(ours, key=lambda note, at=at: abs(note - at))) / RATE for at in clicks]
            if len(late) < 4:
                print(f"  {part} from {from_s:.0f} s: Ardour did not follow; it went {places[:1]}..{places[-1:]} s")
                continue
            half = len(late) // 2
            drift = np.median(late[half:]) - np.median(late[:half])
            print(
                f"  {part} from {from_s:.0f} s: {len(late)} of Ardour's clicks at our {len(ours)} beats, "
                f"median {np.median(late):+.2f} ms, all within {min(late):+.2f}..{max(late):+.2f}, "
                f"drift from the first half to the second {drift:+.2f} ms; stopped at {from_s + for_s:.3f}, "
                f"Ardour at {places[-1]:.3f} s; xruns {ears.xruns}",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bars", type=int, default=8)
    parser.add_argument("--period", type=int, default=128)
    parser.add_argument("--part", choices=["recording", *CLOCKS], action="append")
    options = parser.parse_args()
    period_ms = 1000 * options.period / RATE
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, JACK period {options.period}: {period_ms:.2f} ms")
    for part in options.part or ["recording", *CLOCKS]:
        if part == "recording":
            print_recording(options.period, options.bars)
        else:
            print_following(part, options.period, options.bars)


if __name__ == "__main__":
    main()
