"""Draw the example film and write down what is true about it: `python examples/make_film.py [FOLDER]`.

Writes film.mp4 (32.2 s, 640x360, 24 fps, silent) and film.json (its cuts, fade and impacts in seconds). Needs numpy,
OpenCV and an `ffmpeg` with libx264 on the path. Every run draws the same frames.

The story: a red ball drops into a meadow, rolls off to see the world, gets under the hammers of a factory, flees home,
sleeps, and in the morning is no longer alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from drawing import (
    FPS,
    GRAVITY,
    HEIGHT,
    WIDTH,
    Colour,
    Image,
    Look,
    advance,
    ball,
    box,
    canvas,
    disc,
    ease,
    hop,
    puffs,
    rgb,
    ridge,
    shadow,
    shape,
    stamp,
)

# --- places --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Light:
    """The meadow's colours at one time of the day."""

    sky: Colour
    glow: Colour
    far: Colour
    near: Colour
    ground: Colour


DAY = Light(rgb("bfe6f2"), rgb("fff3b0"), rgb("8cc7a1"), rgb("63ad7a"), rgb("4c9463"))
DUSK = Light(rgb("f4a36b"), rgb("ffe0a3"), rgb("b5645f"), rgb("8a4a58"), rgb("63374c"))
NIGHT = Light(rgb("1d2350"), rgb("f2f0dc"), rgb("2a3468"), rgb("232a57"), rgb("181d42"))
MORNING = Light(rgb("ffe3d0"), rgb("fff8d8"), rgb("b9d6a0"), rgb("8fc383"), rgb("6cab6b"))
GROUND_Y = 290.0


def meadow(light: Light, sun: tuple[float, float], pan: float = 0.0) -> Image:
    """Hills under a sun or a moon."""
    image = canvas(light.sky)
    disc(image, sun[0], sun[1], 38, 38, light.glow)
    ridge(image, 215, 32, 90, pan * 0.4 + 40, light.far)
    ridge(image, 255, 22, 60, pan * 0.7 + 260, light.near)
    box(image, -5, GROUND_Y - 14, WIDTH + 5, HEIGHT + 5, light.ground)
    return image


def face(light: Light, zoom: float = 0.0) -> Image:
    """The meadow, out of focus and near: the background of a close-up."""
    image = canvas(light.sky)
    ridge(image, 250 + zoom, 40, 150, 30, light.far)
    ridge(image, 310 + zoom, 26, 110, 200, light.near)
    return image


def road(way: float) -> Image:
    """A desert road that has gone by `way` pixels."""
    image = canvas(rgb("f6d9a0"))
    disc(image, 500, 80, 34, 34, rgb("fff1c9"))
    ridge(image, 220, 40, 95, way * 0.12, rgb("e2ab6c"))
    ridge(image, 250, 18, 70, way * 0.3, rgb("cf8f54"))
    box(image, -5, 262, WIDTH + 5, HEIGHT + 5, rgb("b5743f"))
    box(image, -5, 282, WIDTH + 5, 334, rgb("5b4a4f"))
    for k in range(-1, 6):
        x = k * 170 - way % 170
        box(image, x, 305, x + 80, 311, rgb("f2dfb8"))
    for k in range(-1, 4):
        number = k + int(way // 260)
        x, tall = k * 260 - way % 260 + 37 * (number * number % 4), 60 + 23 * (number * 7 % 3)
        shape(image, [(x - 9, 272), (x - 9, 272 - tall), (x + 9, 272 - tall), (x + 9, 272)], rgb("4f7d57"))
        box(image, x - 28, 272 - tall * 0.7, x + 9, 272 - tall * 0.7 + 14, rgb("4f7d57"))
        box(image, x - 28, 272 - tall * 0.95, x - 15, 272 - tall * 0.6, rgb("4f7d57"))
    return image


def works(way: float, lamp: float) -> Image:
    """The factory hall with its belt, gone by `way` pixels. lamp: 0..1."""
    image = canvas(rgb("3a3346"))
    for k in range(5):
        box(image, 30 + k * 130, 40, 110 + k * 130, 120, rgb("574c63"))
        box(image, 34 + k * 130, 44, 106 + k * 130, 116, rgb("e8a34c") if (k + round(lamp)) % 2 else rgb("c9793d"))
    box(image, -5, 250, WIDTH + 5, 268, rgb("8d8398"))
    box(image, -5, 268, WIDTH + 5, HEIGHT + 5, rgb("2b2535"))
    for k in range(-1, 9):
        x = k * 90 + way % 90
        box(image, x, 250, x + 10, 268, rgb("6a6176"))
        disc(image, k * 90 + 45, 290, 15, 15, rgb("5c5369"))
        disc(image, k * 90 + 45, 290, 5, 5, rgb("2b2535"))
    return image


def crate(image: Image, x: float) -> None:
    """A crate on the belt."""
    box(image, x - 34, 186, x + 34, 250, rgb("d98a3a"))
    box(image, x - 27, 193, x + 27, 243, rgb("b86e2c"))
    shape(image, [(x - 27, 193), (x - 17, 193), (x + 27, 243), (x + 17, 243)], rgb("d98a3a"))


# --- shots: each takes the seconds since its own first frame ------------------------------------------------------


@dataclass(frozen=True)
class Shot:
    """One shot. impacts: seconds since its first frame at which something lands or stops. pace: how it moves."""

    draw: Callable[[float], Image]
    frames: int
    place: str
    pace: str
    impacts: tuple[float, ...] = ()


ARRIVAL = (0.75, 1.55, 2.15, 2.55)
SKID = (2.2,)
HAMMER = (0.4, 0.8, 1.2)
HAMMER_AGAIN = (0.35, 0.75)
BELT = (0.4, 0.9, 1.4, 1.9)
FLIGHT = (0.3, 0.75, 1.2, 1.65)
CRASH = (2.25,)
VISITOR = (0.7, 1.4, 1.9)
TOGETHER = (2.55, 3.1)


def arrival(t: float) -> Image:
    """The red ball drops from the sky and bounces to rest."""
    image = meadow(DAY, (520, 80))
    height, squash = hop(t, ARRIVAL)
    shadow(image, 90 + 105 * min(t, 2.9), GROUND_Y, 42, height, rgb("3f7d54"))
    ball(image, 90 + 105 * min(t, 2.9), GROUND_Y - height, 42, Look(0.5, 0.6 if height > 5 else 0), squash)
    for contact in ARRIVAL[:2]:
        puffs(image, t, contact, 90 + 105 * contact, GROUND_Y, DAY.near)
    return image


def curious(t: float) -> Image:
    """Near: it looks around."""
    image = face(DAY)
    look = 0.9 * ease(t, 0.2, 0.7) - 1.7 * ease(t, 1.0, 1.5)
    ball(image, 320 + 14 * look, 345, 135, Look(look, 0.0, 0.15 if 0.8 < t < 0.95 else 1.0))
    return image


def racing(t: float) -> Image:
    """It rolls off into the desert, and brakes."""
    way = 620 * min(t, SKID[0])
    image = road(way)
    rolling = t < SKID[0]
    wobble = abs(np.sin(t * 14)) * 5 if rolling else 0.0
    ball(image, 250, 322 - wobble, 44, Look(1.0 if rolling else 0.0, 0.0), 0.0 if rolling else 0.2)
    puffs(image, t, SKID[0], 290, 322, rgb("d9b98a"))
    return image


def pounding(hits: Sequence[float]) -> Callable[[float], Image]:
    """A hammer that comes down at `hits`."""

    def draw(t: float) -> Image:
        """The frame `t` seconds after the shot's first: the hammer, its sparks, the ball watching."""
        image = canvas(rgb("2f2839"))
        box(image, 0, 0, 120, HEIGHT, rgb("453b52"))
        box(image, 520, 0, WIDTH, HEIGHT, rgb("453b52"))
        top = 205 - 150 * stamp(t, hits)
        box(image, 290, -5, 350, top, rgb("6f6580"))
        box(image, 190, top - 75, 450, top + 35, rgb("a59bb5"))
        box(image, 190, top + 15, 450, top + 35, rgb("e8a34c"))
        box(image, 140, 265, 500, HEIGHT, rgb("5c5369"))
        box(image, 215, 240, 425, 265, rgb("ff7a3c"))
        for hit in hits:
            puffs(image, t, hit, 200, 245, rgb("ffd98a"))
            puffs(image, t, hit, 440, 245, rgb("ffd98a"))
        ball(image, 575, 350, 40, Look(-1.0, -0.4))
        return image

    return draw


def carried(t: float) -> Image:
    """The belt carries it between crates, by jerks."""
    way = advance(t, BELT, 90, 0.28)
    image = works(way, 0.0)
    for k in (-4, -3, -2, 0, 1, 2):
        crate(image, 320 + k * 130 - 130 + way)
    ball(image, 60 + way, 250, 36, Look(0.8, -0.6))
    return image


def fleeing(t: float) -> Image:
    """It hops away over the belt."""
    image = works(0.0, 1.0)
    crate(image, 40)
    height, squash = hop(t, FLIGHT)
    ball(image, 110 + 270 * t, 250 - height, 44, Look(1.0, 0.0), squash)
    for contact in FLIGHT:
        puffs(image, t, contact, 110 + 270 * contact, 250, rgb("c9bfd6"))
    return image


def homeward(t: float) -> Image:
    """It races back, leaps, and lands to a stop."""
    image = road(400 + 760 * min(t, CRASH[0]))
    gone = t < CRASH[0]
    height = hop(t, (1.35, CRASH[0]), 900)[0] if t > 1.35 else abs(np.sin(t * 17)) * 5
    ball(image, 300, 322 - height, 44, Look(1.0 if gone else 0.2, -0.4 if gone else 0.3), 0.0 if gone else 0.25)
    puffs(image, t, CRASH[0], 300, 322, rgb("d9b98a"))
    return image


def evening(t: float) -> Image:
    """It comes home and shuts its eyes."""
    image = meadow(DUSK, (150, 175 + 14 * t))
    shadow(image, 300 + 50 * ease(t, 0.0, 1.4), GROUND_Y, 42, 0, rgb("512c40"))
    ball(image, 300 + 50 * ease(t, 0.0, 1.4), GROUND_Y, 42, Look(-0.6, 0.0, 1 - ease(t, 1.2, 1.9)))
    return image


def night(t: float) -> Image:
    """It sleeps under the moon."""
    image = meadow(NIGHT, (470, 85), pan=9 * t)
    disc(image, 455, 78, 34, 34, NIGHT.sky)
    for k in range(26):
        x, y = (k * 137.5) % WIDTH, (k * 61.8) % 165
        r = 1.2 + 0.7 * np.sin(2.0 * t + k)
        disc(image, x, y, r, r, NIGHT.glow)
    shadow(image, 350, GROUND_Y, 42, 0, rgb("121631"))
    ball(image, 350, GROUND_Y + 1.2 * np.sin(2.2 * t), 42, Look(0.0, 0.0, 0.0))
    return image


def awake(t: float) -> Image:
    """Near: it opens its eyes."""
    image = face(NIGHT)
    opening = ease(t, 0.35, 0.6)
    ball(image, 320, 345, 135, Look(0.2, -0.8 * ease(t, 0.6, 0.9), opening))
    return image


def visitor(t: float) -> Image:
    """A blue ball drops in; they leap together."""
    image = meadow(MORNING, (120, 90))
    crouch, leap = VISITOR[-1] + 0.35, TOGETHER[0]
    if t <= crouch:  # only the blue one moves
        both, (own, squash) = (0.0, 0.0), hop(t, VISITOR)
    elif t < leap:  # the first leap starts from the ground
        own = GRAVITY * (t - crouch) * (leap - t) / 2
        both, squash = (own, 0.0), 0.0
    else:
        both = hop(t, TOGETHER)
        own, squash = both
    blue_x = 430 + 40 * max(0.0, 1.4 - t)
    shadow(image, 300, GROUND_Y, 42, both[0], rgb("5a955b"))
    shadow(image, blue_x, GROUND_Y, 36, own, rgb("5a955b"))
    ball(image, 300, GROUND_Y - both[0], 42, Look(0.6, -0.5 if own > 40 else 0.0), both[1])
    ball(image, blue_x, GROUND_Y - own, 36, Look(-0.8, 0.2), squash, blue=True)
    for contact in (*VISITOR[:2], *TOGETHER):
        puffs(image, t, contact, 430 + 40 * max(0.0, 1.4 - contact), GROUND_Y, MORNING.near)
    return image


def friends(t: float) -> Image:
    """Near: the two move close."""
    image = face(MORNING)
    near = 22 * ease(t, 0.2, 1.6)
    blink = 0.12 if 1.7 < t < 1.82 else 1.0
    ball(image, 215 + near, 345, 112, Look(0.9, 0.0, blink))
    ball(image, 435 - near, 345, 98, Look(-0.9, -0.1, blink), blue=True)
    return image


# Lengths in frames, on no musical grid: editors cut where the picture wants it.
SHOTS = (
    Shot(arrival, 83, "meadow", "medium", ARRIVAL),
    Shot(curious, 50, "meadow, near", "slow"),
    Shot(racing, 71, "road", "fast", SKID),
    Shot(pounding(HAMMER), 37, "hammer", "fast", HAMMER),
    Shot(carried, 55, "works", "medium", BELT),
    Shot(pounding(HAMMER_AGAIN), 25, "hammer", "fast", HAMMER_AGAIN),
    Shot(fleeing, 49, "works", "medium", FLIGHT),
    Shot(homeward, 70, "road", "fast", CRASH),
    Shot(evening, 64, "dusk", "slow"),
    Shot(night, 87, "night", "slow"),
    Shot(awake, 34, "night, near", "slow"),
    Shot(visitor, 85, "morning", "medium", VISITOR + TOGETHER),
    Shot(friends, 62, "morning, near", "slow"),
)
FADE_AFTER = 8
"""Index of the shot that goes to black; the next one comes out of it."""
FADE_OUT_S, FADE_IN_S = 1.0, 0.75


# --- the film ------------------------------------------------------------------------------------------------------


def frames() -> list[tuple[Shot, float, float]]:
    """(shot, seconds since its first frame, brightness 0..1) of every frame."""
    listed = []
    for index, shot in enumerate(SHOTS):
        for k in range(shot.frames):
            t, light = k / FPS, 1.0
            if index == FADE_AFTER:
                light = min(1.0, (shot.frames / FPS - t) / FADE_OUT_S)
            elif index == FADE_AFTER + 1:
                light = min(1.0, t / FADE_IN_S)
            listed.append((shot, t, light))
    return listed


def truth() -> dict[str, object]:
    """What an analysis should find, in seconds."""
    starts = np.concatenate(([0.0], np.cumsum([shot.frames / FPS for shot in SHOTS])))
    fade_s = float(starts[FADE_AFTER + 1])
    return {
        "fps": FPS,
        "duration_s": round(float(starts[-1]), 4),
        "cuts": [round(float(s), 4) for s in starts[1:-1] if s != fade_s],
        "fades": [
            {
                "time_s": round(fade_s, 4),
                "start_s": round(fade_s - FADE_OUT_S, 4),
                "end_s": round(fade_s + FADE_IN_S, 4),
            }
        ],
        "impacts": [
            round(float(start + t), 4) for start, shot in zip(starts, SHOTS, strict=False) for t in shot.impacts
        ],
        "shots": [
            {
                "start_s": round(float(start), 4),
                "end_s": round(float(start + shot.frames / FPS), 4),
                "place": shot.place,
                "pace": shot.pace,
            }
            for start, shot in zip(starts, SHOTS, strict=False)
        ],
    }


def encode(path: Path) -> None:
    """Draw every frame into an ffmpeg that writes H.264."""
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH}x{HEIGHT}"]
    command += ["-r", str(FPS), "-i", "-", "-c:v", "libx264", "-preset", "slower", "-crf", "19", "-threads", "1"]
    command += ["-g", "48", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-fflags", "+bitexact", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for shot, t, light in frames():
            drawn = cv2.resize(shot.draw(t), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
            encoder.stdin.write(np.round(drawn * light).astype(np.uint8).tobytes())
    if encoder.returncode:
        raise SystemExit(f"error: ffmpeg gave up with code {encoder.returncode}; does it have libx264?")


def main() -> None:
    """Write film.mp4 and film.json into the folder given, or beside this script."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    folder.mkdir(parents=True, exist_ok=True)
    encode(folder / "film.mp4")
    (folder / "film.json").write_text(json.dumps(truth(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
