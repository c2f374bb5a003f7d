"""Real things for live tests: a JACK server, the bridge, a synth, an OSC client, and ears for MIDI and sound.

Everything has names and ports of its own, and ends by process id. Moments that are compared come from JACK's frames.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from heard import RATE, Heard

from hitpoint.bridge.osc import codec
from hitpoint.bridge.process import system

HERE = Path(__file__).parent


def ends_with_us(number=signal.SIGKILL):
    """For Popen's preexec_fn: the child gets this signal should this process be killed."""

    def ask():
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(1, int(number), 0, 0, 0)  # PR_SET_PDEATHSIG

    return ask


def need_jack():
    """Skip the module where JACK or its Python client is lacking."""
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed", allow_module_level=True)
    pytest.importorskip("jack", exc_type=(ImportError, OSError))


class JackServer:
    """`jackd -d dummy` under its own name; real-time if the system lets it. patience_ms: for a client that stalls.

    waits: for every client in every period, so that none misses one however busy the machine is; time then stands
    still for all of them alike, and `Ears(counted=True)` tell it as they do.
    """

    def __init__(self, period=64, name=None, patience_ms=500, realtime=True, waits=False):
        self.period, self.patience_ms, self.waits = period, patience_ms, waits
        self.realtime = realtime and os.geteuid() == 0
        self.name = name or f"hitpoint{os.getpid()}"
        self.process = None

    def __enter__(self):
        os.environ["JACK_DEFAULT_SERVER"] = self.name
        os.environ["JACK_NO_START_SERVER"] = "1"
        _forget_dead_servers()
        self.start()
        return self

    def start(self):
        realtime = ["-R", "-P20"] if self.realtime else ["-r"]
        driver = ["-d", "dummy", "-r", str(RATE), "-p", str(self.period)]
        waiting = ["-S"] if self.waits else []
        command = ["jackd", "-n", self.name, *realtime, *waiting, "-t", str(self.patience_ms), *driver]
        import jack

        jack.set_error_function(lambda text: None)
        jack.set_info_function(lambda text: None)
        for last in (False, False, True):  # the name of a server that has just gone may still count as taken
            self.process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=ends_with_us()
            )
            try:
                wait_for(lambda: _answers(jack), 10, "jackd")
                return
            except BaseException as error:
                self.stop()
                if last or not isinstance(error, AssertionError):
                    raise

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)  # after a synth that was ended by a signal it may wait for ever
        self.process.kill()
        self.process.wait()  # as long as it is a zombie, its name counts as taken

    def __exit__(self, *unused):
        self.stop()


def _forget_dead_servers():
    """JACK keeps 8 places for servers, and those of killed ones for ever: clear them, unless a server is alive."""
    if "jack-shm-registry" in Path("/proc/self/maps").read_text():
        return  # our own libjack holds the table already and would never see a new one
    names = Path("/proc").glob("[0-9]*/comm")
    alive = False
    for name in names:
        with contextlib.suppress(OSError):
            alive = alive or name.read_text().startswith("jackd")
    if not alive:
        for left in Path("/dev/shm").glob("jack*"):
            with contextlib.suppress(OSError):
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _answers(jack):
    try:
        jack.Client("hitpoint-look", no_start_server=True).close()
    except jack.JackOpenError:
        return False
    return True


def wait_for(condition, seconds, what, every=0.02):
    """Wait until `condition()` is true; fail after `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(every)
    raise AssertionError(f"{what}: not there after {seconds} s")


class Bridge:
    """`hitpoint serve` with the telling composer (or the real one: tools="")."""

    def __init__(self, folder, *flags, tools="live_fakes:make", bar_s=0.0, name="Hitpoint", **settings):
        self.folder, self.name = Path(folder), name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        config = {"tools": tools, "roots": ["/"], "midi_name": name, **settings}
        import yaml

        (self.folder / "hitpoint.yaml").write_text(yaml.safe_dump(config))
        self.command = [
            sys.executable, "-c", "from hitpoint.bridge.cli import main; main()", "serve", "--config",
            str(self.folder / "hitpoint.yaml"), "--port", str(self.port), "--state-dir", str(self.folder / "state"),
            "--no-screen", *flags,
        ]  # fmt: skip
        path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH", "")]))
        self.environment = {**os.environ, "FAKE_BAR_S": str(bar_s), "PYTHONPATH": path}
        self.process = None

    def __enter__(self):
        with (self.folder / "out.txt").open("w") as out:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                preexec_fn=ends_with_us(signal.SIGTERM),
            )  # fmt: skip
        try:
            wait_for(lambda: "MIDI goes to" in self.log(), 180, "the bridge's MIDI port")
        except BaseException:
            self.__exit__()
            raise
        return self

    def log(self):
        path = self.folder / "state" / "log" / f"hitpoint-{self.port}.log"
        return path.read_text() if path.exists() else ""

    def pids(self):
        """{"watchdog": pid, "clock": pid, "composer": pid} of the processes that run now."""
        watchdog = self.watchdog_pid()
        found = {"watchdog": watchdog}
        if system.PLAIN:  # they bear no names then
            told = re.findall(r"the (clock|composer) process is (\d+)", self.log())
            return found | {name: int(pid) for name, pid in told if _runs(int(pid))}
        children = Path(f"/proc/{watchdog}/task/{watchdog}/children").read_text().split() if watchdog else []
        for child in map(int, children):
            with contextlib.suppress(OSError):
                name = Path(f"/proc/{child}/comm").read_text().strip()
                if name in ("hp-clock", "hp-composer"):
                    found[name.removeprefix("hp-")] = child
        return found

    def watchdog_pid(self):
        """The process that listens for us now: ours, or the one that took over."""
        if self.process.poll() is None:
            return self.process.pid
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    line = (entry / "cmdline").read_text()
                    if f"\0{self.port}\0" in line and "--revived" in line:
                        return int(entry.name)
        return None

    def __exit__(self, *unused):
        for _ in range(50):
            pid = self.watchdog_pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.2)
            time.sleep(0.1)
        else:
            os.kill(pid, signal.SIGKILL)


def _runs(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Client:
    """An OSC client: `say` sends, `hear` reads what came; every message heard is kept with its moment."""

    def __init__(self, port, name="tester"):
        self.address = ("127.0.0.1", port)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.setblocking(False)
        for wider in (socket.SO_RCVBUF, getattr(socket, "SO_RCVBUFFORCE", socket.SO_RCVBUF)):
            with contextlib.suppress(OSError):  # what sixty jobs tell in a moment is more than the usual 200 kB
                self.sock.setsockopt(socket.SOL_SOCKET, wider, 8_000_000)
        self.heard = []
        self.name = name

    def __enter__(self):
        self.say("/hitpoint/hello", self.name, "1", 1)
        self.wait("/hitpoint/welcome", 10)
        return self

    def __exit__(self, *unused):
        self.sock.close()

    def say(self, *message):
        with contextlib.suppress(OSError):
            self.sock.sendto(codec.encode(*message), self.address)

    def hear(self):
        new = []
        while True:
            try:
                packet = self.sock.recv(65536)
            except OSError:
                break
            new += [(time.monotonic(), message) for message in codec.decode(packet)]
        self.heard += new
        return new

    def wait(self, address, seconds, fits=lambda arguments: True):
        """The arguments of the next message to `address` that fits."""

        def look():
            for _, message in self.hear():
                if message.address == address and fits(message.arguments):
                    return message
            return None

        return wait_for(look, seconds, address, every=0.005).arguments

    def score(self, job="film", path="/clips/32.mp4", start_s=0.0, wait=True, **pairs):
        """Send one clip and score it; wait for the result."""
        self.say("/hitpoint/clips/begin", job, 24.0, 1)
        self.say("/hitpoint/clip", job, 0, str(path), start_s, 0.0, -1.0)
        self.say("/hitpoint/clips/end", job, 1)
        self.wait("/hitpoint/progress", 10)
        self.say("/hitpoint/score", job, *(item for pair in pairs.items() for item in pair))
        return self.wait("/hitpoint/result", 300) if wait else None


class Ears(Heard):
    """Hears MIDI at a JACK input: (frame, message bytes). Optionally one channel of sound as well.

    counted: frames are those of the periods that came here, from 0, and not JACK's, which run on where one is lost.
    """

    def __init__(self, name="ears", sound_s=0.0, memory=None, counted=False):
        import jack

        super().__init__(sound_s, memory)
        self.counted = counted
        self.client = jack.Client(name, no_start_server=True)
        self.midi_in = self.client.midi_inports.register("midi")
        self.sound_in = self.client.inports.register("sound")
        self.client.set_process_callback(self._process)
        self.client.set_xrun_callback(lambda delayed_us: self.put_xrun(self.frame))
        self.client.activate()

    def _process(self, frames):
        at = self.passed if self.counted else self.client.last_frame_time
        self.put_period(frames)
        for offset, data in self.midi_in.incoming_midi_events():
            self.put(at + offset, bytes(data))
        if self.recording:
            self.put_sound(at, bytes(self.sound_in.get_buffer()))

    @property
    def frame(self):
        return self.passed if self.counted else self.client.frame_time

    def connect(self, source, seconds=10):
        import jack

        def there():
            with contextlib.suppress(jack.JackError, jack.JackErrorCode):
                self.client.connect(source, self.midi_in)
            return any(port.name == source for port in self.client.get_all_connections(self.midi_in))

        wait_for(there, seconds, f"a connection from {source}")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.client.deactivate()
        self.client.close()


class RemoteEars(Ears):
    """Ears in a process that does nothing else, so that nothing here makes them miss a period."""

    def __init__(self, name="ears", sound_s=0.0, counted=False):
        import jack

        Heard.__init__(self, sound_s)
        self.counted = counted
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_listen, args=(name, self.memory, counted, theirs), daemon=True)
        self.process.start()
        theirs.close()
        assert self.pipe.poll(30), "the ears do not come up"
        self.midi_in, self.sound_in = self.pipe.recv()
        self.client = jack.Client(f"{name}-desk", no_start_server=True)

    def __exit__(self, *unused):
        self.pipe.close()
        self.process.join(5)
        self.process.kill()
        self.client.close()


def _listen(name, memory, counted, pipe):
    gc.disable()
    with Ears(name, memory=memory, counted=counted) as ears:
        pipe.send((ears.midi_in.name, ears.sound_in.name))
        with contextlib.suppress(EOFError):
            pipe.recv()


def notes_on(events):
    """(frame, channel, pitch, velocity)"""
    return [(at, m[0] & 15, m[1], m[2]) for at, m in events if m[0] & 0xF0 == 0x90 and m[2]]


def hanging(events):
    """(channel, pitch) that were struck and neither released nor silenced."""
    on = set()
    for _, m in events:
        kind, channel = m[0] & 0xF0, m[0] & 15
        if kind == 0x90 and m[2]:
            on.add((channel, m[1]))
        elif kind in (0x80, 0x90):
            on.discard((channel, m[1]))
        elif kind == 0xB0 and m[1] in (120, 123):
            on = {note for note in on if note[0] != channel}
    return on


class Synth:
    """fluidsynth as a JACK client; MIDI at `midi`, sound at `sound` (left)."""

    FONTS = ("/usr/share/sounds/sf2/TimGM6mb.sf2", "/usr/share/sounds/sf2/default-GM.sf2")

    def __init__(self, name="synth"):
        self.name = name

    def __enter__(self):
        if shutil.which("fluidsynth") is None:
            pytest.skip("fluidsynth is not installed")
        font = next((path for path in self.FONTS if Path(path).exists()), None)
        if font is None:
            pytest.skip("no sound font for fluidsynth: apt-get install timgm6mb-soundfont")
        port = free_port()  # "-s" keeps it running without a shell, and wants a port for it
        self.process = subprocess.Popen(
            ["fluidsynth", "-i", "-s", "-a", "jack", "-m", "jack", "-r", str(RATE), "-R", "0", "-C", "0", "-g", "1.0",
             "-o", f"audio.jack.id={self.name}", "-o", f"midi.jack.id={self.name}", "-o", f"shell.port={port}", font],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=ends_with_us(),
        )  # fmt: skip
        import jack

        look = jack.Client("hitpoint-find", no_start_server=True)
        try:
            self.midi = wait_for(lambda: _port(look, self.name, True, True), 15, "fluidsynth's MIDI port")
            self.sound = wait_for(lambda: _port(look, self.name, False, False), 15, "fluidsynth's sound port")
        except BaseException:
            self.process.kill()
            raise
        finally:
            look.close()
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(3)
        self.process.kill()


def _port(look, name, is_midi, is_input):
    ports = look.get_ports(f"^{name}", is_midi=is_midi, is_audio=not is_midi, is_input=is_input, is_output=not is_input)
    return ports[0].name if ports else None
