"""The plugin's scripts in an *emulated* REAPER, which start and drive the real bridge (with a stand-in composer)."""

import signal
import time
from pathlib import Path

import pytest

from tests.plugins.reaper import reaper_emulated as emulated
from tests.plugins.reaper.reaper_emulated import Reaper
from tests.plugins.reaper.rpp_project import RppProject, largest_error_s, midi_notes

MIDI_TICK_S = 60 / 200 / 480


def latest_midi(state: Path, take: int) -> Path:
    return max(state.rglob(f"*take-{take}*.mid"), key=lambda path: path.stat().st_mtime_ns)


def check(reaper: Reaper, state: Path, first_s: float, take: int) -> RppProject:
    project = RppProject(reaper.lua("return emu.rpp()"))
    for name, notes in midi_notes(latest_midi(state, take), first_s).items():
        [item] = project.track(name).items
        assert largest_error_s(item.takes[take].notes, notes) < MIDI_TICK_S
    return project


def test_emulated_reaper_with_the_real_bridge(reaper, bridges, real_film, tmp_path):
    state = tmp_path / "state"
    reaper.add_video(real_film, 5.0, 8.0, "{from = 1.0, file_s = 12.0}")
    reaper.add_video(real_film, 13.0, 2.0, "{from = 9.0, file_s = 12.0, rate = 1.25}")
    reaper.act(emulated.SCORE_ITEMS, bridges.start_wanted)
    assert reaper.messages == [], (reaper.folder / "bridge-0.log").read_text()
    project = check(reaper, state, 5.0, 0)
    assert project.track("Drums").items[0].length_s == pytest.approx(10.0, abs=0.002)
    texts = [text for _, text in project.markers]
    assert any(text.startswith("Hit") for text in texts) and project.regions

    reaper.act(emulated.NEXT_TAKE, bridges.start_wanted)
    assert reaper.messages == []
    project = check(reaper, state, 5.0, 1)
    assert project.track("Drums").items[0].active == 1

    before = RppProject(reaper.lua("return emu.rpp()"))
    lines = [time_s for time_s, _ in project.tempo if time_s >= 5.0]
    reaper.lua(f"emu.current.state.selection = {{ {lines[0] + 0.1}, {lines[0] + 0.6} }}")
    reaper.act(emulated.REGENERATE, bridges.start_wanted)
    assert reaper.messages == []
    after = check(reaper, state, 5.0, 1)
    changed = [n for n in ("Drums", "Piano", "Guitar", "Bass", "Strings") if before.track(n) != after.track(n)]
    assert changed, "nothing was regenerated"
    assert reaper.undo_names == ["Hitpoint: score", "Hitpoint: next take", "Hitpoint: regenerate"]
    assert len(bridges.started) == 1, "one bridge serves all actions"


def test_emulated_gap_between_items_is_black_and_what_follows_stays(reaper, bridges, real_film, tmp_path):
    """A marker stands where the picture of an item ends or begins, and the music lasts to the end of the last."""
    reaper.lua('emu.ext["Hitpoint/cuts"] = "strips"')
    reaper.add_video(real_film, 5.0, 3.0, "{file_s = 12.0}")
    reaper.add_video(real_film, 8.0, 1.5, "{from = 6.5, file_s = 12.0}")
    reaper.add_video(real_film, 13.25, 4.0, "{from = 3.0, file_s = 12.0}")
    reaper.act(emulated.SCORE_ITEMS, bridges.start_wanted)
    assert reaper.messages == [], (reaper.folder / "bridge-0.log").read_text()
    project = check(reaper, tmp_path / "state", 5.0, 0)
    drums = project.track("Drums").items[0]
    assert (drums.first_s, drums.length_s) == (5.0, pytest.approx(12.25, abs=0.002))
    cuts = [time_s for time_s, text in project.markers if text == "Hit: cut"]
    assert cuts == pytest.approx([8.0, 9.5, 13.25], abs=0.002)


def test_emulated_reaper_after_the_real_bridge_was_killed(reaper, bridges, real_film, tmp_path):
    """The next action starts another one, which still knows the score."""
    reaper.add_video(real_film, 0.0, 6.0, "{file_s = 12.0}")
    reaper.act(emulated.SCORE_ITEMS, bridges.start_wanted)
    assert reaper.messages == []
    bridges.started[0].send_signal(signal.SIGTERM)
    bridges.started[0].wait(20)
    time.sleep(0.1)
    reaper.act(emulated.NEXT_TAKE, bridges.start_wanted)
    assert reaper.messages == [] and len(bridges.started) == 2
    assert check(reaper, tmp_path / "state", 0.0, 1).track("Bass").items[0].active == 1


def test_emulated_reaper_and_a_film_the_bridge_cannot_read(reaper, bridges, tmp_path):
    film = tmp_path / "text.mp4"
    film.write_text("no film")
    reaper.add_video(film, 0.0, 6.0)
    before = reaper.fingerprint()
    reaper.act(emulated.SCORE_ITEMS, bridges.start_wanted)
    assert len(reaper.messages) == 1 and "text.mp4" in reaper.messages[0]
    assert reaper.fingerprint() == before and reaper.undo_names == []
