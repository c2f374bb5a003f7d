"""The composer process: analyses, plans, composes and writes, away from the clock.

Threads and processes: the main thread runs the workshop, one bar at a time, and reads requests between bars. A
second thread only watches the parent: when the watchdog goes away, the process exits at once. The only process of the
bridge that loads torch and cv2.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import HitpointError
from hitpoint.bridge.ipc.channel import Channel, ChannelClosed
from hitpoint.bridge.ipc.messages import ComposerCrashed, ComposerReady, LogLine, Quit
from hitpoint.bridge.process.realtime import name_process
from hitpoint.bridge.state.store import Store
from hitpoint.bridge.work import factory
from hitpoint.bridge.work.jobs import Tools
from hitpoint.bridge.work.workshop import Workshop

IDLE_WAIT_S = 0.25
FULL_WAIT_S = 0.05


def run_composer(sock: socket.socket, config: Config) -> None:
    """The process's whole life. Returns when told to quit; exits at once when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the watchdog decides
    name_process("hp-composer")
    _watch_parent(os.getppid())
    channel = Channel(sock)
    outbox = Outbox(channel)
    try:
        workshop = Workshop(make_tools(config), Store(config.state_path), outbox.send)
        if not config.test_composer and not config.tools:
            importlib.import_module("torch")  # seconds that the first job need not wait for
        outbox.send(ComposerReady())
        busy = True
        while True:
            channel.wait(0.0 if busy else IDLE_WAIT_S)
            for message in channel.receive():
                if isinstance(message, Quit):
                    return
                workshop.handle(message)
            busy = workshop.step()
    except ChannelClosed:
        return
    except HitpointError as error:
        outbox.report_crash(str(error), "")
        sys.exit(error.exit_code)
    except Exception as error:
        outbox.report_crash(f"{type(error).__name__}: {error}", traceback.format_exc())
        sys.exit(1)


class Outbox:
    """Sends to the watchdog; where too much waits, it waits, with a bound: the composer is the one that may."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def send(self, message: object) -> None:
        """Send; raises ChannelClosed where the watchdog does not read for 10 s."""
        for _ in range(200):
            if self._channel.send(message):
                return
            self._channel.wait(FULL_WAIT_S)
        raise ChannelClosed

    def report_crash(self, reason: str, trace: str) -> None:
        """Say why the process ends; what the log is to hold of it besides, in `trace`."""
        with contextlib.suppress(ChannelClosed):
            if trace:
                self.send(LogLine(logging.ERROR, f"composer: {trace}"))
            self.send(ComposerCrashed(" ".join(reason.split())))
            self._channel.flush()


def make_tools(config: Config) -> Tools:
    """The real tools, or a test's, made by the function that `config.tools` names."""
    if config.tools:
        tools = factory.call_named(config.tools)
        assert isinstance(tools, Tools)
        return tools
    return Tools(lambda key: factory.make_composer(config, key))


def _watch_parent(parent: int) -> None:
    """Exit as soon as another process has become the parent: a composer without a bridge only eats the machine."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()
