"""The MIDI file, read back with bare mido: what a DAW would see."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.music.score import Bar, Controller, Marker, Note, Score, TempoMap, TempoPoint
from hitpoint.model.output.midi_file import tempo_events, to_midi, write_midi
from hitpoint.model.output.midi_reading import read_midi
from tests.fakes import fake_prepared, fake_take


def two_tempi(bars: int, bpm: float = 97.3, bend: float = 1.043) -> TempoMap:
    beat = float(bars * 4 // 2)
    return TempoMap((TempoPoint(0.0, 0.0, bpm), TempoPoint(beat * 60 / bpm, beat, bpm * bend)))


def seconds_at(file: mido.MidiFile) -> callable:
    """pulse -> seconds by the file's own tempo events, summed in whole microseconds."""
    events, now = [], 0
    for message in file.tracks[0]:
        now += message.time
        if message.type == "set_tempo":
            events.append((now, message.tempo))

    def seconds(pulse: int) -> float:
        total = 0.0
        for (start, tempo), (stop, _) in zip(events, [*events[1:], (10**12, 0)], strict=True):
            total += max(0, min(pulse, stop) - start) * tempo / 480
        return total / 1e6

    return seconds


def length(track: mido.MidiTrack) -> int:
    return sum(message.time for message in track)


PERFORMED = Score(
    bars=(
        Bar(
            0,
            (Note(0, 4, 60, 8, 80), Note(5, 4, 64, 4, 70, -0.25)),
            (Controller(0.0, 4, 11, 40), Controller(2.5, 4, 11, 90)),
        ),
        Bar(1, (Note(0, 4, 67, 16, 90),), (Controller(0.0, 4, 11, 90), Controller(8.0, 4, 11, 50))),
    ),
    tempo_map=TempoMap((TempoPoint(0.0, 0.0, 120.0),)),
    genre="pop",
    instruments=(4,),
    seed=0,
    markers=(Marker.section(0.0, "A"), Marker.hit(2.0, "cut")),
)


def test_a_performance_is_in_the_file_and_comes_back(tmp_path: Path) -> None:
    write_midi(PERFORMED, tmp_path / "a.mid")
    now, seen = 0, []
    for message in mido.MidiFile(tmp_path / "a.mid").tracks[1]:
        now += message.time
        if message.type in ("note_on", "control_change"):
            seen.append((now, message.type, message.bytes()[1:]))
    assert seen == [
        (0, "control_change", [11, 40]),
        (0, "note_on", [60, 80]),
        (300, "control_change", [11, 90]),
        (570, "note_on", [64, 70]),
        (1920, "note_on", [67, 90]),  # the controller stands already and is not sent again
        (2880, "control_change", [11, 50]),
    ]
    back = read_midi(tmp_path / "a.mid")
    assert [bar.notes for bar in back.bars] == [bar.notes for bar in PERFORMED.bars]
    assert back.bars[0].controllers == PERFORMED.bars[0].controllers and back.markers == PERFORMED.markers


def test_a_swell_on_a_note_that_the_end_cuts_short_ends_with_it(tmp_path: Path) -> None:
    write_midi(replace(PERFORMED, last_bar_ticks=7), tmp_path / "a.mid")
    for track in mido.MidiFile(tmp_path / "a.mid").tracks:
        assert sum(message.time for message in track) == 23 * 120


def test_layout(tmp_path: Path) -> None:
    take = fake_take(fake_prepared())
    write_midi(take.score, tmp_path / "a.mid")
    file = mido.MidiFile(tmp_path / "a.mid")
    assert (file.type, file.ticks_per_beat) == (1, 480)
    assert [track.name for track in file.tracks] == ["Hitpoint", "Drums", "Piano", "Guitar", "Bass", "Strings"]
    conductor = file.tracks[0]
    signature = next(m for m in conductor if m.type == "time_signature")
    assert (signature.numerator, signature.denominator) == (4, 4)
    assert conductor[-1].type == "end_of_track"
    texts = [m.text for m in conductor if m.type == "text"]
    assert len(texts) == 1 and '"seed": "0"' in texts[0] and '"model_sha256"' in texts[0] and '"version"' in texts[0]
    marks = [m.text for m in conductor if m.type == "marker"]
    assert marks.count("Hit: cut") == 4 and "Section A" in marks and "Section B" in marks
    for track, channel, program in zip(file.tracks[1:], (9, 0, 1, 2, 3), (0, 0, 25, 33, 48), strict=True):
        change = next(m for m in track if m.type == "program_change")
        assert (change.channel, change.program) == (channel, program)
        assert {m.channel for m in track if not m.is_meta} == {channel}
    assert {length(track) for track in file.tracks} == {8 * 1920}


def test_only_instruments_that_may_sound() -> None:
    file = to_midi(fake_take(fake_prepared(instruments=(1, 3), genre="metal")).score)
    assert [track.name for track in file.tracks] == ["Hitpoint", "Piano", "Bass"]


def test_ends_where_the_clip_ends() -> None:
    prepared = fake_prepared(bars=9, duration_s=17.123)
    file = to_midi(fake_take(prepared).score)
    assert abs(file.length - 17.123) < 0.001


@pytest.mark.parametrize("bars", [1, 16, 3600])
@pytest.mark.parametrize("bpm", [61.7, 119.999, 143.1])
def test_every_bar_line_within_a_millisecond(bars: int, bpm: float) -> None:
    tempo_map = two_tempi(bars, bpm)
    score = Score(tuple(Bar(i) for i in range(bars)), tempo_map, "pop", (0,), 0)
    seconds = seconds_at(to_midi(score))
    errors = [abs(seconds(bar * 1920) - tempo_map.time_at_tick(bar)) for bar in range(bars + 1)]
    assert max(errors) < 0.001


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 400), st.floats(20, 300)), min_size=1, max_size=30))
def test_any_tempo_map_within_a_millisecond(spans: list[tuple[int, float]]) -> None:
    points, time_s, beat = [], 0.0, 0.0
    for beats, bpm in spans:
        points.append(TempoPoint(time_s, beat, bpm))
        time_s, beat = time_s + beats * 60 / bpm, beat + beats
    events = tempo_events(TempoMap(tuple(points)), round(beat * 480))
    elapsed = 0.0
    for (start, tempo), (stop, _) in zip(events, [*events[1:], (round(beat * 480), 0)], strict=True):
        elapsed += (stop - start) / 480 * tempo
        assert abs(elapsed / 1e6 - TempoMap(tuple(points)).time_at_beat(stop / 480)) < 0.001


def test_a_pitch_struck_again_is_cut_and_nothing_hangs_over_the_end() -> None:
    bars = (
        Bar(0, (Note(0, 1, 60, 8, 90), Note(4, 1, 60, 40, 80), Note(4, 1, 60, 2, 99), Note(15, 0, 36, 4, 70))),
        Bar(1, (Note(8, 1, 60, 16, 64),)),
    )
    file = to_midi(Score(bars, two_tempi(2), "rock", (0, 1), 3))
    piano, now = [], 0
    for message in file.tracks[2]:
        now += message.time
        if message.type in ("note_on", "note_off"):
            piano.append((now, message.type, message.velocity if message.type == "note_on" else 0))
    assert piano == [
        (0, "note_on", 90),
        (480, "note_off", 0),
        (480, "note_on", 99),
        (2880, "note_off", 0),
        (2880, "note_on", 64),
        (3840, "note_off", 0),
    ]


def test_notes_never_overlap_and_pair_up() -> None:
    file = to_midi(fake_take(fake_prepared(bars=24, duration_s=50.0)).score)
    for track in file.tracks[1:]:
        sounding: dict[int, bool] = defaultdict(bool)
        for message in track:
            if message.type == "note_on":
                assert not sounding[message.note]
                sounding[message.note] = True
            elif message.type == "note_off":
                assert sounding[message.note]
                sounding[message.note] = False
        assert not any(sounding.values())


def test_round_trip(tmp_path: Path) -> None:
    score = fake_take(fake_prepared(), seed=7).score
    write_midi(score, tmp_path / "a.mid")
    back = read_midi(tmp_path / "a.mid")
    assert (back.genre, back.seed, back.instruments, back.about) == ("pop", 7, score.instruments, score.about)
    assert len(back.bars) == len(score.bars)
    for ours, theirs in zip(score.bars, back.bars, strict=True):
        assert [(n.tick, n.instrument, n.pitch, n.velocity) for n in ours.notes] == [
            (n.tick, n.instrument, n.pitch, n.velocity) for n in theirs.notes
        ]
    assert [m.text for m in back.markers] == [m.text for m in score.markers]
    assert all(abs(a.time_s - b.time_s) < 0.002 for a, b in zip(back.markers, score.markers, strict=True))
    assert abs(back.duration_s - score.duration_s) < 0.001
    write_midi(back, tmp_path / "b.mid")
    again = read_midi(tmp_path / "b.mid")
    assert (again.bars, again.about) == (back.bars, back.about)
    assert abs(again.duration_s - score.duration_s) < 0.001


def test_same_take_same_bytes(tmp_path: Path) -> None:
    for name in ("a.mid", "b.mid"):
        write_midi(fake_take(fake_prepared(), seed=5).score, tmp_path / name)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


def test_markers_outside_the_piece_stay_in_the_file() -> None:
    score = Score((Bar(0),), two_tempi(1), "pop", (0,), 0, (Marker(-0.1, "early"), Marker(99.0, "late")))
    assert length(to_midi(score).tracks[0]) == 1920


def test_foreign_and_damaged_files(tmp_path: Path) -> None:
    foreign = mido.MidiFile()
    foreign.tracks.append(mido.MidiTrack())
    foreign.save(tmp_path / "foreign.mid")
    (tmp_path / "text.mid").write_text("not midi")
    write_midi(fake_take(fake_prepared()).score, tmp_path / "whole.mid")
    (tmp_path / "cut.mid").write_bytes((tmp_path / "whole.mid").read_bytes()[:500])
    (tmp_path / "empty.mid").write_bytes(b"")
    for name in ("foreign.mid", "text.mid", "cut.mid", "empty.mid", "missing.mid"):
        with pytest.raises(InputError, match=name):
            read_midi(tmp_path / name)


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(b"mine")
    score = fake_take(fake_prepared()).score
    with pytest.raises(UsageError, match="--force"):
        write_midi(score, path)
    assert path.read_bytes() == b"mine"
    write_midi(score, path, force=True)
    assert path.read_bytes().startswith(b"MThd")
    assert [p.name for p in tmp_path.iterdir()] == ["a.mid"]


@pytest.mark.parametrize(
    ("ticks", "bars", "signature"), [(8, 3, (2, 4)), (11, 2, (11, 16)), (20, 2, (5, 4)), (5, 1, (5, 16))]
)
def test_a_last_bar_of_another_length(ticks, bars, signature):
    notes = tuple(Note(tick, 4, 60 + tick, 20, 80) for tick in (0, 4) if tick < ticks)
    score = Score(
        tuple(Bar(index, notes) for index in range(bars)), TempoMap((TempoPoint(0.0, 0.0, 90.0),)), "pop", (4,), 0,
        last_bar_ticks=ticks,
    )  # fmt: skip
    file = to_midi(score)
    end = (bars - 1) * 1920 + ticks * 120
    assert {length(track) for track in file.tracks} == {end}
    now, signatures = 0, []
    for message in file.tracks[0]:
        now += message.time
        if message.type == "time_signature":
            signatures.append((now, (message.numerator, message.denominator)))
    assert signatures[-1] == ((bars - 1) * 1920, signature) and len(signatures) == min(bars, 2)
    assert [message.tempo for message in file.tracks[0] if message.type == "set_tempo"] == [666667]
    assert score.duration_s == pytest.approx(end / 480 * 60 / 90)


@pytest.mark.parametrize("ticks", [5, 8, 16, 20])
def test_a_last_bar_of_another_length_is_read_back(tmp_path, ticks):
    bars = tuple(Bar(index, (Note(0, 4, 60, 4, 80),)) for index in range(2))
    score = Score(bars, TempoMap((TempoPoint(0.0, 0.0, 120.0),)), "pop", (4,), 0, last_bar_ticks=ticks)
    write_midi(score, tmp_path / "a.mid")
    again = read_midi(tmp_path / "a.mid")
    assert (again.bars, again.last_bar_ticks) == (score.bars, ticks)


@pytest.mark.parametrize(
    "about", ["[1, 2]", "7", "[" * 50_000, '{"genre": ["pop"]}', '{"genre": "pop"}', '{"genre": "pop", "seed": "x"}']
)
def test_a_file_whose_account_of_itself_is_damaged(tmp_path: Path, about: str) -> None:
    path = tmp_path / "score.mid"
    write_midi(fake_take(fake_prepared(bars=2)).score, path)
    file = mido.MidiFile(path)
    place = next(i for i, m in enumerate(file.tracks[0]) if m.type == "text" and m.text.startswith("hitpoint "))
    file.tracks[0][place] = mido.MetaMessage("text", text=f"hitpoint {about}", time=file.tracks[0][place].time)
    file.save(path)
    with pytest.raises(InputError):
        read_midi(path)


@pytest.mark.parametrize("what", ["a bar of no length", "set_tempo", "a length of years"])
def test_a_file_that_lacks_its_beat_or_has_no_end(tmp_path: Path, what: str) -> None:
    path = tmp_path / "score.mid"
    write_midi(fake_take(fake_prepared(bars=2)).score, path)
    file = mido.MidiFile(path)
    if what == "a length of years":
        file.tracks[0][-1:] = [mido.MetaMessage("text", text="x", time=0xFFFFFFF)] * 64 + file.tracks[0][-1:]
    elif what == "a bar of no length":
        file.tracks[0].insert(0, mido.MetaMessage("time_signature", numerator=1, denominator=64))
        file.tracks[0][:] = [m for m in file.tracks[0] if m.type != "time_signature" or m.denominator == 64]
    else:
        file.tracks[0][:] = [message for message in file.tracks[0] if message.type != what]
    file.save(path)
    with pytest.raises(InputError):
        read_midi(path)
