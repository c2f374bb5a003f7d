"""Rendered scenes whose impacts are known to the frame: balls, stops, collisions, pendulums, hands, steps, doors,
hammers, dancers, drops; and traps in which nothing happens.

Everything that is not the event is drawn at random from the seed: background, colours, contrast, size, speed, easing,
frame rate, motion blur, compression. World coordinates are pixels of a 480 x 270 picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

WIDTH, HEIGHT, MARGIN = 480, 270, 48
KINDS = ("ball", "stop", "collide", "pendulum", "clap", "walk", "door", "hammer", "dancer", "drop")
VARIANTS = ("still", "shaken", "grainy", "small", "fast", "dark")
TRAPS = ("shake", "grain", "pan", "water", "zoom", "glide", "follow", "traffic")
_SHIFT = 4


@dataclass
class Stage:
    """What a scene is made of: who moves (`draw(canvas, t)`), when it strikes, and how it is filmed."""

    rng: np.random.Generator
    duration_s: float
    fps: float
    scale: float = 1.0
    speed: float = 1.0
    impacts: list[float] = field(default_factory=list)
    draw: Callable[[np.ndarray, float], None] = lambda canvas, t: None
    colours: list[tuple[float, float, float]] = field(default_factory=list)

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def moments(self, low_s: float, high_s: float) -> np.ndarray:
        """Rising times with gaps between low_s and high_s, nearly steady, over the whole scene and a bit more."""
        gap = self.uniform(low_s, high_s) / self.speed
        wander = float(self.rng.choice([0.0, 0.04, 0.12]))
        # The first lies before the scene begins, so that each one seen has its run-up.
        times, t = [], -self.uniform(0.1, 1.0) * gap
        while t < self.duration_s + 2 * gap:
            times.append(t)
            t += gap * (1 + self.uniform(-wander, wander))
        return np.array(times)


def point(x: float, y: float) -> tuple[int, int]:
    return round((x + MARGIN) * 2**_SHIFT), round((y + MARGIN) * 2**_SHIFT)


def disc(canvas, x, y, radius, colour):
    cv2.circle(canvas, point(x, y), max(1, round(radius * 2**_SHIFT)), colour, -1, cv2.LINE_AA, _SHIFT)


def oval(canvas, x, y, a, b, degrees, colour):
    axes = (max(1, round(a * 2**_SHIFT)), max(1, round(b * 2**_SHIFT)))
    cv2.ellipse(canvas, point(x, y), axes, degrees, 0, 360, colour, -1, cv2.LINE_AA, _SHIFT)


def polygon(canvas, points, colour):
    corners = np.array([point(x, y) for x, y in points], np.int32)
    cv2.fillPoly(canvas, [corners], colour, cv2.LINE_AA, _SHIFT)


def limb(canvas, x0, y0, x1, y1, thick, colour):
    """A bar with round ends."""
    across = np.array([y1 - y0, x0 - x1]) / max(1e-6, np.hypot(x1 - x0, y1 - y0)) * thick / 2
    polygon(canvas, [(x0 + across[0], y0 + across[1]), (x1 + across[0], y1 + across[1]),
                     (x1 - across[0], y1 - across[1]), (x0 - across[0], y0 - across[1])], colour)  # fmt: skip
    disc(canvas, x0, y0, thick / 2, colour)
    disc(canvas, x1, y1, thick / 2, colour)


def body(stage: Stage, radius: float) -> Callable[[np.ndarray, float, float], None]:
    """Something with a shape and a pattern of its own, drawn at (x, y)."""
    shape = stage.rng.choice(["disc", "square", "striped", "star"])
    colour, second = stage.colours[0], stage.colours[1]
    phase = stage.uniform(0, 6)

    def draw(canvas, x, y):
        if shape == "disc":
            disc(canvas, x, y, radius, colour)
        elif shape == "square":
            r = radius * 0.9
            polygon(canvas, [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)], colour)
        elif shape == "striped":
            disc(canvas, x, y, radius, colour)
            disc(canvas, x - radius * 0.2, y - radius * 0.2, radius * 0.5, second)
        else:
            angles = phase + np.arange(10) * np.pi / 5
            reach = np.where(np.arange(10) % 2, 0.55, 1.15) * radius
            polygon(canvas, list(zip(x + reach * np.cos(angles), y + reach * np.sin(angles), strict=True)), colour)

    return draw


def at(times: np.ndarray, t: float) -> tuple[int, float]:
    """(index of the gap, share of it that is over) at t; the first gap also before it begins."""
    index = int(np.clip(np.searchsorted(times, t, "right") - 1, 0, len(times) - 2))
    return index, (t - times[index]) / (times[index + 1] - times[index])


def ease(u: float) -> float:
    u = min(1.0, max(0.0, u))
    return u * u * (3 - 2 * u)


def ball(stage: Stage) -> None:
    landings = stage.moments(0.6, 1.0)
    floor, radius = stage.uniform(215, 250), stage.uniform(10, 18) * stage.scale
    height = min(stage.uniform(80, 230) * max(1.0, stage.speed), floor - 30)
    paint, drift, x0 = body(stage, radius), stage.uniform(-60, 60), stage.uniform(60, 420)
    longest, shadow = float(np.diff(landings).max()), bool(stage.rng.integers(2))
    stage.impacts = list(landings)

    def draw(canvas, t):
        index, u = at(landings, t)
        top = height * ((landings[index + 1] - landings[index]) / longest) ** 2
        x = 40 + abs((x0 - 40 + drift * t) % 800 - 400)
        up = max(0.0, top * 4 * u * (1 - u))
        if shadow:
            oval(canvas, x, floor + 3, radius * (1.3 - up / 400), radius * 0.25, 0, (20, 20, 20))
        paint(canvas, x, floor - radius - up)

    stage.draw = draw


def stop(stage: Stage) -> None:
    stops = stage.moments(0.8, 1.5)
    radius = stage.uniform(12, 34) * stage.scale
    places = [(stage.uniform(50, 430), stage.uniform(50, 220))]
    while len(places) < len(stops) + 1:
        place = (stage.uniform(50, 430), stage.uniform(50, 220))
        if np.hypot(place[0] - places[-1][0], place[1] - places[-1][1]) > 110:
            places.append(place)
    travel, power, paint = stage.uniform(0.25, 0.6) / stage.speed, stage.uniform(1.3, 2.5), body(stage, radius)
    stage.impacts = list(stops)

    def draw(canvas, t):
        index = int(np.searchsorted(stops, t, "right"))
        index = min(index, len(stops) - 1)
        u = min(1.0, max(0.0, 1 - (stops[index] - t) / travel)) ** power
        (x0, y0), (x1, y1) = places[index], places[index + 1]
        paint(canvas, x0 + (x1 - x0) * u, y0 + (y1 - y0) * u)

    stage.draw = draw


def collide(stage: Stage) -> None:
    """Two of equal mass on a line between two walls: at each contact the speed passes from one to the other."""
    radius = stage.uniform(12, 26) * stage.scale
    speed = stage.uniform(220, 420) * stage.speed
    left, right, y = stage.uniform(30, 60), stage.uniform(420, 450), stage.uniform(60, 210)
    middle = stage.uniform(180, 300)
    slope = stage.uniform(-0.2, 0.2)
    first, second = body(stage, radius), body(stage, radius)
    rest_a, rest_b = middle - radius, middle + radius
    legs = [(rest_a - left) / speed, (right - rest_b) / speed]  # out or back, on the left and on the right
    period, start = 2 * sum(legs), stage.uniform(0, 1)
    for k in range(int(stage.duration_s / period) + 2):
        begin = k * period - start
        stage.impacts += [begin + legs[0], begin + 2 * legs[0], begin + 2 * legs[0] + legs[1], begin + period]

    def draw(canvas, t):
        phase = (t + start) % period
        out_a = min(phase, 2 * legs[0] - phase) if phase < 2 * legs[0] else 0.0
        phase -= 2 * legs[0]
        out_b = min(phase, 2 * legs[1] - phase) if phase > 0 else 0.0
        a, b = rest_a - speed * out_a, rest_b + speed * out_b
        for x, paint in ((a, first), (b, second)):
            paint(canvas, x, y + slope * (x - 240))

    stage.draw = draw


def pendulum(stage: Stage) -> None:
    turns = stage.moments(0.5, 0.95)
    length, amplitude = stage.uniform(120, 200), stage.uniform(0.35, 0.8)
    upward, radius = bool(stage.rng.integers(2)), stage.uniform(10, 22) * stage.scale
    x0, y0 = stage.uniform(180, 300), 245.0 if upward else 15.0
    thick, paint, sharp = stage.uniform(3, 7), body(stage, radius), stage.uniform(0.0, 0.6)
    stage.impacts = list(turns)

    def draw(canvas, t):
        index, u = at(turns, t)
        swing = (1 - sharp) * np.cos(np.pi * u) + sharp * (1 - 2 * u)  # a clockwork's turns are sharper
        angle = amplitude * swing * (1 if index % 2 else -1)
        x, y = x0 + length * np.sin(angle), y0 + (-1 if upward else 1) * length * np.cos(angle)
        limb(canvas, x0, y0, x, y, thick, stage.colours[1])
        paint(canvas, x, y)

    stage.draw = draw


def clap(stage: Stage) -> None:
    claps = stage.moments(0.5, 0.9)
    size, reach = stage.uniform(20, 36) * (0.6 + 0.4 * stage.scale), stage.uniform(60, 130)
    x, y, tilt = stage.uniform(180, 300), stage.uniform(100, 190), stage.uniform(-25, 25)
    hold, power = stage.uniform(0.02, 0.1), stage.uniform(1.0, 2.2)
    skin, sleeve = stage.colours[0], stage.colours[1]
    stage.impacts = list(claps)

    def draw(canvas, t):
        index, u = at(claps, t)
        gap_s = claps[index + 1] - claps[index]
        u = max(0.0, (u * gap_s - hold) / (gap_s - hold))
        apart = reach * (ease(u / 0.5) if u < 0.5 else 1 - ((u - 0.5) / 0.5) ** (power + 1))
        for side in (-1, 1):
            hx = x + side * (size * 0.45 + apart)
            limb(canvas, hx + side * size, y + size, hx + side * 150, y + 150, size * 0.8, sleeve)
            oval(canvas, hx, y, size * 0.45, size, tilt * side, skin)
            for finger in range(3):
                limb(
                    canvas, hx, y - size * 0.6, hx + side * (finger - 1) * size * 0.3, y - size * 1.5, size * 0.2, skin
                )

    stage.draw = draw


def walk(stage: Stage) -> None:
    steps = stage.moments(0.45, 0.7)
    size, stride = stage.uniform(0.9, 1.3) * (0.6 + 0.4 * stage.scale), stage.uniform(50, 80)
    stride *= size
    ground, lift, x0 = stage.uniform(225, 255), stage.uniform(10, 22) * size, stage.uniform(200, 280)
    treadmill, heading = bool(stage.rng.integers(2)), 1 if stage.rng.integers(2) else -1
    leg, thick = 75 * size, stage.uniform(10, 16) * size
    trousers, shirt = stage.colours[0], stage.colours[1]
    stage.impacts = list(steps)
    turn = 3 if treadmill else max(2, int(330 / stride))

    def along(index: int) -> float:
        """Where the foot that lands at step `index` stands: there and back."""
        place = index % (2 * turn)
        return stride * (min(place, 2 * turn - place) - turn / 2)

    def draw(canvas, t):
        index, u = at(steps, t)
        if treadmill:
            feet = [(stride * (0.5 - u), 0.0), (stride * (-0.5 + ease(u) * 0.6 + u * 0.4), lift * np.sin(np.pi * u))]
            hip = 0.0
        else:
            swing = along(index - 1) + (along(index + 1) - along(index - 1)) * (0.5 * u + 0.5 * ease(u))
            feet = [(along(index), 0.0), (swing, lift * np.sin(np.pi * u))]
            hip = (along(index) + swing) / 2
        if index % 2:
            feet.reverse()
        hip_x, hip_y = x0 + heading * hip, ground - leg * 0.97 + 3 * size * np.cos(2 * np.pi * u)
        for k, (fx, fy) in enumerate(feet):
            x, y = x0 + heading * fx, ground - fy
            knee = ((x + hip_x) / 2 + heading * 7 * size * (0.3 + fy / max(lift, 1)), (y + hip_y) / 2)
            shade = tuple(c * (0.75 if k else 1.0) for c in trousers)
            limb(canvas, hip_x, hip_y, *knee, thick, shade)
            limb(canvas, *knee, x, y, thick * 0.8, shade)
            limb(canvas, x, y, x + heading * 12 * size, y, thick * 0.6, shade)
        limb(canvas, hip_x, hip_y, hip_x + heading * 3, hip_y - 55 * size, 26 * size, shirt)
        arm = 0.5 * np.cos(np.pi * (u + index))
        limb(canvas, hip_x, hip_y - 50 * size, hip_x + 38 * size * np.sin(arm), hip_y - 12 * size, 9 * size, shirt)
        disc(canvas, hip_x + heading * 4, hip_y - 78 * size, 14 * size, (140, 170, 215))

    stage.draw = draw


def door(stage: Stage) -> None:
    slams = stage.moments(1.1, 1.9)
    width, height = stage.uniform(80, 150) * (0.6 + 0.4 * stage.scale), stage.uniform(150, 220)
    x0, y0, opened = stage.uniform(100, 250), stage.uniform(20, 40), stage.uniform(0.9, 1.4)
    closing, power = stage.uniform(0.25, 0.5) / stage.speed, stage.uniform(1.5, 3)
    stage.impacts = list(slams)

    def draw(canvas, t):
        index, u = at(slams, t)
        gap_s = slams[index + 1] - slams[index]
        left_s = (1 - u) * gap_s
        shut = max(0.0, 1 - left_s / closing) ** power
        angle = opened * ease(u * gap_s / (gap_s - closing) * 1.15 - 0.1) * (1 - shut)
        across, slant = width * np.cos(angle), 0.18 * width * np.sin(angle)
        polygon(canvas, [(x0, y0), (x0 + width, y0), (x0 + width, y0 + height), (x0, y0 + height)], stage.colours[2])
        leaf = [(x0, y0), (x0 + across, y0 - slant), (x0 + across, y0 + height + slant), (x0, y0 + height)]
        polygon(canvas, leaf, stage.colours[0])
        disc(canvas, x0 + across * 0.88, y0 + height / 2, 5, stage.colours[1])

    stage.draw = draw


def hammer(stage: Stage) -> None:
    blows = stage.moments(0.6, 1.2)
    length, head = stage.uniform(100, 160), stage.uniform(16, 26) * stage.scale
    x0, y0, raised = stage.uniform(90, 160), stage.uniform(170, 210), stage.uniform(0.7, 1.2)
    falling, rebound = stage.uniform(0.12, 0.25) / stage.speed, stage.uniform(0.0, 0.12)
    mirrored = bool(stage.rng.integers(2))
    stage.impacts = list(blows)

    def draw(canvas, t):
        index, u = at(blows, t)
        gap_s = blows[index + 1] - blows[index]
        since_s, left_s = u * gap_s, (1 - u) * gap_s
        lift = raised * ease((since_s - 0.15) / max(0.1, gap_s - falling - 0.2))
        lift = lift if since_s > 0.15 else rebound * np.sin(np.pi * max(0.0, since_s) / 0.15)
        if left_s < falling:
            lift = raised * (1 - (1 - left_s / falling) ** 2)
        x, y = x0 + length * np.cos(lift), y0 - length * np.sin(lift)
        mirror = (lambda v: WIDTH - v) if mirrored else (lambda v: v)
        anvil_x = mirror(x0 + length)
        polygon(canvas, [(anvil_x - 30, y0 + head), (anvil_x + 30, y0 + head), (anvil_x + 20, 268),
                         (anvil_x - 20, 268)], stage.colours[2])  # fmt: skip
        limb(canvas, mirror(x0), y0, mirror(x), y, 8, stage.colours[1])
        down = np.array([np.sin(lift), np.cos(lift)]) * head
        limb(canvas, mirror(x - down[0]), y - down[1], mirror(x + down[0]), y + down[1], head * 1.3, stage.colours[0])

    stage.draw = draw


def dancer(stage: Stage) -> None:
    turns = stage.moments(0.5, 0.85)
    size, sway = stage.uniform(0.9, 1.3) * (0.6 + 0.4 * stage.scale), stage.uniform(30, 70)
    x0, y0, sharp = stage.uniform(190, 290), stage.uniform(240, 262), stage.uniform(0.2, 0.8)
    raised = stage.uniform(0.6, 1.3)
    skin, cloth = stage.colours[0], stage.colours[1]
    stage.impacts = list(turns)

    def draw(canvas, t):
        index, u = at(turns, t)
        swing = ((1 - sharp) * np.cos(np.pi * u) + sharp * (1 - 2 * u)) * (1 if index % 2 else -1)
        x, hip_y = x0 + sway * swing, y0 - 80 * size
        for side in (-1, 1):
            limb(canvas, x + side * 8 * size, hip_y, x0 + side * 26 * size, y0, 13 * size, cloth)
        chest = (x + 10 * swing * size, hip_y - 60 * size)
        limb(canvas, x, hip_y, *chest, 30 * size, cloth)
        for side in (-1, 1):
            angle = 0.3 + raised * (1 + side * swing) / 2 * 1.6
            hand = (chest[0] + side * 62 * size * np.sin(angle), chest[1] + 62 * size * np.cos(angle) - 10)
            limb(canvas, chest[0] + side * 14 * size, chest[1], *hand, 10 * size, skin)
        disc(canvas, chest[0] + 6 * swing, chest[1] - 28 * size, 15 * size, skin)

    stage.draw = draw


def drop(stage: Stage) -> None:
    falls = stage.moments(0.9, 1.6)
    surface, radius = stage.uniform(170, 220), stage.uniform(6, 13) * (0.5 + 0.5 * stage.scale)
    falling, speed = stage.uniform(0.35, 0.6) / stage.speed, stage.uniform(60, 140)
    xs = stage.rng.uniform(60, 420, len(falls))
    water, colour = stage.colours[2], stage.colours[0]
    stage.impacts = list(falls)

    def draw(canvas, t):
        polygon(canvas, [(-60, surface), (540, surface), (540, 330), (-60, 330)], water)
        for k in np.flatnonzero((falls > t - 1.2) & (falls < t + falling)):
            age = t - falls[k]
            if age < 0:
                oval(canvas, xs[k], surface - surface * (1 - (1 + age / falling) ** 2) - radius * 0.5, radius * 0.8,
                     radius * 1.1, 0, colour)  # fmt: skip
                continue
            fade = 1 - age / 1.2
            ring = tuple(w + (c - w) * fade * 0.8 for w, c in zip(water, colour, strict=True))
            axes = (round((5 + speed * age) * 16), round((2 + speed * age * 0.22) * 16))
            cv2.ellipse(canvas, point(xs[k], surface + 12), axes, 0, 0, 360, ring, 2, cv2.LINE_AA, _SHIFT)
            for jet in range(-2, 3):
                up = (170 - 25 * abs(jet)) * age - 450 * age * age
                if up > 0:
                    disc(canvas, xs[k] + jet * 55 * age, surface - up, radius * 0.35, colour)

    stage.draw = draw


def glide(stage: Stage) -> None:
    """A trap: things that go by at a steady pace, and nothing happens."""
    movers = [(body(stage, stage.uniform(10, 30)), stage.uniform(0, 640), stage.uniform(30, 240),
               stage.uniform(40, 160) * (1 if stage.rng.integers(2) else -1)) for _ in range(3)]  # fmt: skip

    def draw(canvas, t):
        for paint, x, y, speed in movers:
            paint(canvas, (x + speed * t) % 640 - 80, y)

    stage.draw = draw


def follow(stage: Stage) -> None:
    """A trap: the same while the camera pans."""
    glide(stage)


def traffic(stage: Stage) -> None:
    """A trap: large things that pass close by, come nearer and go, each at its own steady pace."""
    movers = []
    for _ in range(int(stage.rng.integers(2, 5))):
        shape, radius = stage.rng.choice(["box", "person", "disc"]), stage.uniform(25, 110) * stage.scale
        speed = stage.uniform(90, 700) * stage.speed * (1 if stage.rng.integers(2) else -1)
        colour = tuple(float(c) for c in stage.rng.uniform(10, 245, 3))
        second = tuple(0.6 * c for c in colour)
        movers.append((shape, radius, speed, stage.uniform(0, 1400), stage.uniform(90, 240),
                       stage.uniform(-0.15, 0.3), colour, second))  # fmt: skip

    def draw(canvas, t):
        for shape, radius, speed, start, y, growth, colour, second in movers:
            x = (start + speed * t) % 1400 - 460
            r = radius * (1 + growth * (x - 240) / 480 * np.sign(speed))
            if shape == "disc":
                disc(canvas, x, y, r, colour)
            elif shape == "box":
                polygon(canvas, [(x - 1.6 * r, y - 0.5 * r), (x + 1.6 * r, y - 0.5 * r), (x + 1.6 * r, y + 0.5 * r),
                                 (x - 1.6 * r, y + 0.5 * r)], colour)  # fmt: skip
                polygon(canvas, [(x - 0.9 * r, y - r), (x + 0.8 * r, y - r), (x + 1.2 * r, y - 0.5 * r),
                                 (x - 1.2 * r, y - 0.5 * r)], second)  # fmt: skip
            else:
                limb(canvas, x, y + r, x, y - 0.6 * r, 0.7 * r, colour)
                disc(canvas, x, y - 1.1 * r, 0.35 * r, second)

    stage.draw = draw


def background(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8: noise of several sizes, tiles, stripes, leaves, or a wall with next to nothing."""
    kind = rng.choice(["noise", "tiles", "stripes", "leaves", "wall"])
    base = rng.uniform(50, 190, 3)
    picture = np.ones((height, width, 3), np.float32) * base.astype(np.float32)
    contrast = rng.uniform(12, 45)
    if kind in ("noise", "wall"):
        for cell in (4, 10, 24, 60):
            coarse = rng.normal(0, 1, (height // cell + 2, width // cell + 2, 1)).astype(np.float32)
            fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
            picture += fine[..., None] * contrast * (0.6 if kind == "noise" else 0.12)
    elif kind == "tiles":
        cell = int(rng.integers(14, 60))
        tiles = rng.normal(0, contrast, (height // cell + 1, width // cell + 1, 3)).astype(np.float32)
        picture += tiles.repeat(cell, 0).repeat(cell, 1)[:height, :width]
    elif kind == "stripes":
        angle, wave = rng.uniform(0, np.pi), rng.uniform(14, 70)
        y, x = np.mgrid[:height, :width]
        picture += (np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / wave) * contrast)[..., None]
    else:
        for _ in range(260):
            centre = (int(rng.integers(width)), int(rng.integers(height)))
            axes = (int(rng.integers(4, 26)), int(rng.integers(3, 14)))
            colour = tuple(float(c) for c in base + rng.normal(0, contrast, 3))
            cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 1.5)), 0, 255).astype(np.uint8)


def palette(rng: np.random.Generator, ground: np.ndarray) -> list[tuple[float, float, float]]:
    """Three colours that differ from the background's mean by 45 levels of brightness or more."""
    mean, colours = float(ground.mean()), []
    while len(colours) < 3:
        colour = rng.uniform(5, 250, 3)
        if abs(float(colour @ (0.11, 0.59, 0.30)) - mean) > (45 if len(colours) < 2 else 20):
            colours.append(tuple(float(c) for c in colour))
    return colours


def camera(rng: np.random.Generator, frames: int, sd: float) -> np.ndarray:
    """(frames, 2) pixels: a hand that trembles by `sd` a frame and drifts, and is pulled back to the middle."""
    path, place, drift = np.zeros((frames, 2)), np.zeros(2), np.zeros(2)
    for k in range(frames):
        drift = 0.97 * drift + rng.normal(0, sd * 0.15, 2)
        place = 0.985 * place + drift + rng.normal(0, sd, 2)
        path[k] = np.clip(place, -MARGIN + 6, MARGIN - 6)
    return path


def frames_of(name: str, variant: str, seed: int, duration_s: float = 8.0) -> tuple[Iterator[np.ndarray], Stage, int]:
    """(frames (270, 480, 3) BGR, stage, crf) of a kind or a trap; `variant` as in VARIANTS."""
    rng = np.random.default_rng([seed, (KINDS + TRAPS).index(name), VARIANTS.index(variant)])
    fps = float(rng.choice([30, 30, 25, 24, 60]))
    stage = Stage(rng, duration_s, fps, 0.5 if variant == "small" else 1.0, 1.5 if variant == "fast" else 1.0)
    ground = background(rng, WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
    stage.colours = palette(rng, ground)
    if name in (*KINDS, "glide", "follow", "traffic"):
        globals()[name](stage)
    last_s = duration_s - 0.15
    stage.impacts = sorted(t for t in stage.impacts if 0.15 < t < last_s)
    grain = rng.uniform(3, 6) if variant == "grainy" else rng.uniform(0, 1.5)
    shake = 0.8 if variant == "shaken" or name == "shake" else 0.0
    grain = rng.uniform(4, 8) if name == "grain" else grain
    blur = 3 if rng.random() < 0.4 else 1
    crf = int(rng.integers(18, 33 if variant != "grainy" else 27))
    dark = (rng.uniform(0.25, 0.45), rng.uniform(0, 12)) if variant == "dark" else (1.0, 0.0)
    count = round(duration_s * fps)
    path = camera(rng, count, shake * 30 / fps) if shake else np.zeros((count, 2))
    sway = trap_view(name, rng)
    window = cv2.getGaussianKernel(3, 0.5) if rng.random() < 0.5 else np.float32([[0], [1], [0]])  # some grain is fine
    bank = [cv2.sepFilter2D(rng.normal(0, grain, (HEIGHT + 64, WIDTH + 64)).astype(np.float32), -1, window, window)
            for _ in range(6)]  # fmt: skip

    def produce() -> Iterator[np.ndarray]:
        for k in range(count):
            exposures = []
            for sub in range(blur):
                t = (k + (sub / blur * 0.5)) / fps
                world = sway(ground, t)
                stage.draw(world, t)
                move = np.float32([[1, 0, -MARGIN - path[k, 0]], [0, 1, -MARGIN - path[k, 1]]])
                exposures.append(cv2.warpAffine(world, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT))
            picture = exposures[0]
            for number, exposure in enumerate(exposures[1:], 2):
                picture = cv2.addWeighted(picture, 1 - 1 / number, exposure, 1 / number, 0)
            y, x = rng.integers(0, 64, 2)
            noise = bank[int(rng.integers(len(bank)))][y : y + HEIGHT, x : x + WIDTH]
            grained = cv2.addWeighted(picture.astype(np.float32), dark[0], cv2.merge([noise] * 3), 1.0, dark[1])
            yield cv2.convertScaleAbs(cv2.max(grained, 0.0))

    return produce(), stage, crf


def trap_view(name: str, rng: np.random.Generator) -> Callable[[np.ndarray, float], np.ndarray]:
    """How the background itself moves: not at all, or as a trap."""
    size = (WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
    speed, angle = rng.uniform(20, 120), rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
    waves = [(rng.uniform(0.03, 0.12), rng.uniform(0.03, 0.12), rng.uniform(2, 6), rng.uniform(0, 6)) for _ in range(5)]

    def view(ground: np.ndarray, t: float) -> np.ndarray:
        if name in ("pan", "follow"):
            move = np.float32([[1, 0, -speed * t * np.cos(angle)], [0, 1, -speed * t * np.sin(angle)]])
            return cv2.warpAffine(ground, move, size, borderMode=cv2.BORDER_REFLECT)
        if name == "zoom":
            grown = 1 + 0.0006 * speed * t
            move = np.float32([[grown, 0, size[0] / 2 * (1 - grown)], [0, grown, size[1] / 2 * (1 - grown)]])
            return cv2.warpAffine(ground, move, size)
        if name == "water":
            swell = sum(3 * np.sin(a * x + b * y + c * t + d) for a, b, c, d in waves)
            return cv2.remap(ground, x + swell, y + 0.6 * swell, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return ground.copy()

    return view


def render(path: Path, name: str, variant: str, seed: int, duration_s: float = 8.0) -> list[float]:
    """Write the scene as H.264 and return the seconds of its impacts."""
    frames, stage, crf = frames_of(name, variant, seed, duration_s)
    part = path.with_suffix(".part.mp4")
    with av.open(str(part), "w") as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(round(stage.fps)), options={"crf": str(crf), "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    part.rename(path)
    return stage.impacts
