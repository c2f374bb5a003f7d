"""Score -> MusicXML for players of acoustic instruments, by music21 (BSD), the extra `notation`.

One staff a part, as it is written and not as it is played: ticks, not shifts; of notes that overlap the earlier ends
where the later begins.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hitpoint.model.errors import MissingError
from hitpoint.model.files import atomic
from hitpoint.model.music.score import INSTRUMENTS, TICKS_PER_BEAT, Score
from hitpoint.model.music.symbols import parse_key
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.output.midi_file import TRACK_NAMES, time_signatures
from hitpoint.model.plan.types import Plan
from hitpoint.model.take import Prepared, Take

INSTALL = "pip install 'hitpoint[notation]'"
_DRUMS = INSTRUMENTS.index("drums")
_PULSES_A_QUARTER = 480


def chords_of(score: Score, instrument: int) -> list[tuple[int, int, tuple[int, ...]]]:
    """(sixteenths from the start, length in sixteenths, pitches rising) of one part, none overlapping the next."""
    struck: dict[int, list[tuple[int, int]]] = {}
    at = score.tempo_map.written_tick
    for bar in score.bars:
        for note in bar.notes:
            if note.instrument == instrument:
                tick = round(at(bar.index, note.tick))
                length = round(at(bar.index, note.tick + note.duration_ticks)) - tick
                struck.setdefault(tick, []).append((length, note.pitch))
    ticks = sorted(tick for tick in struck if tick < score.written_ticks)
    found = []
    for tick, after in zip(ticks, [*ticks, score.written_ticks][1:], strict=True):
        length = max(length for length, _ in struck[tick])
        found.append((tick, min(length, after - tick), tuple(sorted({pitch for _, pitch in struck[tick]}))))
    return found


def _music21() -> Any:
    """The library, whose calls have no types."""
    return importlib.import_module("music21")


def to_music21(score: Score, plan: Plan) -> Any:
    """A music21 Score: a part an instrument, with time signatures, keys, chords, tempi, sections and hits."""
    music = _music21()
    whole = music.stream.Score()
    whole.metadata = music.metadata.Metadata(title=f"{score.genre}, seed {score.seed}")
    for number, instrument in enumerate(sorted(score.instruments)):
        part = music.stream.Part(id=TRACK_NAMES[instrument])
        part.partName = TRACK_NAMES[instrument]
        _signs(part, score, plan, instrument, first=number == 0)
        for tick, length, pitches in chords_of(score, instrument):
            part.insert(tick / TICKS_PER_BEAT, _sound(pitches, length, instrument))
        part.makeRests(refStreamOrTimeRange=[0.0, score.written_ticks / TICKS_PER_BEAT], fillGaps=True, inPlace=True)
        whole.insert(0, part.makeNotation(inPlace=False))
    return whole


def _sound(pitches: Sequence[int], length: int, instrument: int) -> Any:
    music = _music21()
    made = music.note.Note(pitches[0]) if len(pitches) == 1 else music.chord.Chord(list(pitches))
    made.quarterLength = length / TICKS_PER_BEAT
    if instrument == _DRUMS:
        made.notehead = "x"
    return made


def _signs(part: Any, score: Score, plan: Plan, instrument: int, first: bool) -> None:
    music = _music21()
    clef, expressions = music.clef, music.expressions
    sign = {"drums": clef.PercussionClef(), "bass": clef.BassClef()}.get(INSTRUMENTS[instrument], clef.TrebleClef())
    part.insert(0, sign)

    def quarter(bar: int, tick: int = 0) -> float:
        return score.tempo_map.written_tick(bar, tick) / TICKS_PER_BEAT

    for pulse, beats, unit in time_signatures(score):
        part.insert(pulse / _PULSES_A_QUARTER, music.meter.TimeSignature(f"{beats}/{unit}"))
    before = None
    for bar in plan.bars:
        if bar.key is not None and bar.key != before and instrument != _DRUMS:
            known = parse_key(bar.key)
            tonic = bar.key.split()[0].replace("b", "-")
            part.insert(quarter(bar.index), music.key.Key(tonic, "minor" if known.minor else "major"))
            before = bar.key
    if not first:
        return
    for section in plan.sections:
        part.insert(quarter(section.first_bar), expressions.RehearsalMark(section.label))
    for hit in plan.hits:
        if hit.strength is not None and hit.kind != "beat":
            part.insert(quarter(hit.bar, hit.tick), expressions.TextExpression(f"{hit.kind} {hit.time_s:.2f} s"))
    for tick, symbol in score.chords:
        part.insert(quarter(0, tick), expressions.TextExpression(symbol))
    for point in score.tempo_map.points:
        part.insert(point.beat, music.tempo.MetronomeMark(number=round(point.bpm, 2)))


class MusicXmlOutput(Output):
    """MusicXML."""

    key = "musicxml"
    suffix = ".musicxml"

    def check(self, path: Path, instruments: Sequence[int], writing: Writing) -> None:
        """Also MissingError without music21."""
        super().check(path, instruments, writing)
        if importlib.util.find_spec("music21") is None:
            raise MissingError(f"notes on paper need music21; run `{INSTALL}`")

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """Write the parts. Raises UsageError as `hitpoint.model.files.atomic`."""
        exporter = _music21().musicxml.m21ToXml.GeneralObjectExporter
        text: bytes = exporter(to_music21(take.score, prepared.plan)).parse()
        with atomic(path, writing.force) as part:
            part.write_bytes(text)
        writing.progress(self.key, 1.0)
