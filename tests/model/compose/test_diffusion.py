"""Diffusion with a small network that knows nothing: whatever it guesses, the plan is kept and what stands stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hitpoint.model.compose.base import COMPOSERS, Composer, ComposerOptions
from hitpoint.model.compose.cmt.grammar import BarTask, Grammar
from hitpoint.model.compose.diffusion import composer as module
from hitpoint.model.compose.diffusion.choice import Chooser, habit_of
from hitpoint.model.compose.diffusion.composer import DiffusionComposer
from hitpoint.model.compose.diffusion.sampler import SAMPLING_STEPS, order_of_steps
from hitpoint.model.compose.diffusion.windows import Window, model_of, passage_windows, windows
from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.job import compose
from hitpoint.model.music.roll import LOWEST, PITCHES
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Note
from hitpoint.model.network.roll_network import RollConfig, RollNetwork
from hitpoint.model.output.report import build_report, control_errors
from hitpoint.model.plan.arrangement.arrange import arrange
from hitpoint.model.plan.types import Plan
from tests.fakes import FakeComposer, fake_plan, fake_prepared

PIANO, STRINGS = 1, 4


@pytest.fixture(scope="module")
def composer() -> DiffusionComposer:
    torch.manual_seed(0)
    return DiffusionComposer(RollNetwork(RollConfig(widths=(8, 8, 8), blocks=(1, 1, 1), told=16)).eval())


def errors(plan: Plan, bars: Sequence[Bar]) -> dict[str, float]:
    prepared = replace(fake_prepared(), plan=plan)

    class Given(FakeComposer):
        def stream(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
            yield from bars

    return control_errors(compose(prepared, Given()).score, plan)


@pytest.mark.parametrize("players", [(PIANO, STRINGS), (PIANO,), (STRINGS,)])
def test_control_is_exact_whatever_is_guessed(composer: DiffusionComposer, players: tuple[int, ...]) -> None:
    plan = arrange(fake_plan(10, 20.0, players))
    bars = list(composer.stream(plan, 3))
    assert [bar.index for bar in bars] == list(range(10))
    assert errors(plan, bars) == {"density": 0.0, "strength": 0.0, "time": 0.0}
    assert {note.instrument for bar in bars for note in bar.notes} <= set(players)
    ends = [bar.index * TICKS_PER_BAR + note.tick + note.duration_ticks for bar in bars for note in bar.notes]
    assert max(ends) == plan.end_tick
    assert composer.stats.bars == 10 and composer.stats.pressure_by_attribute


def test_the_band_plays_around_it(composer: DiffusionComposer) -> None:
    plan = arrange(fake_plan(5, 10.0))
    bars = list(composer.stream(plan, 1))
    assert errors(plan, bars) == {"density": 0.0, "strength": 0.0, "time": 0.0}
    assert {note.instrument for bar in bars for note in bar.notes} == {0, 1, 2, 3, 4}
    again = composer.regenerate(plan, bars, 2, 3, (PIANO, 3), seed=5)
    for old, new in zip(bars, again, strict=True):
        kept = {0, 2, STRINGS} if old.index in (2, 3) else {0, 1, 2, 3, 4}
        assert _of(old, kept) == _of(new, kept)
    assert errors(plan, again) == {"density": 0.0, "strength": 0.0, "time": 0.0}


def _of(bar: Bar, players: set[int]) -> list[Note]:
    return [note for note in bar.notes if note.instrument in players]


def test_the_same_seed_gives_the_same_bars_from_any_point(composer: DiffusionComposer) -> None:
    plan = fake_plan(14, 28.0, (PIANO, STRINGS))
    bars = list(composer.stream(plan, 1))
    assert list(composer.stream(plan, 2)) != bars
    for known in (8, 10):
        composer._rolls.clear()
        assert list(composer.stream(plan, 1, bars[:known])) == bars[known:], known
    other = [replace(bars[0], notes=bars[1].notes), *bars[1:10]]
    went_on = list(composer.stream(plan, 1, other))
    assert [bar.index for bar in went_on] == [10, 11, 12, 13]


def test_a_short_film_is_cut_from_a_window(composer: DiffusionComposer) -> None:
    plan = fake_plan(3, 6.0, (PIANO, STRINGS))
    bars = list(composer.stream(plan, 1))
    assert len(bars) == 3 and errors(plan, bars) == {"density": 0.0, "strength": 0.0, "time": 0.0}


@pytest.mark.parametrize("who", [None, (STRINGS,)])
def test_bars_made_again_leave_the_others_as_they_are(
    composer: DiffusionComposer, who: tuple[int, ...] | None
) -> None:  # fmt: skip
    plan = fake_plan(14, 28.0, (PIANO, STRINGS))
    bars = list(composer.stream(plan, 1))
    new = composer.regenerate(plan, bars, 3, 8, who, seed=9)
    assert new[:3] == bars[:3] and new[9:] == bars[9:] and new[4:8] != bars[4:8]
    if who:
        assert [_of(bar, {PIANO}) for bar in bars] == [_of(bar, {PIANO}) for bar in new]
    assert errors(plan, new) == {"density": 0.0, "strength": 0.0, "time": 0.0}
    assert composer.regenerate(plan, bars, 3, 8, who, seed=9) == new


def test_neither_piano_nor_strings_is_refused(composer: DiffusionComposer) -> None:
    with pytest.raises(UsageError, match="piano and strings") as raised:
        next(composer.stream(fake_plan(4, instruments=(0, 3)), 0))
    assert raised.value.exit_code == 2


def test_an_empty_roll_is_drawn_again_and_then_left_to_cmt(
    composer: DiffusionComposer, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    drawn: list[int] = []

    def nothing(_: object, requests: Sequence[module.Request], *rest: object) -> list[np.ndarray]:
        drawn.append(1)
        return [np.full((4, 128, PITCHES), -3.0, np.float32)]

    monkeypatch.setattr(module, "sample", nothing)
    composer._rolls.clear()
    prepared = fake_prepared(bars=4, duration_s=8.0, instruments=(PIANO,))
    take = compose(prepared, composer)
    composer._rolls.clear()
    assert len(drawn) == 4 and errors(prepared.plan, take.score.bars)["density"] == 0.0
    told = "bars 0-3 are composed by cmt: diffusion left them empty"
    assert take.account.told == (told,) and told in build_report(take, prepared)["changes"]


def test_provisional_bars_come_from_cmt(composer: DiffusionComposer) -> None:
    plan = fake_plan(4, 8.0, (PIANO,))
    assert next(composer.ahead(plan, 1)) == next(composer.band.stream(plan, 1))


def test_what_is_raised_between_steps_calls_the_piece_off(composer: DiffusionComposer) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    plan = fake_plan(4, 8.0, (PIANO,))
    whole = list(composer.stream(plan, 6))
    composer._rolls.clear()
    composer.on_step = stop
    with pytest.raises(Stop):
        next(composer.stream(plan, 6))
    composer.on_step = lambda: None
    before = composer.steps
    assert list(composer.stream(plan, 6)) == whole and composer.steps - before >= SAMPLING_STEPS


def test_it_is_offered_and_takes_no_weights_but_its_own(tmp_path: Path) -> None:
    assert "diffusion" in COMPOSERS.names()
    kind = COMPOSERS.load("diffusion")
    assert issubclass(kind, Composer) and not kind.uses_library
    other = Path(module.__file__).parents[2] / "checkpoints" / "chords.safetensors"
    with pytest.raises(InputError, match="no weights of the composer diffusion"):
        kind.create(ComposerOptions(checkpoint=other))


def test_the_shipped_weights_are_small_and_load() -> None:
    made = COMPOSERS.load("diffusion").create(ComposerOptions())
    assert made.sha256 and made.parameters < 5_000_000
    from hitpoint.model.network.roll_checkpoint import SHIPPED

    assert SHIPPED.stat().st_size < 10_000_000 and SHIPPED.with_suffix(".card.json").is_file()


def test_windows_cover_a_piece_and_end_with_it() -> None:
    for bars in (1, 7, 8, 9, 12, 13, 30):
        found = list(windows(bars))
        assert [bar for window in found for bar in window.new] == list(range(bars))
        for window in found:
            assert window.first_bar >= 0 and window.new.stop <= window.first_bar + 8
            assert window.first_bar + 8 <= max(bars, 8)
    for window in passage_windows(range(3, 12), 14):
        assert window.first_bar <= window.new.start and window.new.stop <= window.first_bar + 8 <= 14


def test_known_pixels_take_longer() -> None:
    assert len(order_of_steps(False)) == SAMPLING_STEPS == 20
    jumping = order_of_steps(True)
    assert len(jumping) == 24 and jumping[0] == 1000 and jumping[-1] == 50


def chosen(task: BarTask, logits: np.ndarray, others: tuple[int, ...] = ()) -> dict[tuple[int, int], list[int]]:
    return Chooser(Grammar(task), logits, others=others).choose()


def test_an_accent_gets_the_best_pitches_of_one_instrument() -> None:
    logits = np.full((2, 16, PITCHES), -5.0, np.float32)
    logits[1, 4, [60 - LOWEST, 64 - LOWEST, 67 - LOWEST, 72 - LOWEST]] = [3.0, 2.0, 1.0, 0.5]
    logits[0, 4, [80 - LOWEST, 84 - LOWEST]] = 2.0
    logits[0, 9, 80 - LOWEST] = 4.0
    found = chosen(BarTask(0, (PIANO, STRINGS), 160, 2, {4: 3}), logits)
    assert found == {(4, PIANO): [60, 64, 67], (4, STRINGS): [80, 84], (9, STRINGS): [80]}


def test_a_rhythm_is_kept_where_the_guess_does_not_mind() -> None:
    logits = np.full((2, 16, PITCHES), -5.0, np.float32)
    logits[1, :, 60 - LOWEST] = 1.0
    task = BarTask(0, (PIANO,), 160, 3)
    ticks = [{tick for tick, _ in Chooser(Grammar(task), logits, habit=habit_of(before)).choose()} for before in
             ([], [{3, 7, 11}] * 4)]  # fmt: skip
    assert ticks == [{0, 4, 8}, {3, 7, 11}]


def test_bars_whose_chords_came_before_are_a_variation() -> None:
    semantic = np.zeros((32, 7), np.int64)
    semantic[:, 0] = np.tile(np.arange(8), 4) + 2
    there = {index: Bar(index, (Note(0, PIANO, 60, 4, 80),)) for index in range(12)}
    assert model_of(Window(8, range(12, 16)), semantic, there, {PIANO}) == 8
    semantic[16:24, 0] = 2
    assert model_of(Window(8, range(12, 16)), semantic, there, {PIANO}) == 4
    assert model_of(Window(8, range(12, 16)), semantic, {}, {PIANO}) is None
    assert order_of_steps(True, 250) == [250, 200, 150, 100, 50]


def test_nothing_is_a_variation_of_bars_in_which_its_player_was_silent() -> None:
    semantic = np.zeros((32, 7), np.int64)
    there = {index: Bar(index, (Note(0, PIANO, 60, 4, 80),)) for index in range(12)}
    assert model_of(Window(8, range(12, 16)), semantic, there, {STRINGS}) is None
    there[5] = Bar(5, (Note(0, PIANO, 60, 4, 80), Note(0, STRINGS, 72, 4, 80)))
    assert model_of(Window(8, range(12, 16)), semantic, there, {STRINGS}) == 4


def test_what_comes_out_empty_as_a_variation_is_drawn_from_nothing(
    composer: DiffusionComposer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[bool] = []

    def varied(_: object, requests: Sequence[module.Request], *rest: object) -> list[np.ndarray]:
        drawn.append(requests[0].like is not None)
        return [np.full((4, 128, PITCHES), -3.0 if drawn[-1] else 3.0, np.float32)]

    monkeypatch.setattr(module, "sample", varied)
    composer._rolls.clear()
    plan = fake_plan(10, 20.0, (PIANO, STRINGS))
    bars = list(composer.stream(replace(plan, bars=tuple(replace(bar, chords=("C", "C")) for bar in plan.bars)), 1))
    composer._rolls.clear()
    assert drawn == [False, True, False] and all(bar.notes for bar in bars)


def test_a_bar_that_is_free_is_not_left_empty_where_nobody_else_plays() -> None:
    logits = np.full((2, 16, PITCHES), -5.0, np.float32)
    logits[1, 4, 60 - LOWEST] = -0.5
    assert {tick for tick, _ in chosen(BarTask(0, (PIANO,), 160, None), logits)} == {4}
    assert chosen(BarTask(0, (0, PIANO), 160, None), logits, (0,)) == {}


def test_others_fill_up_what_is_not_likely() -> None:
    logits = np.full((2, 16, PITCHES), -5.0, np.float32)
    logits[1, 0, 60 - LOWEST] = logits[1, 8, 64 - LOWEST] = 1.0
    assert {tick for tick, _ in chosen(BarTask(0, (0, PIANO), 160, 6), logits, (0,))} == {0, 8}
    assert len({tick for tick, _ in chosen(BarTask(0, (PIANO,), 160, 6), logits)}) == 6


def test_low_chords_stand_apart_and_closed_ticks_stay_closed() -> None:
    logits = np.full((2, 16, PITCHES), -5.0, np.float32)
    logits[1, 0, [36 - LOWEST, 38 - LOWEST, 43 - LOWEST]] = [3.0, 2.5, 2.0]
    logits[1, 2, 60 - LOWEST] = 9.0
    task = BarTask(0, (PIANO,), 160, None, closed=frozenset({(2, PIANO)}))
    assert chosen(task, logits) == {(0, PIANO): [36, 43]}
