"""Makes the composer that the configuration asks for. Heavy modules load inside.

Threads and processes: no state; called by the commands that compose, and in the composer process.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import UsageError
from hitpoint.model.compose.base import COMPOSERS, Composer, ComposerOptions


def make_composer(config: Config, key: str = "", library: str = "", select: str = "") -> Composer:
    """The composer called `key`, or the one of the configuration; what `config.test_composer` makes comes first.

    library, select: a folder of music and a way of choosing from it, instead of the configuration's.

    Raises InputError for a damaged checkpoint or library, MissingError for a device that this machine lacks,
    UsageError for an unknown name or a library that is missing or of no use.
    """
    if config.test_composer:
        composer: Composer = call_named(config.test_composer)
        return composer
    name = key or ("library" if library else config.composer)
    library, select = library or config.library, select or config.select
    kind = COMPOSERS.load(name)
    if library and not kind.uses_library and not key:
        raise UsageError(f"the composer {name} uses no library; leave --library out, or take --composer library")
    return kind.create(
        ComposerOptions(
            checkpoint=Path(config.checkpoint).expanduser() if config.checkpoint else None,
            device=config.device,
            threads=config.threads or None,
            library=Path(library).expanduser() if library else None,
            select=select,
            association=Path(config.association).expanduser() if config.association else None,
        )
    )


def call_named(name: str) -> Any:
    """What the function "package.module:function" makes. Raises UsageError where there is none."""
    module, _, function = name.partition(":")
    try:
        make = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"the configuration names {name!r}, which cannot be loaded: {error}") from error
    return make()
