"""What the picture and words are taken for: moods, genres, modes.

Run: python tests/bench/bench_mood.py [--parts words,films,copies,mode,cost] [--genres a,b] [--seeds N] [--length S]
       [--films F ...]

words: scene descriptions, and names and short lines as editors give them to clips, those that were tuned on and those
that were kept aside, beside always saying the most frequent answer.
films: 24 drawn films, bright or dark, fast or slow, colourful or pale, with no, some or many cuts: is the quadrant of
valence and arousal right, beside chance (.25)? copies: the same film at 360 and 1080 lines, crf 18 and 35: is the same
suggested? mode: the example film (or --films) regraded sunny and night, by the bench of the ear and by ffmpeg's own
filters: share of pieces in minor, by the key of the notes. cost: processor seconds a film second of what was added.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from hitpoint.model.mood.affect import whole
from hitpoint.model.mood.curve import mood_curve
from hitpoint.model.mood.suggest import names_of, suggest
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.types import Clip
from tests.bench.heard_films import FPS, HEIGHT, WIDTH, drawn, encode, panned, regraded, texture

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "film.mp4"
SCENES = ROOT / "tests" / "model" / "mood" / "scenes.tsv"
CLIP_NAMES = SCENES.with_name("clip_names.tsv")
NAMES_ASIDE = 50
PARTS = ("words", "films", "copies", "mode", "cost")
SECONDS = 8
FFMPEG_GRADES = {
    "sunny": "eq=brightness=0.12:saturation=1.5:gamma=1.3,colorbalance=rm=0.12:bm=-0.12",
    "night": "eq=brightness=-0.22:saturation=0.55:gamma=0.75,colorbalance=rm=-0.1:bm=0.15",
}


def words() -> None:
    """Mood and genre of descriptions and of the names of clips."""
    scenes, names = ([line.split("\t") for line in read(path)] for path in (SCENES, CLIP_NAMES))
    parts = {
        "descriptions, tuned on": scenes[1::2],
        "descriptions, kept aside": scenes[::2],
        "names and lines, tuned on": names[:-NAMES_ASIDE],
        "names and lines, kept aside": names[-NAMES_ASIDE:],
    }
    for name, rows in parts.items():
        found = [suggest(None, *spoken(text)) for _, _, text in rows]
        shares = [
            *told([mood for mood, _, _ in rows], [each.moods for each in found]),
            *told([genre for _, genre, _ in rows], [each.genres for each in found]),
        ]
        print(
            f"{name} ({len(rows)}): mood top-1 {shares[0]:.2f}, top-2 {shares[1]:.2f}; genre top-1 {shares[3]:.2f}, "
            f"top-2 {shares[4]:.2f}; always the most frequent: mood {shares[2]:.2f}, genre {shares[5]:.2f}"
        )


def read(path: Path) -> list[str]:
    """The lines that are no comments."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def spoken(text: str) -> tuple[str, list[str]]:
    """A description and names of files: what is written with underscores is a name."""
    return ("", names_of([Path(f"{text}.mp4")])) if "_" in text else (text, [])


def told(wanted: list[str], found: list[Mapping[str, float]]) -> tuple[float, float, float]:
    """Shares that came first, came first or second, and would be right by always saying the most frequent; where `-` is
    wanted, nothing can be told.
    """
    pairs = [(each, sorted(shares, key=lambda name: -shares[name])) for each, shares in zip(wanted, found, strict=True)]
    pairs = [(each, order) for each, order in pairs if each != "-"]
    first, second = (sum(each in order[:count] for each, order in pairs) / len(pairs) for count in (1, 2))
    return first, second, Counter(each for each, _ in pairs).most_common(1)[0][1] / len(pairs)


def scene(bright: bool, fast: bool, vivid: bool, cuts: int) -> Iterator[np.ndarray]:
    """SECONDS of textures that pan, cut so many times."""
    tints = np.random.default_rng(3).random((cuts + 1, 3))
    for part in range(cuts + 1):
        colour = 0.25 + 0.75 * tints[part] if vivid else np.full(3, 0.9) - 0.08 * tints[part]
        picture = texture(20 + part, WIDTH, HEIGHT, tuple(colour / colour.max()))
        picture = 255 * (0.45 + 0.55 * picture / 255) * (colour / colour.max()) if bright else 0.38 * picture
        first, end = (round(each * SECONDS * FPS / (cuts + 1)) for each in (part, part + 1))
        for frame in range(end - first):
            yield panned(picture, frame * (110.0 if fast else 3.0) / FPS, WIDTH)


def films(folder: Path) -> None:
    """Quadrants of the drawn films."""
    right = [0, 0, 0]
    cases = list(itertools.product((True, False), (True, False), (True, False), (0, 2, 7)))
    for number, (bright, fast, vivid, cuts) in enumerate(cases):
        path = folder / f"scene-{number}.mp4"
        encode(scene(bright, fast, vivid, cuts), path)
        rhythm = analyse([Clip(path)])
        mood = whole(mood_curve(rhythm))
        sides = (mood.valence > 0) == bright, (mood.arousal > 0) == fast
        right = [a + b for a, b in zip(right, (*sides, all(sides)), strict=True)]
        if not all(sides):
            print(f"  wrong: bright {bright}, fast {fast}, vivid {vivid}, {cuts} cuts: {mood}")
    count = len(cases)
    print(
        f"films ({count}): valence right {right[0] / count:.2f}, arousal {right[1] / count:.2f}, quadrant "
        f"{right[2] / count:.2f} (chance .25)"
    )


def ffmpeg(source: Path, path: Path, *options: str) -> Path:
    """`source` through ffmpeg."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", source, "-an", *options, path], check=True)
    return path


def copies(folder: Path, sources: list[Path]) -> None:
    """Whether copies of a film suggest the same."""
    same, total = 0, 0
    for source in sources:
        found = []
        for lines, crf in itertools.product((360, 1080), (18, 35)):
            options = ("-t", "8", "-vf", f"scale=-2:{lines}", "-crf", str(crf), "-preset", "ultrafast")
            rhythm = analyse([Clip(ffmpeg(source, folder / f"{source.stem}-{lines}-{crf}.mp4", *options))])
            each = suggest(rhythm)
            found.append((each.genre, each.mood))
        total += len(found)
        same += Counter(found).most_common(1)[0][1]
        print(f"  {source.stem}: {found}")
    print(f"copies: same suggestion {same / total:.2f} of {total}")


def mode(
    folder: Path, sources: list[Path], genres: list[str], seeds: int, length_s: float | None, **wishes: str
) -> None:
    """Share of pieces in minor when films are regraded."""
    from hitpoint.model import job
    from hitpoint.model.compose.base import COMPOSERS, ComposerOptions
    from hitpoint.model.music.harmony import key_of
    from hitpoint.model.plan.wishes.options import parse_wishes

    composer = COMPOSERS.load("cmt").create(ComposerOptions(device="cpu"))
    pairs = {"own": dict(zip(("sunny", "night"), regraded(EXAMPLE), strict=True))} if EXAMPLE in sources else {}
    for source in sources:
        pairs[f"ffmpeg {source.stem}"] = {
            name: ffmpeg(source, folder / f"{source.stem}-{name}.mp4", "-vf", grade, "-crf", "20")
            for name, grade in FFMPEG_GRADES.items()
        }
    for label, graded in pairs.items():
        minor = {}
        for name, path in graded.items():
            keys = []
            for genre, seed in itertools.product(genres, range(seeds)):
                prepared = job.prepare(
                    [Clip(path, 0.0, length_s)], parse_wishes({"genre": genre, "seed": seed, **wishes})
                )
                key = key_of(job.compose(prepared, composer).score.bars)
                keys.append(key is not None and key.minor)
            minor[name] = float(np.mean(keys))
        off = " (mood off)" if wishes else ""
        print(
            f"mode, {label}{off}: in minor sunny {minor['sunny']:.2f}, night {minor['night']:.2f} "
            f"(aim: .5 apart; {len(genres) * seeds} pieces each)"
        )


def cost() -> None:
    """Processor seconds a film second: the palette, the curve, a suggestion."""
    from hitpoint.model.video.detectors.palette import Palette
    from hitpoint.model.video.film import open_film
    from hitpoint.model.video.frames import decode

    frames = list(decode(open_film(EXAMPLE), 0.0, None))
    rhythm = analyse([Clip(EXAMPLE)])
    detector = Palette()

    def look() -> None:
        for frame in frames:
            detector.measure(frame)

    def spent(work: Callable[[], object]) -> float:
        began = time.process_time()
        work()
        return (time.process_time() - began) / rhythm.duration_s

    print(
        f"cost, CPU-s a film second: palette {spent(look):.4f} (aim .01), curve {spent(lambda: mood_curve(rhythm)):.5f}"
        f", suggestion {spent(lambda: suggest(rhythm, 'a sad day')):.5f} (aim .02)"
    )


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--genres", default="pop,rock,electronic")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--length", type=float, help="only the first seconds of the regraded films")
    parser.add_argument("--films", nargs="+", type=lambda path: Path(path).resolve(), default=[EXAMPLE])
    asked = parser.parse_args()
    parts, genres = asked.parts.split(","), asked.genres.split(",")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if "words" in parts:
            words()
        if "films" in parts:
            films(folder)
        if "copies" in parts:
            copies(folder, [*asked.films, drawn("quick"), drawn("fades")])
        if "mode" in parts:
            mode(folder, asked.films, genres, asked.seeds, asked.length)
            mode(folder, asked.films[:1], genres, 1, asked.length, mood="off")
        if "cost" in parts:
            cost()


if __name__ == "__main__":
    main()
