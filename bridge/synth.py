"""The built-in synth as a sink: what sounds where there is no MIDI system at all.

Threads and processes: owned by the clock process; the synth has an audio thread of its own, so lateness is worse here.
"""

from __future__ import annotations

from hitpoint.bridge.errors import MissingError


class SynthSink:
    """Plays MIDI messages through the computer's own loudspeaker. Raises MissingError where there is no sound device."""

    name = "built-in synth"

    def __init__(self) -> None:
        raise MissingError("no MIDI system answers, and the built-in synth is not there: start JACK, PipeWire or ALSA")

    def send(self, message: bytes) -> None:
        """Play one MIDI message."""

    def close(self) -> None:
        """Stop the synth."""
