"""Make docs/page.webp, twenty seconds of the page, and docs/page.png: `python docs/film_page.py [OUT.webp]`.

It takes Chromium, Playwright and ffmpeg. The example film is scored by the shipped composer; what is waited for is cut
out.
"""

from __future__ import annotations

import base64
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
FILM = HERE.parent / "examples" / "film.mp4"
SIZE = {"width": 1280, "height": 1360}
WIDTH, FPS, QUALITY = 900, 8, 55
LENGTH_S = 20.0
"""It is shown in, however slow the machine was."""
MOST_BYTES = 2_000_000
PATIENCE_S = 600


class Filming:
    """The page, its pictures (moment, JPEG), and the scenes, (from, to), that are to be seen."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.pictures, self.scenes = list[tuple[float, bytes]](), list[tuple[float, float]]()
        self._screen = page.context.new_cdp_session(page)
        self._screen.on("Page.screencastFrame", self._keep)
        self._screen.send("Page.startScreencast", {"format": "jpeg", "quality": 90, "everyNthFrame": 1})

    def _keep(self, shown: dict[str, Any]) -> None:
        self.pictures.append((time.monotonic(), base64.b64decode(shown["data"])))
        self._screen.send("Page.screencastFrameAck", {"sessionId": shown["sessionId"]})

    def stop(self) -> None:
        """No more pictures."""
        self._screen.send("Page.stopScreencast")

    @contextmanager
    def scene(self) -> Iterator[None]:
        """What happens inside is seen."""
        start_s = time.monotonic()
        yield
        self.scenes.append((start_s, time.monotonic()))

    def write(self, folder: Path) -> tuple[Path, int]:
        """The scenes as pictures at FPS a second: their names for ffmpeg, and how many they are."""
        number = 0
        for start_s, end_s in self.scenes:
            for place in range(round((end_s - start_s) * FPS)):
                seen = [data for at_s, data in self.pictures if at_s <= start_s + place / FPS]
                (folder / f"{number:04}.jpg").write_bytes(seen[-1] if seen else self.pictures[0][1])
                number += 1
        return folder / "%04d.jpg", number

    def rest(self, seconds: float) -> None:
        """Let it be looked at."""
        self.page.wait_for_timeout(1000 * seconds)

    def until(self, condition: str) -> None:
        """Wait until the page says so."""
        until_s = time.monotonic() + PATIENCE_S
        while not self.page.evaluate(condition):
            assert time.monotonic() < until_s, condition
            self.page.wait_for_timeout(100)

    def stroke(self, *points: tuple[float, float]) -> None:
        """Draw from point to point with the mouse."""
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point, steps=12)
        self.page.mouse.up()


def play_it(film: Filming) -> None:
    """What is shown."""
    page, scored = film.page, "!hitpoint.working && hitpoint.takes.size >= 2"
    with film.scene():
        film.rest(1.5)
        page.click("#score")
        film.rest(1.5)
    film.until(scored)
    with film.scene():
        film.rest(1.0)
        page.locator("body").press(" ")
        film.rest(2.5)
        page.locator("body").press("2")
        film.rest(2.5)
        page.locator("body").press("k")
    hit = page.locator("#hits button").nth(2).bounding_box()
    x, y = hit["x"] + hit["width"] / 2, hit["y"] + hit["height"] / 2
    with film.scene():
        film.stroke((x, y), (x + 45, y))
        film.rest(1.0)
    film.until(scored)
    page.select_option("#draw", "valence")
    box = page.locator("#canvas").bounding_box()
    at = [(box["x"] + share * box["width"], box["y"] + 162 + high) for share, high in
          ((0.05, 8), (0.35, 12), (0.45, 40), (0.9, 40))]  # fmt: skip
    with film.scene():
        film.stroke(*at)
        film.rest(1.0)
    film.until(scored)
    page.select_option("#draw", "")
    with film.scene():
        film.rest(1.5)
        y = box["y"] + 380
        film.stroke((box["x"] + 0.3 * box["width"], y), (box["x"] + 0.5 * box["width"], y))
        film.rest(0.8)
        page.click("#regenerate")
        film.rest(0.8)
    film.until("!hitpoint.working")
    with film.scene():
        film.rest(2.0)


def main() -> None:
    """Record, cut, and write."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "page.webp"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-u", "-c", "from hitpoint.bridge.cli import main; main()", "page", str(FILM),
                   "--no-browser", "--page-port", "0", "--port", port, "--state-dir", f"{place}/state",
                   "--midi-port", "none"]  # fmt: skip
        server = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            found = re.match(r"http\S+", server.stdout.readline().decode())
            assert found is not None
            with sync_playwright() as run:
                arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
                browser = run.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
                page = browser.new_page(viewport=SIZE)
                page.goto(found[0])
                page.wait_for_selector("body[data-film=there][data-bridge=there]", timeout=1000 * PATIENCE_S)
                page.evaluate("document.getElementById('apart').click()")
                page.evaluate("document.getElementById('path').value = 'film.mp4'")
                film = Filming(page)
                play_it(film)
                film.stop()
                page.screenshot(path=out.with_suffix(".png"))
                browser.close()
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)
        form = ["-vf", f"scale={WIDTH}:-2:flags=lanczos", "-c:v", "libwebp_anim", "-quality", str(QUALITY),
                "-compression_level", "6", "-loop", "0"]  # fmt: skip
        pictures, count = film.write(Path(place))
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-framerate", f"{count / LENGTH_S:.3f}", "-i", pictures, *form, out],
            check=True,
        )
    length_s = sum(end_s - start_s for start_s, end_s in film.scenes)
    print(f"{out}: {length_s:.0f} s in {len(film.scenes)} scenes, {out.stat().st_size / 1e6:.2f} MB")
    assert out.stat().st_size <= MOST_BYTES


if __name__ == "__main__":
    main()
