"""How an edit that is cut to music fits it: beats, turns, looks and motion, beside the same shots in any order.

Run: python tests/bench/bench_cut.py [--songs N] [--quick]

Songs are ours, of two kinds of sections, on 24 clips of drawn footage (four colours at four speeds); then
drums and chords played by the built-in synth, whose beats are known, and which `cut` has to hear (needs
hitpoint[audio]). Chance: the shots of the edit in any order, 1,000 times.

Printed: frames by which cuts miss beats and the length misses the music; the share of turns at which the look changes,
and of other cuts; the rank correlation of the music's density and the shot's motion; each beside chance.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from hitpoint.model.cut.edit import Cutting, cut_to
from hitpoint.model.cut.read import read_music
from hitpoint.model.cut.shots import Footage, read_footage
from hitpoint.model.video.types import Clip
from tests.model.cut.songs import drums, our_song

FORMS = ("AABB", "ABAB", "AABBAA", "ABABBA")
SPEEDS = (0, 1, 4, 16)
SHUFFLES = 1000


def films(folder: Path, count: int) -> list[Path]:
    """Clips of 6 s: a pattern of one of four colours that scrolls at one of four speeds."""
    found = []
    for number in range(count):
        hue, speed = 90 * (number % 4), SPEEDS[number // 4 % 4]
        path = folder / f"{number:02}.mp4"
        source = f"testsrc=s=160x90:r=25:d=6,hue=h={hue}:s=1,scroll=h={speed / 400}"
        drawn = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-crf", "20", str(path)]
        subprocess.run(drawn, check=True)
        found.append(path)
    return found


def ranks(values: np.ndarray) -> np.ndarray:
    """Mean ranks of equal values."""
    return np.array([(values < each).sum() + (values == each).sum() / 2 for each in values], float)


def figures(cutting: Cutting, beats_s: np.ndarray) -> dict[str, float]:
    """What is printed of one edit."""
    parts, fps = cutting.parts, cutting.fps
    frames = np.array([math.floor(beat_s * fps + 0.5) for beat_s in beats_s])
    off = [int(np.abs(frames - part.slot.first).min()) for part in parts[1:]]
    looks = np.array([part.shot.look for part in parts])
    turned = np.array([a.slot.section != b.slot.section for a, b in pairwise(parts)])
    changed = np.diff(looks) != 0
    paces, levels = np.array([part.shot.pace for part in parts]), ranks(np.array([part.slot.level for part in parts]))
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(parts)) for _ in range(SHUFFLES)]
    by_chance = [np.diff(looks[order])[turned] != 0 for order in orders]
    return {
        "beat error, frames at most": max(off, default=0),
        "length error, frames": abs(cutting.frames - round(cutting.music.duration_s * fps)),
        "look changes at turns": float(changed[turned].mean()),
        "look changes at other cuts": float(changed[~turned].mean()) if (~turned).any() else math.nan,
        "look changes at turns, any order": float(np.mean(by_chance)),
        "density and motion": float(np.corrcoef(levels, ranks(paces))[0, 1]),
        "density and motion, any order": float(np.mean([np.corrcoef(levels, ranks(paces[o]))[0, 1] for o in orders])),
    }


def show(title: str, rows: list[dict[str, float]]) -> None:
    """Means of the rows; of errors the greatest."""
    print(f"\n{title} ({len(rows)} edits)")
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        print(f"  {name:34} {values.max() if 'error' in name else np.nanmean(values):6.2f}")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=12)
    parser.add_argument("--quick", action="store_true", help="two songs, eight clips, no sound")
    asked = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        print("0 edits: needs ffmpeg")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        clips = [Clip(path) for path in films(folder, 8 if asked.quick else 24)]
        print(f"{len(clips)} clips drawn in {time.perf_counter() - started:.1f} s")
        started = time.perf_counter()
        footage: Footage = read_footage(clips)
        print(f"looked at in {time.perf_counter() - started:.1f} s: {len({s.look for s in footage.shots})} looks")
        rows, costs = [], []
        for song in range(2 if asked.quick else asked.songs):
            score = our_song(folder / "a.mid", FORMS[song % len(FORMS)], 4, 84 + 7.3 * song)
            beats = [score.tempo_map.time_at_beat(beat) for beat in range(4 * len(score.bars))]
            started = time.perf_counter()
            rows.append(figures(cut_to(read_music(folder / "a.mid"), footage), np.array(beats)))
            costs.append(time.perf_counter() - started)
        show("music of ours, beats and sections from its file", rows)
        print(f"  {'seconds an edit':34} {np.mean(costs):6.2f}")
        if asked.quick or importlib.util.find_spec("librosa") is None:
            return
        rows = []
        for song in range(asked.songs):
            beats_s = drums(folder / "a.wav", 76 + 6.7 * song, 40.0, 0.1 + 0.03 * song, 16)
            music = read_music(folder / "a.wav")
            found = np.array([section.start_s for section in music.sections[1:]])
            true, beat_s = beats_s[16::16], beats_s[1] - beats_s[0]
            off = np.abs(found[:, None] - true[None]) if len(found) else np.full((1, len(true)), np.inf)
            heard = {
                "turns of the music that were heard": float((off.min(axis=0) <= beat_s).mean()),
                "heard turns that are none": float((off.min(axis=1) > beat_s).mean()),
            }
            rows.append(figures(cut_to(music, footage), beats_s) | heard)
        show("a recording, beats heard", rows)


if __name__ == "__main__":
    main()
