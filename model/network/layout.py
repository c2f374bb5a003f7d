"""Which genres and condition columns a network was trained with, and how older weights fit in where there are more.

Classes are only ever appended: genres to the genres, columns to the columns. What older weights lack becomes zero rows,
and a sum is the same to the bit with a zero added to it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from hitpoint.model.music.codec import plain_json
from hitpoint.model.music.score import GENRES, INSTRUMENTS
from hitpoint.model.network import conditions

if TYPE_CHECKING:
    from torch import Tensor

MOST_COLUMNS, MOST_CLASSES = 1000, 10_000
COLUMNS_AT_FIRST, GENRES_AT_FIRST = 30, 6
FIRST_VOCABULARY = "58691c5d3559"
"""What stood in the header of checkpoints that do not name their layout."""


@dataclass(frozen=True)
class Layout:
    """genres: in the order of their classes. columns: name and number of classes of each condition."""

    genres: tuple[str, ...]
    columns: tuple[tuple[str, int], ...]

    def to_text(self) -> str:
        """For a checkpoint's header."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_text(text: str) -> Layout:
        """What `to_text` wrote. Raises ValueError where it is something else."""
        try:
            fields = plain_json(text)
            genres, columns = fields["genres"], [(name, size) for name, size in fields["columns"]]
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"its list of columns is damaged: {error}") from None
        fits = isinstance(genres, list) and all(isinstance(genre, str) for genre in genres)
        fits = fits and len(columns) <= MOST_COLUMNS and all(_is_column(*column) for column in columns)
        if not fits or len(dict(columns)) != len(columns):
            raise ValueError("its list of columns is damaged")
        return Layout(tuple(genres), tuple(columns))

    def beyond(self, other: Layout) -> str:
        """The first genre or column here that `other` has not, "" where it has all."""
        known = dict(other.columns)
        extra = [genre for at, genre in enumerate(self.genres) if other.genres[at : at + 1] != (genre,)]
        extra += [name for name, size in self.columns if size > known.get(name, 0)]
        return extra[0] if extra else ""


def _is_column(name: object, size: object) -> bool:
    return isinstance(name, str) and isinstance(size, int) and 0 < size <= MOST_CLASSES


PRESENT = Layout(GENRES, tuple(zip(conditions.NAMES, conditions.SIZES, strict=True)))
FIRST = Layout(
    GENRES[:GENRES_AT_FIRST], (("genre", GENRES_AT_FIRST + 1), *PRESENT.columns[1:COLUMNS_AT_FIRST])
)  # fmt: skip
"""Of checkpoints that do not name theirs."""


def fitted(weights: dict[str, Tensor], layout: Layout) -> dict[str, Tensor]:
    """Weights of a network of `layout` as those of one of PRESENT, zero where there were none.

    Raises ValueError where the weights are not of that layout.
    """
    result = dict(weights)
    if "bar_table.weight" in result:
        result["bar_table.weight"] = _spread(result["bar_table.weight"], _classes(layout), _classes(PRESENT))
    if "embedding.initial.weight" in result:
        initial = result["embedding.initial.weight"]
        result["embedding.initial.weight"] = _spread(initial, _initials(layout), _initials(PRESENT))
    return result


def _initials(layout: Layout) -> list[str]:
    return ["", *layout.genres, *INSTRUMENTS]


def _classes(layout: Layout) -> list[tuple[str, int]]:
    return [(name, number) for name, size in layout.columns for number in range(size)]


def _spread(rows: Tensor, have: Sequence[object], want: Sequence[object]) -> Tensor:
    """Rows (len(have), d), named by `have`, in the order of `want`."""
    if len(rows) != len(have):
        raise ValueError(f"{len(rows)} rows where its list has {len(have)}")
    if have == want:
        return rows
    place = {name: at for at, name in enumerate(want)}
    result = rows.new_zeros(len(want), rows.shape[1])
    result[[place[name] for name in have]] = rows
    return result
