"""Make docs/blender-before.png and docs/blender-after.png: the example film in Debian's Blender, scored by a click."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from window import Window

ROOT = Path(__file__).resolve().parents[3]
HITPOINT = Path(sys.executable).with_name("hitpoint")


def cuts() -> list[int]:
    """The example film's cuts, first and last frame included."""
    facts = json.loads((ROOT / "examples" / "film.json").read_text())
    seconds = [0.0, *facts["cuts"], *(fade["time_s"] for fade in facts["fades"]), facts["duration_s"]]
    return sorted(round(moment * facts["fps"]) for moment in seconds)


def keep(window: Window, name: str) -> None:
    """A screenshot as docs/NAME.png."""
    Image.open(window.shot(window.folder / "shot.png")).convert("RGB").save(
        ROOT / "docs" / f"{name}.png", optimize=True
    )


def main() -> None:
    """One window, one click, two pictures."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copy(ROOT / "examples" / "film.mp4", folder / "film.mp4")
        options = ["--port", str(port), "--midi-port", "none", "--no-synth", "--no-revive", "--no-screen"]
        serve = subprocess.Popen([HITPOINT, "serve", *options, "--state-dir", folder / "scores"])
        try:
            with Window(folder, port, 180, "film.mp4", ",".join(map(str, cuts())), size=(1440, 1080)) as window:
                window.click("tab")
                window.find("score")
                keep(window, "blender-before")
                window.click("score")
                window.wait(lambda told: told["markers"], 120)
                window.find("take_a")
                time.sleep(1)
                keep(window, "blender-after")
                print("error in the panel:", window.told()["error"] or "none")
        finally:
            serve.terminate()
            serve.wait(10)


if __name__ == "__main__":
    main()
