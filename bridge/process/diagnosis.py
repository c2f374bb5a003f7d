"""What `hitpoint doctor` looks at. Each check says what it found and, where something lacks, what brings it.

Threads and processes: called by the command, in its own process; nothing here is used while the bridge runs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hitpoint.bridge.config.settings import Config, config_path
from hitpoint.bridge.errors import HitpointError
from hitpoint.bridge.ipc.channel import wait_for_any
from hitpoint.bridge.midi.ports import NO_PORT, VIRTUAL, RtMidiSink, api_name, find_api, list_ports, silence
from hitpoint.bridge.process import system

TEST_NOTES = 200
TEST_GAP_S = 0.005
NEEDED = {"torch": "torch", "cv2": "opencv-python-headless", "av": "av", "mido": "mido"}


@dataclass(frozen=True)
class Finding:
    """kind: "ok", "info" (worth knowing, the main job works without) or "lack". remedy: a command or a deed."""

    kind: str
    subject: str
    text: str
    remedy: str = ""


def diagnose(config: Config, note: bool = True) -> Iterator[Finding]:
    """All findings, one by one as they are made."""
    checks: list[Callable[[Config], Iterator[Finding]]] = [
        _python,
        _programs,
        _configuration,
        _osc_port,
        _midi,
        _priority,
        _lateness,
        _extras,
    ]
    if note:
        checks.insert(5, _test_note)
    for check in checks:
        yield from check(config)


def _python(config: Config) -> Iterator[Finding]:
    yield Finding("ok", "Python", sys.version.split()[0])
    for module, package in NEEDED.items():
        if importlib.util.find_spec(module) is None:
            yield Finding("lack", package, "is not installed", f"{sys.executable} -m pip install {package}")


def _programs(config: Config) -> Iterator[Finding]:
    found = shutil.which("ffmpeg")
    if found:
        yield Finding("ok", "ffmpeg", found)
    else:
        yield Finding("info", "ffmpeg", "is not there; only --mux needs it", _install("ffmpeg"))
    if importlib.util.find_spec("tinysoundfont") is None:
        remedy = f"{sys.executable} -m pip install --no-deps tinysoundfont"
        yield Finding("info", "tinysoundfont", "is not there; WAV files and the built-in synth need it", remedy)


def _configuration(config: Config) -> Iterator[Finding]:
    path = config_path()
    yield Finding("ok", "configuration", str(path) if path.is_file() else f"defaults ({path} is not there)")
    try:
        config.state_path.mkdir(parents=True, exist_ok=True)
        writable = os.access(config.state_path, os.W_OK)
    except OSError:
        writable = False
    if writable:
        yield Finding("ok", "scores", str(config.state_path))
    else:
        yield Finding("lack", "scores", f"{config.state_path} cannot be written", "name another with --state-dir")


def _osc_port(config: Config) -> Iterator[Finding]:
    where = f"{config.host}:{config.port}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((config.host, config.port))
        except OSError:
            yield Finding("info", "OSC", f"{where} is taken, by a running bridge or another program")
            return
    yield Finding("ok", "OSC", f"{where} is free")


def _midi(config: Config) -> Iterator[Finding]:
    try:
        api = find_api(config.midi_api)
    except HitpointError as error:
        yield Finding("info", "MIDI", f"{error}; the built-in synth plays instead", _midi_remedy())
        return
    names = list_ports(api)
    yield Finding("ok", "MIDI", f"{api_name(api)}; ports to play to: {', '.join(names) or 'none but our own'}")
    if config.midi_port not in (VIRTUAL, NO_PORT) and not any(config.midi_port.lower() in n.lower() for n in names):
        yield Finding("lack", "MIDI port", f"{config.midi_port!r} is not there", "choose one of `hitpoint ports`")
    if sys.platform == "win32" and config.midi_port == VIRTUAL:
        yield Finding(
            "lack", "MIDI port", "Windows has no virtual ports", "make one with loopMIDI, name it --midi-port"
        )


def _test_note(config: Config) -> Iterator[Finding]:
    if config.midi_port == NO_PORT:
        return
    try:
        sink = RtMidiSink(config.midi_port, find_api(config.midi_api), "Hitpoint doctor")
    except (HitpointError, OSError) as error:
        yield Finding("info", "test note", f"not sent: {error}")
        return
    try:
        sink.send(bytes((0x90, 60, 80)))
        time.sleep(0.3)
        sink.send(bytes((0x80, 60, 0)))
        silence(sink)
        time.sleep(0.1)
    finally:
        sink.close()
    heard = "a virtual port: only what is connected to it at once hears it" if config.midi_port == VIRTUAL else "sent"
    yield Finding("ok", "test note", f"middle C to {config.midi_port} ({heard})")


def _priority(config: Config) -> Iterator[Finding]:
    if not system.knows_realtime():
        yield Finding("info", "real-time priority", "this system has no SCHED_FIFO; the clock runs as it is")
        return
    ask = "import sys; from hitpoint.bridge.process import system; sys.exit(not system.become_realtime())"
    if subprocess.run([sys.executable, "-c", ask], check=False).returncode == 0:  # so that this process stays as it is
        yield Finding("ok", "real-time priority", "granted (SCHED_FIFO)")
        return
    remedy = (
        "echo '@audio - rtprio 95' | sudo tee /etc/security/limits.d/audio.conf; sudo usermod -aG audio $USER;"
        " then log in again"
    )
    yield Finding("info", "real-time priority", "not granted: notes may be some milliseconds late under load", remedy)


def _lateness(config: Config) -> Iterator[Finding]:
    """How late a timer wakes here, over TEST_NOTES moments 5 ms apart: the floor of every note's lateness."""
    system.sharpen_timers()
    late = []
    due_s = time.monotonic()
    for _ in range(TEST_NOTES):
        due_s += TEST_GAP_S
        wait_for_any([], [], max(0.0, due_s - time.monotonic()))
        late.append(1000 * (time.monotonic() - due_s))
    late.sort()
    p50, p99 = late[len(late) // 2], late[int(0.99 * len(late))]
    text = (
        f"a timer wakes {p50:.2f} ms late at the median, {p99:.2f} ms at p99 ({TEST_NOTES} moments, ordinary priority)"
    )
    yield Finding("ok" if p99 < 5 else "info", "lateness", text)
    with contextlib.suppress(OSError, AttributeError):
        load = os.getloadavg()[0] / (os.cpu_count() or 1)
        if load > 1:
            yield Finding("info", "load", f"{load:.1f} processes want each core: close what is not needed")


def _extras(config: Config) -> Iterator[Finding]:
    pip = f"{sys.executable} -m pip install"
    if sys.platform == "linux" and importlib.util.find_spec("jack") is None:
        text = "is not there: after a crash JACK's connections are not made again, and its transport is not followed"
        yield Finding("info", "JACK-Client", text, f"{pip} JACK-Client")
    if config.link and importlib.util.find_spec("link") is None:
        yield Finding("lack", "Ableton Link", "is switched on, but its package is not there", f"{pip} 'hitpoint[link]'")


def _install(package: str) -> str:
    if sys.platform == "darwin":
        return f"brew install {package}"
    if sys.platform == "win32":
        return f"winget install {package}"
    return f"sudo apt-get install {package}"


def _midi_remedy() -> str:
    if sys.platform == "win32":
        return "install loopMIDI and make a port"
    if sys.platform == "darwin":
        return "open Audio MIDI Setup and switch the IAC driver on"
    return "sudo modprobe snd-seq, or sudo apt-get install jackd2 && jackd -d dummy &"
