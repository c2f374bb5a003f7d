"""The composer process: analyses, plans, composes and writes, away from the clock.

Threads and processes: the main thread runs the workshop, one bar at a time, and reads requests between bars. A second
thread only waits for the end of a pipe that the watchdog holds: when it goes away, the process exits at once. A third
tells the watchdog twice a second what the main thread is at. The only process of the bridge that loads torch and cv2.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import select
import socket
import sys
import threading
import time
import traceback

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import HitpointError
from hitpoint.bridge.ipc.channel import Channel, ChannelClosed
from hitpoint.bridge.ipc.messages import (
    ComposerAsk,
    Handled,
    SetControl,
    SetScene,
)
from hitpoint.bridge.ipc.supervision import (
    ComposerCrashed,
    ComposerReady,
    LogLine,
    Quit,
)
from hitpoint.bridge.live.studio import Studio
from hitpoint.bridge.process import system
from hitpoint.bridge.state.store import Store
from hitpoint.bridge.work import factory
from hitpoint.bridge.work.jobs import Tools
from hitpoint.bridge.work.stage import BAR_S, LOAD_S, Stage
from hitpoint.bridge.work.workshop import Workshop
from hitpoint.model.compose.base import Composer

IDLE_WAIT_S = 0.25
WORKER_WAIT_S = 0.02
"""While something is going to come back from the worker thread."""
FULL_WAIT_S = 0.05
FULL_S = 60.0
PULSE_S = 0.5


def run_composer(sock: socket.socket, config: Config, lifeline: socket.socket) -> None:
    """The process's whole life. Returns when told to quit; exits at once when the parent is gone.

    lifeline: nothing is ever sent through it; its other end closes with the parent.
    """
    system.ignore_interrupt()
    _exit_with(lifeline)
    _be_composer(Channel(sock), config, [])


def run_spare(sock: socket.socket, config: Config, lifeline: socket.socket) -> None:
    """A composer that waits, all modules loaded (but no network), until the watchdog needs it."""
    system.ignore_interrupt()
    system.name_process("hp-spare")
    _exit_with(lifeline)
    with contextlib.suppress(Exception):  # a composer that cannot load them says so
        _load_modules(config)
    channel = Channel(sock)
    messages = channel.wait_for_promotion()
    if messages is not None:
        _be_composer(channel, config, messages)


def _load_modules(config: Config) -> None:
    """Seconds that the first job need not wait for."""
    if not config.test_composer and not config.tools:
        for name in ("torch", "hitpoint.model.job"):
            importlib.import_module(name)


def _be_composer(channel: Channel, config: Config, heard: list[object]) -> None:
    """heard: what the watchdog said already."""
    system.name_process("hp-composer")
    outbox = Outbox(channel)
    logging.getLogger("hitpoint").addHandler(_Told(outbox))
    stage = Stage(system.thread_clock(threading.get_ident()))
    threading.Thread(target=_pulse, args=(outbox, stage), name="pulse", daemon=True).start()
    try:
        _work(outbox, stage, config, heard)
    except ChannelClosed:
        return
    except HitpointError as error:
        outbox.report_crash(str(error), "")
        sys.exit(error.exit_code)
    except Exception as error:
        outbox.report_crash(f"{type(error).__name__}: {error}", traceback.format_exc())
        sys.exit(1)


def _work(outbox: Outbox, stage: Stage, config: Config, heard: list[object]) -> None:
    def waiting() -> list[object]:
        """While a request is obeyed: those behind it."""
        with contextlib.suppress(ChannelClosed):  # it is noticed when the next is waited for
            heard.extend(outbox.channel.receive())
        return heard

    with stage.at("load", LOAD_S):
        outbox.pulse(stage)  # loading keeps the other threads from running
        store = Store(config.state_path)
        with contextlib.suppress(OSError):
            store.sweep()
        tools = make_tools(config, stage, outbox)
        workshop = Workshop(tools, store, outbox.send, stage, waiting)
        studio = Studio(tools.composer, tools.programs, outbox.send)
        _load_modules(config)
    outbox.send(ComposerReady())
    busy = True
    while True:
        outbox.wait(0.0 if busy else WORKER_WAIT_S if workshop.waits_for_worker else IDLE_WAIT_S)
        heard += outbox.channel.receive()
        heard[:] = latest_controls(heard, outbox)
        while heard:
            message = heard.pop(0)
            if isinstance(message, Quit):
                return
            with stage.at("bar", BAR_S, tools.counter()):
                grown = studio.handle(message)
            if not grown:
                workshop.handle(message)
        busy = workshop.step()


def latest_controls(messages: list[object], outbox: Outbox) -> list[object]:
    """The messages, without the values of a control that another one overtakes: a fader sends dozens a second."""
    kept: list[object] = []
    for message in messages:
        before = kept[-1] if kept else None
        if isinstance(before, SetControl | SetScene) and before.is_overtaken_by(message):
            kept.pop()
            outbox.send(Handled(before.job, before))
        kept.append(message)
    return kept


class Outbox:
    """Sends to the watchdog; where too much waits, it waits, with a bound: the composer is the one that may.

    For several threads.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._lock = threading.Lock()

    def send(self, message: object) -> None:
        """Send; raises ChannelClosed where the watchdog does not read for FULL_S."""
        with self._lock:
            for _ in range(round(FULL_S / FULL_WAIT_S)):
                if self.channel.send(message):
                    return
                self.channel.wait(FULL_WAIT_S)
            raise ChannelClosed

    def wait(self, timeout_s: float) -> None:
        """Wait for something to read, and pass on what waits to be sent."""
        writers = [self.channel] if self.channel.waiting else []
        _, writable, _ = select.select([self.channel], writers, [], timeout_s)
        if writable:
            with self._lock:
                self.channel.flush()

    def pulse(self, stage: Stage) -> None:
        """Say what the main thread is at, unless it is just saying something itself."""
        if self._lock.acquire(timeout=PULSE_S):
            try:
                self.channel.send(stage.pulse())
            finally:
                self._lock.release()

    def report_crash(self, reason: str, trace: str) -> None:
        """Say why the process ends; what the log is to hold of it besides, in `trace`."""
        with contextlib.suppress(ChannelClosed):
            if trace:
                self.send(LogLine(logging.ERROR, f"composer: {trace}"))
            self.send(ComposerCrashed(" ".join(reason.split())))
            self.channel.flush()


class _Told(logging.Handler):
    """Passes on what the model says of itself, such as a graphics card that goes away, to the bridge's log."""

    def __init__(self, outbox: Outbox) -> None:
        super().__init__()
        self._outbox = outbox

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        with contextlib.suppress(ChannelClosed):
            self._outbox.send(LogLine(record.levelno, record.getMessage()))


def make_tools(config: Config, stage: Stage, outbox: Outbox) -> Tools:
    """The real tools, or a test's, made by the function that `config.tools` names."""
    if config.tools:
        tools = factory.call_named(config.tools)
        assert isinstance(tools, Tools)
        return tools

    def load(asked: ComposerAsk) -> Composer:
        with stage.at("load", LOAD_S):
            outbox.pulse(stage)
            return factory.make_composer(config, *asked)

    return Tools(load)


def _exit_with(lifeline: socket.socket) -> None:
    """Exit as soon as the lifeline's other end is closed: a composer without a bridge only eats the machine."""
    lifeline.setblocking(True)

    def watch() -> None:
        with contextlib.suppress(OSError):
            lifeline.recv(1)
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _pulse(outbox: Outbox, stage: Stage) -> None:
    with contextlib.suppress(ChannelClosed, OSError, ValueError):
        while True:
            outbox.pulse(stage)
            time.sleep(PULSE_S)
