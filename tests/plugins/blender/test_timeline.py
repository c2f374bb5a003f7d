"""From strips to clips, without Blender. Frames are written as numbers: [start, end)."""

import pytest
from hitpoint_blender.timeline import Strip, bar_at, frame_at, marker_names, read, rendered

FPS = 24.0


def movie(name, channel, start, end, first=0.0, **fields):
    fields = {"path": f"/{name}.mp4", "source_fps": FPS, **fields}
    return Strip(name, "MOVIE", channel, start, end, first=first, **fields)


def told(edit, fps=FPS):
    """(name, start frame, in frame of the file, frames of the file) of each clip, and nothing rounded away."""
    return [
        (
            clip.path[1:-4],
            round(clip.start_s * fps, 6),
            round(clip.in_s * FPS, 6),
            round((clip.out_s - clip.in_s) * FPS, 6),
        )
        for clip in edit.clips
    ]


def test_strips_in_timeline_order_with_their_own_in_and_out():
    edit = read([movie("b", 1, 50, 80, first=7), movie("a", 1, 1, 50)], FPS, None)
    assert told(edit) == [("a", 1, 0, 49), ("b", 50, 7, 30)]
    assert (edit.start, edit.end, edit.notes) == (1, 80, [])


def test_the_higher_channel_is_seen():
    edit = read([movie("under", 1, 0, 100), movie("over", 2, 40, 60, first=5)], FPS, None)
    assert told(edit) == [("under", 0, 0, 40), ("over", 40, 5, 20), ("under", 60, 60, 40)]


def test_a_muted_strip_is_not_seen():
    edit = read([movie("under", 1, 0, 100), movie("over", 2, 40, 60, mute=True)], FPS, None)
    assert told(edit) == [("under", 0, 0, 100)]


def test_only_what_is_selected():
    edit = read([movie("a", 1, 0, 10), movie("b", 1, 10, 20, selected=False), movie("c", 1, 20, 30)], FPS, None)
    assert [clip[0] for clip in told(edit)] == ["a", "c"]


def test_a_range_cuts_at_its_ends_and_ignores_the_selection():
    strips = [movie("a", 1, 0, 50, selected=False), movie("b", 1, 50, 100)]
    edit = read(strips, FPS, (20, 70))
    assert told(edit) == [("a", 20, 20, 30), ("b", 50, 0, 20)]
    assert (edit.start, edit.end) == (20, 70)


def test_a_gap_stays_a_gap():
    edit = read([movie("a", 1, 0, 10), movie("b", 1, 20, 30)], FPS, None)
    assert told(edit) == [("a", 0, 0, 10), ("b", 20, 0, 10)]


def test_metas_are_opened_and_cut_to_their_handles():
    inside = (movie("a", 1, 0, 50), movie("b", 2, 40, 100))
    meta = Strip("meta", "META", 3, 10, 80, children=inside)
    edit = read([movie("under", 1, 0, 200), meta], FPS, None)
    assert told(edit) == [("under", 0, 0, 10), ("a", 10, 10, 30), ("b", 40, 0, 40), ("under", 80, 80, 120)]


def test_a_meta_on_a_higher_channel_covers_whatever_its_strips_channels_are():
    meta = Strip("meta", "META", 3, 0, 10, children=(movie("in", 1, 0, 10),))
    assert told(read([meta, movie("low", 2, 0, 10)], FPS, None)) == [("in", 0, 0, 10)]


def test_a_cross_hands_over_in_its_middle():
    a, b = movie("a", 1, 0, 60), movie("b", 2, 40, 100)
    cross = Strip("cross", "CROSS", 3, 40, 60, inputs=(a, b))
    assert told(read([a, b, cross], FPS, None)) == [
        ("a", 0, 0, 40),
        ("a", 40, 40, 10),
        ("b", 50, 10, 10),
        ("b", 60, 20, 40),
    ]


def test_an_effect_of_one_input_shows_it():
    a = movie("a", 1, 0, 60, selected=False)
    glow = Strip("glow", "GLOW", 2, 0, 60, inputs=(a,))
    assert told(read([a, glow], FPS, None)) == [("a", 0, 0, 60)]


def test_a_speed_effect_changes_the_rate():
    a = movie("a", 1, 0, 60, first=4)
    speed = Strip("speed", "SPEED", 2, 0, 60, rate=2.0, inputs=(a,))
    (clip,) = read([a, speed], FPS, (30, 60)).clips
    assert clip.rate == 2.0
    assert clip.in_s * FPS == pytest.approx(4 + 60)
    assert (clip.out_s - clip.in_s) * FPS == pytest.approx(60)


def test_a_strip_that_plays_backwards_is_told_as_such_and_cut_where_it_is_cut():
    back = movie("back", 1, 10, 60, first=90, rate=-1.0, frames=100)
    (clip,) = read([back], FPS, (20, 50)).clips
    assert (clip.rate, clip.start_s * FPS) == (-1.0, pytest.approx(20))
    assert (clip.in_s * FPS, clip.out_s * FPS) == (pytest.approx(50), pytest.approx(80))
    pulled = movie("pulled", 1, 0, 100, first=60, rate=-2.0, frames=50)  # holds 5 frames, plays 25, holds the rest
    edit = read([pulled], FPS, None)
    (clip,) = edit.clips
    assert (clip.start_s * FPS, clip.in_s, clip.out_s * FPS) == (pytest.approx(5), 0.0, pytest.approx(50))
    assert edit.holds == [5, 30] and (edit.start, edit.end) == (0, 100)


def test_a_part_of_a_film_that_was_cut_off_for_good_is_not_shown():
    hidden = movie("hidden", 1, 0, 100, first=10, low=20.0, frames=70)
    assert told(read([hidden], FPS, None)) == [("hidden", 10, 20, 50)]


def test_the_edit_as_the_film_that_was_rendered_of_it():
    card = Strip("card", "IMAGE", 1, 60, 80, frames=1)
    other = Strip("other", "IMAGE", 1, 80, 100, frames=1)
    edit = read([movie("a", 1, 0, 30), movie("b", 1, 30, 60), card, other], FPS, (10, 100))
    whole = rendered(edit, "/film.mp4", FPS, False)
    assert told(whole) == [("film", 10, 0, 90)] and (whole.start, whole.end, whole.stills) == (10, 100, [])
    assert told(rendered(edit, "/film.mp4", FPS, True)) == [
        *(("film", 10, 0, 20), ("film", 30, 20, 30)),
        *(("film", 60, 50, 20), ("film", 80, 70, 20)),
    ]


def test_a_retimed_strip_and_one_of_another_frame_rate():
    fast = movie("fast", 1, 0, 24, first=10, rate=2.0)
    other = movie("other", 1, 24, 48, source_fps=30.0, rate=30 / 24)
    natural = movie("natural", 1, 48, 72, source_fps=30.0)
    clips = read([fast, other, natural], FPS, None).clips
    assert [clip.rate for clip in clips] == pytest.approx([2.0, 1.0, 0.8])
    assert [clip.out_s - clip.in_s for clip in clips] == pytest.approx([2.0, 1.0, 0.8])
    assert clips[0].in_s == pytest.approx(10 / 24)


def test_a_strip_pulled_out_beyond_its_file_holds_a_still_which_is_no_clip():
    edit = read([movie("a", 1, 0, 100, first=-20, frames=50), movie("b", 1, 100, 110)], FPS, None)
    assert told(edit) == [("a", 20, 0, 50), ("b", 100, 0, 10)]
    alone = read([movie("a", 1, 0, 100, first=-20, frames=50)], FPS, None)
    assert (alone.start, alone.end) == (0, 100) and alone.holds == [20, 70]  # the music lasts as long as the strip
    assert read([movie("still", 1, 0, 10, first=60, frames=50)], FPS, None).clips == []


def test_a_colour_hides_and_a_text_does_not():
    strips = [
        movie("a", 1, 0, 30),
        Strip("black", "COLOR", 2, 10, 20),
        Strip("title", "TEXT", 3, 0, 30, look="graphic"),
    ]
    assert told(read(strips, FPS, None)) == [("a", 0, 0, 10), ("a", 20, 20, 10)]


@pytest.mark.parametrize(
    "strip, words",
    [
        (movie("gone", 1, 0, 9, missing=True), "has no readable file: /gone.mp4. Relink it"),
        (Strip("x", "SCENE", 1, 0, 9), "is a scene: to have it seen as it is, score the rendered picture"),
        (Strip("x", "IMAGE", 1, 0, 9), "image sequence: to have"),
        (Strip("x", "MOVIECLIP", 1, 0, 9), "tracker"),
        (Strip("x", "MULTICAM", 1, 0, 9), "multicam"),
    ],
)
def test_what_cannot_be_scored_is_said_and_the_rest_is_scored(strip, words):
    edit = read([strip, movie("good", 1, 9, 20)], FPS, None)
    assert [clip[0] for clip in told(edit)] == ["good"]
    assert len(edit.notes) == 1 and words in edit.notes[0]
    alone = read([strip], FPS, None)
    assert alone.clips == [] and alone.notes[-1] == "None of these strips can be scored."


def test_speed_that_changes_inside_is_said():
    edit = read([movie("a", 1, 0, 10, rate=1.5, steady=False)], FPS, None)
    assert "changes speed inside, and is scored at 1.50× throughout" in edit.notes[0] and len(edit.clips) == 1
    assert edit.unsure


@pytest.mark.parametrize(
    "strips, span, words",
    [
        ([], None, "Nothing is selected"),
        ([], (0, 10), "no strips"),
        ([Strip("s", "SOUND", 1, 0, 9)], None, "only sound"),
        ([movie("a", 1, 0, 9, mute=True)], None, "muted"),
        ([movie("a", 1, 0, 9)], (20, 30), "no strips"),
    ],
)
def test_nothing_to_score_is_said(strips, span, words):
    edit = read(strips, FPS, span)
    assert edit.clips == [] and words in edit.notes[-1]


def test_five_hundred_strips_keep_their_frames():
    fps = 24000 / 1001
    strips = [movie(f"s{index}", 1 + index % 3, index * 7, index * 7 + 9, source_fps=fps) for index in range(500)]
    edit = read(strips, fps, None)
    frames = [(frame_at(clip.start_s, fps), clip.start_s * fps) for clip in edit.clips]
    assert len({frame for frame, _ in frames}) == len(frames) >= 500
    assert all(abs(exact - frame) < 1e-6 for frame, exact in frames)


def test_bars_and_markers():
    bars = [1.0, 3.0, 5.0]
    assert [bar_at(bars, seconds) for seconds in (0.0, 1.0, 2.99, 3.0, 99.0)] == [0, 0, 0, 1, 2]
    names = marker_names(bars, [(3.0, "cut"), (3.001, "cut"), (4.0, "beat")], FPS, "♪ ")
    assert names == {24: "♪ 1", 72: "♪ 2 cut", 96: "♪ beat", 120: "♪ 3"}


@pytest.mark.parametrize(
    "over",
    [
        movie("logo", 3, 30, 70, look="partial"),
        Strip("title", "TEXT", 3, 30, 70, look="graphic"),
        Strip("still", "IMAGE", 3, 30, 70, look="graphic"),
        Strip("glow", "ADJUSTMENT", 3, 30, 70, look="full"),
        Strip("lower third", "META", 3, 30, 70, look="partial", children=(movie("in", 1, 30, 70),)),
    ],
)
def test_what_lets_the_film_through_hides_nothing_and_its_edges_are_no_cuts(over):
    film = [movie("a", 1, 0, 50), movie("b", 1, 50, 100)]
    assert told(read([*film, over], FPS, (0, 100))) == [("a", 0, 0, 50), ("b", 50, 0, 50)]


def test_a_scaled_film_with_nothing_beneath_is_the_picture():
    small = [movie("a", 1, 0, 50, look="partial"), movie("in", 2, 10, 40, look="partial")]
    assert told(read(small, FPS, None)) == [("a", 0, 0, 50)]


def test_a_title_card_among_the_clips_is_black_that_lasts_as_long():
    card = Strip("card", "TEXT", 1, 50, 60, look="graphic")
    edit = read([movie("a", 1, 0, 50), card, movie("b", 1, 60, 100)], FPS, (0, 100))
    assert told(edit) == [("a", 0, 0, 50), ("b", 60, 0, 40)]


def test_a_cross_is_one_fade_in_its_middle():
    a, b = movie("a", 1, 0, 60), movie("b", 2, 40, 100)
    cross = Strip("cross", "CROSS", 3, 40, 60, inputs=(a, b))
    edit = read([a, b, cross], FPS, None)
    assert [round(clip.fade_s * FPS) for clip in edit.clips] == [0, 0, 20, 0]


def test_a_strip_that_appears_over_the_film_begins_in_the_middle_of_its_fade():
    edit = read([movie("a", 1, 0, 100), movie("b", 2, 40, 80, fade_in=10)], FPS, None)
    assert told(edit) == [("a", 0, 0, 45), ("b", 45, 5, 35), ("a", 80, 80, 20)]
    assert [round(clip.fade_s * FPS) for clip in edit.clips] == [0, 10, 0]
