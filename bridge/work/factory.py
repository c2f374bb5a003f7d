"""Making the composer that the configuration asks for. Heavy modules load inside.

Threads and processes: no state; called by the commands that compose, and in the composer process.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import UsageError


def make_composer(config: Config) -> Any:
    """The composer: what the function named by `config.composer` makes, else the network.

    Raises InputError for a damaged checkpoint, MissingError for a device that this machine lacks, UsageError.
    """
    if config.composer:
        return call_named(config.composer)
    compose = importlib.import_module("hitpoint.model.compose.cmt.composer")
    checkpoint = Path(config.checkpoint).expanduser() if config.checkpoint else None
    return compose.Composer.load(checkpoint, config.device, config.threads or None)


def call_named(name: str) -> Any:
    """What the function "package.module:function" makes. Raises UsageError where there is none."""
    module, _, function = name.partition(":")
    try:
        make = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"the configuration names {name!r}, which cannot be loaded ({error}); mend it") from error
    return make()
