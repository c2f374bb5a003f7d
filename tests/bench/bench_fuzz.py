"""Byte mutation of all that comes from outside: OSC packets, MIDI files, lists of cuts, weights, REAPER's request
files, what a former run left in the state folder, and films, from a corpus and from what this repository makes itself.

    python tests/bench/bench_fuzz.py [--minutes 1] [--seed 0] [--full]

Full length: 10 minutes. What raises anything but the one error of its room, or takes more than 2 s of the processor, is
printed, and written into tests/corpus/found: it becomes a test. Baseline: the same without mutation, which must raise
nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from live_bench import settings  # isort: skip
from test_codec import HOSTILE
from test_protocol_fuzz import session

from hitpoint.bridge.hosts.reaper import answers, clips, rows
from hitpoint.bridge.ipc.messages import ClipSpec, ScoreJob
from hitpoint.bridge.ipc.supervision import LiveState, Parties
from hitpoint.bridge.osc import codec
from hitpoint.bridge.osc.protocol import INCOMING
from hitpoint.bridge.state.store import JobRecord, Store
from hitpoint.model.associate.association import SHIPPED
from hitpoint.model.errors import HitpointError
from hitpoint.model.output.midi_file import write_midi

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
CORPUS = ROOT / "tests" / "corpus"
SLOW_S = 2.0
NUMBERS = (b"0", b"-1", b"1e308", b"NaN", b"-0.0", b"9" * 20, b"2147483648", b"1/0", b"0.000000001", b"", b"true")


def state_files(state):
    return state / "live.json", state / "lists.json", state / "latest"


def osc(data, folder):
    made, _ = session()
    made.hear(data, ("127.0.0.1", 5))
    made.housekeeping()


def midi(data, folder):
    from hitpoint.model.cut.music_midi import read_midi_music
    from hitpoint.model.output.midi_reading import read_midi
    from hitpoint.model.plan.tune.motif_file import read_motif

    path = folder / "score.mid"
    path.write_bytes(data)
    with contextlib.suppress(ValueError, OSError):
        answers.read_score(path)
    for read in (read_midi, read_midi_music, read_motif):
        with contextlib.suppress(HitpointError):
            read(path)


def state(data, folder):
    """Each of the files of a state folder, before the bridge has said a word."""
    store = Store(folder / "state")
    job = store.folder("film")
    job.mkdir(parents=True, exist_ok=True)
    for path in (job / "job.json", job / "plan.json", job / "take-0.jsonl", *state_files(folder / "state")):
        path.write_bytes(data)
    store.unfinished(), store.latest(), store.load_live(), store.load_lists()
    store.load("film"), store.load_plan("film"), store.load_bars("film", 0)


def films(data, folder):
    """As the bridge does: in a process of its own."""
    from hitpoint.model.video.apart import analyse_apart
    from hitpoint.model.video.types import Clip

    path = folder / "film.mkv"
    path.write_bytes(data)
    with contextlib.suppress(HitpointError):
        analyse_apart([Clip(path)])


def request(data, folder):
    path = folder / "request.txt"
    path.write_bytes(data)
    with contextlib.suppress(HitpointError, ValueError, IndexError, KeyError, OSError):  # as requests.py does
        clips.clips(rows.read(path, "request"))


def cuts(data, folder):
    from hitpoint.model.video import cuts_file

    for ending in (".edl", ".json", ".otio", ".xml", ".fcpxml"):
        path = folder / f"cuts{ending}"
        path.write_bytes(data)
        with contextlib.suppress(HitpointError):
            cuts_file.read_cuts(path, 24.0)


def checkpoint(data, folder):
    from hitpoint.model.associate import association
    from hitpoint.model.network import checkpoint as checkpoints
    from hitpoint.model.network import roll_checkpoint

    path = folder / "network.safetensors"
    path.write_bytes(data)
    for load in (checkpoints.load, roll_checkpoint.load, association.load):
        with contextlib.suppress(HitpointError):
            load(path)


def seeds(folder):
    """(room, function, sound inputs)"""
    from tests.fakes import fake_prepared, fake_take

    write_midi(fake_take(fake_prepared(bars=4)).score, folder / "sound.mid")
    item = ["item", __file__, "VIDEO", "0", "5", "0", "1", "9", "0", "1", "0"]
    text = rows.encode("request", [["action", "score"], ["fps", "24"], item])
    packets = [codec.encode(address, "film", 1, 2.0, 3.0) for address in INCOMING]
    edl = "TITLE: A\nFCM: NON-DROP FRAME\n001  AX V C 00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00\n"
    yield "osc", osc, [*packets, *HOSTILE.values(), *_corpus("osc")]
    yield "midi", midi, [(folder / "sound.mid").read_bytes(), *_corpus("midi")]
    yield "request", request, [text.encode(), *_corpus("request")]
    yield "cuts", cuts, [edl.encode(), b'{"cuts": [1.0, 2.5]}', *_lists_of_cuts(), *_corpus("cuts")]
    yield "checkpoint", checkpoint, [_small_checkpoint(folder), SHIPPED.read_bytes(), *_corpus("checkpoint")]
    yield "state", state, [*_state(folder), *_corpus("state")]
    yield "films", films, [*_small_films(folder), *_corpus("films")]


def _lists_of_cuts():
    """The same edit in each format."""
    from tests.model.video.timeline.writers import Clip, Mix
    from tests.model.video.timeline.xml_writers import FORMATS

    track = (Clip(0, 4, media="a"), Clip(4, 8, media="b"), Mix(7.52, 8.48), Clip(8, 12, media="c"))
    over = (Clip(2, 6, "title"), Clip(9, 11, "sound"))
    return [write((track, over)).encode() for write in FORMATS.values()]


def _state(folder):
    """What a bridge keeps of a score: record, plan and bars."""
    from live_fakes import plain_plan, telling_bar

    store = Store(folder / "made")
    score = ScoreJob("film", (ClipSpec("/clips/8.mp4", 0.0, 0.0, None),), (("genre", "pop"),), 24.0)
    store.save(JobRecord(score))
    store.save_plan("film", plain_plan())
    for index in range(8):
        store.add_bar("film", 0, telling_bar(index))
    store.save_lists([score])
    store.save_live(LiveState(), Parties(), {("out", "synth:in")})
    return [path.read_bytes() for path in [*sorted(store.folder("film").iterdir()), *state_files(folder / "made")]]


def _small_films(folder):
    """Two seconds in two containers; none where there is no ffmpeg."""
    made = []
    for name in ("small.mkv", "small.mp4"):
        source = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=2"]
        command = ["ffmpeg", "-loglevel", "error", *source, "-c:v", "mpeg4", str(folder / name)]
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(command, check=True)
            made.append((folder / name).read_bytes())
    return made


def _small_checkpoint(folder):
    from hitpoint.model.network import checkpoint as checkpoints
    from hitpoint.model.network.network import Network, NetworkConfig

    sizes = {"d_model": 16, "heads": 2, "d_ff": 24, "d_head": 16, "attention": ("gated", "local"), "window": 16}
    checkpoints.save(Network(NetworkConfig(name="small", **sizes)), folder / "small.safetensors")
    return (folder / "small.safetensors").read_bytes()


def _corpus(room):
    return [path.read_bytes() for path in sorted((CORPUS / room).glob("*.bin"))]


def mutated(data, dice):
    """A few bytes changed, taken out, doubled or put in, interesting numbers among them, or a number of a text."""
    data = bytearray(data)
    for _ in range(dice.randrange(1, 8)):
        at = dice.randrange(min(len(data), 4096) + 1)
        kind = dice.randrange(6)
        numbers = list(re.finditer(rb"-?\d+(\.\d+)?", bytes(data[at : at + 400]))) if kind == 5 else []
        if numbers:
            found = dice.choice(numbers)
            data[at + found.start() : at + found.end()] = dice.choice(NUMBERS)
            continue
        if kind == 0 and data:
            data[min(at, len(data) - 1)] = dice.randrange(256)
        elif kind == 1:
            del data[at : at + dice.randrange(1, 16)]
        elif kind == 2:
            data[at:at] = data[at : at + dice.randrange(1, 64)]
        elif kind == 3:
            data[at:at] = dice.choice(
                [b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0" * 4, b"\x80\0\0\0", b"9" * 30, b"\t\n%", b'{"a":' * 9999]
            )
        else:
            data[at : at + 4] = dice.randbytes(4)
    return bytes(data)


def main():
    options = settings(__doc__, minutes=(1.0, 10.0), seed=0)
    dice = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="hitpoint-fuzz-") as name:
        folder = Path(name)
        rooms = list(seeds(folder))
        for room, run, sound in rooms:
            for data in sound:
                run(data, folder)
            print(f"{room}: {len(sound)} sound or known inputs, nothing raised", flush=True)
        for room, run, sound in rooms:
            count, found, slowest_s = 0, 0, 0.0
            until_s = time.monotonic() + 60.0 * options.minutes / len(rooms)
            while sound and time.monotonic() < until_s:
                data, began_s, wrong = mutated(dice.choice(sound), dice), time.process_time(), ""
                try:
                    run(data, folder)
                except Exception as error:
                    wrong = f"{type(error).__name__}: {error}"
                took_s = time.process_time() - began_s
                slowest_s, count = max(slowest_s, took_s), count + 1
                if wrong or took_s > SLOW_S:
                    found += 1
                    (CORPUS / "found").mkdir(parents=True, exist_ok=True)
                    (CORPUS / "found" / f"{room}-{hashlib.sha256(data).hexdigest()[:12]}.bin").write_bytes(data)
                    print(f"  {room}: {wrong or f'{took_s:.1f} s'}")
            print(f"{room}: {count:,} mutated inputs, slowest {1000 * slowest_s:.0f} ms, {found} found", flush=True)


if __name__ == "__main__":
    main()
