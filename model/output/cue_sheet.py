"""Score and plan -> a cue sheet: where sections, hits, keys and tempi lie, as a table (CSV) or on paper (PDF)."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import NamedTuple

from hitpoint.model.files import atomic
from hitpoint.model.music.score import TICKS_PER_BEAT
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.output.edl import timecode
from hitpoint.model.take import Prepared, Take

COLUMNS = ("time_s", "timecode", "bar", "beat", "what", "name", "bpm")
ROWS_A_PAGE = 44


class Cue(NamedTuple):
    """One line. bar, beat: counted from 1; in 6/8 a beat is a dotted quarter. what: "section", "hit", "key" or "end";
    name: which. bpm: from there on."""

    time_s: float
    bar: int
    beat: float
    what: str
    name: str
    bpm: float


def cues(take: Take, prepared: Prepared) -> list[Cue]:
    """All lines, in time order."""
    plan, tempo = prepared.plan, take.score.tempo_map

    def cue(time_s: float, what: str, name: str) -> Cue:
        bar, tick = tempo.place_of(round(tempo.beat_at_time(time_s) * TICKS_PER_BEAT))
        bpm = next(
            (point.bpm for point in reversed(tempo.points) if point.time_s <= time_s + 1e-6), tempo.points[0].bpm
        )
        return Cue(time_s, bar + 1, tick / tempo.metre.beat_ticks + 1, what, name, bpm)

    found = [cue(tempo.time_at_tick(each.first_bar), "section", each.label) for each in plan.sections]
    found += [cue(tempo.time_at_tick(hit.bar, hit.tick), "hit", hit.kind) for hit in plan.hits]
    before = None
    for bar in plan.bars:
        if bar.key is not None and bar.key != before:
            found.append(cue(tempo.time_at_tick(bar.index), "key", bar.key))
            before = bar.key
    return [
        *sorted(found, key=lambda one: (one.time_s, one.what != "section")),
        cue(plan.duration_s, "end", plan.ending),
    ]


def rows(take: Take, prepared: Prepared) -> list[tuple[str, ...]]:
    """The lines as texts, in the order of COLUMNS."""
    fps = prepared.rhythm.media[0].fps
    return [
        (f"{each.time_s:.3f}", timecode(round(each.time_s * fps), fps), str(each.bar), f"{each.beat:g}", each.what,
         each.name, f"{each.bpm:.2f}")
        for each in cues(take, prepared)
    ]  # fmt: skip


class CueSheetOutput(Output):
    """The cue sheet as a table."""

    key = "cues"
    suffix = ".cues.csv"

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """Write the table. Raises UsageError as `hitpoint.model.files.atomic`."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerows([COLUMNS, *rows(take, prepared)])
        with atomic(path, writing.force) as part:
            part.write_text(text.getvalue(), encoding="utf-8", newline="\n")
        writing.progress(self.key, 1.0)


class CuePagesOutput(Output):
    """The cue sheet on paper."""

    key = "cuepages"
    suffix = ".cues.pdf"

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """Write the pages. Raises UsageError as `hitpoint.model.files.atomic`."""
        from matplotlib.backends.backend_pdf import PdfPages
        from matplotlib.figure import Figure

        lines = rows(take, prepared)
        with atomic(path, writing.force) as part, PdfPages(part, metadata={"CreationDate": None}) as pages:
            for first in range(0, len(lines), ROWS_A_PAGE):
                figure = Figure(figsize=(8.27, 11.69))
                axes = figure.add_axes((0.07, 0.05, 0.86, 0.86))
                axes.set_axis_off()
                figure.text(0.07, 0.94, f"{prepared.clips[0].path.name}   {take.score.genre}", fontsize=13)
                shown = lines[first : first + ROWS_A_PAGE]
                table = axes.table([list(line) for line in shown], colLabels=list(COLUMNS), loc="upper left",
                                   cellLoc="left", edges="horizontal")  # fmt: skip
                table.auto_set_font_size(False)
                table.set_fontsize(8)
                pages.savefig(figure)
        writing.progress(self.key, 1.0)
