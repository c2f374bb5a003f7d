"""The way back inside real Blenders: a score is there, the strips are cut to it."""

import json
from pathlib import Path

import pytest
from conftest import NO_SOUND, run_script
from fake_bridge import FakeBridge

from hitpoint.model.output.otio_file import write_timeline
from hitpoint.model.video.types import Clip

PARTS = ((0.5, 12), (2.0, 30), (1.0, 18))
"""Seconds of the film and frames, as the stand-in cuts."""


class CuttingBridge(FakeBridge):
    """Answers cut with an edit of PARTS."""

    def on_cut(self, sender, request) -> None:
        name = request.text("job")
        film = Path(self.jobs[name]["clips"][0]["path"])
        clips, at = [], 0
        for in_s, frames in PARTS:
            clips.append(Clip(film, in_s, in_s + frames / 24, start_s=at / 24))
            at += frames
        path = self.folder / f"{name}-cut.otio"
        write_timeline(clips, at / 24, 24.0, path)
        self.say(sender, "edit", name, str(path), "one remark")


@pytest.mark.parametrize("host", ["3.4", "4.2", "4.5", "5.0"])
def test_strips_are_cut_to_the_music(host, media):
    folder = media / f"cut {host}"
    folder.mkdir(exist_ok=True)
    bridge = CuttingBridge(folder)
    try:
        stand_in = ["film-for-sound"] if host in NO_SOUND else []
        found = run_script(host, "script_cut.py", media, bridge.port, *stand_in)
        [(_, music)] = bridge.seen("cut")
    finally:
        bridge.close()
    assert found["no music"][0] == ["CANCELLED"] and "no music" in found["no music"][1]
    assert found["scored"] and found["no clips"][0] == ["CANCELLED"] and "No movie strip" in found["no clips"][1]
    assert (found["answer"], found["cut"], found["error"]) == (["FINISHED"], True, "")
    assert music.endswith(".mid") and found["notes"] == ["one remark"]
    frames = [[round(clip[key] * 24, 6) for key in ("in_s", "out_s", "rate")] for clip in found["clips"]]
    assert frames == [[10, 60, 24.0], [0, 100, 24.0]]
    channel = found["laid"][0][2]
    assert found["laid"] == [[11, 23, channel, 12, True], [23, 53, channel, 48, True], [53, 71, channel, 24, True]]
    assert found["undone"], json.dumps(found)
