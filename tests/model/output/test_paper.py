"""What players and editors read: click, cue sheet and MusicXML say what the score says."""

from __future__ import annotations

import csv
import sys
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.errors import MissingError
from hitpoint.model.music.score import INSTRUMENTS
from hitpoint.model.output.base import OUTPUTS, Writing
from hitpoint.model.output.click import RATE_HZ, beats_s
from hitpoint.model.output.musicxml import chords_of
from hitpoint.model.take import Prepared, Take
from tests.fakes import fake_prepared, fake_take


def written(key: str, folder: Path, bars: int = 8) -> tuple[Path, Take, Prepared]:
    prepared = fake_prepared(bars=bars, duration_s=2.0 * bars)
    told = tuple(replace(bar, key="A minor" if bar.index < bars // 2 else "Eb major") for bar in prepared.plan.bars)
    prepared = replace(prepared, plan=replace(prepared.plan, bars=told))
    take, output = fake_take(prepared), OUTPUTS.load(key)()
    path = folder / f"film{output.suffix}"
    output.check(path, take.score.instruments, Writing())
    output.write(take, prepared, path, Writing())
    return path, take, prepared


def test_clicks_begin_on_the_beats(tmp_path: Path) -> None:
    path, take, _ = written("click", tmp_path)
    with wave.open(str(path)) as file:
        sound = np.abs(np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768)
    assert len(sound) == round(take.score.duration_s * RATE_HZ)
    beats = beats_s(take.score)
    assert len(beats) == 32 and [begins for _, begins in beats[:5]] == [True, False, False, False, True]
    for time_s, _ in beats:
        first = round(time_s * RATE_HZ)
        assert sound[first] > 0.45 and sound[max(0, first - 200) : first].max(initial=0) < 0.01


def test_the_cue_sheet_names_sections_hits_keys_and_the_end(tmp_path: Path) -> None:
    path, _, prepared = written("cues", tmp_path)
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    found = [(row["what"], row["name"]) for row in rows]
    assert [name for what, name in found if what == "section"] == ["A", "B"]
    assert [name for what, name in found if what == "key"] == ["A minor", "Eb major"]
    assert len([what for what, _ in found if what == "hit"]) == len(prepared.plan.hits)
    assert found[-1][0] == "end" and float(rows[-1]["time_s"]) == pytest.approx(prepared.plan.duration_s, abs=1e-3)
    times = [float(row["time_s"]) for row in rows]
    assert times == sorted(times)
    second = next(row for row in rows if row["what"] == "hit" and row["name"] == "beat")
    assert (second["bar"], second["beat"]) == ("1", "2.5")


def test_the_cue_sheet_is_printed(tmp_path: Path) -> None:
    path, _, _ = written("cuepages", tmp_path)
    assert path.read_bytes().startswith(b"%PDF")


def test_musicxml_has_the_notes_as_written(tmp_path: Path) -> None:
    music21 = pytest.importorskip("music21", reason="needs hitpoint[notation]")
    path, take, _ = written("musicxml", tmp_path, bars=2)
    read = music21.converter.parse(path, format="musicxml")
    assert [part.partName for part in read.parts] == ["Drums", "Piano", "Guitar", "Bass", "Strings"]
    piano = read.parts[1]
    onsets = sorted({float(n.getOffsetInHierarchy(read)) * 4 for n in piano.recurse().notes if not _is_tied_on(n)})
    assert onsets == [tick for tick, _, _ in chords_of(take.score, INSTRUMENTS.index("piano"))]
    assert {str(each.tonic) + each.mode for each in piano.recurse().getElementsByClass("Key")} == {"Aminor", "E-major"}


def _is_tied_on(note: object) -> bool:
    return getattr(note, "tie", None) is not None and note.tie.type in ("stop", "continue")  # type: ignore[attr-defined]


def test_without_music21_musicxml_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "music21", None)
    with pytest.raises(MissingError, match=r"hitpoint\[notation\]"):
        written("musicxml", tmp_path)
