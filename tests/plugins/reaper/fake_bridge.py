"""The bridge's side of the OSC table, without analysis and model: plans and composes with the tests' stand-ins."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace
from pathlib import Path

from hitpoint.bridge.osc import codec, protocol
from hitpoint.model.job import markers
from hitpoint.model.music.score import Bar, Score
from hitpoint.model.output.midi_file import write_midi
from hitpoint.model.plan.types import Plan
from tests.fakes import FakeComposer, fake_plan


class FakeBridge:
    """Answers from a thread of its own until closed. heard: every valid request; lose: so many clips are lost first.

    changed: the plan of a changed edit, and which old bar each new one keeps.
    """

    def __init__(
        self, folder: Path, duration_s: float = 15.73, bars: int = 8, lose: int = 0, hang: bool = False
    ) -> None:
        self.folder, self.lose, self.hang = folder, lose, hang
        self.plan = fake_plan(bars, duration_s)
        self.heard: list[protocol.Request] = []
        self.clips: dict[int, protocol.Request] = {}
        self.takes: dict[int, list[Bar]] = {}
        self.files = self.take = 0
        self.missed: list[float] = []
        self.suggestion: dict[str, object] = {}
        self.duck: list[tuple[float, float]] = []
        self.changed: tuple[Plan, dict[int, int]] | None = None
        self.fail_with: tuple[str, str] | None = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.address: tuple[str, int] = self.socket.getsockname()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def close(self) -> None:
        self.stop.set()
        self.thread.join(5)
        self.socket.close()

    def requests(self, name: str) -> list[protocol.Request]:
        return [request for request in self.heard if request.address == f"/hitpoint/{name}"]

    def _run(self) -> None:
        while not self.stop.is_set():
            try:
                packet, sender = self.socket.recvfrom(20000)
            except TimeoutError:
                continue
            for message in codec.decode(packet):
                request = protocol.check(message)
                self.heard.append(request)
                self._answer(request, sender)

    def _send(self, sender: tuple[str, int], name: str, *values: str | int | float) -> None:
        self.socket.sendto(protocol.encode(f"/hitpoint/{name}", *values), sender)

    def _answer(self, request: protocol.Request, sender: tuple[str, int]) -> None:
        name = request.address.removeprefix("/hitpoint/")
        job = request.text("job")
        if name == "hello":
            self._send(sender, "welcome", "0", protocol.PROTOCOL, "none", "idle")
        elif name == "clip":
            if self.lose > 0:
                self.lose -= 1
            else:
                self.clips[request.whole("index")] = request
        elif name == "clips/end":
            missing = [str(index) for index in range(request.whole("count")) if index not in self.clips]
            if missing:
                self._send(sender, "error", "clips-missing", " ".join(missing), job)
            else:
                self._send(sender, "progress", job, "clips", 1.0)
        elif name in ("score", "take", "regenerate") and not self.hang:
            self._compose(name, request, sender)

    def _compose(self, name: str, request: protocol.Request, sender: tuple[str, int]) -> None:
        job = request.text("job")
        if self.fail_with is not None:
            self._send(sender, "error", *self.fail_with, job)
            return
        self._send(sender, "progress", job, "compose", 0.5)
        take = {"take": lambda: request.whole("take"), "regenerate": lambda: self.take}.get(name, lambda: 0)()
        self.take = take
        if name == "regenerate":
            fresh = list(FakeComposer().stream(self.plan, 999))
            for index in range(request.whole("first_bar"), request.whole("last_bar") + 1):
                self.takes[take][index] = fresh[index]
        else:
            old = self.takes.get(take, [])
            self.takes[take] = list(FakeComposer().stream(self.plan, take))
            if "keep" in request.rest and self.changed is not None:
                self.plan, kept = self.changed
                fresh = list(FakeComposer().stream(self.plan, 999))
                self.takes[take] = [
                    replace(old[kept[bar.index]], index=bar.index) if bar.index in kept else bar for bar in fresh
                ]
        self.files += 1
        score = Score(
            tuple(self.takes[take]), self.plan.tempo_map, "pop", self.plan.instruments, take, markers(self.plan)
        )
        path = self.folder / f"take-{self.files}.mid"
        write_midi(score, path)
        self.latest = path
        report = path.with_suffix(".json")
        cuts = {"found": 3, "hit": 3 - len(self.missed), "missed_s": self.missed}
        told = {"cuts": cuts, "sound": {"speech": [], "duck": self.duck}}
        report.write_text(json.dumps({**told, "suggestion": self.suggestion} if self.suggestion else told))
        self._send(sender, "result", job, str(path), "", str(report), take, request.whole("request"), 0)
