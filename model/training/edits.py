"""Films cut together from drawn pictures, with the truth about their boundaries: what the shot detector learns from.

Between shots stand cuts, dissolves, fades, wipes and pushes; within shots stand the things that are mistaken for them:
flashes, strobes, explosions, switched lights, titles, things that pass close by, faulty pictures. The whole is
regraded, darkened, shaken, given grain, bars, a burnt-in clock, repeated frames and the blocks of a codec.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hitpoint.model.training.pictures import HEIGHT_PX, WIDTH_PX, Image, Picture, Random, Studio, colour

RATES_FPS = (24.0, 25.0, 30.0, 24.0, 25.0, 30.0, 50.0, 60.0, 15.0, 12.0, 8.0)
Blend = Callable[[Image, Image, float], Image]
"""Old and new picture and how far the transition is, 0..1 -> the picture between them."""
_Floats = NDArray[np.float32]
_SIZE = (HEIGHT_PX, WIDTH_PX, 3)


@dataclass(frozen=True)
class Edge:
    """A boundary: `first` is the first frame that is not purely the old shot, `last` the first purely new one.

    For a cut both are the same, or one apart where a frame shows both. kind: "cut",
    "dissolve", "fade", "wipe" or "push".
    """

    kind: str
    first: int
    last: int


@dataclass(frozen=True)
class CutFilm:
    """frames: (HEIGHT_PX, WIDTH_PX, 3) each, BGR. edges: its boundaries, rising."""

    frames: list[Image]
    fps: float
    edges: list[Edge]


def cut_film(random: Random, studio: Studio) -> CutFilm:
    """A film of three to eight shots."""
    fps = float(random.choice(RATES_FPS))
    quick = random.random() < 0.3
    count = int(random.integers(3, 9))
    place = studio.related() if random.random() < 0.3 else []
    frames: list[Image] = []
    edges: list[Edge] = []
    for index in range(count):
        picture = place[random.integers(len(place))] if place and random.random() < 0.6 else studio.picture()
        length_s = random.uniform(0.24, 0.8) if quick else random.uniform(0.6, 3.0)
        new = _shot(random, picture, fps, length_s)
        if index == 0:
            frames = new
        elif quick or random.random() < 0.5:
            edges.append(_cut(random, frames, new))
        else:
            free = len(frames) - (edges[-1].last if edges else 0)
            edges.append(_join(random, frames, new, fps, free))
    _open_and_close(random, frames, fps, edges)
    return CutFilm(_finish(random, frames, fps), fps, edges)


def _open_and_close(random: Random, frames: list[Image], fps: float, edges: list[Edge]) -> None:
    """The film comes out of black or white and goes into it: no boundary, for there is one shot only."""
    room = edges[0].first if edges else len(frames)
    tail = len(frames) - (edges[-1].last if edges else 0)
    for at, most in ((0, room), (-1, tail)):
        length = min(int(0.8 * most), round(random.uniform(0.3, 2.0) * fps))
        if random.random() < 0.7 or length < 3:
            continue
        flat = np.full(_SIZE, 0 if random.random() < 0.8 else 255, np.uint8)
        black = int(random.integers(0, max(1, length // 2)))
        for i in range(length):
            share = max(0, i - black) / (length - black)
            place = i if at == 0 else len(frames) - 1 - i
            frames[place] = np.asarray(cv2.addWeighted(frames[place], share, flat, 1 - share, 0), np.uint8)


def _cut(random: Random, frames: list[Image], new: list[Image]) -> Edge:
    """A cut; one in six with a frame between that shows both, as conversions of frame rates and fields leave it."""
    edge = Edge("cut", len(frames), len(frames))
    if random.random() < 0.17:
        share = random.uniform(0.25, 0.75)
        new[0] = np.asarray(cv2.addWeighted(frames[-1], 1 - share, new[0], share, 0), np.uint8)
        edge = Edge("cut", len(frames), len(frames) + 1)
    frames += new
    return edge


def _shot(random: Random, picture: Picture, fps: float, length_s: float) -> list[Image]:
    count = max(4, round(length_s * fps))
    steps = int(random.choice([1, 1, 1, 1, 2, 3])) if fps >= 24 else 1  # drawn on twos, on threes
    shown = [picture(index // steps * steps / fps) for index in range(0, count, steps)]
    frames = [shown[index // steps] for index in range(count)]
    if random.random() < 0.5:
        trap = _TRAPS[random.integers(len(_TRAPS))]
        frames = trap(random, frames, fps)
    return frames


def _join(random: Random, frames: list[Image], new: list[Image], fps: float, free: int) -> Edge:
    """Lay `new` on the end of `frames` by a transition, which may touch the last `free` of them."""
    kind = str(random.choice(["dissolve", "fade", "wipe", "push"], p=[0.5, 0.25, 0.18, 0.07]))
    most = round(min(0.8 * free, 0.45 * len(new)))
    wanted = random.uniform(0.2, 1.2) if random.random() < 0.75 else random.uniform(1.0, 2.5)
    length = int(np.clip(round(wanted * fps), 2, max(2, most)))
    if most < 3:
        frames += new
        return Edge("cut", len(frames) - len(new), len(frames) - len(new))
    if kind == "fade":
        return _fade(random, frames, new, length)
    first = len(frames) - length
    old = frames[first:]
    del frames[first:]
    blend = {"dissolve": _dissolve, "wipe": _wipe, "push": _push}[kind](random)
    frames += [blend(a, b, (i + 1) / (length + 1)) for i, (a, b) in enumerate(zip(old, new, strict=False))]
    frames += new[length:]
    return Edge(kind, first, first + length)


def _dissolve(random: Random) -> Blend:
    bend = random.choice([1.0, 1.0, 0.7, 1.4])
    smooth = random.random() < 0.3

    def blend(old: Image, new: Image, share: float) -> Image:
        weight = share**bend
        weight = weight * weight * (3 - 2 * weight) if smooth else weight
        return np.asarray(cv2.addWeighted(old, 1 - weight, new, weight, 0), np.uint8)

    return blend


def _wipe(random: Random) -> Blend:
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    x, y = x / WIDTH_PX, y / HEIGHT_PX
    shape = random.integers(5)
    order = [x, y, (x + y) / 2, np.hypot(x - 0.5, y - 0.5) / 0.71, (np.arctan2(y - 0.5, x - 0.5) / 6.2832) % 1][shape]
    order = 1 - order if random.random() < 0.5 else order
    soft = random.choice([0.01, 0.01, 0.1, 0.25])

    def blend(old: Image, new: Image, share: float) -> Image:
        mask = np.clip((share * (1 + soft) - order) / soft, 0, 1)[..., None]
        return np.asarray(old * (1 - mask) + new * mask, np.uint8)

    return blend


def _push(random: Random) -> Blend:
    axis, back, slide = int(random.integers(2)), random.random() < 0.5, random.random() < 0.4

    def blend(old: Image, new: Image, share: float) -> Image:
        """Faded, in a straight line or slower at both ends."""
        side = _SIZE[axis]
        at = round(side * share)
        if slide:  # the new one slides over the old one, which stays
            whole = np.concatenate([np.take(old, range(at, side), axis), np.take(new, range(at), axis)], axis)
            whole = np.roll(whole, at, axis)
        else:
            whole = np.take(np.concatenate([old, new], axis), range(at, at + side), axis)
        return np.asarray(np.flip(whole, axis) if back and not slide else whole, np.uint8)

    return blend


def _fade(random: Random, frames: list[Image], new: list[Image], length: int) -> Edge:
    """Through black, white or another colour; one half may be missing."""
    flat = np.full(_SIZE, [(0, 0, 0), (0, 0, 0), (255, 255, 255), colour(random)][random.integers(4)], np.uint8)
    hold = int(random.choice([0, 1, length // 2, length]))
    down, up = [(length, length), (length, length), (length, 0), (0, length)][random.integers(4)]
    first = len(frames) - down
    for i in range(down):
        share = (i + 1) / (down + 1)
        frames[first + i] = np.asarray(cv2.addWeighted(frames[first + i], 1 - share, flat, share, 0), np.uint8)
    frames += [flat] * hold
    for i in range(up):
        share = (i + 1) / (up + 1)
        new[i] = np.asarray(cv2.addWeighted(new[i], share, flat, 1 - share, 0), np.uint8)
    edge = Edge("fade", first, len(frames) + up)
    frames += new
    return edge


def _span(random: Random, count: int, fps: float, longest_s: float, shortest: int = 1) -> slice:
    """Some frames inside a shot of `count`, a few frames away from its ends where it is long enough."""
    length = int(random.integers(shortest, max(shortest + 1, round(longest_s * fps) + 1)))
    margin = min(max(1, round(0.2 * fps)), (count - 2) // 3)
    length = max(1, min(length, count - 2 * margin))
    start = int(random.integers(margin, max(margin + 1, count - margin - length)))
    return slice(start, start + length)


def _flash(random: Random, frames: list[Image], fps: float) -> list[Image]:
    for _ in range(random.integers(1, 4)):
        span = _span(random, len(frames), fps, 0.13)
        strength, decay = random.uniform(0.3, 1.0), random.random() < 0.4
        ink = np.full(_SIZE, (255, 255, 255) if random.random() < 0.75 else colour(random), np.uint8)
        part = _blob(random) if random.random() < 0.4 else 1.0
        for place, index in enumerate(range(span.start, span.stop)):
            weight = part * strength * (0.6**place if decay else 1.0)
            frames[index] = np.asarray(frames[index] * (1 - weight) + ink * weight, np.uint8)
    return frames


def _blob(random: Random) -> _Floats:
    """(HEIGHT_PX, WIDTH_PX, 1): a soft patch of light, 0..1."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    distance = np.hypot(x - random.uniform(0, WIDTH_PX), y - random.uniform(0, HEIGHT_PX))
    return np.asarray(np.exp(-((distance / random.uniform(15, 90)) ** 2))[..., None], np.float32)


def _strobe(random: Random, frames: list[Image], fps: float) -> list[Image]:
    span = _span(random, len(frames), fps, 2.0, round(0.4 * fps))
    on, off = random.integers(1, max(2, round(0.12 * fps)), 2)
    level = int(random.choice([0, 255, 255]))
    strength = random.uniform(0.5, 1.0)
    flat = np.full(_SIZE, level, np.uint8)
    for place, index in enumerate(range(span.start, span.stop)):
        if place % (on + off) < on:
            frames[index] = np.asarray(cv2.addWeighted(frames[index], 1 - strength, flat, strength, 0), np.uint8)
    return frames


def _explosion(random: Random, frames: list[Image], fps: float) -> list[Image]:
    span = _span(random, len(frames), fps, 1.4, round(0.4 * fps))
    fire = np.array([random.uniform(30, 200), random.uniform(120, 240), 255], np.float32)
    centre = (random.uniform(0.2, 0.8) * WIDTH_PX, random.uniform(0.2, 0.8) * HEIGHT_PX)
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    distance = np.hypot(x - centre[0], y - centre[1]).astype(np.float32)
    size, fall = random.uniform(25, 130), random.uniform(0.08, 0.5)
    for place, index in enumerate(range(span.start, span.stop)):
        time_s = place / fps
        rough = cv2.resize(random.normal(size=(9, 16)).astype(np.float32), (WIDTH_PX, HEIGHT_PX))
        heat = np.clip(1.6 - distance / (size * (0.4 + min(1.0, time_s * 8))) + 0.4 * rough, 0, 1) * np.exp(
            -time_s / fall
        )
        glow = np.exp(-time_s / fall) * random.uniform(0.3, 0.6)
        weight = np.maximum(heat, glow)[..., None]
        frames[index] = np.asarray(np.clip(frames[index] * (1 - weight) + fire * weight, 0, 255), np.uint8)
    return frames


def _light(random: Random, frames: list[Image], fps: float) -> list[Image]:
    """Somebody switches a lamp on or off, or clouds draw by: the picture stays, its brightness does not."""
    span = _span(random, len(frames), fps, 1.5)
    gain, length = random.uniform(0.35, 2.0), int(random.choice([1, 2, max(3, round(0.5 * fps))]))
    for place, index in enumerate(range(span.start, len(frames))):
        share = min(1.0, (place + 1) / length)
        frames[index] = np.asarray(np.clip(frames[index] * (1 + share * (gain - 1)), 0, 255), np.uint8)
    return frames


def _title(random: Random, frames: list[Image], fps: float) -> list[Image]:
    """A title, a lower third or a small picture in the picture comes and goes."""
    span = _span(random, len(frames), fps, 2.0, round(0.3 * fps))
    left, top = int(random.integers(0, 60)), int(random.integers(5, HEIGHT_PX - 10))
    ink, size, words = colour(random, 150), random.uniform(0.4, 1.1), f"Title {random.integers(1000)}"
    ramp = int(random.choice([1, 1, max(1, round(0.4 * fps))]))
    boxed, width, height = random.random() < 0.4, int(random.integers(15, 60)), int(random.integers(8, 28))
    for place, index in enumerate(range(span.start, span.stop)):
        drawn = frames[index].copy()
        if boxed:
            cv2.rectangle(drawn, (left, top - height // 2), (left + width, top + height // 2), ink, -1)
        else:
            cv2.putText(drawn, words, (left, top), cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1 + (size > 0.7), cv2.LINE_AA)
        share = min(1.0, (place + 1) / ramp)
        frames[index] = np.asarray(cv2.addWeighted(frames[index], 1 - share, drawn, share, 0), np.uint8)
    return frames


def _passer(random: Random, frames: list[Image], fps: float) -> list[Image]:
    """Something large passes close by the lens: plain or patterned, sharp or blurred, from any side, leaving or not."""
    span = _span(random, len(frames), fps, 0.9, round(0.15 * fps))
    count, share = span.stop - span.start, random.uniform(0.3, 1.3)
    coarse = random.normal(size=(int(random.integers(1, 9)), int(random.integers(1, 9)), 3)).astype(np.float32)
    body = np.array(colour(random)) + random.choice([5, 20, 50]) * cv2.resize(coarse, (WIDTH_PX, HEIGHT_PX))
    body = np.clip(body, 0, 255).astype(np.float32)
    order = np.linspace(0, 1, WIDTH_PX if random.random() < 0.7 else HEIGHT_PX, dtype=np.float32)
    order = order[None, :, None] if len(order) == WIDTH_PX else order[:, None, None]
    order = 1 - order if random.random() < 0.5 else order
    soft, part = random.choice([0.01, 0.1, 0.3]), random.choice([0.5, 1.0, 1.0])
    for place, index in enumerate(range(span.start, span.stop)):
        front = (1 + share) * part * (place + 1) / (count + 1)
        mask = np.clip((front - order) / soft, 0, 1) * np.clip((order - front + share) / soft, 0, 1)
        frames[index] = np.asarray(frames[index] * (1 - mask) + body * mask, np.uint8)
    return frames


def _fault(random: Random, frames: list[Image], fps: float) -> list[Image]:
    """A few frames out of place: another picture, a torn one, or a negative."""
    span = _span(random, len(frames), fps, 0.12)
    kind, other = random.integers(3), np.asarray(random.integers(0, 256, (9, 16, 3)), np.uint8)
    for index in range(span.start, span.stop):
        if kind == 0:
            frames[index] = np.asarray(cv2.resize(other, (WIDTH_PX, HEIGHT_PX)), np.uint8)
        elif kind == 1:
            frames[index] = np.roll(frames[index], int(random.integers(-60, 60)), axis=int(random.integers(2)))
        else:
            frames[index] = np.asarray(255 - frames[index], np.uint8)
    return frames


def _freeze(random: Random, frames: list[Image], fps: float) -> list[Image]:
    span = _span(random, len(frames), fps, 1.0)
    frames[span] = [frames[span.start]] * (span.stop - span.start)
    return frames


_TRAPS = (_flash, _flash, _flash, _strobe, _explosion, _light, _title, _title, _passer, _passer, _fault, _freeze)


def _finish(random: Random, frames: list[Image], fps: float) -> list[Image]:
    """Grade, grain, bars, clock and codec of the whole film."""
    gain, lift, gamma = random.uniform(0.5, 1.2), random.uniform(-25, 25), random.uniform(0.7, 1.5)
    if random.random() < 0.2:
        gain, lift = random.uniform(0.15, 0.5), random.uniform(-30, 10)  # dark and flat
    curve = np.clip(255 * (np.arange(256) / 255) ** gamma * gain + lift, 0, 255).astype(np.uint8)
    grain = random.choice([0.0, 0.0, 2.0, 5.0])
    bars = (0, int(random.integers(4, 14))) if random.random() < 0.2 else (0, 0)
    bars = bars[::-1] if random.random() < 0.3 else bars
    grey, clock, flicker = random.random() < 0.08, random.random() < 0.2, random.choice([0.0, 0.0, 0.0, 0.03])
    quality = int(random.choice([0, 0, 30, 50, 75, 92]))
    left, top = int(random.integers(0, 70)), int(random.integers(8, HEIGHT_PX - 2))
    done = []
    for index, frame in enumerate(frames):
        image = np.asarray(cv2.LUT(frame, curve), np.uint8)
        if grey:
            image = np.repeat(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)[..., None], 3, axis=2)
        if grain or flicker:
            noise = random.normal(scale=max(grain, 1e-3), size=_SIZE[:2]).astype(np.float32)
            image = np.clip(image * (1 + flicker * random.normal()) + noise[..., None], 0, 255).astype(np.uint8)
        if any(bars):
            image[: bars[1]] = image[HEIGHT_PX - bars[1] :] = 0
            image[:, : bars[0]] = image[:, WIDTH_PX - bars[0] :] = 0
        if clock:
            cv2.putText(image, f"{index / fps:07.2f}", (left, top), cv2.FONT_HERSHEY_PLAIN, 0.7, (230, 230, 230), 1)
        if quality:
            worse = quality - (8 if index % 12 else 0)
            coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, worse])[1]
            image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
        done.append(np.asarray(image, np.uint8))
    return done
