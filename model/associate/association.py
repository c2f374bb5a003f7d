"""What was learnt of which music goes with which look, as one file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.associate.correlation import Correlation
from hitpoint.model.associate.harmonium import Harmonium
from hitpoint.model.errors import InputError
from hitpoint.model.files import atomic, read_arrays
from hitpoint.model.music.codec import plain_json

SHIPPED = Path(__file__).parents[1] / "checkpoints" / "association.npz"
SCHEMA = "hitpoint.association/1"
MAX_BYTES = 16 << 20
BLUR = 0.4
"""How far (in ranks, over all eight) a shot lies from the words that it is still made of; by held-out songs."""

Table = NDArray[np.float64]
Words = NDArray[np.int64]


@dataclass(frozen=True)
class Association:
    """centres (K, 8): words of the picture, ranks 0..1. spread (24,): of the sounds within a piece. classes (c, 24):
    kinds of segments; chain (c, c): ln P(kind | kind before). harmonium: of words and sounds; correlation: in its place
    where there were few pairs. about: what it was learnt from.
    """

    centres: Table
    spread: Table
    classes: Table
    chain: Table
    harmonium: Harmonium | None = None
    correlation: Correlation | None = None
    about: dict[str, str] = field(default_factory=dict)

    def words(self, looks: Table) -> Words:
        """The nearest word of each row of ranks (n, 8)."""
        return np.asarray(_away(looks, self.centres).argmin(axis=1), np.int64)

    def shares(self, looks: Table) -> Table:
        """(n, K): how much of each word there is in each row of ranks."""
        away = _away(looks, self.centres)
        near = np.exp((away.min(axis=1, keepdims=True) - away) / (2 * BLUR**2))
        return np.asarray(near / near.sum(axis=1, keepdims=True))

    def standard(self, sounds: Table) -> Table:
        """Figures of `sounds`, less the means of their piece, in standard deviations, held within 4."""
        return np.asarray(np.clip(sounds / self.spread, -4.0, 4.0))

    def fit(self, looks: Table, sounds: Table) -> Table:
        """(n, m): how well each of m stretches of music, standardised (m, 24), suits each of n shots, ranks (n, 8).

        Expected ln P(word | sounds) over the words of the shot; with few pairs the cosine of what both say.
        """
        if self.harmonium is not None:
            return np.asarray(self.shares(looks) @ np.log(np.maximum(self.harmonium.words_for(sounds), 1e-30)).T)
        assert self.correlation is not None
        return self.correlation.likeness(looks, sounds)

    def expected(self, looks: Table) -> Table:
        """(n, 24): the sounds, standardised, that go with each shot."""
        if self.harmonium is not None:
            every = self.harmonium.expected_sounds(np.arange(len(self.centres)))
            return np.asarray(self.shares(looks) @ every)
        assert self.correlation is not None
        return self.correlation.expected(looks)

    def kinds(self, sounds: Table) -> Words:
        """The kind of each stretch of music, standardised (n, 24)."""
        return np.asarray(_away(sounds, self.classes).argmin(axis=1), np.int64)

    def save(self, path: Path, force: bool = False) -> None:
        """Write it. Raises UsageError as `hitpoint.model.files.atomic`."""
        arrays = {name: getattr(self, name) for name in ("centres", "spread", "classes", "chain")}
        for name in _PARTS:
            part = getattr(self, name)
            arrays |= {f"{name}.{key}": value for key, value in (vars(part) if part is not None else {}).items()}
        about = json.dumps({"schema": SCHEMA, **self.about})
        small = {name: np.asarray(value, np.float32) for name, value in arrays.items()}
        with atomic(path, force) as file, file.open("wb") as out:
            np.savez_compressed(out, about=np.frombuffer(about.encode(), np.uint8), **small)  # type: ignore[arg-type]


_PARTS = ("harmonium", "correlation")


def _own(arrays: dict[str, Table], part: str) -> dict[str, Table]:
    """The arrays of a part, by their names in it."""
    return {key.partition(".")[2]: value for key, value in arrays.items() if key.startswith(f"{part}.")}


def _away(rows: Table, centres: Table) -> Table:
    """Squared distances, (n, m)."""
    square = (rows**2).sum(axis=1, keepdims=True) + (centres**2).sum(axis=1) - 2 * rows @ centres.T
    return np.asarray(np.maximum(square, 0.0))


def load(path: Path = SHIPPED) -> Association:
    """Raises InputError for a file that is missing or none of ours."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("too large")
        raw = read_arrays(path, MAX_BYTES)
        about = plain_json(raw.pop("about").tobytes())
        if about.pop("schema") != SCHEMA:
            raise ValueError("of another version")
        arrays = {name: value.astype(np.float64) for name, value in raw.items()}
        if not all(np.isfinite(value).all() for value in arrays.values()):
            raise ValueError("not all of its numbers are finite")
        plain = {key: value for key, value in arrays.items() if "." not in key}
        bound, straight = _own(arrays, "harmonium"), _own(arrays, "correlation")
        return Association(
            **plain,
            harmonium=Harmonium(**bound) if bound else None,
            correlation=Correlation(**straight) if straight else None,
            about=about,
        )
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); name a file of `hitpoint associate`") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path.name} is no file of `hitpoint associate`, or is damaged ({error})") from None
