"""Blender as a host: its extension speaks OSC by itself; there is only something to install.

Threads and processes: no state.
"""

from __future__ import annotations

from pathlib import Path

from hitpoint.bridge.hosts.base import Host


class Blender(Host):
    """Blender's Video Sequence Editor."""

    folder_option = ("--to", "Folder for the extension's zip and its repository index.")
    program_option = ("--blender", "The Blender to install into.  [default: all]")

    def install(self, folder: Path | None, program: Path | None) -> list[str]:
        """Build the extension and install it into every Blender, or into `program`."""
        from hitpoint.bridge.hosts.blender.install import install_blender

        return install_blender(folder, program)
