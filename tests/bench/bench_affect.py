"""Is the feeling that the plan asks for heard in the music? Swept plans, another plan's feelings, and a judge by ear.

    python tests/bench/bench_affect.py [--films F ...] [--genres a,b] [--parts valence,arousal,tension,within]
        [--people FOLDER ...]

Parts but the last: plans whose bars have the film's feeling plus -.9 .. .9 (`--valence`, `--arousal`, `--tension`), all
bars pooled. Spearman's correlation of the class asked for (1..8) with what is measured on the notes over four bars, as
training labels are (`data.labels`): valence; the mean of the ranks of density, tempo and velocity; tension of the
chords. Beside it: the same music against the feelings of a plan drawn at random, with the bootstrap interval over
pieces; for valence also an independent judge: the mode and chroma of the sound as the built-in synth plays it (harmonic
pitch class profiles, the key profiles of Aarden, nothing shared with the measures of the notes); with --people FOLDER
what it makes of people's pieces, 16 bars each. within: plans with a drawn line of valence that turns once, or of
tension, bars of one piece among themselves, mean over the pieces.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model import job
from hitpoint.model.compose.base import COMPOSERS, Composer, ComposerOptions
from hitpoint.model.data.labels import Known, measured
from hitpoint.model.data.reader import Piece
from hitpoint.model.music.harmony import key_of
from hitpoint.model.music.score import GENRES, Score
from hitpoint.model.music.tokens import notes_of
from hitpoint.model.output.render import play
from hitpoint.model.plan.harmony.columns import affect_class
from hitpoint.model.plan.types import Plan
from hitpoint.model.plan.wishes.options import parse_wishes
from hitpoint.model.training.evaluation.answers import ranks
from hitpoint.model.training.heard.real import excerpt, read_scores
from hitpoint.model.video.types import Clip

ROOT = Path(__file__).parents[2]
SWEEP = (-0.9, -0.45, 0.0, 0.45, 0.9)
RATE, WINDOW = 22_050, 8192
LOWEST_HZ, HIGHEST_HZ, FAINT = 60.0, 2500.0, 0.02
HARMONICS, FADING = 8, 0.8
PEOPLES, PEOPLES_BARS = 40, 16
AARDEN_MAJOR = (17.77, 0.15, 14.93, 0.16, 19.80, 11.36, 0.29, 22.06, 0.15, 8.15, 0.23, 4.95)
AARDEN_MINOR = (18.26, 0.74, 14.05, 16.86, 0.70, 14.44, 0.70, 18.62, 4.57, 1.93, 7.38, 1.76)
"""Key profiles of Aarden (2003), in percent."""
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Felt:
    """One piece. asked (bars, 3): valence, arousal, tension, 0..1. heard (bars, 4): valence, density, velocity,
    tension. bpm: its tempo.
    """

    plan: Plan
    score: Score
    asked: Values
    heard: Values
    bpm: float


def felt(composer: Composer, film: Path, **wishes: str | float) -> Felt:
    """A piece composed at default settings but for these."""
    prepared = job.prepare([Clip(film)], parse_wishes(wishes))
    score = job.compose(prepared, composer).score
    affects = [bar.affect for bar in prepared.plan.bars]
    asked = np.array([((a.valence + 1) / 2, (a.arousal + 1) / 2, a.tension) for a in affects if a is not None])
    heard = measured(Piece(notes_of(score.bars), len(score.bars), 120.0), Known()).feelings.astype(np.float64)
    return Felt(prepared.plan, score, asked, heard, prepared.plan.mean_bpm)


def spearman(left: Values, right: Values) -> float:
    """Of what is known of both."""
    known = ~(np.isnan(left) | np.isnan(right))
    return float(np.corrcoef(ranks(left[known]), ranks(right[known]))[0, 1])


def heard_of(pieces: Sequence[Felt], name: str) -> list[Values]:
    """What is heard in the bars of each piece."""
    if name != "arousal":
        return [piece.heard[:, 0 if name == "valence" else 3] for piece in pieces]
    edges = np.cumsum([len(piece.heard) for piece in pieces])[:-1]
    columns = [np.concatenate([piece.heard[:, k] for piece in pieces]) for k in (1, 2)]
    columns.append(np.concatenate([np.full(len(piece.heard), piece.bpm) for piece in pieces]))
    return np.split(np.mean([ranks(np.nan_to_num(each)) for each in columns], axis=0), edges)


def pooled(asked: Sequence[Values], heard: Sequence[Values], chosen: Sequence[int] | None = None) -> float:
    """Over the bars of these pieces."""
    chosen = range(len(asked)) if chosen is None else chosen
    return spearman(*(np.concatenate([each[k] for k in chosen]) for each in (asked, heard)))


def report(name: str, pieces: Sequence[Felt], heard: Sequence[Values], aim: float) -> None:
    """One row: the correlation and that with another plan's feelings."""
    column = ("valence", "arousal", "tension").index(name)
    asked = [affect_class(piece.asked[:, column]).astype(float) for piece in pieces]
    rng = np.random.default_rng(0)
    again = [pooled(asked, heard, rng.integers(len(pieces), size=len(pieces)).tolist()) for _ in range(200)]
    swapped = []
    for _ in range(20):
        order = rng.permutation(len(pieces))
        others = [np.resize(asked[k], len(own)) for k, own in zip(order, asked, strict=True)]
        swapped.append(pooled(others, heard))
    low, high = np.percentile(again, [2.5, 97.5])
    print(
        f"{name}: Spearman over {sum(map(len, asked))} bars of {len(pieces)} pieces {pooled(asked, heard):.3f} "
        f"[{low:.2f}, {high:.2f}] (aim {aim}); another plan's {np.mean(swapped):+.3f} (aim 0 +- .1)",
        flush=True,
    )


def chroma(sound: Values, lines_s: Sequence[float]) -> Values:
    """The pitch classes in each bar of a sound, (bars, 12): spectral peaks, each speaking for the notes of which it may
    be one of the first HARMONICS (Gomez 2006).
    """
    found = np.zeros((len(lines_s) - 1, 12))
    for bar, (start, end) in enumerate(itertools.pairwise(lines_s)):
        first = int(start * RATE)
        for at in range(first, max(first + 1, int(end * RATE) - WINDOW // 2), WINDOW // 2):
            block = np.zeros(WINDOW)
            part = sound[at : at + WINDOW]
            block[: len(part)] = part
            found[bar] += _classes(np.abs(np.fft.rfft(block * np.hanning(WINDOW))))
    return found


def _classes(spectrum: Values) -> Values:
    """The pitch classes (12,) of one spectrum."""
    middle, below, above = spectrum[1:-1], spectrum[:-2], spectrum[2:]
    peaks = 1 + np.flatnonzero((middle > below) & (middle >= above) & (middle > FAINT * spectrum.max() + 1e-12))
    left, here, right = (np.log(spectrum[peaks + side] + 1e-12) for side in (-1, 0, 1))
    hz = (peaks + 0.5 * (left - right) / (left - 2 * here + right - 1e-12)) * RATE / WINDOW
    inside = (hz > LOWEST_HZ) & (hz < HIGHEST_HZ)
    found = np.zeros(12)
    for harmonic in range(1, HARMONICS + 1):
        pitch = 69 + 12 * np.log2(hz[inside] / harmonic / 440)
        off = np.abs(pitch - np.round(pitch))
        weight = spectrum[peaks[inside]] * FADING ** (harmonic - 1) * np.cos(np.pi * off / 2) ** 2
        np.add.at(found, np.round(pitch).astype(int) % 12, weight)
    return found


def written(score: Score) -> Values:
    """Sounding ticks of the pitch classes that start in each bar, (bars, 12)."""
    found = np.zeros((len(score.bars), 12))
    for bar in score.bars:
        for note in bar.notes:
            if note.instrument:
                found[bar.index - score.bars[0].index, note.pitch % 12] += note.duration_ticks
    return found


def sounded(score: Score) -> Values:
    """The same of the sound, as the built-in synth plays it."""
    first = score.bars[0].index
    lines_s = [score.tempo_map.time_at_tick(bar.index) for bar in score.bars]
    lines_s.append(score.tempo_map.time_at_tick(first + len(score.bars)))
    return chroma(play(score, RATE).mean(axis=1).astype(np.float64), lines_s)


def brightness(classes: Values) -> Values:
    """How much better a major key fits each bar's four than a minor one, (bars,)."""
    over = [classes[max(0, bar - 2) : bar + 2].sum(axis=0) for bar in range(len(classes))]
    return np.array([np.subtract(*mode_fits(each)) if np.ptp(each) else np.nan for each in over])


def mode_fits(weights: Values) -> tuple[float, float]:
    """The best correlation with a major key's profile, and with a minor one's."""
    best = [max(np.corrcoef(weights, np.roll(profile, root))[0, 1] for root in range(12))
            for profile in (AARDEN_MAJOR, AARDEN_MINOR)]  # fmt: skip
    return float(best[0]), float(best[1])


def minor(classes: Values) -> bool:
    """Whether a piece is in minor."""
    fits = mode_fits(classes.sum(axis=0))
    return fits[1] > fits[0]


def by_ear(name: str, scores: Sequence[Score], asked: Sequence[Values] | None = None) -> None:
    """The independent judge's row. asked: the classes of valence."""
    notes, sounds = [written(each) for each in scores], [sounded(each) for each in scores]
    keys = [key_of(each.bars) for each in scores]
    planned = np.array([key is not None and key.minor for key in keys])
    heard = np.array([minor(each) for each in sounds])
    alike = [np.corrcoef(a.sum(axis=0), b.sum(axis=0))[0, 1] for a, b in zip(notes, sounds, strict=True)]
    print(
        f"  {name} by ear: in minor {heard.mean():.2f}, by their notes {planned.mean():.2f} (within .1), the same of "
        f"{(heard == planned).mean():.2f} of {len(scores)}; chroma of sound and notes correlate {np.mean(alike):.2f}",
        flush=True,
    )
    if asked is not None:
        rows = [pooled(asked, [brightness(each) for each in classes]) for classes in (sounds, notes)]
        print(f"  Spearman of valence asked with the mode of the sound {rows[0]:.3f}, of the notes {rows[1]:.3f}")


def swept(composer: Composer, films: Sequence[Path], genres: Sequence[str], name: str) -> list[Felt]:
    """A piece for each film, genre and step of SWEEP; another seed at each step."""
    cases = itertools.product(films, genres, enumerate(SWEEP))
    return [felt(composer, film, genre=genre, seed=seed, **{name: step}) for film, genre, (seed, step) in cases]


def within(composer: Composer, films: Sequence[Path], genres: Sequence[str]) -> None:
    """Bars of one piece among themselves, with a line that somebody drew."""
    turns = {"valence": ((-0.9, 0.9), (0.9, -0.9)), "tension": ((0.05, 0.95), (0.95, 0.05))}
    for name, lines in turns.items():
        column, found = ("valence", "arousal", "tension").index(name), []
        for film, genre, (seed, (first, last)) in itertools.product(films, genres, enumerate(lines)):
            length_s = job.prepare([Clip(film)], parse_wishes({})).plan.duration_s
            points = [(0.0, first), (0.45 * length_s, first), (0.55 * length_s, last), (length_s, last)]
            written_as = "{:.2f}:{}:" if name == "valence" else "{:.2f}::{}"
            line = ",".join(written_as.format(*point) for point in points)
            piece = felt(composer, film, genre=genre, seed=seed, **{"mood-line": line})
            found.append(spearman(piece.asked[:, column], heard_of([piece], name)[0]))
        print(
            f"within a piece, {name} drawn: mean Spearman {np.nanmean(found):.3f} over {len(found)} pieces", flush=True
        )


def main() -> None:
    """As the page's head says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", nargs="+", type=Path, default=[ROOT / "examples" / "film.mp4"])
    parser.add_argument("--genres", default=",".join(GENRES))
    parser.add_argument("--people", nargs="*", type=Path, default=[])
    parser.add_argument("--parts", default="valence,arousal,tension,within")
    asked = parser.parse_args()
    composer, genres = COMPOSERS.load("cmt").create(ComposerOptions(device="cpu")), asked.genres.split(",")
    for name, aim in (("valence", 0.6), ("arousal", 0.7), ("tension", 0.6)):
        if name in asked.parts.split(","):
            pieces = swept(composer, asked.films, genres, name)
            report(name, pieces, heard_of(pieces, name), aim)
            if name == "valence":
                classes = [affect_class(piece.asked[:, 0]).astype(float) for piece in pieces]
                by_ear("pieces", [piece.score for piece in pieces], classes)
                for folder in asked.people:
                    by_ear(folder.name, [excerpt(each, 8, PEOPLES_BARS) for _, each in read_scores(folder, PEOPLES)
                                         if len(each.bars) >= 8 + PEOPLES_BARS])  # fmt: skip
    if "within" in asked.parts.split(","):
        within(composer, asked.films, genres)


if __name__ == "__main__":
    sys.exit(main())
