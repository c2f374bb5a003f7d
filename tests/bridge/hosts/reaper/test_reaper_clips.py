"""Items of a timeline as clips, and notes as REAPER's buffers: pure, so tested with many inputs."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitpoint.bridge.errors import InputError
from hitpoint.bridge.hosts.reaper import clips as file_clips
from hitpoint.bridge.hosts.reaper.notes import Message, QuarterNotes, pack, replaced, unpack


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"film")
    return str(path)


def item(
    path, position, length, *, offset=0.0, rate=1.0, whole=100.0, section=0.0, loops=0, backwards=0, kind="VIDEO",
    track=1, fade=0.0,
):  # fmt: skip
    numbers = (position, length, offset, rate, whole, section, loops, backwards, track, fade)
    return ["item", path, kind, *map(str, numbers)]


def found(rows):
    return [tuple(round(v, 6) for v in (c.start_s, c.in_s, c.out_s, c.rate)) for c in file_clips.clips(rows)]


def test_playrate_and_offset(film):
    assert found([item(film, 7.0, 4.0, offset=3.0, rate=1.25)]) == [(7.0, 3.0, 8.0, 1.25)]


def test_a_looped_section_plays_again(film):
    rows = [item(film, 0.0, 7.0, offset=1.0, whole=3.0, section=30.0, loops=1)]
    assert found(rows) == [(0.0, 31.0, 33.0, 1.0), (2.0, 30.0, 33.0, 1.0), (5.0, 30.0, 32.0, 1.0)]


def test_other_items_are_left_aside(film):
    rows = [item("music.wav", 0.0, 9.0, kind="WAVE"), item(film, 1.0, 2.0)]
    assert found(rows) == [(1.0, 0.0, 2.0, 1.0)]


def test_what_is_heard_beside_the_picture_is_told_with_the_sound_of_the_films(film, tmp_path):
    voice = tmp_path / "voice.wav"
    voice.write_bytes(b"voice")
    rows = [item(film, 1.0, 9.0), item(str(voice), 0.0, 20.0, offset=2.0, kind="WAVE"), item("gone.wav", 0.0, 9.0)]
    told = [(Path(c.path).name, c.start_s, c.in_s, c.out_s) for c in file_clips.heard(rows, (1.0, 10.0))]
    assert told == [("film.mp4", 1.0, 0.0, 9.0), ("voice.wav", 1.0, 3.0, 12.0)]
    assert file_clips.heard([rows[0], rows[2]], (1.0, 10.0)) == [], "that of the films is heard anyway"


def test_a_lower_numbered_track_covers_a_higher_one(film):
    rows = [item(film, 2.0, 4.0, offset=50.0, track=1), item(film, 3.0, 10.0, track=2)]
    wanted = [(2.0, 50.0, 54.0, 1.0), (6.0, 3.0, 10.0, 1.0)]
    assert found(rows) == found(rows[::-1]) == wanted
    assert found([["order", "higher"], *rows]) == [(2.0, 50.0, 51.0, 1.0), (3.0, 0.0, 10.0, 1.0)]


@pytest.mark.parametrize("kind", ["VIDEO", "JPEG", "PNG"])
def test_a_photo_holds_its_place_and_a_title_over_the_film_hides_nothing(film, kind):
    rows = [item(film, 0.0, 4.0), item(film, 6.0, 4.0)]
    assert [clip[0] for clip in found([*rows, item("/nowhere/photo.jpg", 4.0, 2.0, kind=kind)])] == [0.0, 6.0]
    below = item(film, 0.0, 10.0, track=2)
    photo, title = (item(f"/nowhere/{name}", 4.0, 2.0, kind=kind) for name in ("photo.JPG", "title.png"))
    assert [clip[:2] for clip in found([below, photo])] == [(0.0, 0.0), (6.0, 6.0)]
    assert [clip[:2] for clip in found([below, title])] == [(0.0, 0.0)]
    card = item("/nowhere/title.png", 4.0, 2.0, kind=kind, track=2)
    assert [clip[0] for clip in found([*rows, item("/a.m4a", 3.0, 9.0), card])] == [0.0, 6.0]


def test_a_film_that_plays_backwards(film):
    """REAPER turns the source round: what is counted from its begin is counted from the source's end."""
    assert found([item(film, 1.0, 4.0, backwards=1)]) == [(1.0, 96.0, 100.0, -1.0)]
    part = item(film, 0.0, 4.0, offset=1.0, rate=2.0, whole=10.0, section=30.0, backwards=1)
    assert found([part]) == [(0.0, 31.0, 39.0, -2.0)]
    looped = item(film, 0.0, 5.0, offset=1.0, whole=3.0, section=30.0, loops=1, backwards=1)
    assert found([looped]) == [(0.0, 30.0, 32.0, -1.0), (2.0, 30.0, 33.0, -1.0)]
    above = item(film, 1.0, 1.0, offset=50.0, track=1)
    rows = [above, item(film, 0.0, 4.0, track=2, backwards=1)]
    assert found(rows) == [(0.0, 99.0, 100.0, -1.0), (1.0, 50.0, 51.0, 1.0), (2.0, 96.0, 98.0, -1.0)]


@pytest.mark.parametrize(("change", "words"), [({"path": "/no/film.mp4"}, "missing")])
def test_one_bad_item_is_black_and_told_of(film, change, words):
    rows = [item(film, 0.0, 9.0), item(**{"path": film, "position": 3.0, "length": 2.0, **change})]
    told = []
    assert [(clip.start_s, clip.end_s) for clip in file_clips.clips([*rows, rows[1]], told)] == [(0.0, 3.0), (5.0, 9.0)]
    [sentence] = told
    assert words in sentence


@pytest.mark.parametrize(("fade", "middle"), [(2.0, 5.0), (1.0, 4.5), (5.0, 5.0), (0.01, 4.0)])
def test_a_crossfade_is_handed_over_in_its_middle(film, fade, middle):
    clips = file_clips.clips([item(film, 0.0, 6.0), item(film, 4.0, 6.0, offset=50.0, fade=fade)])
    assert [(clip.start_s, clip.in_s, clip.end_s) for clip in clips] == [
        (0.0, 0.0, middle), (middle, 46.0 + middle, 10.0)
    ]  # fmt: skip
    assert clips[1].fade_s == (min(fade, 2.0) if fade > 0.01 else 0.0)


def test_a_fade_in_is_a_fade_in_its_middle_over_another_picture_and_at_its_start_over_black(film):
    over = [item(film, 0.0, 10.0, track=2), item(film, 4.0, 3.0, fade=1.0)]
    after = [item(film, 0.0, 4.0), item(film, 4.0, 3.0, fade=1.0)]
    gap = [item(film, 0.0, 3.0), item(film, 4.0, 3.0, fade=1.0)]
    for rows, start_s in ((over, 4.5), (after, 4.0), (gap, 4.0)):
        clip = file_clips.clips(rows)[1]
        assert (clip.start_s, clip.fade_s) == (start_s, 1.0) and clip.in_s == pytest.approx(start_s - 4.0)
    against_clicks = [item(film, 0.0, 4.0), item(film, 4.0, 3.0, fade=0.01)]
    assert file_clips.clips(against_clicks)[1].fade_s == 0.0


CODES = {
    "gfx_blit(0, 1);": False,
    "gfx_blit(0,0); gfx_evalrect(0,0,w,h,'r*=1.1');": False,
    "gfx_blit(input_track(0), 1, 10, 10, w/2, h/2);": True,
    "gfx_a = 0.5; gfx_blit(0);": True,
    "param1 == 0 ? gfx_a==1;": False,
    "gfx_mode=1; gfx_blit(0);": True,
    "gfx_rotoblit(0, 0.3);": True,
    "": False,
}


@pytest.mark.parametrize("code", CODES)
def test_a_video_processor_that_lets_through_hides_no_film(film, code):
    rows = [item(film, 0.0, 10.0, track=2), [*item(film, 4.0, 3.0), code]]
    assert len(file_clips.clips(rows)) == (1 if CODES[code] else 3)
    alone = [[*item(film, 4.0, 3.0), code]]
    assert len(file_clips.clips(alone)) == 1


def test_stills_and_black_are_part_of_the_range_and_their_edges_are_cuts(film, tmp_path):
    still, other = (str(tmp_path / name) for name in ("a.jpg", "b.jpg"))
    rows = [item(still, 0.0, 2.0), item(other, 2.0, 2.0), item(film, 4.0, 3.0), item(still, 9.0, 1.0)]
    shown = file_clips.seen(rows)
    assert len(file_clips.clips(rows)) == 1 and file_clips.span_of(rows, shown) == (0.0, 10.0)
    assert file_clips.still_cuts(shown) == [2.0, 9.0]
    rows += [["between", "1.0", "9.5"], ["hit", "5.0", "0"], ["hit", "6.0", "1"], ["unhit", "4.5"]]
    shown = file_clips.seen(rows)
    assert file_clips.span_of(rows, shown) == (1.0, 9.5)
    assert file_clips.own_hits(rows, shown) == [
        *("hits", "2.000000,9.000000,5.000000,6.000000!"),
        *("unhits", "4.500000"),
    ]


def test_a_part_of_the_timeline(film):
    rows = [["between", "2.0", "5.0"], item(film, 0.0, 3.0), item(film, 3.0, 4.0, offset=10.0, rate=2.0)]
    assert found(rows) == [(2.0, 2.0, 3.0, 1.0), (3.0, 10.0, 14.0, 2.0)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "WAVE"}, "no video in the selected items"),
        ({"path": "/nowhere/film.mp4"}, "is missing"),
        ({"path": "/a\udcff.mp4"}, "odd characters"),
        ({"length": 0.0}, "no video"),
        ({"offset": 200.0}, "no video"),
    ],
)
def test_what_cannot_be_scored_is_one_sentence(film, change, words):
    values = {"path": film, "position": 0.0, "length": 5.0, **change}
    with pytest.raises(InputError, match=words):
        file_clips.clips([item(**values)])


def test_a_gap_is_left_as_it_is(film):
    rows = [item(film, 0.0, 2.0), item(film, 3.0, 2.0), item(film, 5.05, 2.0)]
    assert found(rows) == [(0.0, 0.0, 2.0, 1.0), (3.0, 0.0, 2.0, 1.0), (5.05, 0.0, 2.0, 1.0)]


def test_a_short_item_on_a_long_one_hides_it_for_a_while_only(film):
    rows = [item(film, 0.0, 30.0, offset=1.0, rate=2.0), item(film, 10.0, 5.0, offset=50.0)]
    assert found(rows) == [(0.0, 1.0, 21.0, 2.0), (10.0, 50.0, 55.0, 1.0), (15.0, 31.0, 61.0, 2.0)]


def test_three_deep(film):
    rows = [item(film, 10.0, 10.0, offset=40.0), item(film, 0.0, 30.0), item(film, 12.0, 3.0, offset=60.0)]
    shown = [(0.0, 0.0, 10.0), (10.0, 40.0, 42.0), (12.0, 60.0, 63.0), (15.0, 45.0, 50.0), (20.0, 20.0, 30.0)]
    assert found(rows) == [(*clip, 1.0) for clip in shown]
    within = [["between", "11.0", "14.0"], *rows]
    assert found(within) == [(11.0, 41.0, 42.0, 1.0), (12.0, 60.0, 62.0, 1.0)]


@pytest.mark.parametrize("lengths", [(30.0, 5.0), (5.0, 30.0), (5.0, 5.0)])
def test_of_items_that_begin_together_the_last_one_named_is_on_top(film, lengths):
    below, above = (item(film, 0.0, length, offset=offset) for length, offset in zip(lengths, (0.0, 50.0), strict=True))
    rest = [(lengths[1], lengths[1], lengths[0], 1.0)] if lengths[0] > lengths[1] else []
    assert found([below, above]) == [(0.0, 50.0, 50.0 + lengths[1], 1.0), *rest]


def test_a_loop_goes_on_below_and_above(film):
    loop = item(film, 0.0, 9.0, whole=3.0, loops=1)
    passes = [(0.0, 0.0, 2.0, 1.0), (2.0, 50.0, 54.0, 1.0), (6.0, 0.0, 3.0, 1.0)]
    assert found([loop, item(film, 2.0, 4.0, offset=50.0)]) == passes, "a later pass is not a later item"
    above = [clip[:3] for clip in found([item(film, -1.0, 12.0, offset=20.0), loop])]
    assert above == [(-1.0, 20.0, 21.0), (0.0, 0.0, 3.0), (3.0, 0.0, 3.0), (6.0, 0.0, 3.0), (9.0, 30.0, 32.0)]


def test_black_before_a_film_shows_the_item_below_but_stays_on_top_of_it(film):
    rows = [item(film, 0.0, 20.0), item(film, 5.0, 10.0, offset=-2.0), item(film, 6.0, 2.0, offset=50.0)]
    assert [clip[:2] for clip in found(rows)] == [(0.0, 0.0), (6.0, 50.0), (8.0, 1.0), (15.0, 15.0)]


def test_a_rest_of_a_frame_is_rounding_and_an_item_of_two_is_not(film):
    """A loop a frame too long, a take a frame longer than what lies on it, a gap of a frame in what lies on a film."""
    assert found([item(film, 0.0, 10.04, whole=5.0, loops=1)]) == [(0.0, 0.0, 5.0, 1.0), (5.0, 0.0, 5.0, 1.0)]
    rows = [item(film, 0.0, 10.04), item(film, 2.0, 4.0), item(film, 6.04, 3.96)]
    assert [clip[0] for clip in found(rows)] == [0.0, 2.0, 6.04]
    assert found([["between", "9.98", "15"], item(film, 0.0, 10.0), item(film, 10.0, 5.0)]) == [(10.0, 0.0, 5.0, 1.0)]
    rows = [item(film, 0.0, 2.0), item(film, 2.0, 0.08), item(film, 2.08, 2.0)]
    assert [clip[0] for clip in found(rows)] == [0.0, 2.0, 2.08]


@pytest.mark.parametrize("field", range(3, 11))
def test_damaged_rows_are_value_errors(film, field):
    row = item(film, 0.0, 5.0)
    row[field] = "x"
    with pytest.raises(ValueError, match="x"):
        file_clips.clips([row])
    with pytest.raises(ValueError, match="values"):
        file_clips.clips([row[:field]])


spans = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 20), st.sampled_from([0.5, 1, 3])), min_size=1, max_size=6
)


@given(spans, st.none() | st.tuples(st.integers(0, 30), st.integers(1, 30)))
def test_at_each_moment_the_item_that_began_last_is_shown(tmp_path_factory, drawn, span):
    path = tmp_path_factory.getbasetemp() / "any.mp4"
    path.write_bytes(b"film")
    rows = [item(str(path), *it[:2], offset=100 * n, rate=it[2], whole=0.0) for n, it in enumerate(drawn)]
    first, last = (0, 100) if span is None else (span[0], sum(span))
    try:
        clips = file_clips.clips(rows if span is None else [*rows, ["between", str(first), str(last)]])
    except InputError:
        clips = []
    for clip, later in pairwise(clips):
        assert clip.end_s <= later.start_s + 1e-9 and clip.length_s > 0
    for moment in [second + 0.5 for second in range(100)]:
        seen = [c.in_s + (moment - c.start_s) * c.rate for c in clips if c.start_s <= moment < c.end_s]
        here = [(start, n) for n, (start, length, _) in enumerate(drawn) if start <= moment < start + length]
        on_top = [] if not here or not first <= moment < last else [max(here)]
        assert seen == [pytest.approx(100 * n + (moment - start) * drawn[n][2]) for start, n in on_top]


def test_thousands_of_items_on_a_loop(film):
    rows = [item(film, 0.0, 9_000.0, whole=1.0, loops=1)] + [item(film, 2.0 * n, 1.0) for n in range(4_000)]
    assert len(file_clips.clips(rows)) == 9_000


messages = st.lists(
    st.builds(Message, st.integers(0, 10**6), st.binary(max_size=5), st.integers(0, 3)), max_size=20
).map(lambda drawn: sorted(drawn, key=lambda message: message.tick))


@given(messages)
def test_buffers_come_back_as_they_went(drawn):
    assert unpack(pack(drawn)) == drawn


@given(messages, st.data())
def test_a_cut_off_buffer_is_refused_or_shorter(drawn, data):
    buffer = pack(drawn)
    cut = buffer[: data.draw(st.integers(0, len(buffer)))]
    try:
        assert len(unpack(cut)) <= len(drawn)
    except ValueError as error:
        assert "cut off" in str(error)


def on(tick, pitch, velocity=90):
    return Message(tick, bytes((0x90, pitch, velocity)))


def off(tick, pitch):
    return Message(tick, bytes((0x80, pitch, 0)))


END = Message(1000, bytes((0xB0, 123, 0)))


def test_notes_of_a_span_are_replaced_and_all_else_stays():
    bend = Message(250, bytes((0xE0, 0, 64)))
    muted = Message(900, bytes((0x90, 70, 50)), 2)
    old = [
        on(0, 60),
        on(200, 61),
        off(210, 61),
        bend,
        off(300, 60),
        on(400, 62),
        off(600, 62),
        muted,
        off(950, 70),
        END,
    ]
    new = [on(200, 65), off(500, 65)]
    assert replaced(old, 200, 500, new) == [
        on(0, 60),
        on(200, 65),
        bend,
        off(300, 60),
        off(500, 65),
        muted,
        off(950, 70),
        END,
    ]


def test_controllers_of_a_span_are_replaced_where_new_ones_come():
    old = [
        Message(0, b"\xb0\x0b\x20"),
        Message(100, b"\xb0\x0b\x40"),
        Message(100, b"\xb0\x07\x50"),
        Message(200, b"\xb0\x0b\x60"),
    ]
    end = Message(300, b"\xb0\x7b\x00")
    new = [Message(120, b"\xb0\x0b\x7f")]
    assert replaced([*old, end], 50, 200, new) == [old[0], old[2], new[0], old[3], end]
    assert replaced([*old, end], 50, 200, []) == [*old, end]


def test_an_end_stands_before_a_begin_of_the_same_tick():
    old = [on(500, 60), Message(700, bytes((0x90, 60, 0))), END]
    assert replaced(old, 0, 500, [on(100, 60), off(500, 60)])[1:3] == [off(500, 60), on(500, 60)]


def test_quarter_notes_of_steady_and_sliding_tempo():
    def ramp(time_s):  # 60 BPM, from second 4 on sliding to 120 at second 8, then 120
        if time_s < 4:
            return time_s
        within = min(time_s, 8) - 4
        return 4 + within + within * within / 8 + 2 * max(0.0, time_s - 8)

    quarters = QuarterNotes([(t, ramp(t)) for t in (0, 2, 4, 6, 8, 8.5, 9)])
    for time_s in (0, 1.7, 3.999, 4, 4.1, 5.5, 7.99, 8, 8.2, 9, 30):
        assert quarters.at(time_s) == pytest.approx(ramp(time_s), abs=1e-9)


@pytest.mark.parametrize("knots", [[], [(0, 0)], [(0, 0), (1, 2)], [(0, 0), (1, 1), (1, 2)], [(0, 0), (2, 1), (1, 2)]])
def test_a_damaged_tempo_map_is_refused(knots):
    with pytest.raises(ValueError, match="tempo map"):
        QuarterNotes(knots)
