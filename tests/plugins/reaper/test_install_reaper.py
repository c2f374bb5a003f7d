"""`hitpoint install reaper` into a folder that looks like REAPER's."""

import sys
from pathlib import Path

import pytest

from hitpoint.bridge.cli import main
from hitpoint.bridge.config.settings import load_config
from hitpoint.bridge.hosts.reaper import install as install_reaper
from hitpoint.bridge.hosts.reaper import rows as file_rows
from hitpoint.model.music.score import SHIPPED_GENRES
from tests.plugins.reaper.reaper_emulated import PLUGIN, SCORE_ITEMS, SETTINGS, Reaper


@pytest.fixture
def hitpoint(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HITPOINT_CONFIG", str(tmp_path / "conf" / "hitpoint.yaml"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def call(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["hitpoint", *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        return int(caught.value.code or 0), said.out, said.err

    return call


def test_install_copies_scripts_and_says_what_is_left(hitpoint, tmp_path):
    folder = tmp_path / "REAPER portable"
    folder.mkdir()
    code, out, err = hitpoint("install", "reaper", "--resource-path", folder)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 4 and [line[:2] for line in lines[1:]] == ["1.", "2.", "3."]
    installed = {path.relative_to(folder / "Scripts" / "Hitpoint") for path in (folder / "Scripts").rglob("*.lua")}
    assert installed == {path.relative_to(PLUGIN) for path in PLUGIN.rglob("*.lua")}
    assert (folder / "OSC" / "Hitpoint.ReaperOSC").is_file()
    config = load_config()
    assert Path(config.reaper_folder) == folder / "Hitpoint" and config.aliases == ["reaper"]
    [[_, command]] = file_rows.read(folder / "Hitpoint" / "bridge.txt", "bridge")
    assert command.startswith('"')


def test_install_beside_reapack_makes_no_second_copy(hitpoint, tmp_path):
    folder = tmp_path / "REAPER"
    packaged = folder / "Scripts" / "Hitpoint scripts" / "Music"
    (packaged / "lib").mkdir(parents=True)
    (packaged / "lib" / "hitpoint.lua").write_text("-- ReaPack's")
    code, out, _ = hitpoint("install", "reaper", "--resource-path", folder)
    assert code == 0 and str(packaged) in out and "no second copy" in out
    assert not (folder / "Scripts" / "Hitpoint").exists() and (folder / "Hitpoint" / "bridge.txt").is_file()


def test_install_tells_the_scripts_what_the_bridge_can_do(hitpoint, tmp_path):
    folder = tmp_path / "REAPER"
    folder.mkdir()
    hitpoint("install", "reaper", "--resource-path", folder)
    reaper = Reaper(folder)
    try:
        reaper.act(SETTINGS)
        captions = reaper.lua("return emu.captions")
    finally:
        reaper.close()
    assert f"Genre or auto ({' '.join(SHIPPED_GENRES)})," in captions and "Instruments (drums" in captions


def test_install_again_replaces_and_keeps_the_users_configuration(hitpoint, tmp_path):
    folder = tmp_path / "config" / "REAPER"
    folder.mkdir(parents=True)
    config = tmp_path / "conf" / "hitpoint.yaml"
    config.parent.mkdir()
    config.write_text("port: 7720\naliases: [qlab]\nreaper_folder: /elsewhere\n")
    old = folder / "Scripts" / "Hitpoint" / "Hitpoint_Of old.lua"
    old.parent.mkdir(parents=True)
    old.write_text("-- old")
    if sys.platform == "linux":
        assert hitpoint("install", "reaper")[0] == 0
    else:
        assert hitpoint("install", "reaper", "--resource-path", folder)[0] == 0
    assert hitpoint("install", "reaper", "--resource-path", folder)[0] == 0
    assert not old.exists() and not list(folder.rglob("*.part"))
    loaded = load_config()
    assert (loaded.port, loaded.aliases, loaded.reaper_folder) == (7720, ["qlab"], str(folder / "Hitpoint"))


def test_a_configuration_that_cannot_be_added_to_stays(hitpoint, tmp_path):
    config = tmp_path / "conf" / "hitpoint.yaml"
    config.parent.mkdir()
    config.write_text("{port: 7720}\n")
    (tmp_path / "resources").mkdir()
    code, _, err = hitpoint("install", "reaper", "--resource-path", tmp_path / "resources")
    assert code == 3 and "by hand" in err and err.count("\n") == 1
    assert config.read_text() == "{port: 7720}\n"


def test_installed_scripts_run(hitpoint, tmp_path):
    folder = tmp_path / "resources"
    folder.mkdir()
    hitpoint("install", "reaper", "--resource-path", folder)
    reaper = Reaper(folder, folder / "Scripts" / "Hitpoint")
    try:
        reaper.act(SCORE_ITEMS)
        assert "No item is selected" in reaper.messages[0]
    finally:
        reaper.close()


def test_every_host_with_a_plugin_can_be_installed(hitpoint):
    code, out, _ = hitpoint("install", "--help")
    assert code == 0 and [line.split()[0] for line in out.split("Commands:")[1].split("\n") if line.strip()] == [
        "blender",
        "reaper",
    ]
    code, _, err = hitpoint("install", "jack")
    assert code == 2 and err.startswith("error: this host needs no plugin") and err.count("\n") == 1
    assert "--blender" in hitpoint("install", "blender", "--help")[1]


def test_no_reaper_and_unwritable(hitpoint, tmp_path):
    code, _, err = hitpoint("install", "reaper", "--resource-path", tmp_path / "none")
    assert code == 4 and err.startswith("error: ") and "Show REAPER resource path" in err and err.count("\n") == 1
    folder = tmp_path / "resources"
    folder.mkdir()
    (folder / "Scripts").write_text("a file where a folder should be")
    code, _, err = hitpoint("install", "reaper", "--resource-path", folder)
    assert code == 4 and "cannot write" in err and err.count("\n") == 1


def test_the_bridges_command_can_be_run():
    import shlex
    import subprocess

    command = shlex.split(install_reaper.bridge_command())
    run = subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0 and "serve" in run.stdout
