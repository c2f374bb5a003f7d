# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversation with the bridge: connection, one job at a time, and its results. Knows nothing of Blender.

Threads: a daemon thread receives and only fills `_inbox`. Everything else belongs to the caller's thread and never
waits: `tick()` empties the queue, keeps the connection and sends what is due.
"""

from __future__ import annotations

import contextlib
import filecmp
import glob
import itertools
import json
import os
import queue
import random
import shutil
import socket
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import osc
from .timeline import Clip

PROTOCOL = 2
QUIET_S = 3.5  # the bridge sends its state once a second: after this long without a word it is away
HELLO_EVERY_S = 1.0
KEEP_S = 15.0  # the bridge forgets a client after 60 s
SILENT_S = 300.0  # how long a job waits for a word of the bridge
ASK_AGAIN_S = 2.0  # the clip list is acknowledged at once; else its end was lost
PACKETS_PER_TICK = 48  # more at once would overflow the bridge's socket buffer
STAGES = ["clips", "analyse", "plan", "compose", "write"]
OTHER = (
    "The bridge and this extension are of different versions. "
    "Update both: pip install -U hitpoint, then hitpoint install blender."
)
BOUNDS = [0.0, 0.05, 0.4, 0.45, 0.9, 1.0]  # of the stages, as shares of the whole


@dataclass(eq=False)
class Take:
    """A finished take: its index and the paths of its files (wav may be empty).

    edition: of its notes, by which the bridge knows them again. stems: instrument -> file. show: False for one that is
    only to be kept at hand.
    """

    job: Job
    index: int
    midi: str
    wav: str
    edition: int = -1
    stems: dict[str, str] = field(default_factory=dict)
    show: bool = True


@dataclass(eq=False)
class Job:
    """One edit to score. bars: index -> start; hits: (moment, kind); in seconds of the timeline.

    start_s: where the music begins. cuts: how many were hit, of how many, and the moments of the others. mood: lines
    on the film's mood, and on what was suggested and why.
    folder, title: where the finished files are to be kept, and under which name; empty: in the bridge's own folder.
    request: the number of the latest further wish; an answer brings it back.
    share: of its present stage, progress: of all stages, 0..1. wish: the message that asked for more than the score,
    empty before one did. news: when the bridge last spoke of it (monotonic s).
    """

    clips: list[Clip]
    fps: float
    options: tuple[str | float | int, ...]
    about: dict[str, Any] = field(default_factory=dict)  # the caller's own notes: file, scene, frames
    start_s: float = 0.0
    folder: str = ""
    title: str = "music"
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    stage: str = "clips"
    share: float = 0.0
    progress: float = 0.0
    take: int = 0
    wish: tuple[Any, ...] = ()
    running: bool = True
    bars: dict[int, float] = field(default_factory=dict)
    hits: set[tuple[float, str]] = field(default_factory=set)
    takes: dict[int, Take] = field(default_factory=dict)
    news: float = 0.0
    request: int = 0
    cuts: tuple[int, int, list[float]] = (0, 0, [])
    mood: list[str] = field(default_factory=list)

    def bar_starts(self) -> list[float]:
        """The starts of the bars known so far, in seconds, rising."""
        return [self.bars[index] for index in sorted(self.bars)]

    def read_report(self, path: Path) -> None:
        """Bars and hit points as the file has them: a packet may be lost, or be another job's turn when it is due."""
        report, origin = json.loads(path.read_text("utf-8")), self.start_s
        self.bars = {bar["index"]: origin + bar["start_s"] for bar in report["bars"]}
        self.hits = {(round(origin + hit["time_s"], 6), hit["kind"]) for hit in report["hits"]}
        cuts = report["cuts"]
        self.cuts = cuts["hit"], cuts["found"], [origin + time_s for time_s in cuts["missed_s"]]
        self.mood = mood_lines(report)


def mood_lines(report: dict[str, Any]) -> list[str]:
    """The mood of each stretch of the film, and the suggestion with its reasons, as the report has them."""
    moods: list[str] = []
    for section in report.get("sections", ()):
        if section["mood"] and moods[-1:] != [section["mood"]]:
            moods.append(section["mood"])
    lines = [f"Mood: {', '.join(moods)}"] if moods else []
    found = report.get("suggestion")
    if found:
        lines.append(f"Suggested: {found['genre']}, {found['mood']} ({'; '.join(found['why'])})")
    return lines


class Client:
    """One socket to the bridge on this machine. Call `tick` a few times a second; read the public fields any time."""

    def __init__(self, port: int, version: str) -> None:
        self.port, self.version = port, version
        self.state = "away"  # or "connected", or "other": a bridge of another protocol
        self.bridge_version = self.midi_port = self.error = ""
        self.echo_ms = self.late_ms = -1.0
        self.job: Job | None = None
        self.names: dict[str, list[str]] = {}  # what the bridge can do, by kind, as it has said
        self.finished: list[Take] = []  # to be put in place by the caller
        self.changed = True
        self._kept: queue.SimpleQueue[tuple[Take, str]] = queue.SimpleQueue()
        self._inbox: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self._outbox: list[bytes] = []
        self._heard = self._greeted = self._pinged = self._sent = float("-inf")
        self._open = True
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.connect(("127.0.0.1", port))  # hears nobody else from now on
        self._thread = threading.Thread(target=self._receive, name="hitpoint-receive", daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        """The receive thread: bytes and the moment they came, into the queue."""
        while self._open:
            try:
                packet = self._socket.recv(65536)
                self._inbox.put((time.monotonic(), packet))
            except ConnectionError:
                continue  # nobody listens at the bridge's port
            except OSError:
                return

    def close(self) -> None:
        """Say goodbye and end the thread; waits at most half a second."""
        self.send("/hitpoint/bye")
        self._open = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread; closing alone does not everywhere
        self._thread.join(0.5)
        self._socket.close()

    def send(self, address: str, *arguments: Any) -> None:
        """One message, at once."""
        self.put(osc.encode(address, *arguments))

    def put(self, packet: bytes) -> None:
        """A packet, at once. One that is lost shows as silence, and silence as "away"."""
        with contextlib.suppress(OSError):
            self._socket.send(packet)

    def tick(self, now: float | None = None) -> None:
        """Do what is due."""
        now = time.monotonic() if now is None else now
        self._hear()
        self._keep_connection(now)
        if self.job is not None and self.job.running:
            self._keep_job(self.job, now)
        for packet in self._outbox[:PACKETS_PER_TICK]:
            self.put(packet)
        del self._outbox[:PACKETS_PER_TICK]

    def _hear(self) -> None:
        """Act on all that came."""
        while not self._inbox.empty():
            self._heard, packet = self._inbox.get()
            with contextlib.suppress(ValueError, TypeError, IndexError):  # unknown to us: the bridge may be newer
                self._take_message(*osc.decode(packet))
        while not self._kept.empty():
            self._on_kept(*self._kept.get())

    @property
    def busy(self) -> bool:
        """Whether something is under way, so that the next tick should come soon."""
        return bool(self._outbox) or (self.job is not None and self.job.running)

    def _keep_connection(self, now: float) -> None:
        if self.state != "away" and now - self._heard > QUIET_S:
            self.state, self.changed = "away", True
        if now - self._greeted > (KEEP_S if self.state == "connected" else HELLO_EVERY_S):
            self._greeted = now
            self.put(osc.encode("/hitpoint/hello", "blender", self.version, PROTOCOL))

    def _keep_job(self, job: Job, now: float) -> None:
        """Give up a job that has been silent for too long; ask again about its clips."""
        job.news = job.news or now
        if now - job.news > SILENT_S:
            self.fail("The bridge has said nothing of this score for five minutes: restart the bridge and score again.")
        elif self.state == "connected" and job.stage == "clips" and now - self._sent > ASK_AGAIN_S and not self._outbox:
            self._send_job(job)

    def echo(self) -> None:
        """Ask the bridge for a sign of life; `echo_ms` will be the time there and back."""
        self.echo_ms, self._pinged = -1.0, time.monotonic()
        self.put(osc.encode("/hitpoint/ping", 0))

    def start(self, job: Job) -> None:
        """Score `job`; a running one is cancelled. Without a bridge it waits for one."""
        self.cancel()
        self.job, self.error, self.changed = job, "", True
        if self.state == "connected":
            self._send_job(job)

    def ask(self, address: str, *arguments: Any) -> None:
        """A further wish on the present job: a take, a regeneration. Without a bridge it waits for one."""
        self._hear()  # what still comes of an earlier wish, its cancelling perhaps, is not about this one
        job = self.job
        if job is not None:
            known = job.takes.get(job.take)
            edition = known.edition if known is not None and not job.running else -1
            job.request = random.randrange(1, 1 << 31)
            job.wish = (address, job.id, *arguments, job.request, edition)
            job.running, job.stage, job.progress, job.news = True, "compose", 0.0, 0.0
            self.error, self.changed = "", True
            if self.state == "connected":
                self.send(*job.wish)

    def choose(self, index: int) -> None:
        """Have a take of the present job put in place; one not yet there, or just being rewritten, is waited for."""
        job = self.job
        if job is not None:
            job.take, take = index, job.takes.get(index)
            if take is not None and not job.running and Path(take.wav or take.midi).is_file():
                take.show, job.request = True, random.randrange(1, 1 << 31)
                self.finished.append(take)
                self.send("/hitpoint/take", job.id, index, job.request, take.edition)
            else:
                self.ask("/hitpoint/take", index)

    def cancel(self) -> None:
        """Give up the running job; whatever it still sends is ignored."""
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
        """The clip list, sent again where part of it was lost. The request to score follows once the bridge has all of
        it."""
        job.stage, job.share, job.progress, self._sent = "clips", 0.0, 0.0, time.monotonic()
        rows: list[list[float | str]] = [
            [clip.path, clip.start_s, clip.in_s, clip.out_s, clip.rate] for clip in job.clips
        ]
        for row, clip in zip(rows, job.clips, strict=True):
            if clip.fade_s:
                row.append(clip.fade_s)
        clips = [osc.encode("/hitpoint/clip", job.id, index, *row) for index, row in enumerate(rows)]
        begin = osc.encode("/hitpoint/clips/begin", job.id, job.fps, len(clips))
        self._outbox = [begin, *clips, osc.encode("/hitpoint/clips/end", job.id, len(clips))]

    def _take_message(self, address: str, values: list[Any]) -> None:
        job = self.job if self.job is not None and self.job.running else None
        if address == "/hitpoint/result" and self.job is not None and values[0] == self.job.id:
            self._on_result(self.job, *values[1:])
            self.changed = True
            return
        if address == "/hitpoint/welcome":
            self._on_welcome(*values[:3])
        elif address == "/hitpoint/late":
            self.late_ms = values[1]
        elif address == "/hitpoint/pong":
            self.echo_ms = (self._heard - self._pinged) * 1e3
        elif address == "/hitpoint/error":
            self._on_error(job, *values[:4])
        elif address == "/hitpoint/capabilities":
            self.names[values[0]] = values[1:]
        elif job is not None and values[0] == job.id:
            job.news = self._heard
            self._on_news(job, address, *values[1:])
        else:
            return
        self.changed = True

    def _on_welcome(self, version: str, protocol: int, midi_port: str) -> None:
        self.bridge_version, self.midi_port = version, midi_port
        if protocol != PROTOCOL:
            self._on_error(None, "protocol", OTHER, "")
        elif self.state != "connected":
            self.state = "connected"
            self.send("/hitpoint/capabilities")
            if self.job is not None and self.job.running:
                if self.job.wish:  # a bridge remembers its scores
                    self.send(*self.job.wish)
                else:
                    self._send_job(self.job)

    def _on_news(self, job: Job, address: str, *values: Any) -> None:
        if address == "/hitpoint/progress":
            stage, share = values
            if stage == job.stage == "clips" and job.share < 1.0 <= share:
                self.send("/hitpoint/score", job.id, *job.options)
            begin, end = BOUNDS[STAGES.index(stage) :][:2]
            job.stage, job.share, job.progress = stage, share, begin + (end - begin) * share
        elif address == "/hitpoint/bar":
            job.bars[values[0]] = values[1]
        elif address == "/hitpoint/marker":
            job.hits.add((round(values[0], 6), values[1]))

    def _on_result(self, job: Job, midi: str, wav: str, report: str, index: int, request: int, edition: int) -> None:
        """A take is finished: the one that is waited for, or another that is kept at hand."""
        answers = job.running and index == job.take and request == job.request
        if index == job.take and not answers:
            return  # of an earlier wish, or of one that was called off
        if answers:
            job.news = self._heard
            with contextlib.suppress(OSError, ValueError, KeyError):  # without it, what the messages told will do
                job.read_report(Path(report))
        take = Take(job, index, midi, wav, edition, stems_of(wav), answers)
        threading.Thread(target=self._keep, args=(take,), name="hitpoint-keep", daemon=True).start()

    def _keep(self, take: Take) -> None:
        """In a thread of its own: put the files where the project keeps its music."""
        problem = ""
        if take.job.folder:
            try:
                keep_files(take, Path(take.job.folder))
            except OSError as error:
                problem = f"The music could not be kept beside the project ({error.strerror}); it lies in {take.wav}."
        self._kept.put((take, problem))

    def _on_kept(self, take: Take, problem: str) -> None:
        job, self.changed = take.job, True
        self.error = problem or self.error
        job.takes[take.index] = take
        take.show = take.show and job.running
        if take.show:
            job.running = False
        if job is self.job:
            self.finished.append(take)

    def _on_error(self, job: Job | None, code: str, text: str, about: str, request: int = 0) -> None:
        if request and (job is None or request != job.request):
            return  # of an earlier wish
        if about and code != "underrun" and (job is None or about != job.id):
            return
        if code in ("clips-missing", "job") and job is not None and job.stage == "clips" and job.share < 1.0:
            self._send_job(job)
        elif code == "protocol":
            self.state = "other"
            self.fail(OTHER)
        elif about and code not in ("composer", "underrun"):  # the composer is started again and goes on with the job
            self.fail(text)
        else:
            self.error = text


def stems_of(wav: str) -> dict[str, str]:
    """Instrument -> file of the stems that lie beside a WAV."""
    path = Path(wav)
    found = sorted(path.parent.glob(f"{glob.escape(path.stem)}-*.wav")) if wav else []
    return {each.stem.rpartition("-")[2]: str(each) for each in found if each.stem.rpartition("-")[0] == path.stem}


def keep_files(take: Take, folder: Path) -> None:
    """Put a take's files into `folder`, under names that an editor knows again. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for version in itertools.count(1):
        name = f"{take.job.title}, take {'ABC'[take.index]}" + (f", version {version}" if version > 1 else "")
        files = {take.midi: folder / f"{name}.mid", take.wav: folder / f"{name}.wav"}
        files |= {path: folder / f"{name}, {part}.wav" for part, path in take.stems.items()}
        files.pop("", None)
        if all(not path.exists() or filecmp.cmp(source, path, shallow=False) for source, path in files.items()):
            break  # what is there of that name is the same, or nothing
    kept = {source: _kept(source, path) for source, path in files.items()}
    take.midi, take.wav = kept[take.midi], kept.get(take.wav, "")
    take.stems = {part: kept[path] for part, path in take.stems.items()}


def _kept(source: str, path: Path) -> str:
    if not path.exists():
        part = path.with_name(f".{path.name}.part")
        shutil.copyfile(source, part)
        part.replace(path)
    return str(path)


class Bridge:
    """The `hitpoint serve` that this Blender started, if any."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._log = Path()

    def start(self, command: list[str], port: int, folder: Path) -> str:
        """Launch it without waiting, its output in `folder`. Returns a sentence when that fails, else ""."""
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / f"bridge-{os.getpid()}.log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            with self._log.open("wb") as log:
                call = [
                    *command,
                    "serve",
                    "--port",
                    str(port),
                    "--while-open",
                ]  # it ends with this Blender, however that ends
                self._process = subprocess.Popen(
                    call, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, creationflags=hidden
                )
        except OSError as error:
            return f"The bridge could not be started ({error.strerror}): set its path in the extension's preferences."
        return ""

    def died(self) -> str:
        """A sentence, once, when the bridge that was started has ended by itself; else ""."""
        if self._process is None or self.starting:
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


def bridge_command(preferred: str, installed: list[str]) -> list[str]:
    """How to call `hitpoint`: the preferences' path, what `hitpoint install blender` noted down, or the PATH's; []."""
    if preferred:
        return [preferred]
    if installed and shutil.which(installed[0]):
        return installed
    found = shutil.which("hitpoint")
    return [found] if found else []
