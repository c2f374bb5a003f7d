"""The page in a real Chromium, against a real bridge with the fake composer; and strangers at its door."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import av
import mido
import numpy as np
import pytest

from hitpoint.bridge import cli
from hitpoint.bridge.commands.page import listening
from hitpoint.bridge.errors import UsageError
from hitpoint.bridge.web.notes import notes_of
from hitpoint.bridge.web.relay import packet
from hitpoint.bridge.web.shelf import Shelf

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
ROOT = Path(__file__).parents[3]
SLOW_MS = 180_000
"""Machines are shared: nothing here is judged by how long it takes."""


@dataclass(frozen=True)
class Server:
    url: str
    port: int
    token: str
    film: Path
    process: subprocess.Popen[bytes]

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """headers: with `_` for `-`; an empty one is left out."""
        sent = {"Host": f"127.0.0.1:{self.port}", "Origin": f"http://127.0.0.1:{self.port}",
                "Cookie": f"hitpoint-{self.port}={self.token}"}  # fmt: skip
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            link.request(method, path, body, {name: value for name, value in sent.items() if value})
            answer = link.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            link.close()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 s at 12 frames a second, cuts at 1.5 and 4 s."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    grounds = np.random.default_rng(0).integers(0, 256, (3, 6, 10, 3), dtype=np.uint8).repeat(15, 1).repeat(16, 2)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for number in range(72):
            picture = grounds[(number >= 18) + (number >= 48)].copy()
            picture[30:60, 2 * number % 130 : 2 * number % 130 + 30] = 255
            for each in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                out.mux(each)
        for each in stream.encode():
            out.mux(each)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, film: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "hitpoint.yaml").write_text("test_composer: tests.fakes:make_composer\nmidi_port: none\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        bridge_port = free.getsockname()[1]
    command = [sys.executable, "-u", "-c", "from hitpoint.bridge.cli import main; main()", "page", str(film),
               "--no-browser", "--page-port", "0", "--port", str(bridge_port), "--state-dir", str(folder / "state"),
               "--config", str(folder / "hitpoint.yaml"), "--root", str(film.parent)]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HITPOINT_CACHE_DIR": str(folder / "cache")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    try:
        assert process.stdout is not None
        found = re.match(r"(http://127\.0\.0\.1:(\d+)/#(\S+))", process.stdout.readline().decode())
        assert found is not None, "it did not start"
        yield Server(found[1], int(found[2]), found[3], film, process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def state(page: Any, what: str) -> Any:
    return page.evaluate(f"hitpoint.{what}")


def wait_for(page: Any, condition: str) -> None:
    """The page's policy forbids what Playwright's own waiting does: text that becomes code."""
    until_s = time.monotonic() + SLOW_MS / 1000
    while time.monotonic() < until_s:
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{condition}: {page.inner_text('#status')}")


def wait_for_score(page: Any) -> None:
    wait_for(page, "!hitpoint.working && hitpoint.takes.size >= 2")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as run:
        started = run.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def page(server: Server, browser: Any) -> Iterator[Any]:
    """Scored, with two takes."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(SLOW_MS)
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto(server.url)
    opened.wait_for_selector("body[data-film=there][data-bridge=there]", timeout=SLOW_MS)
    opened.click("#score")
    wait_for_score(opened)
    yield opened
    opened.close()
    assert not faults


def test_open_and_score(page: Any) -> None:
    assert "of 2 cuts hit" in page.inner_text("#status")
    assert state(page, "hits.map(hit => hit.timeS)") == pytest.approx([1.5, 4.0], abs=0.05)
    assert state(page, "report.bars.at(-1).end_s") == pytest.approx(6.0, abs=0.01)
    assert page.locator("#takes input").count() == 2 and page.locator("#downloads a").count() >= 11
    assert "#" not in page.url  # the token does not stay in sight


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_keeps_anybody_out(page: Any, width: int) -> None:
    source = Path(pytest.importorskip("axe_core_python").__file__).with_name("axe.min.js")
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(source.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    assert not [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})


def test_takes_are_switched_while_it_plays(page: Any) -> None:
    first = state(page, "notes")
    page.evaluate("document.querySelector('video').loop = true")
    page.locator("body").press("Home")
    page.locator("body").press(" ")
    wait_for(page, "document.querySelector('video').currentTime > 0.2")
    page.locator("body").press("2")
    assert state(page, "take") == 1 and state(page, "notes") != first
    assert not page.evaluate("document.querySelector('video').paused")
    page.locator("body").press("k")
    page.locator("body").press("1")
    assert state(page, "notes") == first


def test_a_hit_is_dragged_and_the_notes_move(page: Any) -> None:
    page.locator("#apart").uncheck()  # quicker
    before, hit = state(page, "notes"), page.locator("#hits button").first
    hit.scroll_into_view_if_needed()
    box = hit.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y, steps=4)
    page.mouse.up()
    wait_for(page, "hitpoint.working || hitpoint.takes.size < 2")
    wait_for_score(page)
    moved_s = state(page, "hits[0].timeS")
    assert 1.6 < moved_s < 2.2 and state(page, "notes") != before
    hits_s = state(page, "report.hits.map(hit => hit.time_s)")
    assert min(abs(each - moved_s) for each in hits_s) < 0.01 and min(abs(each - 1.5) for each in hits_s) > 0.05


def test_the_mood_is_drawn_and_the_bars_have_it(page: Any) -> None:
    page.select_option("#draw", "valence")
    canvas = page.locator("#canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    low = box["y"] + 162 + 42  # near the lower edge of the lane
    page.mouse.move(box["x"] + 2, low)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, low, steps=20)
    page.mouse.up()
    wait_for(page, "hitpoint.working || hitpoint.takes.size < 2")
    wait_for_score(page)
    assert all(bar["affect"]["valence"] < -0.7 for bar in state(page, "report.bars"))
    assert page.input_value("#moodline").count(":") >= 8
    page.select_option("#draw", "")
    page.fill("#moodline", "0:0.9:,6:0.9:")  # the same by the keyboard
    page.locator("#moodline").press("Tab")
    wait_for(page, "hitpoint.working || hitpoint.takes.size < 2")
    wait_for_score(page)
    assert all(bar["affect"]["valence"] > 0.7 for bar in state(page, "report.bars"))
    page.fill("#moodline", "6:7:")
    page.locator("#moodline").press("Tab")
    wait_for(page, "document.querySelector('#status.wrong')")
    assert "mood-line" in page.inner_text("#status")
    page.fill("#moodline", "")
    page.click("#score")
    wait_for_score(page)


def test_bars_are_regenerated_and_taken_back(page: Any, tmp_path: Path) -> None:
    before, bars = state(page, "notes"), state(page, "report.bars")
    assert len(bars) >= 3
    page.fill("#from", "0")
    page.fill("#to", "1")
    page.click("#regenerate")
    wait_for(page, "!hitpoint.working && hitpoint.takes.get(hitpoint.take).before.length == 1")
    after, end_s = state(page, "notes"), bars[1]["end_s"]
    assert after != before
    late = [
        {part["name"]: [n for n in part["notes"] if n[0] > end_s + 0.05] for part in each} for each in (before, after)
    ]
    assert {k: v for k, v in late[0].items() if v} == {k: v for k, v in late[1].items() if v}
    page.click("#undo")
    wait_for(page, "!hitpoint.working && hitpoint.takes.get(hitpoint.take).before.length == 0")
    assert state(page, "notes") == before
    with page.expect_download() as download:
        page.locator("#downloads a", has_text=".mid").click()
    download.value.save_as(tmp_path / "music.mid")
    assert mido.MidiFile(tmp_path / "music.mid").length == pytest.approx(6.0, abs=0.01)
    assert notes_of(tmp_path / "music.mid") == before


def test_a_part_is_muted(page: Any) -> None:
    name = state(page, "report.instruments[0]")
    assert [path for path in state(page, "takes.get(1).list.map(each => each.path)") if path.endswith(".wav")]
    page.get_by_label(f"Mute {name}").check()
    assert state(page, "muted.size") == 1
    page.get_by_label(f"Mute {name}").uncheck()
    page.fill("#key", "H major")
    page.click("#score")
    wait_for(page, "document.querySelector('#status.wrong')")
    assert "H major" in page.inner_text("#status")
    page.fill("#key", "auto")


def test_two_pages_and_a_bridge_that_is_killed(server: Server, browser: Any, page: Any) -> None:
    psutil = pytest.importorskip("psutil")
    second = browser.new_context().new_page()
    second.set_default_timeout(SLOW_MS)
    second.goto(server.url)
    second.wait_for_selector("body[data-film=there][data-bridge=there]", timeout=SLOW_MS)
    page_server = psutil.Process(server.process.pid)

    def bridges() -> set[int]:
        alive = (each for each in page_server.children() if each.status() != psutil.STATUS_ZOMBIE)
        return {each.pid for each in alive if "serve" in each.cmdline()}

    (killed,) = bridges()
    os.kill(killed, signal.SIGKILL)
    until_s = time.monotonic() + SLOW_MS / 1000
    while bridges() <= {killed}:  # the page may be back before it has noticed that the bridge was away
        assert time.monotonic() < until_s, "no bridge is started in its place"
        time.sleep(0.1)
    second.wait_for_selector("body[data-bridge=there]", timeout=SLOW_MS)
    second.fill("#count", "1")
    second.locator("#apart").uncheck()
    while state(second, "working") or state(second, "takes.size") != 1:
        assert time.monotonic() < until_s, second.inner_text("#status")
        if not state(second, "working"):  # what was asked of a bridge that was away is asked again
            second.click("#score")
        second.wait_for_timeout(500)
    second.close()


def test_strangers_are_refused(server: Server, tmp_path: Path) -> None:
    film = "/film?path=" + quote(str(server.film))
    assert server.ask("GET", film, Range="bytes=0-9")[0] == 206
    assert server.ask("GET", film, Host="evil.example")[0] == 403
    assert server.ask("GET", film, Host=f"evil.example:{server.port}")[0] == 403
    assert server.ask("GET", film, Origin="http://evil.example")[0] == 403
    assert server.ask("GET", film, Sec_Fetch_Site="cross-site")[0] == 403
    assert server.ask("GET", film, Cookie="")[0] == 403
    assert server.ask("GET", film, Cookie=f"hitpoint-{server.port}=wrong")[0] == 403
    assert server.ask("POST", "/enter", b"wrong")[0] == 403
    assert server.ask("POST", "/enter", server.token.encode(), Origin="")[0] == 403
    assert server.ask("POST", "/enter", b"x" * 1000)[0] == 413
    status, _, headers = server.ask("GET", "/", Cookie="")
    assert status == 200 and "default-src 'none'" in headers["content-security-policy"]
    assert server.ask("GET", "/static/../app.py", Cookie="")[0] == 404
    # another page's, or no page's, WebSocket
    key = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "eA" * 11 + "==",
    }
    for wrong in ({"Cookie": ""}, {"Origin": "http://evil.example"}, {"Origin": ""}, {"Host": "evil.example"}):
        assert server.ask("GET", "/session", **{**key, **wrong})[0] == 403


def test_only_films_below_the_roots_and_the_bridges_files(server: Server, tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (server.film.parent / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (server.film.parent / "notes.txt").write_text("not a film")
    for path in (tmp_path / "secret.mp4", server.film.parent / ".." / tmp_path.name / "secret.mp4",
                 server.film.parent / "link.mp4", server.film.parent / "notes.txt", "film.mp4"):  # fmt: skip
        status, said, _ = server.ask("GET", "/film?path=" + quote(str(path)))
        assert status == 422 and said != b"secret", path
        assert server.ask("GET", "/file?path=" + quote(str(path)))[0] == 422
        assert server.ask("GET", "/notes?path=" + quote(str(path)))[0] == 422
    assert server.ask("GET", "/film?path=" + quote(str(server.film.parent / "gone.mp4")))[0] == 422


def test_uploads_are_bounded(server: Server) -> None:
    # 5 GB are refused by what they say of themselves, before a byte is read
    with socket.create_connection(("127.0.0.1", server.port), 60) as link:
        link.sendall(
            f"POST /upload?name=a.mp4 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: http://127.0.0.1:{server.port}"
            f"\r\nCookie: hitpoint-{server.port}={server.token}\r\nContent-Length: {5 << 30}\r\n\r\n".encode()
        )
        assert b" 422 " in link.recv(4096).split(b"\r\n")[0]
    assert server.ask("POST", "/upload?name=a.txt", b"x")[0] == 422
    assert server.ask("POST", "/upload?name=" + quote("../a.mp4"), b"x")[0] == 422
    assert server.ask("POST", "/upload?name=a.mp4")[0] == 422
    status, said, _ = server.ask("POST", "/upload?name=a.mp4", server.film.read_bytes())
    assert status == 200 and b"/films/a" in said


def test_a_takes_files_are_its_own(tmp_path: Path) -> None:
    names = ["a-take-0.mid", "a-take-0.wav", "a-take-0-drums.wav", "a-take-0.report.json"]
    others = [
        "a-take-0-edition-1.mid",
        "a-take-0-edition-1-drums.wav",
        "a-take-01.mid",
        "b.mid",
        ".a-take-0.x.part.wav",
    ]
    for name in names + others:
        (tmp_path / name).touch()
    shelf = Shelf([], tmp_path / "films")
    shelf.wrote([tmp_path / "a-take-0.mid"])
    assert sorted(path.name for path in shelf.beside(tmp_path / "a-take-0.mid")) == sorted(names)
    assert shelf.written(str(tmp_path / "a-take-0-drums.wav")).name == "a-take-0-drums.wav"
    for name in [*others, "../passwd", "a\0b"]:
        with pytest.raises(UsageError):
            shelf.written(str(tmp_path / name))


@pytest.mark.parametrize(
    "message",
    [None, {}, [], [1], ["/other"], ["/hitpoint/score", None], ["/hitpoint/score", []], ["/hitpoint/x", "y" * 20_000]],
)
def test_what_is_no_message_is_not_carried(message: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        packet(message)


def test_a_port_that_is_taken_and_a_lacking_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(0) as sock, pytest.raises(UsageError, match="--page-port"):
        sock.listen()
        listening(sock.getsockname()[1])
    for arguments, module, code, said in (
        (["page"], "starlette", 4, "pip install 'hitpoint[page]'"),
        (["page", "none.mp4"], "", 3, "there is no film"),
        (["page", "--port", "99999"], "", 2, "port must lie in"),
    ):
        monkeypatch.setattr(sys, "argv", ["hitpoint", *arguments])
        with monkeypatch.context() as lacking, pytest.raises(SystemExit) as caught:
            if module:
                lacking.setitem(sys.modules, module, None)
            cli.main()
        assert caught.value.code == code and said in capsys.readouterr().err
