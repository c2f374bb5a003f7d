"""MIDI sinks: ports, the built-in synth, REAPER's keyboard; their wiring and their guard."""
