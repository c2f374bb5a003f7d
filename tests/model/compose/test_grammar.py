"""Whatever is sampled under the masks, the bar is what was asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitpoint.model.compose.cmt.grammar import PITCH_RANGE, Ask, BarTask, Grammar, write_bar
from hitpoint.model.music.score import MAX_STRENGTH, Bar


def written_at_random(task: BarTask, seed: int) -> Bar:
    rng = np.random.default_rng(seed)
    writer = write_bar(task)
    try:
        request = next(writer)
        while True:
            if isinstance(request, Ask):
                assert request.mask.any(), f"nothing is allowed for {request.attribute}"
                request = writer.send(int(rng.choice(np.flatnonzero(request.mask))))
            else:
                request = writer.send(0)
    except StopIteration as stop:
        return stop.value


@st.composite
def tasks(draw: st.DrawFn) -> BarTask:
    instruments = tuple(sorted(draw(st.sets(st.integers(0, 4), min_size=1))))
    most = max(MAX_STRENGTH[k] for k in instruments)
    required = draw(st.dictionaries(st.integers(0, 15), st.integers(1, most), max_size=6))
    pair = st.tuples(st.integers(0, 15), st.sampled_from(instruments))
    closed = frozenset(draw(st.sets(pair, max_size=40)))
    entries = frozenset(draw(st.sets(pair, max_size=4))) - closed
    able = {t for t in range(16) if any((t, k) not in closed for k in instruments)} | set(required)
    least = len({*required, *(tick for tick, _ in entries)})
    density = draw(st.none() | st.integers(min(max(1, least), len(able)), len(able)))
    stops = tuple(sorted(draw(st.sets(st.integers(0, 40), max_size=3))))
    caps = draw(st.dictionaries(st.integers(0, 15), st.integers(1, 4), max_size=8))
    return BarTask(
        0, instruments, draw(st.sampled_from((16, 32, 64))), density, required, closed=closed, entries=entries,
        stops=stops, caps=caps,
    )  # fmt: skip


def opened(task: BarTask) -> dict[int, int]:
    """What the task requires where somebody who may start there can play it."""
    return {
        tick: strength
        for tick, strength in task.required.items()
        if max((MAX_STRENGTH[k] for k in task.instruments if (tick, k) not in task.closed), default=9) >= strength
    }


@given(tasks(), st.integers(0, 10**6))
@settings(max_examples=400, deadline=None)
def test_density_strength_and_end_are_exact(task: BarTask, seed: int) -> None:
    bar = written_at_random(task, seed)
    if task.density is not None:
        assert bar.density == task.density
    strengths = bar.strengths()
    reachable = opened(task)
    assert {tick: strengths.get(tick) for tick in reachable} == reachable
    assert set(task.required) <= set(strengths)
    heard = {(note.tick, note.instrument) for note in bar.notes}
    assert task.entries <= heard
    assert not {pair for pair in heard & task.closed if pair[0] not in task.required}
    assert all(
        strengths[tick] <= most for tick, most in task.caps.items() if tick in strengths and tick not in task.required
    )
    last = max((note.tick for note in bar.notes), default=-1) if task.ticks_left == 16 else -1
    for note in bar.notes:
        stop = min((each for each in task.stops if each > note.tick), default=99)
        assert note.instrument == 0 or note.tick == last or note.tick + note.duration_ticks <= stop
        assert note.tick + note.duration_ticks <= task.ticks_left
        assert PITCH_RANGE[note.instrument][0] <= note.pitch <= PITCH_RANGE[note.instrument][1]
        assert note.instrument in task.instruments
    assert len({(n.tick, n.instrument, n.pitch) for n in bar.notes}) == len(bar.notes)


@given(tasks(), st.integers(0, 10**6), st.data())
@settings(max_examples=300, deadline=None)
def test_locked_notes_stay_and_the_rest_still_fits(task: BarTask, seed: int, data: st.DataObject) -> None:
    locked_instruments = data.draw(st.sets(st.sampled_from(task.instruments)))
    first = written_at_random(task, seed)
    locked = tuple(note for note in first.notes if note.instrument in locked_instruments)
    free = tuple(k for k in task.instruments if k not in locked_instruments)
    again = replace(task, instruments=free, locked=locked, closed=frozenset(), caps={}, stops=())
    bar = written_at_random(again, seed + 1)
    assert tuple(note for note in bar.notes if note.instrument in locked_instruments) == locked
    strengths = bar.strengths()
    for tick, strength in Grammar(again).required.items():
        assert strengths[tick] == strength
    if task.density is not None and free:
        musts = {n.tick for n in locked} | set(task.required) | {tick for tick, k in task.entries if k in free}
        assert bar.density == max(task.density, len(musts))


def test_more_hits_than_density_raise_the_density() -> None:
    task = BarTask(0, (0, 1), 16, density=2, required={0: 1, 4: 1, 8: 2, 12: 1})
    assert written_at_random(task, 0).density == 4


@pytest.mark.parametrize("wanted", [1, 2, 3, 4, 5, 6])
def test_an_accent_beyond_the_instruments_is_as_strong_as_they_can(wanted: int) -> None:
    bar = written_at_random(BarTask(0, (3,), 16, density=3, required={5: wanted}), 1)
    assert bar.strengths()[5] == 1
