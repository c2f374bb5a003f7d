"""The watchdog: parent of clock and composer; passes their messages on, starts either again, and silences the synth.

Threads and processes: the bridge's main process, one thread (the screen and REAPER's file requests have their own).
It keeps what a successor of the clock needs (transport, plan, bars); the composer's needs are on disk.
"""

from __future__ import annotations

import logging
import multiprocessing
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hitpoint.bridge.channel import Channel, ChannelClosed
from hitpoint.bridge.clock_process import run_clock
from hitpoint.bridge.composer import run_composer
from hitpoint.bridge.config import Config
from hitpoint.bridge.guard import SILENCE_AGAIN_S, Guard
from hitpoint.bridge.jobs import announcement
from hitpoint.bridge.messages import (
    Aim,
    BarsReady,
    CancelJob,
    ComposerGone,
    ComposerReady,
    Heartbeat,
    JobError,
    JobResult,
    LiveState,
    LogLine,
    Planned,
    PortOpened,
    Quit,
    ReopenPort,
    Restore,
    ResumeJob,
    ScoreJob,
)
from hitpoint.bridge.store import Store

HEARTBEAT_LOST_S = 1.0
START_S = 15.0
QUIT_S = 2.0
DEATHS_ON_ONE_REQUEST = 3
PORT_LOOK_S = 0.5
DIES_AT_ONCE_S = 0.5
ROUND_S = 0.1
SAVE_LIVE_S = 0.2
UNANSWERED_KEPT = 32

log = logging.getLogger("hitpoint")


@dataclass
class Child:
    """One of the two processes. heard_s: its last message; inf while it starts."""

    name: str
    process: Any
    channel: Channel
    started_s: float
    heard_s: float


@dataclass
class Request:
    """A request to the composer that is not answered yet. deaths: how often the composer died meanwhile."""

    message: object
    deaths: int = 0


class Watchdog:
    """Runs the bridge until `stop` is called. Raises OSError where a process cannot be started."""

    def __init__(
        self, osc_socket: socket.socket, config: Config, version: str, revive: list[str], revived: bool = False
    ) -> None:
        self._osc, self._config, self._version, self._revive = osc_socket, config, version, revive
        self._context = multiprocessing.get_context("spawn")
        self._store = Store(config.state_path)
        self._live = LiveState()
        self._planned: Planned | None = None
        self._bars: dict[int, BarsReady] = {}
        self._unanswered: deque[Request] = deque(maxlen=UNANSWERED_KEPT)
        self._working_on = ""
        self._stopping = False
        self._next_look_s = 0.0
        self.heartbeat: Heartbeat | None = None
        self.restarts = {"clock": 0, "composer": 0}
        self.guard = Guard(config)
        self._children: dict[str, Child] = {}
        self._silences: list[float] = []
        self._next_save_s = 0.0
        self._saved: object = None
        if revived:
            self._take_over()

    def _take_over(self) -> None:
        """Go on where a watchdog that was killed had been: the monotonic clock is the same as long as the system is."""
        kept = self._store.load_live()
        if kept is not None and kept[0].transport.at_s <= time.monotonic():
            self._live, self.guard.wiring.wanted = kept

    def _save_live(self) -> None:
        state = (self._live, frozenset(self.guard.wiring.wanted))
        if state == self._saved:
            return
        self._saved = state
        try:
            self._store.save_live(self._live, self.guard.wiring.wanted)
        except OSError as error:
            log.error("cannot write in %s: %s", self._config.state_path, error)

    def stop(self) -> None:
        """End the bridge (from a signal handler or another thread)."""
        self._stopping = True

    def run(self, on_round: Callable[[], None] | None = None) -> None:
        """Supervise until stopped; leaves silence and no process behind."""
        self._load_latest()
        self._start("clock")
        self._restore_clock()
        self._start("composer")
        self._resume(self._working_on)
        try:
            while not self._stopping:
                self._round()
                if on_round is not None:
                    on_round()
        finally:
            self._end_children()
            self.guard.silence()
            self.guard.close()

    def pids(self) -> dict[str, int]:
        """Process id of each child."""
        return {name: child.process.pid for name, child in self._children.items()}

    def _start(self, name: str) -> None:
        ours, theirs = Channel.pair()
        if name == "clock":
            arguments = (self._osc, theirs, self._config, self._version, self._revive)
            process = self._context.Process(target=run_clock, args=arguments, name="hitpoint-clock")
        else:
            process = self._context.Process(target=run_composer, args=(theirs, self._config))
        process.start()
        theirs.close()
        now_s = time.monotonic()
        self._children[name] = Child(name, process, ours, now_s, float("inf"))

    def _round(self) -> None:
        """Wait for a message or a death; pass on, or start again."""
        children = list(self._children.values())
        channels = {child.channel: child for child in children}
        writers = [child.channel for child in children if child.channel.waiting]
        wait_s = min([ROUND_S, *(max(0.0, moment - time.monotonic()) for moment in self._silences)])
        readable, writable, _ = select.select(list(channels), writers, [], wait_s)
        self._silence_again()
        dead: set[str] = set()
        for channel in writable:
            if not self._flush(channel):
                dead.add(channels[channel].name)
        for channel, child in channels.items():
            if channel in readable and not self._read(child):
                dead.add(child.name)
        now_s = time.monotonic()
        clock = self._children["clock"]
        never_heard = clock.heard_s == float("inf")
        if now_s - clock.heard_s > HEARTBEAT_LOST_S or (never_heard and now_s - clock.started_s > START_S):
            log.error("the clock process does not answer: it is killed")
            dead.add("clock")
        for name in dead:
            self._bury(self._children[name])
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + PORT_LOOK_S
            self._look_at_ports()
        if now_s >= self._next_save_s:
            self._next_save_s = now_s + SAVE_LIVE_S
            self._save_live()

    def _silence_again(self) -> None:
        if self._silences and time.monotonic() >= self._silences[0]:
            del self._silences[0]
            self.guard.silence()

    def _flush(self, channel: Channel) -> bool:
        try:
            channel.flush()
        except ChannelClosed:
            return False
        return True

    def _read(self, child: Child) -> bool:
        """Take in what the child says; False once it is gone."""
        try:
            messages = child.channel.receive()
        except ChannelClosed:
            return False
        child.heard_s = time.monotonic()
        for message in messages:
            if isinstance(message, LogLine):
                log.log(message.level, "%s", message.text)
            elif child.name == "clock":
                self._from_clock(message)
            else:
                self._from_composer(message)
        return True

    def _from_clock(self, message: object) -> None:
        if isinstance(message, Heartbeat):
            self.heartbeat = message
        elif isinstance(message, LiveState):
            self._live = message
        elif isinstance(message, PortOpened):
            self._silences.clear()
            self.guard.silence()
            self.guard.follow(message)
        else:
            self._note_request(message)
            self._send("composer", message)

    def _note_request(self, message: object) -> None:
        """Keep what is not answered yet: a composer that is started again is asked again."""
        if isinstance(message, ScoreJob):
            self._working_on = message.job
        if isinstance(message, CancelJob):
            self._answered(message.job)
        elif not isinstance(message, Aim):
            self._unanswered.append(Request(message))

    def _from_composer(self, message: object) -> None:
        if isinstance(message, ComposerReady):
            log.info("the composer is ready")
            return
        if isinstance(message, Planned):
            if self._planned is None or self._planned.job != message.job:
                self._bars.clear()
            self._planned = message
            self._working_on = message.job
        elif isinstance(message, BarsReady):
            self._keep_bars(message)
        elif isinstance(message, JobResult | JobError):
            self._answered(message.job)
        self._send("clock", message)

    def _keep_bars(self, message: BarsReady) -> None:
        planned = self._planned
        if planned is not None and (message.job, message.take) == (planned.job, planned.take):
            for bar in message.bars:
                self._bars[bar.index] = BarsReady(message.job, message.take, message.edition, (bar,), kept=True)

    def _answered(self, job: str) -> None:
        self._unanswered = deque(
            (request for request in self._unanswered if getattr(request.message, "job", "") != job), UNANSWERED_KEPT
        )

    def _send(self, name: str, message: object) -> None:
        """To a child; where it is gone or does not read, its death is noticed in the next round."""
        try:
            if not self._children[name].channel.send(message):
                log.error("the %s process does not read: a message is lost", name)
        except ChannelClosed:
            return

    def _bury(self, child: Child) -> None:
        """A process died: silence first, then start it again and tell it what it needs."""
        child.process.kill()
        if child.name == "clock":
            self.guard.silence()
            self._silences = [time.monotonic() + later_s for later_s in SILENCE_AGAIN_S]
        child.process.join(QUIT_S)
        child.channel.close()
        if self._stopping:
            return
        log.error("the %s process died (exit code %s) and is started again", child.name, child.process.exitcode)
        self.restarts[child.name] += 1
        if time.monotonic() - child.started_s < DIES_AT_ONCE_S:
            time.sleep(DIES_AT_ONCE_S)  # something is wrong for good: do not eat the machine over it
        self._start(child.name)
        if child.name == "clock":
            self._restore_clock()
        else:
            self._restore_composer()

    def _restore_clock(self) -> None:
        if self._planned is not None:
            self._send("clock", self._planned)
            for index in sorted(self._bars):
                self._send("clock", self._bars[index])
        self._send("clock", Restore(self._live))

    def _restore_composer(self) -> None:
        """Ask again for what was not answered; what it died on DEATHS_ON_ONE_REQUEST times is given up."""
        job = self._working_on
        for request in self._unanswered:
            request.deaths += 1
        given_up = [request.message for request in self._unanswered if request.deaths >= DEATHS_ON_ONE_REQUEST]
        self._unanswered = deque(
            (request for request in self._unanswered if request.deaths < DEATHS_ON_ONE_REQUEST), UNANSWERED_KEPT
        )
        for message in given_up:
            self._send("clock", ComposerGone(getattr(message, "job", job), failed=True))
        if not given_up:
            self._send("clock", ComposerGone(job, failed=False))
        begun = not any(isinstance(message, ScoreJob) and message.job == job for message in given_up)
        self._resume(job if begun else "")

    def _load_latest(self) -> None:
        """Whatever was there when the bridge was last ended is there again."""
        self._working_on = self._store.latest()
        record = self._store.load(self._working_on) if self._working_on else None
        plan = self._store.load_plan(self._working_on) if record else None
        if record is not None and plan is not None:
            self._planned = announcement(record, plan, kept=True)
            bars = self._store.load_bars(self._working_on, record.take)
            if bars:
                kept = tuple(bars[index] for index in sorted(bars))
                self._keep_bars(BarsReady(self._working_on, record.take, record.edition, kept))

    def _resume(self, job: str) -> None:
        wanted = tuple(request.message for request in self._unanswered)
        scores = {message.job for message in wanted if isinstance(message, ScoreJob)}
        if job and job not in scores:
            self._send("composer", ResumeJob(job, wanted))
        else:
            for message in wanted:
                self._send("composer", message)

    def _look_at_ports(self) -> None:
        reason = self.guard.look()
        if reason:
            log.warning("MIDI: %s", reason)
            self._send("clock", ReopenPort(reason))

    def _end_children(self) -> None:
        for name in self._children:
            self._send(name, Quit())
        until_s = time.monotonic() + QUIT_S
        for child in self._children.values():
            child.process.join(max(0.0, until_s - time.monotonic()))
            if child.process.is_alive():
                child.process.kill()
                child.process.join(QUIT_S)
            child.channel.close()
