"""What every detector is: an object that sees each frame once and leaves a few arrays, whatever the film's length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.video.frames import Frame

Arrays = Mapping[str, NDArray[Any]]
"""What one detector measured, by name: one row a frame, or a list of events where its `event_arrays` says so."""


class Rows:
    """Rows of numbers that come one by one, kept as densely as an array keeps them: a list of small arrays or tuples
    takes several times the room, which a film of hours does not have.
    """

    def __init__(self, shape: tuple[int, ...], kind: type[np.generic]) -> None:
        self._rows: NDArray[Any] = np.zeros((64, *shape), kind)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, row: Any) -> None:
        """One more."""
        self.extend(np.asarray(row, self._rows.dtype)[None])

    def extend(self, rows: NDArray[Any]) -> None:
        """Several more (m, …)."""
        end = self._count + len(rows)
        if end > len(self._rows):
            room = np.zeros((max(end, self._count * 3 // 2) - len(self._rows), *self._rows.shape[1:]), self._rows.dtype)
            self._rows = np.concatenate([self._rows, room])
        self._rows[self._count : end] = rows
        self._count = end

    def last(self) -> NDArray[Any]:
        """The one added last, which may be changed in place."""
        return np.asarray(self._rows[self._count - 1])

    def array(self) -> NDArray[Any]:
        """All of them (n, …)."""
        return np.array(self._rows[: self._count])


@dataclass(frozen=True)
class Part:
    """One clip, or the black between two clips, laid on the timeline of an edit.

    arrays: as `Detector.finish` or `Detector.black` returned them. times_s (n,): of the edit, one a frame.
    first: index that its first frame has in the edit.
    """

    arrays: Arrays
    times_s: NDArray[np.float64]
    first: int

    @property
    def steps_s(self) -> NDArray[np.float32]:
        """Seconds of the edit since the frame before (n,); the first one's is next to nothing."""
        return np.maximum(np.diff(self.times_s, prepend=self.times_s[0]), 1e-6).astype(np.float32)


class Detector:
    """Base class: one object looks at one clip, frame after frame in order of presentation.

    A new detector is one new file in this folder, with a subclass that sets `name` and `version` and gives `measure`,
    `finish` and `black`; the registry finds it, the cache keeps its arrays, and `VisualRhythm.measured`
    hands them on.
    It must keep no frames but the last few, so that memory stays flat.
    """

    name: ClassVar[str]
    """Key of its arrays; no dot in it."""
    version: ClassVar[str]
    """Changed whenever the same film would give other arrays, so that old cache entries are not used."""
    event_arrays: ClassVar[frozenset[str]] = frozenset()
    """Names of arrays that do not have one row a frame."""
    is_handed_on: ClassVar[bool] = True
    """Whether `VisualRhythm.measured` holds its arrays; False where the rhythm itself says what is in them."""

    def measure(self, frame: Frame) -> None:
        """Look at the next frame."""
        raise NotImplementedError

    def finish(self) -> Arrays:
        """The arrays, once every frame was measured."""
        raise NotImplementedError

    @classmethod
    def black(cls, frames: int) -> Arrays:
        """The arrays of so many black frames, which lie where an edit shows no clip."""
        raise NotImplementedError

    @classmethod
    def join(cls, parts: Sequence[Part]) -> Arrays:
        """The arrays of a whole edit from those of its parts: one after the other, unless a detector knows better."""
        if len(parts) == 1:
            return parts[0].arrays
        return {name: np.concatenate([part.arrays[name] for part in parts]) for name in parts[0].arrays}

    @classmethod
    def is_sound(cls, arrays: Arrays, frames: int) -> bool:
        """Whether arrays read from a cache can be those of so many frames."""
        return set(arrays) == set(cls.black(1)) and all(
            len(array) == frames for name, array in arrays.items() if name not in cls.event_arrays
        )
