"""Moving pictures drawn by the machine, to teach the shot detector: each is a function of time.

They are drawn at the size that the analysis looks at, so that thousands of shots take minutes. Photographs and films
given by the caller are panned over, zoomed into and played at other speeds in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH_PX, HEIGHT_PX = 128, 72
Image = NDArray[np.uint8]
Picture = Callable[[float], Image]
"""Seconds of the shot's own time -> an image (HEIGHT_PX, WIDTH_PX, 3), BGR. A picture may count on rising times."""
Random = np.random.Generator

_GRID_Y, _GRID_X = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)
_WORDS = ("SCENE", "TAKE", "the end", "chapter", "Tuesday", "Reel A", "ONE", "later", "Act", "credits", "thanks to")


def colour(random: Random, low: int = 0, high: int = 256) -> tuple[int, int, int]:
    """Any colour, its parts within low..high."""
    b, g, r = random.integers(low, high, 3)
    return int(b), int(g), int(r)


def texture(random: Random, height: int, width: int) -> Image:
    """(height, width, 3): clouds of several sizes, in the colours of a random palette."""
    level = np.zeros((height, width), np.float32)
    for octave in range(int(random.integers(2, 7))):
        side = 2 ** (octave + 1)
        coarse = random.normal(size=(side, side * 2)).astype(np.float32)
        level += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * random.uniform(0.4, 0.9) ** octave
    level = cv2.normalize(level, None, 0, 1, cv2.NORM_MINMAX)  # type: ignore[call-overload]
    if random.random() < 0.3:
        level = np.floor(level * random.integers(3, 9)) / 8
    stops = np.array([colour(random) for _ in range(random.integers(2, 6))], np.float32)
    place = level * (len(stops) - 1)
    low = np.minimum(place.astype(int), len(stops) - 2)
    part = (place - low)[..., None]
    return np.asarray(np.clip(stops[low] * (1 - part) + stops[low + 1] * part, 0, 255), np.uint8)


def camera(random: Random, still: Image) -> Picture:
    """A camera over a still: pan, zoom, roll, and a hand that shakes or not."""
    height, width = still.shape[:2]
    fit = max(WIDTH_PX / width, HEIGHT_PX / height)
    zoom = fit * random.uniform(1.0, 2.2)
    centre = np.array([random.uniform(0.3, 0.7) * width, random.uniform(0.3, 0.7) * height])
    moving = random.random() < 0.75
    speed = random.normal(size=2) * random.choice([0.02, 0.08, 0.3]) * width * moving
    growth = random.normal() * random.choice([0.02, 0.1, 0.35]) * moving
    roll = random.normal() * random.choice([0.0, 0.05, 0.4]) * moving
    shake = random.choice([0.0, 0.0, 0.5, 2.0])
    phase = random.uniform(0, 6.3, 6)
    rate = random.uniform(3, 14, 6)

    def at(time_s: float) -> Image:
        """The picture at `time_s`."""
        tremble = shake * np.array(
            [np.sin(rate[:3] * time_s + phase[:3]).sum(), np.sin(rate[3:] * time_s + phase[3:]).sum()]
        )
        scale = zoom * np.exp(growth * time_s)
        cos, sin = scale * np.cos(roll * time_s), scale * np.sin(roll * time_s)
        x, y = centre + speed * time_s + tremble / scale
        matrix = np.array(
            [[cos, -sin, WIDTH_PX / 2 - cos * x + sin * y], [sin, cos, HEIGHT_PX / 2 - sin * x - cos * y]]
        )
        view = cv2.warpAffine(
            still, matrix, (WIDTH_PX, HEIGHT_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        return np.asarray(view, np.uint8)

    return at


def whip(random: Random, still: Image) -> Picture:
    """A camera that rests, whips to another part of one place within a third of a second, and rests."""
    height, width = still.shape[:2]
    wide = cv2.resize(still, (max(4 * WIDTH_PX, width), max(HEIGHT_PX + 8, height)))
    start_s, length_s = random.uniform(0.3, 1.2), random.uniform(0.12, 0.45)
    reach = (wide.shape[1] - WIDTH_PX) * random.uniform(0.4, 1.0)
    top = int(random.integers(0, wide.shape[0] - HEIGHT_PX))
    back = bool(random.random() < 0.5)

    def place(time_s: float) -> float:
        part = np.clip((time_s - start_s) / length_s, 0, 1)
        share = part * part * (3 - 2 * part)
        return float(reach * (1 - share if back else share))

    def at(time_s: float) -> Image:
        x, blur = int(place(time_s)), int(abs(place(time_s + 0.02) - place(time_s - 0.02)))
        view = wide[top : top + HEIGHT_PX, x : x + WIDTH_PX]
        return np.asarray(cv2.blur(view, (blur + 1, 1)) if blur > 1 else view, np.uint8)

    return at


def objects(random: Random, ground: Picture, stills: Sequence[Image]) -> Picture:
    """Things that cross a picture and bounce off its edges: discs, boxes, cut-outs; slow ones and fast."""
    count = int(random.integers(1, 9))
    sizes = random.uniform(4, random.choice([14, 30, 60]), count)
    start = random.uniform(0, 1, (count, 2)) * (WIDTH_PX, HEIGHT_PX)
    speed = random.normal(size=(count, 2)) * random.choice([10, 50, 200])
    colours = [colour(random) for _ in range(count)]
    kinds = random.integers(0, 3, count)
    sprites = [cv2.resize(stills[int(random.integers(len(stills)))], (int(s) + 2, int(s) + 2)) for s in sizes]

    def at(time_s: float) -> Image:
        """The picture at `time_s`."""
        image = ground(time_s).copy()
        span = 2.0 * np.array([WIDTH_PX, HEIGHT_PX])
        places = np.abs((start + speed * time_s + span / 2) % span - span / 2).astype(int)
        for (x, y), size, ink, kind, sprite in zip(places.tolist(), sizes, colours, kinds, sprites, strict=True):
            side = int(size)
            if kind == 0:
                cv2.circle(image, (x, y), side // 2, ink, -1, cv2.LINE_AA)
            elif kind == 1:
                cv2.rectangle(image, (x - side // 2, y - side // 3), (x + side // 2, y + side // 3), ink, -1)
            else:
                part = image[max(0, y) : y + side, max(0, x) : x + side]
                part[:] = sprite[: part.shape[0], : part.shape[1]]
        return np.asarray(image, np.uint8)

    return at


def plasma(random: Random) -> Picture:
    """Colours that flow through one another."""
    waves = random.normal(size=(3, 2, 2)) * random.choice([0.02, 0.06, 0.15])
    speed = random.normal(size=(3, 2)) * random.choice([0.3, 1.5, 5])
    base = random.uniform(30, 225, 3)

    def at(time_s: float) -> Image:
        layers = []
        for wave, rate, middle in zip(waves, speed, base, strict=True):
            first = np.sin(wave[0, 0] * _GRID_X + wave[0, 1] * _GRID_Y + rate[0] * time_s)
            second = np.sin(wave[1, 0] * _GRID_X + wave[1, 1] * _GRID_Y + rate[1] * time_s)
            layers.append(np.clip(middle + 60 * first + 60 * second, 0, 255))
        return np.asarray(np.stack(layers, axis=-1), np.uint8)

    return at


def ramp(random: Random) -> Picture:
    """A run of two to five colours along an axis that turns and drifts, slowly or fast: smooth, without an edge."""
    stops = np.array([colour(random) for _ in range(random.integers(2, 6))], np.float32)
    angle, turn = random.uniform(0, 6.3), random.normal() * random.choice([0.2, 0.8, 2.0])
    length, drift = random.uniform(0.4, 1.5) * WIDTH_PX, random.normal() * random.choice([0.0, 0.2, 0.6])
    palette = cv2.resize(stops[None], (256, 1), interpolation=cv2.INTER_LINEAR)[0]
    x, y = _GRID_X - WIDTH_PX * random.uniform(0.2, 0.8), _GRID_Y - HEIGHT_PX * random.uniform(0.2, 0.8)

    def at(time_s: float) -> Image:
        now = angle + turn * time_s
        place = (x * np.cos(now) + y * np.sin(now)) / length + 0.5 + drift * np.sin(1.5 * time_s)
        return np.asarray(palette[(np.clip(place, 0, 1) * 255).astype(int)], np.uint8)

    return at


def cells(random: Random) -> Picture:
    """Conway's game of life, with trails: every picture differs from the last, and it is one shot all the same."""
    side = int(random.choice([1, 2, 4]))
    alive = (random.random((HEIGHT_PX // side, WIDTH_PX // side)) < random.uniform(0.1, 0.5)).astype(np.uint8)
    glow, born = np.zeros(alive.shape, np.float32), 0
    life, death = np.array(colour(random, 60), np.float32), np.array(colour(random, 0, 200), np.float32)
    keep, rate = random.uniform(0, 0.95), random.choice([12.0, 25.0, 60.0])
    sevens = random.random() < 0.3

    def at(time_s: float) -> Image:
        """The picture at `time_s`."""
        nonlocal alive, glow, born
        while born <= time_s * rate:
            ring = np.ones((3, 3), np.float32)
            around = np.asarray(cv2.filter2D(alive, -1, ring, borderType=cv2.BORDER_REFLECT), np.uint8) - alive
            alive = ((around == 3) | ((alive == 1) & (around == 2)) | (sevens & (around == 7))).astype(np.uint8)
            born += 1
            glow = np.maximum(alive, glow * keep).astype(np.float32)
        image = (death + glow[..., None] * (life - death)).astype(np.uint8)
        return np.asarray(cv2.resize(image, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_NEAREST), np.uint8)

    return at


def snow(random: Random) -> Picture:
    """Noise, fine or coarse, that is new in every picture or drifts."""
    size = (int(random.choice([16, 32, 64, 128])), int(random.choice([9, 18, 36, 72])))
    strength, base = random.uniform(10, 90), np.array(colour(random, 40, 216), np.float32)
    hold, own = random.uniform(0, 0.95), np.random.default_rng(int(random.integers(2**31)))
    tint = random.random() < 0.5
    state = own.normal(size=(size[1], size[0], 3)).astype(np.float32)

    def at(time_s: float) -> Image:
        nonlocal state
        new = own.normal(size=state.shape).astype(np.float32)
        state = np.asarray(hold * state + np.sqrt(1 - hold**2) * (new if tint else new[..., :1]), np.float32)
        image = np.clip(base + strength * state, 0, 255).astype(np.uint8)
        return np.asarray(cv2.resize(image, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR), np.uint8)

    return at


def slate(random: Random) -> Picture:
    """Words on a plain ground: they stand still, scroll, or count."""
    image = np.full((HEIGHT_PX, WIDTH_PX, 3), colour(random) if random.random() < 0.5 else (0, 0, 0), np.uint8)
    ink = colour(random, 120) if image.mean() < 110 else colour(random, 0, 90)
    lines = [
        str(random.choice(_WORDS)) + (f" {random.integers(99)}" if random.random() < 0.4 else "")
        for _ in range(random.integers(1, 6))
    ]
    scroll = random.choice([0.0, 0.0, 0.0, 12.0, 30.0])
    counts, size, left = random.random() < 0.25, random.uniform(0.3, 0.9), int(random.integers(2, 50))
    font = int(random.choice(_FONTS))

    def at(time_s: float) -> Image:
        page = image.copy()
        for row, line in enumerate(lines):
            height = int(20 + row * 26 * size - scroll * time_s + (HEIGHT_PX * 0.6 if scroll else 0))
            text = f"{line} {time_s:05.2f}" if counts and row == 0 else line
            cv2.putText(page, text, (left, height), font, size, ink, 1, cv2.LINE_AA)
        return np.asarray(page, np.uint8)

    return at


def card(random: Random) -> Picture:
    """A test card: bars or squares of pure colours, and a marker that runs across them."""
    columns, rows = int(random.integers(2, 12)), int(random.integers(1, 8))
    coarse = np.array([[colour(random) for _ in range(columns)] for _ in range(rows)], np.uint8)
    image = cv2.resize(coarse, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_NEAREST)
    speed, width = random.uniform(5, 150), int(random.integers(2, 30))
    slide = random.choice([0.0, 0.0, 20.0, 100.0])
    ink = colour(random)

    def at(time_s: float) -> Image:
        page = np.roll(image, int(slide * time_s), axis=1).copy()
        x = int(speed * time_s) % WIDTH_PX
        page[HEIGHT_PX // 2 :, x : x + width] = ink
        cv2.putText(page, f"{time_s:.1f}", (50, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1)
        return np.asarray(page, np.uint8)

    return at


def fractal(random: Random) -> Picture:
    """A zoom into a Julia set whose parameter turns."""
    angle, radius = random.uniform(0, 6.3), random.uniform(0.65, 0.85)
    turn, zoom = random.uniform(-0.4, 0.4), random.uniform(-0.3, 0.6)
    palette = texture(random, 1, 64)[0]

    def at(time_s: float) -> Image:
        """The picture at `time_s`."""
        scale = 3.0 * np.exp(-zoom * time_s) / WIDTH_PX
        z = ((_GRID_X - WIDTH_PX / 2) + 1j * (_GRID_Y - HEIGHT_PX / 2)) * scale
        c, count = radius * np.exp(1j * (angle + turn * time_s)), np.zeros(z.shape, int)
        for _ in range(16):
            inside = np.abs(z) < 2
            count += inside
            z = np.where(inside, z * z + c, z)
        return np.asarray(palette[(count * 3) % 64], np.uint8)

    return at


def film(random: Random, frames: Sequence[Image], fps: float) -> Picture:
    """A piece of footage: somewhere in it, mirrored or not, slower or faster, forwards or back, cropped."""
    speed = random.choice([0.5, 1.0, 1.0, 1.0, 1.6, 3.0]) * random.choice([1, 1, 1, -1])
    first, mirrored = random.integers(len(frames)), random.random() < 0.5
    crop = random.uniform(0, 0.3)
    top, left = int(crop * HEIGHT_PX * random.random()), int(crop * WIDTH_PX * random.random())
    height, width = int((1 - crop) * HEIGHT_PX), int((1 - crop) * WIDTH_PX)

    def at(time_s: float) -> Image:
        span = 2 * len(frames) - 2
        place = (int(first) + round(speed * fps * time_s)) % max(span, 1)
        image = frames[min(place, span - place)][top : top + height, left : left + width]
        image = cv2.resize(image, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
        return np.asarray(image[:, ::-1] if mirrored else image, np.uint8)

    return at


def split(random: Random, parts: Sequence[Picture]) -> Picture:
    """Two or four pictures side by side."""
    columns = 2 if len(parts) == 4 or random.random() < 0.6 else 1
    rows = len(parts) // columns
    size = (WIDTH_PX // columns, HEIGHT_PX // rows)

    def at(time_s: float) -> Image:
        tiles = [cv2.resize(part(time_s), size, interpolation=cv2.INTER_AREA) for part in parts]
        bands = [np.hstack(tiles[row * columns : (row + 1) * columns]) for row in range(rows)]
        return np.asarray(np.vstack(bands), np.uint8)

    return at


class Studio:
    """Draws any of these pictures; `stills` and `films` (frames, frames a second) are material from outside."""

    def __init__(
        self, random: Random, stills: Sequence[Image] = (), films: Sequence[tuple[Sequence[Image], float]] = ()
    ) -> None:
        self._random = random
        self._stills, self._films = list(stills), list(films)

    def still(self) -> Image:
        """A photograph, or a texture."""
        if self._stills and self._random.random() < 0.65:
            return self._stills[int(self._random.integers(len(self._stills)))]
        return texture(self._random, 2 * HEIGHT_PX, 3 * WIDTH_PX)

    def picture(self, depth: int = 0) -> Picture:
        """Any picture; one in twelve is a split screen of others."""
        random = self._random
        kind = random.choice(11, p=[0.28, 0.06, 0.18, 0.05, 0.07, 0.05, 0.07, 0.05, 0.04, 0.08, 0.07])
        if kind == 9 and not self._films:
            kind = 0
        if kind == 9:
            return film(random, *self._films[int(random.integers(len(self._films)))])
        if kind == 10:
            if depth:
                kind = 0
            else:
                return split(random, [self.picture(1) for _ in range(random.choice([2, 2, 4]))])
        if kind == 2:
            ground = self.picture(1) if random.random() < 0.3 else camera(random, self.still())
            return objects(random, ground, [self.still() for _ in range(3)])
        if kind == 7 and random.random() < 0.4:
            return camera(random, np.asarray(cv2.resize(card(random)(0.0), None, fx=2.5, fy=2.5), np.uint8))
        makers = {0: camera, 1: whip}
        if kind in makers:
            return makers[kind](random, self.still())
        if kind == 3 and random.random() < 0.6:
            return ramp(random)
        return {3: plasma, 4: cells, 5: snow, 6: slate, 7: card, 8: fractal}[int(kind)](random)

    def related(self) -> list[Picture]:
        """Four views of one place: jumps between them are cuts within a scene."""
        still = self.still()
        return [camera(self._random, still) for _ in range(4)]
