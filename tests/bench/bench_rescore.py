"""How much of the music stays when an edit changes: shares of bars whose notes are kept, over made-up edits.

    python tests/bench/bench_rescore.py [EDITS]

Beside it the baseline: the bars that a score made anew has in common with the old plan, in the same places.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "model" / "plan"))
from test_rework import FRAME_S, edit, missed, rhythm_of

from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.rework import rework
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.video.changed import changed

CHANGES = ("roll of 10 frames", "trim", "swap", "insert", "delete")


def changed_edit(kind: str, shots: list[float], rng: random.Random) -> tuple[list[float], list[int]]:
    """Lengths and names of the shots after a change of this kind."""
    shots, names, place = list(shots), list(range(len(shots))), rng.randrange(2, len(shots) - 2)
    if kind == "roll of 10 frames":
        shots[place - 1] += 10 * FRAME_S
        shots[place] -= 10 * FRAME_S
    elif kind == "trim":
        shots[place] -= rng.randrange(4, 36) * FRAME_S
    elif kind == "swap":
        for row in (shots, names):
            row[place], row[place + 1] = row[place + 1], row[place]
    elif kind == "insert":
        shots.insert(place, rng.randrange(48, 144) * FRAME_S)
        names.insert(place, 90)
    else:
        del shots[place], names[place]
    return shots, names


def alike(old: Plan, new: Plan) -> float:
    """The share of bars that are planned the same, in the same place."""
    return sum(a == b for a, b in zip(old.bars, new.bars, strict=False)) / len(new.bars)


def main() -> None:
    """A row a kind of change."""
    edits = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    print("change | bars kept | of those before it | scored anew: bars alike | cuts missed before, after")
    for kind in CHANGES:
        rng, rows = random.Random(7), []
        for _ in range(edits):
            shots = [rng.randrange(60, 160) * FRAME_S for _ in range(16)]
            old = build_plan(rhythm_of(shots), Wishes())
            later, names = changed_edit(kind, shots, rng)
            rhythm, change = rhythm_of(later, names), changed(edit(shots), edit(later, names))
            new = rework(rhythm, Wishes(), old, change)
            lines = [old.tempo_map.time_at_tick(bar) for bar in range(len(old.bars) + 1)]
            before = sum(line <= change.start_s for line in lines) - 1
            stay = sum(new.kept.get(bar) == bar for bar in range(before)) / max(1, before)
            anew = alike(old, build_plan(rhythm, Wishes()))
            kept = len(new.kept) / len(new.plan.bars)
            rows.append((kept, stay, anew, len(missed(old, rhythm_of(shots))), len(missed(new.plan, rhythm))))
        kept, stay, anew, was, now = (sum(row[i] for row in rows) / len(rows) for i in range(5))
        print(f"{kind} | {kept:.0%} | {stay:.0%} | {anew:.0%} | {was:.1f}, {now:.1f}")


if __name__ == "__main__":
    main()
