"""The eye: what it sees in frames, and what it does when a source stalls, breaks or ends."""

import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass, field

import numpy as np
import pytest
from moving_pictures import FPS, frames, write_film

from hitpoint.bridge.errors import InputError, MissingError
from hitpoint.bridge.live import eye as eye_module
from hitpoint.bridge.live.conductor import EYE
from hitpoint.bridge.live.eye import Eye
from hitpoint.bridge.live.sources import Source, camera_frames
from hitpoint.model.mood.watch import Watcher


def test_cuts_are_seen_and_motion_and_mood_follow():
    watcher = Watcher()
    seen = [watcher.look(frame) for frame in frames((1, 0.0, 3), (2, 0.6, 3), (3, 0.0, 3))]
    cuts = [number for number, sight in enumerate(seen) if sight.cut]
    assert cuts == [3 * FPS, 6 * FPS]
    assert max(s.motion for s in seen[FPS : 3 * FPS]) < 0.1 and min(s.motion for s in seen[4 * FPS : 6 * FPS]) > 0.5
    assert seen[-1].motion < 0.5 and all(0 <= s.energy <= 1 and -1 <= s.valence <= 1 for s in seen)


@dataclass
class Fake:
    """A source of items; None stands for a camera without a frame, a number for so many seconds of nothing."""

    items: list
    timed: bool = True
    name: str = "film"
    gate: threading.Event = field(default_factory=threading.Event)

    def frames(self):
        for item in self.items:
            if isinstance(item, Exception):
                raise item
            if item == "wait":
                self.gate.wait(10)
            else:
                yield item


class Clock:
    def __init__(self):
        self.now_s = 50.0

    def now(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds


def watched(source, clock=None):
    """(messages, lines said, what was raised)."""
    told, said, clock = [], [], clock or Clock()
    watching = Eye(source, lambda *message: told.append((clock.now_s, *message)), said.append)
    try:
        watching.watch(clock.now, clock.sleep)
    except Exception as error:
        return told, said, error
    return told, said, None


def test_a_film_is_watched_in_its_own_time_and_its_end_ends_the_music():
    clock = Clock()
    told, said, error = watched(Fake(frames((1, 0.0, 1), (2, 0.4, 1))), clock)
    assert error is None and not said and told[-1][1:] == ("/hitpoint/stop",)
    assert clock.now_s == pytest.approx(50 + 2 - 1 / FPS, abs=0.01)
    ((cut_s, *_),) = [message for message in told if message[2:3] == ("cut",)]
    assert cut_s == pytest.approx(51.0, abs=0.001)
    motions = [message for message in told if message[2:3] == ("motion",)]
    assert 15 <= len(motions) <= 51


def test_a_pipe_that_stalls_is_said_once_and_goes_on(monkeypatch):
    monkeypatch.setattr(eye_module, "STALL_S", 0.05)
    shots = frames((1, 0.3, 1))
    source = Fake([*shots[:10], "wait", *shots[10:]])
    threading.Timer(0.4, source.gate.set).start()
    told, said, error = watched(source)
    assert error is None and len(said) == 2 and "still picture" in said[0] and "there again" in said[1]
    assert told[-1][1] == "/hitpoint/stop" and ("motion", 0.0) in [message[2:] for message in told]


def test_a_source_that_breaks_says_why():
    told, _, error = watched(Fake([*frames((1, 0.0, 0.2)), InputError("film.ts cannot be read; check it")]))
    assert isinstance(error, InputError) and "/hitpoint/stop" not in [message[1] for message in told]
    _, _, error = watched(Fake([ValueError("odd")]))
    assert isinstance(error, InputError) and "odd" in str(error)


def test_a_camera_that_goes_away_is_looked_for_again(monkeypatch):
    opened = []

    class Camera:
        def __init__(self, pictures):
            self.pictures = pictures

        def read(self):
            self.pictures -= 1
            return self.pictures >= 0, np.zeros((90, 160, 3), np.uint8)

        def release(self):
            opened.append("released")

    cameras = [lambda: Camera(2), lambda: (_ for _ in ()).throw(MissingError("gone")), lambda: Camera(1)]

    def open_camera(name):
        return cameras.pop(0)()

    monkeypatch.setattr("hitpoint.bridge.live.sources._open_camera", open_camera)
    monkeypatch.setattr("hitpoint.bridge.live.sources.time.sleep", lambda seconds: None)
    found, seen = camera_frames("camera"), []
    while len([frame for frame in seen if frame is not None]) < 3:
        seen.append(next(found))
    assert not cameras and None in seen and seen[0].bgr.shape == (72, 128, 3)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_film_comes_through_a_named_pipe(tmp_path):
    film, pipe = tmp_path / "film.ts", tmp_path / "pipe"
    write_film(film)
    os.mkfifo(pipe)
    assert Source(str(pipe)).waits and not Source(str(film)).waits and not Source("camera:1").timed
    threading.Thread(target=lambda: pipe.write_bytes(film.read_bytes()), daemon=True).start()
    told, _, error = watched(Source(str(pipe)))
    assert error is None and len([message for message in told if message[2:3] == ("cut",)]) == 1


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [("nothing.mp4", "check the path", 3), ("camera:77", "camera 77 cannot be opened", 4), (".", "cannot be", 3)],
)
def test_the_process_says_why_it_cannot_watch(name, words, code, tmp_path):
    command = [sys.executable, *EYE, name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, stdin=subprocess.DEVNULL)
    assert done.returncode == code and words in done.stdout and done.stdout.startswith("error: ")


def test_of_a_camera_the_newest_frame_counts():
    items = queue.Queue(1)
    items.put(1)
    eye_module._drop_one(items)
    eye_module._drop_one(items)
    assert items.empty()
