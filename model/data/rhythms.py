"""The rhythms of tunes: makes `model/plan/tune/rhythm_table.py` from a shard folder.

    python -m hitpoint.model.data.rhythms SHARD DATASET ... > rhythm_table.py

Counted over the training split: bars of the top line, a rhythm at most MOST_OF_A_PIECE times a piece, so that one
ostinato does not decide; the data sets count alike.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hitpoint.model.data.build import Shard, load
from hitpoint.model.data.windows import piece_notes
from hitpoint.model.music.score import INSTRUMENTS

FEWEST, MOST = 2, 10
"""Onsets of a bar of tune."""
KEPT = 40
"""Rhythms that are kept, of each number of onsets."""
MOST_OF_A_PIECE = 4
LATEST_START = 4
"""A bar that starts later goes on with what another began."""
_STRINGS = INSTRUMENTS.index("strings")
_TUNEFUL = tuple(INSTRUMENTS.index(name) for name in ("piano", "guitar", "strings"))

Rhythm = tuple[int, ...]


def of_piece(bars: Sequence[int], ticks: Sequence[int], instruments: Sequence[int]) -> Counter[Rhythm]:
    """The rhythms of a piece's top line, which the strings have where they play in half of its bars. Entries: notes."""
    rows = list(zip(bars, ticks, instruments, strict=True))
    played = {bar for bar, _, k in rows if k == _STRINGS}
    who = (_STRINGS,) if 2 * len(played) >= len(set(bars)) else _TUNEFUL
    onsets: dict[int, set[int]] = {}
    for bar, tick, k in rows:
        if k in who:
            onsets.setdefault(bar, set()).add(tick)
    found = Counter(tuple(sorted(each)) for each in onsets.values())
    return Counter({rhythm: min(count, MOST_OF_A_PIECE) for rhythm, count in found.items()})


def counted(shard: Shard, datasets: Sequence[str]) -> dict[int, dict[Rhythm, int]]:
    """Onsets -> rhythm -> how many of a thousand bars with so many onsets have it, in the mean of the data sets."""
    shares: dict[int, dict[Rhythm, float]] = {size: {} for size in range(FEWEST, MOST + 1)}
    for dataset in datasets:
        sums: Counter[Rhythm] = Counter()
        for piece in shard.pieces:
            if piece.dataset == dataset and piece.split == "train":
                notes = piece_notes(shard, piece)
                sums += of_piece(notes.bar.tolist(), notes.tick.tolist(), notes.instrument.tolist())
        for size, found in shares.items():
            here = {rhythm: n for rhythm, n in sums.items() if len(rhythm) == size and rhythm[0] <= LATEST_START}
            for rhythm, count in here.items():
                found[rhythm] = found.get(rhythm, 0.0) + count / sum(here.values()) / len(datasets)
    table = {}
    for size, found in shares.items():
        kept = sorted(found, key=lambda rhythm: -found[rhythm])[:KEPT]
        table[size] = {rhythm: max(1, round(1000 * found[rhythm])) for rhythm in kept}
    return table


def module(table: dict[int, dict[Rhythm, int]]) -> str:
    """The text of `rhythm_table.py`."""
    lines = [
        '"""How people\'s tunes fill a bar: onsets -> ticks -> how many of a thousand such bars have just these.',
        "",
    ]
    lines += [
        "Made by `hitpoint.model.data.rhythms`, which says how.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
    ]
    lines += ["RHYTHMS: dict[int, dict[tuple[int, ...], int]] = {"]
    for size, found in table.items():
        lines += [f"    {size}: {{", *(f"        {rhythm}: {count}," for rhythm, count in found.items()), "    },"]
    return "\n".join([*lines, "}"])


if __name__ == "__main__":
    print(module(counted(load(Path(sys.argv[1])), sys.argv[2:])))
