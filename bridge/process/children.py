"""The watchdog's children: how they are started, what is sent to them and waits until they read it, and whether they
still live, which is judged by their own time.

Threads and processes: one owner, the watchdog. What a child runs is imported in the child only: music waits for this
process where it is started again, and it needs nothing of it.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc.channel import Channel, ChannelClosed
from hitpoint.bridge.ipc.supervision import Promote, Pulse
from hitpoint.bridge.process import system

SPARE = "spare "
"""Before the name of a process that waits, all modules loaded, to become the one of that name."""
MAINS = {
    "clock": "hitpoint.bridge.process.clock_process:run_clock",
    "spare clock": "hitpoint.bridge.process.clock_process:run_spare",
    "composer": "hitpoint.bridge.process.composer_process:run_composer",
    "spare composer": "hitpoint.bridge.process.composer_process:run_spare",
}
SILENT_S = {"clock": 1.0, "composer": 4.0}
"""How long a process may say nothing that otherwise speaks twice a second or more often."""
UNSEEN_S = {"clock": 3.0, "composer": 4.5}
"""The same where the system does not tell whether it hangs or others have the processor."""
START_S = 15.0
LOAD_S = 300.0
"""Loading a network keeps the composer's other threads from running."""
STARVED = 5.0
"""One that wants the processor and does not get it may be silent this many times as long."""
STARVED_SHARE = 0.25
HUNG_S, HUNG_SHARE = 4.5, 0.02
"""A bar that has taken so long without using the processor waits for something that does not come."""
STEADY_S = {"clock": 2.0, "composer": 10.0}
"""A process that ran for this long once it was up did start properly."""
BREATHER = 2
"""Failures in a row after which there is a short pause before the next start."""
CLOCK_WORKS_S = 0.5
"""A clock that still speaks so long after its first word has its port and its music: what kills it then has nothing
to do with its start."""


@dataclass
class Child:
    """One process. silent_s: how long it has said nothing while the watchdog listened, in the watchdog's own time;
    patience_s: how long it may; up_s: when it was there, all loaded; worked: it did something for a job; sent: how many
    messages it was sent.
    """

    name: str
    process: Any
    channel: Channel
    lifeline: socket.socket | None = None
    silent_s: float = 0.0
    patience_s: float = START_S
    up_s: float = float("inf")
    worked: bool = False
    sent: int = 0
    _backlog: deque[object] = field(default_factory=deque)
    _cpu_s: float | None = None
    _pulse: Pulse = field(default_factory=lambda: Pulse("", 0.0, 0.0, 0.0))

    def __post_init__(self) -> None:
        if self.is_spare:
            self.patience_s = float("inf")  # it has nothing to say

    @property
    def is_spare(self) -> bool:
        """Whether it waits to be needed."""
        return self.name.startswith(SPARE)

    def promote(self) -> None:
        """The spare is needed."""
        self.name = self.name.removeprefix(SPARE)
        self.silent_s, self.patience_s = 0.0, START_S
        with contextlib.suppress(ChannelClosed):  # its death is noticed as any other's
            self.send(Promote())
        self.sent = 0  # what it counts itself begins behind that

    def failures(self, before: int) -> int:
        """How often it has failed now, `before` times when it was started: 0 where it did what it is there for.

        A clock that worked and yet did not last is given a moment's pause next time, and never given up.
        """
        lasted = time.monotonic() - self.up_s > STEADY_S.get(self.name, 0.0)
        if lasted or (self.worked and self.name == "composer"):
            return 0
        return min(before + 1, BREATHER) if self.worked else before + 1

    def send(self, message: object) -> None:
        """Send, or keep it until there is room. Raises ChannelClosed."""
        self.sent += 1
        if self._backlog or not self.channel.send(message):
            self._backlog.append(message)

    def drain(self) -> None:
        """Send what had to wait. Raises ChannelClosed."""
        while self._backlog and self.channel.send(self._backlog[0]):
            self._backlog.popleft()

    def heard(self) -> None:
        """It said something."""
        self.silent_s, self._cpu_s = 0.0, None
        usual_s = SILENT_S if system.knows_process_times() else UNSEEN_S
        self.patience_s = usual_s.get(self.name, float("inf"))

    def is_up(self) -> None:
        """It is there, all loaded: on a busy machine that alone may take longer than STEADY_S."""
        self.up_s = min(self.up_s, time.monotonic())

    def ticks(self) -> None:
        """The clock says how it fares."""
        self.is_up()
        self.worked = self.worked or time.monotonic() - self.up_s > CLOCK_WORKS_S

    def feel(self, pulse: Pulse) -> None:
        """The composer says what it is at."""
        self._pulse = pulse
        if pulse.stage == "load":
            self.patience_s = LOAD_S

    def attend(self, listened_s: float) -> None:
        """The watchdog listened for so long, and heard nothing."""
        self.silent_s += listened_s
        if self._cpu_s is None and self.silent_s > self.patience_s / 2:
            fares = system.process_time(self.process.pid)
            self._cpu_s = fares.cpu_s if fares is not None else 0.0

    def hangs(self) -> str:
        """What is wrong with it, in a few words; empty where nothing is."""
        if self.silent_s > self.patience_s and not self._starved():
            return "does not answer"
        pulse = self._pulse
        if not pulse.stage or pulse.stage == "load":
            return ""
        if pulse.cpu_s > pulse.limit_s:
            return f"has been at one {pulse.stage} for {pulse.age_s:.0f} s ({pulse.cpu_s:.0f} of the processor's)"
        if pulse.age_s > HUNG_S and pulse.cpu_s < HUNG_SHARE * pulse.age_s:
            return f"waits in one {pulse.stage} for something that does not come"
        return ""

    def _starved(self) -> bool:
        """Whether it is silent only because others have the processor."""
        fares = system.process_time(self.process.pid)
        if fares is None or not fares.starved or self._cpu_s is None:
            return False
        got_s = fares.cpu_s - self._cpu_s
        return got_s < STARVED_SHARE * self.patience_s and self.silent_s < STARVED * self.patience_s

    def close(self) -> None:
        """Give the pipes back."""
        self.channel.close()
        if self.lifeline is not None:
            self.lifeline.close()


def start_child(name: str, config: Config, shared: tuple[object, ...]) -> Child:
    """Start a process of this name (one of MAINS). shared: what a clock is handed besides channel and configuration.

    Raises OSError where the system has no room for another process.
    """
    ours, theirs = Channel.pair()
    lifeline, its_end = socket.socketpair()
    is_clock = name.removeprefix(SPARE) == "clock"
    arguments = (theirs, config, *shared) if is_clock else (theirs, config, its_end)
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(MAINS[name], arguments), name=f"hitpoint-{name}"
    )
    if name == "clock" and config.realtime:
        system.hurry()
    try:
        process.start()
    finally:
        system.calm_down()
    theirs.close()
    its_end.close()
    return Child(name, process, ours, lifeline)


def _run(main: str, arguments: tuple[object, ...]) -> None:
    """In the child: all of its life."""
    module, _, function = main.partition(":")
    getattr(importlib.import_module(module), function)(*arguments)
