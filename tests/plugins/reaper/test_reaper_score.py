"""The plugin's own scripts in an *emulated* REAPER, the bridge's file relay, and a stand-in for the composer."""

import shutil
import time

import mido
import pytest

from hitpoint.model.output.midi_file import CHANNELS, PROGRAMS, TRACK_NAMES
from tests.plugins.reaper import reaper_emulated as emulated
from tests.plugins.reaper.reaper_emulated import PLUGIN, Reaper
from tests.plugins.reaper.rpp_project import RppProject, largest_error_s, midi_notes

MIDI_TICK_S = 60 / 200 / 480
"""One pulse of the MIDI file at 200 BPM: shorter than any pulse of these scores."""

START_S = 7.25


def wait_for_bridge(reaper: Reaper) -> None:
    end = time.monotonic() + 10
    while not (reaper.folder / "Hitpoint" / "heartbeat.txt").exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def score(reaper: Reaper, film, seconds: float = 15.73) -> None:
    """One item at START_S, scored."""
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, seconds, "{from = 2.5, file_s = 100}")
    reaper.act(emulated.SCORE_ITEMS)


def check_notes(reaper: Reaper, midi, take: int = 0) -> RppProject:
    project = RppProject(reaper.lua("return emu.rpp()"))
    wanted = midi_notes(midi, START_S)
    assert sum(len(notes) for notes in wanted.values()) > 50
    for name, notes in wanted.items():
        item = project.track(name).items[0]
        assert largest_error_s(item.takes[take].notes, notes) < MIDI_TICK_S
    return project


def check_score(reaper: Reaper, film, bridge) -> RppProject:
    """All that a score in a fresh project must be; the planted bugs below must fail here."""
    before = reaper.fingerprint()
    reaper.add_video(film, 40.0, 3.0, "{selected = false}")
    reaper.lua(
        'emu.current.state.markers[1] = {id = 7, is_region = false, first = 50.0, last = 0.0, name = "mine", color = 0}'
    )
    score(reaper, film)
    assert reaper.messages == []
    project = check_notes(reaper, bridge.latest)
    assert [track.name for track in project.tracks] == ["Film", "Hitpoint", *TRACK_NAMES]
    assert [track.bus for track in project.tracks[1:]] == [(1, 1)] + [(0, 0)] * 4 + [(2, -1)]
    assert len({track.color for track in project.tracks[1:]}) == 6
    for index, track in enumerate(project.tracks[2:]):
        [item] = track.items
        assert item.first_s == START_S and item.length_s == pytest.approx(15.73, abs=1e-6)
        assert item.takes[0].programs == [(CHANNELS[index], PROGRAMS["pop"][index])]
        assert item.takes[0].name == f"{track.name} 1"
    assert [item.first_s for item in project.tracks[0].items] == [START_S, 40.0], "the film was moved"
    assert [item.takes[0].rate for item in project.tracks[0].items] == [1.0, 1.0], "the film was stretched"
    assert (50.0, "mine") in project.markers, "another's marker was moved"
    hits = [(time_s, text) for time_s, text in project.markers if text.startswith("Hit: ")]
    assert len(hits) == 8 and all(START_S <= time_s <= START_S + 15.73 for time_s, _ in hits)
    regions = [(round(a, 3), round(b, 3), name) for a, b, name in project.regions]
    assert regions[0][0] == START_S and regions[-1][1] == round(START_S + 15.73, 3)
    assert [name for _, _, name in regions] == ["Section A", "Section B"]
    points = [point for point in project.tempo if point[0] >= START_S]
    assert len(points) == 3 and points[-1] == (pytest.approx(START_S + 15.73, abs=1e-6), 120.0)
    wanted = [60e6 / message.tempo for message in mido.MidiFile(bridge.latest).tracks[0] if message.type == "set_tempo"]
    assert [bpm for _, bpm in points[:-1]] == pytest.approx(wanted, abs=1e-6)
    assert reaper.undo_names == ["Hitpoint: score"]
    assert before != reaper.fingerprint()
    return project


def test_emulated_score_of_selected_items(reaper, relay, bridge, film):
    check_score(reaper, film, bridge)
    clip = bridge.requests("clip")[0]
    assert clip.text("path") == str(film)
    assert (clip.number("timeline_start"), clip.number("in"), clip.number("out")) == (START_S, 2.5, 2.5 + 15.73)
    pairs = bridge.requests("score")[0].rest
    assert dict(zip(pairs[::2], pairs[1::2], strict=True))["genre"] == "pop"
    left = sorted(path.name for path in (reaper.folder / "Hitpoint").iterdir())
    assert left == ["heartbeat.txt", "jobs.txt"], "files were left behind"


PLANTED = {
    "an unknown name": ("score.lua", "reaper.MIDI_Sort(take)", "reaper.MIDI_SortAll(take)"),
    "a missing argument": ("score.lua", "reaper.InsertTrackAtIndex(index, false)", "reaper.InsertTrackAtIndex(index)"),
    "a wrong type": ("score.lua", "track.channel, track.program, 0)", 'track.channel, track.program, "0")'),
    "too many arguments": ("score.lua", "reaper.UpdateArrange()", "reaper.UpdateArrange(project)"),
    "unsorted notes": ("score.lua", "  reaper.MIDI_Sort(take)\n", ""),
    "a stretched film": (
        "place.lua",
        'reaper.SetMediaItemInfo_Value(item, "C_BEATATTACHMODE", BY_TIME)',
        "local _ = item",
    ),
    "a moved film": ("score.lua", "    place.kept(project, function()", "    pcall(function()"),
    "moved markers": ("place.lua", "  restore_markers(project, markers)\n", ""),
    "an item late by 2 ms": (
        "score.lua",
        "local first, missing = answer.range[1].first,",
        "local first, missing = answer.range[1].first + 0.002,",
    ),
    "the tempo never set": (
        "score.lua",
        "      tempo.set(project, job, answer)\n",
        "",
    ),
    "the old tempo not restored": ("tempo.lua", "  points[#points + 1] = onwards\n", ""),
    "an open folder": ("score.lua", "index == #missing and -1 or 0", "0"),
    "a tempo map that is not looked at": ("tempo.lua", "-1, -1, point.bpm, num", "-1, -1, point.bpm + 1, num"),
    "an undo block left out": ("score.lua", "reaper.Undo_BeginBlock2(project)", "local _ = project"),
    "a program on channel 1": ("score.lua", "track.channel, track.program", "0, track.program"),
    "a write to a global": ("wait.lua", "local now, key = reaper", "now, key = reaper"),
    "files left behind": ("wait.lua", "files.remove(name .. job.id)", "local _ = name"),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_emulated_planted_bugs_are_found(bug, tmp_path, relay, bridge, film):
    name, old, new = PLANTED[bug]
    copy = tmp_path / "planted"
    shutil.copytree(PLUGIN, copy)
    source = (copy / "lib" / name).read_text()
    assert old in source
    (copy / "lib" / name).write_text(source.replace(old, new))
    reaper = Reaper(tmp_path / "resources", copy)
    try:
        with pytest.raises(AssertionError):
            test_emulated_score_of_selected_items(reaper, relay, bridge, film)
    finally:
        reaper.close()


def test_emulated_undo_takes_everything_back(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73)
    before = reaper.fingerprint()
    reaper.act(emulated.SCORE_ITEMS)
    assert reaper.fingerprint() != before
    reaper.lua("emu.current:do_undo()")
    assert reaper.fingerprint() == before


def test_emulated_failure_while_writing_is_rolled_back(reaper, relay, bridge, film):
    reaper.lua("emu.refuse_notes = true")
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73)
    before = reaper.fingerprint()
    reaper.act(emulated.SCORE_ITEMS)
    assert "everything was undone" in reaper.messages[0]
    assert reaper.fingerprint() == before and reaper.undo_names == []
    assert reaper.lua("return emu.refresh") == 0


OWN_TEMPO = """
local tempo = emu.current.state.tempo
tempo[1] = {time = 0.0, bpm = 87.0, num = 4, den = 4}
tempo[2] = {time = 9.7, bpm = 141.5, num = 0, den = 0}
tempo[3] = {time = 13.1, bpm = 66.0, num = 3, den = 4}
tempo[4] = {time = 30.0, bpm = 100.0, num = 4, den = 4}
"""


def test_emulated_project_with_its_own_tempo_kept(reaper, relay, bridge, film):
    reaper.lua(OWN_TEMPO + "emu.buttons[1] = 7")
    score(reaper, film)
    project = check_notes(reaper, bridge.latest)
    assert "tempo markers of its own" in reaper.messages[0]
    assert [bpm for _, bpm in project.tempo] == [87.0, 141.5, 66.0, 100.0]


def test_emulated_project_with_its_own_tempo_changed(reaper, relay, bridge, film):
    reaper.lua(OWN_TEMPO + "emu.buttons[1] = 6")
    score(reaper, film)
    project = check_notes(reaper, bridge.latest)
    assert [bpm for time_s, bpm in project.tempo if time_s < START_S or time_s > START_S + 15] == [87.0, 66.0, 100.0]


def test_emulated_project_with_its_own_tempo_and_second_thoughts(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.lua(OWN_TEMPO + "emu.buttons[1] = 2")
    reaper.add_video(film, START_S, 15.73)
    before = reaper.fingerprint()
    reaper.act(emulated.SCORE_ITEMS)
    assert reaper.fingerprint() == before and bridge.requests("score") == []


def test_emulated_setting_keeps_the_tempo_without_a_question(reaper, relay, bridge, film):
    reaper.lua('emu.inputs[1] = "rock|drums,bass|90-120|1.0|5|strips|keep"')
    reaper.act(emulated.SETTINGS)
    assert [commit for _, commit in reaper.lua("return emu.registered")] == [False] * 5 + [True]
    score(reaper, film)
    project = check_notes(reaper, bridge.latest)
    assert project.tempo == [(0.0, 120.0)] and reaper.messages == []
    pairs = bridge.requests("score")[0].rest
    wished = dict(zip(pairs[::2], pairs[1::2], strict=True))
    assert float(wished.pop("from")) == START_S and float(wished.pop("to")) == pytest.approx(START_S + 15.73)
    assert wished == {
        "genre": "rock", "instruments": "drums,bass", "tempo": "90-120", "control": "1.0", "seed": "5",
        "cuts": "strips", "wav": "0", "takes": "3", "mood": "auto", "valence": "0", "arousal": "0", "tension": "0",
        "key": "auto",
    }  # fmt: skip


def test_emulated_own_music_is_asked_for_with_its_folder(reaper, relay, bridge, film):
    reaper.lua('emu.ext["Hitpoint/composer"], emu.ext["Hitpoint/library"] = "library", "/music/mine"')
    score(reaper, film)
    pairs = bridge.requests("score")[0].rest
    wished = dict(zip(pairs[::2], pairs[1::2], strict=True))
    assert (wished["composer"], wished["library"]) == ("library", "/music/mine")
    reaper.lua('emu.ext["Hitpoint/composer"] = "cmt"')
    reaper.lua("for _, item in ipairs(emu.current:items()) do item.B_UISEL = 0 end")
    reaper.add_video(film, 60.0, 15.73)
    reaper.act(emulated.SCORE_ITEMS)
    assert not {"composer", "library"} & set(bridge.requests("score")[-1].rest[::2])


def test_emulated_chords_tune_and_words_are_asked_for_in_a_second_box(reaper, relay, bridge, film):
    reaper.lua('emu.inputs[1] = "auto|drums,piano|auto|0.7|0|auto|keep|on"')
    reaper.lua('emu.inputs[2] = "auto|0|0|0|A minor|bound|piano|/tunes/mine.mid|3/4|on|a quiet farewell|cmt|none"')
    reaper.act(emulated.SETTINGS)
    score(reaper, film)
    pairs = bridge.requests("score")[0].rest
    wished = dict(zip(pairs[::2], pairs[1::2], strict=True))
    asked = {"genre": "auto", "harmony": "bound", "lead": "piano", "motif": "/tunes/mine.mid", "key": "A minor"}
    asked |= {"meter": "3/4", "odd-bars": "on"}
    assert asked.items() <= wished.items() and wished["describe"] == "a quiet farewell" and "composer" not in wished


def test_emulated_next_take_is_a_take_of_the_same_items(reaper, relay, bridge, film):
    score(reaper, film)
    first = bridge.latest
    before = reaper.fingerprint()
    reaper.act(emulated.NEXT_TAKE)
    assert bridge.latest != first
    project = check_notes(reaper, first, take=0)
    check_notes(reaper, bridge.latest, take=1)
    for track in project.tracks[2:]:
        [item] = track.items
        assert len(item.takes) == 2 and item.active == 1
        assert [take.name for take in item.takes] == [f"{track.name} 1", f"{track.name} 2"]
    assert reaper.undo_names == ["Hitpoint: score", "Hitpoint: next take"]
    reaper.lua("emu.current:do_undo()")
    assert reaper.fingerprint() == before
    reaper.act(emulated.NEXT_TAKE)
    assert len(bridge.requests("take")) == 2, "take 2 is asked for again after its undo"
    check_notes(reaper, bridge.latest, take=1)


def test_emulated_each_score_of_a_project_counts_its_own_takes(reaper, relay, bridge, film):
    score(reaper, film)
    reaper.act(emulated.NEXT_TAKE)
    first = bridge.requests("take")[0].text("job")
    reaper.lua("for _, item in ipairs(emu.current:items()) do item.B_UISEL = 0 end")
    reaper.add_video(film, 60.0, 15.73)
    reaper.lua("emu.buttons = { 7 }")
    reaper.act(emulated.SCORE_ITEMS)
    assert len(bridge.requests("score")) == 2
    reaper.lua("for _, item in ipairs(emu.current:items()) do item.B_UISEL = #item.takes == 2 and 1 or 0 end")
    reaper.act(emulated.NEXT_TAKE)
    asked = [(request.text("job") == first, request.whole("take")) for request in bridge.requests("take")]
    assert asked == [(True, 1), (True, 2)]


def bars_of(project: RppProject, name: str) -> list[tuple[float, ...]]:
    track = project.track(name)
    return track.items[0].takes[track.items[0].active].notes


def test_emulated_regenerate_the_selected_bars(reaper, relay, bridge, film):
    score(reaper, film)
    before = RppProject(reaper.lua("return emu.rpp()"))
    lines = [START_S + bridge.plan.tempo_map.time_at_tick(bar) for bar in range(9)]
    reaper.lua(f"emu.current.state.selection = {{ {lines[2] + 0.3}, {lines[4]} }}")
    reaper.act(emulated.REGENERATE)
    after = check_notes(reaper, bridge.latest)
    request = bridge.requests("regenerate")[0]
    assert (request.whole("first_bar"), request.whole("last_bar"), request.rest) == (2, 3, ())
    changed = 0
    for name in TRACK_NAMES:
        old, new = bars_of(before, name), bars_of(after, name)
        outside = [n for n in old if not lines[2] - 0.001 <= n[0] < lines[4] - 0.001]
        assert outside == [n for n in new if not lines[2] - 0.001 <= n[0] < lines[4] - 0.001]
        changed += old != new
    assert changed >= 3 and reaper.undo_names[-1] == "Hitpoint: regenerate"


def test_emulated_regenerate_one_instrument(reaper, relay, bridge, film):
    score(reaper, film)
    before = RppProject(reaper.lua("return emu.rpp()"))
    reaper.lua("for i, item in ipairs(emu.current:items()) do item.B_UISEL = i == 3 and 1 or 0 end")
    reaper.act(emulated.REGENERATE)
    request = bridge.requests("regenerate")[0]
    assert (request.whole("first_bar"), request.whole("last_bar"), request.rest) == (0, 7, ("piano",))
    after = RppProject(reaper.lua("return emu.rpp()"))
    for name in TRACK_NAMES:
        assert (bars_of(before, name) == bars_of(after, name)) == (name != "Piano")


def test_emulated_regenerate_follows_a_moved_item(reaper, relay, bridge, film):
    reaper.lua('emu.ext["Hitpoint/tempo_map"] = "keep"')
    score(reaper, film)
    reaper.lua("for i, item in ipairs(emu.current:items()) do item.D_POSITION = item.D_POSITION + 20 end")
    reaper.lua("for i, item in ipairs(emu.current:items()) do item.B_UISEL = i == 2 and 1 or 0 end")
    reaper.act(emulated.REGENERATE)
    assert reaper.messages == []
    wanted = midi_notes(bridge.latest, START_S + 20)["Drums"]
    project = RppProject(reaper.lua("return emu.rpp()"))
    assert largest_error_s(bars_of(project, "Drums"), wanted) < MIDI_TICK_S


def test_emulated_regenerate_in_a_trimmed_item_that_was_edited(reaper, relay, bridge, film):
    """The left edge cut off, a controller and a note of the user's own: all of it stays."""
    score(reaper, film)
    lines = [START_S + bridge.plan.tempo_map.time_at_tick(bar) for bar in range(9)]
    reaper.lua(f"""
    local item = emu.current:items()[3]
    local take = emu.current:object(item.takes[1])
    item.D_POSITION, item.D_LENGTH, take.D_STARTOFFS = item.D_POSITION + 1.5, item.D_LENGTH - 1.5, 1.5
    table.insert(take.events, 1, {{ 0, 0, "\\xB0\\x07\\x50" }})
    table.insert(take.events, 2, {{ 0, 1, "\\x90\\x01\\x11" }})
    table.insert(take.events, {{ take.stop, 0, "\\x80\\x01\\x00" }})
    emu.current.state.selection = {{ {lines[2] + 0.3}, {lines[4]} }}
    for i, other in ipairs(emu.current:items()) do other.B_UISEL = i == 3 and 1 or 0 end
    """)
    reaper.act(emulated.REGENERATE)
    assert reaper.messages == []
    notes = bars_of(RppProject(reaper.lua("return emu.rpp()")), "Piano")
    assert [note[2:] for note in notes if note[3] == 1] == [(0, 1, 0x11)]
    own = [note for note in notes if note[3] != 1]
    assert largest_error_s(own, midi_notes(bridge.latest, START_S)["Piano"]) < MIDI_TICK_S
    assert reaper.lua("return emu.current:object(emu.current:items()[3].takes[1]).events[1][3]:byte(3)") == 0x50

    reaper.act(emulated.NEXT_TAKE)
    assert reaper.messages == []
    project = RppProject(reaper.lua("return emu.rpp()"))
    [item] = project.track("Piano").items
    take = item.takes[item.active]
    assert (item.first_s, take.name, len(item.takes)) == (START_S + 1.5, "Piano 2", 2)
    assert largest_error_s(take.notes, midi_notes(bridge.latest, START_S)["Piano"]) < MIDI_TICK_S


def test_emulated_other_ticks_a_quarter_note(reaper, relay, bridge, film):
    """The user's preferences say how many a new item has."""
    reaper.lua("emu.ppq = 480")
    score(reaper, film)
    assert reaper.messages == []
    check_notes(reaper, bridge.latest)
    reaper.lua(f"emu.current.state.selection = {{ {START_S + 0.1}, {START_S + 3} }}")
    reaper.act(emulated.REGENERATE)
    check_notes(reaper, bridge.latest)
    reaper.act(emulated.NEXT_TAKE)
    assert reaper.messages == []
    check_notes(reaper, bridge.latest, take=1)


@pytest.mark.parametrize("ppq", [480, 960])
def test_emulated_tempo_map_that_is_not_taken_over_to_the_letter(reaper, relay, bridge, film, ppq):
    """Time signatures moved by REAPER: the notes stay at their seconds."""
    reaper.lua(f"emu.signature_moves_s, emu.ppq = 0.06, {ppq}")
    score(reaper, film)
    assert reaper.messages == []
    project = check_notes(reaper, bridge.latest)
    assert project.tempo[1][0] == pytest.approx(START_S + 0.06)


@pytest.mark.parametrize("absent", ["", "GetSetTempoTimeSigMarkerFlag"])
def test_emulated_the_measure_before_may_be_partial(reaper, relay, bridge, film, absent):
    reaper.lua(f'emu.absent = "{absent}"')
    score(reaper, film)
    assert reaper.messages == []
    code = "local all = {} for i, p in ipairs(emu.current.state.tempo) do all[i] = p.partial or false end return all"
    assert reaper.lua(code) == [not absent, False, False]


def test_emulated_time_selection(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film, 0.0, 6.0, "{selected = false, from = 1.0}")
    reaper.add_video(film, 6.0, 30.0, "{selected = false, from = 20.0, rate = 1.25}")
    reaper.lua("emu.current.state.selection = { 2.0, 17.73 }")
    reaper.act(emulated.SCORE_RANGE)
    clips = bridge.requests("clip")
    found = [[round(clip.number(key), 6) for key in ("timeline_start", "in", "out", "rate")] for clip in clips]
    assert found == [[2.0, 3.0, 7.0, 1.0], [6.0, 20.0, 20.0 + 11.73 * 1.25, 1.25]]
    assert RppProject(reaper.lua("return emu.rpp()")).track("Bass").items[0].first_s == 2.0


def clips_of(reaper, bridge) -> list[list[float]]:
    reaper.act(emulated.SCORE_ITEMS)
    keys = ("timeline_start", "in", "out", "rate")
    return [[round(clip.number(key), 6) for key in keys] for clip in bridge.requests("clip")]


def test_emulated_section_looped_and_early_sources(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film, 0.0, 4.0, "{section = {30.0, 3.0}, from = 1.0}")
    reaper.add_video(film, 3.0, 5.0, "{file_s = 6.0, from = -1.0, loop = false}")
    reaper.add_video(film, 8.05, 9.0, "{file_s = 6.0, from = 0.0, loop = false, rate = 2.0}")
    assert clips_of(reaper, bridge) == [
        [0.0, 31.0, 33.0, 1.0],
        [2.0, 30.0, 32.0, 1.0],
        [4.0, 0.0, 4.0, 1.0],
        [8.05, 0.0, 6.0, 2.0],
    ]


def test_emulated_overlapping_items_show_the_later_one(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film, 0.0, 6.0)
    reaper.add_video(film, 4.0, 6.0)
    assert clips_of(reaper, bridge) == [[0.0, 0.0, 4.0, 1.0], [4.0, 0.0, 6.0, 1.0]]


def test_emulated_a_lower_numbered_track_covers(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film, 3.0, 10.0, "{track = 2}")
    reaper.add_video(film, 2.0, 4.0, "{track = 1, from = 50.0}")
    assert clips_of(reaper, bridge) == [[2.0, 50.0, 54.0, 1.0], [6.0, 3.0, 10.0, 1.0]]


def test_emulated_higher_numbered_tracks_cover_where_the_project_says_so(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.lua('emu.video_flags = "257"')
    reaper.add_video(film, 3.0, 10.0, "{track = 2}")
    reaper.add_video(film, 2.0, 4.0, "{track = 1, from = 50.0}")
    assert clips_of(reaper, bridge) == [[2.0, 50.0, 51.0, 1.0], [3.0, 0.0, 10.0, 1.0]]


OFF = {
    "item": "emu.current:items()[1].B_MUTE = 1",
    "track": "emu.current:object(emu.current.state.tracks[1]).B_MUTE = 1",
    "folder": "local t = emu.current:new_track(0, 'Folder') t.B_MUTE, t.I_FOLDERDEPTH = 1, 1 "
    "emu.current:object(emu.current.state.tracks[2]).I_FOLDERDEPTH = -1",
    "lane": "emu.current:object(emu.current.state.tracks[1]).I_FREEMODE = 2",
    "picture": "emu.current:items()[1].chunk = '<ITEM\\n<SOURCE VIDEO\\nVIDEO_DISABLED\\n>\\n>'",
}


@pytest.mark.parametrize("what", OFF)
def test_emulated_what_is_switched_off_hides_nothing(reaper, relay, bridge, film, what):
    wait_for_bridge(reaper)
    reaper.add_video(film, 2.0, 4.0, "{track = 1, from = 50.0}")
    reaper.add_video(film, 0.0, 10.0, "{track = 2}")
    reaper.lua(OFF[what])
    assert clips_of(reaper, bridge) == [[0.0, 0.0, 10.0, 1.0]]


def test_emulated_picture_off_in_another_take_is_not_off(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    chunk = "<ITEM\\n<SOURCE VIDEO\\n>\\nTAKE\\n<SOURCE VIDEO\\nVIDEO_DISABLED\\n>\\n>"
    reaper.add_video(film, 2.0, 4.0, f"{{chunk = '{chunk}'}}")
    assert clips_of(reaper, bridge) == [[2.0, 0.0, 4.0, 1.0]]


def test_emulated_crossfade_reaches_the_bridge(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film, 0.0, 6.0)
    reaper.add_video(film, 4.0, 6.0, "{values = {D_FADEINLEN_AUTO = 2.0}}")
    assert clips_of(reaper, bridge) == [[0.0, 0.0, 5.0, 1.0], [5.0, 1.0, 6.0, 1.0]]
    assert [clip.number("fade") for clip in bridge.requests("clip")] == [0.0, 2.0]


def test_emulated_one_bad_item_never_blocks_the_action(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film.with_name("gone.mp4"), 4.0, 2.0)
    reaper.add_video(film.with_name("title.png"), 6.0, 2.0)
    reaper.add_video(film.with_name("music.m4a"), 0.0, 9.0)
    score(reaper, film)
    [said] = reaper.messages
    assert "gone.mp4 is missing" in said and "black" in said and reaper.undo_names == ["Hitpoint: score"]


def test_emulated_items_on_one_another_and_a_gap(reaper, relay, bridge, film):
    """A title on a long item hides it for a while; where no item lies, the bridge is told of none."""
    wait_for_bridge(reaper)
    reaper.add_video(film, 0.0, 10.0)
    reaper.add_video(film, 4.0, 2.0, "{from = 50.0}")
    reaper.add_video(film, 12.0, 4.0)
    wanted = [[0.0, 0.0, 4.0, 1.0], [4.0, 50.0, 52.0, 1.0], [6.0, 6.0, 10.0, 1.0], [12.0, 0.0, 4.0, 1.0]]
    assert clips_of(reaper, bridge) == wanted


def test_emulated_lost_packets_are_sent_again(reaper, relay, bridge, film):
    bridge.lose = 1
    score(reaper, film)
    check_notes(reaper, bridge.latest)
    assert len(bridge.requests("clip")) == 2


def test_emulated_script_time_stays_short(reaper, relay, bridge, film):
    """No figure here (see tests/bench): only that waiting is many short looks and not one long one."""
    score(reaper, film)
    assert len(reaper.lua("return emu.cycle_s")) > 3
