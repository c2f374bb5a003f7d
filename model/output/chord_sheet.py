"""Score -> a sheet of its chords: a text that `hitpoint score --harmony FILE` reads back."""

from __future__ import annotations

from pathlib import Path

from hitpoint.model.files import atomic
from hitpoint.model.music.chords import HALF_BAR_TICKS
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.plan.types import Plan
from hitpoint.model.take import Prepared, Take


def chord_sheet(plan: Plan) -> str:
    """A line for each change of chord, "BAR.HALF SYMBOL" counted from 0; sections and keys as comments."""
    lines = ["# bar.half chord, counted from 0; a chord holds until the next line"]
    before = ""
    for section in plan.sections:
        bars = plan.bars[section.first_bar : section.end_bar]
        key = next((bar.key for bar in bars if bar.key is not None), None)
        start_s = plan.tempo_map.time_at_tick(section.first_bar)
        lines += ["", f"# Section {section.label}, {start_s:.2f} s" + (f", {key}" if key else "")]
        for bar in bars:
            for half, symbol in enumerate(bar.chords or ()):
                past = bar.index * 2 * HALF_BAR_TICKS + half * HALF_BAR_TICKS >= plan.end_tick
                past = past or half * HALF_BAR_TICKS >= bar.ticks
                if (symbol != before or (bar.index == len(plan.bars) - 1 and half == 0)) and not past:
                    lines.append(f"{bar.index}.{half} {symbol}")
                    before = symbol
    if not before:
        lines += ["", "# no chords were planned"]
    return "\n".join(lines) + "\n"


class ChordSheetOutput(Output):
    """The chords as a text."""

    key = "chords"
    suffix = ".chords.txt"

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """Write the sheet. Raises UsageError as `hitpoint.model.files.atomic`."""
        with atomic(path, writing.force) as part:
            part.write_text(chord_sheet(take.promised(prepared.plan)), encoding="utf-8", newline="\n")
        writing.progress(self.key, 1.0)
