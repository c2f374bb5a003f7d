"""Shapes, balls and movements that the example film is drawn with; all lengths in pixels of the finished film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

WIDTH, HEIGHT, FPS = 640, 360, 24
OVERSAMPLING = 2
_SHIFT = 4  # OpenCV's fixed-point bits: shapes move by a sixteenth of a pixel
GRAVITY = 1150.0  # pixels per second squared


def rgb(code: str) -> Colour:
    """ "ff8000" → OpenCV's (blue, green, red)."""
    red, green, blue = bytes.fromhex(code)
    return blue, green, red


RED, RED_DARK = rgb("e5493a"), rgb("c23a30")
BLUE, BLUE_DARK = rgb("3f74d8"), rgb("315cb0")
WHITE, INK = rgb("fffaf0"), rgb("2a2433")


def _fixed(*values: float) -> tuple[int, ...]:
    return tuple(round(value * OVERSAMPLING * (1 << _SHIFT)) for value in values)


def canvas(colour: Colour) -> Image:
    """An empty frame at working size."""
    return np.full((HEIGHT * OVERSAMPLING, WIDTH * OVERSAMPLING, 3), colour, np.uint8)


def disc(image: Image, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
    """A filled ellipse around (x, y)."""
    cv2.ellipse(image, _fixed(x, y), _fixed(max(rx, 0.1), max(ry, 0.1)), 0, 0, 360, colour, -1, cv2.LINE_AA, _SHIFT)


def shape(image: Image, points: Sequence[tuple[float, float]], colour: Colour) -> None:
    """A filled polygon."""
    cv2.fillPoly(image, [np.array([_fixed(*point) for point in points], np.int32)], colour, cv2.LINE_AA, _SHIFT)


def box(image: Image, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
    """A filled rectangle."""
    shape(image, [(left, top), (right, top), (right, bottom), (left, bottom)], colour)


def ridge(image: Image, base: float, height: float, wave: float, phase: float, colour: Colour) -> None:
    """Rolling ground from the left edge to the right, down to the bottom."""
    xs = np.linspace(-10, WIDTH + 10, 60)
    ys = base - height * (0.6 * np.sin((xs + phase) / wave) + 0.4 * np.sin((xs + phase) / wave * 2.3 + 1))
    shape(image, [*zip(xs, ys, strict=True), (WIDTH + 10, HEIGHT + 10), (-10, HEIGHT + 10)], colour)


@dataclass(frozen=True)
class Look:
    """Where a ball looks (-1..1 each way) and how far its eyes are open (0..1)."""

    x: float = 0.4
    y: float = 0.0
    open: float = 1.0


def shadow(image: Image, x: float, ground_y: float, r: float, height: float, colour: Colour) -> None:
    """A ball's shadow: small while the ball is high."""
    near = 1 / (1 + height / 120)
    disc(image, x, ground_y, r * near, r * 0.16 * near, colour)


def ball(image: Image, x: float, y: float, r: float, look: Look, squash: float = 0.0, blue: bool = False) -> None:
    """A ball with eyes that stands on (x, y): y is its lowest point. squash: 0 round .. 1 flat."""
    rx, ry = r * (1 + 0.5 * squash), r * (1 - 0.5 * squash)
    cy = y - ry
    disc(image, x, cy, rx, ry, BLUE_DARK if blue else RED_DARK)
    disc(image, x - 0.08 * r, cy - 0.08 * r, rx * 0.88, ry * 0.88, BLUE if blue else RED)
    for side in (-1, 1):
        ex, ey = x + (side * 0.3 + 0.2 * look.x) * rx, cy - (0.15 - 0.12 * look.y) * ry
        disc(image, ex, ey, 0.24 * rx, 0.28 * ry * max(look.open, 0.08), WHITE if look.open > 0.1 else INK)
        if look.open > 0.1:
            disc(image, ex + 0.1 * rx * look.x, ey + 0.1 * ry * look.y, 0.11 * rx, 0.13 * ry * look.open, INK)


def ease(t: float, start: float, end: float) -> float:
    """0 before `start`, 1 after `end`, smooth between."""
    p = min(1.0, max(0.0, (t - start) / (end - start)))
    return p * p * (3 - 2 * p)


def hop(t: float, contacts: Sequence[float], gravity: float = GRAVITY) -> tuple[float, float]:
    """(height above the ground, squash) of a ball that touches ground at `contacts` and rests after the last one."""
    squash = sum(0.3 * max(0.0, 1 - (t - c) / 0.2) for c in contacts if t >= c)
    if t <= contacts[0]:
        return gravity * (contacts[0] - t) ** 2 / 2, 0.0
    for before, after in pairwise(contacts):
        if t < after:
            strength = min(1.0, (after - before) * 2)
            return gravity * (t - before) * (after - t) / 2, min(0.3, squash) * strength
    return 0.0, min(0.25, squash)


def stamp(t: float, hits: Sequence[float]) -> float:
    """Height 0..1 of a hammer: it lifts slowly, falls in 0.12 s and stops dead at each of `hits`."""
    for hit in hits:
        left = hit - t
        if left > 0.12:
            return ease(t, hit - 0.45, hit - 0.14)
        if left > 0:
            return 1 - (1 - left / 0.12) ** 2
    return 0.0


def advance(t: float, stops: Sequence[float], step: float, taking: float) -> float:
    """Way of a belt that moves by `step` up to each of `stops`, in `taking` seconds, and stops dead."""
    return sum(step * min(1.0, max(0.0, 1 - (stop - t) / taking)) ** 1.3 for stop in stops)


def puffs(image: Image, t: float, at: float, x: float, y: float, colour: Colour) -> None:
    """Dust or sparks that fly from (x, y) at the moment `at`."""
    age = t - at
    if 0 <= age < 0.35:
        for k in range(-3, 4):
            reach = 34 * (1 - (1 - age / 0.35) ** 2)
            r = 6 * (1 - age / 0.35)
            disc(image, x + k * reach, y - 4 - (9 - k * k) * reach / 12, r, r, colour)
