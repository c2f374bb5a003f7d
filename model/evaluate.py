"""One table in one run: how well each way of composing keeps to the picture, and how near its music is to real music.

Every row is measured by the same code on the same plans. Real music is drawn from the test split in stretches as long
as the plans. The distance of a metric to real music is |difference of means| over the spread of the real stretches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hitpoint.model import harmony
from hitpoint.model.compose import Composer, task_of
from hitpoint.model.conditions import table_of_plan
from hitpoint.model.data.build import Shard
from hitpoint.model.decode import Decoder, Part
from hitpoint.model.match import best_match, stretch
from hitpoint.model.metrics import measure
from hitpoint.model.overwriting import overwriting
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.report import control_errors
from hitpoint.model.score import GENRES, Bar, Score, TempoMap, TempoPoint
from hitpoint.model.tokens import init_rows
from hitpoint.model.video.types import VisualRhythm

MUSIC = (
    "h1", "h4", "gs16", "si_short", "si_mid", "si_long", "pitch_entropy_128", "empty_beats", "in_key", "clash",
    "repetition",
)  # fmt: skip
CONTROL = ("density_error", "strength_error", "time_error", "hits_accented")
RESAMPLES = 1000

Figures = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One way of composing: its name and the figures of each of its pieces."""

    name: str
    pieces: tuple[Figures, ...]

    def values(self, figure: str) -> NDArray[np.float64]:
        """One figure of every piece that has it."""
        return np.array([piece[figure] for piece in self.pieces if figure in piece])

    def interval(self, figure: str, seed: int = 0) -> tuple[float, float, float]:
        """Mean and its 95% bootstrap interval; NaN where no piece has the figure."""
        values = self.values(figure)
        if not len(values):
            return (float("nan"),) * 3
        draws = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
        low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
        return float(values.mean()), float(low), float(high)


def figures(score: Score, plan: Plan | None = None) -> Figures:
    """The music figures of a score and, against a plan, its control errors and the share of hits on an accent."""
    music = measure(score)
    found = {name: float(getattr(music, name)) for name in MUSIC if hasattr(music, name)}
    found |= {
        "in_key": harmony.in_key_share(score),
        "clash": harmony.clash_rate(score),
        "repetition": harmony.repetition(score),
    }
    if plan is not None:
        errors = control_errors(score, plan)
        found |= {f"{name}_error": errors[name] for name in ("density", "strength", "time")}
        accented = [score.bars[hit.bar].strengths().get(hit.tick, 0) >= 3 for hit in plan.hits]
        if accented:
            found["hits_accented"] = float(np.mean(accented))
    return found


def evaluate(
    composer: Composer, shard: Shard, films: Sequence[VisualRhythm], *, seeds: int = 1,
    library_pieces: int = 400, progress: Callable[[float], None] | None = None,
) -> list[Row]:  # fmt: skip
    """All rows, on every film in every genre with `seeds` seeds each.

    library_pieces: how many training pieces the matching row may choose from.
    """
    plans = [
        build_plan(film, Wishes(genre=genre, control=1.0, seed=seed))
        for film in films
        for genre in GENRES
        for seed in range(seeds)
    ]
    methods = list(_methods(composer, shard, plans, library_pieces))
    rows = [Row(name, tuple(real)) for name, real in _real(shard, plans)]
    for number, (name, bars_of) in enumerate(methods):
        pieces = []
        for index, plan in enumerate(plans):
            bars = bars_of(index, plan)
            if bars:
                pieces.append(figures(_score(plan, bars), plan))
            if progress:
                progress((number + (index + 1) / len(plans)) / len(methods))
        rows.append(Row(name, tuple(pieces)))
    return rows


def _methods(
    composer: Composer, shard: Shard, plans: Sequence[Plan], library_pieces: int
) -> Iterator[tuple[str, Callable[[int, Plan], list[Bar]]]]:
    """Names and ways to compose plan number i."""
    training = [piece for piece in shard.pieces if piece.split == "train"]
    chosen = np.random.default_rng(0).permutation(len(training))[:library_pieces]
    library = [training[i] for i in chosen]
    yield "match", lambda i, plan: best_match(plan, shard, [p for p in library if p.genre == plan.genre])
    yield "no control", lambda i, plan: list(composer.stream(loosened(plan, 0.0), plan.seed))
    for control in (0.7, 1.0):
        yield f"paper C={control:g}", lambda i, plan, c=control: overwritten(composer, plan, c)  # type: ignore[misc]
    for control in (0.7, 1.0):
        yield f"ours C={control:g}", lambda i, plan, c=control: list(composer.stream(loosened(plan, c), plan.seed))  # type: ignore[misc]

    def shuffled(index: int, plan: Plan) -> list[Bar]:
        """Music composed for the same densities and hits, but with the bars in another order."""
        order = np.random.default_rng(index).permutation(len(plan.bars))
        bars = tuple(replace(plan.bars[int(old)], index=new) for new, old in enumerate(order))
        return list(composer.stream(replace(plan, bars=bars), plan.seed))

    yield "shuffled video", shuffled


def loosened(plan: Plan, control: float) -> Plan:
    """The plan with each bar's density and each required tick kept with probability C (seeded by the plan)."""
    draws = np.random.default_rng([plan.seed, 77])
    bars = tuple(
        replace(
            bar,
            density=bar.density if draws.random() < control else None,
            required=tuple(hit for hit in bar.required if draws.random() < control),
            energy=bar.energy,
        )
        for bar in plan.bars
    )
    return replace(plan, bars=bars)


def overwritten(composer: Composer, plan: Plan, control: float) -> list[Bar]:
    """The plan composed by the same network with the paper's control: it is told nothing but what it reads."""
    decoder = Decoder(composer.recurrence, composer.sampling)
    table = table_of_plan(loosened(plan, 0.0))
    draws = np.random.default_rng([plan.seed, 78])
    write = overwriting(control, draws)
    run = decoder.start(init_rows(plan.genre, plan.instruments), table[0])
    parts = (
        Part(task_of(plan, i), table[i + 1], np.random.default_rng([plan.seed, i]), write)
        for i in range(len(plan.bars))
    )
    return [bar for _, bar in decoder.write(run, [parts])]


def _real(shard: Shard, plans: Sequence[Plan]) -> Iterator[tuple[str, list[Figures]]]:
    """Stretches of held-out music, as many and as long as the plans: human pieces and arrangements apart."""
    held_out = [piece for piece in shard.pieces if piece.split == "test"]
    for name, arranged in (("real, human", False), ("real, arranged", True)):
        pieces = [piece for piece in held_out if (piece.dataset == "band") == arranged]
        draws = np.random.default_rng(1)
        rows = []
        for plan in plans:
            long_enough = [piece for piece in pieces if piece.bars >= len(plan.bars)]
            if long_enough:
                piece = long_enough[int(draws.integers(len(long_enough)))]
                first = int(draws.integers(piece.bars - len(plan.bars) + 1))
                bars = stretch(shard, piece, first, len(plan.bars))
                steady = TempoMap((TempoPoint(0.0, 0.0, piece.tempo_bpm),))
                rows.append(figures(replace(_score(plan, bars), tempo_map=steady)))
        if rows:
            yield name, rows


def _score(plan: Plan, bars: Sequence[Bar]) -> Score:
    return Score(tuple(bars), plan.tempo_map, plan.genre, plan.instruments, plan.seed)


def distances(row: Row, real: Row) -> Figures:
    """Distance to real music of each music figure, in standard deviations of the real pieces."""
    result = {}
    for name in MUSIC:
        spread = float(real.values(name).std()) or 1.0
        result[name] = abs(float(row.values(name).mean() - real.values(name).mean())) / spread
    return result


def as_text(rows: Sequence[Row]) -> str:
    """The table: mean and half the width of the 95% interval of each figure, then the distances to the first row."""
    names = (*CONTROL, *MUSIC)
    width = max(len(row.name) for row in rows) + 2
    lines = [" " * width + " ".join(f"{name[:13]:>13}" for name in names)]
    for row in rows:
        cells = []
        for name in names:
            mean, low, high = row.interval(name)
            cells.append(f"{'-':>13}" if np.isnan(mean) else f"{mean:7.3f}±{(high - low) / 2:.3f}".rjust(13))
        lines.append(f"{row.name:<{width}}" + " ".join(cells))
    lines += ["", f"distance to {rows[0].name}, in its standard deviations"]
    for row in rows[1:]:
        if row.pieces:
            apart = distances(row, rows[0])
            cells = [f"{apart[name]:13.2f}" if name in apart else " " * 13 for name in names]
            lines.append(f"{row.name:<{width}}" + " ".join(cells) + f"  mean {np.mean(list(apart.values())):.2f}")
    return "\n".join(lines)
