"""A stand-in for `hitpoint serve`: answers by the OSC table, writes real files, and can misbehave on demand.

Standard library and hitpoint's own OSC only, so that it also runs as a process: `python fake_bridge.py PORT FOLDER`.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
import wave
from pathlib import Path

from hitpoint.bridge.osc import codec, protocol

BAR_S = 2.0


class FakeBridge:
    """Answers on `port` until closed. `log` holds every (address, arguments) that came."""

    def __init__(self, folder: Path, port: int = 0, number: int = protocol.PROTOCOL) -> None:
        self.folder, self.number = folder, number
        self.lose: set[int] = set()  # clip indexes whose first packet is "lost"
        self.stall = False  # take the job, say nothing more
        self.refuse: tuple[str, str] | None = None
        self.wav = True
        self.stems: tuple[str, ...] = ()
        self.edition = 0
        self.reports = False
        self.duck: list[tuple[float, float]] = []
        self.same: dict[str, float] = {}
        self.names: dict[str, tuple[str, ...]] = {}
        self.heard: dict[str, int] = {}
        self.log: list[tuple[str, tuple]] = []
        self.jobs: dict[str, dict] = {}
        self.clients: set[tuple[str, int]] = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", port))
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]
        self._open = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._open = False
        self._thread.join(2)
        self._socket.close()

    def seen(self, address: str) -> list[tuple]:
        return [values for name, values in self.log if name == f"/hitpoint/{address}"]

    def say(self, to, name: str, *values) -> None:
        self._socket.sendto(protocol.encode(f"/hitpoint/{name}", *values), to)

    def _run(self) -> None:
        last_state = 0.0
        while self._open:
            if time.monotonic() - last_state > 0.5:
                last_state = time.monotonic()
                for client in self.clients:
                    self.say(client, "state", "idle", "", 0, 0.0, 0, 0, 0, 0, "fake")
            try:
                packet, sender = self._socket.recvfrom(65536)
            except TimeoutError:
                continue
            for message in codec.decode(packet):
                try:
                    request = protocol.check(message)
                except protocol.ProtocolError as error:
                    self.log.append(("refused", (message.address, str(error))))
                    self.say(sender, "error", error.code, str(error), "")
                    continue
                self.log.append((message.address, message.arguments))
                answer = getattr(self, "on_" + message.address.removeprefix("/hitpoint/").replace("/", "_"), None)
                if answer:
                    answer(sender, request)

    def on_hello(self, sender, request) -> None:
        self.clients.add(sender)
        self.say(sender, "welcome", "0.0-fake", self.number, "fake", "idle")

    def on_ping(self, sender, request) -> None:
        self.say(sender, "pong", request.whole("number"))

    def on_clips_begin(self, sender, request) -> None:
        self.jobs[request.text("job")] = {"clips": {}, "count": request.whole("count"), "fps": request.number("fps")}

    def on_clip(self, sender, request) -> None:
        index = request.whole("index")
        if index in self.lose:
            self.lose.discard(index)
            return
        job = self.jobs.get(request.text("job"))
        if job:
            job["clips"][index] = request.values

    def on_clips_end(self, sender, request) -> None:
        name = request.text("job")
        job = self.jobs.get(name)
        if job is None:
            self.say(sender, "error", "job", "no such job", name)
            return
        missing = sorted(set(range(job["count"])) - set(job["clips"]))
        if missing:
            self.say(sender, "error", "clips-missing", " ".join(map(str, missing[:100])), name)
        else:
            self.say(sender, "progress", name, "clips", 1.0)

    def on_score(self, sender, request) -> None:
        name = request.text("job")
        job = self.jobs.get(name)
        if job is None or len(job["clips"]) < job["count"]:
            self.say(sender, "error", "job", "no such job, or its clips are not complete", name)
            return
        if self.refuse:
            self.say(sender, "error", *self.refuse, name)
            return
        self.say(sender, "progress", name, "analyse", 0.5)
        if self.stall:
            return
        clips = [job["clips"][index] for index in sorted(job["clips"]) if not job["clips"][index].get("heard")]
        start = clips[0]["timeline_start"]
        end = clips[-1]["timeline_start"] + (clips[-1]["out"] - clips[-1]["in"]) / clips[-1].get("rate", 1.0)
        pairs = dict(zip(request.rest[::2], request.rest[1::2], strict=True))
        start, end = float(pairs.get("from", start)), float(pairs.get("to", end))
        job["stems"] = self.stems if pairs.get("stems") == 1 else ()
        job["missed"] = [clip["timeline_start"] - start for clip in clips[2:3]]
        for clip in clips[1:]:
            self.say(sender, "marker", name, clip["timeline_start"], "cut", 1.0)
        self.say(sender, "marker", name, (start + end) / 2, "beat", 0.5)
        self.say(sender, "progress", name, "compose", 0.5)
        index = 0
        while start + index * BAR_S < end:
            self.say(sender, "bar", name, index, start + index * BAR_S, min(end, start + (index + 1) * BAR_S))
            index += 1
        job.update(start=start, end=end, hits=[clip["timeline_start"] - start for clip in clips[1:]])
        for take in range(int(pairs.get("takes", 1))):
            self.finish(sender, name, take)

    def finish(self, sender, name: str, take: int, asked: int = 0) -> None:
        job = self.jobs[name]
        midi, wav = self.files(name, take)
        midi.write_bytes(b"MThd")
        if self.wav:
            for path in (wav, *(wav.with_name(f"{wav.stem}-{part}.wav") for part in job.get("stems", ()))):
                with wave.open(str(path), "wb") as file:
                    file.setnchannels(2)
                    file.setsampwidth(2)
                    file.setframerate(44100)
                    file.writeframes(b"\0\0\0\0" * int(44100 * (job["end"] - job["start"])))
        self.say(sender, "progress", name, "write", 1.0)
        self.tell_result(sender, name, take, asked)

    def files(self, name: str, take: int) -> list[Path]:
        edition = f".{self.edition}" if self.edition else ""
        return [self.folder / f"{name}-{take}{edition}.{kind}" for kind in ("mid", "wav")]

    def tell_result(self, sender, name: str, take: int, asked: int = 0) -> None:
        midi, wav = self.files(name, take)
        report = self.report(name, midi.with_suffix(".json")) if self.reports else ""
        self.say(sender, "result", name, str(midi), str(wav) if self.wav else "", report, take, asked, self.edition)

    def report(self, name: str, path: Path) -> str:
        """What the real one writes down, as far as the extension reads it: every second cut is missed."""
        job = self.jobs[name]
        length, hits = job["end"] - job["start"], job["hits"]
        bars = [{"index": i, "start_s": i * BAR_S} for i in range(-int(-length // BAR_S))]
        rows = [{"time_s": time_s, "kind": "cut"} for time_s in hits[::2]]
        cuts = {"found": len(hits), "hit": len(rows), "missed_s": hits[1::2]}
        sound = {"sound": {"speech": [], "duck": self.duck}} if self.duck else {}
        same = {"same": self.same} if self.same else {}
        mood = {"sections": [{"mood": mood} for mood in ("relaxing", "relaxing", "tense")]}
        mood |= {"suggestion": {"genre": "rock", "mood": "tense", "why": ["words: storm", "picture: quickly cut"]}}
        path.write_text(json.dumps({"bars": bars, "hits": rows, "cuts": cuts, **mood, **sound, **same}))
        return str(path)

    def on_capabilities(self, sender, request) -> None:
        for kind, names in self.names.items():
            self.say(sender, "capabilities", kind, *names)

    def on_take(self, sender, request) -> None:
        if request.text("job") not in self.jobs:
            self.say(sender, "error", "job", "no such job: score again", request.text("job"))
            return
        name, take = request.text("job"), request.whole("take")
        self.heard[name] = take
        if self.stall:
            return
        if self.files(name, take)[0].exists():
            self.tell_result(sender, name, take, request.whole("request"))
        else:
            self.finish(sender, name, take, request.whole("request"))

    def on_cancel(self, sender, request) -> None:
        self.say(sender, "error", "job", "cancelled", request.text("job"))

    def on_regenerate(self, sender, request) -> None:
        if request.text("job") not in self.jobs:
            self.say(sender, "error", "job", "no such job: score again", request.text("job"))
            return
        self.edition += 1
        self.finish(sender, request.text("job"), self.heard.get(request.text("job"), 0), request.whole("request"))


if __name__ == "__main__":
    bridge = FakeBridge(Path(sys.argv[2]), int(sys.argv[1]))
    while True:
        time.sleep(1)
