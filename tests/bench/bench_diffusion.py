"""How near the music of the composer diffusion is to real songs, how well it keeps what it is told, and what it costs.

Run: python tests/bench/bench_diffusion.py SHARDS [--songs N] [--bars N] [--plans N] [--parts table,inpainting,
retrieval,ablations,costs]. SHARDS: from `hitpoint data build`, with songs of piano and strings alone, as POP909
arranged for five tracks is.

Plans are read off held-out songs: densities, some of the strengths, energies, chords, affect, sections. Rows: the
songs themselves; `cmt` and `diffusion` on their plans; diffusion on the plan of the next song, held against its own;
diffusion that is told nothing; the song's own bars, each four taken from those before. Columns: share of sounding time
in the best scale; pitched notes on strong beats that are tones of the chord asked for, and of the next song's; half
bars whose bass is the chord's root; notes a bar and a simu-note; control errors; entropy of pitch classes over 8 bars
(PCHE), grooving similarity (GPS), structure (SI), each with the distance to the songs in their standard deviations.
Before the grammar: pixels more likely than not, whose density is held against the one asked for, and what is held
without an onset. Inpainting: four bars in the midst of twelve. Retrieval: which of N plans a piece was made from, by
the cosine between what a plan asks and what is measured on the notes.
"""

from __future__ import annotations

import argparse
import math
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from hitpoint.model.compose.base import COMPOSERS, ComposerOptions
from hitpoint.model.compose.diffusion.busy import Busy
from hitpoint.model.compose.diffusion.composer import DiffusionComposer
from hitpoint.model.compose.diffusion.sampler import GUIDANCE, Guided, Request, sample
from hitpoint.model.compose.library.match import stretch
from hitpoint.model.data.build import PieceInfo, Shard, load
from hitpoint.model.data.labels import labels_of
from hitpoint.model.data.windows import Augmentation, blur, controls_of, piece_notes
from hitpoint.model.mood.affect import emotion_of
from hitpoint.model.music.chords import HALF_BAR_TICKS, QUALITIES, Chord
from hitpoint.model.music.harmony import in_key_share
from hitpoint.model.music.metrics import grooving_similarity, metrics_of, pitch_class_entropy
from hitpoint.model.music.roll import PLAYERS, Roll
from hitpoint.model.music.score import BEATS_PER_BAR, INSTRUMENTS, TICKS_PER_BAR, Bar, Score, TempoMap, TempoPoint
from hitpoint.model.music.symbols import parse_symbol, symbol_of
from hitpoint.model.network.conditions import FIRST_QUALITY, FIRST_ROOT, controls_of_plan, labels_of_plan
from hitpoint.model.network.roll_conditions import told_of
from hitpoint.model.network.roll_network import RollNetwork
from hitpoint.model.output.report import control_errors
from hitpoint.model.plan.types import Affect, BarPlan, Plan, Section
from hitpoint.model.training.evaluation.retrieval import asked_vector, heard_vector
from hitpoint.model.training.rolls import Songs

HITS = Augmentation(control=1.0, forget=0.0)
FIRST_BAR = 8
INPAINTED = range(4, 8)
AROUND = 12
WINDOW = 8

Compose = Callable[[int, Plan], list[Bar]]


@dataclass(frozen=True)
class Case:
    """A stretch of a held-out song and the plan that is read off it."""

    bars: list[Bar]
    plan: Plan


def cases(shard: Shard, dataset: str, count: int, bars: int) -> list[Case]:
    """One stretch of each of `count` test songs."""
    pieces = [piece for piece in Songs.of(shard, "test", dataset).pieces if piece.bars >= FIRST_BAR + bars]
    order = np.random.default_rng(0).permutation(len(pieces))[:count]
    return [Case(stretch(shard, pieces[n], FIRST_BAR, bars), plan_of(shard, pieces[n], FIRST_BAR, bars)) for n in order]


def plan_of(shard: Shard, piece: PieceInfo, first: int, bars: int) -> Plan:
    """What a plan would ask for, to make those bars of a piece."""
    notes, near = piece_notes(shard, piece), slice(first, first + bars)
    whole = controls_of(notes, piece.bars)
    hits = blur(whole, HITS, np.random.default_rng([piece.start, 1])).required[near]
    rows = shard.labels_of(piece)
    assert rows is not None, "these shards have no labels; build them again"
    labels = labels_of(rows)
    asked = []
    for index in range(bars):
        at = first + index
        chords = [_symbol(*labels.chords[at, 2 * half : 2 * half + 2]) for half in (0, 1)]
        valence, arousal, tension = ((int(each) - 0.5) / 8 for each in labels.affect[at])
        feeling = Affect(2 * valence - 1, 2 * arousal - 1, tension, emotion_of(2 * valence - 1, 2 * arousal - 1))
        required = tuple((int(tick), int(min(6, hits[index, tick]))) for tick in np.flatnonzero(hits[index]))
        density, energy = int(whole.density[at]) or None, float(np.nan_to_num(whole.energy[at], nan=0.5))
        asked.append(BarPlan(index, density, required, energy, chords=(chords[0], chords[1]), affect=feeling))
    tempo = TempoMap((TempoPoint(0.0, 0.0, piece.tempo_bpm),))
    starts = [0, *(n for n in range(1, bars) if labels.starts is not None and labels.starts[first + n])]
    sections = tuple(Section("A", a, b) for a, b in zip(starts, [*starts[1:], bars], strict=True))
    end_s = tempo.time_at_tick(bars)
    return Plan(end_s, tempo, tuple(asked), (), sections, "pop", tuple(sorted(PLAYERS)), 1.0, piece.start & 0xFFFF,
                harmony="leaned")  # fmt: skip


def _symbol(root: int, quality: int) -> str:
    if root < FIRST_ROOT or quality < FIRST_QUALITY:
        return "N"
    return symbol_of(Chord(int(root) - FIRST_ROOT, list(QUALITIES)[int(quality) - FIRST_QUALITY]), None)


def score_of(plan: Plan, bars: Sequence[Bar]) -> Score:
    return Score(tuple(bars), plan.tempo_map, plan.genre, plan.instruments, plan.seed)


def figures(bars: Sequence[Bar], plan: Plan, other: Plan) -> dict[str, float]:
    """One piece's columns; other: whose chords are chance."""
    score = score_of(plan, bars)
    music = metrics_of(score)
    found = control_errors(score, plan)
    return {
        "in scale": in_key_share(score),
        "strong": on_strong_beats(bars, plan),
        "shuffled": on_strong_beats(bars, other),
        "bass": bass_on_root(bars, plan),
        "notes": sum(len(bar.notes) for bar in bars) / len(bars),
        "simu": music.notes_per_simu_note,
        "density": found["density"],
        "strength": found["strength"],
        "PCHE": pitch_class_entropy(score, WINDOW),
        "GPS": grooving_similarity(score),
        "SI": float(np.mean([music.si_short, music.si_mid, music.si_long])),
    }


def _chord(plan: Plan, bar: int, tick: int) -> Chord | None:
    asked = plan.bars[bar].chords
    return None if asked is None else parse_symbol(asked[tick // HALF_BAR_TICKS])


def on_strong_beats(bars: Sequence[Bar], plan: Plan) -> float:
    """Share of the notes on the first and third beats that are tones of the chord."""
    inside = [
        note.pitch % 12 in chord.tones
        for bar in bars
        for note in bar.notes
        if note.tick % HALF_BAR_TICKS == 0 and (chord := _chord(plan, bar.index, note.tick)) is not None
    ]
    return float(np.mean(inside)) if inside else float("nan")


def bass_on_root(bars: Sequence[Bar], plan: Plan) -> float:
    """Share of the half bars on whose first tick something starts, in which the lowest of it is the chord's root."""
    found = []
    for bar in bars:
        for half in (0, HALF_BAR_TICKS):
            lowest = min((note.pitch for note in bar.notes if note.tick == half), default=None)
            chord = _chord(plan, bar.index, half)
            if lowest is not None and chord is not None:
                found.append(lowest % 12 == chord.root)
    return float(np.mean(found)) if found else float("nan")


def untold(plan: Plan) -> Plan:
    """The plan with nothing asked and nothing told but its length."""
    bars = tuple(replace(bar, density=None, required=(), chords=None, affect=None, energy=0.5) for bar in plan.bars)
    return replace(plan, bars=bars, harmony="", sections=(Section("A", 0, len(bars)),))


def copied(bars: Sequence[Bar]) -> list[Bar]:
    """Every four bars as the four before; the first four as they are."""
    return [replace(bars[max(0, bar.index - 4) if bar.index >= 4 else bar.index], index=bar.index) for bar in bars]


class Ways:
    """The ways of composing the cases."""

    def __init__(self, all_cases: Sequence[Case], weights: Path | None) -> None:
        self.cases = all_cases
        self.diffusion = COMPOSERS.load("diffusion").create(ComposerOptions(checkpoint=weights))
        assert isinstance(self.diffusion, DiffusionComposer)

    def rows(self) -> dict[str, Compose]:
        """By name; each is given the number of a case and its plan."""
        count = len(self.cases)
        return {
            "real (test)": lambda n, plan: self.cases[n].bars,
            "cmt": lambda n, plan: list(self.diffusion.band.stream(plan, plan.seed)),
            "diffusion": lambda n, plan: list(self.diffusion.stream(plan, plan.seed)),
            "another's plan": lambda n, plan: list(self.diffusion.stream(self.cases[(n + 1) % count].plan, plan.seed)),
            "no control": lambda n, plan: list(self.diffusion.stream(untold(plan), plan.seed)),
            "4 bars copied": lambda n, plan: copied(self.cases[n].bars),
        }


def print_table(ways: Ways) -> None:
    """Means over the cases."""
    count = len(ways.cases)
    table = {
        name: [figures(make(n, case.plan), case.plan, ways.cases[(n + 1) % count].plan)
               for n, case in enumerate(ways.cases)]
        for name, make in ways.rows().items()
    }  # fmt: skip
    columns = list(table["real (test)"][0])
    print(f"{count} songs" + " " * 10 + "".join(f"{name:>10}" for name in columns))
    real = table["real (test)"]
    for name, pieces in table.items():
        cells = [np.nanmean([piece[c] for piece in pieces]) for c in columns]
        print(f"{name:18}" + "".join(f"{cell:10.3f}" for cell in cells))
    for name in [each for each in table if each != "real (test)"]:
        apart = []
        for column in ("PCHE", "GPS", "SI"):
            mean, spread = np.mean([p[column] for p in real]), np.std([p[column] for p in real])
            apart.append(f"{column} {abs(np.mean([p[column] for p in table[name]]) - mean) / max(spread, 1e-9):.2f}")
        print(f"  {name}: sd from real: " + ", ".join(apart))


def print_raw(ways: Ways, fitted: bool) -> None:
    """Pixels more likely than not, before any grammar. fitted: with onsets shifted to what is asked, as it composes."""
    asked, got, other, orphans = [], [], [], []
    count = len(ways.cases)
    densities = [[bar.density or 0 for bar in case.plan.bars[:WINDOW]] for case in ways.cases]
    for number, case in enumerate(ways.cases):
        told = told_of(controls_of_plan(case.plan), labels_of_plan(case.plan)).window(0)
        nothing = np.zeros((4, WINDOW * TICKS_PER_BAR, 88), bool)
        due = np.array(densities[number])
        busy = Busy(due, due, np.ones((2, WINDOW), bool)) if fitted else Busy.anyhow()
        request = Request(told, nothing, nothing, np.random.default_rng(number), busy)
        roll = sample(ways.diffusion._network, [request])[0] > 0
        got += (roll[0] | roll[2]).any(axis=1).reshape(WINDOW, TICKS_PER_BAR).sum(axis=1).tolist()
        asked += densities[number]
        other += densities[(number + 1) % count]
        orphans.append(orphan_share(roll))
    way = "before the grammar, onsets fitted" if fitted else "before the grammar, as told alone"
    print(f"{way}: densities asked and got correlate {np.corrcoef(asked, got)[0, 1]:.3f} (with another's "
          f"{np.corrcoef(other, got)[0, 1]:.3f}), mean error {np.abs(np.subtract(asked, got)).mean():.2f} ticks; "
          f"{np.mean(orphans):.3f} of what is held follows no onset")  # fmt: skip


class Switched:
    """What the network guesses where, as in the source, the half bars' tokens and the chords are told above a noise
    level alone, the beats' tokens below it."""

    def __init__(self, network: RollNetwork, request: Request, level: int) -> None:
        nothing = np.zeros_like
        semantic = replace(request, told=request.told._replace(dynamic=nothing(request.told.dynamic)))
        dynamic = replace(request, told=request.told._replace(semantic=nothing(request.told.semantic)))
        self._level = level
        self._above, self._below = (Guided(network, [each], GUIDANCE) for each in (semantic, dynamic))

    def __call__(self, noisy: torch.Tensor, level: int) -> torch.Tensor:
        return (self._above if level > self._level else self._below)(noisy, level)


def print_ablations(ways: Ways) -> None:
    """Other masks on the same weights, and streams that are told at some noise levels alone, before any grammar."""
    network = ways.diffusion._network
    plain = network.config
    masks = {
        "own bar alone": {"near": 1},
        "two bars (shipped)": {},
        "no mask": {"near": WINDOW},
        "halves": {"halves": True},
    }
    for name, changes in masks.items():
        other = RollNetwork(replace(plain, **changes))  # type: ignore[arg-type]
        other.load_state_dict(network.state_dict())
        print_told(ways, f"mask: {name}", other.eval(), None)
    for level in (200, 395, 600):
        print_told(ways, f"half bars told above, beats below {level}", network, level)


def print_told(ways: Ways, name: str, network: RollNetwork, level: int | None) -> None:
    """How well a network keeps what it is told of densities and chords, with nothing asked of its onsets."""
    asked, got, inside, other = [], [], [], []
    for number, case in enumerate(ways.cases):
        told = told_of(controls_of_plan(case.plan), labels_of_plan(case.plan)).window(0)
        nothing = np.zeros((4, WINDOW * TICKS_PER_BAR, 88), bool)
        request = Request(told, nothing, nothing, np.random.default_rng(number))
        guess = None if level is None else Switched(network, request, level)
        roll = sample(network, [request], guess=guess)[0] > 0
        got += (roll[0] | roll[2]).any(axis=1).reshape(WINDOW, TICKS_PER_BAR).sum(axis=1).tolist()
        asked += [bar.density or 0 for bar in case.plan.bars[:WINDOW]]
        for plan, found in ((case.plan, inside), (ways.cases[(number + 1) % len(ways.cases)].plan, other)):
            for tick in range(0, WINDOW * TICKS_PER_BAR, HALF_BAR_TICKS):
                chord = _chord(plan, *divmod(tick, TICKS_PER_BAR))
                rows = np.flatnonzero(roll[0, tick] | roll[2, tick])
                found += [] if chord is None else [(21 + row) % 12 in chord.tones for row in rows.tolist()]
    print(f"{name:44} densities correlate {np.corrcoef(asked, got)[0, 1]:.2f}, chord tones on strong beats "
          f"{np.mean(inside):.2f} (another's chords {np.mean(other):.2f})")  # fmt: skip


def orphan_share(roll: Roll) -> float:
    """Share of held pixels that no onset leads to; at the beginning they may be from before."""
    held, before, orphans = roll[1::2], np.ones_like(roll[::2, 0]), 0
    for tick in range(roll.shape[1]):
        orphans += int((held[:, tick] & ~before).sum())
        before = roll[::2, tick] | (held[:, tick] & before)
    return orphans / max(1, int(held.sum()))


def print_inpainting(ways: Ways, found: Sequence[Case]) -> None:
    """F1 of (tick, pitch class) in the bars that were written again, against the song's."""
    first, last = INPAINTED[0], INPAINTED[-1]
    diffusion = ways.diffusion

    def by(make: Callable[[Plan, list[Bar]], list[Bar]], move: int = 0) -> list[list[Bar]]:
        return [make(found[(n + move) % len(found)].plan, case.bars) for n, case in enumerate(found)]

    rows = {
        "diffusion": by(lambda plan, bars: diffusion.regenerate(plan, bars, first, last, seed=1)),
        "cmt": by(lambda plan, bars: diffusion.band.regenerate(plan, bars, first, last, seed=1)),
        "another's plan": by(lambda plan, bars: diffusion.regenerate(plan, bars, first, last, seed=1), 1),
        "no control": by(lambda plan, bars: diffusion.regenerate(untold(plan), bars, first, last, seed=1)),
        "4 bars copied": [[*c.bars[:first], *(replace(b, index=b.index + 4) for b in c.bars[:4]), *c.bars[last + 1 :]]
                          for c in found],
    }  # fmt: skip
    real = np.array([seams(case.bars, range(1, AROUND)) for case in found]).reshape(-1, 3)
    low, high = np.percentile(real, [2.5, 97.5], axis=0)
    for name, pieces in rows.items():
        kept = np.mean([new[n] == case.bars[n] for new, case in zip(pieces, found, strict=True)
                        for n in range(AROUND) if n not in INPAINTED])  # fmt: skip
        f1 = np.mean([overlap(new, case.bars) for new, case in zip(pieces, found, strict=True)])
        at = np.array([seams(new, (first, last + 1)) for new in pieces]).reshape(-1, 3)
        inside = ((at >= low) & (at <= high)).mean(axis=0)
        print(f"inpainting, {name:16} known bars kept {kept:.3f}  F1 {f1:.3f}  seams within the range of real ones: "
              f"density {inside[0]:.2f} pitch {inside[1]:.2f} chroma {inside[2]:.2f}")  # fmt: skip


def overlap(new: Sequence[Bar], old: Sequence[Bar]) -> float:
    """F1 of the onsets with their pitch classes in the bars written again."""
    mine, theirs = (
        {(n, note.tick, note.pitch % 12) for n in INPAINTED for note in each[n].notes} for each in (new, old)
    )
    return 2 * len(mine & theirs) / max(1, len(mine) + len(theirs))


def seams(bars: Sequence[Bar], lines: Sequence[int]) -> list[list[float]]:
    """Across each bar line: change of density, of mean pitch, and the cosine of both chromas."""
    found = []
    for line in lines:
        one, other = bars[line - 1], bars[line]
        pitches = [np.mean([note.pitch for note in bar.notes]) if bar.notes else 60.0 for bar in (one, other)]
        a, b = (_chroma(bar.notes) for bar in (one, other))
        found.append([abs(one.density - other.density), abs(pitches[0] - pitches[1]), float(a @ b)])
    return found


def _chroma(notes: Sequence[object]) -> NDArray[np.float64]:
    weights = np.zeros(12)
    for note in notes:
        weights[note.pitch % 12] += note.duration_ticks  # type: ignore[attr-defined]
    return weights / max(1e-9, float(np.linalg.norm(weights)))


def print_retrieval(ways: Ways, plans: Sequence[Plan]) -> None:
    """How often the plan that a piece was made from is among the first K of all."""
    asked = np.stack([asked_vector(plan.bars) for plan in plans])
    rows: dict[str, Callable[[Plan], list[Bar]]] = {
        "diffusion": lambda plan: list(ways.diffusion.stream(plan, plan.seed)),
        "no control": lambda plan: list(ways.diffusion.stream(untold(plan), plan.seed)),
    }
    for name, make in rows.items():
        ranks = []
        for number, plan in enumerate(plans):
            near = asked @ heard_vector(make(plan))
            ranks.append(int((near > near[number]).sum()))
        found = "  ".join(f"P@{k} {np.mean(np.array(ranks) < k):.3f}" for k in (1, 5, 10, 20))
        print(f"retrieval among {len(plans)}, {name:12} {found}")
    print("retrieval, chance: " + "  ".join(f"P@{k} {k / len(plans):.3f}" for k in (1, 5, 10, 20)))


def drawn_plans(shard: Shard, dataset: str, count: int) -> list[Plan]:
    """Eight bars of as many places of the test songs."""
    pieces = Songs.of(shard, "test", dataset).pieces
    rng = np.random.default_rng(3)
    chosen = [pieces[n % len(pieces)] for n in range(count)]
    return [plan_of(shard, piece, int(rng.integers(piece.bars - WINDOW)), WINDOW) for piece in chosen]


def print_costs(ways: Ways, shard: Shard, dataset: str) -> None:
    """Processor seconds of eight bars and of a minute, beside cmt's; the most memory so far."""
    piece = Songs.of(shard, "test", dataset).pieces[0]
    minute = math.ceil(60.0 * piece.tempo_bpm / 60.0 / BEATS_PER_BAR)
    for bars in (WINDOW, minute):
        plan = plan_of(shard, piece, 0, bars)
        for players in (plan.instruments, tuple(range(len(INSTRUMENTS)))):
            asked = replace(plan, instruments=players)
            spent = []
            for composer in (ways.diffusion, ways.diffusion.band):
                next(composer.stream(asked, 99))  # the first of all loads and warms up
                began = time.process_time()
                list(composer.stream(asked, 98))
                spent.append(time.process_time() - began)
            print(f"{bars} bars, {plan.duration_s:.0f} s, {len(players)} instruments: diffusion {spent[0]:.2f}, "
                  f"cmt {spent[1]:.2f} processor seconds")  # fmt: skip
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--weights", type=Path, help="others than the shipped ones")
    parser.add_argument("--dataset", default="pop909_5", help="only songs of this data set; all of them: ''")
    parser.add_argument("--songs", type=int, default=24)
    parser.add_argument("--bars", type=int, default=16)
    parser.add_argument("--plans", type=int, default=60)
    parser.add_argument("--parts", default="table,inpainting,retrieval,costs")
    chosen = parser.parse_args()
    shard = load(chosen.shards)
    ways = Ways(cases(shard, chosen.dataset, chosen.songs, chosen.bars), chosen.weights)
    parts = chosen.parts.split(",")
    if "costs" in parts:
        print_costs(ways, shard, chosen.dataset)
    if "table" in parts:
        print_table(ways)
        for fitted in (True, False):
            print_raw(ways, fitted)
    if "ablations" in parts:
        print_ablations(ways)
    if "inpainting" in parts:
        print_inpainting(ways, cases(shard, chosen.dataset, chosen.songs, AROUND))
    if "retrieval" in parts:
        print_retrieval(ways, drawn_plans(shard, chosen.dataset, chosen.plans))


if __name__ == "__main__":
    main()
