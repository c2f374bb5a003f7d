"""Inside Blender: the second hour. Several scores, moved and copied; undo; the edit changes; the project is saved."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

host.load()
from blender import compat, panel, scores, session, settings  # noqa: E402

PROJECT = host.FOLDER / "project" / "hour.blend"
PROJECT.parent.mkdir(exist_ok=True)
scene = host.scene()
scene.render.fps = 24
editor = scene.sequence_editor_create()
found = {"connected": host.connected()}
host.wait(lambda: bool(session.client.names))
found["genres"] = [item[0] for item in settings.items_of("genres")]


def ask(operator, **values):
    """Press a button, wait for its take and for those that come beside it."""
    answer = list(operator(**values))
    done = host.finished()
    host.wait(lambda: not session.client.finished and len(session.client.job.takes) >= 3, 3)
    return answer, done, session.client.error


def music():
    """Channel, first and last frame and file of every strip of ours that is heard."""
    rows = [s for s in scores.strips(scene) if not s.mute]
    return sorted([s.channel, *compat.edges(s), Path(s.sound.filepath).name] for s in rows)


def markers():
    return sorted([marker.frame, marker.name] for marker in scene.timeline_markers if marker.name.startswith("♪"))


def only(score):
    """Select the strips of one score."""
    for strip in host.strips():
        strip.select = strip.get("hitpoint") == score


# A film of three shots between a title card and a hold, scored by its range; nothing of it is saved yet.
card = host.strips().new_image("card", str(host.FOLDER / "still001.png"), 1, 1)
compat.set_end(card, 49)
other_card = host.strips().new_image("other card", str(host.FOLDER / "still002.png"), 1, 49)
compat.set_end(other_card, 73)
for index in range(3):
    host.movie(f"shot {index}", 1, 73 + 40 * index, first=30 * index, length=40)
held = host.movie("held", 1, 193, first=100, length=10)
held.frame_offset_end -= 0
scene.frame_start, scene.frame_end = 1, 300
scene.timeline_markers.new("hit!", frame=91)
scene.timeline_markers.new("No", frame=113)
ask(bpy.ops.hitpoint.score, in_range=True)
found["options"] = dict(zip(session.client.job.options[::2], session.client.job.options[1::2]))  # noqa: B905
found["range"] = music()
found["notes unsaved"] = list(session.notes)
first = scores.chosen(scene)
entry = scores.read(scene)[first]
found["takes"] = [[row[0], row[3]] for row in entry["takes"]]
found["cuts"] = entry["cuts"][:2]
frame = round(entry["cuts"][2][0] * 24)
bpy.ops.hitpoint.jump(frame=frame)
found["jumped"] = scene.frame_current
before = [row[0] for row in session.client.job.takes.items()]
found["at once"] = [list(bpy.ops.hitpoint.take(index=2)), session.client.job.running, len(session.client.finished)]
host.finished()
found["take C"] = music()

# It is saved: the music goes along, and is named relative to the project.
bpy.ops.wm.save_as_mainfile(filepath=str(PROJECT))
bpy.ops.wm.save_mainfile()
found["notes saved"] = list(session.notes)
found["paths"] = sorted(s.sound.filepath for s in scores.strips(scene))
found["folder"] = sorted(path.name for path in (PROJECT.parent / "Hitpoint").iterdir())
bpy.ops.wm.open_mainfile(filepath=str(PROJECT))
scene = host.scene()
editor = scene.sequence_editor
found["opened"] = [Path(bpy.path.abspath(s.sound.filepath)).is_file() for s in scores.strips(scene)]

# A second score beside the first one; each is meant by selecting it, and knows its own seed and markers.
host.movie("later", 1, 401, length=60)
host.movie("still later", 1, 461, first=20, length=60)
scene.hitpoint.seed = 7
for strip in host.strips():
    strip.select = strip.name in ("later", "still later")
first_markers = markers()
ask(bpy.ops.hitpoint.score, in_range=False)
found["two"] = music()
found["first's markers stay"] = [row for row in markers() if row[0] < 400] == first_markers
second = next(reversed(scores.read(scene)))
only(first)
found["chosen first"] = scores.chosen(scene) == first
scene.hitpoint.seed = 9
found["seeds"] = [scores.read(scene)[each]["seed"] for each in (first, second)]
only(second)
found["chosen second"] = scores.chosen(scene) == second
only("")
scene.frame_set(450)
found["by the playhead"] = scores.chosen(scene) == second

# The second score is moved; regenerating at the playhead means the bars that lie there now.
[strip] = scores.strips(scene, second)
strip.frame_start += 100
only(second)
scene.frame_set(401 + 100 + 50)
ask(bpy.ops.hitpoint.regenerate, in_range=False)
found["moved"] = [list(session.client.job.wish[2:4]), session.client.job.id == second, compat.edges(strip)[0]]

# A copy of it takes another take alone.
with bpy.context.temp_override():
    copy = host.strips().new_sound("copy", bpy.path.abspath(strip.sound.filepath), 5, 801)
copy["hitpoint"] = second
compat.set_end(copy, 880)
only("")
copy.select = True
ask(bpy.ops.hitpoint.take, index=1)
found["copy"] = [Path(s.sound.filepath).name for s in (strip, copy)]
host.strips().remove(copy)

# Undo, then regenerate: the edition that is heard is the one that is changed.
only(second)
bpy.ops.ed.undo_push(message="before")
ask(bpy.ops.hitpoint.regenerate, in_range=False)
made = session.client.job.takes[session.client.job.take].edition
bpy.ops.ed.undo()
scene = host.scene()
only(second)
answer = ask(bpy.ops.hitpoint.regenerate, in_range=False)
found["after undo"] = [session.client.job.wish[-1], made, answer]

# The first edit is cut anew: a shot is shorter, the rest moves up.
only("")
scene.frame_set(1)
frames = {s.name: compat.edges(s) for s in host.strips()}
shot = host.strips()["shot 1"]
shot.frame_offset_end += 12
for name in ("shot 2", "held"):
    host.strips()[name].frame_start -= 12
scene.frame_end = 288
session.client.error = ""
ask(bpy.ops.hitpoint.rescore)
options = dict(zip(session.client.job.options[::2], session.client.job.options[1::2]))  # noqa: B905
found["re-scored"] = [options["keep"] == first, music(), len(scores.read(scene)), first in scores.read(scene)]
third = session.client.job.id

# Sound by instrument, on request. Each file is opened in a moment of its own, before any of it is put in place.
scene.hitpoint.stems = True
opened, drain = [], session.drain


def drain_and_count():
    before = len(bpy.data.sounds)
    drain()
    opened.append(len(bpy.data.sounds) - before)


session.drain = drain_and_count
ask(bpy.ops.hitpoint.score, in_range=True)
session.drain = drain
found["opened at once"] = [max(opened), sum(opened)]
found["stems"] = [row[1:] for row in music() if row[1] < 400]
parts = sorted(s.get("hitpoint_part", "") for s in scores.strips(scene) if compat.edges(s)[0] < 400)
ask(bpy.ops.hitpoint.take, index=1)
found["stems of take B"] = [row[3] for row in music() if row[1] < 400]
found["parts"] = parts

# Files that are gone are said, and nothing is remembered of them.
remembered = scene.hitpoint.memory
take = session.client.job.takes[0]
for path in (PROJECT.parent / "Hitpoint").iterdir():
    path.unlink()
take.show = True
session.client.finished.append(take)
host.wait(lambda: not session.client.finished)
found["gone"] = [session.client.error.partition(" (")[0], scene.hitpoint.memory == remembered]

# Without a bridge a click on a take starts it.
session.client.error = ""
session.client._socket.connect(("127.0.0.1", 9))
session.client.state = "away"
bpy.ops.hitpoint.take(index=2)
found["starts"] = session.client.error
found["words"] = [panel.STATE["connected"], compat.translated(panel.STATE["connected"])]
if "de" in host.ARGUMENTS:
    view = bpy.context.preferences.view
    view.language, view.use_translate_interface = "de_DE", True
    found["german"] = compat.translated(panel.STATE["connected"])
session.client.cancel()
host.result(**found)
