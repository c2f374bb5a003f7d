"""What clock and composer say to each other of music without end. Frozen values; standard library only.

Threads and processes: immutable. Not a `JobMessage`: nothing of it is kept for a composer that is started again, for
the clock asks anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from hitpoint.bridge.ipc.messages import BarsReady, JobError
from hitpoint.model.music.score import Note
from hitpoint.model.plan.seen import Seen

LIVE_JOB = "live"
"""The name under which clients hear of it."""

CONTROLS = ("control", "density", "energy", "accents", "humanise", "valence", "arousal", "tension")
"""Wishes that may change while the music goes on."""

Halves = tuple[tuple[Note, ...], tuple[Note, ...]]


@dataclass(frozen=True)
class GrowBar:
    """Compose bar `index` (from 0, without end) after what is seen.

    pairs: as a score's, with the tempo chosen, and "home", the key that the music is in. ending: the last bars. again:
    the bar is there, but something else is seen by now.
    """

    index: int
    pairs: tuple[tuple[str, str], ...]
    seen: Seen
    ending: bool = False
    again: bool = False


@dataclass(frozen=True)
class GrownBars(BarsReady):
    """The answer: one bar, or the last two. chords: of both halves of each bar; strikes: what an event plays there.

    key: "A minor", "" where there is none; ends: the music ends with the last of these bars.
    """

    chords: tuple[tuple[str, str] | None, ...] = ()
    strikes: tuple[Halves, ...] = ()
    key: str = ""
    ends: bool = False


@dataclass(frozen=True)
class LiveError(JobError):
    """What was asked for cannot be made: there is no music."""
