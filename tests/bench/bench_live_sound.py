"""Picture beat → MIDI → sound at fluidsynth, with a 30 Hz playhead, JACK period 64 and a busy composer.

    python tests/bench/bench_live_sound.py [--seconds 40] [--period 64] [--idle] [--full]

The truth is the playhead that this script sends, in JACK's frames. Baseline: rtmidi's own way from a send to the sound,
measured with the same synth and the same ears in the same run.
"""

from __future__ import annotations

import os
import tempfile
import time

from live_bench import settings  # isort: skip
from bench_live_lateness import burners
from live_fakes import BAR_S
from live_kit import RATE, Bridge, Client, Ears, JackServer, Synth, notes_on


def spread(name, errors):
    """Print p50, p95 and worst of errors in ms; returns (p50, p95) of their sizes."""
    sizes = sorted(abs(error) for error in errors)
    if not sizes:
        print(f"{name:30} nothing measured")
        return float("nan"), float("nan")
    p50, p95 = sizes[len(sizes) // 2], sizes[int(0.95 * (len(sizes) - 1))]
    print(f"{name:30} n {len(sizes):4}  p50 {p50:6.2f}  p95 {p95:6.2f}  max {sizes[-1]:7.2f} ms", flush=True)
    return p50, p95


def onset(sound, due, ahead=240, within=2400):
    """Frames from `due` to the first sample above the level just before; None where there is none."""
    before = max((abs(sample) for sample in sound[due - 1440 : due - ahead]), default=0.0)
    window = sound[due - ahead : due + within]
    found = next((i for i, sample in enumerate(window) if abs(sample) > 1.5 * before + 1e-4), None)
    return None if found is None else found - ahead


def rtmidi_alone(ears, synth, notes=20):
    """Send → sound of a bare rtmidi port, in ms."""
    import rtmidi

    out = rtmidi.MidiOut(rtapi=rtmidi.API_UNIX_JACK, name="bare")
    out.open_virtual_port("out")
    ears.client.connect("bare:out", synth.midi)
    time.sleep(0.3)
    start = ears.filled
    sent = []
    for _ in range(notes):
        time.sleep(0.25)
        sent.append(ears.frame)
        out.send_message([0x90, 40, 60])
        time.sleep(0.15)
        out.send_message([0xB0, 120, 0])
    out.close_port()
    assert ears.filled > start
    found = [onset(ears.sound, at - ears.sound_from) for at in sent]
    return [1000 * frames / RATE for frames in found if frames is not None]


def main():
    options = settings(__doc__, seconds=(40.0, 120.0), period=64, idle=False)
    print(f"JACK period {options.period}")
    folder = tempfile.mkdtemp(prefix="hitpoint-bench-")
    with JackServer(options.period), Synth() as synth, Ears(sound_s=options.seconds + 60) as ears:
        ears.client.connect(synth.sound, ears.sound_in)
        with Bridge(folder, "--no-revive") as bridge, Client(bridge.port) as client:
            ears.connect("Hitpoint:out")
            ears.client.connect("Hitpoint:out", synth.midi)
            client.score(path="/clips/64.mp4")
            burning = None if options.idle else burners(os.cpu_count())
            try:
                time.sleep(2)
                ears.recording = True
                time.sleep(0.2)
                ears.take()
                start, began, number = ears.frame, time.monotonic(), 0
                while time.monotonic() - began < options.seconds:
                    client.say("/hitpoint/time", (ears.frame - start) / RATE, 1)
                    number += 1
                    time.sleep(max(0.0, began + number / 30 - time.monotonic()))
                client.say("/hitpoint/stop")
                midi = ears.take()
                time.sleep(0.5)
                bare = rtmidi_alone(ears, synth)
            finally:
                if burning:
                    burning.kill()
                    burning.wait()
        beats = [(bar, beat) for bar in range(1, int(options.seconds / BAR_S)) for beat in range(4)]
        piano = {}
        for at, channel, pitch, _ in notes_on(midi):
            if channel == 0:
                piano.setdefault(pitch, []).append(at)
        sent, heard, lost = [], [], 0
        for bar, beat in beats:
            due = start + round((bar * BAR_S + beat * BAR_S / 4) * RATE)
            near = [at - due for at in piano.get(36 + bar % 60, []) if abs(at - due) < RATE // 5]
            if not near:
                lost += 1
                continue
            sent.append(1000 * min(near, key=abs) / RATE)
            frames = onset(ears.sound, due - ears.sound_from)
            if frames is not None:
                heard.append(1000 * frames / RATE)
        print(f"beats {len(beats)}, lost {lost}, xruns {ears.xruns}")
        spread("picture beat → MIDI", sent)
        p50, p95 = spread("picture beat → sound", heard)
        base50, _ = spread("baseline: rtmidi send → sound", bare)
        print(f"target p50 1.5, p95 2.5 ms: {p50:.2f}, {p95:.2f}; {p50 / base50:.1f}× the bare port at the median")


if __name__ == "__main__":
    main()
