"""What the commands that make music share: options declared once, the composer, progress on several stages."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hitpoint.bridge.config.flags import setting_option
from hitpoint.bridge.config.settings import load_config
from hitpoint.bridge.work import factory
from hitpoint.model.plan.wishes import OPTIONS

if TYPE_CHECKING:
    from hitpoint.model.compose.base import Composer
    from hitpoint.model.take import Progress

Command = TypeVar("Command", bound=Callable[..., Any])

STAGES = {
    "analyse": "looking at the film",
    "plan": "planning",
    "compose": "composing",
    "midi": "writing MIDI",
    "wav": "playing it to a WAV",
    "mux": "putting it under the film",
    "report": "writing the report",
    "plot": "drawing",
}

FILE = click.Path(path_type=Path)


def wish_options(command: Command) -> Command:
    """One option for each wish, from the planner's own table; the values arrive as texts or None."""
    for option in reversed(OPTIONS):
        help_line = f"{option.help[0].upper()}{option.help[1:]} ({option.choices}).  [default: {option.default}]"
        metavar = option.type.upper().replace(" ", "_")
        command = click.option(f"--{option.key}", metavar=metavar, default=None, help=help_line)(command)
    return command


COMPOSER_SETTINGS = ("composer", "checkpoint", "library", "device", "threads")


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


def clip_options(command: Command) -> Command:
    """Which part of which film, and whose cuts."""
    options = (
        click.argument("clip", type=FILE),
        click.option(
            "--in", "in_s", type=click.FloatRange(0), default=0.0, metavar="SECONDS",
                     help="Where to begin, in the film's own time.  [default: 0]"
        ),
        click.option("--out", "out_s", type=click.FloatRange(0), metavar="SECONDS",
                     help="Where to end.  [default: the film's end]"),
        click.option("--cuts", type=FILE, help="The editor's own cuts: EDL, OTIO, FCPXML, MLT, Kdenlive or JSON."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def make_composer(flags: dict[str, Any]) -> Composer:
    """The composer that flags and configuration ask for. `flags` loses those of `composer_options`.

    Raises as `hitpoint.bridge.work.factory.make_composer`.
    """
    return factory.make_composer(load_config(**{name: flags.pop(name) for name in COMPOSER_SETTINGS}))


@contextlib.contextmanager
def stage_bars() -> Iterator[Progress]:
    """Progress for `hitpoint.model.job`: one bar a stage on standard error; silent where that is not a terminal.

    Print nothing inside: what is to be said stands below the bars when they are gone. SIGTERM ends the command as
    Ctrl+C does, so that no half-written file stays behind.
    """
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        if sys.stderr.isatty():
            yield from _bars()
        else:
            yield lambda stage, share: None
    finally:
        signal.signal(signal.SIGTERM, previous)


def _terminate(number: int, frame: object) -> None:
    sys.exit(128 + number)


def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    tasks: dict[str, TaskID] = {}
    console = Console(stderr=True)
    with Bars(console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bars:

        def report(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(STAGES.get(stage, stage), total=1.0)
            bars.update(tasks[stage], completed=share)

        yield report
