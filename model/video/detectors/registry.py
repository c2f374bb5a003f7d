"""Which detectors there are: every one in this folder, and those that installed packages add."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from importlib.metadata import entry_points

from hitpoint.model.video import detectors
from hitpoint.model.video.detectors.base import Detector

ENTRY_POINTS = "hitpoint.detectors"
"""Group of entry points by which another package adds a Detector."""


@functools.cache
def registered() -> tuple[type[Detector], ...]:
    """Every detector class, in order of name."""
    found: dict[str, type[Detector]] = {}
    for module in pkgutil.iter_modules(detectors.__path__):
        for each in vars(importlib.import_module(f"{detectors.__name__}.{module.name}")).values():
            if isinstance(each, type) and issubclass(each, Detector) and each is not Detector:
                found[each.name] = each
    for entry in entry_points(group=ENTRY_POINTS):
        each = entry.load()
        found.setdefault(each.name, each)
    return tuple(found[name] for name in sorted(found))
