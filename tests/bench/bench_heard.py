"""What an ear takes from the music, at default settings, beside real music and chance.

Run: python tests/bench/bench_heard.py [--quick] [--films F ...] [--genres a,b] [--seeds N] [--parts a,b] [--json F]
       [--checkpoint F] [--without LEANING,LEANING] [--strict]
       [any wish of `hitpoint score`, such as --control 1 or --energy 0.2]
     python tests/bench/bench_heard.py --real FOLDER     measures real music again: a data set in each folder of FOLDER

--films takes files, and of the drawn ones (heard_films.py): quick, fades, minutes. Films that are missing are left out
and named. --without: compose without some of the leanings (`hitpoint.model.compose.cmt.leaning`), such as tune,theme:
what they are good for. --parts: pieces, motion, dials, colour. docs/heard.md says how each figure is measured.
Columns: now; chance, the picture's cuts, hits and sections moved to beats and bars drawn at random; real music
(kept in the package); where the figure should lie.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from hitpoint.model import job
from hitpoint.model.compose.base import COMPOSERS, Composer, ComposerOptions
from hitpoint.model.compose.cmt.leaning import LEANINGS
from hitpoint.model.music.score import GENRES, TICKS_PER_BAR, Score
from hitpoint.model.output.report import control_errors
from hitpoint.model.plan.wishes.options import parse_wishes
from hitpoint.model.take import Prepared
from hitpoint.model.training.heard.figures import FIGURES, LONG, heard_beside_chance, notes_alone
from hitpoint.model.training.heard.grid import marks_of, table_of
from hitpoint.model.training.heard.real import excerpt, read_scores, real_marks
from hitpoint.model.training.heard.table import REAL_MUSIC, means, real_music, table
from hitpoint.model.training.heard.traits import TRAITS, omega_squared, traits
from hitpoint.model.video.types import Clip
from tests.bench.heard_films import DRAWN, drawn, regraded

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "film.mp4"
LONG_BARS = 60
"""About two minutes."""
PARTS = ("pieces", "motion", "dials", "colour")
DIALS: dict[str, tuple[dict[str, object], ...]] = {
    "energy": ({"energy": -0.5}, {}, {"energy": 0.5}),
    "density": ({"density": -4}, {}, {"density": 4}),
    "both": ({"energy": -0.5, "density": -4}, {}, {"energy": 0.5, "density": 4}),
}
"""Both dials at half of their way down, in the middle and at half of their way up: for energy that is its end."""
VELOCITY_STEP, NOTES_RATIO = 10, 1.3
"""How far the velocity is to rise from step to step by energy, and the notes from end to end by either dial."""
QUARTER_S = 10.0


@dataclass(frozen=True)
class Settings:
    """What is asked of the composer, whatever the film."""

    composer: Composer
    wishes: dict[str, str]
    made: dict[tuple, tuple[Prepared, Score]] = field(default_factory=dict)

    def compose(self, film: Path, genre: str, seed: int, **more: object) -> tuple[Prepared, Score]:
        """A piece as `hitpoint score FILM` would make it."""
        wishes = parse_wishes({"genre": genre, "seed": seed, **self.wishes, **more})
        if (film, wishes) not in self.made:
            prepared = job.prepare([Clip(film)], wishes)
            self.made[film, wishes] = prepared, job.compose(prepared, self.composer).score
        return self.made[film, wishes]


def rows_of_pieces(settings: Settings, films: Sequence[Path], genres: Sequence[str], seeds: int) -> list[dict]:
    """One row a piece: figures, chance, traits, errors of control, seconds."""
    rows = []
    for film in films:
        for genre in genres:
            for seed in range(seeds):
                prepared, score = settings.compose(film, genre, seed)
                now, chance = heard_beside_chance(score, marks_of(prepared.rhythm, prepared.plan), seed)
                errors = control_errors(score, prepared.plan)
                rows.append(
                    {"film": film.stem, "genre": genre, "seed": seed, "duration_s": score.duration_s, "now": now,
                     "chance": chance, "traits": traits(score), "errors": errors}
                )  # fmt: skip
                print(f"  {film.stem} {genre} {seed}", file=sys.stderr, flush=True)
    return rows


def motion_ratios(settings: Settings, genres: Sequence[str], seeds: int) -> dict[str, float]:
    """Quick quarters of the panned texture over slow ones; beside it the first half over the second (chance)."""
    quarters = []
    for genre in genres:
        for seed in range(seeds):
            _, score = settings.compose(drawn("motion"), genre, seed)
            quarters.append(quarter_means(score))
    slow, quick, third, last = np.mean(quarters, axis=0)
    fast = (quick + last) / (slow + third)
    halves = (slow + quick) / (third + last)
    found = dict(zip(("motion_onsets", "motion_notes", "motion_velocity"), fast.tolist(), strict=True))
    return found | {f"{name}_chance": float(value) for name, value in zip(found, halves, strict=True)}


def quarter_means(score: Score) -> np.ndarray:
    """(4, 3): onsets a bar, notes a bar and mean velocity of the bars whose middle lies in each ten seconds."""
    table = table_of(score)
    means = []
    for quarter in range(4):
        bars = [
            bar.index
            for bar in score.bars
            if quarter * QUARTER_S <= score.tempo_map.time_at_tick(bar.index, 8) < (quarter + 1) * QUARTER_S
        ]
        notes = table.where(np.isin(table.tick // TICKS_PER_BAR, bars))
        onsets = len(np.unique(notes.tick))
        means.append([onsets / len(bars), len(notes.tick) / len(bars), float(np.mean(notes.velocity))])
    return np.array(means)


def dial_rows(settings: Settings, films: Sequence[Path], genres: Sequence[str]) -> list[dict]:
    """Mean velocity, notes and onsets a bar at each step of a dial; a row a dial, film and genre."""
    rows = []
    for film in films:
        for genre in genres:
            for dial, steps in DIALS.items():
                found = [traits(settings.compose(film, genre, 0, **step)[1]) for step in steps]
                row = {name: [each[name] for each in found] for name in ("velocity", "notes", "onsets")}
                rows.append({"dial": dial, "film": film.stem, "genre": genre, **row})
            print(f"  dials {film.stem} {genre}", file=sys.stderr, flush=True)
    return rows


def colour_row(settings: Settings, genres: Sequence[str], seeds: int) -> dict[str, float]:
    """The example film in sunny and in night colours: share of pieces in minor, and whether the tempo maps differ."""
    minors: list[list[float]] = [[], []]
    differ = []
    for genre in genres:
        for seed in range(seeds):
            made = [settings.compose(film, genre, seed) for film in regraded(EXAMPLE)]
            differ.append(made[0][0].plan.tempo_map != made[1][0].plan.tempo_map)
            for shares, (_, score) in zip(minors, made, strict=True):
                shares.append(traits(score)["minor"])
    sunny, night = (float(np.mean(each)) for each in minors)
    return {"minor_sunny": sunny, "minor_night": night, "tempo_maps_differ": float(np.mean(differ))}


def real_rows(folder: Path) -> dict[str, dict[str, float]]:
    """Means over the music of each data set below `folder`; what is about minutes on the first 60 bars of a piece."""
    found = {}
    for each in sorted(path for path in folder.iterdir() if path.is_dir()):
        rows = []
        for _, score in read_scores(each):
            row = notes_alone(score, real_marks(score))
            row = {name: value for name, value in row.items() if not name.startswith(("long_", "tempo", "bpm"))}
            if len(score.bars) >= LONG_BARS:
                first = notes_alone(excerpt(score, 0, LONG_BARS))
                row |= {f"long_{name}": first[name] for name in LONG if name in first}
            rows.append(row)
        found[each.name] = {name: round(value, 4) for name, value in sorted(means(rows).items())}
        print(each.name, len(rows), "pieces", file=sys.stderr)
    return found


def print_pieces(rows: list[dict]) -> dict[str, dict[str, float]]:
    """The table of pieces; returns its columns."""
    columns = {"now": means([row["now"] for row in rows]), "chance": means([row["chance"] for row in rows])}
    columns |= real_music()
    print(f"{len(rows)} pieces\n{table(columns)}")
    worst = [max((row["errors"][name] for row in rows), default=0.0) for name in ("density", "strength", "time")]
    print("control errors, worst piece: density {:.3g}, strength {:.3g}, end {:.3g}".format(*worst))
    bends = [row["now"]["tempo_bend"] for row in rows]
    print(f"tempo bend within two bars, worst piece: {max(bends, default=0):.3f}")
    missed = missed_aims(columns["now"])
    print(f"aims missed: {len(missed)}{': ' if missed else ''}{', '.join(missed)}")
    return columns


def missed_aims(now: dict[str, float]) -> list[str]:
    """The figures that do not lie where they should."""
    return [each.name for each in FIGURES if each.name in now and not each.met_by(now[each.name])]


def print_omega(rows: list[dict]) -> dict[str, tuple[float, float]]:
    """What film and genre explain of each trait; nothing with one of either."""
    films, genres = [row["film"] for row in rows], [row["genre"] for row in rows]
    if len(set(films)) < 2 or len(set(genres)) < 2:
        return {}
    found = {}
    for name in TRAITS:
        found[name] = omega_squared([row["traits"][name] for row in rows], films, genres)
    means = np.nanmean(np.array(list(found.values())), axis=0)
    print(f"omega^2, mean of {len(TRAITS)} traits: film {means[0]:.3f} (aim >= .15), genre {means[1]:.3f}")
    print("  film: " + ", ".join(f"{name} {value[0]:.2f}" for name, value in found.items()))
    return found


def print_dials(rows: list[dict]) -> None:
    """The dials, a line a row, and what holds of all of each."""
    for row in rows:
        velocity, notes, onsets = (
            " / ".join(f"{each:.{digits}f}" for each in row[name])
            for name, digits in (("velocity", 0), ("notes", 0), ("onsets", 1))
        )
        print(f"{row['dial']:8}{row['film']:14} {row['genre']:11} velocity {velocity}; notes {notes}; onsets {onsets}")
    for dial in DIALS:
        chosen = [row for row in rows if row["dial"] == dial]
        fuller = [row["notes"][-1] / max(row["notes"][0], 1e-9) for row in chosen]
        rises = {name: sum(_rises(row[name]) for row in chosen) for name in ("velocity", "notes", "onsets")}
        told = ", ".join(f"{name} {count}" for name, count in rises.items())
        steps = sum(_rises(row["velocity"], VELOCITY_STEP) for row in chosen)
        print(
            f"{dial}: of {len(chosen)} rise at both steps {told}; velocity by {VELOCITY_STEP} a step in {steps}; notes "
            f" end to end: mean {np.mean(fuller):.2f}, least {min(fuller):.2f} (aim >= {NOTES_RATIO} in each)"
        )


def _rises(values: Sequence[float], least: float = 1e-9) -> bool:
    return all(b - a >= least for a, b in pairwise(values))


def films_of(names: Sequence[str]) -> list[Path]:
    """The films asked for, drawn ones by name."""
    found = []
    for name in names:
        path = drawn(name) if name in DRAWN else Path(name)
        if path.is_file():
            found.append(path)
        else:
            print(f"left out: {name} is missing", file=sys.stderr)
    if not found:
        sys.exit("no film to compose for; name one with --films")
    return found


def arguments() -> tuple[argparse.Namespace, dict[str, str]]:
    """The options, and the wishes among them."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="two films, two genres, one seed")
    parser.add_argument("--films", nargs="+")
    parser.add_argument("--genres")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--parts", help=",".join(PARTS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--without", default="", help=f"leanings to leave out, of {', '.join(LEANINGS.names())}")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a figure of the table misses its aim")
    asked, rest = parser.parse_known_args()
    if len(rest) % 2 or any(not each.startswith("--") for each in rest[::2]):
        parser.error(f"give wishes as --name value, not {' '.join(rest)}")
    return asked, {name[2:]: value for name, value in zip(rest[::2], rest[1::2], strict=True)}


def main() -> None:
    """Print the tables."""
    asked, wishes = arguments()
    if asked.real:
        REAL_MUSIC.write_text(json.dumps(real_rows(asked.real), indent=1) + "\n")
        return
    for name in filter(None, asked.without.split(",")):
        LEANINGS.load(name).of = classmethod(lambda kind, here: None)  # type: ignore[assignment, method-assign]
    began, cpu = time.perf_counter(), time.process_time()
    settings = Settings(COMPOSERS.load("cmt").create(ComposerOptions(asked.checkpoint, "cpu")), wishes)
    quick = [str(EXAMPLE), "quick"]
    more = os.environ.get("HITPOINT_FILMS", "").split(os.pathsep)
    films = films_of(asked.films or (quick if asked.quick else [*quick, "fades", "minutes", *filter(None, more)]))
    genres = asked.genres.split(",") if asked.genres else (["rock", "pop"] if asked.quick else list(GENRES))
    seeds = asked.seeds or (1 if asked.quick else 2)
    parts = asked.parts.split(",") if asked.parts else PARTS[:3] if asked.quick else PARTS
    few = genres[:1] if asked.quick else genres[:3]
    result: dict[str, object] = {}
    if "pieces" in parts:
        rows = rows_of_pieces(settings, films, genres, seeds)
        result |= {"pieces": rows, "table": print_pieces(rows), "omega_squared": print_omega(rows)}
    if "motion" in parts:
        result["motion"] = found = motion_ratios(settings, few, seeds)
        for name, aim in (("onsets", 1.6), ("notes", 1.8), ("velocity", 1.1)):
            now, chance = found[f"motion_{name}"], found[f"motion_{name}_chance"]
            print(f"motion heard, {name}: quick over slow quarters {now:.2f}, halves {chance:.2f} (aim >= {aim})")
    if "dials" in parts:
        result["dials"] = dial = dial_rows(settings, films[:1] if asked.quick else films[:3], genres)
        print_dials(dial)
    if "colour" in parts:
        result["colour"] = found = colour_row(settings, few, 1)
        print(
            f"sunny and night: in minor {found['minor_sunny']:.2f} and {found['minor_night']:.2f} (aim: .5 apart); "
            f"other tempo map in {found['tempo_maps_differ']:.2f}"
        )
    print(f"{time.perf_counter() - began:.0f} s, {time.process_time() - cpu:.0f} s of processor")
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1))
    columns = result.get("table")
    if asked.strict and isinstance(columns, dict) and missed_aims(columns["now"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
