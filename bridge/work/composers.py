"""The composers that jobs ask for, each loaded at its first use and kept.

Threads and processes: lives in the composer process, in its main thread, but for `counter`.
"""

from __future__ import annotations

from collections.abc import Callable

from hitpoint.bridge.ipc.messages import ComposerAsk
from hitpoint.model.compose.base import Composer

MOST_LIBRARIES = 4
"""Libraries of music that jobs named and that are kept in memory at once."""


class Composers:
    """What was asked for -> the composer."""

    def __init__(self, load: Callable[[ComposerAsk], Composer]) -> None:
        self._load = load
        self._loaded: dict[ComposerAsk, Composer] = {}

    def of(self, asked: ComposerAsk) -> Composer:
        """Raises as the composer's `create`."""
        if asked not in self._loaded:
            made = self._load(asked)
            others = [each for each in self._loaded if each.library]
            if asked.library and len(others) >= MOST_LIBRARIES:
                del self._loaded[others[0]]
            self._loaded[asked] = made
        return self._loaded[asked]

    def renew(self, asked: ComposerAsk) -> None:
        """Forget a composer where what it was loaded from has changed."""
        if asked in self._loaded and self._loaded[asked].is_stale():
            del self._loaded[asked]

    def counter(self, asked: ComposerAsk) -> Callable[[], int]:
        """What tells, to any thread, how many small steps that composer has done; 0 where it does not count them."""
        return lambda: getattr(self._loaded.get(asked), "steps", 0)
