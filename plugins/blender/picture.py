# SPDX-License-Identifier: GPL-3.0-or-later
"""A small film of what the sequencer shows, rendered by another Blender beside this one. Knows nothing of Blender."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

STILL_S = 600.0
"""A render of which no frame is finished for so long is given up."""
OLD_S = 30 * 86400.0


class Picture:
    """The render under way, if any. Its owner calls `look` now and then; nothing here waits.

    job: what is to be scored once the film is there.
    """

    def __init__(self) -> None:
        self.job: Any = None
        self.share = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._film = self._log = self._library = Path()
        self._frames, self._news = 1, 0.0

    @property
    def running(self) -> bool:
        """Whether a film is being rendered."""
        return self._process is not None

    def start(self, command: list[str], library: Path, film: Path, wishes: dict[str, Any], job: Any) -> None:
        """Render `film`. library: the scene's own file, which is removed at the end. Raises OSError."""
        self.stop()
        frames = wishes["end"] - wishes["first"]
        self._film, self._library, self._log = film, library, library.with_suffix(".log")
        wishes = {**wishes, "library": str(library), "film": str(_part(film))}
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        with self._log.open("wb") as log:
            call = [*command, json.dumps(wishes)]
            self._process = subprocess.Popen(
                call, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, creationflags=hidden
            )
        self.job, self.share, self._frames, self._news = job, 0.0, frames, time.monotonic()

    def look(self) -> str | None:
        """See how far it is. None while there is nothing to say; else "" once the film is there, or what went wrong."""
        if self._process is None:
            return None
        ended = self._process.poll()
        done = self._log.read_text("utf-8", "replace").count("frame done")
        if done / self._frames > self.share:
            self.share, self._news = min(1.0, done / self._frames), time.monotonic()
        if ended is None:
            if time.monotonic() - self._news < STILL_S:
                return None
            self.stop()
            return "The picture is not rendered on: no frame was finished for ten minutes."
        words = [line for line in self._log.read_text("utf-8", "replace").splitlines() if line.strip()]
        part, problem = _part(self._film), ""
        if ended == 0 and done >= self._frames and part.is_file():
            part.replace(self._film)
        else:
            problem = f"The picture could not be rendered: {words[-1] if words else 'Blender said nothing'}"
        self._clear()
        return problem

    def stop(self) -> None:
        """Give the render up."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(2.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._clear()

    def _clear(self) -> None:
        self._process = None
        for path in (_part(self._film), self._library, self._log):
            path.unlink(missing_ok=True)


def _part(film: Path) -> Path:
    return film.with_name(f".{film.name}")


def free_name(folder: Path, title: str) -> Path:
    """A file for a film in `folder`, which is made; those that nobody asked for in a month go. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*, picture *.mp4"):
        if time.time() - old.stat().st_mtime > OLD_S:
            old.unlink()
    number = 1
    while (folder / f"{title}, picture {number}.mp4").exists():
        number += 1
    return folder / f"{title}, picture {number}.mp4"
