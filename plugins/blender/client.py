# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversation with the bridge: connection, one job at a time, and its results. Knows nothing of Blender.

Threads: a daemon thread receives and only fills `_inbox`. Everything else belongs to the caller's thread and never
waits: `tick()` empties the queue, keeps the connection and sends what is due.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import socket
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from . import osc
from .timeline import Clip

PROTOCOL = 1
QUIET_S = 3.5  # the bridge sends its state once a second: after this long without a word it is away
HELLO_EVERY_S = 1.0
PING_EVERY_S = 15.0  # the bridge forgets a client after 60 s
AWAY_S, SILENT_S = 120.0, 300.0  # how long a job waits for a bridge that went away, or that says nothing of it
ASK_AGAIN_S = 2.0  # the clip list is acknowledged at once; else its end was lost
PACKETS_PER_TICK = 48  # more at once would overflow the bridge's socket buffer
STAGES = {
    "clips": (0.0, 0.05),
    "analyse": (0.05, 0.35),
    "plan": (0.4, 0.05),
    "compose": (0.45, 0.45),
    "write": (0.9, 0.1),
}


@dataclass
class Take:
    """A finished take: its index and the paths of its files (wav may be empty)."""

    job: Job
    index: int
    midi: str
    wav: str


@dataclass
class Job:
    """One edit to score. bars: index -> start; hits: (moment, kind); in seconds of the timeline.

    news: when the bridge last said something of it (monotonic seconds).
    """

    clips: list[Clip]
    fps: float
    options: tuple[str, ...]
    about: dict[str, Any] = field(default_factory=dict)  # the caller's own notes: file, scene, frames
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    stage: str = "clips"
    share: float = 0.0
    take: int = 0
    running: bool = True
    bars: dict[int, float] = field(default_factory=dict)
    hits: set[tuple[float, str]] = field(default_factory=set)
    takes: dict[int, Take] = field(default_factory=dict)
    news: float = 0.0

    def bar_starts(self) -> list[float]:
        """The starts of the bars known so far, in seconds, rising."""
        return [self.bars[index] for index in sorted(self.bars)]

    def progress(self) -> float:
        """0..1 over all stages."""
        begin, width = STAGES.get(self.stage, (0.0, 0.0))
        return begin + width * self.share


class Client:
    """One socket to the bridge on this machine. Call `tick` a few times a second; read the public fields any time."""

    def __init__(self, port: int, version: str) -> None:
        self.port, self.version = port, version
        self.state, self.bridge_version, self.midi_port = "away", "", ""
        self.bridge_state, self.error, self.echo_ms, self.late_ms = "", "", -1.0, -1.0
        self.job: Job | None = None
        self.changed = True
        self._inbox: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self._outbox: list[bytes] = []
        self._heard = self._hello = self._ping = self._sent = float("-inf")
        self._finished: list[Take] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._open = True
        self._thread = threading.Thread(target=self._receive, name="hitpoint-receive", daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        """The receive thread: bytes and the moment they came, into the queue."""
        while self._open:
            try:
                packet, sender = self._socket.recvfrom(65536)
            except ConnectionResetError:
                continue  # Windows says so when nobody listens at the bridge's port
            except OSError:
                return
            if sender == ("127.0.0.1", self.port):
                self._inbox.put((time.monotonic(), packet))

    def close(self) -> None:
        """Say goodbye and end the thread; waits at most half a second."""
        self.send("/hitpoint/bye")
        self._open = False
        with contextlib.suppress(OSError):  # a packet to ourselves wakes the thread; closing alone does not everywhere
            self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(0.5)
        self._socket.close()

    def send(self, address: str, *arguments: Any) -> None:
        """One message, at once, unless the clip list still waits to be sent: then behind it."""
        packet = osc.encode(address, *arguments)
        if self._outbox and not address.endswith("/time"):
            self._outbox.append(packet)
        else:
            self._put(packet)

    def _put(self, packet: bytes) -> None:
        with contextlib.suppress(OSError):  # UDP: a lost packet shows as silence, and silence as "away"
            self._socket.sendto(packet, ("127.0.0.1", self.port))

    def tick(self, now: float | None = None) -> list[Take]:
        """Do what is due. Returns the takes that finished since the last call, to be put in place."""
        now = time.monotonic() if now is None else now
        while True:
            try:
                came, packet = self._inbox.get_nowait()
            except queue.Empty:
                break
            self._heard = max(self._heard, came)
            with contextlib.suppress(ValueError):
                for address, values in osc.decode(packet):
                    self._take_message(address, values, came)
        self._keep_connection(now)
        for packet in self._outbox[:PACKETS_PER_TICK]:
            self._put(packet)
        del self._outbox[:PACKETS_PER_TICK]
        finished, self._finished = self._finished, []
        return finished

    @property
    def busy(self) -> bool:
        """Whether something is under way, so that the next tick should come soon."""
        return bool(self._outbox) or (self.job is not None and self.job.running)

    def _keep_connection(self, now: float) -> None:
        """Greet, ping, and give a job up that nothing has been heard of for too long."""
        if self.state != "away" and now - self._heard > QUIET_S:
            self.state, self.changed = "away", True
        if self.state != "connected" and now - self._hello > HELLO_EVERY_S:
            self._hello = now
            self._put(osc.encode("/hitpoint/hello", "blender", self.version, PROTOCOL))
        if self.state == "connected" and now - self._ping > PING_EVERY_S:
            self.echo(now)
        job = self.job
        if job is None or not job.running:
            return
        job.news = job.news or now
        if self.state != "connected" and now - job.news > AWAY_S:
            self.fail("The bridge has been away for two minutes: start it and score again.")
        elif now - job.news > SILENT_S:
            self.fail("The bridge has said nothing of this score for five minutes: score again, or restart the bridge.")
        elif self.state == "connected" and job.stage == "clips" and now - self._sent > ASK_AGAIN_S and not self._outbox:
            self._end_clips(job, now)

    def echo(self, now: float | None = None) -> None:
        """Ask the bridge for a sign of life; `echo_ms` will be the time there and back."""
        self._ping = time.monotonic() if now is None else now
        self._put(osc.encode("/hitpoint/ping", int(self._ping * 1e3) % 1000000))

    def start(self, job: Job) -> None:
        """Score `job`; a running one is cancelled. Without a bridge it waits for one."""
        self.cancel()
        self.job, self.error, self.changed = job, "", True
        if self.state == "connected":
            self._send_job(job)

    def ask(self, address: str, *arguments: Any) -> None:
        """A further wish on the present job: a take, a regeneration."""
        job = self.job
        if job is not None:
            job.running, job.stage, job.share, job.news = True, "compose", 0.0, 0.0
            self.error, self.changed = "", True
            self.send(address, job.id, *arguments)

    def cancel(self) -> None:
        """Give the running job up; what it still sends is ignored."""
        if self.job is not None and self.job.running:
            self._outbox.clear()
            self.send("/hitpoint/cancel", self.job.id)
            self.job.running, self.changed = False, True

    def fail(self, text: str) -> None:
        """Show `text` as the last error and end the running job."""
        self.error, self.changed = text, True
        if self.job is not None:
            self.job.running = False

    def _send_job(self, job: Job) -> None:
        """The clip list. The wish to score follows when the bridge has it whole."""
        job.stage, job.share = "clips", 0.0
        self._outbox = [osc.encode("/hitpoint/clips/begin", job.id, job.fps, len(job.clips))]
        self._send_clips(job, list(range(len(job.clips))))

    def _send_clips(self, job: Job, indexes: list[int]) -> None:
        for index in indexes:
            clip = job.clips[index]
            times = (clip.start_s, clip.in_s, clip.out_s, clip.rate)
            self._outbox.append(osc.encode("/hitpoint/clip", job.id, index, clip.path, *times))
        self._end_clips(job, time.monotonic())

    def _end_clips(self, job: Job, now: float) -> None:
        self._sent = now
        self._outbox.append(osc.encode("/hitpoint/clips/end", job.id, len(job.clips)))

    def _take_message(self, address: str, values: tuple[Any, ...], came: float) -> None:
        """One message of the bridge; one of an unknown shape is ignored, as the bridge may be newer."""
        with contextlib.suppress(TypeError, ValueError, IndexError):
            if address == "/hitpoint/welcome":
                self._on_welcome(*values[:4])
            elif address == "/hitpoint/state":
                self.bridge_state = str(values[0])
            elif address == "/hitpoint/late":
                self.late_ms = float(values[1])
            elif address == "/hitpoint/pong":
                self.echo_ms = (came - self._ping) * 1e3
            elif address == "/hitpoint/error":
                self._on_error(str(values[0]), str(values[1]), *values[2:3])
            elif self.job is not None and self.job.running and values[0] == self.job.id:
                self.job.news = came
                self._on_news(self.job, address, *values[1:])
            self.changed = True

    def _on_welcome(self, version: str, protocol: int, midi_port: str, state: str) -> None:
        self.bridge_version, self.midi_port, self.bridge_state = version, midi_port, state
        if protocol != PROTOCOL:
            self._other_protocol(f"The bridge speaks protocol {protocol}, this extension {PROTOCOL}.")
        elif self.state != "connected":
            self.state = "connected"
            if self.job is not None and self.job.running:
                self._send_job(self.job)

    def _other_protocol(self, text: str) -> None:
        self.state = "other"
        self.fail(f"{text} Update both: pip install -U hitpoint, then hitpoint install blender.")

    def _on_news(self, job: Job, address: str, *values: Any) -> None:
        if address == "/hitpoint/progress":
            if values[0] == "clips" and job.stage == "clips" and job.share < 1.0 <= values[1]:
                self.send("/hitpoint/score", job.id, *job.options)
                if job.take:
                    self.send("/hitpoint/take", job.id, job.take)
            job.stage, job.share = values[0], min(1.0, max(0.0, float(values[1])))
        elif address == "/hitpoint/bar":
            job.bars[int(values[0])] = float(values[1])
        elif address == "/hitpoint/marker":
            job.hits.add((round(float(values[0]), 6), str(values[1])))
        elif address == "/hitpoint/result":
            midi, wav, _report, index = values[:4]
            job.takes[index] = take = Take(job, index, midi, wav)
            if index == job.take:
                job.running = False
                self._finished.append(take)

    def _on_error(self, code: str, text: str, about: str = "") -> None:
        job = self.job if self.job is not None and self.job.running else None
        if about and (job is None or about != job.id):
            return
        unfinished = job is not None and job.stage == "clips"
        if code == "clips-missing" and job is not None:
            self._send_clips(job, [int(word) for word in text.split() if int(word) < len(job.clips)])
        elif code == "job" and unfinished and job is not None and job.share < 1.0:
            self._send_job(job)  # clips/begin itself was lost
        elif code == "protocol":
            self._other_protocol(text)
        elif about and code != "composer":
            self.fail(text)
        elif code != "underrun":  # "composer": it is started again and goes on with the job
            self.error = text


class Bridge:
    """The `hitpoint serve` that this Blender started, if any."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Path | None = None

    def start(self, command: list[str], port: int, folder: Path) -> str:
        """Launch it without waiting, its output in `folder`. Returns a sentence when that fails, else ""."""
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / f"bridge-{os.getpid()}.log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        try:
            with self._log.open("wb") as log:
                self._process = _spawn([*command, "serve", "--port", str(port)], log, environment)
        except OSError as error:
            return f"The bridge could not be started ({error.strerror}): set its path in the extension's preferences."
        return ""

    def died(self) -> str:
        """A sentence, once, when the bridge that was started has ended by itself; else ""."""
        if self._process is None or self._process.poll() is None or self._log is None:
            return ""
        self._process = None
        words = self._log.read_text("utf-8", "replace").strip().splitlines()
        return f"The bridge ended: {words[-1] if words else 'it said nothing; run `hitpoint serve` in a terminal'}"

    @property
    def starting(self) -> bool:
        """Whether a started bridge runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the bridge that this Blender started; it silences its notes by itself."""
        if self._process is not None:
            self._process.terminate()
            self._process = None


def _spawn(command: list[str], log: IO[bytes], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, creationflags=hidden
    )


def bridge_command(preferred: str, installed: list[str]) -> list[str]:
    """How to call `hitpoint`: the preferences' path, what `hitpoint install blender` noted down, or the PATH's; []."""
    if preferred:
        return [preferred]
    if installed and shutil.which(installed[0]):
        return installed
    found = shutil.which("hitpoint")
    return [found] if found else []
