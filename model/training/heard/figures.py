"""Every figure that a piece has for the ear: its name, what it says, and where it should lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hitpoint.model.music.score import Score
from hitpoint.model.training.heard.accents import accent_figures, listen
from hitpoint.model.training.heard.arrangement import arrangement_figures
from hitpoint.model.training.heard.grid import Marks, shuffled
from hitpoint.model.training.heard.lines import line_figures

Figures = dict[str, float]

LONG_S = 100.0
LONG = ("recall", "texture_changes", "rests", "key_areas")
"""Figures that are about minutes: a piece this long has each a second time, as long_NAME."""


@dataclass(frozen=True)
class Figure:
    """name: its key. says: what is measured, in a table's words. aim: ">= .85" or "<= 9"; "" where it only gives
    context. marked: whether it depends on where the picture's cuts and sections are, so that chance is another.
    """

    name: str
    says: str
    aim: str = ""
    marked: bool = False

    def met_by(self, value: float) -> bool:
        """Whether a value lies where it should; True without an aim, False for NaN."""
        if not self.aim:
            return True
        sign, bound = self.aim.split()
        return value >= float(bound) if sign == ">=" else value <= float(bound)


FIGURES = (
    Figure("cut_rank", "cut rank among the beats within 2.6 s", ">= .85", True),
    Figure("cut_rank_log", "  the same, compressed magnitudes", ">= .85", True),
    Figure("fade_rank", "  of fades", "", True),
    Figure("downbeat_rank", "  of plain downbeats", "", True),
    Figure("cut_strongest", "cuts strongest within 1.2 s", ">= .60", True),
    Figure("cuts_bound", "hard cuts with a bound hit", ">= .95", True),
    Figure("chord_change_cut", "harmony changes at cuts", ">= .80", True),
    Figure("chord_change_downbeat", "  at plain downbeats", "", True),
    Figure("section_entries", "instruments changing at a section", ">= .9", True),
    Figure("other_entries", "  in other bars", "", True),
    Figure("fill", "extra snares and toms before a section", ">= .5", True),
    Figure("gaps", "gaps of half a bar and more, per 8 bars", ">= .15"),
    Figure("last_onset", "last onset in the last bar, sixteenths", "<= 9"),
    Figure("late_drums", "  drums in its second half", "<= .35"),
    Figure("one_chord", "neighbouring bars on one chord", "<= .30"),
    Figure("steps", "top line: steps", ">= .30"),
    Figure("repeated_pitches", "top line: repeated pitches", "<= .28"),
    Figure("recall", "top line: intervals back 8 bars later"),
    Figure("long_recall", "  over two minutes", ">= .42"),
    Figure("drum_copies", "identical neighbouring drum bars", "<= .28"),
    Figure("instruments", "instruments in a bar"),
    Figure("texture_changes", "instruments changing per 4 bars"),
    Figure("long_texture_changes", "  over two minutes", ">= .30"),
    Figure("rests", "bars that an instrument rests"),
    Figure("long_rests", "  over two minutes", ">= .14"),
    Figure("key_areas", "distinct key areas, 32 bars and more"),
    Figure("long_key_areas", "  over two minutes", "<= 2.5"),
    Figure("jump_at_lines", "velocity jump at bar lines", "<= 5"),
    Figure("jump_elsewhere", "  from beat to beat elsewhere"),
    Figure("tempo_bend", "tempo bend within two bars", "<= .03"),
    Figure("tempo_steps", "tempo steps a bar", "<= 1"),
    Figure("bpm", "tempo, BPM"),
)
"""The figures of one piece, in the order of a table."""

_MARKED = frozenset(figure.name for figure in FIGURES if figure.marked)


def heard(score: Score, marks: Marks, soundfont: Path | None = None) -> Figures:
    """Every figure of `score` against the marks of a picture; what cannot be measured is left out.

    Raises MissingError without tinysoundfont.
    """
    return accent_figures(score, marks, listen(score, soundfont)) | notes_alone(score, marks)


def heard_beside_chance(
    score: Score, marks: Marks, seed: int = 0, soundfont: Path | None = None
) -> tuple[Figures, Figures]:
    """`heard`, and those of its figures that depend on the picture with its marks moved to beats and bars at random."""
    ear = listen(score, soundfont)
    chance = shuffled(marks, score, seed)
    moved = accent_figures(score, chance, ear) | notes_alone(score, chance)
    return (
        accent_figures(score, marks, ear) | notes_alone(score, marks),
        {name: value for name, value in moved.items() if name in _MARKED},
    )


def notes_alone(score: Score, marks: Marks | None = None) -> Figures:
    """The figures that need no sound; without marks also none of a picture, as for real music."""
    found = arrangement_figures(score, marks or Marks()) | line_figures(score)
    if score.duration_s >= LONG_S:
        found |= {f"long_{name}": found[name] for name in LONG if name in found}
    return found
