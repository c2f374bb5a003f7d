"""The configuration's keys as command-line flags, from the one table in config.py.

Threads and processes: no state, callable from any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar

import click

from hitpoint.bridge.config import Config

_Function = TypeVar("_Function", bound=Callable[..., Any])
_TYPES: dict[str, type] = {"str": str, "int": int, "float": float}


def config_options(function: _Function) -> _Function:
    """Add one option for each setting that has a flag; what is not given is None, so that the file's value stands."""
    for setting in reversed(fields(Config)):
        flag = setting.metadata["flag"]
        if not flag:
            continue
        default = None if setting.default is MISSING else setting.default
        shown = f"{setting.metadata['help']}  [default: {_shown(default)}]"
        if setting.type == "bool":
            flag = f"{flag}/--no-{flag.removeprefix('--')}"
            option = click.option(flag, setting.name, default=None, help=shown)
        elif setting.metadata["choices"]:
            option = click.option(flag, setting.name, type=click.Choice(setting.metadata["choices"]), help=shown)
        else:
            option = click.option(flag, setting.name, type=_TYPES[str(setting.type)], help=shown)
        function = option(function)
    return function


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return str(default) if default not in ("", None) else "none"
