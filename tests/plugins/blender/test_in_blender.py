"""The extension inside real Blenders (bpy wheels; Debian's in background) against a bridge on a socket."""

import ast
import functools

import pytest
from conftest import ADDON, NO_SOUND, run_script
from fake_bridge import FakeBridge

from hitpoint.model.plan.wishes import BY_KEY
from hitpoint.model.score import GENRES, INSTRUMENTS

EVERY = ["3.4", "4.2", "4.5", "5.0"]
STRIPS = [
    ["hidden", "MOVIE", 1, 131, 179],
    ["one", "MOVIE", 1, 11, 61],
    ["over", "MOVIE", 2, 131, 179],
    ["two", "MOVIE", 1, 61, 131],
]
MARKERS = [[11, "♪ 1"], [59, "♪ 2"], [61, "♪ cut"], [95, "♪ beat"], [107, "♪ 3"], [131, "♪ cut"], [155, "♪ 4"]]


def with_music(host, name):
    """The edit of script_round_trip.py as it must lie there, with or (4.2's wheel) without the strip of sound."""
    music = [] if host in NO_SOUND else [[name, "SOUND", 3, 11, 179]]
    return {"strips": sorted(STRIPS + music), "markers": MARKERS}


@functools.cache
def _round_trip(host, media):
    folder = media / f"score {host}"
    folder.mkdir(exist_ok=True)
    bridge = FakeBridge(folder)
    try:
        return {**run_script(host, "script_round_trip.py", media, bridge.port), "log": bridge.seen("regenerate")}
    finally:
        bridge.close()


@pytest.mark.parametrize("host", EVERY)
def test_round_trip(host, media):
    found = _round_trip(host, media)
    assert found["connected"] and found["version"] == "0.0-fake" and found["score"] == ["FINISHED"]
    assert found["finished"] and found["after"] == with_music(host, "♪ Take A")
    assert ("without Audaspace" in found["error"]) if host in NO_SOUND else found["error"] == ""
    frames = [
        (*(round(clip[key] * 24, 6) for key in ("start_s", "in_s", "out_s")), clip["rate"]) for clip in found["clips"]
    ]
    assert frames == [(11, 10, 60, 1.0), (61, 0, 70, 1.0), (131, 5, 53, 1.0)]
    assert found["undone"] and found["redone"]
    assert found["finished take"] and found["take"] == with_music(host, "♪ Take B")
    assert found["finished back"] and found["back"] == with_music(host, "♪ Take A")
    assert found["midi"].endswith("-0.mid")


@pytest.mark.parametrize("host", EVERY)
def test_reload_regenerate_and_clean_up(host, media):
    found = _round_trip(host, media)
    assert found["reloaded"] == found["back"] and found["job kept"] and found["timer"] and found["handler"]
    assert found["finished reload"] and found["third"] == with_music(host, "♪ Take C")
    assert found["forgotten"]
    assert found["finished regenerate"] and found["regenerated"] == with_music(host, "♪ Take A")
    assert found["log"] == [(found["job id"], 2, 3)]
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
        ("scene strip", "None of these strips can be scored.", "“scene strip” is a scene: render it"),
        ("image sequence", "None of these strips can be scored.", "“stills” is a still or an image sequence"),
        ("sound only", "There is only sound here", None),
        ("no selection", "Nothing is selected: select the strips to score.", None),
        ("empty range", "There are no strips to score.", None),
        ("nothing at all", "Nothing is selected", None),
        ("reversed", "None of these strips can be scored.", "“backwards” plays backwards"),
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


def test_cuts_become_markers_on_their_frames(bad):
    _, found = bad
    marked = {frame for frame, name in found["500 strips"]["after"]["markers"] if "cut" in name}
    assert marked == {1 + 5 * index for index in range(1, 500)}


def test_no_free_channel(bad):
    host, found = bad
    told = found["no free channel"]
    assert told["unharmed"] and ("All 128 channels" in told["error"] or host in NO_SOUND)


def test_no_bridge(bad):
    _, found = bad
    told = found["no bridge"]
    assert told["answer"] == ["FINISHED"] and told["waiting"] and told["cancelled"]
    assert told["error"].startswith("The hitpoint program was not found: pip install hitpoint")


def test_the_words_of_the_panel_are_the_programs_own():
    panel = ast.parse((ADDON / "panel.py").read_text())
    tuples = [
        tuple(item.value for item in node.elts)
        for node in ast.walk(panel)
        if isinstance(node, ast.Tuple) and all(isinstance(item, ast.Constant) for item in node.elts)
    ]
    assert GENRES in tuples and INSTRUMENTS in tuples
    assert {"genre", "instruments", "tempo", "control", "energy"} <= set(BY_KEY)
