# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversation with the bridge: connection, one job at a time, and its results. Knows nothing of Blender.

Threads: a daemon thread receives and only fills `_inbox`; another for each finished take copies its files and fills
`_kept`. Everything else belongs to the caller's thread and never waits: `tick()` empties both queues, keeps the
connection and sends what is due.
"""

from __future__ import annotations

import contextlib
import queue
import random
import socket
import threading
import time
from pathlib import Path
from typing import Any

from . import osc
from .jobs import Job, Take, keep_files, stems_of

PROTOCOL = 2
QUIET_S = 3.5  # the bridge sends its state once a second: after this long without a word it is away
HELLO_EVERY_S = 1.0
KEEP_S = 15.0  # the bridge forgets a client after 60 s
SILENT_S = 300.0  # how long a job waits for a word of the bridge
ASK_AGAIN_S = 2.0  # the clip list is acknowledged at once; else its end was lost
MOST_CLIPS = 10_000
PACKETS_PER_TICK = 48  # more at once would overflow the bridge's socket buffer
STAGES = ["clips", "analyse", "plan", "compose", "write"]
OTHER = (
    "The bridge and this extension are of different versions. "
    "Update both: pip install -U hitpoint, then hitpoint install blender."
)
BOUNDS = [0.0, 0.05, 0.4, 0.45, 0.9, 1.0]  # of the stages, as shares of the whole


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
        self.edits: list[tuple[Job, str]] = []  # the same: the file that holds the edit
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
        return bool(self._outbox or self.edits) or (self.job is not None and self.job.running)

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
        clips = []
        for index, clip in enumerate([*job.clips, *job.sounds][:MOST_CLIPS]):
            row: list[float | str] = [clip.path, clip.start_s, clip.in_s, clip.out_s, clip.rate]
            heard = index >= len(job.clips)
            row += [clip.fade_s, 1] if heard else [clip.fade_s] if clip.fade_s else []
            clips.append(osc.encode("/hitpoint/clip", job.id, index, *row))
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
                self.send(f"/hitpoint/{job.asks}", job.id, *job.options)
            begin, end = BOUNDS[STAGES.index(stage) :][:2]
            job.stage, job.share, job.progress = stage, share, begin + (end - begin) * share
        elif address == "/hitpoint/edit":
            job.running = False
            job.about["said"] = values[1]
            self.edits.append((job, values[0]))
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
