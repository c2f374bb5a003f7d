"""The configuration's keys as command-line flags, from the one table in config.py.

Threads and processes: no state, callable from any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

from hitpoint.bridge.config.settings import Config

_Function = TypeVar("_Function", bound=Callable[..., Any])
_TYPES: dict[str, type] = {"str": str, "int": int, "float": float}
_SETTINGS = {setting.name: setting for setting in fields(Config)}


def config_options(function: _Function) -> _Function:
    """Add one option for each setting that has a flag; what is not given is None, so that the file's value stands."""
    for name in reversed(_SETTINGS):
        if _SETTINGS[name].metadata["flag"]:
            function = setting_option(name)(function)
    return function


def setting_option(name: str, help_line: str = "") -> Callable[[_Function], _Function]:
    """The option of one setting; `help_line` instead of the table's."""
    setting = _SETTINGS[name]
    flag = setting.metadata["flag"]
    shown = help_line or f"{setting.metadata['help']}  [default: {_shown(setting.default)}]"
    if setting.type == "bool":
        return click.option(f"{flag}/--no-{flag.removeprefix('--')}", name, default=None, help=shown)
    choices = setting.metadata["choices"]
    kind = click.Choice(choices) if choices else _TYPES[str(setting.type)]
    return click.option(flag, name, type=kind, help=shown)


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return str(default) if default not in ("", None) else "none"
