"""`hitpoint page`: score a film in the browser: see, hear and change the music on one time axis."""

from __future__ import annotations

import asyncio
import secrets
import socket
import webbrowser
from pathlib import Path
from typing import Any

import click

from hitpoint.bridge.commands._shared import COMPOSER_SETTINGS, FILE, composer_options
from hitpoint.bridge.config.flags import setting_option
from hitpoint.bridge.errors import InputError, MissingError, UsageError

DEFAULT_PORT = 7711
SERVE_SETTINGS = ("port", "state_dir", "midi_port", "midi_api", *COMPOSER_SETTINGS)
"""Settings of the bridge that is started where none runs."""


@click.command()
@click.argument("film", type=FILE, required=False)
@click.option("--page-port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True,
              help="TCP port of the page on 127.0.0.1; 0: any that is free.")  # fmt: skip
@click.option("--root", "roots", multiple=True, help="Folder that films may be read from; repeatable.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page in the browser.")
@click.option("--config", type=FILE, help="Configuration file to use.")
@setting_option("port", "UDP port of the bridge: one that runs there is used, otherwise one is started.")
@setting_option("state_dir")
@setting_option("midi_port")
@setting_option("midi_api")
@composer_options
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.", expose_value=False)
def command(
    film: Path | None, page_port: int, roots: tuple[str, ...], browser: bool, config: Path | None, **flags: Any
) -> None:
    """Open a page that scores FILM. Ends with Ctrl-C."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        raise MissingError("the page needs Starlette, uvicorn and websockets: pip install 'hitpoint[page]'") from error
    from hitpoint.bridge.config.settings import load_config

    if film is not None and not film.is_file():
        raise InputError(f"there is no film {film}; check the path")
    settings = load_config(config, roots=list(roots) or None, **flags)
    if not settings.is_loopback:
        raise UsageError(f"the page speaks with a bridge of this machine only; leave host {settings.host} out")
    arguments = [part for name in SERVE_SETTINGS if flags[name] is not None
                 for part in (f"--{name.replace('_', '-')}", str(flags[name]))]  # fmt: skip
    arguments += [part for root in roots for part in ("--root", root)]
    arguments += ["--config", str(config)] if config else []
    with listening(page_port) as sock:
        asyncio.run(_run(film, sock, settings, arguments, browser))


def listening(port: int) -> socket.socket:
    """A TCP socket on loopback. Raises UsageError where the port is taken."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sock.close()
        raise UsageError(f"port {port} is taken ({error.strerror}); choose another with --page-port") from error
    return sock


async def _run(film: Path | None, sock: socket.socket, settings: Any, arguments: list[str], browser: bool) -> None:
    import uvicorn

    from hitpoint.bridge.web.app import make_app
    from hitpoint.bridge.web.own_bridge import OwnBridge
    from hitpoint.bridge.web.shelf import Shelf

    uploads = settings.state_path / "films"
    roots = list(settings.allowed_roots)
    if film is not None and not any(film.resolve().is_relative_to(root) for root in roots):
        raise UsageError(f"{film} lies outside the folders that may be read; add --root {film.resolve().parent}")
    if settings.roots:
        arguments += ["--root", str(uploads)]
    bridge = OwnBridge((settings.host, settings.port), arguments)
    started = await asyncio.to_thread(bridge.begin)
    port, token = sock.getsockname()[1], secrets.token_urlsafe(32)
    opened = str(film.resolve()) if film else ""
    app = make_app(port, token, Shelf(roots, uploads), (settings.host, settings.port), settings.token, opened)
    url = f"http://127.0.0.1:{port}/#{token}"
    click.echo(f"{url}\n  {'a bridge of its own' if started else 'the bridge that runs already'}, Ctrl-C ends the page")
    if browser:
        webbrowser.open(url)
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, ws="websockets-sansio", ws_max_size=1 << 16,
                       server_header=False, timeout_graceful_shutdown=1)
    )  # fmt: skip
    keeping = asyncio.create_task(bridge.keep())
    try:
        await server.serve(sockets=[sock])
    finally:
        keeping.cancel()
        await asyncio.to_thread(bridge.end)
