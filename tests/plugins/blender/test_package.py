"""The zip, the repository's index, and their installation in real Blenders."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ADDON, HOSTS, command

from hitpoint.bridge.errors import InputError, MissingError
from hitpoint.bridge.hosts.blender import install as installer

WHEELS = ["4.2", "4.5", "5.0"]


def blender_ext(host: str) -> Path:
    command(host)
    return next(
        (HOSTS[host] / "lib").glob("python3*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    )


def packager(host: str, *arguments: object) -> str:
    """Blender's own packaging tool; it runs under plain Python 3.11."""
    python = HOSTS[host] / "bin" / "python"
    done = subprocess.run([python, blender_ext(host), *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("host", WHEELS)
def test_blenders_own_tool_accepts_the_folder_and_the_zip(host, tmp_path):
    packager(host, "validate", ADDON)
    packager(host, "build", "--source-dir", ADDON, "--output-dir", tmp_path)
    packager(host, "validate", installer.write_repository(tmp_path / "repository"))


@pytest.mark.parametrize("host", WHEELS)
def test_the_index_is_the_one_blenders_own_tool_writes(host, tmp_path):
    installer.write_repository(tmp_path)
    ours = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").unlink()
    packager(host, "server-generate", "--repo-dir", tmp_path)
    assert json.loads((tmp_path / "index.json").read_text()) == ours


@pytest.mark.parametrize("host", WHEELS)
def test_installed_enabled_and_loaded_again(host, tmp_path):
    package = installer.build(tmp_path / "hitpoint.zip", bridge=["/somewhere/hitpoint"])
    python = command(host)[0]
    environment = {"BLENDER_USER_RESOURCES": str(tmp_path / "user"), "PATH": "/usr/bin:/bin"}
    leave = "\nimport os\nsys.stdout.flush()\nos._exit(0)"  # see host.result: the 4.2 wheel crashes at exit
    install = [python, "-c", installer.INSTALL + leave, str(package)]
    done = subprocess.run(install, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0 and "INSTALLED" in done.stdout, done.stdout + done.stderr
    installed = tmp_path / "user" / "extensions" / "user_default" / "hitpoint"
    assert json.loads((installed / "bridge.json").read_text()) == {"command": ["/somewhere/hitpoint"]}
    again = (
        "import bpy, sys; bpy.ops.preferences.addon_enable(module='bl_ext.user_default.hitpoint')\n"
        "from bl_ext.user_default.hitpoint import compat, session\n"
        "print('PORT', session.client.port, compat.preferences().port, compat.folder())" + leave
    )
    done = subprocess.run([python, "-c", again], capture_output=True, text=True, timeout=60, env=environment)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("PORT")]
    assert line == f"PORT 7710 7710 {tmp_path}/user/extensions/.user/user_default/hitpoint"


def test_installed_in_a_blender_without_extensions(tmp_path, monkeypatch):
    blender = Path(command("3.4")[0])
    for name in ("CONFIG", "SCRIPTS"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"BLENDER_USER_{name}", str(tmp_path / name))
    lines = installer.install_blender(tmp_path / "repository", blender)
    assert any(line.startswith(f"installed in {blender} (3.4") for line in lines)
    noted = json.loads((tmp_path / "SCRIPTS" / "addons" / "hitpoint" / "bridge.json").read_text())["command"]
    assert subprocess.run([*noted, "--version"], capture_output=True, text=True).stdout.startswith("hitpoint")


def test_the_published_zip_is_reproducible_and_names_no_machine(tmp_path):
    first, second = installer.write_repository(tmp_path / "a"), installer.write_repository(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
    assert "hitpoint/bridge.json" not in names and "hitpoint/LICENSE" in names and "hitpoint/__init__.py" in names
    assert not any(name.endswith((".pyc", ".md", "/")) for name in names)


def test_the_manifest_keeps_blenders_rules():
    manifest = installer.read_manifest()
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later"] and "blender" not in manifest["name"].lower()
    for text in (*manifest["permissions"].values(), manifest["tagline"]):
        assert len(text) <= 64 and text[-1].isalnum()
    namespace: dict = {}
    exec((ADDON / "__init__.py").read_text().split("def register")[0], namespace)
    assert namespace["VERSION"] == manifest["version"]


def test_every_file_names_its_licence_and_uses_the_standard_library_only():
    for path in ADDON.glob("*.py"):
        source = path.read_text()
        assert source.startswith("# SPDX-License-Identifier: GPL-3.0-or-later\n")
        imports = [
            line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))
        ]
        allowed = sys.stdlib_module_names | {"bpy", ""}
        assert set(imports) <= allowed, path


def test_mistakes_are_said(tmp_path):
    with pytest.raises(MissingError, match="no Blender at"):
        installer.install_blender(tmp_path, tmp_path / "blender")
    (tmp_path / "blender").write_text("#!/bin/sh\necho not today >&2; exit 3\n")
    with pytest.raises(InputError, match="could not be run"):
        installer.install_blender(tmp_path, tmp_path / "blender")
    (tmp_path / "blender").chmod(0o755)
    with pytest.raises(InputError, match="did not accept the extension: not today"):
        installer.install_blender(tmp_path, tmp_path / "blender")


def test_without_any_blender_the_zip_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(installer, "find_blenders", list)
    lines = installer.install_blender(tmp_path, None)
    assert (tmp_path / "index.json").exists() and "Install from Disk" in lines[-1] and str(tmp_path) in lines[-1]


def test_the_blender_on_the_path_is_found(tmp_path, monkeypatch):
    program = tmp_path / "blender"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installer.find_blenders()[0] == program
