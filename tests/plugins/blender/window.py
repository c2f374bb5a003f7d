"""Debian's Blender in a real window on a screen of its own (Xvfb), clicked by xdotool, seen by ffmpeg."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import cv2

HERE = Path(__file__).parent
SIZE = (1440, 1000)
NEEDED = ("blender", "Xvfb", "xdotool", "ffmpeg")


def missing() -> list[str]:
    """The programs that this machine lacks."""
    return [name for name in NEEDED if shutil.which(name) is None]


class Window:
    """Runs `script` with FOLDER PORT SECONDS and further arguments; ends it, and the screen, on leaving."""

    def __init__(
        self,
        folder: Path,
        port: int,
        seconds: float,
        *arguments: str,
        script: str = "script_window.py",
        size: tuple[int, int] = SIZE,
    ) -> None:
        self.folder = folder
        self._told = folder / "window.json"
        self._told.unlink(missing_ok=True)
        self.size = width, height = size
        read, write = os.pipe()
        screen = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
        self._screen = subprocess.Popen(screen, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as pipe:
            self.display = f":{pipe.readline().strip()}"
        self._environment = {**os.environ, "DISPLAY": self.display, "LIBGL_ALWAYS_SOFTWARE": "1"}
        self._log = (folder / "blender.log").open("wb")
        start = ["blender", "--factory-startup", "--app-template", "Video_Editing", "--window-geometry", "0", "0"]
        start += [
            str(width),
            str(height),
            "-P",
            str(HERE / script),
            "--",
            str(folder),
            str(port),
            str(seconds),
            *arguments,
        ]
        self.blender = subprocess.Popen(start, env=self._environment, stdout=self._log, stderr=self._log)
        try:
            self.wait(lambda told: told["state"] == "connected", 60)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for process in (self.blender, self._screen):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.close()

    def told(self) -> dict:
        """What the script in Blender wrote last: strips, markers, connection, error, frame."""
        return json.loads(self._told.read_text()) if self._told.exists() else {"state": "", "markers": [], "strips": []}

    def wait(self, done, seconds: float = 30.0) -> dict:
        """Wait until done(told()); AssertionError with Blender's own words when it never is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            told = self.told()
            if done(told):
                return told
            assert self.blender.poll() is None, (self.folder / "blender.log").read_text()[-2000:]
            time.sleep(0.1)
        raise AssertionError(f"waited {seconds} s: {self.told()}\n{(self.folder / 'blender.log').read_text()[-2000:]}")

    def shot(self, path: Path) -> Path:
        """A screenshot without the mouse."""
        size = f"{self.size[0]}x{self.size[1]}"
        grab = ["-f", "x11grab", "-draw_mouse", "0", "-video_size", size, "-i", self.display, "-frames:v", "1"]
        subprocess.run(["ffmpeg", "-v", "error", "-y", *grab, str(path)], check=True, env=self._environment)
        return path

    def find(self, name: str, seconds: float = 10.0) -> tuple[int, int]:
        """The middle of what looks like `name`.png on the screen, pixels; waits for it to appear."""
        wanted = cv2.imread(str(HERE / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        end, best = time.monotonic() + seconds, 0.0
        while time.monotonic() < end:
            seen = cv2.imread(str(self.shot(self.folder / "screen.png")), cv2.IMREAD_GRAYSCALE)
            _, best, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(seen, wanted, cv2.TM_CCOEFF_NORMED))
            if best > 0.95:
                return x + wanted.shape[1] // 2, y + wanted.shape[0] // 2
            time.sleep(0.3)
        raise AssertionError(f"{name} is not on the screen (best match {best:.2f})")

    def click(self, name: str) -> None:
        """Click what looks like `name`.png, and take the mouse away."""
        x, y = self.find(name)
        self.xdotool(
            "mousemove", str(x), str(y), "sleep", "0.3", "click", "1", "sleep", "0.3", "mousemove", "700", "900"
        )

    def xdotool(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], check=True, env=self._environment)
