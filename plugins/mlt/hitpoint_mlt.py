#!/usr/bin/env python3
"""Music for a Kdenlive or Shotcut project: renders its picture small, has Hitpoint score it, adds the music as a track.

    python3 hitpoint_mlt.py film.kdenlive [-- --genre rock --seed 3 ...]

The project itself is never changed: what it writes is `film with music.kdenlive` beside it, and the music in a folder
`Hitpoint` there. Run again after the edit has changed, it replaces its own track. Needs `melt` (which comes with either
program) and `hitpoint` on the PATH; nothing else. Ends with one sentence where something is wrong.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import wave
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ID = "hitpoint_music"
WIDTH_PX = 480
"""Enough to see cuts and motion in, and quick to render."""
STILL_S = 120.0
"""A render that does not go on for so long is given up; melt waits for ever now and then."""
TRIES = 2


class ProjectError(Exception):
    """Something is wrong; the text is a sentence for the user."""


def main(arguments: list[str]) -> str:
    """Do all of it. Returns what was written. Raises ProjectError."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path, help="the .kdenlive or .mlt file, saved")
    parser.add_argument("options", nargs="*", help="after --: options of `hitpoint score`")
    known = parser.parse_args(arguments)
    project: Path = known.project.resolve()
    for program in ("melt", "hitpoint"):
        if shutil.which(program) is None:
            raise ProjectError(f"the program {program} is not on the PATH; install it and run this again")
    tree = read(project)
    music = project.parent / "Hitpoint"
    music.mkdir(exist_ok=True)
    wav = free_name(music / f"{project.stem}.wav")
    with tempfile.TemporaryDirectory() as temporary:
        film = Path(temporary) / "picture.mp4"
        render(without_music(tree, Path(temporary), project), film, tree.getroot())
        score(film, project, wav, known.options)
    add_music(tree.getroot(), wav.relative_to(project.parent), frames_of(wav, tree.getroot()))
    written = project.with_name(f"{project.stem.removesuffix(' with music')} with music{project.suffix}")
    tree.write(written, encoding="utf-8", xml_declaration=True)
    return f"{written}\n{wav}"


def read(project: Path) -> ElementTree.ElementTree:
    """The project. Raises ProjectError where it is none."""
    try:
        tree = ElementTree.parse(project)
    except (OSError, ElementTree.ParseError) as error:
        raise ProjectError(f"{project} cannot be read as a project ({error}); save it and run this again") from None
    if tree.getroot().tag != "mlt" or tree.getroot().find("tractor") is None:
        raise ProjectError(f"{project} holds no timeline; open it in Kdenlive or Shotcut and save it")
    return tree


class Stalled(ProjectError):
    """A program does not go on."""


def run(call: list[str], what: str, still_s: float = 0.0) -> None:
    """Run a program, which ends with this one. Raises ProjectError with its last words.

    still_s: Stalled is raised where it says nothing for so long; 0: never.
    """
    environment = dict(os.environ)
    if sys.platform.startswith("linux") and not ("DISPLAY" in environment or "WAYLAND_DISPLAY" in environment):
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")  # melt's titles ask for a screen
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(call, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        said, news = 0, time.monotonic()
        try:
            while process.poll() is None:
                time.sleep(0.05)
                if os.fstat(log.fileno()).st_size != said:
                    said, news = os.fstat(log.fileno()).st_size, time.monotonic()
                elif still_s and time.monotonic() - news > still_s:
                    raise Stalled(f"{what} does not go on: nothing happened for {still_s:g} s; run this again")
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            log.seek(0)
            words = [line for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
            raise ProjectError(f"{what} failed: {words[-1] if words else 'it said nothing'}")


def without_music(tree: ElementTree.ElementTree, folder: Path, project: Path) -> Path:
    """A copy of the project without our own track, whose paths go on from the project's folder."""
    copy = ElementTree.ElementTree(ElementTree.fromstring(ElementTree.tostring(tree.getroot())))
    remove_music(copy.getroot())
    copy.getroot().set("root", str(project.parent))
    path = folder / project.name
    copy.write(path, encoding="utf-8", xml_declaration=True)
    return path


def render(project: Path, film: Path, root: ElementTree.Element) -> None:
    """The project's picture as a small film, frame by frame."""
    profile = root.find("profile")
    wide, high = (int(profile.get(key, "0")) if profile is not None else 0 for key in ("width", "height"))
    width = min(WIDTH_PX, wide or WIDTH_PX) // 2 * 2
    size = [f"width={width}", f"height={round(width * high / wide / 2) * 2}"] if wide and high else []
    rate = []
    if profile is not None:  # melt does not take it from the project by itself
        text = "".join(f"{key}={value}\n" for key, value in {"description": "project", **profile.attrib}.items())
        path = film.with_name("profile.txt")
        path.write_text(text, encoding="utf-8")
        rate = ["-profile", str(path)]
    call = [
        "melt",
        *rate,
        str(project),
        "-consumer",
        f"avformat:{film}",
        "an=1",
        "vcodec=libx264",
        "preset=veryfast",
        "crf=23",
        *(*size, "real_time=0", "terminate_on_pause=1"),
        "-progress",  # a line for each frame, by which it is seen that it goes on
    ]
    for left in reversed(range(TRIES)):
        try:
            run(call, "rendering the picture with melt", STILL_S)
            break
        except Stalled:
            if not left:
                raise
    if not film.is_file():
        raise ProjectError("melt rendered no picture; play the project once to see whether it is whole")


def score(film: Path, project: Path, wav: Path, options: list[str]) -> None:
    """Have the film scored; the cuts are those of the project's own timeline."""
    cuts = [] if "--cuts" in options else ["--cuts", str(project)]
    call = ["hitpoint", "score", str(film), *cuts, "-o", str(wav.with_suffix(".mid")), "--wav", str(wav), *options]
    run(call, "scoring")


def frames_of(wav: Path, root: ElementTree.Element) -> int:
    """How many of the project's frames the music lasts, at most."""
    profile = root.find("profile")
    rate = 25.0
    if profile is not None and profile.get("frame_rate_num"):
        rate = int(profile.get("frame_rate_num", "25")) / int(profile.get("frame_rate_den", "1"))
    with wave.open(str(wav), "rb") as file:
        return max(1, int(file.getnframes() / file.getframerate() * rate + 0.5))


def free_name(path: Path) -> Path:
    """`path`, or the first name beside it that no file has: music that an earlier project plays stays as it is."""
    number = 1
    while path.exists() or path.with_suffix(".mid").exists():
        number += 1
        path = path.with_name(f"{re.sub(r' [0-9]+$', '', path.stem)} {number}{path.suffix}")
    return path


def remove_music(root: ElementTree.Element) -> None:
    """Take our own track out, wherever it stands."""
    for element in list(root):
        if element.get("id", "").startswith(ID):
            root.remove(element)
            continue
        gone = [
            place for place, track in enumerate(element.findall("track")) if track.get("producer", "").startswith(ID)
        ]
        for child in list(element):
            name = child.get("id", "") + child.get("producer", "")
            if child.tag in ("track", "entry", "transition") and ID in name:
                element.remove(child)
        assert len(gone) <= 1


def add_music(root: ElementTree.Element, wav: Path, frames: int) -> None:
    """One more track with the music, mixed with the others; in Kdenlive's bin as well."""
    remove_music(root)
    last = str(frames - 1)
    tractor = timeline(root)
    kdenlive = any((each.get("name") or "").startswith("kdenlive:") for each in root.iter("property"))
    parts: list[ElementTree.Element] = []
    producer = _element("producer", f"{ID}_sound", {"in": "0", "out": last})
    facts = {"resource": wav.as_posix(), "mlt_service": "avformat", "video_index": "-1", "audio_index": "0"}
    if kdenlive:
        facts |= {"kdenlive:id": str(_free_number(root)), "kdenlive:clipname": wav.stem, "kdenlive:clip_type": "1"}
    _properties(producer, facts)
    playlist = _element("playlist", f"{ID}_list", {})
    _properties(
        playlist, {"kdenlive:audio_track": "1"} if kdenlive else {"shotcut:audio": "1", "shotcut:name": "Music"}
    )
    ElementTree.SubElement(playlist, "entry", {"producer": f"{ID}_sound", "in": "0", "out": last})
    parts += [producer, playlist]
    if kdenlive:  # a track of Kdenlive is a tractor of two playlists
        second = _element("playlist", f"{ID}_list2", {})
        _properties(second, {"kdenlive:audio_track": "1"})
        track = _element("tractor", f"{ID}_track", {"in": "0", "out": last})
        _properties(track, {"kdenlive:audio_track": "1", "kdenlive:track_name": "Music"})
        for part in (playlist, second):
            ElementTree.SubElement(track, "track", {"hide": "video", "producer": part.get("id", "")})
        parts += [second, track]
        for bin_list in root.findall("playlist"):
            if bin_list.get("id") == "main_bin":
                ElementTree.SubElement(bin_list, "entry", {"producer": f"{ID}_sound", "in": "0", "out": last})
                root.remove(bin_list)  # what it names must come first
                parts.append(bin_list)
    place = list(root).index(tractor)
    for offset, part in enumerate(parts):
        root.insert(place + offset, part)
    number = len(tractor.findall("track"))
    after = max(index for index, child in enumerate(tractor) if child.tag in ("track", "property")) + 1
    track_id = f"{ID}_track" if kdenlive else f"{ID}_list"
    tractor.insert(after, ElementTree.Element("track", {"producer": track_id, "hide": "video"}))
    mix = _element("transition", f"{ID}_mix", {})
    _properties(mix, {"a_track": "0", "b_track": str(number), "mlt_service": "mix", "always_active": "1", "sum": "1"})
    if kdenlive:
        _properties(mix, {"internal_added": "237"})
    tractor.append(mix)


def timeline(root: ElementTree.Element) -> ElementTree.Element:
    """The tractor whose tracks are the film's: the last one, or the sequence that the last one plays."""
    by_id = {each.get("id"): each for each in root.findall("tractor")}
    tractor = root.findall("tractor")[-1]
    for _ in range(len(by_id)):
        tracks = [by_id.get(track.get("producer")) for track in tractor.findall("track")]
        inner = [each for each in tracks if each is not None and _is_sequence(each)]
        if len(inner) != 1:
            break
        tractor = inner[0]
    return tractor


def _is_sequence(tractor: ElementTree.Element) -> bool:
    return any(each.get("name") in ("kdenlive:uuid", "kdenlive:sequenceproperties.tracksCount") for each in tractor)


def _free_number(root: ElementTree.Element) -> int:
    used = [each.text or "" for each in root.iter("property") if each.get("name") == "kdenlive:id"]
    return max([1, *(int(text) for text in used if text.isdigit())]) + 1


def _element(tag: str, name: str, attributes: dict[str, str]) -> ElementTree.Element:
    return ElementTree.Element(tag, {"id": name, **attributes})


def _properties(element: ElementTree.Element, values: dict[str, str]) -> None:
    for name, value in values.items():
        ElementTree.SubElement(element, "property", {"name": name}).text = value


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except ProjectError as error:
        sys.exit(f"error: {error}.")
