"""`hitpoint ports`: list the MIDI ports."""

from __future__ import annotations

import click

from hitpoint.bridge.config.flags import setting_option


@click.command()
@setting_option("midi_api")
def command(midi_api: str | None) -> None:
    """List the MIDI ports."""
    from hitpoint.bridge.errors import MissingError
    from hitpoint.bridge.midi.ports import api_name, find_api, list_ports

    try:
        api = find_api(midi_api or "auto")
    except MissingError as error:
        raise MissingError(f"{error} (without MIDI, `hitpoint serve` plays through its built-in synth)") from None
    names = list_ports(api)
    click.echo(f"{api_name(api)}: {len(names)} port{'' if len(names) == 1 else 's'} to play to")
    for name in names:
        click.echo(f"  {name}")
    click.echo("  virtual   (a port of the bridge's own, which others connect to: the default of `hitpoint serve`)")
