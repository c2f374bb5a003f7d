"""Chords for a plan: form, home key, the user's own progression, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.errors import UsageError
from hitpoint.model.mood.types import Affect
from hitpoint.model.music.chords import CHORDS
from hitpoint.model.music.keys import Key
from hitpoint.model.music.symbols import parse_key, parse_symbol
from hitpoint.model.output.chord_sheet import chord_sheet
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.harmony.edit import with_chord, with_chords
from hitpoint.model.plan.harmony.network import shipped
from hitpoint.model.plan.harmony.planner import harmonise, told_of
from hitpoint.model.plan.harmony.rules import HOMES, MOST_EQUAL, half_at, halves_of, rules_of
from hitpoint.model.plan.harmony.search import CLOSE_TONES, find_chords
from hitpoint.model.plan.harmony.tension import tension_table
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.plan.wishes.options import check_wishes, parse_wishes
from hitpoint.model.video.types import VisualRhythm

CUTS_S = (5.1, 11.0, 18.2, 24.4, 31.0, 38.9, 47.0)


@pytest.fixture(scope="module")
def plans(rhythm: Callable[..., VisualRhythm]) -> list[tuple[Plan, Key]]:
    """Plans of a minute in several keys, with the home key each was asked for."""
    found = []
    for seed, name in enumerate(("A minor", "Eb major", "F# major", "C minor")):
        seen = rhythm(60.0, CUTS_S, shots="ABACABAC")
        found.append((build_plan(seen, parse_wishes({"seed": seed, "key": name})), parse_key(name)))
    return found


def halves(plan: Plan) -> list:
    return [parse_symbol(symbol) for bar in plan.bars for symbol in bar.chords][: halves_of(plan)]


def test_every_half_bar_has_a_chord_from_the_tonic_to_the_dominant_and_the_tonic(plans: list) -> None:
    for plan, key in plans:
        chords = halves(plan)
        assert None not in chords
        assert chords[0].root == key.root and chords[0].minor == key.minor
        assert chords[-1].tones == key.tonic
        before = next(chord for chord in reversed(chords) if chord.root != key.root)
        assert before.tones[:3] == key.dominant
        assert {parse_key(bar.key).root for bar in plan.bars} >= {key.root}


def test_no_chord_stands_longer_than_four_half_bars_but_the_last(plans: list) -> None:
    for plan, _ in plans:
        chords = halves(plan)
        for first in range(len(chords) - MOST_EQUAL - 2):
            assert len(set(chords[first : first + MOST_EQUAL + 1])) > 1


def test_the_harmony_moves_where_a_section_begins_and_where_the_plan_says(plans: list) -> None:
    for plan, _ in plans:
        chords = halves(plan)
        starts = {2 * section.first_bar for section in plan.sections[1:]}
        named = {2 * bar.index + half_at(tick) for bar in plan.bars for tick in bar.changes}
        moved = [chords[at].root != chords[at - 1].root for at in starts | named if 0 < at < len(chords) - 3]
        assert np.mean(moved) > 0.97


def test_a_cut_is_heard_in_the_harmony_because_little_else_moves_it(plans: list) -> None:
    stray, common = [], []
    for plan, _ in plans:
        chords = halves(plan)
        named = {2 * bar.index + half_at(tick) for bar in plan.bars for tick in bar.changes}
        middles = range(1, len(chords) - 4, 2)
        stray += [chords[at].root != chords[at - 1].root for at in middles if at not in named]
        cuts = [2 * hit.bar + half_at(hit.tick) for hit in plan.hits if hit.kind == "cut" and hit.accent]
        common += [len({*chords[at].tones} & {*chords[at - 1].tones}) for at in cuts if 0 < at < len(chords) - 3]
    assert np.mean(stray) < 0.2
    assert len(common) > 20 and max(common) < CLOSE_TONES


def test_a_cut_between_half_bars_does_not_go_back_to_the_chord_that_still_sounds(
    rhythm: Callable[..., VisualRhythm],
) -> None:
    apart = []
    for seed in range(5):
        cuts_s = tuple(np.random.default_rng(seed).uniform(2.0, 5.0, 16).cumsum())
        plan = build_plan(rhythm(62.0, cuts_s), Wishes(seed=seed))
        chords = halves(plan)
        cuts = [hit for hit in plan.hits if hit.kind == "cut" and hit.accent and hit.tick % 8]
        places = [2 * hit.bar + half_at(hit.tick) for hit in cuts]
        apart += [chords[at].root != chords[at - 2].root for at in places if 1 < at < len(chords) - 3]
    assert len(apart) > 10 and np.mean(apart) > 0.9


def test_sections_that_look_alike_have_the_same_chords(plans: list) -> None:
    equal = []
    for plan, _ in plans:
        chords = halves(plan)
        for number, section in enumerate(plan.sections[:-1]):
            alike = next((each for each in plan.sections[:number] if each.label == section.label), None)
            if alike is not None:
                length = 2 * min(section.end_bar - section.first_bar, alike.end_bar - alike.first_bar) - 2
                pairs = range(1, length)
                equal += [chords[2 * section.first_bar + k] == chords[2 * alike.first_bar + k] for k in pairs]
    assert equal and np.mean(equal) > 0.6


def test_the_home_key_is_kept(plans: list) -> None:
    for plan, key in plans:
        scale = {(key.root + step) % 12 for step in ((0, 2, 3, 5, 7, 8, 10) if key.minor else (0, 2, 4, 5, 7, 9, 11))}
        tones = [tone for chord in halves(plan) for tone in chord.tones]
        assert np.mean([tone in scale for tone in tones]) > 0.88


def test_another_seed_gives_other_chords_and_the_same_seed_the_same(rhythm: Callable[..., VisualRhythm]) -> None:
    seen = rhythm(40.0, CUTS_S[:4])
    one, again, other = (build_plan(seen, parse_wishes({"key": "C", "seed": seed})) for seed in (1, 1, 2))
    assert halves(one) == halves(again) != halves(other)


def test_off_leaves_the_plan_as_it_was_and_drums_have_no_chords(rhythm: Callable[..., VisualRhythm]) -> None:
    seen = rhythm(20.0, CUTS_S[:2])
    alone = {"instruments": "piano"}  # where others play too, who has the tune rests less
    off, auto = build_plan(seen, parse_wishes({"harmony": "off", **alone})), build_plan(seen, parse_wishes(alone))
    assert all(bar.chords is None and bar.line == () and bar.leader is None for bar in off.bars) and not off.harmony
    stripped = [replace(b, chords=None, key=None, line=(), leader=None) for b in auto.bars]
    assert stripped == [replace(b, key=None) for b in off.bars]
    drums = build_plan(seen, parse_wishes({"instruments": "drums"}))
    assert all(bar.chords is None for bar in drums.bars)


def test_one_bar_is_the_tonic(rhythm: Callable[..., VisualRhythm]) -> None:
    plan = build_plan(rhythm(1.0), parse_wishes({"key": "G"}))
    assert set(halves(plan)) == {parse_symbol("G")} or len(plan.bars) > 1


def test_a_progression_is_kept_as_it_is_and_a_short_one_begins_anew(
    rhythm: Callable[..., VisualRhythm], tmp_path: Path
) -> None:
    (tmp_path / "own.txt").write_text("# mine\n1.1 Am7\n1.2 D7/F#\n\n2.1 Gmaj9\n", encoding="utf-8")
    plan = build_plan(rhythm(30.0, CUTS_S[:3]), parse_wishes({"harmony": str(tmp_path / "own.txt")}))
    assert [bar.chords for bar in plan.bars[:4]] == [("Am7", "D7/F#"), ("Gmaj9", "Gmaj9")] * 2
    assert all(bar.chords in (("Am7", "D7/F#"), ("Gmaj9", "Gmaj9")) for bar in plan.bars)


@pytest.mark.parametrize(
    ("text", "said"),
    [("0.0 Am\n0.1 Xm\n", "line 2: 'Xm'"), ("0.0 C\nhello\n", "line 2: 'hello'"), ("0.0 C\n0.2 F\n", "line 2"),
     ("1.0 C\n0.0 F\n", "line 2: 0.0 does not come after"), ("0.0 C\n0.0 F\n", "line 2"), ("# none\n", "no chord"),
     ("0.0 C\n1.1\n", "line 2"), ("0.3 C\n", "line 1")],
)  # fmt: skip
def test_a_wrong_line_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "own.txt").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        parse_wishes({"harmony": str(tmp_path / "own.txt")})
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "wishes",
    [{"key": "H minor"}, {"harmony": "nowhere.txt"}, {"harmony-strength": 3}, {"lead": "drums"}, {"motif": "no.mid"}],
)
def test_what_cannot_be_asked_for_is_a_sentence(wishes: dict) -> None:
    with pytest.raises(UsageError):
        check_wishes(parse_wishes(wishes))


def test_the_sheet_of_chords_is_a_progression(rhythm: Callable[..., VisualRhythm], tmp_path: Path) -> None:
    seen = rhythm(45.0, CUTS_S[:5])
    plan = build_plan(seen, parse_wishes({"key": "D", "seed": 5}))
    (tmp_path / "sheet.txt").write_text(chord_sheet(plan), encoding="utf-8")
    again = build_plan(seen, parse_wishes({"key": "D", "seed": 5, "harmony": str(tmp_path / "sheet.txt")}))
    assert halves(again) == halves(plan)


def test_chords_follow_the_tension_asked_for(rhythm: Callable[..., VisualRhythm]) -> None:
    plan = build_plan(rhythm(90.0, CUTS_S), parse_wishes({"key": "C", "mood": "off"}))
    home = HOMES[False]
    table = tension_table(home)
    asked = np.repeat(np.random.default_rng(3).permutation(np.linspace(0, 1, len(plan.bars))), 2)[: halves_of(plan)]

    def distance(tension: np.ndarray | None) -> float:
        rng = np.random.default_rng(1)
        found = find_chords(shipped(), told_of(plan, home), rules_of(plan, home), home, tension, rng)
        heard = table[np.concatenate([[0], found[:-1] + 1]), found]
        return float(np.mean((heard - asked) ** 2))

    assert distance(asked) < 0.8 * distance(None)


def test_the_mood_is_told_to_the_network(rhythm: Callable[..., VisualRhythm]) -> None:
    plan = build_plan(rhythm(20.0), parse_wishes({"mood": "off"}))
    felt = replace(plan, bars=tuple(replace(bar, affect=Affect(-0.8, 0.6, 0.9, "fearful")) for bar in plan.bars))
    assert (told_of(felt, HOMES[True]) != told_of(plan, HOMES[True])).sum(axis=1).min() >= 4
    assert halves(harmonise(felt, Wishes())) != halves(plan)


def test_a_chord_of_ones_own_is_set(rhythm: Callable[..., VisualRhythm]) -> None:
    plan = build_plan(rhythm(20.0), Wishes())
    changed = with_chord(plan, 2, 1, "F#m7b5")
    assert changed.bars[2].chords == (plan.bars[2].chords[0], "F#m7b5")
    assert with_chords(plan, {"2.1": "F#m7b5", "999.0": "C"}) == changed
    for bar, half, symbol in ((99, 0, "C"), (0, 2, "C"), (0, 0, "Hm")):
        with pytest.raises(UsageError):
            with_chord(plan, bar, half, symbol)
    with pytest.raises(UsageError, match="no planned chords"):
        with_chord(build_plan(rhythm(20.0), parse_wishes({"harmony": "off"})), 0, 0, "C")
    with pytest.raises(UsageError, match="somebody besides drums"):
        with_chord(build_plan(rhythm(20.0), parse_wishes({"instruments": "drums"})), 0, 0, "C")


def test_tension_is_a_rank() -> None:
    table = tension_table(HOMES[False])
    assert table.shape == (157, len(CHORDS)) and table.min() >= 0 and table.max() <= 1
    tonic, diminished = parse_symbol("C"), parse_symbol("Bdim7")
    assert table[0, tonic.number - 1] < table[0, diminished.number - 1]


def test_a_minor_key_is_not_heard_as_its_relative_major(rhythm: Callable[..., VisualRhythm]) -> None:
    chords = []
    for seed in range(6):
        chords += halves(build_plan(rhythm(20.0, (5.1, 11.0)), parse_wishes({"seed": seed, "key": "A minor"})))
    own = np.mean([(chord.root, chord.quality) in {(9, "min"), (4, "maj"), (4, "7"), (2, "min")} for chord in chords])
    relative = np.mean([chord.root in (0, 7) and not chord.minor for chord in chords])
    mixed = np.mean([(chord.root, chord.quality) == (9, "min7") for chord in chords])
    assert own > 2 * (relative + mixed), f"{own:.2f} in minor, {relative:.2f} of C major, {mixed:.2f} of both"


def test_suspended_chords_are_as_rare_as_in_songs(rhythm: Callable[..., VisualRhythm]) -> None:
    """.03 of the half bars of 1,691 songs have one; a calm picture, whose tension is low, has no more."""
    found = []
    for seed, name in enumerate(("C major", "D major", "A minor", "C minor", "G major", "E minor")):
        plan = build_plan(rhythm(60.0, CUTS_S, shots="ABACABAC"), parse_wishes({"seed": seed, "key": name}))
        calm = Affect(-0.4 if "minor" in name else 0.6, 0.3, 0.15, "exciting")
        plan = replace(plan, bars=tuple(replace(bar, affect=calm) for bar in plan.bars))
        found += halves(harmonise(plan, Wishes(seed=seed, key=name)))
    assert np.mean([chord.quality in ("sus2", "sus4") for chord in found]) < 0.06


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({}, ()),
        ({"harmony": "off"}, ()),
        ({"harmony": "bound"}, ("drums play alone: nothing is heard of chords",)),
        ({"key": "A minor", "harmony": "bound"}, ("drums play alone: nothing is heard of a key and chords",)),
    ],
)
def test_drums_alone_say_what_they_cannot_play(
    rhythm: Callable[..., VisualRhythm], wishes: dict[str, object], told: tuple[str, ...]
) -> None:
    plan = build_plan(rhythm(20.0), parse_wishes({"instruments": "drums", **wishes}))
    assert tuple(each for each in plan.changes if "drums play alone" in each) == told
    assert all(bar.chords is None for bar in plan.bars)
