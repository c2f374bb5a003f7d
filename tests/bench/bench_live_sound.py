"""Picture beat → MIDI → sound at fluidsynth, with a 30 Hz playhead, JACK period 64 and a busy composer.

    python tests/bench/bench_live_sound.py [--seconds 40] [--period 64] [--idle] [--stamped] [--full]

--stamped: each playhead bears its host's clock, as our Blender extension sends it.

The truth is the playhead that this script sends, and JACK's frame at each message. Baseline: rtmidi's own way from a
send to the sound, measured with the same synth and the same ears in the same run.
"""

from __future__ import annotations

import bisect
import os
import tempfile
import time

from live_bench import settings  # isort: skip
from bench_live_lateness import burners
from live_fakes import CLICK
from live_kit import RATE, Bridge, Client, JackServer, RemoteEars, Synth, notes_on

BPM = 127.0
"""So that beats fall anywhere in JACK's periods: at 120 a beat is a whole number of them."""
STUMBLE_S = 0.0007
"""JACK's dummy clock stands still where it loses a period, as no sound card's does."""


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
        out.send_message([0x99, CLICK, 110])
        time.sleep(0.15)
        out.send_message([0xB9, 120, 0])
    out.close_port()
    assert ears.filled > start
    sound = ears.sound
    found = [onset(sound, at - ears.sound_from) for at in sent]
    return [1000 * frames / RATE for frames in found if frames is not None]


def send_playhead(client, ears, seconds, stamped):
    """Send where the picture is, 30 times a second, then stop; (picture second, JACK's frame) of each message."""
    began, sent = time.monotonic(), []
    while not sent or sent[-1][0] < seconds:
        now = time.monotonic()
        sent.append((now - began, ears.frame))
        stamp = (1.0, now) if stamped else ()
        client.say("/hitpoint/time", now - began, 1, *stamp)
        time.sleep(max(0.0, began + len(sent) / 30 - time.monotonic()))
    client.say("/hitpoint/stop")
    return sent


def frame_at(second, playhead):
    """JACK's frame at a second of the picture; None where JACK's clock stumbled just there."""
    after = bisect.bisect(playhead, (second, 0))
    (before_s, before), (after_s, then) = playhead[after - 1 : after + 1]
    if abs((then - before) / RATE - (after_s - before_s)) > STUMBLE_S:
        return None
    return before + round((second - before_s) * RATE)


def errors_ms(ears, midi, playhead):
    """(of the MIDI, of the sound, beats not sent, beats left out beside a stumble of JACK's clock)."""
    clicks = [at for at, channel, *_ in notes_on(midi) if channel == 9]
    sound = ears.sound
    sent, heard, lost, left_out = [], [], 0, 0
    for beat in range(4, int(playhead[-2][0] * BPM / 60)):
        due = frame_at(beat * 60 / BPM, playhead)
        if due is None:
            left_out += 1
            continue
        near = [at - due for at in clicks if abs(at - due) < RATE // 5]
        if not near:
            lost += 1
            continue
        sent.append(1000 * min(near, key=abs) / RATE)
        frames = onset(sound, due - ears.sound_from)
        heard += [1000 * frames / RATE] if frames is not None else []
    return sent, heard, lost, left_out


def main():
    options = settings(__doc__, seconds=(40.0, 120.0), period=64, idle=False, stamped=False)
    print(f"JACK period {options.period}")
    folder = tempfile.mkdtemp(prefix="hitpoint-bench-")
    with JackServer(options.period), Synth() as synth, RemoteEars(sound_s=options.seconds + 60) as ears:
        ears.client.connect(synth.sound, ears.sound_in)
        with Bridge(folder, "--no-revive", tools="live_fakes:make_clicks") as bridge, Client(bridge.port) as client:
            ears.connect("Hitpoint:out")
            ears.client.connect("Hitpoint:out", synth.midi)
            client.score(path="/clips/64.mp4", tempo=BPM)
            burning = None if options.idle else burners(os.cpu_count())
            try:
                time.sleep(2)
                ears.recording = True
                time.sleep(0.2)
                ears.take()
                playhead = send_playhead(client, ears, options.seconds, options.stamped)
                midi = ears.take()
                time.sleep(0.5)
                bare = rtmidi_alone(ears, synth)
            finally:
                if burning:
                    burning.kill()
                    burning.wait()
        sent, heard, lost, left_out = errors_ms(ears, midi, playhead)
        print(
            f"beats {len(sent)}, lost {lost}, left out {left_out} where JACK's clock stumbled by more than "
            f"{1000 * STUMBLE_S:g} ms within 33 ms; xruns {ears.xruns}"
        )
        spread("picture beat → MIDI", sent)
        p50, p95 = spread("picture beat → sound", heard)
        base50, _ = spread("baseline: rtmidi send → sound", bare)
        print(f"target p50 1.5, p95 2.5 ms: {p50:.2f}, {p95:.2f}; {p50 / base50:.1f}× the bare port at the median")


if __name__ == "__main__":
    main()
