"""The script for DaVinci Resolve against a *fake* of its documented scripting functions. No real Resolve was seen."""

import importlib.util
import json
import os
import stat
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "plugins" / "resolve" / "Hitpoint.py"
START = 86400  # 01:00:00:00 at 24
STAND_IN = """#!{python}
import json, sys
words = sys.argv[1:]
open({folder!r} + "/asked", "w").write(json.dumps(words))
if "--broken" in words: sys.exit("error: the film holds no picture: choose another")
for flag in ("-o", "--wav"): open(words[words.index(flag) + 1], "w").write("music")
cuts = {{"cuts": {{"found": 4, "hit": 3, "missed_s": [2.5]}}}}
open(words[words.index("--report") + 1], "w").write(json.dumps(cuts))
"""


class FakeTimeline:
    """What the README of Resolve's scripting says of a timeline, as far as it is called."""

    def __init__(self) -> None:
        self.audio, self.markers, self.clips, self.names = ["dialogue"], [], [], {}
        self.exports = True

    def GetName(self):
        return "Cut 7"

    def GetStartFrame(self):
        return START

    def GetSetting(self, name):
        return {"timelineFrameRate": 24.0}[name]

    def Export(self, path, kind, subtype):
        assert (kind, subtype) == ("edl", "none")
        Path(path).write_text("TITLE: Cut 7\n")
        return self.exports

    def AddTrack(self, kind, sub):
        assert (kind, sub) == ("audio", "stereo")
        self.audio.append("")
        return True

    def GetTrackCount(self, kind):
        return len(self.audio)

    def SetTrackName(self, kind, number, name):
        self.audio[number - 1] = name
        return True

    def AddMarker(self, frame, colour, name, note, duration, data):
        assert isinstance(frame, int) and colour in ("Red", "Blue") and duration >= 1
        self.markers.append((frame, name))
        return True


class FakeProject:
    """The same of a project with its media pool."""

    def __init__(self, timeline) -> None:
        self.timeline, self.waits, self.status, self.settings = timeline, 2, {"JobStatus": "Complete"}, {}
        self.imports = True

    def GetName(self):
        return "Film"

    def GetCurrentTimeline(self):
        return self.timeline

    def GetMediaPool(self):
        return self

    def SetCurrentRenderFormatAndCodec(self, kind, codec):
        return (kind, codec) == ("mp4", "H264")

    def SetRenderSettings(self, settings):
        self.settings = settings
        return True

    def AddRenderJob(self):
        return "job-1"

    def StartRendering(self, *jobs):
        assert jobs == ("job-1",)
        (Path(self.settings["TargetDir"]) / (self.settings["CustomName"] + ".mp4")).write_text("picture")
        return True

    def IsRenderingInProgress(self):
        self.waits -= 1
        return self.waits > 0

    def GetRenderJobStatus(self, job):
        return self.status

    def DeleteRenderJob(self, job):
        return True

    def ImportMedia(self, paths):
        return [f"item of {path}" for path in paths] if self.imports else []

    def AppendToTimeline(self, clips):
        for clip in clips:
            assert clip.keys() == {"mediaPoolItem", "mediaType", "trackIndex", "recordFrame"}
        self.timeline.clips += clips
        return clips


class FakeResolve:
    EXPORT_EDL, EXPORT_NONE = "edl", "none"

    def __init__(self, project) -> None:
        self.project = project

    def GetProjectManager(self):
        return self

    def GetCurrentProject(self):
        return self.project


@pytest.fixture
def module(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "hitpoint"
    program.parent.mkdir()
    program.write_text(STAND_IN.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    spec = importlib.util.spec_from_file_location("hitpoint_resolve", SCRIPT)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_fake_the_timeline_gets_a_track_of_music_and_markers_for_what_is_missed(module, tmp_path):
    timeline = FakeTimeline()
    project = FakeProject(timeline)
    for number in (1, 2):
        project.waits = 2
        said = module.main(FakeResolve(project), tmp_path / "music", ["--genre", "rock"], 0.0)
        assert said == "3 of 4 cuts are hit. The others have red markers."
        wav = tmp_path / "music" / "Film" / "Cut 7" / f"music {number}.wav"
        assert wav.exists() and not wav.with_name("picture.mp4").exists()
        assert timeline.audio == ["dialogue", *["Hitpoint"] * number]
        clip = timeline.clips[-1]
        assert (clip["recordFrame"], clip["trackIndex"], clip["mediaType"]) == (START, 1 + number, 2)
        assert str(wav) in clip["mediaPoolItem"]
    assert timeline.markers[0] == (60, "Not hit: cut")
    asked = json.loads((tmp_path / "asked").read_text())
    assert asked[0] == "score" and asked[-2:] == ["--genre", "rock"] and asked[asked.index("--cuts-fps") + 1] == "24.0"
    assert project.settings["ExportAudio"] is False


def test_fake_what_goes_wrong_is_a_sentence(module, tmp_path, monkeypatch):
    def said(change=lambda project: None, options=(), timeline=None):
        project = FakeProject(timeline or FakeTimeline())
        change(project)
        with pytest.raises(module.HostError) as caught:
            module.main(FakeResolve(project), tmp_path / "music", list(options), 0.0)
        return str(caught.value)

    assert "no timeline is open" in said(lambda project: setattr(project, "timeline", None))
    assert "choose another" in said(options=["--broken"])
    failed = {"JobStatus": "Failed", "Error": "the disk is full"}
    assert "the disk is full" in said(lambda project: setattr(project, "status", failed))
    assert "did not import the music; it lies in" in said(lambda project: setattr(project, "imports", False))
    assert "as an EDL" in said(lambda project: setattr(project.timeline, "exports", False))
    monkeypatch.setenv("PATH", "/nowhere")
    assert "hitpoint is not on the PATH" in said()
