"""The log: turned at its bound, a stated number of files, and no line lost at a turn, whoever writes."""

import contextlib
import logging
import multiprocessing
import re
from pathlib import Path

import pytest

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc.channel import Channel, ChannelClosed
from hitpoint.bridge.ipc.supervision import LogLine, Quit
from hitpoint.bridge.process import children, serve, watchdog

LINES = 1000
TURNED_AT = 10_000
LONGEST_LINE = 100
LAST = "says no more"


@pytest.fixture
def config(tmp_path):
    yield Config(state_dir=str(tmp_path), midi_port="none", realtime=False)
    log = logging.getLogger("hitpoint")
    for handler in log.handlers[:]:
        log.removeHandler(handler)
        handler.close()


def talk(name, sock):
    """A child's life: LINES lines for the log, then a sign of life until it is told to quit."""
    channel = Channel(sock)
    said = [f"{name} {number}" for number in range(LINES)] + [f"{name} {LAST}"]
    with contextlib.suppress(ChannelClosed):
        while True:
            if channel.send(LogLine(logging.INFO, said[0])):
                said = said[1:] or [f"{name} is there"]
            if channel.wait(0.0005 if len(said) > 1 else 0.2) and any(isinstance(m, Quit) for m in channel.receive()):
                return


def talking_clock(sock, config, osc_socket, version, revive):
    talk("clock", sock)


def talking_composer(sock, config, lifeline):
    talk("composer", sock)


class Listener(logging.Handler):
    """Who has said all."""

    def __init__(self):
        super().__init__()
        self.done = set()

    def emit(self, record):
        name, _, text = record.getMessage().partition(" ")
        if text == LAST:
            self.done.add(name)


def read(log_file):
    """(the files, oldest first; {who: numbers, in the order of the lines})."""
    older = (log_file.with_name(f"{log_file.name}.{number}") for number in range(serve.LOG_FILES, 0, -1))
    files = [*filter(Path.exists, older), log_file]
    said = {}
    for who, number in re.findall(r" INFO (\w+) (\d+)\n", "".join(path.read_text() for path in files)):
        said.setdefault(who, []).append(int(number))
    return files, said


def assert_full(files):
    for path in files:
        assert TURNED_AT - LONGEST_LINE < path.stat().st_size <= TURNED_AT


@pytest.mark.parametrize(("bound", "files_kept"), [(TURNED_AT, serve.LOG_FILES), (50 * TURNED_AT, 1)])
def test_three_processes_write_and_no_line_is_lost_at_a_turn(config, monkeypatch, bound, files_kept):
    monkeypatch.setattr(serve, "LOG_BYTES", bound)
    monkeypatch.setattr(watchdog, "COMPOSER_WAITS_S", 0.0)
    monkeypatch.setitem(children.MAINS, "clock", f"{__name__}:talking_clock")
    monkeypatch.setitem(children.MAINS, "composer", f"{__name__}:talking_composer")
    serve.start_logging(config, to_terminal=False)
    log, listener = logging.getLogger("hitpoint"), Listener()
    log.addHandler(listener)
    parent = watchdog.Watchdog(None, config, "1", [])
    rounds = 0

    def on_round():
        nonlocal rounds
        log.info("watchdog %d", rounds)
        rounds += 1
        if listener.done == {"clock", "composer"}:
            parent.stop()

    parent.run(on_round)
    files, said = read(config.log_file)
    assert {who: numbers[-1] for who, numbers in said.items()} == {
        "clock": LINES - 1,
        "composer": LINES - 1,
        "watchdog": rounds - 1,
    }
    for numbers in said.values():
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert len(files) == files_kept
    assert_full(files[:-1])
    assert (said["clock"][0] == 0) == (files_kept == 1)


def fill(folder, port):
    """A second bridge's life."""
    serve.LOG_BYTES = TURNED_AT
    serve.start_logging(Config(state_dir=folder, port=port), to_terminal=False)
    for number in range(2 * LINES):
        logging.getLogger("hitpoint").info("%d %d", port, number)


def test_two_bridges_on_one_folder_leave_each_others_log_alone(tmp_path):
    context = multiprocessing.get_context("spawn")
    bridges = {port: context.Process(target=fill, args=(str(tmp_path), port)) for port in (7710, 7711)}
    for bridge in bridges.values():
        bridge.start()
    for port, bridge in bridges.items():
        bridge.join(60)
        assert bridge.exitcode == 0
        files, said = read(Config(state_dir=str(tmp_path), port=port).log_file)
        assert len(files) == serve.LOG_FILES
        assert said == {str(port): list(range(said[str(port)][0], 2 * LINES))}
        assert_full(files[:-1])
