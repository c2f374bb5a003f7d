"""Hosts: the programs that the bridge works with, by one base and one registry.

Threads and processes: `beside` is called in the watchdog's process, `in_clock` in the clock process.

A new host is one file with a subclass of Host, and a line in HOSTS; another package adds one by the entry point group
`hitpoint.hosts`. A host that only sends OSC needs neither: an alias preset is enough (`osc/aliases.py`).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import ClassVar, Protocol

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import UsageError
from hitpoint.bridge.play.player import Player
from hitpoint.model.registry import Registry


class Companion(Protocol):
    """What goes along in the clock's loop. every_s: how often it is fed. Nothing of it may block."""

    every_s: float

    def feed(self, player: Player, now_s: float) -> None:
        """Tell the player where the host is, or the host where the player is."""

    def close(self) -> None:
        """Leave the host."""


class Host:
    """One program. Each method does nothing unless a host overrides it.

    folder_option, program_option: the flag of `hitpoint install` that fills `install`'s argument of that name, and the
    flag's help; None where the host takes no such argument.
    """

    folder_option: ClassVar[tuple[str, str] | None] = None
    program_option: ClassVar[tuple[str, str] | None] = None

    def wanted(self, config: Config) -> bool:
        """Whether the configuration asks for it."""
        return False

    def beside(self, config: Config, address: tuple[str, int], ended: threading.Event) -> threading.Thread | None:
        """Start a thread that serves the host beside the bridge, which listens at `address`, until `ended` is set."""
        return None

    def in_clock(self, config: Config) -> Companion | None:
        """What goes along in the clock's loop. Raises MissingError where this machine lacks something."""
        return None

    def install(self, folder: Path | None, program: Path | None) -> list[str]:
        """Put the plugin into the host: below `folder`, or into `program`, None for the usual. Returns lines to print.

        Raises MissingError where the host is not there, UsageError where there is nothing to install.
        """
        raise UsageError("this host needs no plugin; see docs/osc-hosts.md")


HOSTS: Registry[Host] = Registry(
    "host",
    {
        "blender": "hitpoint.bridge.hosts.blender.host:Blender",
        "reaper": "hitpoint.bridge.hosts.reaper.host:Reaper",
        "jack": "hitpoint.bridge.hosts.jack:Jack",
        "midi-clock": "hitpoint.bridge.hosts.midi_clock:MidiClock",
        "link": "hitpoint.bridge.hosts.link:AbletonLink",
    },
    "hitpoint.hosts",
)


def wanted_hosts(config: Config) -> list[Host]:
    """The hosts that the configuration asks for. Raises UsageError where another package's cannot be loaded."""
    hosts = [HOSTS.load(name)() for name in HOSTS.names()]
    return [host for host in hosts if host.wanted(config)]
