"""`hitpoint panic`: silence every note on a MIDI port."""

from __future__ import annotations

import socket
import time

import click

from hitpoint.bridge.config.flags import setting_option


@click.command()
@setting_option(
    "midi_port", "Silence this port directly (part of its name), or `all`.  [default: the running bridge's]"
)
@setting_option("midi_api")
@setting_option("port")
def command(midi_port: str | None, midi_api: str | None, port: int | None) -> None:
    """Silence every note: through the running bridge, or on a MIDI port directly with --midi-port."""
    from hitpoint.bridge.config.settings import load_config

    config = load_config(None, port=port)
    if midi_port is None:
        _ask_bridge(config.port, config.token)
        click.echo("the bridge has silenced its port")
        return
    names = _silence_ports(midi_port, midi_api or "auto")
    click.echo("silenced " + ", ".join(names))


def _ask_bridge(port: int, token: str) -> None:
    """Ask the bridge on this machine; a pong tells that it heard."""
    from hitpoint.bridge.errors import MissingError
    from hitpoint.bridge.osc import codec
    from hitpoint.bridge.osc.protocol import PROTOCOL

    address = ("127.0.0.1", port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1.0)
        try:
            sock.sendto(codec.encode("/hitpoint/hello", "panic", "1", PROTOCOL, token), address)
            sock.sendto(codec.encode("/hitpoint/panic"), address)
            sock.sendto(codec.encode("/hitpoint/ping", 1), address)
            sock.sendto(codec.encode("/hitpoint/bye"), address)
            until_s = time.monotonic() + 1.0
            while time.monotonic() < until_s:
                if any(message.address == "/hitpoint/pong" for message in codec.decode(sock.recv(65536))):
                    return
        except OSError:
            pass
    raise MissingError(f"no bridge answers on port {port}: name the MIDI port to silence with --midi-port")


def _silence_ports(wanted: str, api_wish: str) -> list[str]:
    from hitpoint.bridge.errors import UsageError
    from hitpoint.bridge.midi.ports import RtMidiSink, find_api, list_ports, silence

    api = find_api(api_wish)
    there = list_ports(api)
    names = there if wanted == "all" else [name for name in there if wanted.lower() in name.lower()]
    if not names:
        raise UsageError(f"no MIDI port is called {wanted!r}; there are: {', '.join(there) or 'none'}")
    for name in names:
        sink = RtMidiSink(name, api, "Hitpoint panic")
        silence(sink)
        time.sleep(0.1)  # JACK sends at its next period
        sink.close()
    return names
