"""Films whose cuts, fades and speeds are known, for the ear's bench: drawn once and kept in the user's cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import platformdirs

FPS = 24
WIDTH, HEIGHT = 320, 180
VERSION = 1
"""Raised whenever a film here changes, so that none is taken from an old cache."""

Frame = np.ndarray


def texture(seed: int, width: int, height: int, colour: tuple[float, float, float]) -> Frame:
    """A cloudy picture twice as wide as it is shown, (height, 2 width, 3), 0..255, that closes on itself."""
    rng = np.random.default_rng(seed)
    field = np.zeros((height, 2 * width))
    for cell in (8, 16, 40):
        coarse = rng.random((height // cell + 2, 2 * width // cell))
        rows = np.linspace(0, len(coarse) - 1.001, height)
        columns = np.arange(2 * width) / cell
        top, left = rows.astype(int), columns.astype(int) % coarse.shape[1]
        right = (left + 1) % coarse.shape[1]
        down, along = (rows - top)[:, None], (columns % 1)[None]
        upper = coarse[top][:, left] * (1 - along) + coarse[top][:, right] * along
        lower = coarse[top + 1][:, left] * (1 - along) + coarse[top + 1][:, right] * along
        field += (upper * (1 - down) + lower * down) * cell
    field = (field - field.min()) / np.ptp(field)
    return 255 * field[..., None] * np.array(colour)


def panned(picture: Frame, offset_px: float, width: int) -> Frame:
    """The part of a picture seen `offset_px` from its left edge, between two columns where that is a fraction."""
    whole, part = divmod(offset_px, 1.0)
    columns = (int(whole) + np.arange(width)) % picture.shape[1]
    return picture[:, columns] * (1 - part) + picture[:, (columns + 1) % picture.shape[1]] * part


def shots(lengths_s: list[float], looks: list[int], speeds_px_s: list[float]) -> Iterator[Frame]:
    """Hard cuts between textures that pan."""
    hue = np.random.default_rng(5).random((12, 3)) * 0.7 + 0.3
    ends = np.round(np.cumsum(lengths_s) * FPS).astype(int)
    pictures = {look: texture(look, WIDTH, HEIGHT, tuple(hue[look])) for look in set(looks)}
    start = 0
    for end, look, speed in zip(ends, looks, speeds_px_s, strict=True):
        for frame in range(int(end) - start):
            yield panned(pictures[look], frame * speed / FPS, WIDTH)
        start = int(end)


def quick() -> Iterator[Frame]:
    """Fourteen cuts in 24 s, none at an even distance."""
    lengths_s = [2.6, 1.1, 1.7, 0.9, 2.3, 1.4, 0.8, 1.9, 2.8, 1.2, 1.6, 1.0, 2.2, 1.3, 1.2]
    return shots(lengths_s, [i % 7 for i in range(15)], [20.0 + 25 * (i % 5) for i in range(15)])


def fades() -> Iterator[Frame]:
    """Two slow fades through black in 27 s of slow drift."""
    for number, (look, colour) in enumerate(((3, (0.9, 0.7, 0.4)), (4, (0.4, 0.7, 0.9)), (5, (0.5, 0.9, 0.5)))):
        picture = texture(look, WIDTH, HEIGHT, colour)
        for frame in range(9 * FPS):
            second = frame / FPS
            light = min(1.0, (second + 0.05) / 1.2 if number else 1.0, (9 - second) / 1.2 if number < 2 else 1.0)
            yield panned(picture, frame * 6.0 / FPS, WIDTH) * light


def minutes() -> Iterator[Frame]:
    """Two minutes in five parts, two looks of which return: calm, busy, calm again, quick, a long last shot."""
    lengths_s = [
        9,
        7,
        8,
        2.5,
        3.1,
        1.8,
        2.4,
        4.2,
        3,
        2.6,
        8,
        9,
        7.4,
        1.2,
        1.7,
        2.1,
        1.4,
        1.9,
        2.2,
        1.5,
        2.8,
        3.2,
        2,
        12,
        20,
    ]
    looks = [0, 1, 0, 2, 3, 2, 4, 3, 2, 4, 0, 1, 0, 5, 6, 5, 7, 6, 5, 7, 2, 3, 2, 8, 0]
    speeds = [8 if length >= 7 else 60 + 40 * (i % 3) for i, length in enumerate(lengths_s)]
    return shots([float(each) for each in lengths_s], looks, [float(each) for each in speeds])


def motion() -> Iterator[Frame]:
    """A texture that pans at 10, 120, 10 and 200 pixels a second, ten seconds each."""
    picture = texture(11, 480, 270, (0.8, 0.8, 0.8))
    offset = 0.0
    for speed in (10, 120, 10, 200):
        for _ in range(10 * FPS):
            yield panned(picture, offset, 480)
            offset += speed / FPS


def graded(source: Path, grade: Callable[[Frame], Frame]) -> Iterator[Frame]:
    """Every frame of a film (no wider than it is), its colours changed."""
    with av.open(str(source)) as container:
        for frame in container.decode(video=0):
            yield grade(frame.to_ndarray(format="rgb24").astype(np.float64))


def sunny(frame: Frame) -> Frame:
    """Brighter, warmer, more colourful."""
    grey = frame.mean(axis=2, keepdims=True)
    vivid = grey + 1.5 * (frame - grey)
    return (255 * (np.clip(vivid, 0, 255) / 255) ** 0.6) * np.array([1.1, 1.03, 0.85])


def night(frame: Frame) -> Frame:
    """Darker, bluer, paler."""
    grey = frame.mean(axis=2, keepdims=True)
    pale = grey + 0.45 * (frame - grey)
    return 0.35 * pale * np.array([0.75, 0.9, 1.35])


DRAWN: dict[str, Callable[[], Iterator[Frame]]] = {"quick": quick, "fades": fades, "minutes": minutes, "motion": motion}


def drawn(name: str) -> Path:
    """The film of this name, drawn unless the cache holds it."""
    return _kept(name, DRAWN[name])


def regraded(source: Path) -> tuple[Path, Path]:
    """A film in sunny and in night colours."""
    return (
        _kept(f"{source.stem}-sunny", lambda: graded(source, sunny)),
        _kept(f"{source.stem}-night", lambda: graded(source, night)),
    )


def _kept(name: str, frames: Callable[[], Iterator[Frame]]) -> Path:
    folder = Path(platformdirs.user_cache_dir("hitpoint-tests"))
    path = folder / f"heard-{name}-{VERSION}.mp4"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"part-{path.name}")
        encode(frames(), part)
        part.replace(path)
    return path


def encode(frames: Iterator[Frame], path: Path) -> None:
    """Write pictures (height, width, 3), 0..255, as a film of FPS frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS), options={"crf": "20", "preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        for number, pixels in enumerate(frames):
            if number == 0:
                stream.height, stream.width = pixels.shape[0], pixels.shape[1]
            image = av.VideoFrame.from_ndarray(np.clip(pixels, 0, 255).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(image))
        container.mux(stream.encode())
