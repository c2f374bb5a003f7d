"""What the commands that make music share: options declared once, the composer, progress on several stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hitpoint.bridge.config.flags import setting_option
from hitpoint.bridge.config.settings import load_config
from hitpoint.bridge.work import factory
from hitpoint.model.plan.wishes.options import OPTIONS, WishOption

if TYPE_CHECKING:
    from hitpoint.model.compose.base import Composer

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)


def wish_options(command: Command) -> Command:
    """One option for each wish, from the planner's own table; the values arrive as texts or None."""
    return some_wish_options(*(option.key for option in OPTIONS))(command)


def some_wish_options(*keys: str, **defaults: str) -> Callable[[Command], Command]:
    """As `wish_options`, for these wishes. defaults: where they are other than the planner's."""
    chosen = [replace(each, default=defaults.get(each.key, each.default)) for each in OPTIONS if each.key in keys]
    return lambda command: _with_wishes(command, chosen)


def _with_wishes(command: Command, options: Sequence[WishOption]) -> Command:
    for option in reversed(options):
        help_line = f"{option.help[0].upper()}{option.help[1:]} ({option.choices}).  [default: {option.default}]"
        if option.opposite:
            names = f"--{option.key}/--{option.opposite}"
            command = click.option(names, default=None, help=help_line.replace(f" ({option.choices})", ""))(command)
            continue
        metavar = option.type.upper().replace(" ", "_")
        command = click.option(f"--{option.key}", metavar=metavar, default=None, help=help_line)(command)
    return command


COMPOSER_SETTINGS = ("composer", "checkpoint", "library", "select", "association", "device", "threads")


def composer_options(command: Command) -> Command:
    """Who composes, with which weights, where; what is left out comes from the configuration file."""
    for name in reversed(COMPOSER_SETTINGS):
        command = setting_option(name)(command)
    return command


def soundfont_option(command: Command) -> Command:
    """Whose sounds."""
    help_line = "SF2 or SF3 file for the sound, instead of the one in the package."
    return click.option("--soundfont", type=FILE, envvar="HITPOINT_SOUNDFONT", show_envvar=True, help=help_line)(
        command
    )


def output_options(command: Command) -> Command:
    """How files are written, and what is said when something fails."""
    options = (
        click.option("--force", is_flag=True, help="Replace files that exist."),
        click.option("--debug", is_flag=True, help="Show a traceback when something fails.", expose_value=False),
    )
    for option in reversed(options):
        command = option(command)
    return command


def counted(number: int, thing: str) -> str:
    """`1 cut`, `2 cuts`."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


def make_composer(flags: dict[str, Any]) -> Composer:
    """The composer that flags and configuration ask for. `flags` loses those of `composer_options`.

    Raises as `hitpoint.bridge.work.factory.make_composer`.
    """
    return factory.make_composer(load_config(**{name: flags.pop(name) for name in COMPOSER_SETTINGS}))
