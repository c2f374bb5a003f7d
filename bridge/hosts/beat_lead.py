"""Somebody else's beats as the playhead: a MIDI clock's or a Link session's.

Threads and processes: one owner (the clock process).
"""

from __future__ import annotations

import math

from hitpoint.bridge.ipc.messages import Planned
from hitpoint.bridge.play.player import Player
from hitpoint.model.music.score import BEATS_PER_BAR


class BeatLead:
    """Lays a leader's beats on the player's timeline: a film's music by its song position, music without end from the
    leader's next bar line on."""

    def __init__(self) -> None:
        self._planned: Planned | None = None
        self._first_beat: float | None = None

    def hear(self, player: Player, moment_s: float, beat: float, bpm: float | None) -> None:
        """The leader was at `beat` (quarter notes from its start) at a moment of the monotonic clock, at `bpm`."""
        player.led_bpm = bpm
        timeline, planned = player.timeline, player.planned
        if timeline is None or planned is None:
            return
        if planned is not self._planned:
            self._planned, self._first_beat = planned, None
        if self._first_beat is None:
            self._first_beat = self._begins(player, planned, beat)
        if self._first_beat is None or beat < self._first_beat:
            return
        media_s = timeline.time_at_beat(beat - self._first_beat)
        rate = None if bpm is None else bpm / timeline.bpm_at_time(media_s)
        player.hear_playhead(moment_s, media_s, True, rate, None)

    def stopped(self, player: Player, moment_s: float) -> None:
        """The leader stopped."""
        if player.timeline is not None:
            player.hear_playhead(moment_s, player.position(), False, None, None)

    def lost(self, player: Player) -> None:
        """Nothing is heard of the leader."""
        player.led_bpm = None

    @staticmethod
    def _begins(player: Player, planned: Planned, beat: float) -> float | None:
        """The leader's beat on which the music begins; None while that cannot be said."""
        if planned.live is None:
            return 0.0
        timeline = player.timeline
        if player.transport.playing and timeline is not None:  # it has played before this was told
            return float(round(beat - timeline.beat_at_time(player.position())))
        if not player.known_bars.known(0):
            return None
        return float(BEATS_PER_BAR * math.ceil(beat / BEATS_PER_BAR))
