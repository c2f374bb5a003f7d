"""One table in one run: how well each way of composing keeps to the picture, and how near its music is to real music.

Every row is measured by the same code on the same plans. Real music is drawn from the test split in stretches as long
as the plans. The distance of a metric to real music is |difference of means| over the spread of the real stretches.
Every interval is a 95% bootstrap over pieces.

A second table holds what an ear takes from the music (`hitpoint.model.training.heard`), played by the built-in synth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hitpoint.model import job
from hitpoint.model.compose.base import Composer, ComposerOptions
from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.compose.cmt.decode import BarOrder, Decoder
from hitpoint.model.compose.cmt.grammar import BarTask
from hitpoint.model.compose.cmt.paper_control import overwriting
from hitpoint.model.compose.diffusion.composer import DiffusionComposer
from hitpoint.model.compose.library.composer import LibraryComposer
from hitpoint.model.compose.library.match import best_match, stretch
from hitpoint.model.compose.library.reading import of_shard
from hitpoint.model.compose.library.transition import Transitions
from hitpoint.model.data.build import PieceInfo, Shard
from hitpoint.model.errors import InputError
from hitpoint.model.music import harmony
from hitpoint.model.music.metrics import metrics_of
from hitpoint.model.music.score import GENRES, TICKS_PER_BAR, Bar, Score, TempoMap, TempoPoint
from hitpoint.model.music.tokens import init_rows
from hitpoint.model.network.conditions import table_of_plan
from hitpoint.model.output.report import chord_error, control_errors
from hitpoint.model.perform.perform import perform_all
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import BarPlan, Plan, Wishes
from hitpoint.model.take import Prepared
from hitpoint.model.training.answers import answered, found_again
from hitpoint.model.training.answers import as_text as answers_as_text
from hitpoint.model.training.heard.arrangement import ending_figures
from hitpoint.model.training.heard.figures import heard, heard_beside_chance, notes_alone
from hitpoint.model.training.heard.grid import marks_of
from hitpoint.model.training.heard.real import real_marks
from hitpoint.model.training.heard.table import means, real_music, table
from hitpoint.model.video.types import VisualRhythm

MUSIC = (
    "h1", "h4", "gs16", "si_short", "si_mid", "si_long", "pitch_entropy_128", "empty_beats", "in_key", "clash",
    "repetition",
)  # fmt: skip
NINE = {name: (name,) for name in MUSIC if not name.startswith("si_")} | {"si": ("si_short", "si_mid", "si_long")}
"""The metrics by which two ways of composing are compared; structure counts once."""
CONTROL = ("density_error", "strength_error", "time_error", "hits_accented", "chance")
HUMAN, ARRANGED = "real, human", "real, arranged"
OURS, MOVED = "ours, default", "ours, moved"
"""As `hitpoint score` makes it with no option given; and the same music against cuts and sections at random."""
OWN_MATCH, STRETCHES, PAPER, SHUFFLED = "match, library", "library", "paper C=1", "shuffled video"
ASSOCIATED, DIFFUSION = "association", "diffusion"
OF_PEOPLE = ("match", OWN_MATCH, STRETCHES, ASSOCIATED)
"""Rows whose notes people wrote."""
BY_EAR = {
    HUMAN: "real", "match": "match", OWN_MATCH: "match own", STRETCHES: "library", PAPER: "paper",
    ASSOCIATED: "association", DIFFUSION: "diffusion", OURS: "ours", MOVED: "chance",
}  # fmt: skip
"""Rows that are measured by ear, and what their columns are called."""
ANSWERING = {HUMAN: "real", "match": "match", STRETCHES: "library", ASSOCIATED: "association",
             DIFFUSION: "diffusion", SHUFFLED: "shuffled", OURS: "ours"}  # fmt: skip
"""Rows of which the last table tells how they answer the picture, and what their columns are called."""
LIBRARY_PIECES = 60
"""Training pieces that stand in for a library where none is named."""
REAL_STRETCHES = 60
NEAR_S = 0.04
"""Farther from an accent a moment of the picture is not heard as hit."""
RESAMPLES = 1000

Figures = dict[str, float]
Method = tuple[str, Callable[[int, Plan], list[Bar]]]
"""The name of a row, and how its plan number i is composed."""


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


def figures(score: Score, plan: Plan | None = None, transitions: Transitions | None = None) -> Figures:
    """The music figures of a score and, against a plan, its control errors, the share of hits on an accent, and how it
    answers the picture. transitions: what joins are measured in.
    """
    music = metrics_of(score)
    found = {name: float(getattr(music, name)) for name in MUSIC if hasattr(music, name)}
    found |= {
        "in_key": harmony.in_key_share(score),
        "clash": harmony.clash_rate(score),
        "repetition": harmony.repetition(score),
    }
    found |= answered(score, plan, transitions)
    if plan is not None:
        errors = control_errors(score, plan)
        if error := chord_error(score, plan):
            found["root_error"] = error["chord"]
        found |= {f"{name}_error": errors[name] for name in ("density", "strength", "time")}
        found["chance"] = near_accents(score, np.arange(0.0, plan.duration_s, NEAR_S / 4))
        if plan.hits:
            found["hits_accented"] = near_accents(score, np.array([hit.time_s for hit in plan.hits]))
    return found


def near_accents(score: Score, times_s: NDArray[np.float64]) -> float:
    """The share of moments within NEAR_S of an accent: a tick of strength 3 or more, or a downbeat that sounds."""
    accents_s = np.array(
        [
            score.tempo_map.time_at_tick(bar.index, tick)
            for bar in score.bars
            for tick, strength in sorted(bar.strengths().items())
            if strength >= 3 or tick == 0
        ]
    )
    if not len(accents_s):
        return 0.0
    return float((np.abs(times_s[:, None] - accents_s).min(axis=1) <= NEAR_S).mean())


def evaluate(
    composer: CmtComposer, shard: Shard | None, films: Sequence[VisualRhythm], *, library: Shard | None = None,
    seeds: int = 1, library_pieces: int = 400, progress: Callable[[float], None] | None = None,
) -> list[Row]:  # fmt: skip
    """All rows, on every film in every genre with `seeds` seeds each; without a shard those alone that need none.

    library: a user's own music to match with, as a row more. library_pieces: how many training pieces the other
    matching row may choose from. Raises InputError where no held-out piece is as long as the films.
    """
    genres = [genre for genre in GENRES if genre in composer.genres]
    cases = [(film, Wishes(genre=genre, seed=seed)) for film in films for genre in genres for seed in range(seeds)]
    plans = [build_plan(film, replace(wishes, control=1.0)) for film, wishes in cases]
    pool = [bar for plan in plans for bar in plan.bars]
    methods = _without_shard(composer) if shard is None else list(_methods(composer, shard, library_pieces))
    if library is not None:
        methods.insert(min(1, len(methods) - 1), (OWN_MATCH, lambda i, plan: best_match(plan, library, library.pieces)))
    stretches = _library_composers(shard, library)
    joined = [(name, _streamed(each)) for name, each in stretches.items()]
    methods[max(0, len(methods) - 1) : len(methods) - 1] = joined
    transitions = stretches[STRETCHES].transitions if stretches else None
    rows = [] if shard is None else [Row(name, tuple(real)) for name, real in _real(shard, plans)]
    if shard is not None and not rows:
        raise InputError(
            "no held-out piece of these shards is as long as the films; add longer music, or cut the films"
        )
    say = progress or (lambda share: None)
    share = len(methods) / (len(methods) + 1)
    for number, (name, bars_of) in enumerate(methods):
        pieces = []
        for index, (plan, (film, _)) in enumerate(zip(plans, cases, strict=True)):
            began_s = time.process_time()
            bars = bars_of(index, plan)
            cost = {"cpu_s": (time.process_time() - began_s) / plan.duration_s * 60.0}
            if bars:
                score = performed(plan, bars, lengths_stand=name in OF_PEOPLE)
                by_ear = heard(score, marks_of(film, plan)) if name in BY_EAR else {}
                found = found_again(bars, plan, pool)
                pieces.append(figures(score, plan, transitions) | by_ear | found | cost)
            say(share * (number + (index + 1) / len(plans)) / len(methods))
        rows.append(Row(name, tuple(pieces)))
    rows += by_default(composer, cases, lambda done: say(share + (1 - share) * done), transitions)
    return rows


def _streamed(composer: Composer) -> Callable[[int, Plan], list[Bar]]:
    return lambda index, plan: list(composer.stream(plan, plan.seed))


def _library_composers(shard: Shard | None, library: Shard | None) -> dict[str, LibraryComposer]:
    """Row -> one that joins stretches of the user's own music, or of some training pieces; none without either."""
    training = [piece for piece in shard.pieces if piece.split == "train"] if shard is not None else []
    if library is not None:
        music = of_shard(library, library.pieces)
    elif shard is not None and training:
        chosen = np.random.default_rng(0).permutation(len(training))[:LIBRARY_PIECES]
        music = of_shard(shard, [training[i] for i in sorted(chosen)])
    else:
        return {}
    return {
        name: LibraryComposer.of(music, select)
        for name, select in ((STRETCHES, "emotion"), (ASSOCIATED, "association"))
    }


def by_default(
    composer: Composer,
    cases: Sequence[tuple[VisualRhythm, Wishes]],
    progress: Callable[[float], None],
    transitions: Transitions | None = None,
) -> list[Row]:
    """Two rows: the music that `hitpoint score` makes of these films and wishes, and its figures of chance."""
    ours: list[Figures] = []
    moved: list[Figures] = []
    plans: list[tuple[Score, Plan]] = []
    pool: list[BarPlan] = []
    for number, (film, wishes) in enumerate(cases):
        began_s = time.process_time()
        plan, score = made(composer, film, wishes)
        pool += plan.bars
        cost = {"cpu_s": (time.process_time() - began_s) / plan.duration_s * 60.0}
        now, chance = heard_beside_chance(score, marks_of(film, plan), wishes.seed)
        ours.append(figures(score, plan, transitions) | now | cost)
        plans.append((score, plan))
        moved.append(chance)
        progress((number + 1) / len(cases))
    found = [found_again(score.bars, plan, pool) for score, plan in plans]
    ours = [each | more for each, more in zip(ours, found, strict=True)]
    return [Row(OURS, tuple(ours)), Row(MOVED, tuple(moved))]


def made(composer: Composer, film: VisualRhythm, wishes: Wishes) -> tuple[Plan, Score]:
    """Plan and music as `hitpoint score` makes them."""
    plan = build_plan(film, wishes)
    prepared = Prepared((), wishes, film, plan, 0.0, 0.0)
    return plan, job.compose(prepared, composer).score


def _without_shard(composer: CmtComposer) -> list[Method]:
    return [(PAPER, lambda i, plan: overwritten(composer, plan, 1.0))]


def _methods(composer: CmtComposer, shard: Shard, library_pieces: int) -> Iterator[Method]:
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

    yield SHUFFLED, shuffled
    diffusion = DiffusionComposer.create(ComposerOptions(), composer)
    yield DIFFUSION, _streamed(diffusion)


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


def overwritten(composer: CmtComposer, plan: Plan, control: float) -> list[Bar]:
    """The plan composed by the same network with the paper's control: it is told nothing but what it reads."""
    decoder = Decoder(composer.recurrence, composer.sampling)
    table = table_of_plan(loosened(plan, 0.0))
    draws = np.random.default_rng([plan.seed, 78])
    write = overwriting(control, draws)
    run = decoder.start(init_rows(plan.genre, plan.instruments), table[0])
    parts = (
        BarOrder(_papers_task(plan, bar), table[bar.index + 1], np.random.default_rng([plan.seed, bar.index]), write)
        for bar in plan.bars
    )
    return [bar for _, bar in decoder.write(run, [parts])]


def _papers_task(plan: Plan, bar: BarPlan) -> BarTask:
    """Density and hits, which is all that the paper's control knows of."""
    ticks_left = plan.end_tick - bar.index * TICKS_PER_BAR
    return BarTask(bar.index, tuple(sorted(plan.instruments)), ticks_left, bar.density, dict(bar.required))


def _real(shard: Shard, plans: Sequence[Plan]) -> Iterator[tuple[str, list[Figures]]]:
    """Stretches of held-out music as long as the plans: human pieces, each data set as often, and arrangements."""
    held_out = [piece for piece in shard.pieces if piece.split == "test"]
    for name, arranged in ((HUMAN, False), (ARRANGED, True)):
        chosen = [piece for piece in held_out if (piece.dataset == "band") == arranged]
        datasets = sorted({piece.dataset for piece in chosen})
        draws = np.random.default_rng(1)
        rows = []
        for number in range(REAL_STRETCHES if chosen else 0):
            plan, dataset = plans[number % len(plans)], datasets[number % len(datasets)]
            long_enough = [p for p in chosen if p.bars >= len(plan.bars) and p.dataset == dataset]
            if long_enough:
                piece = long_enough[int(draws.integers(len(long_enough)))]
                first = int(draws.integers(piece.bars - len(plan.bars) + 1))
                bars = stretch(shard, piece, first, len(plan.bars))
                rows.append(_real_figures(shard, piece, _at_tempo(_score(plan, bars), piece.tempo_bpm)))
        if rows:
            yield name, rows


def _real_figures(shard: Shard, piece: PieceInfo, score: Score) -> Figures:
    """The figures of a stretch; how it ends is measured at the end of its piece, for a stretch ends anywhere."""
    by_ear = notes_alone(score, real_marks(score))
    last = stretch(shard, piece, piece.bars - 1, 1)
    return figures(score) | by_ear | ending_figures(replace(score, bars=tuple(last)))


def _at_tempo(score: Score, bpm: float) -> Score:
    return replace(score, tempo_map=TempoMap((TempoPoint(0.0, 0.0, bpm),)))


def _score(plan: Plan, bars: Sequence[Bar]) -> Score:
    return Score(tuple(bars), plan.tempo_map, plan.genre, plan.instruments, plan.seed)


def performed(plan: Plan, bars: Sequence[Bar], *, lengths_stand: bool = False) -> Score:
    """Composed bars as they are played: every way of composing has the plan's loudness and accents. lengths_stand: as
    in `perform`."""
    return _score(plan, perform_all(bars, plan, lengths_stand=lengths_stand))


def distances(row: Row, real: Row) -> dict[str, NDArray[np.float64]]:
    """Distance to real music of each music figure, in standard deviations of the real pieces.

    (1 + RESAMPLES,): that of the pieces themselves, then of pieces drawn again on both sides. Rows of as many pieces
    are drawn alike, so that rows made from the same plans can be compared draw by draw.
    """
    own, other = (_draws(len(each.pieces), seed) for each, seed in ((row, 1), (real, 2)))
    result = {}
    for name in MUSIC:
        ours, theirs = row.values(name), real.values(name)
        apart = np.abs(ours[own].mean(axis=1) - theirs[other].mean(axis=1))
        result[name] = apart / (float(theirs.std()) or 1.0)
    return result


def _draws(count: int, seed: int) -> NDArray[np.int64]:
    """(1 + RESAMPLES, count) indices: all once, then with replacement."""
    drawn = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    return np.concatenate([np.arange(count)[None], drawn])


def nine(apart: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Distances by metric -> (9, 1 + RESAMPLES), in the order of NINE."""
    return np.stack([np.mean([apart[name] for name in names], axis=0) for names in NINE.values()])


def as_heard(rows: Sequence[Row]) -> str:
    """The ear's table: a figure a line, a way of making music a column; real music's means that the package holds
    come last.
    """
    columns = {BY_EAR[row.name]: means(row.pieces) for row in rows if row.name in BY_EAR}
    return "\n".join(["what an ear takes from it, and where each figure should lie", table(columns | real_music())])


def as_text(rows: Sequence[Row]) -> str:
    """The table: mean and half the width of the 95% interval of each figure, then the distances to the first row, then
    what follows for control, and last the ear's table; that one alone where no real music is among the rows.
    """
    by_ear, rows = as_heard(rows), [row for row in rows if row.name != MOVED]
    by_ear += "\n\n" + answers_as_text({ANSWERING[row.name]: row.pieces for row in rows if row.name in ANSWERING})
    if rows[0].name not in (HUMAN, ARRANGED):
        return by_ear
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
            cells = [_spread(apart[name]).rjust(13) if name in apart else " " * 13 for name in names]
            lines.append(
                f"{row.name:<{width}}" + " ".join(cells) + f"  mean {_spread(np.mean(list(apart.values()), axis=0))}"
            )
    return "\n".join([*lines, "", *_verdicts(rows), "", by_ear])


def _spread(values: NDArray[np.float64]) -> str:
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return f"{values[0]:.2f}±{(high - low) / 2:.2f}"


def _verdicts(rows: Sequence[Row]) -> list[str]:
    """Ours against the paper's control on the nine metrics, and what full control costs ours in groove and form."""
    real = rows[0]
    apart = {row.name: nine(distances(row, real)) for row in rows if row.pieces}
    lines = []
    for control in ("C=0.7", "C=1"):
        wins = (apart[f"ours {control}"] < apart[f"paper {control}"]).sum(axis=0)
        low, high = np.percentile(wins[1:], [2.5, 97.5])
        lines.append(
            f"{control}: nearer to {real.name} than the paper's control "
            f"on {wins[0]} of {len(NINE)} metrics [{low:.0f}, {high:.0f}]"
        )
    cost = apart["ours C=1"] - apart["no control"]
    for metric in ("gs16", "si"):
        lines.append(
            f"full control takes {metric} farther from {real.name} by {_spread(cost[list(NINE).index(metric)])}"
        )
    return lines
