"""Form: returns, phrases and endings are leanings on the network's own choice; flawed bars are written again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from hitpoint.model.compose.cmt import colour, harmony
from hitpoint.model.compose.cmt import composer as compose
from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.compose.cmt.echo import Echo, echo_of
from hitpoint.model.compose.cmt.form import MOST_HEARD, Again, Close, Recall
from hitpoint.model.compose.cmt.grammar import BarTask
from hitpoint.model.compose.cmt.groove import Groove
from hitpoint.model.compose.cmt.idiom import Idiom
from hitpoint.model.compose.cmt.leaning import Here, Place, leanings_of, total
from hitpoint.model.music.flaws import flaw_of
from hitpoint.model.music.harmony import key_of
from hitpoint.model.music.keys import Key
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Note
from hitpoint.model.perform.perform import perform_all
from hitpoint.model.plan.types import Plan, Section
from tests.model.material import make_plan


@pytest.fixture(scope="module")
def composer() -> CmtComposer:
    return CmtComposer.load(device="cpu")


def sectioned(*labels_and_lengths: tuple[str, int]) -> Plan:
    """A plan with these sections, and the same density everywhere, so that form alone decides what is alike."""
    bars = sum(length for _, length in labels_and_lengths)
    plan, sections, bar_plans = make_plan(bars), [], []
    for number, (label, length) in enumerate(labels_and_lengths):
        first = len(bar_plans)
        sections.append(Section(label, first, first + length))
        bar_plans += [
            dataclasses.replace(plan.bars[first + i], density=6, required=(), energy=0.5, section=number)
            for i in range(length)
        ]
    return dataclasses.replace(plan, bars=tuple(bar_plans), sections=tuple(sections))


def shared_onsets(one: Bar, other: Bar) -> float:
    """Jaccard index of (tick, instrument, pitch)."""
    a, b = ({(note.tick, note.instrument, note.pitch) for note in bar.notes} for bar in (one, other))
    return len(a & b) / len(a | b)


def test_a_section_that_looks_alike_recalls_its_first_appearance() -> None:
    plan = sectioned(("A", 4), ("B", 4), ("A", 4), ("C", 2))
    assert [None if (echo := echo_of(plan, i)) is None else echo.bar for i in range(14)] == [
        None, 0, 1, 2, None, 4, 5, 6, 0, 1, 2, 3, 4, None,
    ]  # fmt: skip
    last = echo_of(plan, 11)
    assert last is not None and last.rhythm_nats > 0 and last.pitch_nats == 0, "a return ends in its own way"


def test_a_long_section_recalls_its_phrase_four_bars_before() -> None:
    echo = echo_of(sectioned(("A", 8), ("B", 2)), 5)
    assert echo is not None and echo.bar == 1


def test_a_return_shares_more_with_its_first_appearance_than_another_section_does(composer: CmtComposer) -> None:
    returned, changed = [], []
    for seed in range(3):
        for labels, found in (("ABA", returned), ("ABC", changed)):
            plan = sectioned(*((label, 4) for label in labels), ("Z", 1))
            bars = list(composer.stream(plan, seed))
            found += [shared_onsets(bars[i], bars[8 + i]) for i in range(4)]
    assert np.mean(returned) > np.mean(changed) + 0.1
    assert np.mean(returned) < 0.95, "recalled, not copied"


def onsets(bar: Bar) -> list[tuple[int, int, int]]:
    return [(note.tick, note.instrument, note.pitch) for note in bar.notes]


def test_a_return_begins_with_the_very_bars_of_its_first_appearance(composer: CmtComposer) -> None:
    plan = sectioned(("A", 4), ("B", 4), ("A", 4), ("C", 1))
    bars = list(composer.stream(plan, 1))
    assert [onsets(bar) for bar in bars[:8]].count(onsets(bars[0])) < MOST_HEARD
    assert onsets(bars[8]) == onsets(bars[0]), "the plan asks for the same, and the bar is not worn"
    assert any(onsets(bars[8 + i]) != onsets(bars[i]) for i in (2, 3)), "a return varies"
    busier = dataclasses.replace(
        plan, bars=(*plan.bars[:8], dataclasses.replace(plan.bars[8], density=9), *plan.bars[9:])
    )
    assert next(iter(composer.stream(busier, 1, bars[:8]))).density == 9, "what the picture wants stands above the form"


def test_no_bar_is_played_a_fourth_time() -> None:
    plan = sectioned(("A", 4), ("B", 4), ("A", 4), ("C", 1))
    once = [Bar(i, (Note(i, 1, 60, 2, 80), *(Note(12, 1, 60 + k, 2, 80) for k in range(5)))) for i in range(8)]
    plan = dataclasses.replace(plan, bars=tuple(dataclasses.replace(bar, density=2) for bar in plan.bars))
    assert [type(each) for each in leanings_of(Here(plan, 8, once))] == [Again]
    assert Again.of(Here(plan, 8, once, anew=True)) is None
    thrice = [*(dataclasses.replace(once[0], index=i) for i in range(3)), *once[3:]]
    assert Again.of(Here(plan, 8, thrice)) is None
    other_tune = dataclasses.replace(plan.bars[8], line=(Note(0, 4, 72, 4, 80),))
    plan = dataclasses.replace(plan, bars=(*plan.bars[:8], other_tune, *plan.bars[9:]))
    assert Again.of(Here(plan, 8, once)) is None, "another tune is not an earlier bar's"


def test_regenerating_a_repeated_bar_makes_a_new_one(composer: CmtComposer) -> None:
    plan = sectioned(("A", 4), ("B", 4), ("A", 4), ("C", 1))
    bars = list(composer.stream(plan, 0))
    assert any(onsets(composer.regenerate(plan, bars, 8, 8, seed=seed)[8]) != onsets(bars[8]) for seed in (1, 2, 3))


def test_recalling_keeps_onsets_a_part_of_the_earlier_ones_or_around_them() -> None:
    bar = Bar(0, tuple(Note(tick, 1, 60, 2, 80) for tick in (0, 4, 8, 12)))
    recall = Recall(bar, Echo(0, 2.0, 2.0))
    few = recall.lean("beat", Place(0, 1, 0, 2))
    assert few[2 + 4] == few[2 + 12] == 2.0 and 2 + 5 not in few
    many = recall.lean("beat", Place(0, 1, 0, 6))
    assert many[2 + 5] == many[2 + 12] == -2.0 and 2 + 3 not in many


def test_the_key_is_found_and_the_close_leans_to_its_chords() -> None:
    scale = [Bar(0, tuple(Note(i, 1, 60 + step, 4 if step in (0, 7) else 1, 80)
                          for i, step in enumerate((0, 2, 4, 5, 7, 9, 11, 12))))]  # fmt: skip
    assert key_of(scale) == Key(0, minor=False)
    assert key_of([Bar(0, (Note(0, 0, 36, 1, 80),))]) is None, "drums have no key"
    assert Key(9, minor=True).tonic == (9, 0, 4) and Key(9, minor=True).dominant == (4, 8, 11)
    close = Close(Key(0, minor=False), last=True)
    assert set(close.lean("pitch", Place(4, 3, 23, 0))) == {1 + p for p in range(24, 128, 12)}
    assert not Close(Key(0, minor=False), last=False).lean("pitch", Place(4, 3, 23, 2)), "too early for the dominant"
    assert close.lean("pitch", Place(4, 0, 35, 0)) == {}, "drums have no key"


def test_the_last_chord_ends_with_the_picture(composer: CmtComposer) -> None:
    for seed in range(4):
        plan = sectioned(("A", 6))
        last = list(composer.stream(plan, seed))[-1]
        final_tick = max(note.tick for note in last.notes)
        final = [note for note in last.notes if note.tick == final_tick and note.instrument != 0]
        assert all(note.tick + note.duration_ticks == TICKS_PER_BAR for note in final)


def test_pieces_end_on_their_tonic(composer: CmtComposer) -> None:
    on_tonic = []
    for seed in range(6):
        bars = list(composer.stream(sectioned(("A", 8)), seed))
        key = key_of(bars[:-1])
        assert key is not None
        on_tonic += [note.pitch % 12 in key.tonic for note in bars[-1].notes if note.instrument]
    assert np.mean(on_tonic) > 0.7, f"chance is 3 of 12, found {np.mean(on_tonic):.2f}"


def bar_of(index: int, *pitches: int) -> Bar:
    return Bar(index, tuple(Note(tick, 1, pitch, 2, 80) for tick, pitch in enumerate(pitches)))


@pytest.mark.parametrize(
    "before, bar, flaw",
    [
        ([bar_of(i, 60, 62) for i in range(3)], bar_of(3, 60, 62), "loop"),
        ([bar_of(i, 60 + i % 2) for i in range(7)], bar_of(7, 61), "loop"),
        ([bar_of(i, 60, 62) for i in range(3)], bar_of(3, 60, 63), None),
        ([bar_of(0, 60), bar_of(1), bar_of(2)], bar_of(3), "silence"),
        ([bar_of(0, 60), bar_of(1)], bar_of(2), None),
        ([], Bar(0, tuple(Note(i % 16, 1, i // 2, 1, 80) for i in range(200))), "notes"),
    ],
)
def test_looping_silence_and_floods_are_seen(before: Sequence[Bar], bar: Bar, flaw: str | None) -> None:
    assert flaw_of(before, bar) == flaw


def test_a_flawed_bar_is_written_again_and_the_stream_goes_on(
    composer: CmtComposer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(4)
    plain = list(composer.stream(plan, 5))
    refused: list[Bar] = []

    def once(before: Sequence[Bar], bar: Bar) -> str | None:
        if len(before) == 2 and not refused:
            refused.append(bar)
            return "loop"
        return None

    monkeypatch.setattr(compose, "flaw_of", once)
    again = list(composer.stream(plan, 5))
    assert refused == [plain[2]] and again[:2] == plain[:2] and again[2] != plain[2]
    assert [bar.density for bar in again] == [bar.density for bar in plan.bars]
    refused.clear()
    assert [bar.density for bar in composer.takes(plan, [5, 6])[0]] == [bar.density for bar in plan.bars]


def test_of_the_candidates_the_one_stays_that_the_following_bars_like_best(
    composer: CmtComposer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(8)
    bars = list(composer.stream(plan, 2))

    seen: list[np.ndarray] = []
    weigh = compose.Decoder.weigh_bar

    def watched(self: compose.Decoder, *arguments: object) -> np.ndarray:
        seen.append(weigh(self, *arguments))  # type: ignore[arg-type]
        return seen[-1]

    monkeypatch.setattr(compose.Decoder, "weigh_bar", watched)
    first = composer.regenerate(plan, bars, 3, 4, seed=1, candidates=1)
    assert not seen, "one candidate needs no choice"
    best = composer.regenerate(plan, bars, 3, 4, seed=1, candidates=6)
    assert best[:3] == bars[:3] and best[5:] == bars[5:]
    liked = np.sum(seen, axis=0)
    assert len(seen) == 2 and liked.shape == (6,) and np.ptp(liked) > 1, "bars 5 and 6 tell the candidates apart"
    assert (best == first) == (liked.argmax() == 0)


def test_a_theme_goes_on_with_other_players() -> None:
    tune = Bar(0, (Note(0, 4, 72, 4, 80), Note(4, 4, 74, 4, 80), Note(0, 3, 36, 8, 80)))
    recast = colour.recast(tune, (1, 3))
    assert [(n.tick, n.instrument, n.pitch) for n in recast.notes] == [(0, 1, 72), (0, 3, 36), (4, 1, 74)]
    assert colour.recast(tune, (1, 3, 4)) == tune


def test_harmony_moves_on_at_a_hit_and_stays_in_the_key() -> None:
    c_major = Bar(0, tuple(Note(t, k, p, 4, 80) for t in (0, 8) for k, p in ((1, 60), (1, 64), (1, 67), (3, 36))))
    asked = dataclasses.replace(make_plan(2).bars[1], changes=(4,))
    roots = set()
    for seed in range(20):
        move = harmony.moving(asked, {4}, (1, 3), [c_major] * 8, None, seed)
        assert move is not None
        bass = move.leaning.lean("pitch", Place(4, 3, 23, 4))
        assert not any((pitch - 1) % 12 == 0 for pitch in bass), "another root than before"
        roots |= {(pitch - 1) % 12 for pitch in bass}
        held = move.leaning.lean("pitch", Place(0, 3, 23, 4))
        assert {(pitch - 1) % 12 for pitch in held} == {0}, "up to the change the chord stays"
    assert roots <= {2, 4, 5, 7, 9} and len(roots) >= 3
    assert harmony.home_key([c_major] * 8) == (0, False)


def test_form_never_asks_for_a_bar_that_is_not_there() -> None:
    plan = dataclasses.replace(make_plan(6), sections=())
    assert all(echo_of(plan, index) is None for index in range(6))
    found = leanings_of(Here(sectioned(("A", 8)), 6))
    nothing = [each for each in found if not isinstance(each, (Idiom, Groove))]  # which speak of any bar's ticks
    assert nothing and not total(nothing, "beat", Place(-1, -1, 0, 4))
    assert BarTask(0, (1,), 64).lean("beat", Place(-1, -1, 0, 4)) == {}


def test_energy_is_heard_as_loudness(composer: CmtComposer) -> None:
    plan = make_plan(8)
    loud: dict[float, float] = {}
    for energy in (0.05, 0.95):
        asked = dataclasses.replace(plan, bars=tuple(dataclasses.replace(bar, energy=energy) for bar in plan.bars))
        bars = perform_all(composer.stream(asked, 1), asked)
        loud[energy] = float(np.mean([note.velocity for bar in bars for note in bar.notes]))
    assert loud[0.95] > loud[0.05] + 8
