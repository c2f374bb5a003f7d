"""An edit changes: what of its plan stays, and that what is new meets the picture."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.music.score import TICKS_PER_BAR
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.hits.placing import WIDE_TOLERANCE_S, bar_lines
from hitpoint.model.plan.rework import rework
from hitpoint.model.plan.types import Wishes
from hitpoint.model.video.changed import Change, changed
from hitpoint.model.video.types import Boundary, Clip, VisualRhythm

FILM = Path("/film.mp4")
FRAME_S = 1 / 24


def edit(shots, names=None):
    """Clips of these lengths (s), each from another place of the file."""
    clips, at_s = [], 0.0
    for index, length_s in enumerate(shots):
        in_s = 100.0 * (index if names is None else names[index])
        clips.append(Clip(FILM, in_s, in_s + length_s, 1.0, at_s))
        at_s += length_s
    return clips


def rhythm_of(shots, names=None):
    cuts_s = np.cumsum(shots)[:-1]
    times_s = np.arange(0.0, sum(shots), FRAME_S)
    names = range(len(shots)) if names is None else names
    motion = np.concatenate(
        [np.full(round(s / FRAME_S), 0.05 + 0.03 * (n % 4)) for s, n in zip(shots, names, strict=True)]
    )
    return VisualRhythm(
        float(sum(shots)), (), times_s, np.resize(motion, len(times_s)).astype(np.float32), np.zeros(len(times_s)), (),
        tuple(Boundary(float(cut_s), "cut", 0.8) for cut_s in cuts_s), tuple("ABCD"[n % 4] for n in names),
    )  # fmt: skip


SHOTS = [4.5, 3.0, 5.25, 4.0, 6.5, 3.75, 5.0, 4.25, 6.0, 3.5, 5.5, 4.75, 4.125]


def lines_of(plan):
    return bar_lines(plan.tempo_map, len(plan.bars), plan.end_tick)


def check_whole(plan, rhythm):
    """What holds of any plan."""
    lines_s = lines_of(plan)
    assert lines_s[-1] == pytest.approx(rhythm.duration_s, abs=1e-3) and np.all(np.diff(lines_s) > 0)
    assert [bar.index for bar in plan.bars] == list(range(len(plan.bars)))
    edges = [section.first_bar for section in plan.sections] + [len(plan.bars)]
    assert edges[0] == 0 and [section.end_bar for section in plan.sections] == edges[1:]
    for bar in plan.bars:
        assert plan.sections[bar.section].first_bar <= bar.index < plan.sections[bar.section].end_bar
    for hit in plan.hits:
        assert abs(plan.tempo_map.time_at_tick(hit.bar, hit.tick) - hit.time_s) < WIDE_TOLERANCE_S + 1e-6
        assert hit.strength is None or dict(plan.bars[hit.bar].required)[hit.tick] == hit.strength
    tempi = [point.bpm for point in plan.tempo_map.points]
    assert max(tempi) / min(tempi) < 1.25


def missed(plan, rhythm):
    hits_s = np.array([hit.time_s for hit in plan.hits])
    return [cut.time_s for cut in rhythm.boundaries if np.abs(hits_s - cut.time_s).min(initial=9) > 0.001]


@pytest.fixture(scope="module")
def old():
    return build_plan(rhythm_of(SHOTS), Wishes())


def test_a_roll_of_ten_frames_keeps_the_notes_before_it_and_the_form_after_it(old):
    for cut in (3, 5, 8):
        for frames in (10, -10):
            shots = list(SHOTS)
            shots[cut - 1] += frames * FRAME_S
            shots[cut] -= frames * FRAME_S
            change = changed(edit(SHOTS), edit(shots))
            assert change.start_s == pytest.approx(sum(SHOTS[:cut]) + min(0, frames) * FRAME_S, abs=0.02)
            new = rework(rhythm_of(shots), Wishes(), old, change)
            check_whole(new.plan, rhythm_of(shots))
            before = sum(line_s <= change.start_s for line_s in lines_of(old)) - 1
            assert all(new.kept.get(bar) == bar for bar in range(before)) and before >= 3
            assert new.plan.bars[:before] == old.bars[:before]
            cut_s = sum(shots[:cut])
            assert min(abs(hit.time_s - cut_s) for hit in new.plan.hits) < 0.001, "the moved cut is hit"
            assert len(missed(new.plan, rhythm_of(shots))) <= len(missed(old, rhythm_of(SHOTS)))
            labels = [section.label for section in new.plan.sections]
            assert labels == [section.label for section in old.sections], "the form stays"


def test_trims_and_swaps_keep_what_lies_before_and_shift_what_lies_after(old):
    random_ = random.Random(4)
    shares = []
    for _ in range(12):
        shots, names = list(SHOTS), list(range(len(SHOTS)))
        place = random_.randrange(2, 10)
        if random_.random() < 0.5:
            shots[place] -= random_.choice((8, 20, 31)) * FRAME_S
        else:
            for row in (shots, names):
                row[place], row[place + 1] = row[place + 1], row[place]
        change = changed(edit(SHOTS), edit(shots, names))
        new = rework(rhythm_of(shots, names), Wishes(), old, change)
        check_whole(new.plan, rhythm_of(shots, names))
        lines_s = lines_of(old)
        before = sum(line_s <= change.start_s for line_s in lines_s) - 1
        assert all(new.kept.get(bar) == bar for bar in range(before))
        shift_s = sum(shots) - sum(SHOTS)
        for bar, source in new.kept.items():
            if bar >= before:
                assert lines_of(new.plan)[bar] == pytest.approx(lines_s[source] + shift_s, abs=2e-3)
                assert replace(new.plan.bars[bar], index=source, section=0) == replace(old.bars[source], section=0)
        assert len(missed(new.plan, rhythm_of(shots, names))) <= len(missed(old, rhythm_of(SHOTS))) + 1
        shares.append(len(new.kept) / len(new.plan.bars))
    assert sum(shares) / len(shares) > 0.6


def test_nothing_changed_keeps_all_and_all_changed_keeps_nothing(old):
    same = rework(rhythm_of(SHOTS), Wishes(), old, changed(edit(SHOTS), edit(SHOTS)))
    assert same.plan == old and same.kept == {bar: bar for bar in range(len(old.bars))}
    names = [each + 50 for each in range(len(SHOTS))]
    other = rework(rhythm_of(SHOTS, names), Wishes(), old, changed(edit(SHOTS), edit(SHOTS, names)))
    assert other.kept == {}
    check_whole(other.plan, rhythm_of(SHOTS, names))


@pytest.mark.parametrize(
    "wishes", [Wishes(tempo_bpm=(120.0, 120.0)), Wishes(tempo_bpm=(90.0, 140.0)), Wishes(control=0.0)]
)
def test_what_was_asked_for_still_holds(wishes):
    old = build_plan(rhythm_of(SHOTS), wishes)
    shots = [*SHOTS[:6], SHOTS[6] - 0.7, *SHOTS[7:]]
    new = rework(rhythm_of(shots), wishes, old, changed(edit(SHOTS), edit(shots)))
    check_whole(new.plan, rhythm_of(shots))
    assert len(new.kept) >= 8
    if wishes.tempo_bpm == (120.0, 120.0):
        assert all(abs(point.bpm - 120) < 1.3 for point in new.plan.tempo_map.points)


@pytest.mark.parametrize(
    ("shots", "change"),
    [
        ([*SHOTS, 5.0], Change(60.125, 60.125, 65.125)),
        (SHOTS[:-2], Change(51.25, 60.125, 51.25)),
        (SHOTS[2:], Change(0.0, 7.5, 0.0)),
        ([8.0, *SHOTS], Change(0.0, 0.0, 8.0)),
    ],
)
def test_at_the_ends(old, shots, change):
    names = [SHOTS.index(each) if each in SHOTS else 77 for each in shots]
    found = changed(edit(SHOTS), edit(shots, names))
    assert found.new_end_s == pytest.approx(change.new_end_s, abs=0.02)
    new = rework(rhythm_of(shots, names), Wishes(), old, found)
    check_whole(new.plan, rhythm_of(shots, names))
    assert len(new.kept) >= 0.5 * len(old.bars)
    if found.start_s > 50:
        assert len(old.bars) - 1 not in new.kept.values(), "the ending is not in the middle"
        assert new.plan.end_tick % 1 == 0 and new.plan.last_bar_ticks <= TICKS_PER_BAR + 4


def test_a_razor_cut_with_nothing_removed_and_a_cross_fade():
    clips = edit(SHOTS)
    first = clips[4]
    razor = [*clips[:4], replace(first, out_s=first.in_s + 2.0),
             replace(first, in_s=first.in_s + 2.0, start_s=first.start_s + 2.0), *clips[5:]]  # fmt: skip
    whole_s = sum(SHOTS)
    assert changed(clips, razor) == Change(whole_s, whole_s, whole_s)
    faded = [*clips[:4], replace(first, fade_s=1.0), *clips[5:]]
    assert changed(clips, faded) == Change(pytest.approx(first.start_s - 0.5), pytest.approx(first.start_s + 0.5),
                                           pytest.approx(first.start_s + 0.5))  # fmt: skip
