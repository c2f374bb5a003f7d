"""The page in Chromium: first paint, click to first sound, kB served, frames while ten minutes of film scroll, and who
is kept out (axe; Lighthouse too, where `npm install -g lighthouse` put it on the path).

    python tests/bench/bench_page.py [FILM]    (default: the example film; the composer is the shipped one)

The ten minutes are a report of 300 bars and 12,000 notes put into the page; beside the frames stands what the same
browser reaches on an empty page.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import axe_core_python
from playwright.sync_api import sync_playwright

FILM = Path(__file__).parents[2] / "examples" / "film.mp4"
WAIT_MS = 600_000
WIDTHS = (1280, 390)
FRAMES = """() => new Promise((done) => {
  const scroll = document.getElementById('scroll'), began = performance.now(); let frames = 0, busy = 0;
  const step = (now) => {
    frames++;
    if (scroll) { scroll.value = (now - began) / 4000; scroll.dispatchEvent(new Event('input')); }
    if (now - began < 4000) requestAnimationFrame(step); else done(frames / 4);
  };
  requestAnimationFrame(step);
})"""
CLICKS = """() => {
  document.getElementById('score').addEventListener('click', () => { window.began = performance.now(); });
  document.getElementById('play').addEventListener('click', () => { window.pressed ??= performance.now(); });
  window.heard = 0;
  document.querySelector('video').addEventListener('playing', () => { window.heard ||= performance.now(); });
}"""
LONG = """() => {
  const bars = [...Array(300).keys()].map((i) => ({
    index: i, start_s: 2 * i, end_s: 2 * i + 2, chords_target: ['Am7', 'F'],
    instruments: ['drums', 'piano', 'bass'], affect: { valence: Math.sin(i / 9), arousal: 0.2, tension: 0.5 } }));
  const times = [...Array(14400).keys()].map((i) => i / 24);
  const motion = times.map((t) => Math.abs(Math.sin(t)));
  hitpoint.look = { ...hitpoint.look, duration_s: 600, times_s: times, motion };
  hitpoint.report = { ...hitpoint.report, bars };
  hitpoint.notes = ['Drums', 'Piano', 'Bass'].map((name, k) => ({ name, channel: k, program: 0,
    notes: [...Array(4000).keys()].map((i) => [0.15 * i, 0.15 * i + 0.1, 40 + (7 * i + k) % 40, 80]) }));
  document.getElementById('zoom').value = 0.4;
}"""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def measure(page: Any, url: str) -> None:
    served: list[int] = []
    page.on("response", lambda answer: served.append(int(answer.headers.get("content-length", 0)))
            if "/static/" in answer.url or answer.url.endswith("/") else None)  # fmt: skip
    page.goto("about:blank")
    empty = page.evaluate(FRAMES)
    page.goto(url)
    page.wait_for_selector("body[data-film=there][data-bridge=there]", timeout=WAIT_MS)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    print(f"first contentful paint {paint:.0f} ms; {sum(served) / 1000:.1f} kB of page in {len(served)} files")
    page.evaluate(CLICKS)
    page.click("#score")
    while not page.evaluate("hitpoint.takes.size"):
        page.wait_for_timeout(50)
    to_score = page.evaluate("performance.now() - began")
    page.evaluate("document.getElementById('play').click()")
    while not page.evaluate("heard"):
        page.wait_for_timeout(20)
    to_sound = page.evaluate("heard - pressed")
    print(f"Score to the first take {to_score / 1000:.1f} s; Play to the film and its music running {to_sound:.0f} ms")
    page.evaluate("document.querySelector('video').pause()")
    page.evaluate(LONG)
    print(f"{page.evaluate(FRAMES):.0f} frames a second while 10 min scroll ({empty:.0f} on an empty page)")


def barriers(page: Any) -> None:
    """Print what axe finds on the page as it is scored, wide and narrow."""
    source = Path(axe_core_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(source)
        found = page.evaluate("axe.run()")
        wrong = [each["id"] for each in found["violations"]]
        print(f"axe at {width} px: {len(wrong)} findings {wrong or ''}, {len(found['passes'])} rules passed")


def lighthouse(url: str, chromium: str) -> None:
    """Print Lighthouse's accessibility, 0..100."""
    program = shutil.which("lighthouse")
    if program is None:
        print("Lighthouse is not on the path")
        return
    command = [program, url, "--quiet", "--only-categories=accessibility", "--output=json", "--output-path=stdout",
               "--chrome-flags=--headless=new --no-sandbox"]  # fmt: skip
    done = subprocess.run(command, env={**os.environ, "CHROME_PATH": chromium}, capture_output=True, text=True)
    if done.returncode:
        print(f"Lighthouse does not run: {done.stderr.strip().splitlines()[-1:]}")
        return
    report = json.loads(done.stdout)
    score = report["categories"]["accessibility"]["score"]
    lacking = [name for name, each in report["audits"].items() if each["score"] == 0]
    print(f"Lighthouse accessibility {100 * score:.0f} {lacking or ''}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("film", nargs="?", type=Path, default=FILM)
    film = parser.parse_args().film
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-u", "-c", "from hitpoint.bridge.cli import main; main()", "page", str(film),
                   "--no-browser", "--page-port", "0", "--port", str(free_port()), "--state-dir", f"{place}/state",
                   "--midi-port", "none"]  # fmt: skip
        server = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            found = re.match(r"http\S+", server.stdout.readline().decode())
            assert found is not None
            print(f"load {os.getloadavg()[0]:.1f}")
            with sync_playwright() as run:
                arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
                browser = run.chromium.launch(executable_path=chromium, args=arguments)
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                measure(page, found[0])
                barriers(page)
                browser.close()
            lighthouse(found[0], chromium or "")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


if __name__ == "__main__":
    main()
