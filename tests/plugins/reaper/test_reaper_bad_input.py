"""What goes wrong in an *emulated* REAPER: one sentence in a box, no half-made track, undo clean."""

import json
import re
import shutil
import time

import pytest

from hitpoint.bridge.hosts.reaper import rows as file_rows
from hitpoint.bridge.osc import protocol
from tests.plugins.reaper import reaper_emulated as emulated
from tests.plugins.reaper.reaper_emulated import Reaper
from tests.plugins.reaper.test_reaper_score import START_S, check_notes, wait_for_bridge

ALL = [emulated.SCORE_ITEMS, emulated.SCORE_RANGE, emulated.REGENERATE, emulated.NEXT_TAKE]


def says(reaper: Reaper, script: str, words: str, during=None) -> None:
    """The action ends with one box that holds `words`, and the project is as it was."""
    before = reaper.fingerprint()
    reaper.lua("emu.messages = {}")
    reaper.act(script, during)
    messages = reaper.messages
    assert len(messages) == 1 and words in messages[0], messages
    assert messages[0][0].isupper() and messages[0][-1] in ".!" and "stack traceback" not in messages[0]
    assert reaper.fingerprint() == before and reaper.undo_names == []
    assert reaper.lua("return emu.gfx_open") is False


def test_emulated_no_selection(reaper, relay):
    says(reaper, emulated.SCORE_ITEMS, "No item is selected")
    says(reaper, emulated.SCORE_RANGE, "no time selection")
    says(reaper, emulated.REGENERATE, "no score in this project")
    says(reaper, emulated.NEXT_TAKE, "no score in this project")


def test_emulated_requests_bear_names_that_nobody_can_guess(reaper, tmp_path):
    """Of one moment, they have nothing in common but their first letter."""
    library, out = emulated.PLUGIN / "lib" / "files.lua", tmp_path / "names.txt"
    script = tmp_path / "names.lua"
    script.write_text(
        f"local files, out = dofile({json.dumps(str(library))}), io.open({json.dumps(str(out))}, 'w')\n"
        "for _ = 1, 20 do out:write(files.new_id(), '\\n') end out:close()"
    )
    reaper.act(script)
    names = out.read_text().split()
    assert len({name[1:9] for name in names}) == len(names) == 20
    assert all(re.fullmatch(r"r[0-9a-f]{32}", name) and protocol.JOB_NAME.fullmatch(name) for name in names)


def test_emulated_reaper_that_is_too_old(reaper, relay, film):
    reaper.lua('emu.version = "6.05/x64"')
    reaper.add_video(film, 0.0, 5.0)
    says(reaper, emulated.SCORE_ITEMS, "needs REAPER 6.40 or newer, and this is 6.05")


def test_emulated_decimal_comma(reaper):
    reaper.lua('emu.inputs[1] = "pop|drums,2|89,5-90|0,5 |7|auto|project"')
    reaper.act(emulated.SETTINGS)
    keys = ("instruments", "tempo", "control")
    assert [reaper.lua(f'return emu.ext["Hitpoint/{key}"]') for key in keys] == ["drums,2", "89.5-90", "0.5"]


def test_emulated_error_box_names_no_file_and_line(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.lua("emu.refuse_notes = 'hard'")
    reaper.add_video(film, START_S, 15.73)
    says(reaper, emulated.SCORE_ITEMS, "everything was undone: a fault of its own.")


def test_emulated_audio_and_empty_items(reaper, relay, film):
    reaper.add_video(film, 0.0, 5.0, '{type = "WAVE"}')
    reaper.lua("emu.current:new_item(emu.current:object(emu.current.state.tracks[1]), 9.0, 2.0).B_UISEL = 1")
    says(reaper, emulated.SCORE_ITEMS, "no video in the selected items")
    reaper.lua("emu.current.state.selection = { 0.0, 4.0 }")
    says(reaper, emulated.SCORE_RANGE, "no video in the time selection")


def test_emulated_missing_file(reaper, relay, film):
    reaper.add_video(film.with_name("gone.mp4"), 0.0, 5.0)
    says(reaper, emulated.SCORE_ITEMS, "gone.mp4 is missing")


def test_emulated_reversed_section(reaper, relay, film, bridge):
    reaper.add_video(film, 0.0, 2.0, "{section = {3.0, 5.0}, reversed = true}")
    reaper.act(emulated.SCORE_ITEMS)
    [clip] = bridge.requests("clip")
    told = [clip.number(name) for name in ("timeline_start", "in", "out", "rate")]
    assert told == pytest.approx([0.0, 6.0, 8.0, -1.0]) and clip.text("path") == str(film)


def test_emulated_read_only_resource_path(tmp_path, film):
    (tmp_path / "resources").write_text("a file where the folder should be")
    reaper = Reaper(tmp_path / "resources")
    try:
        reaper.add_video(film, 0.0, 5.0)
        says(reaper, emulated.SCORE_ITEMS, "cannot be written")
        reaper.act(emulated.LIVE)
        assert "cannot be written" in reaper.messages[-1]
    finally:
        reaper.close()


def test_emulated_bridge_says_no(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    bridge.fail_with = ("usage", "there is no genre 'polka'; choose one of pop, rock")
    reaper.add_video(film, 0.0, 5.0)
    says(reaper, emulated.SCORE_ITEMS, "There is no genre 'polka'; choose one of pop, rock.")


def test_emulated_bridge_that_never_answers(reaper, relay, bridge, film, monkeypatch):
    monkeypatch.setattr("hitpoint.bridge.hosts.reaper.replies.ANSWER_WITHIN_S", 0.1)
    wait_for_bridge(reaper)
    bridge.close()
    reaper.add_video(film, 0.0, 5.0)
    says(reaper, emulated.SCORE_ITEMS, "The bridge does not answer")


def test_emulated_bridge_killed_half_way(reaper, relay, bridge, film):
    bridge.hang = True
    wait_for_bridge(reaper)
    reaper.add_video(film, 0.0, 5.0)
    heartbeat = reaper.folder / "Hitpoint" / "heartbeat.txt"

    def kill() -> None:
        if bridge.requests("score") and not relay.is_set():
            relay.set()
        if relay.is_set() and heartbeat.exists():  # killed, it could not take its last heartbeat away
            file_rows.write(heartbeat, "heartbeat", [("time", int(time.time()) - 60)])
        if relay.is_set():
            reaper.lua("emu.now = emu.now + 1.0")

    says(reaper, emulated.SCORE_ITEMS, "stopped while it worked", kill)


def test_emulated_bridge_that_does_not_start(reaper, film):
    reaper.add_video(film, 0.0, 5.0)
    says(reaper, emulated.SCORE_ITEMS, "did not start", lambda: reaper.lua("emu.now = emu.now + 5.0"))
    assert reaper.lua("return emu.exec") == [f'hitpoint serve --reaper-folder "{reaper.folder}/Hitpoint"']


def test_emulated_installed_command_starts_the_bridge(reaper, film):
    (reaper.folder / "Hitpoint").mkdir(parents=True)
    file_rows.write(
        reaper.folder / "Hitpoint" / "bridge.txt", "bridge", [("command", '"/a b/python" -m hitpoint.bridge')]
    )
    reaper.add_video(film, 0.0, 5.0)
    reaper.start(emulated.SCORE_ITEMS)
    reaper.step()
    [command] = reaper.lua("return emu.exec")
    assert command == f'"/a b/python" -m hitpoint.bridge serve --reaper-folder "{reaper.folder}/Hitpoint"'


@pytest.mark.parametrize("key", [27, -1])
def test_emulated_cancel(reaper, relay, bridge, film, key):
    bridge.hang = True
    wait_for_bridge(reaper)
    reaper.add_video(film, 0.0, 5.0)
    before = reaper.fingerprint()

    def cancel() -> None:
        if bridge.requests("score"):
            reaper.lua(f"emu.gfx_key = {key}")

    reaper.act(emulated.SCORE_ITEMS, cancel)
    told_to_cancel(bridge)
    assert reaper.messages == [] and reaper.fingerprint() == before and reaper.undo_names == []


def test_emulated_stale_and_foreign_answers_are_left_alone(reaper, relay, bridge, film):
    folder = reaper.folder / "Hitpoint"
    wait_for_bridge(reaper)
    file_rows.write(folder / "answer-r1-000000.txt", "answer", [("error", "an old answer")])
    (folder / "answer-r1-000001.txt").write_text("hitpoint\t2\tanswer\ntrack\tDru")
    reaper.add_video(film, START_S, 15.73)
    reaper.act(emulated.SCORE_ITEMS)
    assert reaper.messages == []
    check_notes(reaper, bridge.latest)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hitpoint\t2\tanswer\ntrack\tDrums\t9\n", "cut off"),
        ("hitpoint\t3\tanswer\nend\t1\n", "file format 3"),
        ("something else\n", "not one of Hitpoint's"),
        ("", "not one of Hitpoint's"),
        ("hitpoint\t2\tanswer\nnote\t1.0\t2.0\t60\t90\nend\t2\n", "not understood"),
    ],
)
def test_emulated_damaged_answer(reaper, relay, bridge, film, text, words):
    bridge.hang = True
    wait_for_bridge(reaper)
    reaper.add_video(film, 0.0, 5.0)

    def damage() -> None:
        if bridge.requests("score"):
            job = bridge.requests("score")[0].text("job")
            (reaper.folder / "Hitpoint" / f"answer-{job}.txt").write_text(text)

    says(reaper, emulated.SCORE_ITEMS, words, damage)


def test_emulated_second_project_tab(reaper, relay, bridge, film):
    """The score waits for its own project to be in front, and goes nowhere else."""
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73)
    reaper.start(emulated.SCORE_ITEMS)
    reaper.lua('emu.current = emu.new_project("second")')
    second = reaper.fingerprint()
    end = time.monotonic() + 10
    while "go back to the project's tab" not in reaper.lua("return emu.gfx_text"):
        assert reaper.step() and time.monotonic() < end
        time.sleep(0.02)
    reaper.step(20)
    assert reaper.fingerprint() == second
    reaper.lua("emu.current = emu.projects[1]")
    reaper.finish()
    check_notes(reaper, bridge.latest)
    reaper.lua("emu.current = emu.projects[2]")
    assert reaper.fingerprint() == second


def test_emulated_project_closed_meanwhile(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73)
    reaper.start(emulated.SCORE_ITEMS)
    reaper.lua('emu.current = emu.new_project("second") table.remove(emu.projects, 1)')
    reaper.finish()
    assert "was closed" in reaper.messages[0]


def told_to_cancel(bridge) -> None:
    end = time.monotonic() + 5
    while not bridge.requests("cancel"):
        assert time.monotonic() < end, "the bridge was not told"
        time.sleep(0.02)


def test_emulated_project_closed_while_the_bridge_works(reaper, relay, bridge, film):
    bridge.hang = True
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73)

    def close() -> None:
        if bridge.requests("score"):
            reaper.lua('emu.current = emu.new_project("second") table.remove(emu.projects, 1)')

    reaper.act(emulated.SCORE_ITEMS, close)
    assert len(reaper.messages) == 1 and "was closed" in reaper.messages[0]
    told_to_cancel(bridge)


def test_emulated_regenerate_without_selection_and_outside(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73)
    reaper.act(emulated.SCORE_ITEMS)
    reaper.lua("emu.current.undo = {}")
    says(reaper, emulated.REGENERATE, "Nothing is selected")
    reaper.lua("emu.current.state.selection = { 100.0, 110.0 }")
    says(reaper, emulated.REGENERATE, "outside the score")


def test_emulated_items_deleted_before_the_take_came(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73)
    reaper.act(emulated.SCORE_ITEMS)
    reaper.lua("for i, item in ipairs(emu.current:items()) do if i > 1 then emu.current:remove_item(item) end end")
    reaper.lua("emu.current.undo = {}")
    says(reaper, emulated.NEXT_TAKE, "no longer in the project")


def test_emulated_score_unknown_to_the_bridge(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73)
    reaper.act(emulated.SCORE_ITEMS)
    reaper.lua("emu.current.undo = {}")
    reaper.lua("""
    for _, object in pairs(emu.current.state.objects) do
      local tag = object.ext and object.ext["P_EXT:hitpoint"]
      if tag then object.ext["P_EXT:hitpoint"] = tag:gsub("^[^|]+", "r0-000000") end
    end
    emu.current.state.ext["Hitpoint/job"] = "r0-000000"
    """)
    says(reaper, emulated.NEXT_TAKE, "does not know this score")


def changed_meanwhile(reaper: Reaper, script: str, words: str, change: str) -> None:
    """What the user does to the score's items while the bridge works: nothing is written over it."""
    reaper.start(script)
    reaper.lua(change)
    before = reaper.fingerprint()
    reaper.finish()
    assert len(reaper.messages) == 1 and words in reaper.messages[0] and "everything was undone" in reaper.messages[0]
    assert reaper.fingerprint() == before and reaper.undo_names == ["Hitpoint: score"]


def test_emulated_notes_changed_while_the_bridge_worked(reaper, relay, bridge, film):
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73)
    reaper.act(emulated.SCORE_ITEMS)
    reaper.lua(f"emu.current.state.selection = {{ {START_S + 0.1}, {START_S + 3} }}")
    change = """
    for _, object in pairs(emu.current.state.objects) do
      if object.kind == "MediaItem_Take" and #object.events > 3 then object.events[2][2] = 2 end
    end
    """
    changed_meanwhile(reaper, emulated.REGENERATE, "its notes were changed meanwhile", change)


@pytest.mark.parametrize("script", [emulated.REGENERATE, emulated.NEXT_TAKE])
def test_emulated_items_deleted_while_the_bridge_worked(reaper, relay, bridge, film, script):
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73)
    reaper.act(emulated.SCORE_ITEMS)
    reaper.lua(f"emu.current.state.selection = {{ {START_S + 0.1}, {START_S + 3} }}")
    change = """
    for i, item in ipairs(emu.current:items()) do
      if i > 1 then
        for _, take in ipairs(item.takes) do emu.current.state.objects[take] = nil end
        emu.current:remove_item(item)
      end
    end
    """
    changed_meanwhile(reaper, script, "no longer in the project", change)


def test_emulated_tempo_changed_while_the_bridge_worked(reaper, relay, bridge, film):
    reaper.lua('emu.ext["Hitpoint/tempo_map"] = "keep"')
    wait_for_bridge(reaper)
    reaper.add_video(film, START_S, 15.73)
    reaper.start(emulated.SCORE_ITEMS)
    reaper.lua(f"emu.current.state.tempo = {{ {{ time = {START_S + 5}, bpm = 61, num = 4, den = 4 }} }}")
    before = reaper.fingerprint()
    reaper.finish()
    assert "tempo is not the one" in reaper.messages[0] and reaper.fingerprint() == before
    assert reaper.lua("return emu.refresh") == 0


def test_emulated_odd_file_name(reaper, relay, film):
    """On Linux a file's name may be no UTF-8: one sentence, no crash of the bridge."""
    reaper.lua(f'emu.add_video(emu.current, "{film.parent}/gr\\xfc\\xdf.mp4", 0.0, 5.0)')
    says(reaper, emulated.SCORE_ITEMS, "odd characters")


def test_emulated_scripts_without_their_library(reaper, tmp_path):
    """A half-copied plugin says so; REAPER shows the script's error."""
    copy = tmp_path / "half"
    shutil.copytree(emulated.PLUGIN, copy)
    (copy / "lib" / "wait.lua").unlink()
    broken = Reaper(tmp_path / "resources", copy)
    try:
        broken.start(emulated.SCORE_ITEMS)
        assert "wait.lua" in broken.lua("return emu.crashes")[0]
    finally:
        broken.close()
