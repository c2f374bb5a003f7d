"""The film's voice: is speech found, is it understood over the music, how loud is what is delivered, what does it cost?

    python tests/bench/bench_voice.py [--films 6]

Six films with sentences by espeak-ng over silence, noise, rumble, blows and music, scored at default settings by the
command line. Baselines: no duck and the music at its own level (what laying the music under the film by hand gives);
the plain WAV for loudness; `--music-only` for cost, in processor seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from hitpoint.model.output import loudness
from hitpoint.model.output.base import TARGETS_LUFS
from hitpoint.model.output.duck import make_duck
from hitpoint.model.output.mix import CODECS, Mix, Voice
from hitpoint.model.output.mux import mux
from hitpoint.model.video.film import open_film
from hitpoint.model.video.sound import silero
from hitpoint.model.video.sound.decode import heard_track, samples
from hitpoint.model.video.sound.speech import find_speech
from tests.speech_scenes import KINDS, error_shares, film_of, scene

HITPOINT = [sys.executable, "-c", "from hitpoint.bridge.cli import main; main()", "score"]


def score(film: Path, *options: str) -> float:
    """Processor seconds of `hitpoint score`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "HITPOINT_CACHE_DIR": ""}
    subprocess.run([*HITPOINT, str(film), "--force", *options], check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ratio_db(own: np.ndarray, music: np.ndarray, speech: list[tuple[float, float]], rate_hz: int) -> float:
    """Power of the voice over that of the music, in the spans."""
    inside = np.concatenate([np.arange(round(a * rate_hz), round(b * rate_hz)) for a, b in speech])
    inside = inside[inside < min(len(own), len(music))]
    return float(10 * np.log10(np.square(own[inside]).mean() / np.square(music[inside]).mean()))


def heard(kind: str, film: Path, true: list[tuple[float, float]], folder: Path) -> list[loudness.Loudness]:
    """Print how well the voice is found and understood; the loudness at each target."""
    opened = open_film(film)
    track = heard_track(opened)
    assert track is not None
    length_s = opened.media.duration_s
    shares = []
    for detector in ("energy", *["silero"] * silero.is_installed()):
        missed, false = error_shares(find_speech(samples(opened, track), detector), true, length_s)
        shares.append(f"{detector} {100 * missed:.1f} / {100 * false:.1f} %")
    cost_s = score(film, "-o", str(folder / "m.mid"), "--wav", str(folder / "m.wav"), "--mux", str(folder / "o.mp4"),
                   "--report", str(folder / "r.json"))  # fmt: skip
    alone_s = score(film, "-o", str(folder / "a.mid"), "--wav", str(folder / "a.wav"), "--mux", str(folder / "a.mp4"),
                    "--music-only")  # fmt: skip
    speech = [tuple(span) for span in json.loads((folder / "r.json").read_text())["sound"]["speech"]]
    duck = make_duck(speech, -9.0, length_s)
    mix = Mix(folder / "m.wav", Voice(opened, track, speech=tuple(speech)), duck)
    own = np.concatenate(list(samples(opened, track, 0.0, None, mix.rate_hz, 2)))
    whole = np.concatenate(list(mix.blocks()))
    n = min(len(own), len(whole))
    under = whole[:n] - own[:n]
    plain = np.concatenate(list(Mix(folder / "a.wav").blocks()))[:n]
    before_db, after_db = (ratio_db(own[:n], music, true, mix.rate_hz) for music in (plain, under))
    print(
        f"{kind:8} missed / false: {', '.join(shares)}; voice over music {before_db:+.1f} -> {after_db:+.1f} dB; "
        f"{alone_s:.1f} -> {cost_s:.1f} processor s",
        flush=True,
    )
    found = []
    for target in TARGETS_LUFS:
        mix.write(folder / "mix.wav", replace(CODECS["aac"], lufs=target))
        mux(film, folder / "mix.wav", folder / "t.mp4", force=True)
        found.append(loudness.measure_file(folder / "t.mp4"))
    wav, default = loudness.measure_file(folder / "m.wav"), loudness.measure_file(folder / "o.mp4")
    print(f"{'':8} plain WAV {wav}; film at default settings {default}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=6)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    off, over = [], 0
    for number in range(options.films):
        kind = KINDS[number % len(KINDS)]
        with tempfile.TemporaryDirectory(prefix="hitpoint-voice-") as name:
            sound, true = scene(kind, 20 + number)
            film = film_of(Path(name) / "film.mp4", sound, ("-c:a", "aac"))
            for target, found in zip(TARGETS_LUFS, heard(kind, film, true, Path(name)), strict=True):
                off.append(abs(found.lufs - target))
                over += found.true_peak_db > loudness.MOST_DBTP
    print(f"{len(off)} mixes: at most {max(off):.1f} LU off, {over} over {loudness.MOST_DBTP:g} dBTP")


if __name__ == "__main__":
    main()
