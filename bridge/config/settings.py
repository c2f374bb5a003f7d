"""The configuration: one YAML file, every key with a default; command-line flags win over it.

Threads and processes: an immutable value, handed to every process at its start.
SETTINGS declares each key once (default, range, help); the file's check and the flags of `serve` come from it.
"""

# ruff: noqa: RUF009  (_setting is dataclasses.field with more to say)

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from hitpoint.bridge.errors import InputError, UsageError
from hitpoint.bridge.osc.protocol import DEFAULT_PORT
from hitpoint.model.music.score import INSTRUMENTS

FILE_NAME = "hitpoint.yaml"
TOKEN_VARIABLE = "HITPOINT_TOKEN"
FOLLOWED = ("midi", "link")
"""Whose clock may lead."""
CHANNELS = {"drums": 10, "piano": 1, "guitar": 2, "bass": 3, "strings": 4}
"""As in the MIDI files; counted from 1, as musicians do."""


def _setting(
    default: Any, help_line: str, choices: tuple[str, ...] = (), low: float = -1e9, high: float = 1e9, flag: str = ""
) -> Any:
    """A dataclass field with what is to be known about it; `flag`: its command-line form, if it has one."""
    about = {"help": help_line, "choices": choices, "low": low, "high": high, "flag": flag}
    if isinstance(default, dict | list):
        return field(default_factory=lambda: type(default)(default), metadata=about)
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class Config:
    """Every setting of the bridge. Ports 0..65535, times in seconds, channels 1..16 as musicians count them."""

    host: str = _setting("127.0.0.1", "Address to listen on; anything but loopback needs a token.", flag="--host")
    port: int = _setting(DEFAULT_PORT, "UDP port to listen on.", low=0, high=65535, flag="--port")
    token: str = _setting(
        "",
        "Shared secret that clients must send in hello; needed beyond loopback (better in token_file).",
        flag="--token",
    )
    token_file: str = _setting("", "File whose first line is the shared secret.", flag="--token-file")
    roots: list[str] = _setting([], "Folders that clips may be read from (none: home, media and temporary folders).")
    midi_port: str = _setting(
        "virtual",
        "virtual, none, (part of) the name of a port, or vkb[:HOST:PORT] for REAPER's virtual keyboard.",
        flag="--midi-port",
    )
    midi_api: str = _setting(
        "auto", "MIDI system.", choices=("auto", "alsa", "jack", "coremidi", "winmm"), flag="--midi-api"
    )
    midi_ports: str = _setting(
        "one", "One port with five channels, or five ports.", choices=("one", "five"), flag="--midi-ports"
    )
    midi_name: str = _setting(
        "",
        "The name of the bridge's own ports, one for each bridge (empty: Hitpoint; with --port, its number too).",
        flag="--midi-name",
    )
    channels: dict[str, int] = _setting(
        CHANNELS, "MIDI channel of each instrument, 1..16; one left out keeps its usual one."
    )
    programs: dict[str, int] = _setting({}, "Program of each instrument, 0..127, instead of the genre's.")
    banks: dict[str, int] = _setting({}, "Bank of each instrument, 0..16383 (bank select is sent where one is given).")
    volumes: dict[str, float] = _setting({}, "Volume of each instrument, 0..1 (1 where none is given).")
    synth: bool = _setting(True, "Play through the built-in synth where there is no MIDI system.", flag="--synth")
    synth_file: str = _setting("", "WAV file that the built-in synth plays into (empty: the loudspeaker).")
    midi_clock: bool = _setting(False, "Send MIDI clock, start, stop and song position.", flag="--midi-clock")
    mtc: bool = _setting(False, "Send MIDI time code.", flag="--mtc")
    mtc_fps: float = _setting(0.0, "Frames a second of the time code (0: the timeline's).", low=0, high=60)
    link: bool = _setting(False, "Join Ableton Link (needs the extra hitpoint[link]).", flag="--link")
    follow: str = _setting(
        "",
        "Follow a clock that leads: midi (a port of ours to send it to), midi:NAME (part of a port's name), or link.",
        flag="--follow",
    )
    jack_transport: bool = _setting(False, "Follow JACK's transport.", flag="--jack-transport")
    playhead_timeout_s: float = _setting(0.5, "A followed playhead silent for so long has stopped.", low=0.1, high=60)
    client_silence_s: float = _setting(
        60.0, "A client that has said nothing for so long is forgotten; one that only listens may need longer.", low=1,
        high=86400,
    )  # fmt: skip
    preroll_bars: int = _setting(2, "Bars composed before the bridge calls itself ready.", low=0, high=64)
    aliases: list[Any] = _setting(
        [], "Presets (as docs/osc-hosts.md lists them) or rules that turn other OSC into our own."
    )
    peers: list[Any] = _setting([], "Hosts to greet at the start: {address: host:port, send: [/address, values...]}.")
    reaper_folder: str = _setting("", "Folder of REAPER's file requests (empty: none).", flag="--reaper-folder")
    composer: str = _setting(
        "cmt",
        "Composer: cmt, library (stretches of --library's music, a section each, joined), match (one stretch of it), "
        "diffusion (tune and piano out of noise), or one that another package adds.",
        flag="--composer",
    )
    checkpoint: str = _setting(
        "", "Weights to compose with (empty: those that come with Hitpoint).", flag="--checkpoint"
    )
    library: str = _setting("", "Folder of MIDI files, or of shards, for composers that use one.", flag="--library")
    select: str = _setting(
        "emotion",
        "How the composer library chooses: emotion, association, match, or one that another package adds.",
        flag="--select",
    )
    association: str = _setting(
        "", "What --select association goes by, a file of `associate` (empty: what comes with Hitpoint).",
        flag="--association",
    )  # fmt: skip
    device: str = _setting("auto", "Where to compose.", choices=("auto", "cpu", "cuda"), flag="--device")
    threads: int = _setting(0, "Processor threads of a float32 network (0: one).", low=0, high=256, flag="--threads")
    state_dir: str = _setting("", "Folder of jobs and scores (empty: the system's place).", flag="--state-dir")
    log_dir: str = _setting("", "Folder of the logs (empty: the system's place).")
    realtime: bool = _setting(True, "Ask the system for real-time priority.", flag="--realtime")
    revive: bool = _setting(True, "Start the bridge again should its main process be killed.", flag="--revive")
    screen: bool = _setting(True, "Show the live screen where standard output is a terminal.", flag="--screen")
    test_composer: str = _setting("", "For tests: package.module:function that makes the composer.")
    tools: str = _setting("", "For tests: package.module:function that makes what the composing process works with.")

    @property
    def ports_name(self) -> str:
        """What the bridge's own MIDI ports are called: two bridges of one name would rewire each other's."""
        return self.midi_name or ("Hitpoint" if self.port == DEFAULT_PORT else f"Hitpoint {self.port}")

    @property
    def state_path(self) -> Path:
        """Where jobs and scores live."""
        return Path(self.state_dir or platformdirs.user_state_dir("hitpoint", appauthor=False))

    @property
    def log_path(self) -> Path:
        """Where the logs live."""
        if self.log_dir:
            return Path(self.log_dir)
        return Path(self.state_dir) / "log" if self.state_dir else Path(platformdirs.user_log_dir("hitpoint", False))

    @property
    def log_file(self) -> Path:
        """This bridge's own log: several bridges share the folder, and one that turns a file would break another's."""
        return self.log_path / f"hitpoint-{self.port}.log"

    @property
    def allowed_roots(self) -> tuple[Path, ...]:
        """The folders that clips may be read from, resolved."""
        roots = [Path(root).expanduser() for root in self.roots] or default_roots()
        return tuple(root.resolve() for root in roots)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the bridge."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    def channel_numbers(self) -> tuple[int, ...]:
        """Channel 0..15 of each instrument, in the order of INSTRUMENTS."""
        channels = {**CHANNELS, **self.channels}
        return tuple(int(channels[name]) - 1 for name in INSTRUMENTS)


def default_roots() -> list[Path]:
    """Home, the current folder, temporary files, and where systems mount further disks."""
    if sys.platform == "win32":
        drives = [Path(f"{letter}:\\") for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
        return [drive for drive in drives if drive.exists()]
    mounts = ("/Volumes", "/media", "/mnt", "/run/media")
    return [Path.home(), Path.cwd(), Path(tempfile.gettempdir()), *(Path(mount) for mount in mounts)]


def config_path() -> Path:
    """Where the configuration file is looked for: $HITPOINT_CONFIG, else the system's place."""
    named = os.environ.get("HITPOINT_CONFIG")
    return Path(named) if named else Path(platformdirs.user_config_dir("hitpoint", appauthor=False)) / FILE_NAME


def load_config(path: Path | None = None, **flags: Any) -> Config:
    """The configuration from the file (`path`, or the usual one if it is there), then the flags that are not None.

    Raises InputError where the file cannot be read or holds a wrong value, UsageError for a wrong flag.
    """
    source = path or config_path()
    values = _read(source) if path is not None or source.is_file() else {}
    for key, value in values.items():
        _check(key, value, f"{source}: ", InputError)
    given = {key: value for key, value in flags.items() if value is not None}
    for key, value in given.items():
        _check(key, value, "", UsageError)
    config = Config(**{**values, **given})
    config = replace(config, token=_token(config))
    _check_together(config)
    return config


def _token(config: Config) -> str:
    """The shared secret: as given, else the first line of the file, else from the environment.

    Raises InputError where the file cannot be read.
    """
    if config.token or not config.token_file:
        return config.token or os.environ.get(TOKEN_VARIABLE, "")
    path = Path(config.token_file).expanduser()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the token file {path}: {getattr(error, 'strerror', '') or error}") from error
    if not lines or not lines[0].strip():
        raise InputError(f"the token file {path} is empty; write the shared secret into its first line")
    return lines[0].strip()


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        values = yaml.safe_load(text) if text.strip() else {}
    except OSError as error:
        raise InputError(f"cannot read the configuration {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (see line {mark.line + 1})" if mark is not None else ""
        raise InputError(f"the configuration {path} is not valid YAML{where}; correct it or remove it") from error
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise InputError(f"the configuration {path} must hold keys and values")
    return {str(key).replace("-", "_"): value for key, value in values.items()}


_FIELDS = {setting.name: setting for setting in fields(Config)}
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}


def _check(key: str, value: object, where: str, error: type[InputError] | type[UsageError]) -> None:
    setting = _FIELDS.get(key)
    if setting is None:
        raise error(f"{where}unknown key {key!r}; known are {', '.join(_FIELDS)}")
    kind = str(setting.type).split("[")[0]
    wrong_bool = isinstance(value, bool) and kind != "bool"
    if wrong_bool or not isinstance(value, _TYPES[kind]):
        raise error(f"{where}{key} must be a {kind}, not {value!r}")
    about = setting.metadata
    if about["choices"] and value not in about["choices"]:
        raise error(f"{where}{key} must be one of {', '.join(about['choices'])}, not {value!r}")
    if isinstance(value, int | float) and not about["low"] <= value <= about["high"]:
        raise error(f"{where}{key} must lie in {about['low']:g}..{about['high']:g}, not {value!r}")
    if isinstance(value, dict):
        _check_instruments(key, value, where, error)


_INSTRUMENT_RANGES = {"channels": (1, 16), "programs": (0, 127), "banks": (0, 16383), "volumes": (0, 1)}


def _check_instruments(key: str, value: dict[Any, Any], where: str, error: type[InputError] | type[UsageError]) -> None:
    low, high = _INSTRUMENT_RANGES[key]
    for name, number in value.items():
        if name not in INSTRUMENTS:
            raise error(f"{where}{key}: no instrument {name!r}; choose from {', '.join(INSTRUMENTS)}")
        if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
            raise error(f"{where}{key}: {name} must lie in {low}..{high}, not {number!r}")


def _check_together(config: Config) -> None:
    if config.follow and config.follow.partition(":")[0] not in FOLLOWED:
        raise UsageError(f"follow must be midi, midi:NAME or link, not {config.follow!r}")
    if not config.is_loopback and len(config.token) < 8:
        raise UsageError(
            f"listening on {config.host} lets other machines in: set a shared token of 8 characters or more "
            f"(--token-file, or ${TOKEN_VARIABLE})"
        )
    numbers = config.channel_numbers()
    if len(set(numbers)) < len(numbers):
        raise UsageError("two instruments share a MIDI channel; give each its own")
