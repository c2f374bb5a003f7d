"""Genre and mood that are suggested rather than asked for, and the wishes that follow them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hitpoint.model.mood.affect import CENTRES
from hitpoint.model.mood.shares import Source
from hitpoint.model.mood.suggest import UNSURE_MOOD, Suggestion, suggest
from hitpoint.model.music.score import GENRES
from hitpoint.model.plan.hits.weights import moments
from hitpoint.model.plan.mood import AROUSAL_BPM
from hitpoint.model.plan.tempo.pace import pace
from hitpoint.model.plan.types import Wishes
from hitpoint.model.video.types import VisualRhythm

AUTO = "auto"


def asks(wishes: Wishes) -> bool:
    """Whether anything is to be suggested."""
    return wishes.genre == AUTO or bool(wishes.describe)


def suggested(
    rhythm: VisualRhythm,
    describe: str = "",
    names: Sequence[str] = (),
    more: Sequence[Source] = (),
    genres: Sequence[str] = GENRES,
) -> Suggestion:
    """As `hitpoint.model.mood.suggest.suggest`, with the tempo that the picture leans to."""
    found = suggest(rhythm, describe, names, more, genres)
    bias_bpm = AROUSAL_BPM * CENTRES[found.mood][1]
    aim_bpm, _ = pace(moments(rhythm), rhythm.motion, rhythm.duration_s, bias_bpm)
    return replace(found, tempo_bpm=round(aim_bpm, 1))


def followed(wishes: Wishes, found: Suggestion) -> Wishes:
    """`wishes` with the genre suggested where it was left open, and the mood where words were given for it."""
    genre = found.genre if wishes.genre == AUTO else wishes.genre
    spoken = bool(wishes.describe) and wishes.mood == AUTO and found.mood != UNSURE_MOOD
    return replace(wishes, genre=genre, mood=found.mood if spoken else wishes.mood)
