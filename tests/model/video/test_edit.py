"""Edits: clips with in and out points, rates, and an editor's own cuts."""

from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.errors import UsageError
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.edit import edges, merged
from hitpoint.model.video.types import Boundary, Clip
from tests.model.video.conftest import draw


def cuts_between(truth, start_s, end_s):
    return [cut for cut in truth["cuts"] if start_s < cut < end_s]


def test_in_and_out_points(film, truth):
    whole = analyse([Clip(film)])
    part = analyse([Clip(film, in_s=5.0, out_s=11.0)])
    assert part.duration_s == 6.0
    assert len(part.times_s) == 144
    assert part.times_s[0] == pytest.approx(0.0, abs=1e-6)
    assert [b.time_s for b in part.boundaries] == pytest.approx(
        [cut - 5.0 for cut in cuts_between(truth, 5, 11)], abs=0.001
    )
    inside = (whole.times_s >= 5.0 - 1e-6) & (whole.times_s < 11.0 - 1e-6)
    # The flow starts anew, so a frame or two differ.
    assert part.motion[3:] == pytest.approx(whole.motion[inside][3:], abs=0.02)


@pytest.mark.parametrize("in_s", [0.0, 0.25, 1.5, 2.0 + 1 / 24, 3.96])
def test_in_point_is_exact(in_s, tmp_path):
    path = draw(tmp_path / "film.mkv", "-g", 36, seconds=4.2)
    rhythm = analyse([Clip(path, in_s=in_s, out_s=4.2)])
    first = np.ceil((in_s - 0.002) * 24) / 24
    assert rhythm.times_s[0] == pytest.approx(first - in_s, abs=0.002)
    assert len(rhythm.times_s) == round((4.2 - first) * 24 + 0.2)


def test_joints_are_cuts(film):
    clips = [Clip(film, 0.5, 3.0), Clip(film, 6.0, 8.0, start_s=2.5), Clip(film, 0.5, 3.0, start_s=4.5)]
    rhythm = analyse(clips)
    assert rhythm.duration_s == 7.0
    assert [(b.time_s, b.kind, b.weight) for b in rhythm.boundaries] == [
        (pytest.approx(2.5, abs=0.001), "cut", 1.0),
        (pytest.approx(4.5, abs=0.001), "cut", 1.0),
    ]
    assert rhythm.shots == ("A", "B", "A")
    assert len(rhythm.media) == 1
    at_joint = int(np.searchsorted(rhythm.times_s, 4.5 - 1e-6))
    alone = analyse([Clip(film, 0.5, 3.0)])
    assert rhythm.motion[at_joint + 1 : at_joint + 40] == pytest.approx(alone.motion[1:40], abs=1e-6)


def test_a_gap_is_black_and_moves_nothing_that_follows(film, truth):
    """Titles and stills, which an editor's list of films leaves out, lie between the clips."""
    rhythm = analyse([Clip(film, 0.0, 5.0, start_s=7.0), Clip(film, 5.0, 11.0, start_s=19.0)])
    assert rhythm.duration_s == 18.0
    within = cuts_between(truth, 0, 5) + [5.0, 12.0] + [cut + 7.0 for cut in cuts_between(truth, 5, 11)]
    assert [b.time_s for b in rhythm.boundaries] == pytest.approx(within, abs=0.001)
    assert {b.kind for b in rhythm.boundaries} == {"cut"} and len(rhythm.shots) == len(rhythm.boundaries) + 1
    gap = (rhythm.times_s > 5.0) & (rhythm.times_s < 12.0)
    assert gap.sum() > 100 and not rhythm.motion[gap].any() and not rhythm.saliency[gap].any()
    assert np.all(np.diff(rhythm.times_s) > 0)
    assert not any(5.0 < beat.time_s < 12.0 for beat in rhythm.beats)


def test_gaps_of_a_frame_do_not_add_up(film):
    starts = [2.04 * index for index in range(6)]
    rhythm = analyse([Clip(film, 3.0, 5.0, start_s=start_s) for start_s in starts])
    assert rhythm.duration_s == pytest.approx(12.2)
    assert set(np.round(starts[1:], 3)) <= {round(b.time_s, 3) for b in rhythm.boundaries}


def test_parts_far_apart_are_refused(film):
    with pytest.raises(UsageError, match="no picture for 895 s before"):
        analyse([Clip(film, 0.0, 5.0, start_s=50.0), Clip(film, 5.0, 6.0, start_s=950.0)])


def test_rate(film):
    normal = analyse([Clip(film, 10.0, 12.25)])
    double = analyse([Clip(film, 10.0, 12.25, rate=2.0)])
    assert double.duration_s == pytest.approx(1.125)
    assert double.times_s == pytest.approx(normal.times_s / 2)
    assert double.motion == pytest.approx(normal.motion * 2, rel=1e-4)


def test_rate_moves_what_follows(film, truth):
    rhythm = analyse([Clip(film, 0.0, 4.0, rate=0.5), Clip(film, 5.0, 6.0)])
    assert rhythm.duration_s == pytest.approx(9.0)
    wanted = [cut * 2 for cut in cuts_between(truth, 0, 4)] + [8.0] + [cut + 3.0 for cut in cuts_between(truth, 5, 6)]
    assert [b.time_s for b in rhythm.boundaries] == pytest.approx(wanted, abs=0.001)


def test_a_clip_that_plays_backwards_is_seen_backwards(film, truth):
    """Its cuts lie where the viewer sees them, and what moves, moves there."""
    forwards = analyse([Clip(film, 2.0, 9.0)])
    back = analyse([Clip(film, 2.0, 9.0, rate=-1.0)])
    assert back.duration_s == forwards.duration_s == pytest.approx(7.0)
    assert [b.time_s for b in back.boundaries] == pytest.approx([7.0 - b.time_s for b in forwards.boundaries[::-1]])
    assert len(back.boundaries) == len(cuts_between(truth, 2, 9)) > 0
    assert np.corrcoef(back.motion, forwards.motion[::-1])[0, 1] > 0.8
    assert analyse([Clip(film, 0.0, rate=-1.0)]).duration_s == pytest.approx(truth["duration_s"], abs=0.05)


def test_a_clip_backwards_among_others(film, truth):
    clips = [Clip(film, 0.0, 4.0), Clip(film, 0.0, 4.0, rate=-2.0, start_s=4.0), Clip(film, 5.0, 6.0, start_s=6.0)]
    found = [b.time_s for b in analyse(clips).boundaries]
    there = cuts_between(truth, 0, 4)
    wanted = [*there, 4.0, *(4.0 + (4.0 - cut) / 2 for cut in there[::-1]), 6.0]
    wanted += [cut + 1.0 for cut in cuts_between(truth, 5, 6)]
    # where it turns round the picture stays the same, and the editor's edge is a cut all the same
    assert found == pytest.approx(wanted, abs=0.001)


def test_pieces_of_a_clip_backwards_are_one():
    pieces = [Clip(Path("a"), 2.0, 3.0, -1.0, 0.0), Clip(Path("a"), 1.0, 2.0, -1.0, 1.0)]
    assert merged(pieces) == [Clip(Path("a"), 1.0, 3.0, -1.0, 0.0)]
    assert len(merged([Clip(Path("a"), 2.0, 3.0, -1.0, 0.0), Clip(Path("a"), 0.5, 1.5, -1.0, 1.0)])) == 2


def test_given_cuts_replace_detected_ones(film):
    given = [
        Boundary(9.0, "cut", 0.8),
        Boundary(2.0, "fade", 1.0),
        Boundary(0.0, "cut", 1.0),
        Boundary(99.0, "cut", 1.0),
    ]
    rhythm = analyse([Clip(film)], cuts=given)
    assert rhythm.boundaries == (given[1], given[0])
    assert len(rhythm.shots) == 3
    assert rhythm.motion == pytest.approx(analyse([Clip(film)]).motion)


def test_no_cuts_given_is_no_cut(film):
    rhythm = analyse([Clip(film)], cuts=[])
    assert rhythm.boundaries == ()
    assert rhythm.shots == ("A",)


def test_films_of_different_size_and_rate(film, tmp_path):
    other = draw(tmp_path / "other.mkv", size="200x300", rate=50)
    rhythm = analyse([Clip(film, 0.0, 2.0), Clip(other), Clip(film, 2.0, 3.0)])
    assert len(rhythm.media) == 2
    assert len(rhythm.times_s) == 48 + 100 + 24
    assert rhythm.duration_s == pytest.approx(5.0)
    assert np.all(np.diff(rhythm.times_s) > 0)


def test_a_razors_seam_is_no_cut_and_what_is_missing_is_one(film):
    whole = analyse([Clip(film, 0.5, 8.0)])
    pieces = [Clip(film, 0.5, 3.0), Clip(film, 3.0, 5.0, start_s=2.5), Clip(film, 5.0, 8.0, start_s=4.5)]
    cut_up = analyse(pieces)
    assert cut_up.boundaries == whole.boundaries and cut_up.beats == whole.beats
    assert merged(pieces) == [Clip(film, 0.5, 8.0)]
    a_frame_less = [Clip(film, 0.5, 3.0), Clip(film, 3.0 + 1 / 24, 5.0, start_s=2.5)]
    assert merged(a_frame_less) == a_frame_less
    moved = [Clip(film, 0.5, 3.0), Clip(film, 3.0, 5.0, start_s=2.6)]
    assert merged(moved) == moved
    faster = [Clip(film, 0.5, 3.0), Clip(film, 3.0, 5.0, rate=2.0, start_s=2.5)]
    assert merged(faster) == faster


def test_a_mix_is_one_fade_in_its_middle(film):
    clips = [Clip(film, 0.5, 3.0), Clip(film, 6.5, 8.0, start_s=2.5, fade_s=1.0), Clip(film, 8.0, 9.0, start_s=4.0)]
    rhythm = analyse(clips)
    [fade] = [b for b in rhythm.boundaries if b.time_s == pytest.approx(2.5, abs=0.001)]
    assert fade.kind == "fade" and not [b for b in rhythm.boundaries if b.time_s == pytest.approx(4.0, abs=0.02)]
    assert [(b.time_s, b.kind) for b in edges(clips)] == [(2.5, "fade"), (4.0, "cut")]  # half of the joins are seams


def test_strips_of_a_finished_film_cut_into_its_shots_are_its_cuts():
    shots = [Clip(Path("film.mp4"), at, at + 2.0, start_s=at) for at in (0.0, 2.0, 4.0)]
    assert [b.time_s for b in edges(shots)] == [2.0, 4.0]
    edit = [*shots[:2], Clip(Path("b.mp4"), 0, 2, start_s=4.0), Clip(Path("c.mp4"), 0, 2, start_s=6.0)]
    assert [b.time_s for b in edges(edit)] == [4.0, 6.0]  # one razor's seam among cuts
