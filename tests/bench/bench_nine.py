"""What do chords cost the music? The nine metrics with and without harmony, and how quickly both are composed.

    python tests/bench/bench_nine.py SHARDS [--films F ...] [--genres a,b] [--seeds N]

Pieces at default settings and with `--harmony off`, the same films, genres and seeds, composed in turn. Columns: how
far each metric lies from real music (held-out pieces of SHARDS as long as these, human), in standard deviations of
that, as in `hitpoint evaluate`; what chords take farther, with the 95% bootstrap interval (aim: .15 at most). Below:
the worst control errors and where the last note ends against the film, and tokens a processor second with chords over
those without (aim .95).
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from pathlib import Path

import numpy as np

from hitpoint.model import job
from hitpoint.model.compose.base import COMPOSERS, Composer, ComposerOptions
from hitpoint.model.data.build import load
from hitpoint.model.music.score import GENRES
from hitpoint.model.plan.types import Plan
from hitpoint.model.plan.wishes.options import parse_wishes
from hitpoint.model.training.evaluation.comparison import NINE, distances, nine
from hitpoint.model.training.evaluation.real import real_rows
from hitpoint.model.training.evaluation.rows import HUMAN, Figures, Row, figures
from hitpoint.model.video.types import Clip

ROOT = Path(__file__).parents[2]
ROWS = {"with chords": {}, "without": {"harmony": "off"}}
FARTHER = 0.15


def piece(composer: Composer, film: Path, **wishes: str | int) -> tuple[Plan, Figures, float, float]:
    """Plan, figures, tokens and processor seconds of a piece; the plan's own work is not counted."""
    prepared = job.prepare([Clip(film)], parse_wishes(wishes))
    began = time.process_time()
    score = job.compose(prepared, composer).score
    spent_s = time.process_time() - began
    found = figures(score, prepared.plan)
    ends_s = max(score.tempo_map.time_at_tick(bar.index, note.end_ticks) for bar in score.bars for note in bar.notes)
    return prepared.plan, found | {"past_end_s": ends_s - prepared.plan.duration_s}, composer.stats.tokens, spent_s


def main() -> None:
    """As the page's head says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--films", nargs="+", type=Path, default=[ROOT / "examples" / "film.mp4"])
    parser.add_argument("--genres", default=",".join(GENRES))
    parser.add_argument("--seeds", type=int, default=2)
    asked = parser.parse_args()
    composer = COMPOSERS.load("cmt").create(ComposerOptions(device="cpu"))
    plans: list[Plan] = []
    pieces: dict[str, list[Figures]] = {name: [] for name in ROWS}
    speeds: dict[str, list[float]] = {name: [] for name in ROWS}
    for film, genre, seed in itertools.product(asked.films, asked.genres.split(","), range(asked.seeds)):
        for name, wishes in ROWS.items():
            plan, found, tokens, spent_s = piece(composer, film, genre=genre, seed=seed, **wishes)
            pieces[name].append(found)
            speeds[name].append(tokens / spent_s)
        plans.append(plan)
    real = Row(HUMAN, tuple(dict(real_rows(load(asked.shards), plans))[HUMAN]))
    apart = {name: nine(distances(Row(name, tuple(found)), real)) for name, found in pieces.items()}
    print(f"{len(plans)} pieces each, {len(real.pieces)} stretches of real music")
    for number, metric in enumerate(NINE):
        cost = apart["with chords"][number] - apart["without"][number]
        low, high = np.percentile(cost[1:], [2.5, 97.5])
        own, bare = (apart[name][number][0] for name in ROWS)
        print(
            f"{metric:18} with chords {own:5.2f}  without {bare:5.2f}"
            f"  farther by {cost[0]:+.2f} [{low:+.2f}, {high:+.2f}]{'  MISSED' if cost[0] > FARTHER else ''}"
        )
    for name, found in pieces.items():
        worst = {key: max(each[f"{key}_error"] for each in found) for key in ("density", "strength", "time")}
        late_ms = 1000 * max(each["past_end_s"] for each in found)
        print(f"{name}: worst errors {worst}; the last note ends {late_ms:+.2f} ms after the film at the most")
    ratios = np.array(speeds["with chords"]) / np.array(speeds["without"])
    print(f"tokens a processor second, with chords over without: {np.median(ratios):.3f} (aim .95)")


if __name__ == "__main__":
    sys.exit(main())
