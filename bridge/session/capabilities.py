"""What this bridge can do, by name, so that no plugin keeps a list of its own.

Threads and processes: no state, callable from any; loads no composer and no output, it only reads their names.
"""

from __future__ import annotations

from collections.abc import Mapping

from hitpoint.bridge.osc.protocol import INCOMING
from hitpoint.model.compose.base import COMPOSERS
from hitpoint.model.music.score import INSTRUMENTS, SHIPPED_GENRES
from hitpoint.model.plan.wishes.names import MOOD_CHOICES
from hitpoint.model.plan.wishes.options import OPTIONS

_CONTROL = "/hitpoint/control/"


def capabilities() -> Mapping[str, tuple[str, ...]]:
    """Kind -> names: genres, moods, instruments, composers, the keys of a score request, the live controls."""
    return {
        "genres": SHIPPED_GENRES,
        "moods": MOOD_CHOICES,
        "instruments": INSTRUMENTS,
        "composers": COMPOSERS.names(),
        "keys": tuple(option.key for option in OPTIONS),
        "controls": tuple(address.removeprefix(_CONTROL) for address in INCOMING if address.startswith(_CONTROL)),
    }
