"""The bridge's end of the folder that scripts without sockets use."""

import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitpoint.bridge.errors import MissingError
from hitpoint.bridge.hosts.reaper import answers as file_answers
from hitpoint.bridge.hosts.reaper import relay as file_relay
from hitpoint.bridge.hosts.reaper import replies as file_replies
from hitpoint.bridge.hosts.reaper import requests as file_requests
from hitpoint.bridge.hosts.reaper import rows as file_rows
from hitpoint.bridge.hosts.reaper.answers import Placing, TakeNotes
from hitpoint.bridge.hosts.reaper.live import Live
from hitpoint.bridge.hosts.reaper.notes import PPQ, Message, pack, unpack
from hitpoint.bridge.hosts.reaper.rows import RowsError
from hitpoint.bridge.osc import codec
from hitpoint.model.output.midi_file import write_midi
from tests.fakes import fake_prepared, fake_take
from tests.plugins.reaper.fake_bridge import FakeBridge
from tests.plugins.reaper.reaper_emulated import PLUGIN

fields = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)
tables = st.lists(st.lists(fields, min_size=1, max_size=4), max_size=5)


@given(tables)
def test_rows_come_back_as_they_went(rows):
    assert file_rows.decode(file_rows.encode("answer", rows), "answer") == rows


@given(tables, st.data())
def test_a_cut_off_file_is_never_taken_for_a_whole_one(rows, data):
    text = file_rows.encode("answer", rows)
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(RowsError):
        file_rows.decode(cut, "answer")


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        file_rows.decode(text, "answer")
    except RowsError as error:
        assert str(error)


def test_lua_and_python_read_each_other(tmp_path):
    rows = [["text", 'tab\t, 100% "and"\nline\r', "ümlaut 日本"], ["number", "1.500000000"], ["", "x"]]
    (tmp_path / "Hitpoint").mkdir()
    file_rows.write(tmp_path / "Hitpoint" / "a.txt", "probe", rows)
    script = f"""
    reaper = {{ GetResourcePath = function() return "{tmp_path}" end, RecursiveCreateDirectory = function() end }}
    local files = dofile("{PLUGIN}/lib/files.lua")
    local rows = assert(files.read("a", "probe"))
    rows[2][2] = tonumber(rows[2][2])
    assert(files.write("b", "probe", rows))
    """
    try:
        subprocess.run(["lua5.4", "-"], input=script.encode(), check=True, timeout=20)
    except FileNotFoundError:
        pytest.skip("lua5.4 is not installed")
    assert file_rows.read(tmp_path / "Hitpoint" / "b.txt", "probe") == rows
    assert (tmp_path / "Hitpoint" / "a.txt").read_bytes() == (tmp_path / "Hitpoint" / "b.txt").read_bytes()


@pytest.fixture
def bridge(tmp_path):
    made = FakeBridge(tmp_path)
    yield made
    made.close()


@pytest.fixture
def relay(tmp_path, bridge):
    """(the folder, an event that ends the relay), with leftovers of an earlier run in it."""
    folder = tmp_path / "requests"
    folder.mkdir()
    old = folder / "request-old.txt"
    file_rows.write(old, "request", [("id", "old"), ("action", "score")])
    os.utime(old, (time.time() - 3600, time.time() - 3600))
    stop = threading.Event()
    thread = threading.Thread(target=file_requests.run, args=(folder, bridge.address, stop))
    thread.start()
    yield folder, stop
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def wait_for(path: Path) -> None:
    end = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < end, f"no {path.name}"
        time.sleep(0.02)


def ask(folder: Path, name: str, text: str) -> str:
    """The first field of the answer to a request of this text."""
    (folder / f"request-{name}.part").write_text(text)
    (folder / f"request-{name}.part").rename(folder / f"request-{name}.txt")
    answer = folder / f"answer-{name}.txt"
    wait_for(answer)
    [row] = file_rows.read(answer, "answer")
    assert row[0] == "error" and not (folder / f"request-{name}.txt").exists()
    return row[1]


HEAD = "hitpoint\t2\trequest\n"
BAD = {
    "cut": HEAD + "id\tx\n",
    "version": "hitpoint\t9\trequest\nend\t1\n",
    "kind": "hitpoint\t2\tlive\nend\t1\n",
    "empty": "",
    "nothing": HEAD + "end\t1\n",
    "action": HEAD + "action\tdance\njob\tx\ntake\t0\nend\t4\n",
    "clips": HEAD + "action\tscore\nfps\t24\nend\t3\n",
    "number": HEAD + f"action\tscore\nfps\tfast\nitem\t{__file__}\tVIDEO\t0\t1\t0\t1\t9\t0\t0\t0\nend\t4\n",
    "short": HEAD + "action\tscore\nfps\t24\nitem\t/a\tVIDEO\nend\t4\n",
    "zero": HEAD + "action\tscore\nfps\t24\nitem\t/a%00b\tVIDEO\t0\t1\t0\t1\t9\t0\t0\t0\nend\t4\n",
    "tempo": HEAD + "action\tscore\nfps\t24\nquarter\t0\t0\nend\t4\n",
    "job": HEAD + "action\ttake\njob\tnone\ntake\t1\nend\t4\n",
}


def test_bad_requests_are_answered_and_do_no_harm(relay):
    folder, _ = relay
    for name, text in BAD.items():
        sentence = ask(folder, name, text)
        assert sentence[-1] in ".!?" and "\n" not in sentence
    wait_for(folder / "heartbeat.txt")


def test_leftovers_are_swept_and_the_heartbeat_ends_with_the_bridge(relay, bridge):
    folder, stop = relay
    wait_for(folder / "heartbeat.txt")
    [[_, seconds], [_, pid]] = file_rows.read(folder / "heartbeat.txt", "heartbeat")
    assert abs(int(seconds) - time.time()) < 5 and int(pid) == os.getpid()
    assert not (folder / "request-old.txt").exists() and bridge.requests("clips/begin") == []
    stop.set()
    end = time.monotonic() + 5
    while (folder / "heartbeat.txt").exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_folder_taken_away_and_brought_back(relay):
    folder, _ = relay
    wait_for(folder / "heartbeat.txt")
    folder.rename(folder.with_name("away"))
    time.sleep(1.2)
    folder.with_name("away").rename(folder)
    (folder / "heartbeat.txt").unlink(missing_ok=True)
    wait_for(folder / "heartbeat.txt")
    assert "does not know this score" in ask(folder, "after", BAD["job"])


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MissingError, match="cannot be written"):
        file_requests.run(tmp_path / "file" / "folder", ("127.0.0.1", 9), threading.Event())


def test_answers_hold_the_midi_file(tmp_path):
    take = fake_take(fake_prepared(bars=8))
    write_midi(take.score, tmp_path / "s.mid")
    score = file_answers.read_score(tmp_path / "s.mid")
    lines = score.bar_lines()
    assert len(lines) == 9 and lines[-1] == pytest.approx(take.score.duration_s, abs=0.001)
    assert file_answers.bars_touched(score, lines[2] + 0.5, lines[4]) == (2, 3)
    assert file_answers.bars_touched(score, lines[2] + 0.5, lines[4] + 0.5) == (2, 4)
    assert file_answers.bars_touched(score, -5.0, 100.0) == (0, 7)
    assert file_answers.bars_touched(score, 100.0, 110.0) is None
    assert file_answers.bars_touched(score, -9.0, -3.0) is None
    rows = file_answers.score_rows(score, Placing(10.0), 0)
    assert [row for row in rows if row[0] == "range"] == [("range", 10.0, 10.0 + score.seconds(score.end))]
    for track, row in zip(score.tracks, [row for row in rows if row[0] == "track"], strict=True):
        starts = [message.tick / PPQ for message in unpack(row[-1]) if message.begins]
        assert starts == [note.start / score.pulses_per_quarter for note in track.notes]
    piano = next(track for track in score.tracks if track.name == "Piano")
    taken = TakeNotes("Piano", Placing(12.0, base=100), pack([Message(20_000, b"\xb0\x7b\x00")]))
    kind, buffer = file_answers.part_row(score, taken, (2, 3))
    bar = score.pulses_per_quarter * 4
    inside = [note.start for note in piano.notes if 2 <= note.start // bar <= 3]
    assert kind == "notes" and inside
    found = [message.tick for message in unpack(buffer) if message.begins]
    assert found == [100 + start * PPQ // score.pulses_per_quarter for start in inside]
    with pytest.raises((OSError, ValueError)):
        (tmp_path / "bad.mid").write_bytes(b"MThd")
        file_answers.read_score(tmp_path / "bad.mid")


def test_what_lies_in_the_folder_ends_nothing(relay):
    """Pipes, folders, links, huge files, loops of a millisecond for thirty years: refused, and the next is answered."""
    folder, _ = relay
    wait_for(folder / "heartbeat.txt")
    os.mkfifo(folder / "request-pipe.txt")
    (folder / "request-folder.txt").mkdir()
    secret = folder.with_name("secret.txt")
    secret.write_text(BAD["job"])
    (folder / "request-link.txt").symlink_to(secret)
    with (folder / "request-huge.txt").open("wb") as file:
        file.truncate(3 << 30)
    (folder / "request-..bad name.txt").write_text(BAD["job"])
    for name in ("pipe", "folder", "link", "huge"):
        wait_for(folder / f"answer-{name}.txt")
        assert file_rows.read(folder / f"answer-{name}.txt", "answer")[0][0] == "error"
    assert secret.read_text() == BAD["job"], "no link was followed"
    endless = HEAD + f"action\tscore\nfps\t24\nitem\t{__file__}\tVIDEO\t0\t1e9\t0\t1\t0.001\t0\t1\t0\nend\t4\n"
    assert "more than 10000 clips" in ask(folder, "endless", endless)
    assert "does not know this score" in ask(folder, "after", BAD["job"])


def test_answers_are_for_the_user_alone_and_follow_no_link(relay):
    folder, _ = relay
    wait_for(folder / "heartbeat.txt")
    victim = folder.with_name("victim.txt")
    victim.write_text("mine")
    (folder / "answer-trap.txt").symlink_to(victim)
    (folder / "answer-trap.txt.part").symlink_to(victim)
    (folder / "request-trap.txt").write_text(BAD["job"])
    end = time.monotonic() + 10
    while (folder / "answer-trap.txt").is_symlink():
        assert time.monotonic() < end
        time.sleep(0.02)
    assert victim.read_text() == "mine"
    assert (folder / "answer-trap.txt").stat().st_mode & 0o777 == 0o600


def test_only_the_bridge_is_heard_and_nothing_it_says_ends_the_thread(tmp_path, bridge):
    relay = file_relay.Relay(tmp_path, bridge.address)
    try:
        ours = relay.socket.getsockname()
        assert ours[0] == "127.0.0.1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(codec.encode("/hitpoint/result", "film", "/etc/passwd", "", "", 0), ours)
        time.sleep(0.1)
        with pytest.raises(BlockingIOError):
            relay.socket.recv(4096)
        relay.jobs["film"] = file_relay.Job(0.0)
        for message in (
            ("/hitpoint/progress",),
            ("/hitpoint/result", "film"),
            ("/hitpoint/result", 1, 2, 3, 4, 5),
            ("/hitpoint/error", None, None, None),
            ("/hitpoint/unknown", 1.0),
        ):
            bridge.socket.sendto(codec.encode(*message), ours)
        time.sleep(0.1)
        file_replies.hear(relay)
        assert relay.jobs["film"].midi == {}
    finally:
        relay.socket.close()


def test_the_take_that_is_heard_is_known_after_a_restart(tmp_path, bridge):
    midi = tmp_path / "take.mid"
    write_midi(fake_take(fake_prepared(bars=8)).score, midi)
    first = file_relay.Relay(tmp_path, bridge.address)
    second = file_relay.Relay(tmp_path, bridge.address)
    try:
        first.jobs["film"] = file_relay.Job(2.0, 1, {0: midi, 1: midi})
        file_relay.remember(first)
        file_relay.recall(second)
        assert second.jobs["film"] == first.jobs["film"]
        second.send = lambda packet: None
        work = file_relay.Work("x", "regenerate", "film", take=7)
        file_requests._ask_regenerate(second, work, second.jobs["film"], 0.0, 1.0)
        assert work.take == 1, "a take that was never finished: the one that is heard"
    finally:
        first.socket.close()
        second.socket.close()


def test_the_bridge_is_told_the_token(tmp_path, bridge):
    stop = threading.Event()
    thread = threading.Thread(target=file_requests.run, args=(tmp_path, bridge.address, stop, "open sesame"))
    thread.start()
    try:
        wait_for(tmp_path / "heartbeat.txt")
        end = time.monotonic() + 10
        while not bridge.requests("hello"):
            assert time.monotonic() < end
            time.sleep(0.02)
        assert bridge.requests("hello")[0].text("token") == "open sesame"
    finally:
        stop.set()
        thread.join(10)


def test_the_playhead_comes_in_two_files_in_turn(tmp_path):
    sent = []
    live = Live()
    for number in range(6):
        rows = [("on", 1), ("count", number), ("time", 0.05 * number), ("clock", 9.0 + 0.05 * number), ("playing", 1),
                ("rate", 1.0), ("loop", 0.0, 0.0)]  # fmt: skip
        file_rows.write(tmp_path / f"live{number % 2}.txt", "live", rows)
        time.sleep(0.01)
        live.follow((tmp_path / "live0.txt", tmp_path / "live1.txt"), sent.append, float(number))
    times = [message.arguments[0] for packet in sent for message in codec.decode(packet)]
    assert times == pytest.approx([0.05 * number for number in range(6)])
