"""Put the extension into the Blenders of this machine, and write the static repository that others can add by its URL.

Format: docs.blender.org/manual/en/latest/advanced/extensions (manifest 1.0.0, repository listing v1).
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hitpoint.bridge.errors import InputError, MissingError
from hitpoint.model.files import whole

PLUGIN = Path(__file__).parents[3] / "plugins" / "blender"
PLACES = {
    "linux": ("/opt/blender*/blender", "/usr/local/blender*/blender", "/snap/bin/blender", "~/blender*/blender"),
    "darwin": (
        "/Applications/Blender*.app/Contents/MacOS/Blender",
        "~/Applications/Blender*.app/Contents/MacOS/Blender",
    ),
    "win32": ("C:/Program Files/Blender Foundation/Blender*/blender.exe",),
}
INSTALL_TIMEOUT_S = 120.0
INSTALL = """
import sys
import bpy
package = sys.argv[-1]
if "extensions" in bpy.types.Preferences.bl_rna.properties:
    bpy.ops.extensions.package_install_files(
        filepath=package, repo="user_default", enable_on_install=True, overwrite=True)
    enabled = "bl_ext.user_default.hitpoint"
else:
    bpy.ops.preferences.addon_install(filepath=package, overwrite=True)
    bpy.ops.preferences.addon_enable(module="hitpoint")
    enabled = "hitpoint"
if enabled not in bpy.context.preferences.addons:
    sys.exit("the extension could not be enabled")
bpy.ops.wm.save_userpref()
print("INSTALLED", bpy.app.version_string)
"""
"""Runs inside Blender; its last argument is the zip. 4.2 and later have extensions, earlier ones add-ons."""


def install_blender(destination: Path | None, blender: Path | None) -> list[str]:
    """Build the extension, install it into `blender` (or every Blender found), write the repository's index.

    destination: folder for the zip and index.json; the user's data folder if None. Returns lines to print.
    Raises MissingError where `blender` is not there, InputError where an installation fails or takes too long.
    """
    folder = destination or _data_folder()
    package = write_repository(folder)
    lines = [f"wrote {package} and {folder / 'index.json'}"]
    programs = find_blenders() if blender is None else [blender]
    with tempfile.TemporaryDirectory() as temporary:
        local = build(Path(temporary) / package.name, bridge=bridge_command())
        lines += [f"installed in {program} ({_install(program, local)})" for program in programs]
    if programs:
        lines.append("In Blender: Video Sequencer, sidebar (N), tab Hitpoint")
    else:
        lines.append(
            f"no Blender found: give its path, or use Preferences > Get Extensions > Install from Disk on {package}"
        )
    return lines


def build(target: Path, bridge: list[str] | None = None) -> Path:
    """The extension as a zip that extensions (4.2 and later) and add-ons (earlier) are both installed from.

    bridge: how to call `hitpoint` on this machine, noted in the zip; None for one that is to be published.
    The bytes depend on the files alone. The zip appears whole or not at all.
    """
    if not (PLUGIN / "blender_manifest.toml").is_file():
        raise MissingError(f"the extension's files are not in {PLUGIN}: reinstall hitpoint")
    files = {
        path.name: path.read_bytes()
        for path in PLUGIN.iterdir()
        if path.suffix in (".py", ".toml") or path.name == "LICENSE"
    }
    if bridge is not None:
        files["bridge.json"] = json.dumps({"command": bridge}).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(
                zipfile.ZipInfo(f"hitpoint/{name}", (1980, 1, 1, 0, 0, 0)), files[name], zipfile.ZIP_DEFLATED
            )
    return target


def write_repository(folder: Path) -> Path:
    """hitpoint-VERSION.zip and index.json in `folder`: served by any web server, that is an extension repository."""
    manifest = read_manifest()
    package = build(folder / f"hitpoint-{manifest['version']}.zip")
    data = package.read_bytes()
    entry = {
        **manifest,
        "archive_url": f"./{package.name}",
        "archive_size": len(data),
        "archive_hash": "sha256:" + hashlib.sha256(data).hexdigest(),
    }
    index = {"version": "v1", "blocklist": [], "data": [entry]}
    with whole(folder / "index.json") as part:
        part.write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    return package


def read_manifest() -> dict[str, Any]:
    """The extension's manifest: texts, lists of texts and one level of tables, all that ours uses of TOML."""
    manifest: dict[str, Any] = {}
    table = manifest
    for line in (PLUGIN / "blender_manifest.toml").read_text("utf-8").splitlines():
        if line.startswith("["):
            table = manifest.setdefault(line.strip("[]"), {})
        elif "=" in line:
            key, _, value = line.partition("=")
            table[key.strip()] = ast.literal_eval(value.strip())
    return manifest


def find_blenders() -> list[Path]:
    """The Blender programs on the PATH and in the usual places of this system, each once."""
    on_path = shutil.which("blender")
    found = [Path(on_path)] if on_path else []
    for pattern in PLACES.get(sys.platform, ()):
        place = Path(pattern).expanduser()
        anchor = Path(place.anchor)
        found += sorted(anchor.glob(str(place.relative_to(anchor))))
    return list({path.resolve(): path for path in found if path.is_file()}.values())


def bridge_command() -> list[str]:
    """How the extension is to call this very `hitpoint`."""
    script = Path(sysconfig.get_path("scripts")) / ("hitpoint.exe" if os.name == "nt" else "hitpoint")
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-c", "from hitpoint.bridge.cli import main; main()"]


def _data_folder() -> Path:
    import platformdirs

    return platformdirs.user_data_path("hitpoint", appauthor=False) / "blender"


def _install(program: Path, package: Path) -> str:
    """Install `package` by `program`; returns Blender's version."""
    if not program.is_file():
        raise MissingError(f"no Blender at {program}: give the path of the program itself")
    call = [str(program), "--background", "--python-exit-code", "1", "--python-expr", INSTALL, "--", str(package)]
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{program} took over {INSTALL_TIMEOUT_S:g} s: install {package.name} from its preferences"
        ) from None
    except OSError as error:
        raise InputError(
            f"{program} could not be run ({error.strerror}): give the path of the program itself"
        ) from None
    versions = [line for line in done.stdout.splitlines() if line.startswith("INSTALLED ")]
    if done.returncode or not versions:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise InputError(f"{program} did not accept the extension: {words[-1] if words else 'it said nothing'}")
    return versions[-1].removeprefix("INSTALLED ")
