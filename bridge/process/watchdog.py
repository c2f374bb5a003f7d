"""The watchdog: parent of clock and composer; passes their messages on, starts either again, and silences the synth.

Threads and processes: the bridge's main process, one thread (the screen and REAPER's file requests have their own).
It keeps what a successor of the clock needs (transport, plan, bars); the composer's needs are on disk. A spare clock
waits, all modules loaded, for the clock to die. A process that keeps dying before it did anything is started again
after growing pauses; then the composer waits until it is asked for something, and without a clock the bridge ends.
"""

from __future__ import annotations

import logging
import multiprocessing
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import MissingError
from hitpoint.bridge.ipc.channel import Channel, ChannelClosed
from hitpoint.bridge.ipc.messages import (
    Aim,
    BarsReady,
    ComposerCrashed,
    ComposerGone,
    ComposerReady,
    Heartbeat,
    JobMessage,
    LiveState,
    LogLine,
    Planned,
    PortOpened,
    Quit,
    ReopenPort,
    Restore,
)
from hitpoint.bridge.midi.guard import SILENCE_AGAIN_S, Guard
from hitpoint.bridge.process.clock_process import run_clock, run_spare
from hitpoint.bridge.process.composer_process import run_composer
from hitpoint.bridge.process.system import calm_down, hurry
from hitpoint.bridge.state.recovery import Music, Requests
from hitpoint.bridge.state.store import Store
from hitpoint.bridge.work.jobs import announcement

HEARTBEAT_LOST_S = 1.0
START_S = 15.0
QUIT_S = 2.0
PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Before a process is started again that died time after time as soon as it was there."""
CLOCK_STEADY_S, COMPOSER_STEADY_S = 1.0, 10.0
"""A process that lived for so long came up well."""
COMPOSER_WAITS_S = 0.5
"""At the start, so that the clock has the processor to itself until it sounds."""
SPARE_WAITS_S = 1.0
PORT_LOOK_S = 0.5
ROUND_S = 0.1
SAVE_LIVE_S = 0.2

log = logging.getLogger("hitpoint")


@dataclass
class Child:
    """One process. heard_s: its last message; inf while it starts. worked: it did something for a job."""

    name: str
    process: Any
    channel: Channel
    started_s: float
    heard_s: float = float("inf")
    worked: bool = False

    @property
    def came_up(self) -> bool:
        """Whether it is not at fault from the start."""
        steady_s = CLOCK_STEADY_S if self.name == "clock" else COMPOSER_STEADY_S
        return self.worked or time.monotonic() - self.started_s > steady_s


class Watchdog:
    """Runs the bridge until `stop` is called.

    Raises OSError where a process cannot be started, MissingError where the clock dies time after time at its start.
    """

    def __init__(
        self, osc_socket: socket.socket, config: Config, version: str, revive: list[str], revived: bool = False
    ) -> None:
        self._osc, self._config, self._version, self._revive = osc_socket, config, version, revive
        self._context = multiprocessing.get_context("spawn")
        self._store = Store(config.state_path)
        self._live = LiveState()
        self._music = Music()
        self._requests = Requests()
        self._stopping = False
        self.heartbeat: Heartbeat | None = None
        self.restarts = {"clock": 0, "composer": 0}
        self.guard = Guard(config)
        self._children: dict[str, Child] = {}
        self._due: dict[str, float] = {}
        self._failures = {"clock": 0, "composer": 0}
        self._crash_reason = ""
        self._silences: list[float] = []
        self._next_look_s = self._next_save_s = 0.0
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
        self._due["composer"] = time.monotonic() + COMPOSER_WAITS_S
        try:
            while not self._stopping:
                self._round()
                if on_round is not None:
                    on_round()
        finally:
            self._end_children()
            self.guard.silence()
            self.guard.close()

    def _start(self, name: str) -> None:
        """Start a process and tell it what it needs; the spare becomes the clock where there is one."""
        self._due.pop(name, None)
        spare = self._children.pop("spare", None) if name == "clock" else None
        if spare is not None:
            spare.name, spare.started_s = name, time.monotonic()
        self._children[name] = spare or self._spawn(name)
        if name == "clock":
            for message in self._music.retell():
                self._send(name, message)
            self._send(name, Restore(self._live))
            self._due["spare"] = time.monotonic() + SPARE_WAITS_S
        elif name == "composer":
            self._crash_reason = ""
            for request in self._requests.ask_again():
                self._send(name, request)

    def _spawn(self, name: str) -> Child:
        ours, theirs = Channel.pair()
        targets: dict[str, Callable[..., None]] = {"composer": run_composer, "clock": run_clock, "spare": run_spare}
        arguments: tuple[object, ...] = (theirs, self._config)
        if name != "composer":
            arguments = (self._osc, theirs, self._config, self._version, self._revive)
        process = self._context.Process(target=targets[name], args=arguments, name=f"hitpoint-{name}")
        (hurry if name == "clock" and self._config.realtime else calm_down)()
        process.start()
        calm_down()
        theirs.close()
        return Child(name, process, ours, time.monotonic())

    def _round(self) -> None:
        """Wait for a message or a death; pass on, or start again."""
        children = list(self._children.values())
        channels = {child.channel: child for child in children}
        writers = [child.channel for child in children if child.channel.waiting]
        moments = [*self._silences, *self._due.values()]
        wait_s = min([ROUND_S, *(max(0.0, moment - time.monotonic()) for moment in moments)])
        readable, writable, _ = select.select(list(channels), writers, [], wait_s)
        self._silence_again()
        dead: set[str] = set()
        for channel in writable:
            if not self._flush(channel):
                dead.add(channels[channel].name)
        for channel, child in channels.items():
            if channel in readable and not self._read(child):
                dead.add(child.name)
        if self._clock_hangs():
            dead.add("clock")
        for name in dead:
            self._bury(self._children[name])
        now_s = time.monotonic()
        for name in [name for name, due_s in self._due.items() if now_s >= due_s]:
            self._start(name)
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + PORT_LOOK_S
            self._look_at_ports()
        if now_s >= self._next_save_s:
            self._next_save_s = now_s + SAVE_LIVE_S
            self._save_live()

    def _clock_hangs(self) -> bool:
        clock = self._children.get("clock")
        if clock is None:
            return False
        since_s, limit_s = clock.heard_s, HEARTBEAT_LOST_S
        if clock.heard_s == float("inf"):
            since_s, limit_s = clock.started_s, START_S
        hangs = time.monotonic() - since_s > limit_s
        if hangs:
            log.error("the clock process does not answer: it is killed")
        return hangs

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
            if self.guard.follow(message):
                self.guard.silence()  # what a former bridge left sounding
        elif isinstance(message, JobMessage):
            self._requests.note(message)
            if "composer" in self._children:
                self._send("composer", message)
            elif "composer" not in self._due and not isinstance(message, Aim):
                self._failures["composer"] = 0
                self._start("composer")

    def _from_composer(self, message: object) -> None:
        if isinstance(message, ComposerCrashed):
            self._crash_reason = message.reason
            return
        if isinstance(message, ComposerReady):
            log.info("the composer is ready")
        elif isinstance(message, JobMessage):
            self._children["composer"].worked = True
            self._requests.hear(message)
            if isinstance(message, Planned | BarsReady):
                self._music.hear(message)
        self._send("clock", message)

    def _send(self, name: str, message: object) -> None:
        """To a child; where it is gone or does not read, its death is noticed in the next round."""
        child = self._children.get(name)
        if child is None:
            return
        try:
            if not child.channel.send(message):
                log.error("the %s process does not read: a message is lost", name)
        except ChannelClosed:
            return

    def _bury(self, child: Child) -> None:
        """A process died: silence first, then start it again, after a pause where it keeps dying."""
        child.process.kill()
        if child.name == "clock":
            self.guard.silence()
            self._silences = [time.monotonic() + later_s for later_s in SILENCE_AGAIN_S]
        child.process.join(QUIT_S)
        child.channel.close()
        del self._children[child.name]
        if self._stopping:
            return
        if child.name == "spare":
            self._due["spare"] = time.monotonic() + PAUSES_S[-1]
            return
        self._failures[child.name] = 0 if child.came_up else self._failures[child.name] + 1
        failures = self._failures[child.name]
        for_good = failures > len(PAUSES_S)
        if child.name == "composer":
            self._tell_composer_died(child.process.exitcode, for_good)
            if for_good:
                return
        elif for_good:
            ends, where = child.process.exitcode, self._config.log_file
            raise MissingError(
                f"the clock process dies as soon as it starts (exit code {ends}): see the end of {where}"
            )
        log.error("the %s process died (exit code %s) and is started again", child.name, child.process.exitcode)
        self.restarts[child.name] += 1
        self._due[child.name] = time.monotonic() + PAUSES_S[min(max(failures - 1, 0), len(PAUSES_S) - 1)]

    def _tell_composer_died(self, exit_code: int, for_good: bool) -> None:
        job = self._requests.job
        given_up = self._requests.composer_died()
        if for_good:
            reason = self._crash_reason or f"it ends with exit code {exit_code}"
            log.error("the composing process does not start: %s", reason)
            for waiting in self._requests.give_up() or [""]:
                self._send("clock", ComposerGone(waiting, given_up=bool(waiting), down=reason))
            return
        for lost in given_up:
            self._send("clock", ComposerGone(lost, given_up=True))
        if not given_up:
            self._send("clock", ComposerGone(job))

    def _load_latest(self) -> None:
        """Whatever was there when the bridge was last ended is there again."""
        job = self._requests.job = self._store.latest()
        record = self._store.load(job) if job else None
        plan = self._store.load_plan(job) if record else None
        if record is None or plan is None:
            return
        self._music.hear(announcement(record, plan, kept=True))
        bars = self._store.load_bars(job, record.take)
        kept = tuple(bars[index] for index in sorted(bars))
        self._music.hear(BarsReady(job, record.take, record.edition, kept))

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
