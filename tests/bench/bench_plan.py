"""How well a tempo map meets the cuts: `python tests/bench/bench_plan.py`.

Sixty made-up one-minute films (log-normal shots, about 17 cuts each). Baselines in the same run: any constant tempo
from the first frame on, the best constant tempo and phase, and a dynamic programme whose tempo is constant between
hits. A constant tempo hits a cut within 40 ms of it; a tempo map must be within 20 ms, in the last column 40 ms.
bend: the largest change of tempo within two bars, of any film.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.hits.weights import Moment
from hitpoint.model.plan.tempo.planner import TempoPlan, plan_tempo
from hitpoint.model.plan.types import Wishes
from hitpoint.model.video.types import Boundary, VisualBeat, VisualRhythm

FILMS, LENGTH_S, CUTS_A_MINUTE, SPREAD = 60, 60.0, 17.4, 0.6
Times = NDArray[np.float64]
STILL = np.zeros(1, np.float32)


@dataclass(frozen=True)
class Row:
    """Shares of cuts; mean deviation from the base tempo; the largest change of tempo within two bars; the tempo."""

    on_beat: float
    on_downbeat: float
    on_tick: float
    deviation: float = 0.0
    bend: float = 0.0
    bpm: float = float("nan")
    on_tick_wide: float = float("nan")


def film(seed: int, length_s: float = LENGTH_S, a_minute: float = CUTS_A_MINUTE) -> Times:
    """Cut times of one film."""
    random = np.random.default_rng(seed)
    mean_s = 60.0 / a_minute
    count = int(length_s / mean_s * 3) + 20
    cuts_s = np.cumsum(np.maximum(0.4, random.lognormal(np.log(mean_s) - SPREAD**2 / 2, SPREAD, count)))
    return cuts_s[cuts_s < length_s - 0.4]


def near(cuts_s: Times, period_s: float, phase_s: float) -> float:
    """Share of cuts within 40 ms of a grid."""
    place = (cuts_s - phase_s) / period_s
    return float(np.mean(np.abs(place - np.rint(place)) * period_s <= 0.04))


def any_constant(cuts_s: Times) -> Row:
    beats = [60.0 / bpm for bpm in range(80, 141, 5)]
    shares = [[near(cuts_s, beat_s * size, 0.0) for beat_s in beats] for size in (1.0, 4.0, 0.25)]
    return Row(*(float(np.mean(share)) for share in shares))


def best_constant(cuts_s: Times) -> Row:
    best = (-1.0, Row(0, 0, 0))
    for bpm in range(80, 141):
        beat_s = 60.0 / bpm
        for phase_s in np.arange(0.0, 4 * beat_s, 0.02):
            row = Row(*(near(cuts_s, beat_s * size, phase_s) for size in (1.0, 4.0, 0.25)))
            best = max(best, (row.on_beat + row.on_downbeat, row), key=lambda each: each[0])
    return best[1]


def constant_between_hits(cuts_s: Times, limit: float) -> Row:
    """The plain dynamic programme: cuts on beats, one tempo from hit to hit, nothing charged for a step."""
    points = [0.0, *cuts_s.tolist(), LENGTH_S]
    found = min((plain_fit(points, float(bpm), limit) for bpm in range(80, 141)), key=lambda each: each[0])
    _, bpm, path = found
    times_s, beats = np.array([points[index] for index, _ in path]), np.array([beat for _, beat in path])
    tempi = 60.0 * np.diff(beats) / np.diff(times_s)
    hits = beats[1:-1]
    deviation = float(np.sum(np.abs(tempi / bpm - 1.0) * np.diff(times_s)) / LENGTH_S)
    share = len(hits) / len(cuts_s)
    bend = bend_of(tempi, beats)
    return Row(share, float(np.sum(hits % 4 == 0)) / len(cuts_s), share, deviation, bend, bpm)


def bend_of(tempi: Times, beats: Times) -> float:
    """The largest change between tempi that hold within eight beats of each other. beats: one more than tempi."""
    worst = 0.0
    for index, bpm in enumerate(tempi):
        near = tempi[index:][beats[index:-1] - beats[index + 1] < 8.0]
        worst = max(worst, float(near.max() / bpm - 1.0), float(bpm / near.min() - 1.0))
    return worst


def plain_fit(points: list[float], bpm: float, limit: float) -> tuple[float, float, list[tuple[int, int]]]:
    """(cost, bpm, [(point, beat)]) of the cheapest path for one base tempo."""
    beat_s, hit = 60.0 / bpm, (0.0, 0.6, 0.4, 0.6)
    best: list[dict[int, tuple[float, list[tuple[int, int]]]]] = [{0: (0.0, [(0, 0)])}]
    for here in range(1, len(points)):
        states: dict[int, tuple[float, list[tuple[int, int]]]] = {}
        for there in range(max(0, here - 8), here):
            span_s = points[here] - points[there]
            low, high = int(np.ceil(span_s / beat_s / (1 + limit))), int(span_s / beat_s / (1 - limit))
            for beats in range(max(1, low), high + 1):
                own = 0.15 * ((span_s / (beats * beat_s) - 1.0) / limit) ** 2 + here - there - 1
                for cost, path in best[there].values():
                    beat = path[-1][1] + beats
                    total = cost + own + (hit[beat % 4] if here < len(points) - 1 else 0.0)
                    if beat % 4 not in states or total < states[beat % 4][0]:
                        states[beat % 4] = (total, [*path, (here, beat)])
        best.append(states)
    cost, path = best[-1].get(0, (float("inf"), []))
    return cost, bpm, path


def ours(cuts_s: Times, limit: float) -> Row:
    cuts = [Moment(float(each), "cut", 0.5, 1.0) for each in cuts_s]
    tempo = plan_tempo(cuts, STILL, LENGTH_S, Wishes(max_deviation=limit))
    return measure(tempo, cuts_s)


def measure(tempo: TempoPlan, cuts_s: Times) -> Row:
    ticks_s = np.array([tempo.tempo_map.time_at_tick(0, tick) for tick in range(16 * tempo.bars)])
    gap_s = np.abs(ticks_s[:, None] - cuts_s)
    tick, hit = gap_s.argmin(axis=0), gap_s.min(axis=0) <= 0.02
    tempi = np.array([point.bpm for point in tempo.tempo_map.points])
    spans_s = np.diff([*(point.time_s for point in tempo.tempo_map.points), LENGTH_S])
    return Row(
        float(np.mean(hit & (tick % 4 == 0))),
        float(np.mean(hit & (tick % 16 == 0))),
        float(np.mean(hit)),
        float(np.sum(np.abs(tempi / tempo.base_bpm - 1.0) * spans_s) / LENGTH_S),
        bend_of(tempi, np.array([*(point.beat for point in tempo.tempo_map.points), 4.0 * tempo.bars])),
        tempo.base_bpm,
        float(np.mean(gap_s.min(axis=0) <= 0.04)),
    )


def tempo_table() -> None:
    films = [film(seed) for seed in range(FILMS)]
    print(f"{FILMS} films of {LENGTH_S:g} s, {np.mean([len(cuts) for cuts in films]):.1f} cuts each")
    print(f"{'method':42}{'beat':>7}{'downbeat':>10}{'any 16th':>10}{'deviation':>11}{'bend':>7}{'BPM':>7}{'40 ms':>8}")
    methods = {
        "any constant tempo, phase 0 (40 ms)": any_constant,
        "best constant tempo and phase (40 ms)": best_constant,
        "constant between hits, +-5%": lambda cuts: constant_between_hits(cuts, 0.05),
        "ours, 3% within two bars (the default)": lambda cuts: ours(cuts, 0.03),
        "ours, 6% within two bars": lambda cuts: ours(cuts, 0.06),
    }
    for name, method in methods.items():
        rows = [method(cuts) for cuts in films]
        beat, downbeat, tick, deviation, wide = (
            100 * float(np.mean([getattr(row, field) for row in rows]))
            for field in ("on_beat", "on_downbeat", "on_tick", "deviation", "on_tick_wide")
        )
        bend, bpm = 100 * max(row.bend for row in rows), float(np.median([row.bpm for row in rows]))
        print(f"{name:42}{beat:6.1f}%{downbeat:9.1f}%{tick:9.1f}%{deviation:10.2f}%{bend:6.2f}%{bpm:7.1f}{wide:7.1f}%")


def rhythm_of(seed: int, length_s: float, a_minute: float = CUTS_A_MINUTE) -> VisualRhythm:
    """A film with cuts, visual beats and motion for the whole planner."""
    random = np.random.default_rng(seed)
    cuts_s, times_s = film(seed, length_s, a_minute), np.arange(0.0, length_s, 1 / 24)
    motion = np.abs(np.convolve(random.normal(0.0, 1.0, len(times_s)), np.ones(48) / 48, mode="same"))
    beats_s = np.arange(0.4, length_s, 0.55) + random.normal(0.0, 0.03, len(np.arange(0.4, length_s, 0.55)))
    return VisualRhythm(
        length_s,
        (),
        times_s,
        motion.astype(np.float32),
        np.zeros(len(times_s), dtype=np.float32),
        tuple(VisualBeat(float(each), float(random.random())) for each in beats_s),
        tuple(Boundary(float(each), "cut", float(random.random())) for each in cuts_s),
        tuple("ABC"[index % 3] for index in range(len(cuts_s) + 1)),
    )


def accents() -> None:
    """Cuts that fall on a planned accent (strength 3 or more), beside as many random moments."""
    random = np.random.default_rng(0)
    hit, chance = [], []
    for seed in range(20):
        rhythm = rhythm_of(seed, LENGTH_S)
        plan = build_plan(rhythm, Wishes(control=1.0))
        strong = [each for each in plan.hits if each.strength is not None and each.strength >= 3]
        accents_s = np.array([plan.tempo_map.time_at_tick(each.bar, each.tick) for each in strong])
        cuts_s = np.array([each.time_s for each in rhythm.boundaries])
        hit.append(np.mean(np.abs(accents_s[:, None] - cuts_s).min(axis=0) <= 0.02))
        moments_s = random.uniform(0.0, LENGTH_S, 2000)
        chance.append(np.mean(np.abs(accents_s[:, None] - moments_s).min(axis=0) <= 0.02))
    print(
        f"cuts on a planned accent {100 * np.mean(hit):.1f}%, random moments {100 * np.mean(chance):.1f}%: "
        f"{np.mean(hit) / np.mean(chance):.1f} times chance"
    )


def bound() -> None:
    """Cuts with a bound hit at default settings, by how often the film cuts."""
    for a_minute in (5, 10, 15, 20, 30):
        counts = np.zeros(2)
        for seed in range(10):
            rhythm = rhythm_of(seed, LENGTH_S, a_minute)
            plan = build_plan(rhythm, Wishes(seed=seed))
            counts += (
                sum(hit.kind == "cut" and hit.strength is not None for hit in plan.hits),
                len(rhythm.boundaries),
            )
        print(
            f"{a_minute:3d} cuts a minute: {100 * counts[0] / counts[1]:.1f}% of {counts[1]:.0f} cuts bound by default"
        )


def speed() -> None:
    for length_s in (60.0, 600.0, 7200.0):
        rhythm = rhythm_of(1, length_s)
        started_s = time.process_time()
        plan = build_plan(rhythm, Wishes(control=1.0))
        spent_s = time.process_time() - started_s
        print(
            f"{length_s:6.0f} s of film, {len(rhythm.boundaries)} cuts, {len(rhythm.beats)} visual beats: "
            f"{spent_s:.2f} CPU-s, {len(plan.bars)} bars, {len(plan.hits)} hits, "
            f"{len(plan.tempo_map.points)} tempo points"
        )


if __name__ == "__main__":
    tempo_table()
    accents()
    bound()
    speed()
