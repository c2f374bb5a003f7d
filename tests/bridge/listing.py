"""A MIDI sink of another package that writes each message with its moment: ears where there is no JACK to hear with."""

from __future__ import annotations

import os
from pathlib import Path

SINK = """
import time
from hitpoint.bridge.midi.base import Sink

class Listing(Sink):
    api = "listing"

    def __init__(self, path):
        self.name = "listing"
        self.file = open(path, "a", buffering=1)

    @classmethod
    def open(cls, config, argument):
        return cls(argument)

    def send(self, message):
        self.file.write(f"{time.monotonic():.6f} {message.hex()}\\n")
"""


class Listing:
    """Makes the package in `folder`; `port` is the setting midi_port that writes into its file."""

    def __init__(self, folder: Path) -> None:
        self.site, self.path = folder / "site", folder / "midi.txt"
        about = self.site / "listing-1.0.dist-info"
        about.mkdir(parents=True)
        (self.site / "listing_sink.py").write_text(SINK)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: listing\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text("[hitpoint.sinks]\nlisting = listing_sink:Listing\n")
        self.port = f"listing:{self.path}"

    @property
    def python_path(self) -> str:
        """PYTHONPATH of the process that is to find it."""
        return os.pathsep.join(filter(None, [str(self.site), os.environ.get("PYTHONPATH", "")]))

    def events(self) -> list[tuple[float, bytes]]:
        """(moment, message) of all that was sent."""
        if not self.path.exists():
            return []
        lines = [line.split() for line in self.path.read_text().splitlines()]
        return [(float(line[0]), bytes.fromhex(line[1])) for line in lines if len(line) == 2]
