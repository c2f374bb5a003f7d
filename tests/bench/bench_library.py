"""How good are paths through a library, how do the joins compare with those that people write, what does it cost?

    python tests/bench/bench_library.py MUSIC [--subsets 20] [--films 5]

MUSIC: a folder with the data sets `pop909_5` and `real5`, of which the test pieces are the library. Each film is scored
with subsets of it, half of the pieces each. Beside the cheapest path stand the greedy one and one at random; beside the
joins, the section changes that people marked in the same songs; beside the chosen feelings, chance.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from hitpoint.model import job
from hitpoint.model.compose.library.bars import Library
from hitpoint.model.compose.library.composer import LibraryComposer
from hitpoint.model.compose.library.path import TRANSPOSING, Candidates, Chooser, Chosen, cost_of
from hitpoint.model.compose.library.reading import read_file, read_library
from hitpoint.model.compose.library.select.base import Span
from hitpoint.model.compose.library.select.emotion import Emotion
from hitpoint.model.compose.library.transition import entry_bars, last_bars
from hitpoint.model.data.build import Shard, _jobs
from hitpoint.model.data.splits import song_key, split_of
from hitpoint.model.mood.palette import corners_of, frames_of, levels_of, palette
from hitpoint.model.output.report import control_errors
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.take import Prepared
from hitpoint.model.training.evaluation.answers import ranks
from hitpoint.model.training.heard.arrangement import key_areas
from hitpoint.model.training.heard.figures import heard
from hitpoint.model.training.heard.grid import marks_of
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.types import Clip, VisualRhythm
from tests.bench.heard_films import drawn
from tests.model.mood.test_palette import farthest_outside

ROOT = Path(__file__).parents[2]
FILMS = ("quick", "fades", "motion", "minutes")
EIGHT, THREE = 8, 3


class Song(NamedTuple):
    """A test piece. starts: bars at which people say that sections begin; () where nobody says."""

    path: Path
    starts: tuple[int, ...]


def songs(music: Path) -> list[Song]:
    """The test pieces."""
    found = []
    for name in ("pop909_5", "real5"):
        for each in _jobs(music / name):
            if split_of(song_key(name, each.entry)) == "test":
                found.append(Song(each.path, each.known.starts))
    return found


def rhythms(count: int) -> list[VisualRhythm]:
    """The films, looked at."""
    paths = [ROOT / "examples" / "film.mp4", *(drawn(name) for name in FILMS)][:count]
    return [analyse([Clip(path)]) for path in paths]


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds that pass, and of the processor in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def half(library: Library, seed: int) -> Library:
    """Half of the pieces."""
    chosen = np.random.default_rng(seed).permutation(len(library.pieces))[: max(1, len(library.pieces) // 2)]
    kept = np.isin(library.piece_of, chosen)
    infos = tuple(library.pieces[number] for number in sorted(chosen))
    first = np.concatenate([[0], np.cumsum([info.bars for info in infos])])
    return Library(Shard(library.shard.notes, infos), library.figures[kept], library.strength[kept], first, str(seed))


def spans_of(plan: Plan) -> list[Span]:
    """Its sections."""
    return [Span(plan, section.first_bar, section.end_bar) for section in plan.sections]


def tried_all(chooser: Chooser, sets: Sequence[Candidates]) -> float:
    """The cost of the cheapest path of three sections, by trying every one."""
    moves = [chooser.moves(a, b) for a, b in itertools.pairwise(sets)]
    first, second = (each.reshape(each.shape[0] * each.shape[1], -1) for each in moves)
    own = [(each.costs[:, None] + TRANSPOSING).ravel() for each in sets]
    return float((own[0][:, None, None] + first[:, :, None] + own[1][:, None] + second[None] + own[2]).min())


def real_joins(library: Library, chooser: Chooser, of: Sequence[Song]) -> np.ndarray:
    """D at the section changes that people marked."""
    starts = {song.path.name: song.starts for song in of}
    rows = [
        first + start
        for piece, first in zip(library.pieces, library.first.tolist(), strict=False)
        for start in starts.get(Path(piece.file).name, ())
        if 0 < start < piece.bars
    ]
    entries = np.array(rows)
    apart = np.full(len(rows), -3)
    return chooser.transitions.between(
        last_bars(library, entries - 1)._replace(row=apart), entry_bars(library, entries)._replace(row=apart)
    )


class Measured(NamedTuple):
    """One film with one subset. best: of the cheapest path, before the form. joins: D of each join that does not go on
    in the same piece; gone_on: how many do. formed: what the path costs that is played. areas: key areas.
    """

    best: float
    greedy: float
    chance: float
    agrees: bool
    joins: list[float]
    gone_on: int
    asked: list[float]
    got: list[float]
    by_chance: list[float]
    errors: dict[str, float]
    formed: float
    returns: list[bool]
    areas: float


def measure(chooser: Chooser, rhythm: VisualRhythm, seed: int) -> Measured:
    """Paths, feelings and control."""
    wishes = Wishes(seed=seed, control=1.0)
    plan = build_plan(rhythm, wishes)
    sets = [chooser.candidates(span) for span in spans_of(plan)]
    best, rng = chooser.cheapest(sets), np.random.default_rng([seed, len(plan.bars)])
    chance = [chooser.at_random(sets, rng) for _ in range(10)]
    few = [chooser.candidates(span, most=EIGHT) for span in spans_of(plan)[:THREE]]
    agrees = len(few) < THREE or abs(tried_all(chooser, few) - cost_of(chooser.cheapest(few))) < 1e-9
    library = chooser.library
    composer = LibraryComposer(library, chooser)
    path = composer.path(plan, plan.seed)
    valence = [float(library.valence[each.route].mean()) for each in path]
    asked = [
        float(np.mean([bar.affect.valence for bar in span.bars if bar.affect])) + span.pull[0]
        for span in spans_of(plan)
    ]
    anywhere = [library.valence[rng.choice(chooser.costs(span)[0].routes)].mean() for span in spans_of(plan)]
    take = job.compose(Prepared((), wishes, rhythm, plan, 0.0, 0.0), composer)
    joins = [each.join for each in path[1:]]
    return Measured(
        cost_of(best), cost_of(chooser.greedy(sets)), float(np.mean([cost_of(each) for each in chance])), agrees,
        [each for each in joins if each > 0], sum(each == 0 for each in joins), asked, valence, anywhere,
        control_errors(take.score, plan), cost_of(path), returns(plan, path), float(key_areas(take.score.bars)),
    )  # fmt: skip


def returns(plan: Plan, path: Sequence[Chosen]) -> list[bool]:
    """Of each section whose label came before: whether it is entered at the same bar of the same piece."""
    first: dict[str, Chosen] = {}
    found = []
    for section, each in zip(plan.sections, path, strict=True):
        before = first.setdefault(section.label, each)
        if before is not each:
            found.append(bool(before.route[0] == each.route[0] and before.transpose == each.transpose))
    return found


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Rank correlation; equals have equal ranks."""
    return float(np.corrcoef(*(ranks(np.array(each)) for each in (a, b)))[0, 1])


def paths(found: Sequence[Measured], real: np.ndarray) -> Iterator[str]:
    """What was measured, a line each."""
    best, greedy, chance = (sum(getattr(each, name) for each in found) for name in ("best", "greedy", "chance"))
    yield f"cost of the cheapest path: {best:.1f}; greedy {greedy:.1f}, so {1 - best / greedy:.1%} lower (goal 5%)"
    yield f"  at random among the same candidates {chance:.1f}, so {1 - best / chance:.1%} lower (goal 40%)"
    formed = sum(each.formed for each in found)
    back = [each for every in found for each in every.returns]
    yield (
        f"with what looks alike played alike, in a home key: {formed:.1f}; {np.mean(back):.2f} of {len(back)} "
        f"returning labels bring back their passage; {np.mean([each.areas for each in found]):.2f} key areas"
    )
    agree = sum(each.agrees for each in found)
    yield f"three sections, eight candidates each: {agree} of {len(found)} paths as by trying all"
    joins = [join for each in found for join in each.joins]
    gone_on = sum(each.gone_on for each in found)
    yield (
        f"joins: mean D {np.mean(joins):.2f} of {len(joins)}, {gone_on} more go on in the same piece; at {len(real)} "
        f"section changes of real songs 25/50/75%: {', '.join(f'{q:.2f}' for q in np.percentile(real, [25, 50, 75]))}"
    )
    asked, got, anywhere = (
        [value for each in found for value in getattr(each, name)] for name in ("asked", "got", "by_chance")
    )
    chosen, chance = spearman(asked, got), spearman(asked, anywhere)
    yield f"valence of sections, asked and chosen: Spearman {chosen:.2f} (goal .7), at random {chance:.2f}"
    worst = {name: max(each.errors[name] for each in found) for name in found[0].errors}
    yield f"control errors at C = 1, the worst: {', '.join(f'{name} {value:g}' for name, value in worst.items())}"


def over_minutes(chooser: Chooser, rhythm: VisualRhythm, seeds: int = 4) -> Iterator[str]:
    """A film of minutes by the whole library, and what an ear takes from it."""
    rows, joins, lines = [], [], []
    for seed in range(seeds):
        wishes = Wishes(seed=seed)
        plan = build_plan(rhythm, wishes)
        composer = LibraryComposer(chooser.library, chooser)
        take = job.compose(Prepared((), wishes, rhythm, plan, 0.0, 0.0), composer)
        rows.append(
            heard(take.score, marks_of(rhythm, plan))
            | {"back": float(np.mean(returns(plan, composer.path(plan, seed))))}
        )
        costs, at = (
            chooser.transitions.of_bars(take.score.bars),
            {section.first_bar - 1 for section in plan.sections[1:]},
        )
        joins += [cost for line, cost in enumerate(costs) if line in at]
        lines += [cost for line, cost in enumerate(costs) if line not in at]
    means = {name: np.mean([row[name] for row in rows if name in row]) for name in
             ("cut_rank", "back", "key_areas", "recall", "texture_changes")}  # fmt: skip
    yield f"a film of {rhythm.duration_s:.0f} s: " + ", ".join(f"{k} {v:.2f}" for k, v in means.items())
    yield (f"  D on the finished notes: at joins {np.mean(joins):.2f} (worst {max(joins):.2f}), at other bar lines "
           f"{np.mean(lines):.2f}, three quarters below {np.percentile(lines, 75):.2f}")  # fmt: skip


def palettes(films: Sequence[VisualRhythm]) -> Iterator[str]:
    """Containment and cost of palettes of every second of every film."""
    frames = [
        frame for film in films for frame in frames_of(film, [(t, t + 1.0) for t in np.arange(0, film.duration_s)])
    ]
    outside, cost = -np.inf, []
    for frame in frames:
        rgb = frame.reshape(-1, 3)[:, ::-1].astype(float)
        corners = corners_of(rgb)
        if len(corners) > 3 and np.linalg.matrix_rank(corners[1:] - corners[0], tol=1e-6) == 3:
            outside = max(outside, farthest_outside(corners, levels_of(rgb)))
        cost.append(spent(lambda rgb=rgb: corners_of(rgb))[1])  # type: ignore[misc]
        shuffled = np.random.default_rng(0).permutation(frame.reshape(-1, 3))
        assert palette(shuffled) == palette(frame.reshape(-1, 3))
    yield (
        f"palettes of {len(frames)} frames: farthest colour outside {max(outside, 0):.1e} steps; shuffled pixels "
        f"change nothing; {np.mean(cost):.3f} CPU-s each, the slowest {max(cost):.3f} (goal .15)"
    )


def costs(folder: Path, library: Library, chooser: Chooser, plan: Plan) -> Iterator[str]:
    """What reading, choosing and a live choice take."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["HITPOINT_CACHE_DIR"] = cache
        wall, _ = spent(lambda: read_library(folder))
        again, _ = spent(lambda: read_library(folder))
    _, cpu = spent(lambda: [read_file((path.name, path)) for path in sorted(folder.iterdir())])
    share = 10_000 / len(library)
    yield f"index of {len(library)} bars: {wall:.1f} s, {again:.2f} s from the cache"
    yield f"  of 10,000 bars {wall * share:.1f} s with two processes, {cpu * share:.1f} CPU-s with one (goal 20)"
    composer = LibraryComposer(library, chooser)
    wall, cpu = spent(lambda: composer.path(plan, plan.seed))
    yield f"choice for {len(plan.sections)} sections of {len(plan.bars)} bars: {wall:.2f} s, {cpu:.2f} CPU-s (goal 1)"
    bars = list(composer.stream(plan, plan.seed))
    felt = tuple(
        replace(bar, affect=bar.affect and replace(bar.affect, valence=-bar.affect.valence)) for bar in plan.bars
    )
    turned, live = replace(plan, bars=felt), []
    for at in range(2, len(bars) - 4, 5):
        live.append(spent(lambda at=at: composer.next_stretch(turned, plan.seed, bars[:at])))  # type: ignore[misc]
    wall, cpu = np.array(live).T * 1000
    yield f"live choice: {np.median(wall):.1f} ms, the slowest {wall.max():.1f}; {np.median(cpu):.1f} CPU-ms (goal 20)"


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("music", type=Path)
    options.add_argument("--subsets", type=int, default=20)
    options.add_argument("--films", type=int, default=5)
    asked = options.parse_args()
    pieces, films = songs(asked.music), rhythms(asked.films)
    with tempfile.TemporaryDirectory() as place:
        for song in pieces:
            shutil.copy(song.path, place)
        library = read_library(Path(place))
        chooser = Chooser(library, Emotion())
        print(f"{len(library.pieces)} test pieces, {len(library)} bars; {len(films)} films, {asked.subsets} subsets")
        found = []
        for seed in range(asked.subsets):
            own = Chooser(half(library, seed), Emotion())
            found += [measure(own, rhythm, seed) for rhythm in films]
        for line in paths(found, real_joins(library, chooser, pieces)):
            print(line)
        for line in (
            *over_minutes(chooser, rhythms(1 + len(FILMS))[-1]),
            *palettes(films),
            *costs(Path(place), library, chooser, build_plan(films[-1], Wishes())),
        ):
            print(line)


if __name__ == "__main__":
    main()
