"""`hitpoint demo`: score the example film and play it."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import sys
import time
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from hitpoint.bridge.commands._progress import stage_bars
from hitpoint.bridge.commands._shared import FILE, composer_options, make_composer, output_options
from hitpoint.bridge.errors import MissingError, UsageError

PLAYERS: tuple[tuple[str, list[str]], ...] = (
    ("pw-play", []),
    ("paplay", []),
    ("afplay", []),
    ("aplay", ["-q"]),
    ("ffplay", ["-v", "quiet", "-nodisp", "-autoexit"]),
)
"""Programs that play a WAV, and their options."""


@click.command()
@click.option("-o", "folder", type=FILE, default=Path("hitpoint-demo"), show_default=True, help="Where the files go.")
@click.option("--port", help="(Part of) the name of the MIDI port to play to.  [default: the first one found]")
@click.option("--play/--no-play", default=True, help="Play the music once it is written.  [default: play]")
@composer_options
@output_options
def command(
    folder: Path,
    port: str | None,
    play: bool,
    force: bool,
    **composer_flags: Any,
) -> None:
    """Score the example film into a folder, and play it: to a MIDI port, or with the built-in synth where none is."""
    from hitpoint.bridge.commands._order import check, summary
    from hitpoint.model import job
    from hitpoint.model.output.base import Writing, write_outputs
    from hitpoint.model.plan.types import Wishes
    from hitpoint.model.video.types import Clip

    film = example_film()
    if port is not None:
        _choose_port(port)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder} ({error.strerror}); name another with -o") from error
    named = {kind: folder / f"demo{ending}" for kind, ending in
             (("midi", ".mid"), ("wav", ".wav"), ("mux", ".mp4"), ("report", ".json"), ("plot", ".png"))}  # fmt: skip
    wishes, writing = Wishes(), Writing(force)
    check(film, named, wishes.instruments, writing)
    composer = make_composer(composer_flags)
    with stage_bars() as progress:
        prepared = job.prepare([Clip(film)], wishes, None, progress)
        take = job.compose(prepared, composer, progress=progress)
        paths = write_outputs(take, prepared, named, replace(writing, progress=progress))
    click.echo(summary(take, prepared, paths))
    if play:
        click.echo(play_files(named["midi"], named["wav"], port))


def example_film() -> Path:
    """The film that comes with Hitpoint. Raises MissingError where the package was installed without it."""
    from importlib.resources import files

    try:
        film = Path(str(files("hitpoint.examples").joinpath("film.mp4")))
    except ModuleNotFoundError:
        film = Path("film.mp4")
    if not film.is_file():
        raise MissingError("the example film is not in this installation; run `hitpoint score` on a clip of your own")
    return film


def play_files(midi: Path, wav: Path, port: str | None) -> str:
    """Play `midi` to a MIDI port if there is one, else `wav` with the system's player; say how it went."""
    name = _choose_port(port)
    if name is not None:
        click.echo(f"playing to the MIDI port {name}; Ctrl+C stops it")
        return _play_midi(midi, name)
    found = next(((shutil.which(player), options) for player, options in PLAYERS if shutil.which(player)), None)
    if found is None:
        return (
            f"there is no MIDI port and no program that plays a WAV here; {wav} holds the sound of the built-in synth"
        )
    click.echo("there is no MIDI port; playing the sound of the built-in synth, Ctrl+C stops it")
    with wave.open(str(wav), "rb") as sound:
        length_s = sound.getnframes() / sound.getframerate()
    started = time.monotonic()
    try:
        done = subprocess.run([str(found[0]), *found[1], str(wav)], capture_output=True, timeout=length_s + 20)
        heard = done.returncode == 0 and time.monotonic() - started > length_s / 2  # ffplay ends well, and at once
    except subprocess.TimeoutExpired:
        heard = False
    return "played" if heard else f"there is no sound device; {wav} holds the sound of the built-in synth"


def _choose_port(wish: str | None) -> str | None:
    """The port with (part of) the name asked for, else the first that sounds; None where there is none.

    Raises UsageError for a name that no port has, MissingError where a port is asked for and there is no MIDI system.
    """
    from hitpoint.bridge.midi.ports import find_api, list_ports

    try:
        ports = list_ports(find_api())
    except (MissingError, OSError):
        if wish is not None:
            raise
        return None
    if wish is None:
        return next((name for name in ports if "through" not in name.lower()), None)
    found = next((name for name in ports if wish.lower() in name.lower()), None)
    if found is None:
        raise UsageError(f"no MIDI port is called {wish!r}; there are: {', '.join(ports) or 'none'}")
    return found


def _play_midi(midi: Path, port: str) -> str:
    """Play in a process of its own: a MIDI server that dies would block this one forever."""
    import mido

    from hitpoint.bridge.midi.ports import find_api

    length_s = mido.MidiFile(midi).length
    player = multiprocessing.get_context("spawn").Process(target=play_midi, args=(midi, port, find_api()), daemon=True)
    player.start()
    player.join(length_s + 20)
    if player.is_alive():
        player.kill()
        return f"the MIDI port {port} stopped taking notes"
    return "played" if player.exitcode == 0 else f"the MIDI port {port} could not be played to"


def play_midi(midi: Path, port: str, api: int) -> None:
    """Play a MIDI file to a port at its own time, on the monotonic clock, and silence the port at the end."""
    import mido

    from hitpoint.bridge.errors import HitpointError
    from hitpoint.bridge.midi.ports import RtMidiSink, silence

    try:
        sink = RtMidiSink(port, api)
    except HitpointError as error:
        sys.exit(f"error: {error}")
    messages = list(mido.MidiFile(midi))
    due_s = time.monotonic()
    try:
        for message in messages:
            due_s += message.time
            time.sleep(max(0.0, due_s - time.monotonic()))
            if not message.is_meta:
                sink.send(bytes(message.bytes()))
    except KeyboardInterrupt:
        pass
    finally:
        silence(sink)
        sink.close()
