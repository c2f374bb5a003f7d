"""What we write for other programs, read back by libraries that we did not write."""

import json
import re
import wave
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.errors import UsageError
from hitpoint.model.music.score import Marker, Score
from hitpoint.model.output.base import Writing, parse_formats, paths_of, targets_of, write_outputs
from hitpoint.model.output.edl import timecode, write_edl_markers
from hitpoint.model.output.midi_file import write_midi
from hitpoint.model.output.otio_file import write_otio
from hitpoint.model.output.rpp import write_rpp
from hitpoint.model.video.cuts_file import read_cuts
from hitpoint.model.video.types import Clip
from tests.fakes import fake_prepared, fake_take
from tests.plugins.reaper.rpp_project import RppProject, largest_error_s, midi_notes

FILM = Path("/films/my film.v2.MP4")


@pytest.fixture(scope="module")
def made():
    prepared = fake_prepared(FILM)
    return prepared, fake_take(prepared)


def test_rpp_holds_every_note_of_the_midi_file(made, tmp_path):
    _, take = made
    write_rpp(take.score, [Clip(FILM, 3.0)], tmp_path / "s.rpp")
    write_midi(take.score, tmp_path / "s.mid")
    project = RppProject((tmp_path / "s.rpp").read_text())
    wanted = midi_notes(tmp_path / "s.mid", 0.0)
    assert [track.name for track in project.tracks] == ["Film", "Hitpoint", *wanted]
    for name, notes in wanted.items():
        [item] = project.track(name).items
        assert item.first_s == 0 and item.length_s == pytest.approx(take.score.duration_s, abs=1e-9)
        assert largest_error_s(item.takes[0].notes, notes) < 1e-6
    assert [track.bus for track in project.tracks] == [(0, 0), (1, 1), *[(0, 0)] * 4, (2, -1)]
    assert len(project.tempo) >= 2
    hits = [marker for marker in take.score.markers if marker.text.startswith("Hit")]
    assert [(pytest.approx(m.time_s, abs=1e-9), m.text) for m in hits] == project.markers
    assert [name for _, _, name in project.regions] == ["Section A", "Section B"]
    assert project.regions[-1][1] == pytest.approx(take.score.duration_s, abs=1e-9)


def test_rpp_fields_mean_what_reaper_writes_there(made, tmp_path):
    """One time signature, at the first point; markers with byte order and identity; items that keep their seconds."""
    _, take = made
    write_rpp(take.score, [Clip(FILM, 3.0)], tmp_path / "s.rpp")
    lines = [line.strip() for line in (tmp_path / "s.rpp").read_text().splitlines()]
    points = [line.split()[1:] for line in lines if line.startswith("PT ")]
    assert points[0][2:] == ["1", str(4 * 65536 + 4), "0", "1"] and len(points) >= 2
    assert all(point[2:] == ["1"] for point in points[1:])
    assert "TIMELOCKMODE 0" in lines
    markers = [line for line in lines if line.startswith("MARKER ") and not line.endswith('"" 1')]
    ends = [re.search(r" [01] \d{8} 1 R (\{[0-9A-F-]{36}\}) 0$", line) for line in markers]
    assert all(ends) and len({end[1] for end in ends}) == len(markers) == len(take.score.markers)


def test_rpp_joins_the_clips_of_an_edit(made, tmp_path):
    _, take = made
    clips = [Clip(FILM, 3.0, 7.0), Clip(Path("/films/a \"b\" 'c'.mov"), 1.0, 11.0, 2.0), Clip(FILM, 20.0)]
    write_rpp(take.score, clips, tmp_path / "s.rpp")
    items = RppProject((tmp_path / "s.rpp").read_text()).track("Film").items
    assert [(item.first_s, item.takes[0].rate) for item in items] == [(0.0, 1.0), (4.0, 2.0), (9.0, 1.0)]
    assert items[-1].first_s + items[-1].length_s == pytest.approx(take.score.duration_s, abs=1e-9)


def test_otio_is_read_by_opentimelineio(made, tmp_path):
    otio = pytest.importorskip("opentimelineio")
    _, take = made
    path = tmp_path / "s.otio"
    write_otio(take.score, [Clip(FILM, 3.0, 7.0), Clip(FILM, 20.0)], 24.0, path, wav=tmp_path / "s.wav")
    timeline = otio.adapters.read_from_file(str(path))
    assert timeline.duration().to_seconds() == pytest.approx(take.score.duration_s, abs=1e-6)
    [video] = timeline.video_tracks()
    assert [clip.source_range.start_time.to_seconds() for clip in video] == [3.0, 20.0]
    assert video[0].media_reference.target_url == "file:///films/my%20film.v2.MP4"
    [sound] = timeline.audio_tracks()
    assert sound[0].media_reference.target_url.endswith("s.wav")
    found = [(m.marked_range.start_time.to_seconds(), m.name) for m in timeline.tracks.markers]
    assert found == [(pytest.approx(m.time_s, abs=1e-6), m.text) for m in take.score.markers]
    colors = {m.name: m.color for m in timeline.tracks.markers}
    assert colors["Hit: cut"] == "RED" and colors["Section A"] == "GREEN"
    rewritten = tmp_path / "again.otio"
    otio.adapters.write_to_file(timeline, str(rewritten))
    assert json.loads(rewritten.read_text())["name"] == "s"
    [cut] = read_cuts(path, 24.0)
    assert cut.time_s == pytest.approx(4.0)


def test_a_gap_in_the_edit_stays_a_gap(made, tmp_path):
    _, take = made
    edit = [Clip(FILM, 3.0, 7.0, start_s=2.0), Clip(FILM, 20.0, start_s=8.5)]
    write_rpp(take.score, edit, tmp_path / "s.rpp")
    starts = re.findall(
        r"POSITION ([\d.]+)\n      LENGTH ([\d.]+)\n      LOOP 0\n      NAME", (tmp_path / "s.rpp").read_text()
    )
    assert [float(start) for start, _ in starts[:2]] == [0.0, 6.5] and float(starts[0][1]) == 4.0
    otio = pytest.importorskip("opentimelineio")
    write_otio(take.score, edit, 24.0, tmp_path / "s.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "s.otio"))
    [video] = timeline.video_tracks()
    assert [type(item).__name__ for item in video] == ["Clip", "Gap", "Clip"]
    assert video[2].range_in_parent().start_time.to_seconds() == pytest.approx(6.5)
    assert timeline.duration().to_seconds() == pytest.approx(take.score.duration_s, abs=1e-6)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30000 / 1001, 60.0])
def test_edl_markers_are_read_by_opentimelineio(made, tmp_path, fps):
    otio = pytest.importorskip("opentimelineio")
    if "cmx_3600" not in otio.adapters.available_adapter_names():
        pytest.skip("OpenTimelineIO's EDL adapter is not installed (pip install otio-cmx3600-adapter)")
    _, take = made
    path = tmp_path / "s.edl"
    write_edl_markers(take.score, fps, path)
    timeline = otio.adapters.read_from_file(str(path), rate=round(fps))
    [track] = timeline.tracks
    clips = [clip for clip in track if isinstance(clip, otio.schema.Clip)]
    frames = {round(marker.time_s * fps) for marker in take.score.markers}
    found = [clip.source_range.start_time.to_frames() - 3600 * round(fps) for clip in clips]
    assert found == sorted(frames) and len(found) > 5
    assert all(clip.source_range.duration.to_frames() == 1 for clip in clips)
    lines = [line for line in path.read_text().splitlines() if line.startswith(" |C:")]
    assert len(lines) == len(found)
    assert " |C:ResolveColorGreen |M:Section A |D:1" in lines and " |C:ResolveColorYellow |M:Hit: beat |D:1" in lines


def test_edl_markers_with_odd_names_and_many(tmp_path):
    markers = tuple(Marker(index * 0.5, "a | b\nc") for index in range(1500))
    score = Score((), fake_take(fake_prepared()).score.tempo_map, "pop", (), 0, markers)
    write_edl_markers(score, 25.0, tmp_path / "s.edl", first_s=0)
    lines = (tmp_path / "s.edl").read_text().splitlines()
    assert lines[4] == " |C:ResolveColorCyan |M:a / b c |D:1" and lines[-1].startswith(" |C:")
    assert sum(line.startswith(" |C:") for line in lines) == 999


def test_timecode():
    assert timecode(0, 25.0) == "00:00:00:00"
    assert timecode(25 * 3661 + 7, 25.0) == "01:01:01:07"
    assert timecode(30 * 60, 29.97) == "00:01:00:00"


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)


def test_stems_add_up_to_the_mix(made, tmp_path):
    pytest.importorskip("tinysoundfont")
    from hitpoint.model.output.render import write_wav

    prepared, take = made
    paths = write_outputs(take, prepared, targets_of(["stems"], tmp_path / "film.mid"), Writing())
    assert [path.name for path in paths] == [
        f"film-{name}.wav" for name in ("drums", "piano", "guitar", "bass", "strings")
    ]
    write_wav(take.score, tmp_path / "mix.wav")
    mix, stems = samples(tmp_path / "mix.wav"), [samples(path) for path in paths]
    assert all(len(stem) == len(mix) and np.abs(stem).max() > 300 for stem in stems)
    error = np.sum(stems, axis=0) - mix
    assert np.sqrt(np.mean(error**2)) < 2e-3 * np.sqrt(np.mean(mix**2))  # envelopes step where blocks begin


def test_formats_by_name(made, tmp_path):
    prepared, take = made
    assert parse_formats("midi, RPP,otio,rpp") == ("midi", "rpp", "otio")
    for text in ("", "mp3", "midi,,xml"):
        with pytest.raises(UsageError, match="choose from"):
            parse_formats(text)
    base = tmp_path / "film.mid"
    paths = write_outputs(take, prepared, targets_of(("edl", "otio", "rpp"), base), Writing())
    assert paths == paths_of(targets_of(("rpp", "otio", "edl"), base), (0, 1))
    assert [path.suffix for path in paths] == [".rpp", ".otio", ".edl"] and all(path.is_file() for path in paths)
    with pytest.raises(UsageError, match="--force"):
        write_outputs(take, prepared, targets_of(("rpp",), base), Writing())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.edl", "film.otio", "film.rpp"]
