"""Small real material for the tests of the model: songs written as MIDI files, a plan, bars at a plan's word."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np

from hitpoint.model.music.score import TempoMap, TempoPoint
from hitpoint.model.plan.types import BarPlan, Plan, Section

SHARED = Path(__file__).parents[3] / "shared"


def write_song(path: Path, bars: int = 24, seed: int = 0, ticks_per_beat: int = 480, numerator: int = 4) -> None:
    """A drummed, chorded song on the grid, random but fixed by its seed."""
    rng = np.random.default_rng(seed)
    midi = mido.MidiFile(type=1, ticks_per_beat=ticks_per_beat)
    head = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    head.append(mido.MetaMessage("time_signature", numerator=numerator, denominator=4))
    midi.tracks.append(head)
    step = ticks_per_beat // 4
    for name, channel, chord in (("Drums", 9, (36, 42)), ("Piano", 0, (60, 64, 67)), ("Bass", 1, (36,))):
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        events = []
        for bar in range(bars):
            for tick in sorted(rng.choice(16, size=int(rng.integers(3, 9)), replace=False)):
                length = int(rng.integers(1, 5))
                for pitch in chord:
                    at = (bar * 16 + int(tick)) * step
                    velocity = int(rng.integers(40, 120))
                    events += [(at, 1, pitch, velocity), (at + length * step, 0, pitch, 0)]
        now = 0
        for at, on, pitch, velocity in sorted(events):
            kind = "note_on" if on else "note_off"
            track.append(mido.Message(kind, note=pitch, velocity=velocity, channel=channel, time=at - now))
            now = at
        midi.tracks.append(track)
    midi.save(path)


def make_plan(bars: int = 6, instruments: tuple[int, ...] = (0, 1, 2, 3, 4), control: float = 1.0) -> Plan:
    """A plan with a hit on every second bar and densities that climb."""
    tempo_map = TempoMap((TempoPoint(0.0, 0.0, 120.0),))
    bar_plans = tuple(
        BarPlan(i, 3 + i % 12, ((0, 3), (10, 2)) if i % 2 == 0 else (), energy=i / bars) for i in range(bars)
    )
    return Plan(2.0 * bars, tempo_map, bar_plans, (), (Section("A", 0, bars),), "rock", instruments, control, 0)
