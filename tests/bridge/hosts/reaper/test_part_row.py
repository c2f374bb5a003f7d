"""Notes of some bars as a take's buffer: pure."""

import pytest

from hitpoint.bridge.hosts.reaper.answers import FileNote, FileTrack, MidiScore, Placing, TakeNotes, part_row
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
