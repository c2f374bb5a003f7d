"""Notes of some bars as a take's buffer: pure."""

import pytest

from hitpoint.bridge.hosts.reaper.answers import (
    FileNote,
    FileTrack,
    MidiScore,
    Placing,
    TakeNotes,
    part_row,
    score_rows,
)
from hitpoint.bridge.hosts.reaper.notes import PPQ, Message, pack, unpack


@pytest.mark.parametrize(("bars", "wanted"), [((0, 1), [60, 61, 62]), ((1, 1), [61, 62]), ((0, 0), [60])])
def test_a_longer_last_bar_is_replaced_to_its_end(bars, wanted):
    bar = 4 * 480
    notes = tuple(FileNote(start, start + 90, pitch, 80) for start, pitch in ((0, 60), (bar, 61), (2 * bar + 120, 62)))
    score = MidiScore(480, 2 * bar + 240, ((0, 500_000),), (), (FileTrack("Piano", 0, 0, notes),))
    end = Message(2 * 4 * PPQ + PPQ // 2, bytes((0xB0, 123, 0)))
    _, buffer = part_row(score, TakeNotes("Piano", Placing(0.0), pack([end])), bars)
    assert isinstance(buffer, bytes)
    found = unpack(buffer)
    assert [message.data[1] for message in found if message.data[0] == 0x90] == wanted


@pytest.mark.parametrize(("bars", "wanted"), [((0, 0), [60]), ((1, 1), [61]), ((2, 2), [62]), ((1, 2), [61, 62])])
def test_a_short_bar_is_replaced_alone(bars, wanted):
    starts = ((0, 60), (1920, 61), (1920 + 960, 62))
    notes = tuple(FileNote(start, start + 90, pitch, 80) for start, pitch in starts)
    signatures = ((0, 4, 4), (1920, 2, 4), (2880, 4, 4))
    score = MidiScore(480, 4800, ((0, 500_000),), ((0, "Section A"),), (FileTrack("Piano", 0, 0, notes),), signatures)
    assert score.bar_pulses() == [0, 1920, 2880, 4800]
    end = Message(10 * PPQ, bytes((0xB0, 123, 0)))
    _, buffer = part_row(score, TakeNotes("Piano", Placing(0.0), pack([end])), bars)
    assert [message.data[1] for message in unpack(buffer) if message.data[0] == 0x90] == wanted
    rows = [row for row in score_rows(score, Placing(10.0), 1) if row[0] == "tempo"]
    assert rows == [("tempo", 10.0, 120.0, 4, 4), ("tempo", 12.0, 120.0, 2, 4), ("tempo", 13.0, 120.0, 4, 4)]
