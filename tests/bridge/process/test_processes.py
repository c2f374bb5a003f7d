"""The bridge's processes: each is killed while music sounds, JACK itself dies and comes back; nothing may hang."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from live_kit import Bridge, Client, JackServer, RemoteEars, free_port, hanging, need_jack, notes_on, wait_for

from hitpoint.bridge.process import system

need_jack()


def test_the_clock_process_stays_light():
    code = (
        "import sys, hitpoint.bridge.process.clock_process as c;"
        "print(*[m for m in ('torch','cv2','numpy','scenedetect','matplotlib','yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@pytest.mark.skipif(system.PLAIN, reason="this system has no locks")
def test_two_bridges_do_not_share_a_state_folder(tmp_path):
    with Bridge(tmp_path) as bridge:
        second = [*bridge.command, "--port", str(free_port())]
        done = subprocess.run(second, env=bridge.environment, capture_output=True, text=True, timeout=30)
        assert done.returncode == 2 and "give this one its own --state-dir" in done.stderr, done.stderr
        assert bridge.process.poll() is None
    with Bridge(tmp_path):
        pass


@pytest.fixture
def jack():
    with JackServer(64) as server:
        yield server


def playing(bridge, client, ears):
    """Music sounds: at least one note is on."""
    client.score(path="/clips/64.mp4")
    ears.connect(f"{bridge.name}:out")
    time.sleep(0.7)  # the watchdog notes the connection
    client.say("/hitpoint/locate", 0.0)
    client.say("/hitpoint/play")
    wait_for(lambda: notes_on(ears.take()), 5, "the first note")


@pytest.mark.parametrize("victim", ["clock", "composer", "watchdog"])
def test_killed_while_sounding(jack, tmp_path, victim):
    with RemoteEars() as ears, Bridge(tmp_path) as bridge, Client(bridge.port) as client:
        playing(bridge, client, ears)
        events = []

        def sounds():
            events.extend(ears.take())
            return hanging(events)

        wait_for(sounds, 5, "a sounding note")
        old = bridge.pids()
        os.kill(old[victim], signal.SIGKILL)
        if victim != "composer":
            wait_for(lambda: not sounds(), 5, "silence after the kill")
        events.clear()
        wait_for(lambda: notes_on(events) or sounds(), 10, "music again")
        new = wait_for(lambda: len(bridge.pids()) == 3 and bridge.pids(), 10, "three processes again")
        assert new[victim] != old[victim]
        if victim == "watchdog":
            ears.connect(f"{bridge.name}:out", 5)
        client.say("/hitpoint/hello", "again", "1", 1)
        client.wait("/hitpoint/state", 10, lambda state: state[0] == "playing" and state[6] == 64)
        client.say("/hitpoint/regenerate", "film", 60, 60)
        client.wait("/hitpoint/bar", 20, lambda bar: bar[1] == 60)
        client.say("/hitpoint/stop")
        time.sleep(0.3)
        events.extend(ears.take())
        assert hanging(events) == set(), f"(JACK lost periods: {ears.xruns})"


def test_a_bridge_that_is_ended_leaves_silence_and_no_process(jack, tmp_path):
    with RemoteEars() as ears:
        with Bridge(tmp_path) as bridge, Client(bridge.port) as client:
            playing(bridge, client, ears)
            wait_for(lambda: notes_on(ears.take()), 5, "a note")
            pids = bridge.pids()
            bridge.process.terminate()
            assert bridge.process.wait(5) == 0
        assert len(pids) == 3
        for pid in pids.values():
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        silenced = [m for _, m in ears.take() if m[0] & 0xF0 == 0xB0 and m[1] == 120]
        assert {m[0] & 15 for m in silenced} == set(range(16))


def test_a_job_that_kills_the_composer_is_given_up(jack, tmp_path):
    with Bridge(tmp_path, "--no-revive") as bridge, Client(bridge.port) as client:
        client.score("bad", "/clips/deadly.mp4", wait=False)
        client.wait("/hitpoint/error", 30, lambda error: error[0] == "given-up")
        assert client.score("good", "/clips/4.mp4")[0] == "good"


def test_jack_dies_and_comes_back(tmp_path):
    settings = {"synth": False}
    with JackServer(64) as server, Bridge(tmp_path, "--no-revive", **settings) as bridge, Client(bridge.port) as client:
        client.score(path="/clips/64.mp4")
        client.say("/hitpoint/play")
        client.wait("/hitpoint/beat", 5)
        server.stop()
        client.wait("/hitpoint/state", 15, lambda state: state[8] == "none")
        client.wait("/hitpoint/beat", 5)
        server.start()
        client.wait("/hitpoint/state", 15, lambda state: state[8] == "Hitpoint:out")
        with RemoteEars() as ears:
            ears.connect("Hitpoint:out")
            wait_for(lambda: notes_on(ears.take()), 5, "notes again")


def test_a_synth_that_comes_back_is_connected_again(jack, tmp_path):
    with Bridge(tmp_path, "--no-revive") as bridge, Client(bridge.port) as client:
        with RemoteEars("synth") as ears:
            playing(bridge, client, ears)
        time.sleep(1.0)
        with RemoteEars("synth") as ears:
            wait_for(lambda: notes_on(ears.take()), 10, "notes at the synth that came back")


def test_two_bridges_leave_each_others_connections_alone(jack, tmp_path):
    with (
        Bridge(tmp_path / "one", "--no-revive", name="") as one,
        Bridge(tmp_path / "two", "--no-revive", name="") as two,
        RemoteEars("ears-one") as ears,
        RemoteEars("ears-two") as others,
    ):
        ears.connect(f"Hitpoint {one.port}:out")
        others.connect(f"Hitpoint {two.port}:out")
        time.sleep(1.5)  # the watchdogs note the connections
        for bridge in (one, two):
            os.kill(bridge.pids()["clock"], signal.SIGKILL)
        for bridge, heard in ((one, ears), (two, others)):
            with Client(bridge.port) as client:
                client.score(path="/clips/8.mp4")
                client.say("/hitpoint/play")
                wait_for(lambda heard=heard: notes_on(heard.take()), 10, "notes where they belong")


def test_five_ports(jack, tmp_path):
    with Bridge(tmp_path, "--no-revive", "--midi-ports", "five") as bridge, Client(bridge.port) as client:
        client.score(path="/clips/8.mp4")
        with RemoteEars() as ears:
            name = wait_for(lambda: next(iter(ears.client.get_ports("drums", is_midi=True)), None), 5, "the port").name
            ears.connect(name)
            client.say("/hitpoint/play")
            time.sleep(2.5)
            heard = notes_on(ears.take())
        assert heard and {channel for _, channel, _, _ in heard} == {9}


def test_jack_transport_leads(jack, tmp_path):
    with (
        Bridge(tmp_path, "--no-revive", "--jack-transport") as bridge,
        Client(bridge.port) as client,
        RemoteEars() as ears,
    ):
        client.score(path="/clips/32.mp4")
        ears.connect("Hitpoint:out")
        ears.client.transport_locate(8 * 48_000)
        client.wait("/hitpoint/state", 5, lambda state: state[3] == 8.0)
        ears.take()
        ears.client.transport_start()
        first = wait_for(lambda: notes_on(ears.take()), 5, "a note")[0]
        _, position = ears.client.transport_query()
        start_frame = ears.frame - (position["frame"] - 8 * 48_000)
        assert abs(first[0] - start_frame) < 0.1 * 48_000
        ears.client.transport_stop()
        client.wait("/hitpoint/state", 5, lambda state: state[0] == "ready")


def test_without_any_midi_the_built_in_synth_plays(tmp_path):
    """No JACK server, no ALSA here: the synth is asked, and writes a file in place of the loudspeaker."""
    os.environ["JACK_DEFAULT_SERVER"] = "hitpoint-none"
    pytest.importorskip("tinysoundfont")
    from hitpoint.bridge.errors import MissingError
    from hitpoint.bridge.midi.ports import find_api

    try:
        find_api()
    except MissingError:
        pass
    else:
        pytest.skip("this machine has a MIDI system")
    wav = tmp_path / "heard.wav"
    with Bridge(tmp_path / "b", "--no-revive", synth_file=str(wav)) as bridge, Client(bridge.port) as client:
        client.score(path="/clips/8.mp4")
        client.say("/hitpoint/play")
        client.wait("/hitpoint/state", 5, lambda state: state[0] == "playing" and state[8] == "built-in synth")
        time.sleep(1.5)
    import wave

    with wave.open(str(wav)) as file:
        samples = memoryview(file.readframes(file.getnframes())).cast("h")
    assert len(samples) > 2 * 44_100
    assert max(samples) > 500


def test_a_composer_that_does_not_start_is_given_up_until_it_is_asked_again(tmp_path, monkeypatch):
    """After growing pauses there is one sentence and a state; a score asked for tries again."""
    factory = tmp_path / "mended"
    monkeypatch.setenv("FAKE_NEEDS", str(factory))
    settings = {"tools": "live_fakes:make_if_mended", "midi_port": "none"}
    with Bridge(tmp_path / "b", "--no-revive", **settings) as bridge, Client(bridge.port) as client:
        told = client.wait("/hitpoint/error", 60, lambda error: error[0] == "given-up")
        assert "does not start (RuntimeError: nothing to compose with)" in told[1]
        client.wait("/hitpoint/state", 5, lambda state: state[0] == "failed")
        assert "composer" not in bridge.pids()
        client.score("first", "/clips/4.mp4", wait=False)
        client.wait("/hitpoint/error", 60, lambda error: error[0] == "given-up" and error[2] == "first")
        factory.touch()
        assert client.score("second", "/clips/4.mp4")[0] == "second"
        client.wait("/hitpoint/state", 5, lambda state: state[0] == "ready")


@pytest.mark.parametrize("name", ["clock", "composer"])
def test_a_spare_that_waited_takes_the_place_of_one_that_died(tmp_path, name):
    def numbers(who):
        return [int(number) for number in re.findall(rf"the {who} process is (\d+)", bridge.log())]

    with Bridge(tmp_path, "--no-revive", midi_port="none") as bridge, Client(bridge.port) as client:
        (spare,) = wait_for(lambda: numbers(f"spare {name}"), 30, "a spare")
        os.kill(bridge.pids()[name], signal.SIGKILL)
        wait_for(lambda: numbers(name)[-1] == spare, 10, "the spare in its place")
        assert client.score(path="/clips/4.mp4")[0] == "film"
        wait_for(lambda: len(numbers(f"spare {name}")) == 2, 30, "the next spare")
        spare = numbers(f"spare {name}")[-1]
        os.kill(spare, signal.SIGKILL)
        client.say("/hitpoint/regenerate", "film", 1, 1)
        client.wait("/hitpoint/bar", 10)


DEADLY = """
import os
from hitpoint.bridge.midi.base import Sink

class Deadly(Sink):
    @classmethod
    def open(cls, config, argument):
        os._exit(7)
"""


def test_a_clock_that_dies_at_each_start_is_given_up(tmp_path, monkeypatch):
    site, about = tmp_path / "site", tmp_path / "site" / "deadly-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "deadly.py").write_text(DEADLY)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[hitpoint.sinks]\ndeadly = deadly:Deadly\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    bridge = Bridge(tmp_path / "b", "--no-revive", midi_port="deadly")
    done = subprocess.run(bridge.command, env=bridge.environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 4
    assert "error: the clock process dies as soon as it starts (exit code 7)" in done.stderr


def test_a_clock_that_is_killed_again_and_again_while_it_works_is_never_given_up(tmp_path):
    """Each of them worked: eight in a row within a second or two of their start, and the bridge still answers."""
    with Bridge(tmp_path, "--no-revive", midi_port="none") as bridge, Client(bridge.port) as client:
        for number in range(8):
            clock = wait_for(lambda: bridge.pids().get("clock"), 10, "a clock")
            time.sleep(0.2)
            client.say("/hitpoint/ping", number)
            client.wait("/hitpoint/pong", 10, lambda pong, number=number: pong[0] == number)
            time.sleep(0.8)
            os.kill(clock, signal.SIGKILL)
            wait_for(lambda clock=clock: bridge.pids().get("clock", clock) != clock, 4, "the next clock")
        assert bridge.process.poll() is None
