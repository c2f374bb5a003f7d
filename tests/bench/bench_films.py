"""Where a film ends, against where its music does: `python tests/bench/bench_films.py [--quick, --long or --copies]`.

Films of many rates, shapes, containers and lengths, each made so that its true length is known; the MIDI file's end is
read back from the file. Baselines in the same run: what ffprobe says of the file, and OpenCV's frames / rate. Then
copies of one real film (rate, size, quality, bars, time code, grain, container ...), in which the same moments and the
same music must be found: --copies does these alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import mido

sys.path.insert(0, str(Path(__file__).parents[2]))

from hitpoint.model.job import compose, prepare
from hitpoint.model.output.midi_file import write_midi
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.video.types import LOUD_BEAT, Clip, VisualRhythm
from tests.fakes import FakeComposer
from tests.footage import footage

H264 = ("-c:v", "libx264", "-preset", "ultrafast")
RATES = ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60", "120", "240", "1/3")
SHAPES = {
    "10 bit": ("64x36", ("-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le"), "mp4"),
    "alpha": ("64x36", ("-c:v", "qtrle", "-pix_fmt", "argb"), "mov"),
    "alpha, VP9": ("64x36", ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-cpu-used", "8"), "webm"),
    "odd size": ("65x37", ("-c:v", "libx264", "-pix_fmt", "yuv444p"), "mkv"),
    "frames lacking": ("64x36", ("-vf", "select=not(eq(mod(n\\,5)\\,2))", "-vsync", "vfr", *H264), "mp4"),
    "AVI, B-frames": ("64x36", ("-c:v", "mpeg4", "-bf", "2"), "avi"),
    "bare H.264": ("64x36", (*H264, "-bf", "2"), "h264"),
    "transport stream": ("64x36", H264, "ts"),
    "programme stream": ("64x36", ("-c:v", "mpeg2video", "-bf", "2"), "mpg"),
    "Flash": ("64x36", H264, "flv"),
    "GIF": ("64x36", (), "gif"),
    "DV": ("720x576", ("-c:v", "dvvideo", "-pix_fmt", "yuv420p"), "dv"),
}
CLOCK = "drawtext=text='%{pts\\:hms}':fontsize=28:x=16:y=16:fontcolor=white:box=1:boxcolor=black"
COPIES = {
    "as it is": ("mp4", ()),
    **{f"{rate} a second": ("mp4", ("-vf", f"fps={rate}")) for rate in (60, 50, 30, 25, 15, 12)},
    "320 wide": ("mp4", ("-vf", "scale=320:-2")),
    "1080 lines": ("mp4", ("-vf", "scale=-2:1080", "-preset", "ultrafast")),
    "crf 40": ("mp4", ("-crf", "40")),
    "bars": ("mp4", ("-vf", "pad=iw:ceil(iw*3/8)*2:0:(oh-ih)/2")),
    "burnt-in time code": ("mp4", ("-vf", CLOCK)),
    "grain": ("mp4", ("-vf", "noise=alls=12:allf=t")),
    "dark and flat": ("mp4", ("-vf", "eq=brightness=-.2:contrast=.6")),
    "HEVC, 10 bit, Matroska": (
        "mkv", ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le"),
    ),
    "MPEG-4 in AVI": ("avi", ("-c:v", "mpeg4", "-q:v", "4", "-bf", "2")),
}  # fmt: skip
"""Ending and options of each copy; the first is what the others are held against."""
SAME_CUT_S, SAME_BEAT_S = 0.05, 0.06


@dataclass(frozen=True)
class Film:
    """One film: its file, its true length in seconds, and what it costs."""

    name: str
    path: Path
    true_s: float


def ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-nostdin", *map(str, arguments)], check=True)


def draw(path: Path, rate: str, frames: int, size: str, options: Sequence[str]) -> Path:
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}", "-frames:v", frames, *options, path)
    return path


def films(folder: Path) -> Iterator[Film]:
    """The short ones."""
    for rate in RATES:
        value = float(Fraction(rate))
        frames = max(12, round(3 * value))
        for ending in ("mp4", "mkv"):
            path = draw(folder / f"rate.{ending}", rate, frames, "64x36", H264)
            yield Film(f"{value:.3f} a second, {ending}", path, frames / value)
    for name, (size, options, ending) in SHAPES.items():
        source = list(options)
        vf = source[source.index("-vf") : source.index("-vf") + 2] if "-vf" in source else []
        rest = [word for word in source if word not in vf]
        path = folder / f"shape.{ending}"
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=4", *vf, *rest, path)
        yield Film(name, path, 4.0)
    plain = draw(folder / "plain.mp4", "25", 100, "64x36", H264)
    for degrees in (90, 180, 270):
        path = folder / "turned.mp4"
        ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v:0", f"rotate={degrees}", path)
        yield Film(f"turned by {degrees}", path, 4.0)


def long_film(folder: Path, hours: float) -> Film:
    """Tiny, at 2 frames a second: ten minutes drawn, the same packets again and again."""
    part, path, listing = folder / "part.mkv", folder / "long.mkv", folder / "list.txt"
    draw(part, "2", 1200, "64x36", ("-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-bf", "0"))
    listing.write_text(f"file '{part}'\n" * round(hours * 6))
    ffmpeg("-f", "concat", "-safe", "0", "-i", listing, "-c", "copy", path)
    return Film(f"{hours:g} h", path, hours * 3600)


def midi_end_s(path: Path, folder: Path) -> float:
    """Score a film with made-up bars, and read back where the MIDI file ends."""
    take = compose(prepare([Clip(path)], Wishes()), FakeComposer())
    out = folder / "out.mid"
    write_midi(take.score, out, force=True)
    return float(mido.MidiFile(out).length)


def ffprobe_s(path: Path) -> float:
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    text = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return float(text) if text not in ("", "N/A") else float("nan")


def opencv_s(path: Path) -> float:
    capture = cv2.VideoCapture(str(path))
    rate = capture.get(cv2.CAP_PROP_FPS)
    return float(capture.get(cv2.CAP_PROP_FRAME_COUNT) / rate) if rate > 0 else float("nan")


def show(film: Film, folder: Path) -> float:
    """Print a film's row; the error of its music's end in milliseconds."""
    started = time.process_time()
    end_s = midi_end_s(film.path, folder)
    spent_s, memory_mb = time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    error_ms = 1000 * (end_s - film.true_s)
    others = [1000 * (found - film.true_s) for found in (ffprobe_s(film.path), opencv_s(film.path))]
    print(
        f"{film.name:26} {film.true_s:11.3f} {error_ms:9.1f} {others[0]:11.1f} {others[1]:11.1f} "
        f"{spent_s:8.2f} {memory_mb:7.0f}",
        flush=True,
    )
    return error_ms


def copies(folder: Path, source: Path, count: int | None) -> None:
    """Copies of one film: how many of its cuts and loud beats are found in each, and how much of its music.

    count: of copies, all of them by default.
    """
    base = folder / "base.mkv"
    ffmpeg("-i", source, "-t", 24, "-an", "-vf", "scale=640:-2", "-c:v", "ffv1", base)
    print(f"\n{'copies of ' + source.name:26} {'end, s':>8} {'cuts':>7} {'more':>4} {'beats':>7} {'more':>4} "
          f"{'tempo':>7} {'bars':>5} {'density':>7} {'chords':>7} {'hits':>7}")  # fmt: skip
    first: tuple[VisualRhythm, Plan] | None = None
    for name, (ending, options) in list(COPIES.items())[:count]:
        path = folder / f"copy.{ending}"
        ffmpeg("-i", base, *([] if "-c:v" in options else ["-c:v", "libx264", "-preset", "veryfast"]), *options, path)
        prepared = prepare([Clip(path)], Wishes(seed=1))
        found = prepared.rhythm, prepared.plan
        first = first or found
        print(f"{name:26} {midi_end_s(path, folder):8.3f} {_compared(found, first)}", flush=True)


def _compared(found: tuple[VisualRhythm, Plan], first: tuple[VisualRhythm, Plan]) -> str:
    """How much of the first's is there, and how much more: cuts, loud beats; tempo, and the shares of its bars whose
    density is the same or next to it, whose chords are the same, and of its hits."""
    cuts = [[each.time_s for each in rhythm.boundaries] for rhythm, _ in (found, first)]
    loud = [[each.time_s for each in rhythm.beats if each.saliency >= LOUD_BEAT] for rhythm, _ in (found, first)]
    hits = [[each.time_s for each in plan.hits] for _, plan in (found, first)]
    cells = []
    for (now, then), near_s in ((cuts, SAME_CUT_S), (loud, SAME_BEAT_S)):
        kept = _there(then, now, near_s)
        cells.append(f"{kept:3d}/{len(then):<3d} {len(now) - _there(now, then, near_s):4d}")
    (_, plan), (_, before) = found, first
    pairs = list(zip(plan.bars, before.bars, strict=False))
    most = max(len(plan.bars), len(before.bars))
    density = sum(abs((a.density_told or a.density or 0) - (b.density_told or b.density or 0)) <= 1 for a, b in pairs)
    chords = sum(a.chords == b.chords for a, b in pairs)
    bpm = plan.tempo_map.points[0].bpm
    return (
        f"{' '.join(cells)} {bpm:7.2f} {len(plan.bars):5d} {density / most:7.2f} {chords / most:7.2f} "
        f"{_there(hits[1], hits[0], SAME_BEAT_S):3d}/{len(hits[1]):<3d}"
    )


def _there(wanted: Sequence[float], found: Sequence[float], near_s: float) -> int:
    """How many of the moments wanted have one near."""
    return sum(any(abs(each - other) <= near_s for other in found) for each in wanted)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, nargs="*", default=[1.0, 8.0], help="lengths of the long films")
    parser.add_argument("--quick", action="store_true", help="no long films, and two copies")
    parser.add_argument("--copies", action="store_true", help="only the copies of one film")
    parser.add_argument("--long", action="store_true", help="only the long films")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ["HITPOINT_CACHE_DIR"] = ""
        folder = Path(name)
        print(f"{'':26} {'true':>11} {'error of the end, ms':>33} {'':>8} {'peak':>7}")
        print(f"{'film':26} {'length, s':>11} {'MIDI':>9} {'ffprobe':>11} {'OpenCV':>11} {'CPU-s':>8} {'MB':>7}")
        errors = [] if chosen.long or chosen.copies else [abs(show(film, folder)) for film in films(folder)]
        for hours in [] if chosen.quick or chosen.copies else chosen.hours:
            errors.append(abs(show(long_film(folder, hours), folder)))
        if errors:
            print(f"largest error of the MIDI file's end: {max(errors):.1f} ms over {len(errors)} films")
        if not chosen.long:
            real = Path(__file__).parents[3] / "shared" / "clips" / "bbb30.webm"
            copies(folder, real if real.exists() else footage("bikes"), 2 if chosen.quick else None)


if __name__ == "__main__":
    main()
