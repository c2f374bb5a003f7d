"""A sink that notes what it is sent and when, on a test clock; and drivers for a scheduler or player."""


class Recorder:
    """events: (moment, message bytes)."""

    name = "recorder"

    def __init__(self, clock):
        self.clock = clock
        self.events = []

    def send(self, message):
        self.events.append((self.clock.now(), bytes(message)))

    def close(self):
        pass

    def notes_on(self):
        """(moment, channel, pitch, velocity)"""
        return [(at, m[0] & 15, m[1], m[2]) for at, m in self.events if m[0] & 0xF0 == 0x90 and m[2]]

    def hanging(self):
        """(channel, pitch) struck and never released or silenced."""
        on = set()
        for _, m in self.events:
            kind, channel = m[0] & 0xF0, m[0] & 15
            if kind == 0x90 and m[2]:
                on.add((channel, m[1]))
            elif kind in (0x80, 0x90):
                on.discard((channel, m[1]))
            elif kind == 0xB0 and m[1] == 120:
                on = {note for note in on if note[0] != channel}
        return on


def drive(tick, clock, seconds, step_s=0.01):
    """Call `tick` as the clock process does: at the moment it asks for, and at least each `step_s`."""
    until = clock.now() + seconds
    while True:
        wake = tick()
        if clock.now() >= until:
            return
        clock.time_s = min(max(wake, clock.now()), clock.now() + step_s, until)
