"""The live dials of mood: what a film that plays sounds like after valence, arousal or tension were turned.

    python tests/bench/bench_live_mood.py [--dials valence,arousal,tension] [--seeds 2] [--film FILE] [--full]

Over OSC to a real bridge: the film is scored and played, a dial is turned at TURN_S, and what leaves as MIDI is written
down. Of the bars before the turn and of those from SETTLE_S after it on: the share in minor (the key of three bars),
notes and ticks with an onset a bar, velocity, the share of notes outside of the key, mean pitch. Baseline: the bars
before. Full length: five seeds.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from live_bench import settings  # isort: skip
from listing import Listing
from live_kit import Bridge, Client, notes_on, wait_for

from hitpoint.model.music.harmony import key_of
from hitpoint.model.music.score import Bar, Note

ROOT = Path(__file__).parents[2]
TURN_S, SETTLE_S = 8.0, 4.0
"""A dial is turned there; bars that were about to sound stay, so that the music is heard anew some bars later."""
DRUMS = 0
CHANNELS = {9: DRUMS}
NAMES = ("in minor", "notes a bar", "onsets a bar", "velocity", "outside of the key", "mean pitch")


def bars_heard(events, zero_s, edges_s):
    """The bars as they were heard: notes by the tick they fall on; lengths are not told apart."""
    found = [[] for _ in edges_s[:-1]]
    for at, channel, pitch, velocity in notes_on(events):
        index = int(np.searchsorted(edges_s, at - zero_s + 0.03, "right")) - 1
        if 0 <= index < len(found):
            tick = round(16 * (at - zero_s - edges_s[index]) / (edges_s[index + 1] - edges_s[index]))
            found[index].append(Note(min(15, max(0, tick)), CHANNELS.get(channel, 1), pitch, 4, velocity))
    return [Bar(index, tuple(sorted(notes))) for index, notes in enumerate(found)]


def measured(bars, chosen):
    """NAMES of the chosen bars."""
    minor, outside = [], []
    for index in chosen:
        key = key_of(bars[max(0, index - 1) : index + 2])
        if key is None:
            continue
        minor.append(key.minor)
        scale = {
            (key.root + step) % 12 for step in ((0, 2, 3, 5, 7, 8, 10, 11) if key.minor else (0, 2, 4, 5, 7, 9, 11))
        }
        outside += [note.pitch % 12 not in scale for note in bars[index].notes if note.instrument != DRUMS]
    notes = [note for index in chosen for note in bars[index].notes]
    return (
        np.mean(minor) if minor else np.nan,
        len(notes) / max(1, len(chosen)),
        np.mean([len({note.tick for note in bars[index].notes}) for index in chosen]),
        np.mean([note.velocity for note in notes]),
        np.mean(outside) if outside else np.nan,
        np.mean([note.pitch for note in notes if note.instrument != DRUMS]),
    )


def played(client, listing, job, dial, value):
    """(bars, their edges, figures before the turn, figures after it) of one playing."""
    bars = sorted(
        {
            m.arguments[1]: m.arguments
            for _, m in client.heard
            if m.address == "/hitpoint/bar" and m.arguments[0] == job
        }.values(),
        key=lambda bar: bar[1],
    )
    edges_s = [bar[2] for bar in bars] + [bars[-1][3]]
    known = len(listing.events())
    client.say("/hitpoint/locate", 0.0)
    client.say("/hitpoint/play")
    began = time.monotonic()
    time.sleep(TURN_S)
    client.say(f"/hitpoint/control/{dial}", value)
    while time.monotonic() < began + edges_s[-1] + 0.5:
        client.hear()
        time.sleep(0.05)
    client.say("/hitpoint/stop")
    beats = [(at, m.arguments) for at, m in client.heard if m.address == "/hitpoint/beat" and at >= began]
    zero_s = min(at - values[2] for at, values in beats)
    heard = bars_heard(listing.events()[known:], zero_s, np.array(edges_s))
    before = [i for i in range(len(heard)) if edges_s[i + 1] <= TURN_S]
    after = [i for i in range(len(heard)) if edges_s[i] >= TURN_S + SETTLE_S]
    return heard, edges_s, measured(heard, before), measured(heard, after)


def bars_until_unlike(one, other, edges_s):
    """Whole bars after the one of the turn that two playings, turned to either side, still share."""
    later = [i for i in range(len(one)) if edges_s[i] >= TURN_S]
    return next((count for count, i in enumerate(later) if pitches(one[i]) != pitches(other[i])), len(later))


def pitches(bar):
    """How often each is struck, by whom."""
    return Counter((note.instrument, note.pitch) for note in bar.notes)


def main():
    options = settings(__doc__, dials="valence,arousal,tension", seeds=(2, 5), film=str(ROOT / "examples" / "film.mp4"))
    folder = Path(tempfile.mkdtemp(prefix="hitpoint-bench-"))
    listing = Listing(folder)
    os.environ["PYTHONPATH"] = listing.python_path
    bridge = Bridge(folder, "--no-revive", tools="", midi_port=listing.port)
    with bridge, Client(bridge.port) as client:
        for dial in options.dials.split(","):
            rows = {}
            for value in (-1.0, 1.0):
                for seed in range(options.seeds):
                    job = f"{dial}{'+' if value > 0 else '-'}{seed}".replace("+", "p").replace("-", "m")
                    client.score(job, options.film, seed=seed, wav=0)
                    wait_for(lambda: client.hear() or True, 5, "the rest")
                    rows.setdefault(value, []).append(played(client, listing, job, dial, value))
            low, high = (np.nanmean(np.array([row[2:] for row in rows[value]]), axis=0) for value in (-1.0, 1.0))
            waited = [bars_until_unlike(a[0], b[0], a[1]) for a, b in zip(rows[-1.0], rows[1.0], strict=True)]
            print(
                f"{dial}, {options.seeds} seeds, load {os.getloadavg()[0]:.1f}; bars after the turn that "
                f"are still alike: {waited}",
                flush=True,
            )
            for index, name in enumerate(NAMES):
                print(
                    f"  {name:20} at -1 {low[1][index]:6.2f}, at 1 {high[1][index]:6.2f}; before it was turned "
                    f"{low[0][index]:6.2f}, {high[0][index]:6.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
