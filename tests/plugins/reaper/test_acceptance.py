"""The acceptance script for a person with REAPER, run in the *emulated* one: it must pass, and be able to fail."""

import shutil

from hitpoint.bridge.hosts.reaper import rows as file_rows
from tests.plugins.reaper.reaper_emulated import PLUGIN, Reaper


def lines_of(reaper: Reaper) -> list[str]:
    (reaper.folder / "Hitpoint").mkdir(parents=True, exist_ok=True)
    file_rows.write(reaper.folder / "Hitpoint" / "bridge.txt", "bridge", [("command", "hitpoint")])
    reaper.act("acceptance.lua")
    return "".join(reaper.lua("return emu.console")).splitlines()


def test_emulated_acceptance_passes_and_leaves_nothing(reaper):
    lines = lines_of(reaper)
    checks = [line for line in lines if line.startswith(("pass", "FAIL"))]
    assert [line for line in checks if line.startswith("FAIL")] == [] and len(checks) >= 20
    assert "ALL PASSED" in lines
    assert reaper.lua("return #emu.current.state.tracks") <= 1


def test_emulated_acceptance_touches_no_used_project(reaper, film):
    reaper.add_video(film, 0.0, 5.0)
    before = reaper.fingerprint()
    assert "empty project tab" in lines_of(reaper)[-1]
    assert reaper.fingerprint() == before


def test_emulated_acceptance_can_fail(tmp_path):
    copy = tmp_path / "planted"
    shutil.copytree(PLUGIN, copy)
    source = (copy / "lib" / "score.lua").read_text()
    planted = source.replace(
        "local first, missing = answer.range[1].first,", "local first, missing = answer.range[1].first + 0.01,"
    )
    assert planted != source
    (copy / "lib" / "score.lua").write_text(planted)
    reaper = Reaper(tmp_path / "resources", copy)
    try:
        assert any(line.startswith("FAIL") for line in lines_of(reaper))
    finally:
        reaper.close()
