"""A suggestion of genre and mood, from whatever says something: words, the picture, a scene network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hitpoint.model.mood.curve import mood_curve
from hitpoint.model.mood.picture import from_picture
from hitpoint.model.mood.shares import SOURCE_WEIGHTS, Source, joined
from hitpoint.model.mood.types import LONGEST_TEXT
from hitpoint.model.mood.words import from_words, heard, words_in
from hitpoint.model.music.score import GENRES
from hitpoint.model.video.types import VisualRhythm

LEAST_SHARE = 0.4
"""A share below this is not a suggestion."""
NAME_NOISE = frozenset(
    ("clip", "cut", "draft", "edit", "export", "film", "final", "master", "movie", "render", "sample", "scene", "score",
     "sequence", "shot", "take", "test", "timeline", "untitled", "version", "video")
)  # fmt: skip
"""Words that stand in the names of films and say nothing of them."""
UNSURE_GENRE, UNSURE_MOOD = "pop", "neutral"


@dataclass(frozen=True)
class Suggestion:
    """genre, mood: suggested, with their shares; UNSURE_GENRE and UNSURE_MOOD where nothing reaches LEAST_SHARE.

    why: one sentence a source, and what was not sure. genres, moods: the shares of all. tempo_bpm: that the picture
    leans to; 0 where it is not known.
    """

    genre: str
    genre_share: float
    mood: str
    mood_share: float
    why: tuple[str, ...]
    genres: Mapping[str, float]
    moods: Mapping[str, float]
    tempo_bpm: float = 0.0

    @property
    def changes(self) -> tuple[str, ...]:
        """What the report says of it."""
        reasons = "; ".join(self.why)
        return (f"suggested: {self.genre} ({self.genre_share:.2f}), {self.mood} ({self.mood_share:.2f}) - {reasons}",)


def suggest(
    rhythm: VisualRhythm | None,
    describe: str = "",
    names: Sequence[str] = (),
    more: Sequence[Source] = (),
    genres: Sequence[str] = GENRES,
) -> Suggestion:
    """The genre and mood that fit best.

    rhythm: the picture, if there is one. describe: the user's own words; names: of the clips, markers, titles. more:
    other sources. genres: to choose from.
    """
    found = [*more]
    words = from_words(describe, names)
    if words is not None:
        found.insert(0, words)
    curve = None if rhythm is None else mood_curve(rhythm)
    notes = [] if curve is None else [*curve.notes]
    if rhythm is not None and curve is not None and (curve.grey or not curve.notes):
        found.append(from_picture(rhythm, curve))
    if len(describe) > LONGEST_TEXT:
        notes.append(f"the description was cut at {LONGEST_TEXT:,} letters")
    if describe.strip() and not heard(describe):
        notes.append(
            "no word of the description is known; words are looked up in English, and in a lexicon.tsv of your own"
        )
    if not found:
        return _unsure(notes, genres)
    weighed = [(SOURCE_WEIGHTS[source.name], source) for source in found]
    moods = joined([(weight, source.moods) for weight, source in weighed])
    allowed = joined([(weight, {name: source.genres[name] for name in genres}) for weight, source in weighed])
    return _chosen(allowed, moods, [*(source.why for source in found), *notes])


def _chosen(genres: Mapping[str, float], moods: Mapping[str, float], why: list[str]) -> Suggestion:
    genre, mood = (max(shares, key=lambda name: shares[name]) for shares in (genres, moods))
    unsure = [name for name, share in ((genre, genres[genre]), (mood, moods[mood])) if share < LEAST_SHARE]
    if unsure:
        why.append(f"unsure: {' and '.join(unsure)} came first, with a share below {LEAST_SHARE:g}")
    genre = genre if genres[genre] >= LEAST_SHARE else UNSURE_GENRE
    mood = mood if moods[mood] >= LEAST_SHARE else UNSURE_MOOD
    return Suggestion(
        genre, round(genres.get(genre, 0.0), 4), mood, round(moods[mood], 4), tuple(why), dict(genres), dict(moods)
    )


def _unsure(notes: list[str], genres: Sequence[str]) -> Suggestion:
    shares = dict.fromkeys(genres, 1.0 / len(genres))
    why = (*notes, "unsure: neither picture nor words say anything")
    return Suggestion(UNSURE_GENRE, shares[UNSURE_GENRE], UNSURE_MOOD, 0.0, why, shares, {UNSURE_MOOD: 1.0})


def names_of(paths: Sequence[Path]) -> list[str]:
    """What the names of files may say: `beach_sunset-final.mp4` -> "beach sunset"; IMG_0001 says nothing."""
    found = [[word for word in words_in(path.stem) if word.lower() not in NAME_NOISE] for path in paths]
    return list(dict.fromkeys(" ".join(words) for words in found if words))
