"""A MIDI sink and a host of another package: each one file and an entry point, used by `hitpoint serve`."""

import json
import os
import shutil
from pathlib import Path

from live_kit import Bridge, Client, wait_for

ROOT = Path(__file__).parents[3]
SINK = '''
from hitpoint.bridge.midi.base import Sink

class Listing(Sink):
    """Writes each message as a line."""
    api = "listing"

    def __init__(self, path):
        self.name = f"listing in {path}"
        self.file = open(path, "a", buffering=1)

    @classmethod
    def open(cls, config, argument):
        return cls(argument)

    def send(self, message):
        self.file.write(message.hex() + "\\n")

    def close(self):
        self.file.close()
'''
HOST = """
import os, pathlib, threading
from hitpoint.bridge.hosts.base import Host

class Counter:
    every_s = 0.05
    def __init__(self): self.path = pathlib.Path(os.environ["EXTRA_HOST"])
    def feed(self, player, now_s): self.path.write_text(f"fed at {player.position()}")
    def close(self): pass

class Extra(Host):
    def wanted(self, config): return True
    def in_clock(self, config): return Counter()
    def beside(self, config, address, ended):
        path = pathlib.Path(os.environ["EXTRA_HOST"] + ".ended")
        thread = threading.Thread(target=lambda: (ended.wait(), path.touch()))
        thread.start()
        return thread
"""


def test_a_sink_and_a_host_of_another_package(tmp_path, monkeypatch):
    site = tmp_path / "site"
    (site / "extra-1.0.dist-info").mkdir(parents=True)
    (site / "extra_sink.py").write_text(SINK)
    (site / "extra_host.py").write_text(HOST)
    (site / "extra-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (site / "extra-1.0.dist-info" / "entry_points.txt").write_text(
        "[hitpoint.sinks]\nlisting = extra_sink:Listing\n[hitpoint.hosts]\nextra = extra_host:Extra\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    fed = tmp_path / "fed.txt"
    monkeypatch.setenv("EXTRA_HOST", str(fed))
    listing = tmp_path / "midi.txt"
    with Bridge(tmp_path / "b", "--no-revive", midi_port=f"listing:{listing}") as bridge, Client(bridge.port) as client:
        client.score(path="/clips/8.mp4")
        client.say("/hitpoint/play")
        wait_for(
            lambda: any(line.startswith("90") for line in listing.read_text().split()), 10, "a note in the listing"
        )
        wait_for(fed.exists, 10, "the host that is fed")
        client.say("/hitpoint/stop")
        assert "listing in" in bridge.log()
    wait_for((tmp_path / "fed.txt.ended").exists, 10, "the host's end")


def test_a_graphics_card_that_goes_away_costs_one_sentence_and_no_process(tmp_path):
    with Bridge(tmp_path, "--no-revive", tools="live_fakes:make_on_a_card", midi_port="none") as bridge:
        with Client(bridge.port) as client:
            before = wait_for(lambda: len(bridge.pids()) == 3 and bridge.pids(), 30, "the composer")
            client.score(path="/clips/4.mp4", wav=0)
        assert bridge.pids() == before
        log = bridge.log()
        assert log.count("the graphics card cannot be used any more (CUDA error: unspecified launch failure") == 1
        assert "Traceback" not in log and "does not answer" not in log


def test_a_composer_of_another_package_composes_for_a_client(tmp_path, monkeypatch):
    site = tmp_path / "site"
    shutil.copytree(ROOT / "tests/contract/seams/package/hitpoint_extra", site / "hitpoint_extra")
    (site / "extra-1.0.dist-info").mkdir()
    (site / "extra-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    entry = "[hitpoint.composers]\npulse = hitpoint_extra.pulse:PulseComposer\n"
    (site / "extra-1.0.dist-info" / "entry_points.txt").write_text(entry)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]))
    film = ROOT / "examples" / "film.mp4"
    with Bridge(tmp_path / "b", "--no-revive", tools="", midi_port="none") as bridge, Client(bridge.port) as client:
        client.say("/hitpoint/capabilities")
        names = client.wait("/hitpoint/capabilities", 20, lambda arguments: arguments[0] == "composers")
        assert "pulse" in names
        _, midi, _, report, _ = client.score(path=film, composer="pulse", wav=0)
        assert json.loads(Path(report).read_text())["composer"] == "pulse" and Path(midi).is_file()
        client.score(job="other", path=film, composer="nobody", wait=False)
        code, text, job = client.wait("/hitpoint/error", 20)
        assert (code, job) == ("usage", "other") and "choose from cmt, " in text and "pulse" in text
