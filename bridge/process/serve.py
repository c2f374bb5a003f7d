"""Starting the bridge: socket, logs, watchdog.

Threads and processes: called by the command, in the main thread of the main process.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import logging.handlers
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from hitpoint.bridge.config.settings import TOKEN_VARIABLE, Config
from hitpoint.bridge.errors import InputError, UsageError
from hitpoint.bridge.hosts.base import wanted_hosts
from hitpoint.bridge.osc.aliases import Aliases
from hitpoint.bridge.process import system
from hitpoint.bridge.process.watchdog import Watchdog
from hitpoint.bridge.session.peers import Peers
from hitpoint.bridge.state.store import make_folder

LOG_BYTES = 1_000_000
LOG_FILES = 5
RECEIVE_BUFFER_BYTES = 1 << 20
BIND_AGAIN_S = 3.0
START = ("-c", "from hitpoint.bridge.cli import main; main()")
AGAIN = ("-c", f"from hitpoint.bridge.process.system import hurry; hurry(); {START[1]}")
"""A successor hurries from its first line on until its clock is started, for music waits for it."""


class Guest(Protocol):
    """A client in the bridge's own process, for as long as it runs."""

    def begin(self, address: tuple[str, int], stop: Callable[[], None]) -> None:
        """The bridge listens at `address`; `stop` ends it."""

    def leave(self) -> bool:
        """The user asks for the end (a signal handler): True where the guest is going to call `stop` itself."""

    def close(self) -> None:
        """The bridge has ended."""


def serve(config: Config, revived: bool = False, while_open: bool = False, guest: Guest | None = None) -> None:
    """Run the bridge until SIGINT or SIGTERM, or until standard input is closed where it is to run `while_open`, or
    until the guest ends it.

    Raises UsageError where the port or the state folder is taken, InputError where that folder or the log cannot be
    written, MissingError where the clock dies time after time at its start.
    """
    _hide_token(config)
    Aliases(config.aliases)  # a wrong rule or peer is told here, not by a process in the background
    Peers(config.peers, lambda packet, address: None)
    start_logging(config, to_terminal=not config.screen or not sys.stdout.isatty())
    patience_s = BIND_AGAIN_S if revived else 0.0
    held = claim(config.state_path, patience_s)
    osc_socket = bind(config, patience_s)
    address = osc_socket.getsockname()
    version = importlib.metadata.version("hitpoint")
    revive = [sys.executable, *(AGAIN if config.realtime else START), *_own_arguments(), "--revived"]
    watchdog = Watchdog(osc_socket, config, version, revive if config.revive else [], revived)

    def end() -> None:
        if guest is None or not guest.leave():
            watchdog.stop()

    system.on_end(end)
    if while_open:
        threading.Thread(target=_end_with, args=(sys.stdin.buffer, watchdog.stop), name="stdin", daemon=True).start()
    system.on_suspend(watchdog.suspend)
    logging.getLogger("hitpoint").info("hitpoint %s listens on %s:%d", version, address[0], address[1])
    if guest is not None:
        guest.begin((address[0], address[1]), watchdog.stop)
    ended = threading.Event()
    system.calm_down()  # threads inherit what a successor's hurry gave this one
    beside = [host.beside(config, (address[0], address[1]), ended) for host in wanted_hosts(config)]
    try:
        if config.screen and sys.stdout.isatty():
            from hitpoint.bridge.process.screen import Screen

            with Screen(f"{address[0]}:{address[1]}") as screen:
                watchdog.run(lambda: screen.show(watchdog.heartbeat, watchdog.restarts))
        else:
            watchdog.run()
    finally:
        ended.set()
        osc_socket.close()
        held.close()
        if guest is not None:
            guest.close()
        for thread in beside:
            if thread is not None:
                thread.join(2.0)


def bind(config: Config, patience_s: float = 0.0) -> socket.socket:
    """The UDP socket; another try every 50 ms for `patience_s`. Raises UsageError."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    until_s = time.monotonic() + patience_s
    while True:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.bind((config.host, config.port))
        except (OSError, OverflowError) as error:
            sock.close()
            if time.monotonic() < until_s:
                time.sleep(0.05)
                continue
            text = f"cannot listen on {config.host}:{config.port} ({error}): is a bridge running already? see --port"
            raise UsageError(text) from error
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        sock.setblocking(False)
        return sock


def claim(folder: Path, patience_s: float = 0.0) -> BinaryIO:
    """Hold the state folder for this process while the file returned is open: two bridges would write over each other's
    jobs. Another try every 50 ms for `patience_s`.

    Raises UsageError where another holds it, InputError where it cannot be written.
    """
    until_s = time.monotonic() + patience_s
    try:
        make_folder(folder)
        file = (folder / "lock").open("wb")
    except OSError as error:
        raise InputError(f"cannot write in the state folder {folder}: {error.strerror}") from error
    while not system.lock(file):
        if time.monotonic() >= until_s:
            file.close()
            raise UsageError(
                f"another bridge keeps its scores in {folder}; stop it, or give this one its own --state-dir"
            )
        time.sleep(0.05)
    return file


def start_logging(config: Config, to_terminal: bool) -> None:
    """A log of at most LOG_FILES files of LOG_BYTES each; also on standard error where there is no screen."""
    logger = logging.getLogger("hitpoint")
    logger.setLevel(logging.INFO)
    form = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    try:
        config.log_path.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            config.log_file, maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1, encoding="utf-8"
        )
    except OSError as error:
        raise InputError(f"cannot write the log in {config.log_path}: {error.strerror}") from error
    handlers = [handler]
    if to_terminal:
        handlers.append(logging.StreamHandler())
    for each in handlers:
        each.setFormatter(form)
        logger.addHandler(each)


def _end_with(stream: BinaryIO, stop: Callable[[], None]) -> None:
    """Wait for the end of what is never written to: the program that holds its other end is gone."""
    with contextlib.suppress(OSError, ValueError):
        while stream.read(4096):
            pass
    stop()


def _own_arguments() -> list[str]:
    """What this bridge was started with, without the token, for a successor that nobody holds."""
    return without_token([each for each in sys.argv[1:] if each not in ("--revived", "--while-open")])


def without_token(arguments: list[str]) -> list[str]:
    """The arguments without `--token SECRET`: everybody on the machine can read the command lines of all."""
    kept = [argument for argument in arguments if not argument.startswith("--token=")]
    while "--token" in kept:
        del kept[kept.index("--token") : kept.index("--token") + 2]
    return kept


def _hide_token(config: Config) -> None:
    """Where the token stands on the command line, become the same bridge with the token in the environment."""
    if without_token(sys.argv[1:]) != sys.argv[1:]:
        system.start_again_without([*START, *without_token(sys.argv[1:])], {TOKEN_VARIABLE: config.token})
