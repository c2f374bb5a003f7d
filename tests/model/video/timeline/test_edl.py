"""Edit decision lists as editors write them: what is an event, what carries picture, how it counts."""

import pytest

from hitpoint.model.errors import InputError
from hitpoint.model.video.cuts_file import read_list

NTSC = 30000 / 1001


def listed(tmp_path, text, fps=24.0, **options):
    path = tmp_path / "list.edl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_list(path, fps, **options)


def changes(tmp_path, text, fps=24.0, **options):
    return [(round(cut.time_s, 3), cut.kind) for cut in listed(tmp_path, text, fps, **options).cuts]


V = """TITLE: X
FCM: NON-DROP FRAME

001  AX       V     C        00:00:00:00 00:00:05:00 00:00:00:00 00:00:05:00
* FROM CLIP NAME: one.mov
002  AX       V     C        00:00:20:00 00:00:25:00 00:00:05:00 00:00:10:00
* FROM CLIP NAME: two.mov
"""

PICTURE = {
    "sound beyond track 4, as Premiere writes it": (
        V + "003  AX       NONE  C        00:00:00:00 00:00:05:00 00:00:02:00 00:00:07:00\nAUD  3    4\n",
        [5.0],
    ),
    "a line of black without a channel that ends before it begins": (
        V + "003  BL       NONE  C        00:00:00:00 00:00:01:19 00:00:14:06 00:00:00:00\n",
        [5.0],
    ),
    "a line of black with a picture channel that ends before it begins": (
        V + "003  BL       V     C        00:00:00:00 00:00:01:19 00:00:14:06 00:00:00:00\n",
        [5.0],
    ),
    "every channel of sound": (
        V
        + "".join(
            f"{n:03d}  AX {channels} C 00:00:00:00 00:00:05:00 00:00:02:00 00:00:0{n}:00\n"
            for n, channels in enumerate(("A", "A2", "AA", "A3", "A4", "A12", "AUD", "A1-4"), 2)
        ),
        [5.0],
    ),
    "sound that outlasts the picture": (
        V + "003  AX       AA    C        00:00:00:00 00:00:15:00 00:00:02:00 00:00:17:00\n",
        [5.0],
    ),
    "picture and sound in one event": (
        V.replace(" V     C", " AA/V  C").replace("001  AX       AA/V", "001  AX       B   "),
        [5.0],
    ),
    "a picture event with more sound": (V.replace("one.mov\n", "one.mov\nAUD  3    4\n"), [5.0]),
    "a higher track": (V + "003  LOGO     V2    C        00:00:00:00 00:00:05:00 00:00:02:00 00:00:07:00\n", [5.0]),
    "the export of a higher track alone": (V.replace(" V     C", " V2    C"), [5.0]),
    "a key over its background": (
        V.replace(" V     C ", " V     K B ")
        + "003  TITLE    V     K    024 00:00:00:00 00:00:05:00 00:00:02:00 00:00:07:00\n",
        [5.0],
    ),
    "black at the head and the tail": (
        V.replace(
            "001  AX", "001  BL       V     C        00:00:00:00 00:00:03:00 00:00:00:00 00:00:03:00\n001  AX"
        ).replace("00:00:00:00 00:00:05:00 00:00:00:00 00:00:05:00", "00:00:00:00 00:00:02:00 00:00:03:00 00:00:05:00")
        + "003  BL       V     C        00:00:00:00 00:00:02:00 00:00:10:00 00:00:12:00\n",
        [3.0, 5.0, 10.0],
    ),
    "a reel name of several words, and none": (
        V.replace("002  AX      ", "002  MY REEL 7").replace("001  AX", "001    "),
        [5.0],
    ),
    "a long reel name": (V.replace("002  AX ", "002  A001_C004_0101AB_and_more_than_32_letters "), [5.0]),
    "events out of order": (
        "001  B V C 00:00:00:00 00:00:05:00 01:00:05:00 01:00:10:00\n"
        "002  A V C 00:00:00:00 00:00:05:00 01:00:00:00 01:00:05:00\n",
        [5.0],
    ),
    "six digits of event number": (V.replace("001  ", "000001  ").replace("002  ", "000002  "), [5.0]),
}


@pytest.mark.parametrize("name", PICTURE)
def test_what_is_picture(tmp_path, name):
    text, expected = PICTURE[name]
    assert [time_s for time_s, _ in changes(tmp_path, text)] == expected


AVID = """TITLE:   REEL 1
FCM: NON-DROP FRAME
001  ONE      V     C        01:00:00:00 01:00:04:00 10:00:00:00 10:00:04:00
002  ONE      V     C        01:00:04:00 01:00:04:00 10:00:04:00 10:00:04:00
002  TWO      V     {kind}   02:00:00:00 02:00:04:00 10:00:04:00 10:00:08:00
003  SIX      V     C        03:00:00:00 03:00:02:00 10:00:08:00 10:00:10:00
"""


@pytest.mark.parametrize(
    "kind", ["     024", "D    024", "W001 024", "w016  024", "D 24", "W001 024.2", "D    024 ", "     024    "]
)
def test_a_mix_however_its_kind_is_written(tmp_path, kind):
    """Avid leaves the kind of a dissolve blank."""
    assert changes(tmp_path, AVID.format(kind=kind)) == [(4.5, "fade"), (8.0, "cut")]


def test_a_blank_kind_without_frames_is_a_cut(tmp_path):
    assert changes(tmp_path, AVID.format(kind="        ")) == [(4.0, "cut"), (8.0, "cut")]


def test_a_fade_from_black_after_a_clip(tmp_path):
    """Premiere writes a FCM line between the two lines of the fade."""
    text = """001  ONE V C    00:00:00:00 00:00:04:00 00:00:00:00 00:00:04:00
002  BL  V C    00:00:00:00 00:00:00:00 00:00:04:00 00:00:04:00
FCM: NON-DROP FRAME
002  TWO V D 024 00:00:00:00 00:00:04:00 00:00:04:00 00:00:08:00
003  SIX V C    00:00:00:00 00:00:02:00 00:00:08:00 00:00:10:00
"""
    assert changes(tmp_path, text) == [(4.0, "fade"), (8.0, "cut")]


REFUSED = {
    "an unknown kind": (AVID.format(kind="X    024"), 5),
    "a dissolve without a length": (AVID.format(kind="D       "), 5),
    "an unknown channel": (AVID.replace("TWO      V  ", "TWO      Q  ").format(kind="C"), 5),
    "three timecodes": (AVID.replace(" 10:00:08:00\n003", "\n003").format(kind="C"), 5),
    "a damaged timecode": (AVID.replace("10:00:08:00\n003", "10:00:0x:00\n003").format(kind="C"), 5),
    "a frame that the rate has not": (AVID.replace("10:00:08:00", "10:00:08:24").format(kind="C"), 5),
    "an end before its beginning": (
        AVID.replace("10:00:04:00 10:00:08:00", "10:00:08:00 10:00:04:00").format(kind="C"),
        5,
    ),
    "a minute of 60": (AVID.replace("10:00:08:00", "10:60:08:00").format(kind="C"), 5),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_refused_with_its_line(tmp_path, name):
    text, line = REFUSED[name]
    with pytest.raises(InputError, match=rf"^list\.edl, line {line}, cannot be used as a list of cuts: .+[^.]$"):
        listed(tmp_path, text)


def test_lines_of_no_kind_are_told(tmp_path):
    found = listed(tmp_path, V + "here is a remark of mine\nand another\n")
    assert found.notes == ("lines of another kind than the format's were passed over (line 8 and 1 more)",)
    above = listed(tmp_path, PICTURE["a higher track"][0])
    assert "higher video tracks" in above.notes[0] and "line 8" in above.notes[0]
    assert listed(tmp_path, V).notes == ()


# drop frame

SEMICOLONS = """TITLE: X
FCM: DROP FRAME
001  ONE V C 00:00:00;00 00:10:00;00 01:00:00;00 01:10:00;00
002  TWO V C 00:00:00;00 00:01:00;02 01:10:00;00 01:11:00;02
003  SIX V C 00:00:00;00 00:00:01;00 01:11:00;02 01:11:01;02
"""
DROP = [(17982, "cut"), (17982 + 1800, "cut")]
FULL = [(18000, "cut"), (18000 + 1802, "cut")]
COUNTS = {
    "semicolons and their header": (SEMICOLONS, NTSC, DROP),
    "semicolons under a header that denies them": (SEMICOLONS.replace("FCM: DROP", "FCM: NON-DROP"), NTSC, DROP),
    "semicolons before the frames only": (SEMICOLONS.replace("FCM: DROP FRAME\n", ""), NTSC, DROP),
    "semicolons throughout": (SEMICOLONS.replace(":0", ";0").replace(":1", ";1"), NTSC, DROP),
    "the header alone": (SEMICOLONS.replace(";", ":"), NTSC, DROP),
    "no drop": (SEMICOLONS.replace(";", ":").replace("FCM: DROP", "FCM: NON-DROP"), NTSC, FULL),
    "a header in mid-list that speaks of a source": (
        SEMICOLONS.replace(";", ":").replace("FCM: DROP", "FCM: NON-DROP").replace("002", "FCM: DROP FRAME\n002"),
        NTSC,
        FULL,
    ),
    "a header in mid-list that takes drop frame back for a source": (
        SEMICOLONS.replace(";", ":").replace("002", "FCM: NON-DROP FRAME\n002"),
        NTSC,
        DROP,
    ),
    "colons for some of the events": (
        SEMICOLONS.replace("01:00:00;00 01:10:00;00", "01:00:00:00 01:10:00:00"),
        NTSC,
        DROP,
    ),
    "drop frame in a film of exactly 30": (SEMICOLONS, 30.0, DROP),
    "drop frame at 59.94": (SEMICOLONS, 60000 / 1001, [(35964, "cut"), (35964 + 3600 - 2, "cut")]),
    "drop frame of a list for a film of 23.976": (SEMICOLONS, 24000 / 1001, DROP),
    "29.97 for 30000/1001": (SEMICOLONS, 29.97, DROP),
}


@pytest.mark.parametrize("name", COUNTS)
def test_drop_frame(tmp_path, name):
    text, fps, frames = COUNTS[name]
    rate = NTSC if "23.976" in name else {29.97: NTSC}.get(fps, fps)
    found = [(round(cut.time_s * rate), cut.kind) for cut in listed(tmp_path, text, fps).cuts]
    assert found == frames


def test_one_event_of_drop_frame_after_one_without(tmp_path):
    """The count goes on over the change: frame 1800 is 00:01:00:00 without drop and 00:01:00;02 with it."""
    text = """001  ONE V C 00:00:00:00 00:01:00:00 00:00:00:00 00:01:00:00
002  TWO V C 00:00:00;00 00:01:00;00 00:01:00;02 00:02:00;02
003  SIX V C 00:00:00;00 00:00:01;00 00:02:00;02 00:02:01;02
"""
    assert [round(cut.time_s * NTSC) for cut in listed(tmp_path, text, NTSC).cuts] == [1800, 3598]


def test_the_rate_that_the_list_states(tmp_path):
    text = V.replace("TITLE: X", "TITLE: X\n* FRAME RATE: 29.97").replace("00:00:05:00\n* FROM", "00:00:05:29\n* FROM")
    text = text.replace("00:00:05:00 00:00:10:00", "00:00:05:29 00:00:10:00")
    found = listed(tmp_path, text, 24.0)
    assert found.cuts[0].time_s == pytest.approx(179 / NTSC) and found.fps == NTSC
    assert found.unused(25.0) == ("the 25 frames a second given were not used, as it states its own rate, 29.97",)
    assert found.unused(29.97) == () and found.unused(None) == ()


def test_a_list_of_25_for_a_film_of_50_is_asked_about(tmp_path):
    marks = [f"00:00:{2 * n:02d}:{n % 25:02d}" for n in range(21)]
    lines = [f"{n:03d}  R{n} V C 00:00:00:00 00:00:02:12 {marks[n]} {marks[n + 1]}" for n in range(20)]
    assert any("--cuts-fps 25" in note for note in listed(tmp_path, "\n".join(lines), 50.0).notes)
    assert listed(tmp_path, "\n".join(lines), 25.0).notes == ()


# where the programme begins


@pytest.mark.parametrize("start", ["00:00:00:00", "01:00:00:00", "10:00:00:00", "00:58:30:00", "09:59:50:00"])
def test_the_first_event_is_the_films_start(tmp_path, start):
    hh, mm, ss, _ = (int(part) for part in start.split(":"))
    first = (hh * 60 + mm) * 60 + ss
    marks = [f"{t // 3600:02d}:{t // 60 % 60:02d}:{t % 60:02d}:00" for t in (first, first + 5, first + 10)]
    source = "V C 00:00:00:00 00:00:05:00"
    text = f"001 A {source} {marks[0]} {marks[1]}\n002 B {source} {marks[1]} {marks[2]}\n"
    assert changes(tmp_path, text) == [(5.0, "cut")]


LATE = """001 A V C 00:00:00:00 00:00:05:00 01:00:03:00 01:00:08:00
002 B V C 00:00:00:00 00:00:05:00 01:00:08:00 01:00:13:00
"""


def test_a_list_that_begins_shortly_after_the_hour_begins_in_black(tmp_path):
    found = listed(tmp_path, LATE)
    assert [cut.time_s for cut in found.cuts] == [3.0, 8.0] and "--cuts-start" in found.notes[0]
    assert changes(tmp_path, LATE, film_s=13.0) == [(3.0, "cut"), (8.0, "cut")]
    assert changes(tmp_path, LATE, film_s=10.0) == [(5.0, "cut")]
    assert changes(tmp_path, LATE, start="01:00:03:00") == [(5.0, "cut")]
    assert changes(tmp_path, LATE, start="01:00:00:00") == [(3.0, "cut"), (8.0, "cut")]
    assert changes(tmp_path, LATE, start="3603") == [(5.0, "cut")]


def test_a_list_over_midnight(tmp_path):
    text = """001 A V C 00:00:00:00 00:00:05:00 23:59:55:00 00:00:00:00
002 B V C 00:00:00:00 00:00:05:00 00:00:00:00 00:00:05:00
003 C V C 00:00:00:00 00:00:05:00 00:00:05:00 00:00:10:00
"""
    assert changes(tmp_path, text) == [(5.0, "cut"), (10.0, "cut")]


# encodings


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path, encoding, newline):
    text = AVID.format(kind="     024").replace("REEL 1", "Größe").replace("\n", newline)
    assert changes(tmp_path, text.encode(encoding)) == [(4.5, "fade"), (8.0, "cut")]


def test_dos_end_of_file_and_form_feeds(tmp_path):
    assert changes(tmp_path, AVID.format(kind="D    024").encode() + b"\x1a") == [(4.5, "fade"), (8.0, "cut")]


# seams


def take(*parts):
    """Events of (reel, source seconds from, to), one after the other."""
    lines, at = [], 0
    for number, (reel, first, last) in enumerate(parts, 1):
        times = (first, last, at, at + last - first)
        marks = " ".join(f"00:{t // 60:02d}:{t % 60:02d}:00" for t in times)
        lines.append(f"{number:03d}  {reel} V C {marks}")
        at += last - first
    return "\n".join(lines)


def test_a_seam_at_which_a_take_runs_on_is_no_cut(tmp_path):
    text = take(("ONE", 0, 4), ("ONE", 4, 8), ("TWO", 0, 4), ("SIX", 0, 4))
    found = listed(tmp_path, text)
    assert [cut.time_s for cut in found.cuts] == [8.0, 12.0]
    assert found.notes == ("1 seam at which a take runs on was not counted as a cut",)


def test_a_list_of_the_shots_of_one_film_keeps_its_cuts(tmp_path):
    """As a search for scenes writes it: the same reel throughout, every event beginning where the last one ends."""
    assert changes(tmp_path, take(("F", 0, 4), ("F", 4, 8), ("F", 8, 11))) == [(4.0, "cut"), (8.0, "cut")]
    assert changes(tmp_path, take(("AX", 0, 4), ("AX", 4, 8), ("AX", 8, 11))) == [(4.0, "cut"), (8.0, "cut")]
