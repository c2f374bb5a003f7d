"""A checkpoint's card: what music went in, for how long, how well it predicts music it has not seen, and its hash."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from hitpoint.model.data.build import Shard
from hitpoint.model.files import file_sha256

LONGEST_GAP_S = 300.0
"""A longer silence in a run's log is a stop, and does not count as training."""


def card_path(checkpoint: Path) -> Path:
    """Where the card of a checkpoint lies."""
    return checkpoint.with_suffix(".card.json")


def write_card(checkpoint: Path, run: Path, shard: Shard, recipe: Mapping[str, Any], note: str) -> Path:
    """Write the card beside a checkpoint, from its run's log and the shard it was trained on; returns its path.

    note: whose music it is and under which licences.
    """
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    looks = [row for row in rows if "held_out" in row]
    trained = [piece for piece in shard.pieces if piece.split == "train"]
    card = {
        "file": checkpoint.name,
        "sha256": file_sha256(checkpoint),
        "bytes": checkpoint.stat().st_size,
        "note": note,
        "pieces": dict(Counter(f"{piece.dataset}: {piece.source}" for piece in trained)),
        "songs": len({piece.song for piece in trained}),
        "begun_from": next((row["begun_from"] for row in rows if "begun_from" in row), None),
        "recipe": dict(recipe),
        "rows_seen": looks[-1]["step"] * recipe["batch"] * recipe["length"] if looks else 0,
        "hours": round(_seconds(rows) / 3600, 2),
        "held_out": {
            "unit": "nats; all: a whole row; an attribute: where it counts; controlled: all, with every control",
            **(looks[-1]["held_out"] if looks else {}),
        },
    }
    path = card_path(checkpoint)
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return path


def _seconds(rows: list[dict[str, Any]]) -> float:
    """Time between the log's rows, stops left out."""
    times = [row["time_s"] for row in rows]
    gaps = [after - before for before, after in pairwise(times)]
    return float(sum(gap for gap in gaps if gap < LONGEST_GAP_S))
