# SPDX-License-Identifier: GPL-3.0-or-later
"""One edit to score and its takes, and where a take's files are kept. Knows neither Blender nor the bridge."""

from __future__ import annotations

import filecmp
import glob
import itertools
import json
import math
import shutil
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .timeline import Clip


@dataclass(eq=False)
class Take:
    """A finished take: its index and the paths of its files (wav may be empty).

    edition: of its notes, by which the bridge knows them again. stems: instrument -> file. show: False for one that is
    only to be kept at hand.
    """

    job: Job
    index: int
    midi: str
    wav: str
    edition: int = -1
    stems: dict[str, str] = field(default_factory=dict)
    show: bool = True

    @property
    def sounds(self) -> dict[str, str]:
        """Part -> file, of what is to be heard: the stems, or the whole under no name."""
        return self.stems or ({"": self.wav} if self.wav else {})


@dataclass(eq=False)
class Job:
    """One edit to score. bars: index -> start; hits: (moment, kind); in seconds of the timeline. sounds: what is
    heard.

    start_s: where the music begins. cuts: how many were hit, of how many, and the moments of the others. mood: lines
    on the film's mood, and on what was suggested and why. duck: how far the music goes down where somebody speaks in
    the film: (seconds from its start, factor), straight lines between.
    change: the picture is that of the edit before, whose music was kept, until the first of these seconds, and from the
    second one, which is the third one now, on.
    folder, title: where the finished files are to be kept, and under which name; empty: in the bridge's own folder.
    request: the number of the latest further wish; an answer brings it back.
    share: of its present stage, progress: of all stages, 0..1. wish: the message that asked for more than the score,
    empty before one did. news: when the bridge last spoke of it (monotonic s).
    """

    clips: list[Clip]
    fps: float
    options: tuple[str | float | int, ...]
    about: dict[str, Any] = field(default_factory=dict)  # the caller's own notes: file, scene, frames
    start_s: float = 0.0
    folder: str = ""
    title: str = "music"
    asks: str = "score"  # what the bridge is asked of the clips: score, or cut
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    stage: str = "clips"
    share: float = 0.0
    progress: float = 0.0
    take: int = 0
    wish: tuple[Any, ...] = ()
    running: bool = True
    bars: dict[int, float] = field(default_factory=dict)
    hits: set[tuple[float, str]] = field(default_factory=set)
    takes: dict[int, Take] = field(default_factory=dict)
    news: float = 0.0
    request: int = 0
    cuts: tuple[int, int, list[float]] = (0, 0, [])
    mood: list[str] = field(default_factory=list)
    duck: list[tuple[float, float]] = field(default_factory=list)
    sounds: list[Clip] = field(default_factory=list)
    change: tuple[float, ...] = (math.inf,) * 3

    def bar_starts(self) -> list[float]:
        """The starts of the bars known so far, in seconds, rising."""
        return [self.bars[index] for index in sorted(self.bars)]

    def moved(self, frame: float) -> float:
        """Where a frame of the edit before lies now, both counted from its start."""
        until, old, new = (moment_s * self.fps for moment_s in self.change)
        if frame >= old - 0.5:
            return frame + new - old
        return frame if frame <= until else min(frame, max(until, new))

    def read_report(self, path: Path) -> None:
        """Bars and hit points as the file has them: a packet may be lost, or be another job's turn when it is due."""
        report, origin = json.loads(path.read_text("utf-8")), self.start_s
        self.bars = {bar["index"]: origin + bar["start_s"] for bar in report["bars"]}
        self.hits = {(round(origin + hit["time_s"], 6), hit["kind"]) for hit in report["hits"]}
        cuts = report["cuts"]
        self.cuts = cuts["hit"], cuts["found"], [origin + time_s for time_s in cuts["missed_s"]]
        self.mood = mood_lines(report)
        same = report.get("same", {})
        self.change = tuple(same[key] for key in ("until_s", "old_from_s", "new_from_s")) if same else (math.inf,) * 3
        duck = report.get("sound", {}).get("duck", ())
        self.duck = [(time_s, 10 ** (gain_db / 20)) for time_s, gain_db in duck]


def mood_lines(report: dict[str, Any]) -> list[str]:
    """The mood of each stretch of the film, and the suggestion with its reasons, as the report has them."""
    moods: list[str] = []
    for section in report.get("sections", ()):
        if section["mood"] and moods[-1:] != [section["mood"]]:
            moods.append(section["mood"])
    lines = [f"Mood: {', '.join(moods)}"] if moods else []
    found = report.get("suggestion")
    if found:
        lines.append(f"Suggested: {found['genre']}, {found['mood']} ({'; '.join(found['why'])})")
    return lines


def stems_of(wav: str) -> dict[str, str]:
    """Instrument -> file of the stems that lie beside a WAV."""
    path = Path(wav)
    found = sorted(path.parent.glob(f"{glob.escape(path.stem)}-*.wav")) if wav else []
    return {each.stem.rpartition("-")[2]: str(each) for each in found if each.stem.rpartition("-")[0] == path.stem}


def keep_files(take: Take, folder: Path) -> None:
    """Put a take's files into `folder`, under names that an editor knows again. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for version in itertools.count(1):
        name = f"{take.job.title}, take {'ABC'[take.index]}" + (f", version {version}" if version > 1 else "")
        files = {take.midi: folder / f"{name}.mid", take.wav: folder / f"{name}.wav"}
        files |= {path: folder / f"{name}, {part}.wav" for part, path in take.stems.items()}
        files.pop("", None)
        if all(not path.exists() or filecmp.cmp(source, path, shallow=False) for source, path in files.items()):
            break  # what is there of that name is the same, or nothing
    kept = {source: _kept(source, path) for source, path in files.items()}
    take.midi, take.wav = kept[take.midi], kept.get(take.wav, "")
    take.stems = {part: kept[path] for part, path in take.stems.items()}


def _kept(source: str, path: Path) -> str:
    if not path.exists():
        part = path.with_name(f".{path.name}.part")
        shutil.copyfile(source, part)
        part.replace(path)
    return str(path)
