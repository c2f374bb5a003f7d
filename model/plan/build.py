"""The planner: what the picture says and what the user wishes become the plan that the music keeps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError
from hitpoint.model.music.meter import FOUR_FOUR
from hitpoint.model.music.score import INSTRUMENTS, KIT_GENRES, TICKS_PER_BAR, TempoMap
from hitpoint.model.plan.arrangement.arrange import arrange
from hitpoint.model.plan.colours import with_colours
from hitpoint.model.plan.density.densities import bar_speeds, densities, levels
from hitpoint.model.plan.density.energy import energy_lines
from hitpoint.model.plan.harmony.planner import harmonise
from hitpoint.model.plan.hits.own import with_own_hits
from hitpoint.model.plan.hits.placing import Placed, Placement, bar_lines, place
from hitpoint.model.plan.hits.strengths import strengths
from hitpoint.model.plan.hits.weights import Moment, moments
from hitpoint.model.plan.mood import Feeling, feel, feel_bars
from hitpoint.model.plan.playing import with_playing
from hitpoint.model.plan.sections import find_sections
from hitpoint.model.plan.tempo.meter_seen import meter_seen
from hitpoint.model.plan.tempo.planner import TempoPlan, plan_tempo
from hitpoint.model.plan.tune.melody import tune_player, with_melody
from hitpoint.model.plan.types import BarPlan, HitPoint, Plan, Wishes
from hitpoint.model.plan.under_speech import leave_room, make_room
from hitpoint.model.plan.wishes.options import check_wishes
from hitpoint.model.video.types import VisualRhythm

CUTS_BIND = 0.5
"""From this C on every cut binds, below it in proportion."""
MOST_NAMED = 6
DENSITY_FULLNESS = 0.15
"""What a wish for an onset more adds to the size of chords, as so much energy would: with smaller chords more onsets
are no more notes.
"""


def build_plan(
    rhythm: VisualRhythm, wishes: Wishes, tempo: TempoPlan | None = None, level: NDArray[np.float64] | None = None
) -> Plan:
    """The plan for `rhythm` under `wishes`: the same arguments give the same plan. tempo: None to have it chosen.
    level (bars,): how quick each bar is, 0..1; None: by the film's own contrast.

    Raises UsageError for wishes out of range and InputError for a clip without a length.
    """
    check_wishes(wishes)
    if not (math.isfinite(rhythm.duration_s) and rhythm.duration_s > 0):
        raise InputError("the clip has no length: choose one with at least one frame between its in and out point")
    wishes = replace(wishes, instruments=_players(wishes))
    rhythm = with_own_hits(rhythm, wishes.hits, wishes.unhits)
    seen = moments(rhythm)
    wishes, told = _metred(wishes, seen, tempo)
    feeling = feel(rhythm, wishes)
    bias_bpm = feeling.tempo_bpm if feeling else 0.0
    tempo = tempo or plan_tempo(seen, rhythm.motion, rhythm.duration_s, wishes, bias_bpm)
    end_tick = (tempo.bars - 1) * TICKS_PER_BAR + tempo.last_bar_ticks
    placement = place(seen, tempo.tempo_map, tempo.bars, end_tick)
    placed = placement.hits
    changes = [*rhythm.notes, *told, *tempo.changes, *_left_out(placement), *(feeling.notes if feeling else ())]

    lines_s = bar_lines(tempo.tempo_map, tempo.bars, end_tick)
    sections = find_sections(rhythm, lines_s)
    section_of = [index for index, each in enumerate(sections) for _ in range(each.first_bar, each.end_bar)]
    feeling = feeling and feel_bars(feeling, rhythm, wishes, lines_s, sections)
    stir = feeling.energy() if feeling else np.zeros(tempo.bars)
    if level is None:
        level = levels(bar_speeds(rhythm.times_s, rhythm.motion, lines_s))
    density = _density(level, wishes, stir, rhythm, lines_s, tempo)
    bound_bars, bound_hits = _bindings(wishes, tempo.bars, placed)
    strength = strengths(placed, wishes.instruments)
    hits = _hits(placed, strength, bound_hits)
    energy = energy_lines(level, placed, wishes.energy, tempo.last_bar_ticks / tempo.tempo_map.metre.ticks, stir)
    bars = _bars(_asked(placed, strength, bound_hits, tempo.bars), density, bound_bars, energy, section_of, changes,
                 tempo.tempo_map)  # fmt: skip
    bars = tuple(replace(bar, fullness=DENSITY_FULLNESS * wishes.density) for bar in bars)
    plan = Plan(
        duration_s=rhythm.duration_s,
        tempo_map=tempo.tempo_map,
        bars=_felt(bars, feeling),
        hits=hits,
        sections=sections,
        genre=wishes.genre,
        instruments=wishes.instruments,
        control=wishes.control,
        seed=wishes.seed,
        changes=tuple(changes),
        last_bar_ticks=tempo.last_bar_ticks,
    )
    plan = with_melody(harmonise(arrange(plan, wishes.accents, tune_player(wishes)), wishes), wishes)
    return with_colours(with_playing(make_room(plan, wishes, rhythm.speech, lines_s), wishes), wishes)


def _metred(wishes: Wishes, seen: Sequence[Moment], tempo: TempoPlan | None) -> tuple[Wishes, tuple[str, ...]]:
    """The wishes with one of METERS where it was left open, and what is to be said of it."""
    if wishes.meter != "auto":
        return wishes, ()
    meter = meter_seen(seen) if tempo is None else tempo.tempo_map.meter
    told = (f"the visual beats keep {meter}",) if meter != FOUR_FOUR else ()
    return replace(wishes, meter=meter), told


def _density(
    level: NDArray[np.float64], wishes: Wishes, stir: NDArray[np.float64], rhythm: VisualRhythm,
    lines_s: NDArray[np.float64], tempo: TempoPlan,
) -> list[int]:  # fmt: skip
    """Ticks with an onset in each bar: fewer under speech, no more than it has."""
    density = densities(level, wishes.genre, wishes.instruments, wishes.density, wishes.energy, np.diff(lines_s),
                        [tempo.tempo_map.ticks_of(bar) for bar in range(tempo.bars)], stir)  # fmt: skip
    if wishes.keep_sound:
        density = leave_room(density, rhythm.speech, lines_s)
    density[-1] = min(density[-1], tempo.last_bar_ticks)
    return density


def _felt(bars: tuple[BarPlan, ...], feeling: Feeling | None) -> tuple[BarPlan, ...]:
    """The bars with their affect and the home key."""
    if feeling is None:
        return bars
    pairs = zip(bars, feeling.bars, strict=True)
    return tuple(replace(bar, affect=affect, key=feeling.key) for bar, affect in pairs)


def _players(wishes: Wishes) -> tuple[int, ...]:
    """Who may play: where all may, music of a genre without a kit does without one, and without a guitar."""
    if wishes.genre not in KIT_GENRES and len(set(wishes.instruments)) == len(INSTRUMENTS):
        return tuple(k for k in wishes.instruments if INSTRUMENTS[k] not in ("drums", "guitar"))
    return wishes.instruments


def _bindings(wishes: Wishes, bars: int, placed: Sequence[Placed]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which bars' densities and which hits bind. The draws do not depend on C: raising it only adds bindings."""
    draw_bars = np.random.default_rng([wishes.seed, 0]).random(bars)
    draw_hits = np.random.default_rng([wishes.seed, 1]).random(len(placed))
    cuts = min(1.0, wishes.control / CUTS_BIND) if wishes.cut_control is None else wishes.cut_control
    chance = np.array([wishes.control if each.moment.kind == "beat" else cuts for each in placed])
    return draw_bars < wishes.control, draw_hits < chance


def _hits(placed: Sequence[Placed], strength: Sequence[int], bound: NDArray[np.bool_]) -> tuple[HitPoint, ...]:
    return tuple(
        HitPoint(
            time_s=each.moment.time_s,
            kind=each.moment.kind,
            saliency=each.moment.saliency,
            bar=each.bar,
            tick=each.tick,
            strength=notes if binds else None,
        )
        for each, notes, binds in zip(placed, strength, bound, strict=True)
    )


Asked = list[tuple[tuple[int, int], ...]]
"""(tick, strength) pairs of each bar, ticks rising."""


def _asked(
    placed: Sequence[Placed], strength: Sequence[int], bound: NDArray[np.bool_], bars: int
) -> tuple[Asked, Asked]:
    """What binds in each bar, and what is only told."""
    binding: list[list[tuple[int, int]]] = [[] for _ in range(bars)]
    told: list[list[tuple[int, int]]] = [[] for _ in range(bars)]
    for each, notes, binds in zip(placed, strength, bound, strict=True):
        (binding if binds else told)[each.bar].append((each.tick, notes))
    return [tuple(each) for each in binding], [tuple(each) for each in told]


def _bars(
    asked: tuple[Asked, Asked],
    density: Sequence[int],
    bound: NDArray[np.bool_],
    energy: NDArray[np.float64],
    section_of: Sequence[int],
    changes: list[str],
    tempo_map: TempoMap,
) -> tuple[BarPlan, ...]:
    """One BarPlan a bar; a density too low for the bar's hits is raised, and `changes` says how often.

    energy (bars + 1,): at the bar lines.
    """
    binding, told = asked
    raised = sum(len(inside) > each for inside, each in zip(binding, density, strict=True))
    if raised:
        changes.append(f"{_count(raised, 'bar')} made busier than the motion asks, to hold all hit points")
    wanted = [max(each, len(inside)) for inside, each in zip(binding, density, strict=True)]
    swells = [(round(float(a), 4), round(float(b), 4)) for a, b in pairwise(energy)]
    return tuple(
        BarPlan(
            index=index,
            density=wanted[index] if bound[index] else None,
            required=inside,
            energy=round(min(1.0, max(0.0, sum(swells[index]) / 2)), 4),
            section=section_of[index],
            density_told=wanted[index],
            required_told=told[index],
            swell=swells[index],
            ticks=tempo_map.ticks_of(index),
        )
        for index, inside in enumerate(binding)
    )


def _left_out(placement: Placement) -> list[str]:
    """Sentences on the moments that are not hit; cuts and fades by their times."""
    sentences = []
    for lost, why in (
        (placement.off_grid, "no sixteenth lies near"),
        (placement.crowded, "a weightier moment is too close, or the bar is full"),
    ):
        cuts = [each for each in lost if each.kind != "beat"]
        if cuts:
            sentences.append(f"{_count(len(cuts), 'cut')} not hit ({_times(cuts)}): {why}")
    beats = sum(each.kind == "beat" for each in placement.crowded)
    if beats:
        sentences.append(f"{_count(beats, 'visual beat')} not hit: a cut or a weightier one is too close")
    return sentences


def _times(moments: Sequence[Moment]) -> str:
    named = sorted(sorted(moments, key=lambda one: -one.weight)[:MOST_NAMED], key=lambda one: one.time_s)
    times = ", ".join(f"{each.time_s:.2f}" for each in named)
    return f"at {times} s" if len(moments) <= MOST_NAMED else f"the weightiest at {times} s"


def _count(number: int, what: str) -> str:
    return f"1 {what} is" if number == 1 else f"{number} {what}s are"
