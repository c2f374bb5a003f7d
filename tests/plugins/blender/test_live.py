"""Play in Blender, hear the synth: Blender's real window, the bridge's clock, JACK and fluidsynth, in JACK's frames."""

import json
import os
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
import window as screen
from conftest import make_film

KIT = str(Path(__file__).parents[2] / "bridge")
sys.path.insert(0, KIT)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [KIT, os.environ.get("PYTHONPATH", "")]))  # for the bridge
from live_fakes import BAR_S  # noqa: E402
from live_kit import RATE, Bridge, Ears, JackServer, Synth, hanging, need_jack, notes_on  # noqa: E402

need_jack()

ORIGIN_S = 1 / 24  # the first strip begins at frame 1
PIANO = 0  # channel of the telling composer's one note a beat


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """What Blender showed, and what was sent and heard, when."""
    if screen.missing():
        pytest.skip(f"not installed: {', '.join(screen.missing())}")
    folder = tmp_path_factory.mktemp("live")
    make_film(folder / "32.mp4", 4)
    with JackServer(256) as jack, Synth() as synth, Ears(sound_s=40) as ears:  # noqa: SIM117
        with Bridge(folder, "--no-revive", name="HitpointBlender") as bridge:
            ears.connect("HitpointBlender:out")
            ears.client.connect("HitpointBlender:out", synth.midi)
            ears.client.connect(synth.sound, ears.sound_in)
            with screen.Window(folder, bridge.port, 60, script="script_live.py", size=(640, 480)) as window:
                time.sleep(3)
                ears.take()
                ears.recording = True
                clock = [(time.monotonic(), ears.frame)]
                (folder / "go").touch()
                window.wait(lambda told: told["state"] == "done", 60)
                clock.append((time.monotonic(), ears.frame))
            assert jack.process.poll() is None
            played = json.loads((folder / "live.json").read_text())
            (first_s, first), (last_s, last) = clock
            per_s = (last - first) / (last_s - first_s)
            assert per_s == pytest.approx(RATE, rel=0.01)
            return {
                "at": lambda moment: first + (moment - first_s) * per_s,
                "midi": ears.take(),
                "sound": ears.sound,
                "sound_from": ears.sound_from,
                "frames": played["frames"],
                "events": {name: moment for moment, name in played["events"]},
            }


def shown_at(recording, seconds, begin):
    """JACK frame at which Blender first showed the picture of media second `seconds`, after moment `begin`; or None."""
    rows: list[tuple[float, float]] = []
    for moment, frame in recording["frames"]:
        if rows and frame / 24 < rows[-1][1]:
            break  # it went back: another pass
        if moment >= begin:
            rows.append((moment, frame / 24))
    earlier = [row for row in rows if row[1] <= seconds]
    later = [row for row in rows if row[1] > seconds]
    if not earlier or not later:
        return None
    (before_t, before_s), (after_t, after_s) = earlier[-1], later[0]
    return recording["at"](before_t + (after_t - before_t) * (seconds - before_s) / (after_s - before_s))


def beats(first_bar, last_bar):
    return [(bar, ORIGIN_S + bar * BAR_S + beat * BAR_S / 4) for bar in range(first_bar, last_bar) for beat in range(4)]


def offsets_ms(recording, rows, begin):
    """Sound's MIDI minus picture, for each (bar, second), from moment `begin` on."""
    notes = [(at, pitch) for at, channel, pitch, _ in notes_on(recording["midi"]) if channel == PIANO]
    found = []
    for bar, seconds in rows:
        due = shown_at(recording, seconds, begin)
        assert due is not None, f"second {seconds} was never shown"
        near = [at - due for at, pitch in notes if pitch == 36 + bar and abs(at - due) < 0.25 * RATE]
        assert near, f"the beat of bar {bar} at second {seconds:.2f} was never sent"
        found.append(1000 * min(near, key=abs) / RATE)
    return found


def test_notes_follow_the_picture(recording):
    offsets = offsets_ms(recording, beats(0, 4)[1:], recording["events"]["play"])
    rows = [row for row in recording["frames"] if row[0] < recording["events"]["stop"]]
    shown = len(rows) / (rows[-1][0] - rows[0][0])
    print(f"picture to MIDI: {', '.join(f'{offset:+.0f}' for offset in offsets)} ms at {shown:.1f} frames a second")
    assert abs(statistics.median(offsets)) < 60


def test_a_jump_is_followed(recording):
    offsets = offsets_ms(recording, beats(10, 11)[2:] + beats(11, 12)[:2], recording["events"]["jump"])
    assert abs(statistics.median(offsets)) < 60


def test_a_loop_is_followed(recording):
    rows = [row for row in recording["frames"] if row[0] > recording["events"]["loop"]]
    wrap = next(later[0] for earlier, later in pairwise(rows) if later[1] < earlier[1])
    offsets = offsets_ms(recording, beats(2, 3)[1:], wrap)
    print(f"after the loop's wrap: {', '.join(f'{offset:+.1f}' for offset in offsets)} ms")
    assert abs(statistics.median(offsets)) < 60


def test_stop_silences_and_nothing_hangs(recording):
    stop, jump = (recording["at"](recording["events"][name]) for name in ("stop", "jump"))
    late = [at for at, *_ in notes_on(recording["midi"]) if stop + 0.7 * RATE < at < jump]
    assert late == [] and hanging(recording["midi"]) == set()


def test_it_is_heard(recording):
    """fluidsynth sounds while playing, soon after the first note was sent, and is quiet before the jump."""
    play, jump = (
        max(0, round(recording["at"](recording["events"][name])) - recording["sound_from"]) for name in ("play", "jump")
    )
    assert max(map(abs, recording["sound"][play : play + 6 * RATE])) > 0.01
    first = min(at for at, *_ in notes_on(recording["midi"])) - recording["sound_from"]
    latency = next(index for index, value in enumerate(recording["sound"][first:]) if abs(value) > 0.003)
    print(f"first note to its sound: {1000 * latency / RATE:.1f} ms")
    assert latency < 0.1 * RATE
    assert max(map(abs, recording["sound"][jump - RATE // 10 : jump])) < 0.01
