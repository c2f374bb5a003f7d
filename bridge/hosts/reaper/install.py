"""Put the scripts into REAPER's resource folder, and tell scripts and bridge where each other is.

Threads and processes: called by the command, in the main thread; nothing here talks to a running REAPER.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from hitpoint.bridge.config.settings import config_path
from hitpoint.bridge.errors import InputError, MissingError
from hitpoint.bridge.hosts.reaper import rows as file_rows
from hitpoint.bridge.session.capabilities import capabilities
from hitpoint.model.files import whole

PLUGIN = Path(__file__).parents[3] / "plugins" / "reaper"
PATTERNS = ("*.lua", "lib/*.lua")
OSC_FILE = "Hitpoint.ReaperOSC"


def resource_path(given: Path | None = None) -> Path:
    """REAPER's resource folder: `given` (a portable installation's own folder), else the system's usual one.

    Raises MissingError where it is not there.
    """
    if given is not None:
        folder = given.expanduser()
    elif sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA", "~")).expanduser() / "REAPER"
    elif sys.platform == "darwin":
        folder = Path("~/Library/Application Support/REAPER").expanduser()
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME", "~/.config")).expanduser() / "REAPER"
    if not folder.is_dir():
        raise MissingError(
            f"there is no REAPER resource folder {folder}; start REAPER once, or give the folder that it shows under "
            "Options > Show REAPER resource path with --resource-path"
        )
    return folder


def bridge_command() -> str:
    """The command line that runs `hitpoint` from a host that knows no PATH, quoted for REAPER's ExecProcess."""
    script = Path(sys.executable).with_name("hitpoint.exe" if sys.platform == "win32" else "hitpoint")
    if script.is_file():
        return f'"{script}"'
    return f'"{sys.executable}" -c "from hitpoint.bridge.cli import main; main()"'


def install_reaper(given: Path | None = None) -> list[str]:
    """Copy the scripts and the pattern file, and write what each side must know of the other. Returns lines to print.

    An older installation is replaced. Raises MissingError where the folder is not there or cannot be written,
    InputError where the bridge's configuration cannot be added to.
    """
    folder = resource_path(given)
    scripts, requests = folder / "Scripts" / "Hitpoint", folder / "Hitpoint"
    try:
        packaged = _packaged(scripts)
        if packaged is None:
            _copy(scripts)
        else:
            scripts = packaged
        (folder / "OSC").mkdir(exist_ok=True)
        _copy_file(PLUGIN / OSC_FILE, folder / "OSC" / OSC_FILE)
        requests.mkdir(exist_ok=True)
        file_rows.write(requests / "bridge.txt", "bridge", [("command", bridge_command())])
        names = [(kind, *capabilities()[kind]) for kind in ("genres", "instruments", "moods", "composers")]
        file_rows.write(requests / "names.txt", "names", names)
        config = _configure(requests)
    except OSError as error:
        raise MissingError(f"cannot write {error.filename or folder} ({error.strerror}); make it writable") from error
    first = (
        "1. Actions > Show action list > New action > Load ReaScript: Hitpoint_Settings.lua; running it adds the rest."
    )
    if packaged is not None:
        first = "1. ReaPack has put the actions into the action list already; no second copy of them was made."
    return [
        f"The scripts are in {scripts}; {folder / 'OSC' / OSC_FILE} and {config} are set up. By hand:",
        first,
        "2. To follow the playhead without a running script: Preferences > Control/OSC/Web > Add > OSC, "
        "pattern 'Hitpoint', device 127.0.0.1 port 7710, local port 8000.",
        "3. To hear the live notes: arm a track whose input is the MIDI port 'Hitpoint', and put an instrument on it.",
    ]


def _packaged(scripts: Path) -> Path | None:
    """The folder of a copy that ReaPack has installed; a second one would give each action twice."""
    marks = sorted(scripts.parent.rglob("lib/hitpoint.lua"))
    return next((mark.parents[1] for mark in marks if mark.parents[1] != scripts), None)


def _copy(scripts: Path) -> None:
    """The plugin's scripts, and no longer those that an older version had."""
    wanted = [path.relative_to(PLUGIN) for pattern in PATTERNS for path in sorted(PLUGIN.glob(pattern))]
    if not wanted:
        raise MissingError(f"the scripts are missing from {PLUGIN}; install hitpoint again")
    for old in [path for pattern in PATTERNS for path in scripts.glob(pattern)]:
        if old.relative_to(scripts) not in wanted:
            old.unlink()
    for name in wanted:
        (scripts / name).parent.mkdir(parents=True, exist_ok=True)
        _copy_file(PLUGIN / name, scripts / name)


def _copy_file(source: Path, target: Path) -> None:
    with whole(target) as part:
        shutil.copyfile(source, part)


def _configure(requests: Path) -> Path:
    """Name the folder in the bridge's configuration, and take REAPER's own OSC, unless the file speaks of aliases."""
    import yaml

    path = config_path()
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    lines = [line for line in lines if not line.startswith(("reaper_folder:", "reaper-folder:"))]
    if not any(line.startswith("aliases:") for line in lines):
        lines.append("aliases: [reaper]")
    lines.append("reaper_folder: '" + str(requests.absolute()).replace("'", "''") + "'")
    try:
        yaml.safe_load("\n".join(lines))
    except yaml.YAMLError as error:
        raise InputError(f"{path} does not have one key per line; add {lines[-1]!r} to it by hand") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
