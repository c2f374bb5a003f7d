"""Registries: what can be chosen by name and is loaded only then. Other packages add to one by an entry point."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from hitpoint.model.errors import UsageError

Base = TypeVar("Base")


class Registry(Generic[Base]):
    """The classes of one seam, by name.

    what: the seam's word in messages ("composer"). own: name -> "module:class" of those in this package, in the order
    in which they are listed. group: the entry points' group under which other packages add theirs.
    """

    def __init__(self, what: str, own: Mapping[str, str], group: str) -> None:
        self.what, self.group = what, group
        self._own = dict(own)

    @cached_property
    def _others(self) -> dict[str, EntryPoint]:
        found = {entry.name: entry for entry in entry_points(group=self.group)}
        return {name: found[name] for name in sorted(found) if name not in self._own}

    def names(self) -> tuple[str, ...]:
        """Every name: this package's own, then others'. No module is loaded."""
        return (*self._own, *self._others)

    def check(self, name: str) -> None:
        """Raise UsageError, which lists the names, where there is no such name."""
        if name not in self._own and name not in self._others:
            raise UsageError(f"there is no {self.what} {name!r}; choose from {', '.join(self.names())}")

    def load(self, name: str) -> type[Base]:
        """The class called `name`.

        Raises UsageError where there is none, or where the package that adds it cannot be loaded.
        """
        self.check(name)
        if name in self._own:
            module, _, attribute = self._own[name].partition(":")
            own: type[Base] = getattr(importlib.import_module(module), attribute)
            return own
        try:
            added: type[Base] = self._others[name].load()
        except (ImportError, AttributeError) as error:
            package = self._others[name].value.partition(":")[0]
            raise UsageError(f"the {self.what} {name!r} of {package} cannot be loaded: {error}") from error
        return added
