"""Shot boundaries per kind of transition and trap: `python tests/bench/bench_cuts.py [--held] [--fine] [--keep DIR]`.

Films are rendered by `cut_films.py` and known to the frame; beside the analysis, PySceneDetect's content, adaptive,
hash and histogram detectors at their defaults see the same frames in the same run. A hard cut counts as found within
1.5 frames, a transition within it or .1 s of it; whatever else a detector says is false. Each is matched once.

Without --held the even half of the films is shown, with it the odd half, at which nobody looked while the detector was
made. --fine adds TransNet V2 (the extra of that name), --only KIND,KIND chooses makers, --ours leaves the others out.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ["HITPOINT_CACHE_DIR"] = ""

from tests.bench import cut_films


def ours(path, detector="quick"):
    """Boundaries that the analysis finds, in seconds."""
    from hitpoint.model.video.analyse import analyse
    from hitpoint.model.video.types import Clip

    options = {} if detector == "quick" else {"detector": detector}
    return [b.time_s for b in analyse([Clip(path)], **options).boundaries]


def scenedetect(path):
    """{name: cuts in seconds} of four detectors over one decoding, at their defaults."""
    import av
    from scenedetect import FrameTimecode
    from scenedetect.detectors import AdaptiveDetector, ContentDetector, HashDetector, HistogramDetector

    found = {}
    made = {
        "content": ContentDetector(),
        "adaptive": AdaptiveDetector(),
        "hash": HashDetector(),
        "histogram": HistogramDetector(),
    }
    frames, times = defaultdict(list), []
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            times.append(float(frame.time))
            picture = frame.to_ndarray(format="bgr24")
            for name, detector in made.items():
                frames[name] += [cut.frame_num for cut in detector.process_frame(FrameTimecode(index, 25.0), picture)]
    for name, detector in made.items():
        frames[name] += [cut.frame_num for cut in detector.post_process(FrameTimecode(len(times) - 1, 25.0))]
        found[name] = [times[f] for f in sorted(set(frames[name])) if f < len(times)]
    return found


def false_at_traps(false, truth):
    """How many traps carry a false boundary from just before them to .4 s after."""
    fps = truth["fps"]
    return sum(any(t / fps - 0.1 <= f <= t / fps + 0.4 for f in false) for t in truth["flashes"])


def films(held, only, folder):
    """(path, truth) of every film of the chosen half; the halves share no seed."""
    for row, (maker, count) in enumerate(cut_films.KINDS):
        if only and maker.__name__ not in only:
            continue
        for index in range(count):
            if (index + row) % 2 == held:
                yield cut_films.make(maker, 1000 * (row + 1) + index, folder)


def f1(counts):
    """(recall, precision, F1) of [wanted, found, false]."""
    recall = counts[1] / counts[0] if counts[0] else 1.0
    precision = counts[1] / (counts[1] + counts[2]) if counts[1] + counts[2] else 1.0
    return recall, precision, 2 * recall * precision / max(recall + precision, 1e-9)


def main():
    """Print one row a kind, one column a detector."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--held", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--fine", action="store_true")
    parser.add_argument("--ours", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("-v", action="store_true")
    chosen = parser.parse_args()
    tally, traps, cost = (
        defaultdict(lambda: defaultdict(lambda: [0, 0, 0])),
        defaultdict(lambda: defaultdict(lambda: [0, 0])),
        0.0,
    )
    number = seconds = 0
    with tempfile.TemporaryDirectory() as name:
        folder = chosen.keep or Path(name)
        folder.mkdir(exist_ok=True, parents=True)
        for half in (0, 1) if chosen.all else (int(chosen.held),):
            for path, truth in films(half, chosen.only.split(",") if chosen.only else [], folder):
                start = time.process_time()
                found = {"hitpoint": ours(path)}
                cost += time.process_time() - start
                seconds += truth["frames"] / truth["fps"]
                number += 1
                if chosen.fine:
                    found["fine"] = ours(path, "fine")
                if not chosen.ours:
                    found |= scenedetect(path)
                for detector, times in found.items():
                    total, hits, false, missed = cut_films.match(times, truth)
                    kind = truth["kind"]
                    tally[kind][detector] = [
                        a + b for a, b in zip(tally[kind][detector], (total, hits, len(false)), strict=True)
                    ]
                    traps[kind][detector][0] += len(truth["flashes"])
                    traps[kind][detector][1] += false_at_traps(false, truth)
                    if chosen.v and detector in ("hitpoint", "fine") and (missed or false):
                        print(
                            f"{detector} {path.name}: missed {missed}, false {[round(f, 2) for f in false]}", flush=True
                        )
    show(tally, traps, number, seconds, cost)


def show(tally, traps, number, seconds, cost):
    """The table."""
    detectors = list(next(iter(tally.values())))
    print(f"{number} films, {seconds:.0f} s; hitpoint's whole analysis {cost / seconds:.4f} CPU-s a second of film")
    print("recall / precision / F1 (traps taken for cuts)")
    print(f"{'kind':28s} {'n':>4s}  " + "  ".join(f"{d:>22s}" for d in detectors))
    every = {d: np.zeros(3, int) for d in detectors}
    for kind, row in tally.items():
        cells = []
        for detector in detectors:
            every[detector] += row[detector]
            n, wrong = traps[kind][detector]
            cells.append("{:.2f} {:.2f} {:.3f} ".format(*f1(row[detector])) + (f"({wrong}/{n})" if n else "").rjust(7))
        print(f"{kind:28s} {next(iter(row.values()))[0]:4d}  " + "  ".join(f"{c:>22s}" for c in cells))
    cells = ["{:.2f} {:.2f} {:.3f}        ".format(*f1(every[d])) for d in detectors]
    print(f"{'all':28s} {every[detectors[0]][0]:4d}  " + "  ".join(f"{c:>22s}" for c in cells))


if __name__ == "__main__":
    main()
