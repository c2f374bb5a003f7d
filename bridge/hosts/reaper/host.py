"""REAPER as a host: a folder of request files, since its scripts have no sockets.

Threads and processes: `beside` starts the thread that serves them, in the watchdog's process.
"""

from __future__ import annotations

import threading
from pathlib import Path

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.hosts.base import Host


class Reaper(Host):
    """REAPER and its Lua scripts."""

    folder_option = ("--resource-path", "REAPER's resource folder, for a portable installation.")

    def wanted(self, config: Config) -> bool:
        """Where a folder is named."""
        return bool(config.reaper_folder)

    def beside(self, config: Config, address: tuple[str, int], ended: threading.Event) -> threading.Thread | None:
        """Serve the folder's requests."""
        from hitpoint.bridge.hosts.reaper.requests import run

        arguments = (Path(config.reaper_folder).expanduser(), address, ended, config.token)
        thread = threading.Thread(target=run, args=arguments, name="file requests", daemon=True)
        thread.start()
        return thread

    def install(self, folder: Path | None, program: Path | None) -> list[str]:
        """Copy the scripts into REAPER's resource folder."""
        from hitpoint.bridge.hosts.reaper.install import install_reaper

        return install_reaper(folder)
