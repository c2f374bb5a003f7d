"""The Lua action for Ardour, run by a real Ardour 7 without a window in a session of its own.

What only a window has stands in: its dialogs, and the editor that imports and sets markers. `hitpoint` stands in, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.ardour_kit import LIBRARIES, environment, need_ardour

need_ardour()
ACTION = Path(__file__).parents[3] / "plugins" / "ardour" / "Hitpoint.lua"

PLAYED = "4"
"""The state in which Ardour plays automation back."""

STAND_IN = """#!{python}
import json, sys
words = sys.argv[1:]
open("{folder}/asked", "w").write("\\n".join(words))
if "--bad" in words:
    sys.exit("error: the film is none.")
open(words[words.index("-o") + 1], "wb").write(b"MThd")
sound = {{"speech": [[1.5, 3.0]], "duck": [[0.0, 0.0], [1.25, 0.0], [1.5, -9.0], [3.0, -9.0], [3.8, 0.0]]}}
hits = [{{"time_s": 1.5, "kind": "cut", "bar": 0}}, {{"time_s": 2.25, "kind": "beat", "bar": 1}}]
report = {{"bars": [], "hits": hits, "cuts": {{}}, "sound": sound}}
open(words[words.index("--report") + 1], "w").write(json.dumps(report, indent=1))
"""

RUN = """
AudioEngine:set_backend ("None (Dummy)", "", "")
Session = assert (create_session ("{session}", "session", 48000))
local told = io.open ("{told}", "w")
local function tell (...) told:write (table.concat ({{...}}, "\\t"), "\\n") told:flush () end
local answers = {{ {answers} }}
local function answer (...) tell (...) return table.remove (answers, 1) end
LuaDialog = {{
  MessageType = {{ Info = 0, Question = 1 }}, ButtonType = {{ Close = 0, Yes_No = 1 }},
  Response = {{ Yes = 2, No = 3 }},
  Message = function (_, text) return {{ run = function () return answer ("say", text) end }} end,
  Dialog = function (_, fields) return {{ run = function () return answer ("ask", #fields) end }} end,
}}
Editing = {{ ImportDistinctFiles = 0, ImportAsTrack = 1 }}
Editor = {{
  do_import = function (_, files, a, b, quality, names, tempo, at, info, track, wait)
    for path in files:iter () do tell ("import", path, tempo, at:samples ()) end
    local one = ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1)
    for _, name in ipairs {{ "music 1.Piano", "music 10.Bass" }} do
      Session:new_midi_track (one, one, true, ARDOUR.PluginInfo (), nil, nil, 1, name,
        ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
    end
    assert (type (quality) == "number" and type (names) == "number" and wait == false)
  end,
  mouse_add_new_marker = function (_, at, flags) tell ("marker", at:samples (), flags) end,
}}
function ardour (fields) tell ("action", fields.type, fields.name) end
dofile ("{action}")
local act = factory ()
for turn = 1, {turns} do
  act ()
  for _ = 1, 200 do
    local file = io.open ("{session}/hitpoint/ended")
    if file or turn == {turns} or {wait} == 0 then break end
    ARDOUR.LuaAPI.usleep (50000)
  end
end
for _, name in ipairs {{ "music 1.Piano", "music 10.Bass" }} do
  local route = Session:route_by_name (name)
  local fader = route and not route:isnil () and route:gain_control ()
  for event in (fader and fader:alist ():events () or C.DoubleVector ()):iter () do
    tell ("fader", name, event.when:samples (), ("%.4f"):format (event.value), fader:automation_state ())
  end
end
told:close ()
close_session ()
quit ()
"""


def act(folder: Path, answers: str, turns: int, wait: int = 1) -> list[list[str]]:
    """Run the action so often in a new session; what it said and did. answers: of the dialogs, in Lua."""
    programs = folder / "bin"
    programs.mkdir()
    stand_in = programs / "hitpoint"
    stand_in.write_text(STAND_IN.format(python=sys.executable, folder=folder))
    stand_in.chmod(0o755)
    told, script = folder / "told", folder / "run.lua"
    values = {"session": folder / "session", "told": told, "answers": answers, "action": ACTION, "turns": turns}
    script.write_text(RUN.format(**values, wait=wait))
    variables = {**environment(folder), "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(
        [LIBRARIES / "luasession", script], env=variables, timeout=120, check=False, capture_output=True, text=True
    )
    assert told.is_file(), done.stdout + done.stderr
    return [line.split("\t") for line in told.read_text().splitlines()]


def film(name: str, options: str = "") -> str:
    return f'{{ film = "{name}", options = "{options}", tempo = true }}'


def test_a_film_is_scored_beside_ardour_and_brought_in(tmp_path):
    rows = act(tmp_path, film("/films/it's a film.mp4", "--genre rock") + ", 0, 0", 2)
    midi = str(tmp_path / "session" / "hitpoint" / "music 1.mid")
    assert rows[0] == ["action", "EditorAction", "Hitpoint: score a film"]
    assert rows[1] == ["ask", "3"] and rows[2][1].startswith("Hitpoint is composing.")
    assert rows[3] == ["import", midi, "1", "0"], "with the score's tempo map, at the session's start"
    assert [row[:2] for row in rows[4:6]] == [["marker", "72000"], ["marker", "108000"]]
    assert rows[6] == ["say", f"The music is in: 2 hits are marked. Its MIDI file is {midi}"]
    line = [(0, 1.0), (60_000, 1.0), (72_000, 0.3548), (144_000, 0.3548), (182_400, 1.0)]
    assert rows[7:] == [["fader", "music 1.Piano", str(at), f"{gain:.4f}", PLAYED] for at, gain in line]
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[:2] == ["score", "/films/it's a film.mp4"] and asked[-2:] == ["--genre", "rock"]


def test_what_went_wrong_is_said_and_the_next_turn_begins_anew(tmp_path):
    rows = act(tmp_path, film("film.mp4", "--bad") + ", 0, 0, nil", 3)
    assert ["say", "Scoring failed: error: the film is none."] in rows and rows[-1] == ["ask", "3"]


def test_options_are_words_and_never_commands(tmp_path):
    rows = act(tmp_path, film("film.mp4", "; touch /tmp/x") + ", 0", 1)
    assert rows[-1][1].startswith("The options are words") and not (tmp_path / "asked").exists()
