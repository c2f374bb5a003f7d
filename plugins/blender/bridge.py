# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge's process, where this Blender starts one. Knows nothing of Blender."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


class Bridge:
    """The `hitpoint serve` that this Blender started, if any."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._log = Path()

    def start(self, command: list[str], port: int, folder: Path) -> str:
        """Launch it without waiting, its output in `folder`. Returns a sentence when that fails, else ""."""
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / f"bridge-{os.getpid()}.log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            with self._log.open("wb") as log:
                # --while-open: it ends with this Blender, however that ends
                call = [*command, "serve", "--port", str(port), "--while-open"]
                self._process = subprocess.Popen(
                    call, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, creationflags=hidden
                )
        except OSError as error:
            return f"The bridge could not be started ({error.strerror}): set its path in the extension's preferences."
        return ""

    def died(self) -> str:
        """A sentence, once, when the bridge that was started has ended by itself; else ""."""
        if self._process is None or self.starting:
            return ""
        self._process = None
        words = self._log.read_text("utf-8", "replace").strip().splitlines()
        return f"The bridge ended: {words[-1] if words else 'it said nothing; run `hitpoint serve` in a terminal'}"

    @property
    def starting(self) -> bool:
        """Whether a started bridge runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the bridge that this Blender started; it silences its notes by itself."""
        if self._process is not None:
            self._process.terminate()
            self._process = None


def bridge_command(preferred: str, installed: list[str]) -> list[str]:
    """How to call `hitpoint`: the preferences' path, what `hitpoint install blender` noted down, or the PATH's; []."""
    if preferred:
        return [preferred]
    if installed and shutil.which(installed[0]):
        return installed
    found = shutil.which("hitpoint")
    return [found] if found else []
