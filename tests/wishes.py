"""One example of every wish, the same for all doors: the command line, OSC, Blender and REAPER."""

from __future__ import annotations

from pathlib import Path

import mido

from hitpoint.model.plan.wishes.options import BY_KEY

FILM_ONLY = ("repitch", "keep-sound", "duck")
"""Of whole files, and of a film's own sound, which in a host lies beside the music, with faders of its own."""
BLENDER = (
    "genre", "instruments", "tempo", "control", "energy", "seed", "describe", "mood", "key", "harmony", "lead", "motif",
    "meter", "odd-bars", "valence", "arousal", "tension",
)  # fmt: skip
REAPER = tuple(key for key in BLENDER if key != "energy")
"""What the panel and the settings of the plugins offer."""


def examples(folder: Path) -> dict[str, str]:
    """Key -> a text that is not the default. Files lie in `folder`."""
    chords, tune = folder / "chords.txt", folder / "tune.mid"
    chords.write_text("0.0 Am\n0.1 F\n1.0 G\n", encoding="utf-8")
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    file.tracks.append(track)
    for pitch in (60, 62, 64, 67, 65, 64, 62, 60):
        track.append(mido.Message("note_on", note=pitch, velocity=90, time=0))
        track.append(mido.Message("note_off", note=pitch, velocity=0, time=240))
    file.save(tune)
    return {
        "genre": "metal", "instruments": "drums,piano,bass", "tempo": "90-100", "control": "0.25", "cut-control": "0.5",
        "deviation": "0.2", "seed": "5", "energy": "0.25", "density": "4", "accents": "0.5", "humanise": "0.5",
        "swing": "0.75", "dynamics": "rule", "colours": "off", "repitch": "on", "meter": "3/4", "odd-bars": "on",
        "key": "F# minor", "harmony": str(chords), "harmony-strength": "2", "lead": "piano", "motif": str(tune),
        "hits": "1.25,5.5!", "unhits": "2", "describe": "a sad funeral in the rain", "mood": "sad", "valence": "-0.75",
        "arousal": "0.75", "tension": "0.75", "mood-line": "0:-0.8:0.2,6:0.5:0.9", "keep-sound": "off", "duck": "-12",
    }  # fmt: skip


def flags(key: str, text: str) -> list[str]:
    """The same on the command line."""
    option = BY_KEY[key]
    if option.opposite:
        return [f"--{key if text == 'on' else option.opposite}"]
    return [f"--{key}={text}"]
