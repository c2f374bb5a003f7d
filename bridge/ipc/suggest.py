"""Messages between our processes about suggestions. Frozen; as those of `messages`."""

from __future__ import annotations

from dataclasses import dataclass

from hitpoint.bridge.ipc.messages import JobMessage, ScoreJob


@dataclass(frozen=True)
class SuggestList(JobMessage):
    """Suggest a genre and a mood for the clips of this job's list, which is complete. describe: the user's words."""

    describe: str


@dataclass(frozen=True)
class SuggestJob(JobMessage):
    """The same, with the clips: `score` holds them, and the words among its pairs."""

    score: ScoreJob


@dataclass(frozen=True)
class Suggested(JobMessage):
    """What the clips suggest, with the shares 0..1 of both, and why."""

    genre: str
    genre_share: float
    mood: str
    mood_share: float
    why: str
