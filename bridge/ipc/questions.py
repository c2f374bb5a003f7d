"""Messages between our processes about what clips can be asked besides a score. Frozen; as those of `messages`.

A question comes with its job's list of clips, and is answered once: by an `Answer`, or a JobError.
"""

from __future__ import annotations

from dataclasses import dataclass

from hitpoint.bridge.ipc.messages import JobMessage, ScoreJob


@dataclass(frozen=True)
class Question(JobMessage):
    """What is asked of this job's clips: `score` holds them, and among its pairs what the question needs."""

    score: ScoreJob


@dataclass(frozen=True)
class QuestionList(JobMessage):
    """The same, before the clips are looked up: the job's list, which is complete, is meant."""

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """What the question needs beside the clips."""
        raise NotImplementedError

    def of(self, score: ScoreJob) -> Question:
        """The question, with the clips."""
        raise NotImplementedError


@dataclass(frozen=True)
class Answer(JobMessage):
    """What a client is told."""

    def told(self) -> tuple[str | float, ...]:
        """The address, and its arguments after the job."""
        raise NotImplementedError


@dataclass(frozen=True)
class SuggestJob(Question):
    """Suggest a genre and a mood for the clips. Pairs: describe."""


@dataclass(frozen=True)
class SuggestList(QuestionList):
    """As SuggestJob. describe: the user's words."""

    describe: str

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The words."""
        return (("describe", self.describe),)

    def of(self, score: ScoreJob) -> Question:
        """As SuggestJob."""
        return SuggestJob(self.job, score)


@dataclass(frozen=True)
class Suggested(Answer):
    """What the clips suggest, with the shares 0..1 of both, and why."""

    genre: str
    genre_share: float
    mood: str
    mood_share: float
    why: str

    def told(self) -> tuple[str | float, ...]:
        """As the table has it."""
        return ("/hitpoint/suggestion", self.genre, self.genre_share, self.mood, self.mood_share, self.why)


@dataclass(frozen=True)
class CutJob(Question):
    """Cut the clips to a piece of music. Pairs: music."""


@dataclass(frozen=True)
class CutList(QuestionList):
    """As CutJob. music: the path of a MIDI file or a sound."""

    music: str

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The music."""
        return (("music", self.music),)

    def of(self, score: ScoreJob) -> Question:
        """As CutJob."""
        return CutJob(self.job, score)


@dataclass(frozen=True)
class EditCut(Answer):
    """The edit that was cut. path: of its OpenTimelineIO file. text: what is to be said of it."""

    path: str
    text: str

    def told(self) -> tuple[str | float, ...]:
        """As the table has it."""
        return ("/hitpoint/edit", self.path, self.text)
