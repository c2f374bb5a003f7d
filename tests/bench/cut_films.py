"""Films with known boundaries for `bench_cuts.py`, one maker a kind of transition or trap."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from tests.bench import cut_sources as sources
from tests.bench.cut_sources import H, W

CODECS = (
    ("x264 crf 20", ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "20"), "mp4"),
    ("x264 crf 30", ("-c:v", "libx264", "-preset", "veryfast", "-crf", "30"), "mp4"),
    ("mpeg4", ("-c:v", "mpeg4", "-q:v", "6"), "mkv"),
    ("mjpeg", ("-c:v", "mjpeg", "-q:v", "8"), "mkv"),
)

EDGE_S = 0.1
FRAMES = 1.5


@dataclass
class Film:
    """frames (n, H, W, 3); cuts: first frames of shots; spans: (first, last) of transitions; flashes: first frames of
    what is no boundary. show: filter and rate that the encoder adds, as (ffmpeg options, factor on the rate).
    """

    kind: str
    fps: float
    frames: list = field(default_factory=list)
    cuts: list = field(default_factory=list)
    spans: list = field(default_factory=list)
    flashes: list = field(default_factory=list)
    look: str = ""
    out_fps: float = 0.0

    def add(self, shot):
        """A shot, after a hard cut."""
        if self.frames:
            self.cuts.append(len(self.frames))
        self.frames += list(shot)

    def blend(self, shot, length, mix):
        """A shot that takes over from the one before within `length` frames, by mix(old, new, 0..1)."""
        first = len(self.frames) - length
        for i in range(length):
            self.frames[first + i] = mix(self.frames[first + i], shot[i], (i + 1) / (length + 1))
        self.frames += list(shot[length:])
        self.spans.append((first, first + length))


def dissolve(old, new, share):
    """A linear mixture."""
    return cv2.addWeighted(old, 1 - share, new, share, 0)


def wipe(random):
    """A mix that uncovers the new picture from an edge, a corner, the middle, or by blinds."""
    y, x = np.mgrid[0:H, 0:W].astype(np.float32) / np.float32([[[H]], [[W]]])
    order = [x, 1 - x, y, 1 - y, (x + y) / 2, np.maximum(abs(x - 0.5), abs(y - 0.5)) * 2, (x * 6) % 1][
        random.integers(7)
    ]
    return lambda old, new, share: np.where((order < share)[..., None], new, old)


def push(old, new, share):
    """The new picture pushes the old one out to the left."""
    at = round(W * share)
    return np.concatenate([old[:, at:], new[:, :at]], axis=1)


def through(level):
    """A mix by way of a flat picture."""

    def mix(old, new, share):
        picture, weight = (old, 1 - 2 * share) if share < 0.5 else (new, 2 * share - 1)
        return cv2.addWeighted(picture, weight, np.full_like(picture, level), 1 - weight, 0)

    return mix


def _shots(random, film, n, seconds=(1.0, 2.4), make=sources.any_shot):
    for _ in range(n):
        film.add(make(random, film.fps, round(random.uniform(*seconds) * film.fps)))


def hard(random, fps):
    film = Film("hard cuts", fps)
    _shots(random, film, 8)
    return film


def montage(random, fps):
    film = Film("quick montage", fps)
    _shots(random, film, 14, (0.28, 0.6))
    return film


def within(random, fps):
    """Jumps between views of one place: crops of one picture, or far moments of one piece of footage."""
    film = Film("cuts within a place", fps)
    for _ in range(7):
        source = 5 + int(random.integers(4)) if random.random() < 0.5 else int(random.integers(5))
        shot = sources.piece(random, fps, round(1.2 * fps), source)
        k = random.uniform(0.4, 0.75)
        x, y = int(random.uniform(0, 1 - k) * W), int(random.uniform(0, 1 - k) * H)
        film.add(np.stack([cv2.resize(f[y : y + int(k * H), x : x + int(k * W)], (W, H)) for f in shot]))
    return film


def dark(random, fps):
    film = Film("dark and flat", fps)
    _shots(random, film, 7, make=sources.lively)
    film.look = f"eq=brightness={random.uniform(-0.3, -0.2):.2f}:contrast={random.uniform(0.5, 0.7):.2f}"
    return film


def _blended(name, kind, mixer, length_s, n=6):
    def make(random, fps):
        film = Film(kind, fps)
        _shots(random, film, 1, (1.4, 2.2))
        for _ in range(n):
            span = length_s(random) if callable(length_s) else length_s
            shot = sources.any_shot(random, fps, round((span + random.uniform(1.3, 2.2)) * fps))
            film.blend(shot, max(2, round(span * fps)), mixer(random))
        return film

    make.__name__ = name
    return make


def flashes(random, fps):
    """Two bright frames within each shot, at full or part strength."""
    film = Film("flashes", fps)
    for _ in range(4):
        film.add(sources.any_shot(random, fps, round(2.4 * fps)))
        for share in (0.3, 0.65):
            at = len(film.frames) - round(share * 2.4 * fps)
            strength = random.choice([1.0, 0.8, 0.5])
            for i in range(int(random.choice([1, 2, 2, 3]))):
                film.frames[at + i] = cv2.addWeighted(
                    film.frames[at + i], 1 - strength, np.full((H, W, 3), 255, np.uint8), strength, 0
                )
            film.flashes.append(at)
    return film


def strobe(random, fps):
    film = Film("strobe", fps)
    for _ in range(4):
        start = len(film.frames)
        film.add(sources.any_shot(random, fps, round(2.6 * fps)))
        period, level = int(random.integers(2, 6)), int(random.choice([0, 255]))
        for i in range(round(0.6 * fps), round(2.0 * fps)):
            if i % period == 0:
                film.frames[start + i] = np.full((H, W, 3), level, np.uint8)
        film.flashes.append(start + round(0.6 * fps))
    return film


def explosion(random, fps):
    film = Film("explosions", fps)
    y, x = np.mgrid[0:H, 0:W]
    for _ in range(4):
        start = len(film.frames)
        film.add(sources.lively(random, fps, round(2.8 * fps)))
        cx, cy, fall = random.uniform(50, 270), random.uniform(40, 140), random.uniform(0.15, 0.4)
        at = round(0.9 * fps)
        for i in range(round(1.4 * fps)):
            t = i / fps
            ball = np.clip(1.5 - np.hypot(x - cx, y - cy) / (20 + 500 * t), 0, 1) * np.exp(-t / fall)
            weight = np.maximum(ball, 0.75 * np.exp(-t / (fall * 0.6)))[..., None]
            film.frames[start + at + i] = (
                film.frames[start + at + i] * (1 - weight) + np.array([120, 210, 255]) * weight
            ).astype(np.uint8)
        film.flashes.append(start + at)
    return film


def whip(random, fps):
    """A rest, a whip of a quarter second with its blur, a rest: no cut. Then a hard cut to the next place."""
    film = Film("whip pans", fps)
    for _ in range(4):
        wall = sources._wall(int(random.integers(100000)))
        frames, length = [], round(random.uniform(0.16, 0.35) * fps)
        path = [0.0] * round(0.9 * fps) + [(i + 1) / length for i in range(length)] + [1.0] * round(0.9 * fps)
        reach, y = random.uniform(500, 1050), int(random.integers(0, 400))
        for i, at in enumerate(path):
            step = abs(path[min(i + 1, len(path) - 1)] - path[max(i - 1, 0)]) / 2 * reach
            view = wall[y : y + H, int(at * reach) : int(at * reach) + W]
            frames.append(cv2.blur(view, (max(1, int(step * 0.5)), 1)))
        film.flashes.append(len(film.frames) + round(0.9 * fps) + length // 2)
        film.add(frames)
    return film


def motion(random, fps):
    """Fast pans, shaking hands, zooms and things that rush by."""
    film = Film("fast motion, shake, zoom", fps)
    for index in range(6):
        count = round(1.8 * fps)
        if index % 3 == 0:
            film.add(sources.pan(random, fps, count, random.uniform(12, 22)))
            continue
        shot = sources.lively(random, fps, count)
        out, drift = [], np.zeros(2)
        for i, frame in enumerate(shot):
            drift = 0.7 * drift + random.normal(size=2) * (5 if index % 3 == 1 else 1)
            scale = 1.15 if index % 3 == 1 else 1.05 * np.exp(1.2 * max(0.0, i / fps - 0.6))
            matrix = np.array([[scale, 0, W / 2 * (1 - scale) + drift[0]], [0, scale, H / 2 * (1 - scale) + drift[1]]])
            out.append(cv2.warpAffine(frame, matrix, (W, H), borderMode=cv2.BORDER_REFLECT))
        film.add(out)
    return film


def overlays(random, fps):
    """Titles, a picture in the picture and a burnt-in clock come, move and go; the cuts lie under them."""
    film = Film("overlays, timecode", fps)
    _shots(random, film, 6, (1.6, 2.4))
    starts, n = [0, *film.cuts], len(film.frames)
    for start, end in zip(starts, [*film.cuts, n], strict=True):
        a, b = start + round(0.4 * fps), end - round(0.4 * fps)
        for i in range(a, b):
            page = film.frames[i] = film.frames[i].copy()
            if start % 2:
                cv2.putText(
                    page,
                    "Breaking title",
                    (20 + (i - a) * 2 % 60, 150),
                    cv2.FONT_HERSHEY_DUPLEX,
                    1.0,
                    (240, 240, 240),
                    2,
                )
            else:
                page[10:60, 220:310] = cv2.resize(film.frames[(i * 3) % n], (90, 50))
    for i in range(n):
        cv2.putText(
            film.frames[i], f"01:00:{i / fps:05.2f}", (110, 172), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1
        )
    return film


def letterbox(random, fps):
    film = Film("letterbox", fps)
    _shots(random, film, 7)
    bar = int(random.integers(18, 34))
    for frame in film.frames:
        frame[:bar] = frame[H - bar :] = 0
    return film


def twos(random, fps):
    """Drawn on twos or threes."""
    film = Film("animation on twos", fps)
    step = int(random.choice([2, 3]))
    for _ in range(7):
        shot = sources.lively(random, fps / step, round(random.uniform(1.0, 2.2) * fps / step))
        film.add(np.repeat(shot, step, axis=0))
    return film


def slates(random, fps):
    film = Film("slates", fps)
    for _ in range(5):
        film.add(sources.slate(random, fps, round(random.uniform(0.8, 2.0) * fps)))
        if random.random() < 0.6:
            film.add(sources.any_shot(random, fps, round(1.4 * fps)))
    return film


def split(random, fps):
    """Two pictures side by side, then a full one, and so on."""
    film = Film("split screens", fps)
    for _ in range(3):
        a, b = (sources.lively(random, fps, round(2 * fps)) for _ in range(2))
        film.add([np.hstack([p[:, ::2], q[:, ::2]]) for p, q in zip(a, b, strict=True)])
        film.add(sources.lively(random, fps, round(1.5 * fps)))
    return film


def grain(random, fps):
    film = Film("grain", fps)
    _shots(random, film, 7)
    film.look = f"noise=alls={int(random.integers(15, 35))}:allf=t"
    return film


def repeated(random, fps):
    film = Film("24 shown as 60", 24.0)
    _shots(random, film, 7)
    film.out_fps = 60.0
    return film


def slow(random, fps):
    """Few frames a second: each picture is a shot (1/3 a second), or shots of a few pictures (5 a second)."""
    film = Film("slow rates", float(random.choice([1 / 3, 5.0])))
    if film.fps < 1:
        for _ in range(6):
            film.add(sources.any_shot(random, 25, 1))
    else:
        _shots(random, film, 6, (1.5, 3.0))
    return film


def lights(random, fps):
    """Lamps go on and off: no cut."""
    film = Film("lamps", fps)
    for _ in range(4):
        start = len(film.frames)
        film.add(sources.lively(random, fps, round(2.6 * fps)))
        gain, at = random.choice([0.45, 0.6, 1.5, 1.9]), start + round(1.2 * fps)
        film.flashes.append(at)
        for i in range(at, len(film.frames)):
            film.frames[i] = cv2.convertScaleAbs(film.frames[i], alpha=gain)
    return film


KINDS = (
    (hard, 12), (montage, 2), (within, 2), (dark, 4),
    (_blended("dissolves", "dissolves of .64 s", lambda r: dissolve, 0.64), 4),
    (_blended("mixed", "dissolves of .3 to 1.6 s", lambda r: dissolve, lambda r: r.uniform(0.3, 1.6)), 4),
    (_blended("black", "fades through black", lambda r: through(0), lambda r: r.uniform(0.5, 1.6)), 2),
    (_blended("white", "fades through white", lambda r: through(255), lambda r: r.uniform(0.5, 1.6)), 2),
    (
        _blended(
            "wipes", "wipes and pushes", lambda r: [wipe(r), push][r.random() < 0.2], lambda r: r.uniform(0.4, 1.2)
        ),
        4,
    ),
    (flashes, 4), (strobe, 2), (explosion, 2), (whip, 2), (motion, 3), (overlays, 2), (letterbox, 2), (twos, 2),
    (slates, 2), (split, 2), (grain, 2), (repeated, 2), (slow, 4), (lights, 2),
)  # fmt: skip


def make(maker, seed, folder: Path):
    """The film, encoded under `folder` with its truth beside it unless both lie there; (path, truth).

    truth: kind, fps, frames, cuts, spans and flashes as `Film` has them.
    """
    notes = folder / f"{maker.__name__}-{seed}.json"
    if notes.exists():
        truth = json.loads(notes.read_text())
        return folder / truth["name"], truth
    random = np.random.default_rng(seed)
    film = maker(random, float(random.choice([24, 25, 30])))
    _, options, suffix = CODECS[random.integers(len(CODECS))]
    path = folder / f"{maker.__name__}-{seed}.{suffix}"
    rate = f"{film.fps:.6f}" if film.fps >= 1 else "1/3"
    looks = [film.look] if film.look else []
    looks += [f"fps={film.out_fps:g}"] if film.out_fps else []
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{W}x{H}", "-r", rate]
    command += ["-i", "-", "-vf", ",".join([*looks, "format=yuv420p"]), *options, str(path)]
    subprocess.run(command, input=np.stack(film.frames).tobytes(), check=True)
    truth = {key: getattr(film, key) for key in ("kind", "fps", "cuts", "spans", "flashes")}
    truth |= {"frames": len(film.frames), "name": path.name}
    notes.write_text(json.dumps(truth))
    return path, truth


def wanted(truth):
    """[(first, last, how far beside)] of each boundary, in seconds."""
    fps = truth["fps"]
    rows = [(c / fps, c / fps, FRAMES / fps) for c in truth["cuts"]]
    rows += [(a / fps, b / fps, EDGE_S) for a, b in truth["spans"]]
    return sorted(rows)


def match(found, truth):
    """(wanted, found of them, false): each boundary matched once, the nearest first."""
    rows, free = wanted(truth), sorted(found)
    hits, late = 0, []
    for first, last, beside in rows:
        inside = [t for t in free if first - beside - 1e-6 <= t <= last + beside + 1e-6]
        if inside:
            best = min(inside, key=lambda t: abs(t - (first + last) / 2))
            free.remove(best)
            hits += 1
        else:
            late.append(round((first + last) / 2, 2))
    return len(rows), hits, free, late
