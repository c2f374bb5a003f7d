"""Ableton Link as an optional extra: peers hear our tempo, our beats and whether we play; or theirs are followed.

Threads and processes: owned by the clock process; Link has threads of its own. Link keeps one tempo for everybody: it
is ours while we play (the picture rules), unless the session is to lead music without end (`config.follow`).
"""

from __future__ import annotations

from typing import Any

from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import MissingError
from hitpoint.bridge.hosts.base import Companion, Host
from hitpoint.bridge.hosts.beat_lead import BeatLead
from hitpoint.bridge.play.player import Player

FOLLOW = "link"
QUANTUM_BEATS = 4.0
TEMPO_STEP_BPM = 0.01
DRIFT_BEATS = 0.002
LINK_TEMPO_BPM = (20.0, 999.0)


class AbletonLink(Host):
    """Any program that plays in an Ableton Link session."""

    def wanted(self, config: Config) -> bool:
        """Where it is switched on, or leads."""
        return config.link or config.follow == FOLLOW

    def in_clock(self, config: Config) -> Companion:
        """The session leads, or hears us."""
        return LinkIn() if config.follow == FOLLOW else LinkOut()


def session() -> Any:
    """A place in the session. Raises MissingError where the package is lacking."""
    try:
        import link
    except ImportError as error:
        raise MissingError("Ableton Link needs its package: run `pip install 'hitpoint[link]'`") from error
    joined: Any = link.Link(120.0)
    joined.startStopSyncEnabled = True
    joined.enabled = True
    return joined


class _Place:
    """One place in the session, until it is closed."""

    def __init__(self) -> None:
        self._link = session()

    @property
    def peers(self) -> int:
        """How many others are in the session."""
        return int(self._link.numPeers())

    def close(self) -> None:
        """Leave the session."""
        self._link.enabled = False


class LinkIn(_Place):
    """The session's beats lead music without end, whether its peers say that they play or not: most never say."""

    every_s = 0.02

    def __init__(self) -> None:
        super().__init__()
        self._lead = BeatLead()

    def feed(self, player: Player, now_s: float) -> None:
        """Tell the player where the session is."""
        micros = self._link.clock().micros()
        state = self._link.captureSessionState()
        if player.planned is not None and player.planned.live is None:
            return  # a session has no song position: nobody can say where in a film it is
        self._lead.hear(player, now_s, state.beatAtTime(micros, QUANTUM_BEATS), state.tempo())


class LinkOut(_Place):
    """Publishes a player's beats. Raises MissingError where the package is lacking."""

    every_s = 0.1

    def __init__(self) -> None:
        super().__init__()
        self._playing = False

    def feed(self, player: Player, now_s: float) -> None:
        """Tell the session where we are; to be called some times a second and whenever the transport moves."""
        timeline, transport = player.timeline, player.transport
        if timeline is None:
            return
        micros = self._link.clock().micros()
        media_s = player.position()
        state = self._link.captureSessionState()
        changed = False
        if transport.sounding:
            low, high = LINK_TEMPO_BPM
            bpm = min(max(timeline.bpm_at_time(media_s) * transport.rate, low), high)
            beat = timeline.beat_at_time(media_s)
            quantum = timeline.tempo_map.metre.quarters
            if abs(state.tempo() - bpm) > TEMPO_STEP_BPM:
                state.setTempo(bpm, micros)
                changed = True
            if abs(state.beatAtTime(micros, quantum) - beat) > DRIFT_BEATS:
                state.forceBeatAtTime(beat, micros, quantum)
                changed = True
        if transport.sounding != self._playing:
            self._playing = transport.sounding
            state.setIsPlaying(self._playing, micros)
            changed = True
        if changed:
            self._link.commitSessionState(state)
