"""Stand-ins for tests: a composer that keeps a plan to the letter, a plan, and a rhythm."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from hitpoint.model.compose.base import Composer, ComposerOptions, Stats
from hitpoint.model.job import compose
from hitpoint.model.music.score import MAX_STRENGTH, TICKS_PER_BAR, Bar, Note, TempoMap, TempoPoint
from hitpoint.model.plan.types import BarPlan, HitPoint, Plan, Section, Wishes
from hitpoint.model.take import Prepared, Take
from hitpoint.model.video.types import Boundary, Clip, Media, VisualBeat, VisualRhythm

SCALE = (0, 2, 4, 5, 7, 9, 11)
LOWEST = (36, 60, 55, 36, 60)
DRUM_KEYS = (36, 38, 42, 46, 49, 45)


class FakeComposer(Composer):
    """Random notes of C major that honour density and strength exactly; C-loosened bars get 6 onsets.

    The notes of a bar depend on (seed, bar index) only, so any history gives the same continuation.
    """

    key = name = "fake"
    sha256 = "0" * 64

    def __init__(self, delay_s: float = 0.0) -> None:
        super().__init__()
        self.delay_s = delay_s

    @classmethod
    def create(cls, options: ComposerOptions) -> FakeComposer:
        return cls()

    def stream(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        self.stats = Stats()
        for bar_plan in plan.bars[len(history) :]:
            started = time.perf_counter()
            if self.delay_s:
                time.sleep(self.delay_s)
            bar = _bar(plan, bar_plan, random.Random(f"{seed}/{bar_plan.index}"))
            self.stats.tokens += 2 * len(bar.notes) + 1
            self.stats.seconds += time.perf_counter() - started
            yield bar


def _bar(plan: Plan, bar_plan: BarPlan, rng: random.Random) -> Bar:
    required = dict(bar_plan.required)
    density = max(len(required), 6 if bar_plan.density is None else bar_plan.density)
    last = len(plan.bars) - 1
    room = min(bar_plan.ticks, plan.last_bar_ticks) if bar_plan.index == last else bar_plan.ticks
    free = [tick for tick in range(room) if tick not in required]
    ticks = sorted([*required, *rng.sample(free, min(len(free), density - len(required)))])
    notes: list[Note] = []
    for tick in ticks:
        strength = required.get(tick, 1)
        able = [i for i in plan.instruments if MAX_STRENGTH[i] >= strength]
        instrument = rng.choice(able)
        velocity = max(1, min(127, round(60 + 50 * bar_plan.energy + rng.uniform(-6, 6))))
        for pitch in _pitches(rng, instrument, strength):
            longest = TICKS_PER_BAR - tick if bar_plan.index == last else TICKS_PER_BAR
            notes.append(Note(tick, instrument, pitch, rng.randint(1, min(4, longest)), velocity))
    return Bar(bar_plan.index, tuple(sorted(notes)))


def _pitches(rng: random.Random, instrument: int, count: int) -> list[int]:
    if instrument == 0:
        return rng.sample(DRUM_KEYS, count)
    root = rng.randrange(7)
    degrees = [root + 2 * step for step in range(count)]
    return [LOWEST[instrument] + 12 * (degree // 7) + SCALE[degree % 7] for degree in degrees]


def fake_plan(
    bars: int = 8,
    duration_s: float = 15.73,
    instruments: tuple[int, ...] = (0, 1, 2, 3, 4),
    genre: str = "pop",
    seed: int = 0,
    control: float = 1.0,
) -> Plan:
    """`bars` bars over two tempi that end exactly at `duration_s`, with a hit in every second bar."""
    beats = bars * 4
    half = beats // 2
    slow = TempoPoint(0.0, 0.0, 60.0 * beats / duration_s * 0.98)
    half_s = half * 60.0 / slow.bpm
    points = (slow, TempoPoint(half_s, float(half), 60.0 * (beats - half) / (duration_s - half_s)))
    tempo_map = TempoMap(points)
    plans, hits = [], []
    for index in range(bars):
        required: tuple[tuple[int, int], ...] = ()
        if index % 2 == 0:
            required = ((0, 4), (6, 3))
            hits.append(HitPoint(tempo_map.time_at_tick(index), "cut", 1.0, index, 0, 4))
            hits.append(HitPoint(tempo_map.time_at_tick(index, 6), "beat", 0.6, index, 6, 3))
        plans.append(BarPlan(index, 4 + index % 8, required, 0.3 + 0.5 * (index % 3) / 2, 2 * index // bars))
    sections = (Section("A", 0, (bars + 1) // 2), Section("B", (bars + 1) // 2, bars))
    return Plan(duration_s, tempo_map, tuple(plans), tuple(hits), sections, genre, instruments, control, seed)


def fake_rhythm(duration_s: float = 15.73, path: Path = Path("film.mp4"), fps: float = 24.0) -> VisualRhythm:
    """Motion that swells and stops, four cuts and a fade."""
    times = np.arange(0, duration_s, 1 / fps)
    motion = (0.4 + 0.4 * np.sin(times * 0.9)).astype(np.float32)
    saliency = np.maximum(0, np.sin(times * 5.2) ** 9).astype(np.float32)
    beats = tuple(VisualBeat(float(t), 0.7) for t in np.arange(0.3, duration_s, 1.21))
    cuts = [Boundary(duration_s * share, "cut", 0.9) for share in (0.2, 0.35, 0.6, 0.8)]
    media = Media(path, "1" * 64, duration_s, fps, len(times), 640, 360)
    return VisualRhythm(
        duration_s,
        (media,),
        times,
        motion,
        saliency,
        beats,
        (*cuts, Boundary(duration_s * 0.9, "fade", 0.5)),
        tuple("ABACAD"),
    )


def fake_prepared(path: Path = Path("film.mp4"), **plan: object) -> Prepared:
    """A job whose plan and rhythm agree on the duration."""
    made = fake_plan(**plan)  # type: ignore[arg-type]
    wishes = Wishes(genre=made.genre, instruments=made.instruments, control=made.control, seed=made.seed)
    return Prepared((Clip(path),), wishes, fake_rhythm(made.duration_s, path), made, 0.5, 0.01)


def fake_take(prepared: Prepared, seed: int | None = None) -> Take:
    return compose(prepared, FakeComposer(), seed)


def make_composer() -> FakeComposer:
    """For the configuration's key `test_composer`: tests.fakes:make_composer."""
    return FakeComposer()


class TellingComposer(FakeComposer):
    """Its notes hang on everything that the plan says, so that plans which differ anywhere sound different."""

    key = name = "telling"

    def stream(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        told = int.from_bytes(hashlib.sha256(repr(plan).encode()).digest()[:6], "big")
        return super().stream(plan, seed ^ told, history)


def make_telling() -> TellingComposer:
    """For the configuration's key `test_composer`: tests.fakes:make_telling."""
    return TellingComposer()
