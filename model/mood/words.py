"""What the words of a description say of mood and genre: a lexicon of our own, stems, and negation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from hitpoint.model.errors import InputError
from hitpoint.model.mood.affect import CENTRES, TENSIONS
from hitpoint.model.mood.shares import Source, shares_of
from hitpoint.model.mood.types import LONGEST_TEXT, MOODS
from hitpoint.model.music.score import GENRES

LEXICON = Path(__file__).with_name("lexicon.tsv")
NEGATIONS = frozenset(
    ("no", "not", "never", "without", "nobody", "nothing", "none", "neither", "nor", "hardly", "cannot", "isn", "aren",
     "wasn", "don", "doesn")
)  # fmt: skip
NAMED = 5
"""Words that are named as the reason."""
NEGATED_WORDS = 3
"""A negation turns so many of the words after it round."""
SHARPNESS, NEUTRAL_PULL, HEARD, USUAL_TENSION = 3.0, 0.33, 0.12, 0.25
"""Nats that a word adds to a mood for each unit of what it has in common with it (the product of their valence,
arousal and tension over USUAL_TENSION) and HEARD, less NEUTRAL_PULL for each unit of the mood's own size, so that words
which say little speak for neutral. Chosen on the half of our scene descriptions that is not kept aside."""
VOTE_NATS, MOOD_NATS = 0.9, 1.0
"""Nats of a genre for each vote of a word, and for the mood's own leaning to it."""
GENRES_OF_MOOD: dict[str, dict[str, float]] = {
    "exciting": {"rock": 0.7, "pop": 0.5, "dance": 0.4, "electronic": 0.2},
    "fearful": {"orchestral": 0.8, "electronic": 0.7, "metal": 0.3},
    "tense": {"electronic": 0.9, "orchestral": 0.8},
    "sad": {"orchestral": 0.8, "pop": 0.7},
    "relaxing": {"pop": 0.7, "country": 0.4, "electronic": 0.5, "orchestral": 0.2},
    "neutral": {"pop": 0.8, "electronic": 0.8},
}
"""Votes of a mood that is certain."""
_WORD = re.compile(r"[a-zA-Z]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ENDINGS = ("ingly", "edly", "iness", "ness", "ing", "ies", "ied", "ed", "es", "ly", "s")


@dataclass(frozen=True)
class Word:
    """valence, arousal −1..1, tension 0..1; votes: genre -> how much it speaks for it."""

    valence: float
    arousal: float
    tension: float
    votes: tuple[tuple[str, float], ...] = ()


def stem(word: str) -> str:
    """A word without its endings: "running", "runs" -> "run". The same rule stands for text and lexicon."""
    word = word.lower()
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
                word = word[:-1]
            break
    word = word.removesuffix("e") if len(word) > 3 else word
    return word[:-1] + "i" if word.endswith("y") and len(word) > 2 else word


def read_lexicon(path: Path) -> dict[str, Word]:
    """Stem -> what it says. Columns: words, valence, arousal, tension, genres ("rock pop:0.5"); # begins a comment.

    A stem that stands on several lines says their mean. Raises InputError with the number of a line that is wrong.
    """
    found: dict[str, list[Word]] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a lexicon ({error}); it is a UTF-8 text with tabs") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            words, *figures = line.split("\t")[:4]
            valence, arousal, tension = (float(each) for each in figures)
            if not (abs(valence) <= 1 and abs(arousal) <= 1 and 0 <= tension <= 1):
                raise ValueError("out of range")
            word = Word(valence, arousal, tension, votes_of("".join(line.split("\t")[4:5])))
        except ValueError:
            raise InputError(
                f"{path.name}, line {number}: it must hold words, valence and arousal (-1..1), tension (0..1) and "
                "genres, with tabs between them"
            ) from None
        for each in dict.fromkeys(stem(text) for text in _WORD.findall(words)):
            found.setdefault(each, []).append(word)
    return {each: _mean(words) for each, words in found.items()}


def votes_of(text: str) -> tuple[tuple[str, float], ...]:
    """ "rock pop:0.5" -> genres with their weights. Raises ValueError for another genre."""
    votes = []
    for each in text.split():
        genre, _, weight = each.partition(":")
        if genre not in GENRES:
            raise ValueError(genre)
        votes.append((genre, float(weight or 1.0)))
    return tuple(votes)


def _mean(words: list[Word]) -> Word:
    figures = np.mean([(word.valence, word.arousal, word.tension) for word in words], axis=0).tolist()
    votes: dict[str, float] = {}
    for word in words:
        for genre, weight in word.votes:
            votes[genre] = votes.get(genre, 0.0) + weight / len(words)
    return Word(figures[0], figures[1], figures[2], tuple(votes.items()))


@cache
def lexicon() -> Mapping[str, Word]:
    """Our own words, and over them those of the user's `lexicon.tsv` in the configuration's folder."""
    import platformdirs

    own = Path(platformdirs.user_config_dir("hitpoint")) / "lexicon.tsv"
    return {**read_lexicon(LEXICON), **(read_lexicon(own) if own.is_file() else {})}


def heard(text: str) -> list[tuple[str, Word]]:
    """The words of the first LONGEST_TEXT letters of `text` that the lexicon knows, as written, negations obeyed."""
    known, found, turned = lexicon(), [], 0
    for token in _WORD.findall(_HUMP.sub(" ", text[:LONGEST_TEXT].replace("_", " "))):
        if token.lower() in NEGATIONS:
            turned = NEGATED_WORDS
            continue
        word = known.get(token.lower()) or known.get(stem(token))
        if word is not None:
            found.append((token, Word(-word.valence, 0.5 * word.arousal, 0.5 * word.tension) if turned else word))
        turned = max(0, turned - 1)
    return found


def from_words(texts: Iterable[str]) -> Source | None:
    """What all texts say together; None where no word of them is known."""
    found = [pair for text in texts for pair in heard(text)]
    if not found:
        return None
    telling = sorted(found, key=lambda pair: -abs(pair[1].valence) - abs(pair[1].arousal))
    names = list(dict.fromkeys(token.lower() for token, _ in telling))[:NAMED]
    return source_of("words", [(1.0, word) for _, word in found], f"words: {', '.join(names)}")


def source_of(name: str, words: Sequence[tuple[float, Word]], why: str) -> Source:
    """What words, each with its weight, say together."""
    moods = {mood: sum(weight * _agreement(word, mood) for weight, word in words) for mood in MOODS}
    votes = dict.fromkeys(GENRES, 0.0)
    for weight, word in words:
        for genre, vote in word.votes:
            votes[genre] += VOTE_NATS * weight * vote
    mood_shares = shares_of(moods)
    for mood, share in mood_shares.items():
        for genre, vote in GENRES_OF_MOOD[mood].items():
            votes[genre] += MOOD_NATS * share * vote
    return Source(name, mood_shares, shares_of(votes), why)


def _agreement(word: Word, mood: str) -> float:
    """Nats that a word adds to a mood; to neutral none."""
    if mood == "neutral":
        return 0.0
    valence, arousal = CENTRES[mood]
    tension = TENSIONS[mood] - USUAL_TENSION
    common = word.valence * valence + word.arousal * arousal + (word.tension - USUAL_TENSION) * tension
    return SHARPNESS * (common + HEARD - NEUTRAL_PULL * (valence**2 + arousal**2 + tension**2))
