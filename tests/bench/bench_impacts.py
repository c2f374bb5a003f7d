"""How many impacts the analysis finds, and how many it invents: `python tests/bench/bench_impacts.py [--baselines]
[--short] [SEED …]`.

On rendered scenes whose impacts are known (`impact_scenes.py`): ten kinds, each still, shaken, grainy, small, fast and
dark, on a background of its own for each seed; and traps, in which nothing strikes. The seeds reported by default were
not looked at while the detector was made. --short: two variants a kind only.

A beat counts if its saliency is LOUD_BEAT or more; the row "all beats" leaves that out. It is right if it lies
within 60 ms of an impact that no other beat is nearer to. Chance: as many beats, thrown anywhere. --baselines adds,
with a *free count* (each is told how many impacts there are): plain frame difference, and the directogram that CMT's
released code takes over from Davis & Agrawala (Farneback flow, 128 angles, deceleration).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("HITPOINT_CACHE_DIR", "")

import numpy as np

TOLERANCE_S = 0.06
SEEDS = (41,)
FOLDER = Path(tempfile.gettempdir()) / "hitpoint-impact-scenes"
EDGE_S = 0.15
"""What happens so near the scene's ends is not asked for."""


@dataclass(frozen=True)
class Scene:
    """A rendered film and the seconds of its impacts; a trap has none."""

    name: str
    variant: str
    path: Path
    truth: list[float]


def scenes(seeds: Sequence[int], variants: Sequence[str] | None = None) -> Iterator[Scene]:
    """Every kind in every variant, and the traps, rendered on first use and kept in FOLDER."""
    from tests.bench import impact_scenes

    FOLDER.mkdir(exist_ok=True)
    wanted = [(kind, variant) for kind in impact_scenes.KINDS for variant in variants or impact_scenes.VARIANTS]
    wanted += [(trap, "still") for trap in impact_scenes.TRAPS]
    wanted += [("water", "grainy"), ("pan", "shaken")]
    wanted += [(trap, variant) for trap in ("glide", "follow", "traffic") for variant in impact_scenes.VARIANTS[1:]]
    for seed in seeds:
        for kind, variant in wanted:
            path = FOLDER / f"{kind}-{variant}-{seed}.mp4"
            facts = path.with_suffix(".json")
            if not facts.exists():
                facts.write_text(json.dumps(impact_scenes.render(path, kind, variant, seed, 6.5)))
            yield Scene(kind, variant, path, json.loads(facts.read_text()))


@dataclass
class Score:
    """Sums over scenes."""

    impacts: int = 0
    beats: int = 0
    minutes: float = 0.0
    off_s: list[float] = field(default_factory=list)

    def add(self, beats: Sequence[float], truth: Sequence[float], duration_s: float) -> None:
        inside = [each for each in beats if EDGE_S < each < duration_s - EDGE_S]
        self.impacts += len(truth)
        self.beats += len(inside)
        self.minutes += duration_s / 60
        self.off_s += matched(inside, truth)

    def row(self) -> str:
        if not self.impacts:
            return f"{self.beats / max(self.minutes, 1e-9):.1f} beats a minute, of which none is an impact"
        off_ms = 1000 * np.asarray(self.off_s or [np.nan])
        chance = 1 - np.exp(-2 * TOLERANCE_S * self.beats / (60 * self.minutes))
        return (
            f"recall {len(self.off_s) / self.impacts:.2f}  precision {len(self.off_s) / max(1, self.beats):.2f}  "
            f"bias {off_ms.mean():+.0f} ms  spread {off_ms.std():.0f} ms  chance {chance:.2f}  n {self.impacts}"
        )


def matched(beats: Sequence[float], truth: Sequence[float]) -> list[float]:
    """beat - impact of each pair within TOLERANCE_S, the nearest first, every beat and impact used once."""
    pairs = sorted((abs(b - t), i, j) for i, b in enumerate(beats) for j, t in enumerate(truth))
    used_beats, used_truth, off_s = set(), set(), []
    for off, i, j in pairs:
        if off <= TOLERANCE_S and i not in used_beats and j not in used_truth:
            used_beats.add(i)
            used_truth.add(j)
            off_s.append(beats[i] - truth[j])
    return off_s


def highest(times_s: np.ndarray, curve: np.ndarray, count: int) -> list[float]:
    """The `count` highest local maxima, .2 s apart or more."""
    is_peak = np.r_[False, (curve[1:-1] >= curve[:-2]) & (curve[1:-1] > curve[2:]), False]
    kept: list[float] = []
    for frame in sorted(np.flatnonzero(is_peak), key=lambda each: -curve[each]):
        if len(kept) < count and all(abs(times_s[frame] - other) >= 0.2 for other in kept):
            kept.append(float(times_s[frame]))
    return kept


def baselines(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """(times, curve by name) of frame difference and of CMT's directogram, at half the film's size."""
    import av
    import cv2

    last, times, difference, directogram = None, [], [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            grey = cv2.resize(frame.to_ndarray(format="gray"), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            flow = np.zeros((*grey.shape, 2), np.float32)
            if last is not None:
                flow = cv2.calcOpticalFlowFarneback(last, grey, None, 0.5, 3, 15, 3, 5, 1.2, 0)
            difference.append(0.0 if last is None else float(cv2.absdiff(grey, last).mean()))
            rows, columns = (round(side * 0.05) for side in grey.shape)
            size, angle = cv2.cartToPolar(flow[rows:-rows, columns:-columns, 0], flow[rows:-rows, columns:-columns, 1])
            directogram.append(np.bincount((angle.ravel() * 128 / (2 * np.pi)).astype(int) % 128, size.ravel(), 128))
            times.append(float(frame.time))
            last = grey
    return np.array(times), {"frame difference": np.array(difference), "CMT directogram": _deceleration(directogram)}


def _deceleration(rows: list[np.ndarray]) -> np.ndarray:
    import cv2

    directogram = np.asarray(rows)
    directogram = np.maximum(directogram - np.percentile(directogram, 20, axis=1, keepdims=True), 0)
    directogram = cv2.medianBlur(cv2.GaussianBlur(directogram.astype(np.float32), (0, 0), 5, sigmaY=1), 3)
    return np.append(np.maximum(-np.diff(directogram, axis=0), 0).mean(axis=1), 0)


def main() -> None:
    """One row a kind, a variant and a detector."""
    from hitpoint.model.video.analyse import analyse
    from hitpoint.model.video.types import LOUD_BEAT, Clip

    seeds = [int(each) for each in sys.argv[1:] if each.isdigit()] or list(SEEDS)
    variants = ("still", "shaken") if "--short" in sys.argv else None
    scores: dict[str, Score] = defaultdict(Score)
    for scene in scenes(seeds, variants):
        rhythm = analyse([Clip(scene.path)])
        loud = [beat.time_s for beat in rhythm.beats if beat.saliency >= LOUD_BEAT]
        names = [scene.name, f"({scene.variant})", "ALL"] if scene.truth else [f"trap: {scene.name}", "ALL TRAPS"]
        for name in names:
            scores[name].add(loud, scene.truth, rhythm.duration_s)
        if scene.truth:
            scores["all beats"].add([beat.time_s for beat in rhythm.beats], scene.truth, rhythm.duration_s)
        if scene.truth and "--baselines" in sys.argv:
            times_s, curves = baselines(scene.path)
            for name, curve in curves.items():
                beats = highest(times_s, curve, len(scene.truth))
                scores[f"{name}, free count"].add(beats, scene.truth, rhythm.duration_s)
    for name, score in scores.items():
        print(f"{name:32s} {score.row()}", flush=True)


if __name__ == "__main__":
    main()
