"""Does a forest tell our melody, or our harmony, from people's? And what gives us away?

Run: python tests/bench/bench_tell.py FOLDER [--films F ...] [--genres a,b] [--seeds N] [--against NAME]
       [--beside A,B] [--most N] [--json F] [any wish of `hitpoint score`]

FOLDER holds a data set of MIDI files in each of its folders (real5, band, pop909_5, scores ...); one without files is
left out. Ours are pieces at default settings, of files and of the drawn films of heard_films.py, seven genres.
Needs scikit-learn (`pip install scikit-learn`), which the product does not.

A random forest sees the figures of eight bars (tell_features.py) of one of two sets, and says which: the AUC over
stretches, cross-validated by song in five parts, so that no piece is on both sides. .5: cannot be told; 1: always. Its
floor is a set against itself (songs halved at random); its honest ceiling, two human sets against each other, which
nobody wrote to be alike. Below, the same with one group of figures at a time; and by figure: the mean of each side, how
far apart they are in deviations of people's, and the AUC of that figure alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from hitpoint.model.compose.base import COMPOSERS, ComposerOptions
from hitpoint.model.music.score import GENRES, Bar
from hitpoint.model.training.heard.real import read_scores
from tests.bench.bench_heard import EXAMPLE, Settings, films_of
from tests.bench.tell_features import Row, harmony, line_player, melody, stretches

STRETCHES_OF_A_SONG = 4
TREES, PARTS = 300, 5
MOST_ROWS = 900
"""Of one set, in a comparison."""
SHOWN = 22
GROUPS = {
    "melody": {
        "intervals": "move_ upwards steps mean_move turns step_goes leap there_ range mean_pitch pitch_ class_ bigram "
        "most_",
        "rhythm": "apart_ length_ on_ syncopated notes empty legato rest longest phrase place_ same_apart",
        "scale": "degree_ in_scale tones_ passing outside",
        "recall": "rhythm_again pitches_again moves_again",
    },
    "harmony": {
        "chords": "quality_ root_ roots_ chord_rate changes_ chord_words chord_entropy tones_shared",
        "key": "in_key key_ classes class_ pitch_entropy",
        "sound": "interval_ over_bass voices silence one_voice distinct doubled semitones tritones spacing close "
        "octaves widest lowest highest mean_pitch pitch_deviation",
        "repeats": "bars_alike same_pitches",
        "bass": "bass_",
        "texture": "notes onsets at_once chord_size single length",
    },
}
"""Beginnings of the names of their figures."""
WHAT = tuple(GROUPS)


class Stretch(NamedTuple):
    """The figures of eight bars of a song."""

    song: str
    row: Row


Set = dict[str, list[Stretch]]
"""By WHAT."""


def measured(
    song: str, bars: Sequence[Bar], most: int | None, rng: np.random.Generator
) -> Iterator[tuple[str, Stretch]]:
    """The stretches of a song, `most` of them drawn at random."""
    parts = stretches(bars)
    chosen = sorted(rng.permutation(len(parts))[:most].tolist())
    players = line_player(bars)
    for at in chosen:
        for what, row in (("melody", melody(parts[at], players)), ("harmony", harmony(parts[at]))):
            if row is not None:
                yield what, Stretch(song, row)


def human_set(folder: Path, most_songs: int) -> Set:
    """What a data set of MIDI files holds."""
    found: Set = {what: [] for what in WHAT}
    rng = np.random.default_rng(0)
    for name, score in read_scores(folder, most_songs):
        song = name.rsplit("_", 1)[0] if folder.name == "band" else name  # its keys are transposed copies
        for what, stretch in measured(f"{folder.name}/{song}", score.bars, STRETCHES_OF_A_SONG, rng):
            found[what].append(stretch)
    return found


def our_set(settings: Settings, films: Sequence[Path], genres: Sequence[str], seeds: int) -> Set:
    """Pieces at default settings."""
    found: Set = {what: [] for what in WHAT}
    rng = np.random.default_rng(0)
    for film in films:
        for genre in genres:
            for seed in range(seeds):
                _, score = settings.compose(film, genre, seed)
                for what, stretch in measured(f"{film.stem}/{genre}/{seed}", score.bars, STRETCHES_OF_A_SONG, rng):
                    found[what].append(stretch)
        print(f"  {film.stem}", file=sys.stderr, flush=True)
    return found


def table_of(rows: Sequence[Stretch], names: Sequence[str]) -> NDArray[np.float64]:
    """(stretches, figures)."""
    return np.array([[each.row.get(name, 0.0) for name in names] for each in rows])


def told_apart(one: Sequence[Stretch], other: Sequence[Stretch]) -> float:
    """AUC of the forest over stretches, cross-validated by song."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedGroupKFold

    rng = np.random.default_rng(0)
    sides = [[side[i] for i in sorted(rng.permutation(len(side))[:MOST_ROWS])] for side in (one, other)]
    names = sorted({name for side in sides for each in side for name in each.row})
    table = np.concatenate([table_of(side, names) for side in sides])
    label = np.repeat([0, 1], [len(side) for side in sides])
    songs = np.array([each.song for side in sides for each in side])
    told = np.zeros(len(label))
    for train, test in StratifiedGroupKFold(PARTS, shuffle=True, random_state=0).split(table, label, songs):
        forest = RandomForestClassifier(TREES, min_samples_leaf=2, class_weight="balanced", random_state=0, n_jobs=1)
        told[test] = forest.fit(table[train], label[train]).predict_proba(table[test])[:, 1]
    return _auc(label, told)


def _auc(label: NDArray[np.int64], score: NDArray[np.float64]) -> float:
    """The chance that a stretch of set 1 has a higher score than one of set 0."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(label, score))


def group_of(rows: Sequence[Stretch], what: str, group: str) -> list[Stretch]:
    """The same stretches with the figures of one group."""
    begin = tuple(GROUPS[what][group].split())
    return [Stretch(each.song, {n: v for n, v in each.row.items() if n.startswith(begin)}) for each in rows]


def halves(rows: Sequence[Stretch]) -> tuple[list[Stretch], list[Stretch]]:
    """A set in two, by song."""
    songs = sorted({each.song for each in rows})
    first = set(np.random.default_rng(1).permutation(songs)[: len(songs) // 2].tolist())
    return [each for each in rows if each.song in first], [each for each in rows if each.song not in first]


def by_figure(people: Sequence[Stretch], ours: Sequence[Stretch]) -> list[tuple[str, float, float, float, float]]:
    """(figure, mean of people, mean of ours, deviations apart, its AUC alone), what tells most first."""
    found = []
    for name in sorted({name for each in people for name in each.row}):
        a, b = table_of(people, [name])[:, 0], table_of(ours, [name])[:, 0]
        auc = _auc(np.repeat([0, 1], [len(a), len(b)]), np.concatenate([a, b]))
        apart = float((b.mean() - a.mean()) / max(a.std(), 1e-9))
        found.append((name, float(a.mean()), float(b.mean()), apart, max(auc, 1 - auc)))
    return sorted(found, key=lambda row: -row[4])


def report(ours: Set, humans: dict[str, Set], against: str) -> dict[str, dict[str, object]]:
    """Print everything; what was printed."""
    result: dict[str, dict[str, object]] = {}
    for what in WHAT:
        people = humans[against][what]
        result[what] = {"ours": (auc := told_apart(people, ours[what]))}
        print(f"\n{what}: {against} {len(people)} stretches, ours {len(ours[what])}")
        print(f"  {against} against ours{auc:20.3f}")
        print(f"  {against} against itself, halved{told_apart(*halves(people)):10.3f}")
        for one, other in combinations([against, *(name for name in humans if name != against)], 2):
            if against == one:
                print(f"  {one} against {other}{told_apart(humans[one][what], humans[other][what]):20.3f}", flush=True)
        for other in humans:
            if other != against:
                print(f"  {other} against ours{told_apart(humans[other][what], ours[what]):20.3f}", flush=True)
        sets = {"ours": ours} | {name: found for name, found in humans.items() if name != against}
        for group in GROUPS[what]:
            mine = group_of(people, what, group)
            told = {name: told_apart(mine, group_of(found[what], what, group)) for name, found in sets.items()}
            print(f"  {group:12}" + ", ".join(f"{name} {auc:.2f}" for name, auc in told.items()), flush=True)
            result[what][group] = told
        rows = by_figure(people, ours[what])
        result[what]["figures"] = rows
        print(f"  {'figure':24}{against:>9}{'ours':>9}{'apart':>8}{'AUC':>7}")
        for name, a, b, apart, alone in rows[:SHOWN]:
            print(f"  {name:24}{a:9.3f}{b:9.3f}{apart:8.2f}{alone:7.2f}")
    return result


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--films", nargs="+", default=[str(EXAMPLE), "quick", "fades", "minutes"])
    parser.add_argument("--genres", default=",".join(GENRES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--against", default="real5")
    parser.add_argument("--beside", default="pop909_5,band,scores")
    parser.add_argument("--most", type=int, default=240, help="songs of a set that are read")
    parser.add_argument("--json", type=Path)
    asked, rest = parser.parse_known_args()
    began = time.perf_counter()
    wishes = {name[2:]: value for name, value in zip(rest[::2], rest[1::2], strict=True)}
    settings = Settings(COMPOSERS.load("cmt").create(ComposerOptions(None, "cpu")), wishes)
    ours = our_set(settings, films_of(asked.films), asked.genres.split(","), asked.seeds)
    names = [asked.against, *filter(None, asked.beside.split(","))]
    humans = {name: human_set(asked.folder / name, asked.most) for name in names if (asked.folder / name).is_dir()}
    if asked.against not in humans:
        sys.exit(f"there is no folder {asked.folder / asked.against}; name the people's music with --against")
    result = report(ours, humans, asked.against)
    print(f"{time.perf_counter() - began:.0f} s")
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
