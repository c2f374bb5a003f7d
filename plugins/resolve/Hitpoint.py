#!/usr/bin/env python3
"""Music for the open timeline of DaVinci Resolve: from its menu Workspace > Scripts, or `python3 Hitpoint.py`.

Renders the timeline small, has `hitpoint score` write music that hits its cuts, and adds the music on an audio track
of its own, with a marker for each cut that is not hit. What was there stays as it is. Run again, it adds the new music
on a further track and mutes nothing. Only functions of Resolve's own scripting README are called.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

AUDIO_ONLY = 2
MARKER_COLOUR = "Red"
LOOK_S = 0.5
RENDER_S = 3600.0


class HostError(Exception):
    """Something is wrong; the text is a sentence for the user."""


def main(resolve: Any, folder: Path, options: list[str], look_s: float = LOOK_S) -> str:
    """Score the open timeline; what was done, in a sentence. folder: where the music goes. Raises HostError."""
    if shutil.which("hitpoint") is None:
        raise HostError("the program hitpoint is not on the PATH; install it and run this again")
    project = resolve.GetProjectManager().GetCurrentProject()
    timeline = project.GetCurrentTimeline() if project else None
    if timeline is None:
        raise HostError("no timeline is open; open the one to score and run this again")
    folder = folder / project.GetName() / timeline.GetName()
    folder.mkdir(parents=True, exist_ok=True)
    stem = _free_name(folder)
    film = render(project, timeline, folder, look_s)
    cuts = folder / f"{stem}.edl"
    if not timeline.Export(str(cuts), resolve.EXPORT_EDL, resolve.EXPORT_NONE):
        raise HostError("Resolve did not export the timeline as an EDL; check that it can be written to")
    wav, report = folder / f"{stem}.wav", folder / f"{stem}.report.json"
    call = ["hitpoint", "score", str(film), "--cuts", str(cuts), "-o", str(folder / f"{stem}.mid")]
    call += ["--cuts-fps", str(timeline.GetSetting("timelineFrameRate")), "--wav", str(wav), "--report", str(report)]
    done = subprocess.run([*call, *options], capture_output=True, text=True, check=False)
    film.unlink(missing_ok=True)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise HostError(f"scoring failed: {words[-1] if words else 'hitpoint said nothing'}")
    place(project, timeline, wav)
    return mark(timeline, json.loads(report.read_text(encoding="utf-8"))["cuts"])


def _free_name(folder: Path) -> str:
    number = 1
    while any(folder.glob(f"music {number}.*")):
        number += 1
    return f"music {number}"


def render(project: Any, timeline: Any, folder: Path, look_s: float) -> Path:
    """The timeline's picture, small. The render settings for this are set for this job alone."""
    settings = {
        "SelectAllFrames": True,
        "TargetDir": str(folder),
        "CustomName": "picture",
        "ExportVideo": True,
        "ExportAudio": False,
        "FormatWidth": 640,
        "FormatHeight": 360,
    }
    if not (project.SetCurrentRenderFormatAndCodec("mp4", "H264") and project.SetRenderSettings(settings)):
        raise HostError("Resolve cannot render MP4 with H.264 here; choose another codec on the Deliver page once")
    job = project.AddRenderJob()
    if not job or not project.StartRendering(job):
        raise HostError("Resolve did not start to render; see the render queue on its Deliver page")
    end = time.monotonic() + RENDER_S
    while project.IsRenderingInProgress():
        if time.monotonic() > end:
            raise HostError("rendering the picture takes more than an hour; score a shorter timeline")
        time.sleep(look_s)
    status = project.GetRenderJobStatus(job)
    project.DeleteRenderJob(job)
    film = folder / "picture.mp4"
    if status.get("JobStatus") != "Complete" or not film.is_file():
        raise HostError(f"Resolve could not render the picture: {status.get('Error') or status.get('JobStatus')}")
    return film


def place(project: Any, timeline: Any, wav: Path) -> None:
    """The music on an audio track of its own, from the timeline's first frame on."""
    pool = project.GetMediaPool()
    items = pool.ImportMedia([str(wav)])
    if not items:
        raise HostError(f"Resolve did not import the music; it lies in {wav}")
    if not timeline.AddTrack("audio", "stereo"):
        raise HostError(f"Resolve could not add an audio track; the music lies in {wav}")
    track = timeline.GetTrackCount("audio")
    timeline.SetTrackName("audio", track, "Hitpoint")
    clip = {"mediaPoolItem": items[0], "mediaType": AUDIO_ONLY, "trackIndex": track}
    if not pool.AppendToTimeline([{**clip, "recordFrame": timeline.GetStartFrame()}]):
        raise HostError(f"Resolve did not place the music; it is in the media pool, and lies in {wav}")


def mark(timeline: Any, cuts: dict[str, Any]) -> str:
    """A marker at each cut that is not hit; how many are, in a sentence. Markers count from the timeline's start."""
    rate = float(timeline.GetSetting("timelineFrameRate"))
    for time_s in cuts["missed_s"]:
        frame = round(time_s * rate)
        timeline.AddMarker(frame, MARKER_COLOUR, "Not hit: cut", "The music does not hit this cut.", 1, "hitpoint")
    return f"{cuts['hit']} of {cuts['found']} cuts are hit. The others have red markers."


def _resolve() -> Any:
    """The running Resolve: the menu hands it in; from outside, its own module finds it."""
    found = globals().get("resolve")
    if found is None:
        try:
            import DaVinciResolveScript as script  # type: ignore[import-not-found]
        except ImportError:
            raise HostError(
                "this runs from Resolve's menu Workspace > Scripts; copy it into its scripts folder"
            ) from None
        found = script.scriptapp("Resolve")
    if found is None:
        raise HostError("Resolve is not running, or external scripting is switched off in its preferences")
    return found


if __name__ == "__main__":
    try:
        print(main(_resolve(), Path.home() / "Music" / "Hitpoint", sys.argv[1:]))
    except HostError as error:
        print(f"error: {error}.")
