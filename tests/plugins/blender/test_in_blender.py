"""The extension inside real Blenders (bpy wheels; Debian's in background) against a bridge on a socket."""

import ast
import functools

import cv2
import numpy as np
import pytest
from conftest import ADDON, NO_SOUND, make_film, run_script
from fake_bridge import FakeBridge

from hitpoint.model.compose.base import COMPOSERS
from hitpoint.model.music.score import INSTRUMENTS, SHIPPED_GENRES
from hitpoint.model.plan.wishes.options import BY_KEY

EVERY = ["3.4", "4.2", "4.5", "5.0"]
STRIPS = [
    ["hidden", "MOVIE", 1, 131, 179],
    ["one", "MOVIE", 1, 11, 61],
    ["over", "MOVIE", 2, 131, 179],
    ["two", "MOVIE", 1, 61, 131],
]
MARKERS = [[11, "♪ 1"], [59, "♪ 2"], [61, "♪ cut"], [95, "♪ beat"], [107, "♪ 3"], [131, "♪ cut"], [155, "♪ 4"]]


def with_music(host, name):
    """The edit of script_round_trip.py as it must lie there; a film stands for the sound in 4.2's wheel."""
    music = [name, "MOVIE" if host in NO_SOUND else "SOUND", 3, 11, 179]
    return {"strips": sorted([*STRIPS, music]), "markers": MARKERS}


@functools.cache
def _round_trip(host, media):
    folder = media / f"score {host}"
    folder.mkdir(exist_ok=True)
    bridge = FakeBridge(folder)
    try:
        stand_in = ["film-for-sound"] if host in NO_SOUND else []
        found = run_script(host, "script_round_trip.py", media, bridge.port, *stand_in)
        return {**found, "log": bridge.seen("regenerate")}
    finally:
        bridge.close()


@pytest.mark.parametrize("host", EVERY)
def test_round_trip(host, media):
    found = _round_trip(host, media)
    assert found["connected"] and found["version"] == "0.0-fake" and found["score"] == ["FINISHED"]
    assert found["finished"] and found["after"] == with_music(host, "♪ Take A")
    assert found["error"] == ""
    frames = [
        (*(round(clip[key] * 24, 6) for key in ("start_s", "in_s", "out_s")), clip["rate"]) for clip in found["clips"]
    ]
    assert frames == [(11, 10, 60, 1.0), (61, 0, 70, 1.0), (131, 5, 53, 1.0)]
    assert found["undone"] and found["redone"]
    assert found["finished take"] and found["take"] == with_music(host, "♪ Take B")
    assert found["finished back"] and found["back"] == with_music(host, "♪ Take A")
    assert found["midi"].endswith("Hitpoint/Scene music 1, take A.mid")


@pytest.mark.parametrize("host", EVERY)
def test_reload_regenerate_and_clean_up(host, media):
    found = _round_trip(host, media)
    assert found["reloaded"] == found["back"] and found["job kept"] and found["timer"] and found["handler"]
    assert found["finished reload"] and found["third"] == with_music(host, "♪ Take C")
    assert found["forgotten"]
    assert found["finished regenerate"] and found["regenerated"] == with_music(host, "♪ Take A")
    assert [row[:3] for row in found["log"]] == [(found["job id"], 2, 3)]
    assert found["cleared"] == [[20, "mine"]]


@functools.cache
def _bad_inputs(host, media):
    folder = media / f"out {host}"
    folder.mkdir(exist_ok=True)
    bridge = FakeBridge(folder)
    try:
        sound = [] if host in NO_SOUND else ["sound"]
        return run_script(host, "script_bad_input.py", media, bridge.port, *sound, PATH="/usr/bin:/bin")
    finally:
        bridge.close()


@pytest.fixture(params=EVERY)
def bad(request, media):
    return request.param, _bad_inputs(request.param, media)


@pytest.mark.parametrize(
    "case, error, note",
    [
        ("missing file", "None of these strips can be scored.", "“gone” has no readable file"),
        (
            "scene strip",
            "None of these strips can be scored.",
            "“scene strip” is a scene: to have it seen as it is, score",
        ),
        ("image sequence", "None of these strips can be scored.", "“stills” is an image sequence: to have it"),
        ("sound only", "There is only sound here", None),
        ("no selection", "Nothing is selected: select the strips to score, or score the timeline range.", None),
        ("empty range", "There are no strips to score.", None),
        ("nothing at all", "Nothing is selected", None),
        ("muted channel", "All strips here are muted", None),
    ],
)
def test_refused_with_a_sentence_and_the_file_unharmed(bad, case, error, note):
    host, found = bad
    if case == "sound only" and host in NO_SOUND:
        pytest.skip("this wheel has no sound")
    told = found[case]
    assert told["answer"] == ["CANCELLED"] and told["error"].startswith(error) and told["same"]
    assert told["notes"] == [] if note is None else told["notes"][0].startswith(note)


def frames(told, fps=24.0, source_fps=24.0):
    """(timeline frame, first and last source frame, rate) of each clip."""
    return [
        (
            round(clip["start_s"] * fps, 4),
            round(clip["in_s"] * source_fps, 4),
            round(clip["out_s"] * source_fps, 4),
            round(clip["rate"], 4),
        )
        for clip in told["clips"]
    ]


@pytest.mark.parametrize(
    "case, clips",
    [
        ("missing file among others", [(20, 0, 240, 1.0)]),
        ("reversed", [(1, 0, 240, -1.0)]),
        ("unsaved file", [(1, 0, 240, 1.0)]),
        ("speed effect", [(1, 0, 200, 2.0)]),
        ("retimed strip", [(1, 0, 240, 2.0)]),
        ("meta", [(1, 0, 10, 1.0), (11, 10, 40, 1.0), (41, 0, 30, 1.0), (71, 70, 100, 1.0)]),
        ("cross", [(1, 0, 40, 1.0), (41, 40, 50, 1.0), (51, 10, 20, 1.0), (61, 20, 60, 1.0)]),
        ("500 strips", [(1 + 5 * index, index % 100, index % 100 + 5, 1.0) for index in range(500)]),
    ],
)
def test_what_the_bridge_is_told(bad, case, clips):
    _, found = bad
    told = found[case]
    assert frames(told) == clips and told["answer"] == ["FINISHED"] and told["unharmed"]
    assert told["notes"][-1].startswith("This project is not saved yet")


def test_other_frame_rates_are_exact(bad):
    _, found = bad
    ntsc = 24000 / 1001
    assert frames(found["24/1.001 fps"], ntsc, ntsc) == [(1, 0, 37, 1.0), (38, 11, 72, 1.0)]
    markers = found["24/1.001 fps"]["after"]["markers"]
    assert [38, "♪ cut"] in markers or [38, "♪ 2 cut"] in markers
    assert frames(found["another frame rate"], 24, 30) == [(1, 0, 150, 0.8)]
    assert frames(found["pulled out"], 24, 30) == [(1, 0, 150, 0.8)]


def test_music_lasts_as_long_as_the_picture_is_held(bad):
    host, found = bad
    music = [strip[3:] for strip in found["pulled out"]["after"]["strips"] if strip[1] == "SOUND"]
    assert music == ([] if host in NO_SOUND else [[-9, 171]])


def test_cuts_become_markers_on_their_frames(bad):
    _, found = bad
    marked = {frame for frame, name in found["500 strips"]["after"]["markers"] if "cut" in name}
    assert marked == {1 + 5 * index for index in range(1, 500)}


def test_a_blender_without_sound_keeps_markers_and_says_where_the_music_lies(bad):
    host, found = bad
    told = found["unsaved file"]
    assert told["after"]["markers"] and [strip[1] for strip in told["after"]["strips"]][1:] == (
        [] if host in NO_SOUND else ["SOUND"]
    )
    assert ("without Audaspace support); it lies in" in told["error"]) == (host in NO_SOUND)


def test_no_free_channel(bad):
    _, found = bad
    told = found["no free channel"]
    assert told["unharmed"] and "No channel is free there" in told["error"]


def test_no_bridge(bad):
    _, found = bad
    told = found["no bridge"]
    assert told["answer"] == ["FINISHED"] and told["waiting"] and told["cancelled"]
    assert told["error"].startswith("The hitpoint program was not found: pip install hitpoint")


def test_the_words_of_the_panel_are_the_programs_own():
    panel = ast.parse((ADDON / "settings.py").read_text())
    tuples = [
        tuple(item.value for item in node.elts)
        for node in ast.walk(panel)
        if isinstance(node, ast.Tuple) and all(isinstance(item, ast.Constant) for item in node.elts)
    ]
    assert SHIPPED_GENRES in tuples and INSTRUMENTS in tuples and COMPOSERS.names() in tuples
    assert {"genre", "instruments", "tempo", "control", "energy"} <= set(BY_KEY)


@functools.cache
def _panel(host, media):
    folder = media / f"panel {host}"
    folder.mkdir(exist_ok=True)
    bridge, old = FakeBridge(folder), FakeBridge(folder, number=0)
    bridge.reports = True
    try:
        return run_script(host, "script_panel.py", media, bridge.port, old.port), bridge.log, old.log
    finally:
        bridge.close()
        old.close()


@pytest.mark.parametrize("host", EVERY)
def test_what_the_panels_show(host, media):
    found, *_ = _panel(host, media)
    wishes = ["Tempo", *(name.capitalize() for name in INSTRUMENTS), "Hit", "Follow picture", "Energy"]
    wishes += ["Seed", "One strip for each instrument"]
    assert found["away"][:4] == ["Hitpoint is not running", "Start", "Score selection", "Score timeline range"]
    shown = list(dict.fromkeys(word for word in found["away"] if word in wishes))
    assert shown == wishes and "Genre" in found["away"]
    assert found["connected"][0].startswith("Hitpoint is ready · ") and found["connected"][0].endswith(" ms")
    assert found["connected"][1] == "Check"
    troubled = " ".join(found["troubled"])
    assert "A mistake that is told in a sentence longer than one line" in troubled and "… and 2 more" in troubled
    assert "“Play Every Frame” runs slow" in troubled and "From To" in troubled
    assert "Cancel" in found["running"] and "Score selection" not in found["running"]
    assert [word for word in found["scored"] if word.startswith(("Take", "Regenerate"))] == [
        "Take A",
        "Take B",
        "Take C",
        "Regenerate from playhead",
        "Regenerate in range",
    ]
    said = " ".join(found["scored"])
    assert "Mood: relaxing, tense" in said and "Suggested: rock, tense (words: storm; picture: quickly cut)" in said
    assert "Seed 0" in found["scored"] and "Remove markers" in found["scored"]
    assert "Re-score what changed" in found["scored"]
    assert found["reveal gone"] == [["CANCELLED"], "The folder /gone is gone: score again."]


@pytest.mark.parametrize("host", EVERY)
def test_what_the_buttons_change_is_the_score_that_lies_there(host, media):
    found, log, _ = _panel(host, media)
    wait = "The score is still being made: wait for it, or cancel it."
    assert found["while it is made"] == [["CANCELLED"], wait]
    assert found["after a cancelled score"] == [["FINISHED"], True] and found["after a cancelled take"] == ["FINISHED"]
    assert found["beside the score"][0] == ["CANCELLED"]
    assert found["beside the score"][1].startswith("No bar of the score lies there")
    asked = [(name.removeprefix("/hitpoint/"), *values[1:]) for name, values in log]
    asked = [row for row in asked if row[0] in ("take", "regenerate")]
    changes = [row[:3] if row[0] == "regenerate" else row[:2] for row in asked if row[0] == "regenerate" or row[2:]]
    assert changes == [("regenerate", 0, 4), ("take", 0), ("take", 1), ("regenerate", 0, 4)]


@pytest.mark.parametrize("host", EVERY)
def test_what_the_bridge_hears_of_the_playhead(host, media):
    _, log, _ = _panel(host, media)
    live = [(name.removeprefix("/hitpoint/"), *values) for name, values in log]
    assert not [row for row in live if row[0] == "refused"]
    first = next(index for index, row in enumerate(live) if row[0] == "loop")
    dials = [row for row in live if row[0] in ("control/valence", "control/arousal", "control/tension")]
    assert dials == [("control/valence", -0.5), ("control/arousal", 0.75), ("control/tension", 1.0)]
    live = [row for row in live[first:] if row[0] in ("loop", "time", "mute", "stop")]
    assert live[0] == ("loop", 1 / 24, 241 / 24)
    assert live.count(("mute", "drums", 1)) == 2 and ("mute", "piano", 0) in live  # again to one that comes back
    assert ("time", 25 / 24, 0) in live  # no speed is told where each frame is played
    told = [row[1:4] for row in live if row[0] == "time" and len(row) == 5]
    distinct = [row for index, row in enumerate(told) if index == 0 or row != told[index - 1]]
    assert distinct[0] == (25 / 24, 1, 1.0)
    assert distinct[1:] == [
        *((49 / 24, 1, 1.0), (50 / 24, 1, 1.0), (49 / 24, 1, -1.0), (121 / 24, 1, 1.0)),
        *((121 / 24, 0, 1.0), (73 / 24, 0, 1.0), (73 / 25, 0, 1.0)),
    ]
    assert ("loop", 1 / 24, 97 / 24) in live and ("loop", 1 / 25, 97 / 25) in live and live[-1] == ("stop",)


@pytest.mark.parametrize("host", EVERY)
def test_an_old_bridge(host, media):
    found, _, log = _panel(host, media)
    old = found["old"]
    assert old["words"][0] == "Hitpoint needs an update" and old["same"]
    assert old["error"].startswith("The bridge and this extension are of different versions. Update both: pip install")
    assert not [name for name, _ in log if name == "/hitpoint/score"]


@pytest.mark.parametrize("host", EVERY)
def test_the_editors_mix_and_edit_stay_when_takes_and_scores_change(host, media, tmp_path):
    if host in NO_SOUND:
        pytest.skip("this wheel has no sound")
    bridge = FakeBridge(tmp_path)
    try:
        found = run_script(host, "script_mix.py", media, bridge.port)
    finally:
        bridge.close()
    assert found["connected"]
    [(name, channel, start, end, *_)] = found["scored"]
    assert (name, start, end) == ("♪ Take A", 1, 201) and channel == 4  # 2 is muted and 3 locked
    assert [row[1:4] for row in found["cut"]] == [[4, 1, 80], [4, 120, 201]]
    assert [row[1:4] for row in found["taken"]] == [[4, 1, 80], [4, 120, 201]]  # the hole is still a hole
    assert {row[0] for row in found["taken"]} == {"♪ Take B"}
    assert {row[6] for row in found["taken"]}.isdisjoint(row[6] for row in found["cut"])
    assert found["hole"] == [4, 80, 120] and found["volumes"] == [[0.5, 0.25]] * 2
    assert [row[1:4] for row in found["re-scored"]] == [[4, 1, 80], [4, 120, 181]]  # its end is the edit's new one
    assert {row[6] for row in found["re-scored"]}.isdisjoint(row[6] for row in found["taken"])
    assert found["re-scored volumes"] == [[0.5, 0.25], "COLOR_04", True], "the mix on the strips stays"
    assert [row[2:5] for row in found["two ranges"]] == [[1, 101, False], [101, 201, False]]
    assert found["finished whole"] and "muted" in found["said"]
    whole = [row for row in found["whole"] if not row[4]]
    assert [row[2:4] for row in whole] == [[1, 201]] and len(found["whole"]) == 3
    assert whole[0][1] not in {row[1] for row in found["whole"] if row[4]}
    assert [row[:5] for row in found["again"]] == [
        row[:5] for row in found["whole"]
    ]  # scored again: its own sound only


@pytest.mark.parametrize("host", EVERY)
def test_the_music_makes_room_for_what_is_said_in_the_films_own_sound(host, media, tmp_path):
    if host in NO_SOUND:
        pytest.skip("this wheel has no sound")
    bridge = FakeBridge(tmp_path)
    bridge.reports, bridge.duck = True, [(0.0, 0.0), (1.0, 0.0), (1.5, -9.0), (3.0, -9.0), (4.0, 0.0)]
    report, later = bridge.report, [(0.0, 0.0), *((time_s + 0.25, gain) for time_s, gain in bridge.duck[1:])]

    def report_of_the_third(name, path):
        bridge.duck = later if len(bridge.jobs) == 3 else bridge.duck
        bridge.same = {"until_s": 0.5, "old_from_s": 2.0, "new_from_s": 2.0 - 10 / 24}
        return report(name, path)

    bridge.report = report_of_the_third
    first = list(bridge.duck)
    try:
        found = run_script(host, "script_duck.py", media, bridge.port)
    finally:
        bridge.close()
    line, moved = (
        [[1 + round(24 * time_s), round(10 ** (gain / 20), 2), "LINEAR"] for time_s, gain in duck]
        for duck in (first[1:], later[1:])  # before its first keyframe the volume stays
    )
    assert found["with the film's sound"] == ["on", line] and found["another take"] == line
    assert found["re-scored"] == ["on", line] and found["the take that was heard"] == "♪ Take C"
    own = [row for row in found["the editor's own"] if row[0] == 51]
    assert own[0][1] == 0.5, "it lies where the picture under it has gone"
    assert [row for row in found["the editor's own"] if row[0] != 51] == moved
    assert found["without it"] == "off" and found["beside it"] == "on"
    [said] = found["heard"]
    assert said["path"].endswith("tone.wav") and said["rate"] == 1.0
    assert [round(24 * said[key], 4) for key in ("start_s", "in_s", "out_s")] == [31, 12, 72]
    sent = [clip for clip in bridge.seen("clip") if clip[-1] == 1][-1]
    assert sent[2:] == (said["path"], 31 / 24, 0.5, 3.0, 1.0, 0.0, 1)


@pytest.mark.parametrize("host", EVERY)
def test_what_the_viewer_sees_is_what_is_scored(host, media):
    found = run_script(host, "script_look.py", media, 9)
    film = [[1, 0, 100, 0], [101, 20, 100, 0]]
    covered = [[1, 0, 50, 0], [51, 60, 100, 0], [151, 70, 50, 0]]
    assert found["alone"] == film and found["opaque"] == covered and found["zoomed in"] == covered
    for case in ("logo", "moved aside", "cropped", "faint", "added light", "title", "faint colour"):
        assert found[case] == film, case
    assert found["colour"] == [[1, 0, 50, 0], [151, 70, 50, 0]]
    assert [row[:1] + row[3:] for row in found["fade in at the playhead"][1:]] == [[101, 0]]
    assert found["fade in at the playhead"][0][0] in (1, 7)
    start, first, _, fade = found["rises over the film"][1]
    assert (start, first) == (56, 65) and 8 <= fade <= 10


@functools.cache
def _hour(host, folder):
    bridge = FakeBridge(folder)
    bridge.reports, bridge.stems, bridge.names = True, ("bass", "drums"), {"genres": ("pop", "waltz")}
    try:
        return run_script(
            host, "script_hour.py", folder, bridge.port, *(["de"] if host == "3.4" else []), PATH="/usr/bin:/bin"
        )
    finally:
        bridge.close()


@pytest.fixture(params=EVERY, scope="module")
def hour(request, media, tmp_path_factory):
    if request.param in NO_SOUND:
        pytest.skip("this wheel has no sound")
    folder = tmp_path_factory.mktemp(f"hour {request.param}")
    for path in media.iterdir():
        if path.is_file():
            (folder / path.name).symlink_to(path)
    return _hour(request.param, folder)


def test_titles_and_holds_at_the_ends_of_the_range_are_scored(hour):
    assert hour["connected"] and [row[1:3] for row in hour["range"]] == [[1, 301]]
    told = hour["options"]
    assert (told["from"], told["to"]) == (1 / 24, 301 / 24)
    hits = [(round(float(each.rstrip("!")) * 24), each.endswith("!")) for each in told["hits"].split(",")]
    assert sorted(hits) == [(49, False), (91, True)], "one card follows another; and the editor's own"
    assert [round(float(each) * 24) for each in told["unhits"].split(",")] == [113]


def test_what_was_not_hit_is_said_with_a_way_there(hour):
    hit, found = hour["cuts"]
    assert found == 3 and hit == 2 and hour["jumped"] == 153


def test_three_takes_come_at_once_and_are_switched_without_the_bridge(hour):
    assert [row[0] for row in hour["takes"]] == [0, 1, 2]
    assert hour["at once"] == [["FINISHED"], False, 1] and "-2" in hour["take C"][0][3]


def test_the_music_belongs_to_the_project(hour):
    assert [note[:30] for note in hour["notes unsaved"]] == ["This project is not saved yet:"]
    assert hour["notes saved"] == []
    assert hour["paths"] == ["//Hitpoint/Scene music 1, take C.wav"] and hour["opened"] == [True]
    names = [f"Scene music 1, take {take}.{kind}" for take in "ABC" for kind in ("mid", "wav")]
    assert hour["folder"] == names
    assert hour["gone"] == ["The take's files are gone", True]


def test_each_score_of_a_timeline_is_its_own(hour):
    assert [row[1:] for row in hour["two"]] == [
        [1, 301, "Scene music 1, take C.wav"],
        [401, 521, "Scene music 2, take A.wav"],
    ]
    assert hour["first's markers stay"] and hour["seeds"] == [0, 7]
    assert hour["chosen first"] and hour["chosen second"] and hour["by the playhead"]
    assert hour["moved"] == [[1, 2], True, 501], "frame 551 shows what was made for frame 451: bar 1"
    assert ["take A" in hour["copy"][0], "take B" in hour["copy"][1]] == [True, True]


def test_after_undo_the_edition_that_is_heard_is_the_one_that_is_changed(hour):
    edition, made, (answer, done, error) = hour["after undo"]
    assert 0 <= edition < made and answer == ["FINISHED"] and done and error == ""


def test_what_changed_is_scored_again_in_one_click(hour):
    keeps, music, scores, first_is_left = hour["re-scored"]
    assert keeps and not first_is_left and scores == 2
    assert [row[1:3] for row in music] == [[1, 289], [501, 621]], "the strip ends with the edit, the other score stays"


def test_stems_are_strips_of_their_own(hour):
    assert [row[2] for row in hour["stems"]] == [
        f"Scene music {number}, take A, {part}.wav" for number in (4,) for part in ("bass", "drums")
    ] or [row[2].rpartition(", ")[2] for row in hour["stems"]] == ["bass.wav", "drums.wav"]
    assert hour["parts"] == ["bass", "drums"]
    assert hour["opened at once"] == [1, 2], "Blender stands still for each file that it opens"
    assert all("take B" in name for name in hour["stems of take B"]) and len(hour["stems of take B"]) == 2


def test_small_things_of_the_second_hour(hour):
    assert hour["genres"] == ["pop", "waltz"] and hour["starts"].startswith("The hitpoint program was not found")
    assert hour.get("german", "Hitpoint ist bereit") == "Hitpoint ist bereit"


@pytest.mark.parametrize("host", EVERY)
def test_an_undo_step_is_pushed_while_other_threads_run(host, media):
    assert run_script(host, "script_threads.py", media, 9)["steps"] > 0


def _is_frame(shown, film, number):
    """How far a picture is from frame `number` of a film, mean grey values."""
    film.set(cv2.CAP_PROP_POS_FRAMES, number)
    _, wanted = film.read()
    return float(np.abs(cv2.resize(shown, wanted.shape[1::-1]).astype(float) - wanted).mean())


@pytest.mark.parametrize("host", EVERY)
def test_the_rendered_picture_is_what_is_seen_and_is_scored(host, media, tmp_path):
    bridge = FakeBridge(tmp_path)
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "BLENDER_USER_RESOURCES": str(tmp_path)}
    try:
        sound = ["film-for-sound"] if host in NO_SOUND else []
        found = run_script(host, "script_picture.py", media, bridge.port, *sound, **home)
    finally:
        bridge.close()
    notes, offer = found["first told"]
    assert any(note.startswith("“MULTIPLY") or "mixes its pictures: to have" in note for note in notes), notes
    assert offer == [True] and found["offer"] == []
    assert found["connected"] and found["answer"] == ["FINISHED"] and found["waiting"] == [True, True, True]
    assert found["unharmed meanwhile"] and found["rendered"] and found["error"] == "" and found["scored"]
    assert [(round(c["start_s"] * 24), round(c["in_s"] * 24), round(c["out_s"] * 24)) for c in found["clips"]] == [
        (11, 0, 40),
        (51, 40, 60),
    ]
    assert found["remembered"] and found["left over"] == []
    rendered, film = cv2.VideoCapture(found["clips"][0]["path"]), cv2.VideoCapture(str(media / "film.mp4"))
    shown = []
    while (frame := rendered.read())[0]:
        shown.append(frame[1])
    assert len(shown) == 60 and max(shown[0].shape) <= 482
    length = int(film.get(cv2.CAP_PROP_FRAME_COUNT))
    for place in (0, 17, 39):  # what plays backwards is shown from behind
        first = found["clips"][0]
        assert first["in_s"] == 0.0
        wanted = length - 1 - 10 - place
        far = [_is_frame(shown[place], film, wanted + off) for off in (-2, -1, 0, 1, 2)]
        assert min(far) == far[2], (place, far)
    assert found["called off"] == [False, True, True]
    assert found["failed"] == "The picture could not be rendered: there is no encoder"
    assert found["no program"].startswith("The picture cannot be rendered (")


@pytest.mark.parametrize("host", EVERY)
def test_markers_and_music_lie_on_the_frame_at_every_rate_and_start(host, tmp_path):
    for name, rate in (("film", "24"), ("film30", "30")):
        make_film(tmp_path / f"{name}.mp4", 450 / int(rate), rate, "64x36")
    bridge = FakeBridge(tmp_path)
    try:
        sound = ["film-for-sound"] if host in NO_SOUND else []
        found = run_script(host, "script_frames.py", tmp_path, bridge.port, "0,1,86400,1000000", "turns", *sound)
    finally:
        bridge.close()
    assert found["connected"] and len(found["rows"]) == 15
    for row in found["rows"]:
        assert row["done"] and row["markers"] == 0 and row["hit"] == 3 and row["told"] < 1e-4, row
        assert row["music"] == 0 or host in NO_SOUND, row
