"""`hitpoint doctor`: check this machine, say what is missing and how to get it."""

from __future__ import annotations

import click

from hitpoint.bridge.config.flags import setting_option


@click.command()
@setting_option("midi_port")
@setting_option("midi_api")
@setting_option("port")
@click.option("--note/--no-note", default=True, help="Send a test note to the MIDI port.  [default: send]")
def command(midi_port: str | None, midi_api: str | None, port: int | None, note: bool) -> int:
    """Check this machine and say what is missing and how to get it. Exits with 4 where something needed is missing."""
    from hitpoint.bridge.config.settings import load_config
    from hitpoint.bridge.process.diagnosis import diagnose

    config = load_config(None, midi_port=midi_port, midi_api=midi_api, port=port)
    marks = {"ok": click.style("ok  ", fg="green"), "info": "    ", "lack": click.style("LACK", fg="red")}
    findings = []
    for finding in diagnose(config, note):
        findings.append(finding)
        click.echo(f"{marks[finding.kind]}  {finding.subject}: {finding.text}")
        if finding.remedy:
            click.echo(f"      → {finding.remedy}")
    return 4 if any(finding.kind == "lack" for finding in findings) else 0
