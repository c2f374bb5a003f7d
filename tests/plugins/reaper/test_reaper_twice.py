"""The second hour in an *emulated* REAPER: what stays in place, moved and copied scores, and scoring again."""

from dataclasses import replace

import pytest

from tests.plugins.reaper import reaper_emulated as emulated
from tests.plugins.reaper.rpp_project import RppProject, largest_error_s, midi_notes
from tests.plugins.reaper.test_reaper_score import MIDI_TICK_S, START_S, bars_of, check_notes, score, wait_for_bridge

MOVE = """
for _, item in ipairs(emu.current:items()) do
  if item.D_POSITION == %s then item.D_POSITION = %s end
end
"""


def markers_of(reaper) -> list[list[object]]:
    code = "local a = {} for i, m in ipairs(emu.current.state.markers) do a[i] = {m.id, m.first, m.last, m.name} end"
    return list(reaper.lua(code + " return a"))


def test_emulated_markers_of_one_number_keep_their_places(reaper, relay, bridge, film):
    mine = [(7, 3.0, 0, "a"), (7, 12.0, 0, "b"), (7, 12.5, 14.0, "c"), (7, 40.0, 60.0, "d"), (7, 50.0, 0, "e")]
    for number, first, last, name in mine:
        region = str(last > 0).lower()
        row = f'{{id = {number}, is_region = {region}, first = {first}, last = {last}, name = "{name}", color = 0}}'
        reaper.lua(f"table.insert(emu.current.state.markers, {row})")
    score(reaper, film)
    assert reaper.messages == []
    kept = [marker for marker in markers_of(reaper) if marker[3] in "abcde"]
    assert [(number, name) for number, _, _, name in kept] == [(7, name) for _, _, _, name in mine]
    for (_, first, last, _), (_, wanted, end, _) in zip(kept, mine, strict=True):
        assert first == pytest.approx(wanted, abs=1e-9) and (end == 0 or last == pytest.approx(end, abs=1e-9))


@pytest.mark.parametrize("stubborn", ["false", "true"])
def test_emulated_automation_stays_in_place(reaper, relay, bridge, film, stubborn):
    """Also where a track's timebase does not hold it: then its points are put back."""
    reaper.lua(f"emu.current.stubborn_envelopes = {stubborn}")
    reaper.lua("local t = emu.current:new_track(0, 'Film') t.C_BEATATTACHMODE = 1")
    reaper.lua("local t = emu.current:object(emu.current.state.tracks[1]) "
               "for i = 1, 9 do t.points[i] = { time = i * 6.0, value = 0.5 } end")  # fmt: skip
    score(reaper, film)
    code = "local t = emu.current:object(emu.current.state.tracks[1]) local a = {t.C_BEATATTACHMODE} "
    mode, *times = reaper.lua(code + "for i, p in ipairs(t.points) do a[i + 1] = p.time end return a")
    assert mode == 1 and times == pytest.approx([6.0 * index for index in range(1, 10)], abs=1e-9)


def bpm_at(reaper, time_s: float) -> float:
    ahead = 1e-5
    code = f"return (emu.current:qn_at({time_s} + {ahead}) - emu.current:qn_at({time_s})) / {ahead} * 60"
    return float(reaper.lua(code))


RAMPS = {
    "over all of it": "{time = 2.0, bpm = 90, num = 4, den = 4, linear = true}, "
    "{time = 40.0, bpm = 160, num = 0, den = 0}",
    "into it": "{time = 2.0, bpm = 90, num = 3, den = 4, linear = true}, {time = 12.0, bpm = 160, num = 0, den = 0}",
    "out of it": "{time = 2.0, bpm = 90, num = 3, den = 4}, {time = 12.0, bpm = 100, num = 0, den = 0, linear = true}, "
    "{time = 40.0, bpm = 160, num = 0, den = 0}",
    "from its end on": "{time = 2.0, bpm = 90, num = 3, den = 4}, {time = 22.98, bpm = 100, num = 0, den = 0, "
    "linear = true}, {time = 40.0, bpm = 160, num = 0, den = 0}",
}


@pytest.mark.parametrize("ramp", RAMPS)
def test_emulated_tempo_outside_the_score_stays(reaper, relay, bridge, film, ramp):
    reaper.lua(f"emu.current.state.tempo = {{ {RAMPS[ramp]} }} emu.buttons[1] = 6")
    outside = [0.5, 2.5, 5.0, 7.2, 23.1, 30.0, 39.0, 45.0]
    before = [bpm_at(reaper, time_s) for time_s in outside]
    score(reaper, film)
    assert [bpm_at(reaper, time_s) for time_s in outside] == pytest.approx(before, abs=1e-3)
    sign = "local n for _, p in ipairs(emu.current.state.tempo) do if p.num > 0 then n = p.num end end return n"
    assert reaper.lua(sign) == (4 if ramp == "over all of it" else 3), "after the score another time signature counts"
    check_notes(reaper, bridge.latest)


def test_emulated_next_take_and_regenerate_of_a_moved_score(reaper, relay, bridge, film):
    """Its shift counts once, however often; the tempo differs where it lies now."""
    reaper.lua('emu.ext["Hitpoint/tempo_map"] = "keep"')
    reaper.lua("emu.current.state.tempo[1] = {time = 30.0, bpm = 77.0, num = 4, den = 4}")
    score(reaper, film)
    reaper.lua(MOVE % (START_S, START_S + 20))
    for asked in (1, 2):
        reaper.act(emulated.NEXT_TAKE)
        assert reaper.messages == []
        project = RppProject(reaper.lua("return emu.rpp()"))
        assert project.track("Piano").items[0].first_s == START_S + 20
        wanted = midi_notes(bridge.latest, START_S + 20)
        for name, notes in wanted.items():
            assert largest_error_s(bars_of(project, name), notes) < MIDI_TICK_S, (asked, name)
    lines = [START_S + 20 + bridge.plan.tempo_map.time_at_tick(bar) for bar in range(9)]
    reaper.lua(f"emu.current.state.selection = {{ {lines[2] + 0.3}, {lines[4]} }}")
    reaper.act(emulated.REGENERATE)
    assert reaper.messages == []
    request = bridge.requests("regenerate")[-1]
    assert (request.whole("first_bar"), request.whole("last_bar")) == (2, 3)
    project = RppProject(reaper.lua("return emu.rpp()"))
    for name, notes in midi_notes(bridge.latest, START_S + 20).items():
        assert largest_error_s(bars_of(project, name), notes) < MIDI_TICK_S


COPY = """
local copy = getmetatable(emu.current).copy
for _, item in ipairs(emu.current:items()) do
  local take = item.takes[1] and emu.current:object(item.takes[1])
  if take and next(take.ext) then
    local other = emu.current:new_item(emu.current:object(item.track), item.D_POSITION + 30, item.D_LENGTH)
    local again = emu.current:new_take(other, emu.current:object(take.source))
    again.events, again.stop, again.ext, again.P_NAME = copy(take.events), take.stop, copy(take.ext), take.P_NAME
    other.B_UISEL = 1
  end
  item.B_UISEL = 0
end
"""


def test_emulated_of_a_copied_score_the_selected_copy_is_meant(reaper, relay, bridge, film):
    reaper.lua('emu.ext["Hitpoint/tempo_map"] = "keep"')
    score(reaper, film)
    reaper.lua(COPY)
    reaper.act(emulated.NEXT_TAKE)
    assert reaper.messages == []
    project = RppProject(reaper.lua("return emu.rpp()"))
    wanted = midi_notes(bridge.latest, START_S + 30)
    for name, notes in wanted.items():
        first, second = project.track(name).items
        assert (len(first.takes), len(second.takes)) == (1, 2)
        assert largest_error_s(second.takes[1].notes, notes) < MIDI_TICK_S
    reaper.lua("for _, item in ipairs(emu.current:items()) do item.B_UISEL = 0 end")
    reaper.act(emulated.NEXT_TAKE)
    project = RppProject(reaper.lua("return emu.rpp()"))
    assert [len(item.takes) for item in project.track("Piano").items] == [2, 2], "else the one where it was made"


def again(reaper, button: int) -> None:
    reaper.lua("for i, item in ipairs(emu.current:items()) do item.B_UISEL = i == 1 and 1 or 0 end")
    reaper.lua(f"emu.buttons = {{ {button} }}")
    reaper.act(emulated.SCORE_ITEMS)


def test_emulated_scoring_again_replaces_its_own_and_keeps_the_mix(reaper, relay, bridge, film):
    score(reaper, film)
    reaper.lua("emu.current:object(emu.current.state.tracks[4]).points = { { time = 9.0, value = 0.25 } }")
    reaper.lua("table.insert(emu.current.state.markers, {id = 99, is_region = false, first = 8.0, last = 0, "
               'name = "mine", color = 0})')  # fmt: skip
    tracks, markers = reaper.lua("return emu.current.state.tracks"), markers_of(reaper)
    tempo = reaper.lua("return emu.current.state.tempo")
    again(reaper, 6)
    [question] = reaper.messages
    assert "score of Hitpoint's here already" in question
    project = check_notes(reaper, bridge.latest)
    assert reaper.lua("return emu.current.state.tracks") == tracks, "the tracks, and the mix on them, stay"
    assert all(len(track.items) == 1 for track in project.tracks[2:])
    assert sorted(m[1:] for m in markers_of(reaper)) == sorted(m[1:] for m in markers)
    assert len(reaper.lua("return emu.current.state.tempo")) == len(tempo)
    assert reaper.lua("return emu.current:object(emu.current.state.tracks[4]).points[1].time") == 9.0
    reaper.act(emulated.NEXT_TAKE)
    check_notes(reaper, bridge.latest, take=1)


def test_emulated_scoring_again_leaves_a_copy_elsewhere(reaper, relay, bridge, film):
    reaper.lua('emu.ext["Hitpoint/tempo_map"] = "keep"')
    score(reaper, film)
    reaper.lua(COPY)
    again(reaper, 6)
    items = RppProject(reaper.lua("return emu.rpp()")).track("Piano").items
    assert [item.first_s for item in items] == [START_S, START_S + 30]


def test_emulated_scoring_again_beside_or_not_at_all(reaper, relay, bridge, film):
    score(reaper, film)
    before = reaper.lua("return emu.current.state.tempo"), markers_of(reaper)
    again(reaper, 2)
    assert (reaper.lua("return emu.current.state.tempo"), markers_of(reaper)) == before
    assert len(bridge.requests("score")) == 1
    again(reaper, 7)
    assert len(reaper.messages) == 2, "its own tempo markers raise no question"
    assert len(RppProject(reaper.lua("return emu.rpp()")).tracks) == 13


def test_emulated_tempo_markers_of_the_users_still_raise_the_question(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    score(reaper, film)
    reaper.lua("table.insert(emu.current.state.tempo, {time = 90.0, bpm = 100, num = 0, den = 0})")
    reaper.lua("for _, item in ipairs(emu.current:items()) do item.B_UISEL = 0 end emu.buttons = { 7 }")
    reaper.add_video(film, 60.0, 15.73)
    reaper.act(emulated.SCORE_ITEMS)
    assert len(reaper.messages) == 1 and "tempo markers of its own" in reaper.messages[0]


def wishes_of(bridge) -> dict[str, object]:
    rest = bridge.requests("score")[-1].rest
    return dict(zip(rest[::2], rest[1::2], strict=True))


def test_emulated_own_markers_are_hits_and_what_is_not_hit_has_a_marker(reaper, relay, bridge, film):
    for index, (first, name) in enumerate(
        [(8.5, "hit"), (10.0, "Hit!"), (12.0, " no "), (13.0, "dialogue"), (90.0, "hit")]
    ):
        row = f'{{id = {index}, is_region = false, first = {first}, last = 0.0, name = "{name}", color = 0}}'
        reaper.lua(f"table.insert(emu.current.state.markers, {row})")
    bridge.missed = [4.25]
    bridge.suggestion = {"genre": "rock", "mood": "tense", "why": ["quick cuts", "little light"]}
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73, "{from = 2.5, file_s = 100}")
    reaper.lua('emu.current:object(emu.current:items()[1].takes[1]).markers = '
               '{{second = 3.5, name = "hit"}, {second = 1.0, name = "hit"}}')  # fmt: skip
    reaper.act(emulated.SCORE_ITEMS)
    told = wishes_of(bridge)
    assert told["hits"] == f"8.500000,10.000000!,{START_S + 1:.6f}" and told["unhits"] == "12.000000"
    assert (float(told["from"]), float(told["to"])) == pytest.approx((START_S, START_S + 15.73))
    hit, suggested = reaper.messages[0].split("\n")
    assert hit == "2 of 3 cuts are hit. The others have markers named 'Not hit: cut'."
    assert suggested == "Suggested: rock, tense (quick cuts; little light)."
    names = {name: first for _, first, _, name in markers_of(reaper)}
    assert names["Not hit: cut"] == pytest.approx(START_S + 4.25) and "dialogue" in names


@pytest.mark.parametrize("selected", ["true", "false"])
def test_emulated_what_changed_is_scored_again_in_its_place(reaper, relay, bridge, film, selected):
    """The bridge is told which score to keep and the range as it is now; the new score comes on the same tracks."""
    score(reaper, film)
    job = bridge.requests("score")[-1].text("job")
    reaper.lua("for _, item in ipairs(emu.current:items()) do item.B_UISEL = 0 end")
    reaper.lua(f"local i = emu.current:items()[1] i.D_LENGTH = 14.0 i.B_UISEL = {selected} and 1 or 0")
    tracks = reaper.lua("return #emu.current.state.tracks")
    reaper.act(emulated.RESCORE)
    assert reaper.messages == []
    told = wishes_of(bridge)
    assert told["keep"] == job and float(told["to"]) == pytest.approx(START_S + 14.0)
    assert bridge.requests("clip")[-1].number("out") == pytest.approx(16.5)
    assert reaper.lua("return #emu.current.state.tracks") == tracks
    assert len(RppProject(reaper.lua("return emu.rpp()")).track("Piano").items) == 1


def without_bar(plan, bar: int):
    """The plan of the same film without what lies under one of its later bars, and which old bars stay then."""
    length_s = plan.tempo_map.time_at_tick(bar + 1) - plan.tempo_map.time_at_tick(bar)
    hits = tuple(
        replace(hit, bar=hit.bar - (hit.bar > bar), time_s=hit.time_s - length_s * (hit.bar > bar))
        for hit in plan.hits
        if hit.bar not in (bar - 1, bar)
    )
    bars = tuple(replace(each, required=() if each.index == bar - 1 else each.required) for each in plan.bars[:-1])
    sections = (plan.sections[0], replace(plan.sections[1], end_bar=len(bars)))
    new = replace(plan, duration_s=plan.duration_s - length_s, bars=bars, hits=hits, sections=sections)
    return new, {**{i: i for i in range(bar - 1)}, **{i: i + 1 for i in range(bar, len(bars))}}


HAND_EDITS = """
local piano, drums
for _, item in ipairs(emu.current:items()) do
  local take = emu.current:object(item.takes[1])
  if take.P_NAME == "Piano 1" then piano = item end
  if take.P_NAME == "Drums 1" then drums = item end
  if take.P_NAME == "Guitar 1" then emu.current:remove_item(item) end
end
local take, notes = emu.current:object(piano.takes[1]), {}
for index, event in ipairs(take.events) do
  local status, pitch, velocity = event[3]:byte(1, 3)
  if status & 0xF0 == 0x80 or status & 0xF0 == 0x90 then -- an octave up, all of it
    take.events[index][3] = string.char(status, pitch + 12, velocity)
  end
end
drums.B_MUTE, drums.mine = 1, "kept"
"""


@pytest.mark.parametrize("tempo", ["project", "keep"])
def test_emulated_hand_edits_stay_where_nothing_has_changed(reaper, relay, bridge, film, tempo):
    """The bars before and after the change are the user's, to the note; only what lies between is new."""
    reaper.lua(f'emu.ext["Hitpoint/tempo_map"] = "{tempo}"')
    if tempo == "keep":
        reaper.lua("emu.current.state.tempo[1] = {time = 12.0, bpm = 77.0, num = 4, den = 4}")
    score(reaper, film)
    lines = [bridge.plan.tempo_map.time_at_tick(bar) for bar in range(9)]
    before = midi_notes(bridge.latest, START_S)
    reaper.lua(HAND_EDITS)
    items = "local a = {} for i, item in ipairs(emu.current:items()) do a[i] = item.id end return a"
    ids = reaper.lua(items)
    bridge.changed = without_bar(bridge.plan, 5)
    length_s = bridge.changed[0].duration_s
    reaper.lua("for _, item in ipairs(emu.current:items()) do item.B_UISEL = 0 end "
               f"local i = emu.current:items()[1] i.D_LENGTH = {length_s} i.B_UISEL = 1")  # fmt: skip
    reaper.act(emulated.RESCORE)
    assert reaper.messages == [] and reaper.undo_names[-1] == "Hitpoint: re-score"
    assert reaper.lua(items) == ids, "the items are the same ones; the one that was thrown away stays away"
    project, after = RppProject(reaper.lua("return emu.rpp()")), midi_notes(bridge.latest, START_S)
    assert project.track("Guitar").items == []
    assert reaper.lua("for _, i in ipairs(emu.current:items()) do if i.mine then return i.B_MUTE end end") == 1
    near = 0.01
    for name, octave in (("Piano", 12), ("Drums", 0), ("Bass", 0), ("Strings", 0)):
        [item] = project.track(name).items
        assert item.length_s == pytest.approx(bridge.plan.duration_s, abs=1e-5)
        there = sorted((start, pitch) for start, _, _, pitch, _ in item.takes[0].notes)
        gone_s = lines[6] - lines[5]
        wanted = [(s, p + octave) for s, _, _, p, _ in before[name] if s < START_S + lines[4] - near]
        wanted += [(s, p) for s, _, _, p, _ in after[name] if lines[4] - near <= s - START_S < lines[5] - near]
        wanted += [(s - gone_s, p + octave) for s, _, _, p, _ in before[name] if s >= START_S + lines[6] - near]
        assert len(there) == len(wanted) > 5
        for (start, pitch), (wanted_s, wanted_pitch) in zip(there, sorted(wanted), strict=True):
            assert pitch == wanted_pitch and start == pytest.approx(wanted_s, abs=0.003)
    reaper.act(emulated.NEXT_TAKE)
    assert reaper.messages == [] and len(RppProject(reaper.lua("return emu.rpp()")).track("Piano").items[0].takes) == 2


def drawn(reaper) -> list[list[float]]:
    """Second and factor of each point of the folder's volume."""
    code = (
        "for _, id in ipairs(emu.current.state.tracks) do local t = emu.current:object(id) if t.P_NAME == 'Hitpoint' "
    )
    code += "then local a = {} for i, p in ipairs(t.points) do a[i] = {p.time, p.value} end return a end end"
    return [[round(value, 4) for value in point] for point in reaper.lua(code)]


def test_emulated_the_music_makes_room_for_what_is_said(reaper, relay, bridge, film):
    """Drawn once on the folder that holds the music; what the user draws there instead is never touched."""
    bridge.duck = [(0.0, 0.0), (2.0, 0.0), (2.25, -9.0), (4.0, -9.0), (4.8, 0.0)]
    score(reaper, film)
    assert reaper.messages == []
    line = [[START_S + time_s, round(10 ** (gain / 20), 4)] for time_s, gain in bridge.duck]
    assert drawn(reaper) == line
    bridge.duck = bridge.duck[:1] + [(time_s + 1.0, gain) for time_s, gain in bridge.duck[1:]]
    reaper.act(emulated.RESCORE)
    later = [[START_S + time_s, round(10 ** (gain / 20), 4)] for time_s, gain in bridge.duck]
    assert reaper.messages == [] and drawn(reaper) == later
    mine = "local t = emu.current:object(emu.current.state.tracks[2]) t.points = {{time = 9.0, value = 0.5}} "
    mine += "t.chunk = t.chunk:gsub('PT.*PT %S+ %S+ 0', 'PT 9.0 0.5 0')"
    reaper.lua(mine)
    reaper.act(emulated.RESCORE)
    assert reaper.messages == [] and drawn(reaper) == [[9.0, 0.5]]


def test_emulated_new_tracks_sound_at_once_unless_that_is_switched_off(reaper, relay, bridge, film):
    sounding = """
    local count = 0
    for _, id in ipairs(emu.current.state.tracks) do
      for _, name in ipairs(emu.current:object(id).fx or {}) do count = count + (name == "ReaSynth" and 1 or 0) end
    end
    return count"""
    score(reaper, film)
    assert reaper.lua(sounding) == 5
    reaper.lua("emu.buttons[1] = 6")
    reaper.act(emulated.SCORE_ITEMS)
    assert reaper.lua(sounding) == 5, "tracks that are there keep what is on them"
    reaper.lua('emu.buttons[1] = 7 emu.ext["Hitpoint/sound"] = "off"')
    reaper.act(emulated.SCORE_ITEMS)
    assert reaper.lua(sounding) == 5 and reaper.messages[2:] == []


def test_emulated_nothing_to_score_again(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.act(emulated.RESCORE)
    assert reaper.messages == ["There is no score in this project yet; run 'Hitpoint: Score selected items' first."]


def test_emulated_an_answer_belongs_to_its_question(reaper, relay, bridge, film):
    """The answer to an earlier request, which comes late, is not taken for that of the present one."""
    score(reaper, film)
    tell = bridge._send

    def late_first(sender, name, *values):
        if name == "result":
            tell(sender, "result", *values[:5], 12345, 0)
            tell(sender, "error", "usage", "of an earlier request", values[0], 12345)
            tell(sender, "progress", values[0], "write", 1.0)
        tell(sender, name, *values)

    bridge._send = late_first
    reaper.act(emulated.NEXT_TAKE)
    assert reaper.messages == [] and bridge.requests("take")[-1].whole("request") > 0
    check = RppProject(reaper.lua("return emu.rpp()")).track("Piano").items[0]
    assert len(check.takes) == 2
