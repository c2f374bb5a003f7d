"""The conversation with the bridge over a real socket, without Blender."""

import os
import queue
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_bridge import FakeBridge
from hitpoint_blender import client as module
from hitpoint_blender.bridge import Bridge, bridge_command
from hitpoint_blender.client import Client
from hitpoint_blender.jobs import Job
from hitpoint_blender.timeline import Clip

from hitpoint.bridge.osc import protocol


def wait(client, done, seconds=10.0):
    """Tick until done(); the takes that finished meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.tick()
        if done():
            takes = list(client.finished)
            client.finished.clear()
            return takes
        time.sleep(0.005)
    raise AssertionError(f"waited {seconds} s: {client.state} {client.error!r} {client.job}")


def job(count=3, name="a", **fields):
    clips = [Clip(f"/media/{name}{index}.mp4", index * 2.0, 0.0, 2.0, 1.0) for index in range(count)]
    return Job(clips, 24.0, ("genre", "pop", "wav", 1), **fields)


@pytest.fixture
def client(fake):
    made = Client(fake.port, "0.1.0")
    yield made
    made.close()


def score(client, made):
    client.start(made)
    return wait(client, lambda: not made.running)


def test_hello_is_answered(client, fake):
    wait(client, lambda: client.state == "connected")
    assert fake.seen("hello") == [("blender", "0.1.0", protocol.PROTOCOL)] and module.PROTOCOL == protocol.PROTOCOL
    assert client.bridge_version == "0.0-fake" and client.midi_port == "fake"
    client.echo()
    wait(client, lambda: client.echo_ms >= 0)


def test_a_job_from_clips_to_result(client, fake):
    wait(client, lambda: client.state == "connected")
    made = job()
    (take,) = score(client, made)
    assert Path(take.wav).exists() and Path(take.midi).exists() and take.index == 0
    assert made.hits == {(2.0, "cut"), (4.0, "cut"), (3.0, "beat")} and made.bar_starts() == [0.0, 2.0, 4.0]
    assert fake.seen("score") == [(made.id, "genre", "pop", "wav", 1)]
    assert [values[1:] for values in fake.seen("clip")] == [
        (index, clip.path, clip.start_s, clip.in_s, clip.out_s, clip.rate) for index, clip in enumerate(made.clips)
    ]
    assert not fake.seen("refused") and client.error == ""


def test_every_message_fits_the_table(client, fake):
    wait(client, lambda: client.state == "connected")
    made = job()
    score(client, made)
    for address, *values in [
        ("take", made.id, 1),
        ("regenerate", made.id, 0, 2),
        ("mute", "drums", 1),
        ("control/control", 0.5),
        ("control/energy", -0.25),
        ("time", 1.5, 1, 1.0, 12.0),
        ("loop", 0.0, 10.0),
        ("stop",),
        ("cancel", made.id),
        ("bye",),
    ]:
        client.send(f"/hitpoint/{address}", *values)
        wait(client, lambda address=address: fake.seen(address))
    assert not [entry for entry in fake.log if entry[0] == "refused"]


def test_lost_clips_are_sent_again(client, fake):
    wait(client, lambda: client.state == "connected")
    fake.lose = {0, 2, 7}
    made = job(8)
    assert len(score(client, made)) == 1
    assert sorted(fake.jobs[made.id]["clips"]) == list(range(8)) and len(fake.seen("clip")) == 16
    assert len(fake.seen("score")) == 1


def test_a_lost_beginning_and_a_lost_end_are_sent_again(client, fake):
    wait(client, lambda: client.state == "connected")
    put, lost = client.put, ["/hitpoint/clips/begin", "/hitpoint/clips/end"]

    def lossy(packet):
        name = packet.split(b"\0")[0].decode()
        if name in lost:
            lost.remove(name)
        else:
            put(packet)

    client.put = lossy
    assert len(score(client, job())) == 1 and lost == []


def test_five_hundred_clips_arrive(client, fake):
    wait(client, lambda: client.state == "connected")
    made = job(500)
    assert len(score(client, made)) == 1 and len(fake.jobs[made.id]["clips"]) == 500


def test_a_job_waits_for_the_bridge_and_survives_its_restart(tmp_path):
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    holder.bind(("127.0.0.1", 0))
    port = holder.getsockname()[1]
    holder.close()
    client = Client(port, "0.1.0")
    try:
        made = job()
        client.start(made)
        for _ in range(20):
            client.tick()
        assert client.state == "away" and made.running
        first = FakeBridge(tmp_path, port)
        first.stall = True
        wait(client, lambda: made.stage == "analyse")
        first.close()
        wait(client, lambda: client.state == "away")
        assert made.running
        second = FakeBridge(tmp_path, port)
        takes = wait(client, lambda: not made.running)
        assert len(takes) == 1 and second.seen("score")
        second.close()
    finally:
        client.close()


def test_a_restart_between_two_ticks_is_noticed(tmp_path, client, fake):
    wait(client, lambda: client.state == "connected")
    fake.stall = True
    made = job()
    client.start(made)
    wait(client, lambda: made.stage == "analyse")
    fake.close()
    again = FakeBridge(tmp_path, client.port)
    assert len(wait(client, lambda: not made.running)) == 1
    again.close()


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("number", [0, protocol.PROTOCOL + 1])
def test_a_bridge_of_another_protocol(tmp_path, number, refuses):
    bridge = FakeBridge(tmp_path, number=number)
    if refuses:  # as the real one does
        bridge.on_hello = lambda to, _: bridge.say(to, "error", "protocol", "other: bring the bridge up to date", "")
    client = Client(bridge.port, "0.1.0")
    made = job()
    client.start(made)
    wait(client, lambda: client.state == "other")
    assert client.error == module.OTHER
    assert not made.running and not bridge.seen("score")
    client.close()
    bridge.close()


def test_the_bridges_own_words_are_shown(client, fake):
    wait(client, lambda: client.state == "connected")
    fake.refuse = ("input", "film.mp4 holds no picture: choose another file")
    made = job()
    assert score(client, made) == [] and client.error == fake.refuse[1]


def test_cancel_ignores_what_still_comes(client, fake):
    wait(client, lambda: client.state == "connected")
    fake.stall = True
    made = job()
    client.start(made)
    wait(client, lambda: made.stage == "analyse")
    client.cancel()
    wait(client, lambda: fake.seen("cancel"))
    fake.jobs[made.id].update(start=0.0, end=1.0)
    fake.finish(next(iter(fake.clients)), made.id, 0)
    client.echo()
    assert wait(client, lambda: client.echo_ms >= 0) == [] and not made.running


def test_takes(client, fake):
    wait(client, lambda: client.state == "connected")
    made = job()
    score(client, made)
    client.choose(2)
    (take,) = wait(client, lambda: not made.running)
    assert take.index == 2 and sorted(made.takes) == [0, 2]
    client.choose(0)
    assert client.finished == [made.takes[0]] and not made.running


def test_an_answer_is_taken_for_no_other_questions(client, fake):
    """A regenerate whose answer comes late, after another one was asked, does not end that; nor does its error."""
    wait(client, lambda: client.state == "connected")
    made = job()
    score(client, made)
    fake.stall, fake.on_regenerate = True, lambda *_: None
    client.ask("/hitpoint/regenerate", 1, 1)
    first = made.request
    client.ask("/hitpoint/regenerate", 2, 2)
    wait(client, lambda: len(fake.seen("regenerate")) == 2)
    to = next(iter(fake.clients))
    fake.edition = 1
    fake.finish(to, made.id, 0, first)
    fake.say(to, "error", "usage", "bar 1 is not composed yet", made.id, first)
    client.echo()
    assert wait(client, lambda: client.echo_ms >= 0) == [] and made.running and client.error == ""
    fake.edition = 2
    fake.finish(to, made.id, 0, made.request)
    (take,) = wait(client, lambda: not made.running)
    assert take.edition == 2
    client.ask("/hitpoint/regenerate", 1, 1)
    wait(client, lambda: len(fake.seen("regenerate")) == 3)
    assert [values[4] for values in fake.seen("regenerate")] == [0, -1, 2], "the edition that is heard; -1: the latest"


def test_takes_that_come_beside_the_one_that_is_heard_are_kept_at_hand(client, fake):
    wait(client, lambda: client.state == "connected")
    made = job()
    made.options = (*made.options, "takes", 3)
    client.start(made)
    takes = wait(client, lambda: len(made.takes) == 3)
    takes += wait(client, lambda: True)
    assert {take.index: take.show for take in takes} == {0: True, 1: False, 2: False} and not made.running
    client.choose(2)
    assert [take.index for take in client.finished] == [2] and client.finished[0].show, "at once"
    Path(made.takes[1].wav).unlink()
    client.finished.clear()
    client.choose(1)
    assert not [take for take in client.finished if take.show] and made.running, "a file that is gone is asked for"


def test_files_are_kept_beside_the_project_and_never_overwritten(client, fake, tmp_path):
    wait(client, lambda: client.state == "connected")
    fake.stems = ("drums", "bass")
    folder = tmp_path / "film" / "Hitpoint"
    made = job(folder=str(folder), title="Scene music 1")
    made.options = (*made.options, "stems", 1)
    (take,) = score(client, made)
    name = "Scene music 1, take A"
    names = [f"{name}, bass.wav", f"{name}, drums.wav", f"{name}.mid", f"{name}.wav"]
    assert sorted(path.name for path in folder.iterdir()) == names and take.wav == str(folder / f"{name}.wav")
    assert take.stems == {part: str(folder / f"{name}, {part}.wav") for part in ("bass", "drums")}
    (folder / f"{name}.mid").write_bytes(b"the editor's own")
    other = job(folder=str(folder), title="Scene music 1")
    (take,) = score(client, other)
    assert (
        Path(take.midi).name == f"{name}, version 2.mid"
        and (folder / f"{name}.mid").read_bytes() == b"the editor's own"
    )
    (tmp_path / "file").write_text("")
    blocked = job(folder=str(tmp_path / "file" / "Hitpoint"))
    (take,) = score(client, blocked)
    assert "could not be kept beside the project" in client.error and Path(take.wav).is_file()


def test_the_answer_to_a_cancel_does_not_end_what_is_asked_next(client, fake):
    wait(client, lambda: client.state == "connected")
    made = job()
    score(client, made)
    fake.stall = True
    client._inbox = queue.Queue()  # can be looked into
    client.choose(1)
    client.cancel()
    end = time.monotonic() + 10
    while not any(b"cancelled" in packet for _, packet in list(client._inbox.queue)):  # no tick between the clicks
        assert time.monotonic() < end
        time.sleep(0.005)
    fake.stall = False
    client.choose(2)
    (take,) = wait(client, lambda: not made.running)
    assert take.index == 2 and client.error == ""


def test_a_take_chosen_while_another_is_made_comes_once(client, fake):
    wait(client, lambda: client.state == "connected")
    made = job()
    score(client, made)
    fake.stall = True
    client.choose(1)
    wait(client, lambda: len(fake.seen("take")) == 1)
    fake.stall = False
    client.choose(0)
    takes = wait(client, lambda: not made.running)
    assert [take.index for take in takes] == [0]


@pytest.mark.parametrize("clips", [3, 0])
def test_what_was_asked_of_a_score_is_asked_again_of_a_bridge_that_comes_back(tmp_path, client, fake, clips):
    """clips 0: a job taken up after a reload of its file."""
    wait(client, lambda: client.state == "connected")
    made = job()
    score(client, made)
    del made.clips[clips:]
    known = fake.jobs
    fake.close()
    wait(client, lambda: client.state == "away")
    client.ask("/hitpoint/regenerate", 1, 2)
    again = FakeBridge(tmp_path, client.port)
    again.jobs = known
    takes = wait(client, lambda: not made.running)
    assert len(takes) == 1 and client.error == ""
    ((*asked, request, edition),) = again.seen("regenerate")
    assert asked == [made.id, 1, 2] and request == made.request > 0 and edition == 0
    assert not again.seen("clips/begin") + again.seen("score")
    again.close()


def test_two_clients_do_not_hear_each_other(client, fake):
    other = Client(fake.port, "0.1.0")
    both = [job(name="a"), job(name="b", id="other")]
    for one, made in zip((client, other), both, strict=True):
        wait(one, lambda one=one: one.state == "connected")
        one.start(made)
    takes = [wait(one, lambda made=made: not made.running) for one, made in zip((client, other), both, strict=True)]
    assert [[take.job for take in each] for each in takes] == [[both[0]], [both[1]]]
    other.close()


def test_a_silent_bridge_is_given_up(client, fake):
    wait(client, lambda: client.state == "connected")
    fake.stall = True
    made = job()
    client.start(made)
    wait(client, lambda: made.stage == "analyse")
    client._heard = time.monotonic() + 1e6
    client.tick(made.news + module.SILENT_S + 1)
    assert not made.running and "said nothing of this score for five minutes" in client.error


def test_an_absent_bridge_is_given_up():
    client = Client(9, "0.1.0")
    made = job()
    client.start(made)
    now = time.monotonic()
    client.tick(now)
    client.tick(now + module.SILENT_S + 1)
    assert not made.running and "restart the bridge and score again" in client.error
    client.close()


def test_noise_does_no_harm(client, fake):
    wait(client, lambda: client.state == "connected")
    to = next(iter(fake.clients))
    for packet in (
        b"",
        b"\0" * 7,
        b"/hitpoint/welcome\0\0\0,ss\0a\0\0\0",
        b"/hitpoint/result\0\0\0\0,\0\0\0",
        os.urandom(99),
    ):
        fake._socket.sendto(packet, to)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.sendto(protocol.encode("/hitpoint/error", "x", "not from the bridge", ""), to)
    assert len(score(client, job())) == 1 and client.error == ""


def test_no_call_waits_while_the_bridge_is_away(monkeypatch):
    client = Client(9, "0.1.0")
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("slept"))
    made = job(500)
    client.start(made)
    for _ in range(200):
        client.tick()
        client.send("/hitpoint/time", 1.0, 1, 1.0, 0.0)
    assert made.running and client.state == "away"
    monkeypatch.undo()
    client.close()
    assert not client._thread.is_alive()


def program(folder: Path, body: str) -> list[str]:
    path = folder / "hitpoint"
    path.write_text(f"#!{sys.executable}\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return [str(path)]


def test_the_bridge_is_started_and_ended(tmp_path):
    body = "import sys, time\nprint(sys.argv[1:], flush=True)\ntime.sleep(60)"
    bridge = Bridge()
    assert bridge.start(program(tmp_path, body), 7777, tmp_path / "logs") == "" and bridge.starting
    log = tmp_path / "logs" / f"bridge-{os.getpid()}.log"
    end = time.monotonic() + 10
    while "7777" not in log.read_text() and time.monotonic() < end:
        time.sleep(0.02)
    assert log.read_text().strip() == "['serve', '--port', '7777', '--while-open']" and bridge.died() == ""
    process = bridge._process
    bridge.stop()
    assert process.wait(5) != 0 and not bridge.starting


def test_a_bridge_that_ends_by_itself_says_why(tmp_path):
    bridge = Bridge()
    bridge.start(program(tmp_path, "raise SystemExit('error: port 7710 is taken: choose another')"), 7710, tmp_path)
    end = time.monotonic() + 10
    said = ""
    while not said and time.monotonic() < end:
        said = bridge.died()
        time.sleep(0.02)
    assert said == "The bridge ended: error: port 7710 is taken: choose another" and bridge.died() == ""


def test_a_bridge_that_cannot_be_started_says_so(tmp_path):
    said = Bridge().start([str(tmp_path / "nothing")], 7710, tmp_path)
    assert "could not be started" in said and "preferences" in said


def test_where_the_program_is_looked_for(tmp_path, monkeypatch):
    found = program(tmp_path, "pass")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bridge_command("/mine", ["x"]) == ["/mine"]
    assert bridge_command("", [sys.executable, "-m", "x"]) == [sys.executable, "-m", "x"]
    assert bridge_command("", ["/gone/hitpoint"]) == found
    monkeypatch.setenv("PATH", "")
    assert bridge_command("", []) == []


def test_the_core_needs_no_blender():
    code = "import sys; sys.modules['bpy'] = None; import blender.client, blender.timeline, blender.osc"
    plugins = Path(module.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], cwd=plugins, check=True)
