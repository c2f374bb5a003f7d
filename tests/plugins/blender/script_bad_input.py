"""Inside Blender: what an editor can get wrong: the sentence, the notes, and whether the file is whole."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

host.load()
from blender import session  # noqa: E402

SOUND = bool(host.ARGUMENTS[2:]) and host.ARGUMENTS[2] == "sound"
found: dict[str, dict] = {}


def empty(fps: int = 24, base: float = 1.0):
    scene = host.scene()
    if scene.sequence_editor is not None:
        scene.sequence_editor_clear()
    for marker in list(scene.timeline_markers):
        scene.timeline_markers.remove(marker)
    scene.render.fps, scene.render.fps_base = fps, base
    scene.frame_start, scene.frame_end = 1, 200
    scene.sequence_editor_create()
    session.client.error = ""
    session.notes.clear()
    session.client.job = None
    return scene


def in_sequencer():
    """The context that the sequencer's own operators ask for."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    region = next(region for region in area.regions if region.type == "WINDOW")
    return bpy.context.temp_override(window=window, area=area, region=region)


def score(case: str, in_range: bool = False) -> None:
    """Click; wait where something is under way; remember what the panel says and what became of the file."""
    before = host.picture()
    begin = time.perf_counter()
    answer = list(bpy.ops.hitpoint.score(in_range=in_range))
    click_s = time.perf_counter() - begin
    if answer == ["FINISHED"]:
        host.finished()
    job = session.client.job
    after = host.picture()
    found[case] = {
        "answer": answer,
        "error": session.client.error,
        "notes": list(session.notes),
        "clips": [vars(clip) for clip in job.clips] if job else [],
        "unharmed": [strip for strip in after["strips"] if strip[1] != "SOUND" or strip[0] == "tone"]
        == before["strips"],
        "same": after == before,
        "after": after,
        "click_s": click_s,
        "all_s": time.perf_counter() - begin,
    }


host.connected()

empty()
host.movie("gone", 1, 1, file="gone.mp4")
score("missing file")
host.movie("good", 2, 20)
score("missing file among others")

scene = empty()
other = bpy.data.scenes.new("other")
host.strips().new_scene("scene strip", other, 1, 1)
score("scene strip")

empty()
image = host.strips().new_image("stills", str(host.FOLDER / "still001.png"), 1, 1)
for index in (2, 3):
    image.elements.append(f"still{index:03d}.png")
score("image sequence")

if SOUND:
    empty()
    host.strips().new_sound("tone", str(host.FOLDER / "tone.wav"), 1, 1)
    score("sound only")

empty()
host.movie("not chosen", 1, 1).select = False
score("no selection")
scene.frame_start, scene.frame_end = 900, 950
score("empty range", in_range=True)

empty()
score("nothing at all")

empty()
host.movie("unsaved", 1, 1)
score("unsaved file")

empty(24, 1.001)
host.movie("ntsc 1", 1, 1, length=37, file="film23.mp4")
host.movie("ntsc 2", 1, 38, first=11, length=61, file="film23.mp4")
score("24/1.001 fps")

empty()
host.movie("fast", 1, 1, length=100)
host.effect("SPEED", 2, 1, 101, host.strips()[0])
host.strips()["speed"].speed_control = "MULTIPLY"
host.strips()["speed"].speed_factor = 2.0
score("speed effect", in_range=True)

empty()
strip = host.movie("retimed", 1, 1)
if hasattr(strip, "speed_factor"):
    strip.speed_factor = 2.0
else:
    bpy.context.scene.sequence_editor.active_strip = strip
    with in_sequencer():
        bpy.ops.sequencer.retiming_segment_speed_set(speed=200.0)
score("retimed strip")

empty()
host.movie("thirty", 1, 1, file="film30.mp4")
score("another frame rate")

empty()
host.movie("backwards", 1, 1).use_reverse_frames = True
score("reversed")

empty()
first = host.movie("in meta 1", 3, 1, length=40)
second = host.movie("in meta 2", 4, 41, length=40)
for strip in host.strips():
    strip.select = True
with in_sequencer():
    bpy.ops.sequencer.meta_make()
meta = next(strip for strip in host.strips() if strip.type == "META")
meta.channel = 2
meta.frame_offset_start, meta.frame_offset_end = 10, 10
host.movie("below", 1, 1, length=100)
score("meta")

empty()
a, b = host.movie("a", 1, 1, length=60), host.movie("b", 2, 41, length=60)
host.effect("CROSS", 3, 41, 61, a, b)
score("cross")

scene = empty()
host.movie("channel off", 1, 1)
scene.sequence_editor.channels[1].mute = True
score("muted channel")

empty()
for index in range(500):
    host.movie(f"s{index}", 1 + index % 2, 1 + index * 5, first=index % 100, length=5)
score("500 strips")

empty()
for channel in range(1, 129):
    host.movie(f"c{channel}", channel, 1, length=50)
score("no free channel")

empty()
still = host.movie("held", 1, 1, file="film30.mp4")
still.frame_offset_start, still.frame_offset_end = -10, -20
score("pulled out")

empty()
host.movie("no bridge", 1, 1)
session.client._socket.connect(("127.0.0.1", 9))
session.client.state = "away"
begin = time.perf_counter()
answer = list(bpy.ops.hitpoint.score(in_range=False))
found["no bridge"] = {
    "answer": answer,
    "error": session.client.error,
    "click_s": time.perf_counter() - begin,
    "waiting": session.client.job.running,
}
bpy.ops.hitpoint.cancel()
found["no bridge"]["cancelled"] = not session.client.job.running
host.result(**found)
