"""`hitpoint live` through JACK: a film in a named pipe, its cut, its end, and Ctrl-C."""

import os
import signal
import subprocess
import threading
import time

import pytest
from live_kit import Bridge, Ears, JackServer, hanging, need_jack, notes_on, wait_for
from moving_pictures import write_film

need_jack()
CRASHES = (49, 57)


class Live(Bridge):
    """`hitpoint live SOURCE` instead of `hitpoint serve`."""

    def __init__(self, folder, *arguments, **settings):
        super().__init__(folder, **settings)
        self.command[self.command.index("serve")] = "live"
        self.command += arguments


@pytest.fixture(scope="module")
def jack():
    with JackServer(period=256) as server:
        yield server


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_film_in_a_pipe_is_followed_and_ends_the_music_with_a_cadence(jack, tmp_path):
    film, pipe = tmp_path / "film.ts", tmp_path / "pipe"
    write_film(film, seconds=4)
    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_bytes(film.read_bytes()), daemon=True).start()
    with Ears() as ears, Live(tmp_path / "live", str(pipe), "--tempo", "200", "--accents", "1") as live:
        ears.connect("Hitpoint:out")
        ears.recording = True
        assert live.process.wait(60) == 0, live.log()
        events = ears.take()
    crashes = [note for note in notes_on(events) if note[1] == 9 and note[2] in CRASHES]
    assert crashes and len(notes_on(events)) > 20 and not hanging(events)


def test_ctrl_c_ends_with_a_cadence_and_twice_at_once(jack, tmp_path):
    with Ears() as ears, Live(tmp_path / "live", "--tempo", "200") as live:
        ears.connect("Hitpoint:out")
        ears.recording = True
        events = []
        wait_for(lambda: events.extend(ears.take()) or len(notes_on(events)) > 10, 60, "music")
        live.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert live.process.poll() is None, "it is to end with a cadence"
        live.process.send_signal(signal.SIGINT)
        try:
            assert live.process.wait(10) == 0
        except subprocess.TimeoutExpired:
            pytest.fail(live.log())
        assert not hanging(events + ears.take())
