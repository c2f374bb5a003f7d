"""What the words of a description say of mood and genre, negation obeyed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from hitpoint.model.mood.affect import CENTRES, TENSIONS
from hitpoint.model.mood.lexicon import LONGEST_PHRASE, Word, known, phrase
from hitpoint.model.mood.shares import Source, shares_of
from hitpoint.model.mood.types import LONGEST_TEXT, MOODS
from hitpoint.model.music.score import GENRES

NEGATIONS = frozenset(
    ("no", "not", "never", "without", "nobody", "nothing", "none", "neither", "nor", "hardly", "cannot", "cant", "dont",
     "doesnt", "didnt", "isnt", "wasnt", "wont", "barely", "nowhere")
)  # fmt: skip
"""Beside every word that ends in n't."""
NOT_NEGATED = frozenset(("only", "just", "but"))
"""After a negation they take it back: "nothing but joy"."""
SCOPE_ENDS = frozenset(
    ("after", "among", "around", "at", "because", "before", "behind", "below", "but", "by", "during", "from", "if",
     "in", "inside", "into", "near", "on", "outside", "over", "since", "so", "that", "through", "under", "until",
     "when", "where", "which", "while", "who")
)  # fmt: skip
"""Where a negation's clause ends without a mark: "nobody laughs in the dark house"."""
CEASING = frozenset(("stop", "stops", "stopped", "stopping", "quit", "quits"))
"""Before a word in -ing they negate it: "stops crying", "cannot stop smiling"."""
FUNCTION_WORDS = frozenset(
    ("a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "did", "do", "does", "for", "from", "had",
     "has", "have", "he", "her", "hers", "him", "his", "i", "if", "in", "into", "is", "it", "its", "me", "my", "of",
     "off", "on", "or", "our", "out", "over", "own", "she", "so", "than", "that", "the", "their", "them", "then",
     "there", "these", "they", "this", "those", "to", "too", "up", "us", "was", "we", "were", "what", "when",
     "where", "which", "who", "will", "with", "you", "your")
)  # fmt: skip
"""They say nothing, and a negation reaches over them: "nobody came to his birthday"."""
NAME_WEIGHT = 0.4
"""Of a word in a name or title, where there is a description as well; a description is not to be outvoted."""
NAMED = 5
"""Words that are named as the reason."""
NEGATED_WORDS = 3
"""A negation turns so many of the words after it round, as far as the clause goes."""
SHARPNESS, NEUTRAL_PULL, HEARD, USUAL_TENSION = 3.0, 0.36, 0.08, 0.25
"""Nats that a word adds to a mood for each unit of what it has in common with it (the product of their valence,
arousal and tension over USUAL_TENSION) and HEARD, less NEUTRAL_PULL for each unit of the mood's own size, so that words
which say little speak for neutral. Chosen on the half of our scene descriptions that is not kept aside."""
GRAVITY = 0.5
"""A word counts so much more for each unit of sadness, and of tension over the usual: one bad thing in a scene
outweighs the pleasant ones around it (Baumeister et al. 2001). Chosen on the same descriptions."""
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
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_WORD_OR_MARK = re.compile(_WORD.pattern + r"|[.,;:!?()\n]")
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")


def words_in(text: str, pattern: re.Pattern[str] = _WORD) -> list[str]:
    """The words of a text in any script; those of `BeachSunset_02` are Beach and Sunset. Accents that are written apart
    from their letters, as in the names of a Mac's files, join them.
    """
    plain = unicodedata.normalize("NFC", text).replace("_", " ")
    return pattern.findall(_HUMP.sub(" ", plain))


def heard(text: str) -> list[tuple[str, Word]]:
    """The words and phrases of the first LONGEST_TEXT letters of `text` that the lexicon knows, as written, negations
    obeyed.
    """
    return [pair for clause in _clauses(text) for pair in _heard_in(clause)]


def _clauses(text: str) -> Iterator[list[str]]:
    """The words between marks of punctuation."""
    clause: list[str] = []
    for token in words_in(text[:LONGEST_TEXT], _WORD_OR_MARK):
        if token[0].isalpha():
            clause.append(token)
        elif clause:
            yield clause
            clause = []
    yield clause


def _heard_in(clause: Sequence[str]) -> Iterator[tuple[str, Word]]:
    at, turned = 0, 0
    while at < len(clause):
        length, words = _said_at(clause, at)
        following = clause[at + 1].lower() if at + 1 < len(clause) else ""
        if length == 1 and _negates(clause[at]):
            turned = 0 if turned or following in NOT_NEGATED else NEGATED_WORDS
        elif length == 1 and clause[at].lower() in CEASING and following.endswith("ing"):
            turned = 0 if turned else 1
        elif length == 1 and clause[at].lower() in SCOPE_ENDS:
            turned = 0
        else:
            written = " ".join(clause[at : at + length])
            yield from ((written, word.negated() if turned else word) for word in words)
            turned = max(0, turned - (length if clause[at].lower() not in FUNCTION_WORDS else 0))
        at += length


def _said_at(clause: Sequence[str], at: int) -> tuple[int, tuple[Word, ...]]:
    """How many words from `at` on belong together, and what they say."""
    for length in range(min(LONGEST_PHRASE, len(clause) - at), 1, -1):
        found = phrase(clause[at : at + length])
        if found is not None:
            return length, (found,)
    alone = re.sub("['’]s$", "", clause[at])
    return 1, () if alone.lower() in FUNCTION_WORDS else known(alone)


def _negates(token: str) -> bool:
    token = token.lower().replace("’", "'")
    return token in NEGATIONS or token.endswith("n't")


def from_words(describe: str, names: Iterable[str] = ()) -> Source | None:
    """What a description and names say together; None where no word of them is known. Beside a description all names
    together count NAME_WEIGHT of it at most.
    """
    described, named = heard(describe), [pair for name in names for pair in heard(name)]
    weight = NAME_WEIGHT * min(1.0, len(described) / max(1, len(named))) if described else 1.0
    found = [(1.0, *pair) for pair in described] + [(weight, *pair) for pair in named]
    if not found:
        return None
    telling = sorted(found, key=lambda each: -each[0] * (abs(each[2].valence) + abs(each[2].arousal)))
    spoken = list(dict.fromkeys(token.lower() for _, token, _ in telling))[:NAMED]
    return source_of("words", [(weight, word) for weight, _, word in found], f"words: {', '.join(spoken)}")


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
    gravity = 1.0 + GRAVITY * (max(0.0, -word.valence) + max(0.0, word.tension - USUAL_TENSION))
    return gravity * SHARPNESS * (common + HEARD - NEUTRAL_PULL * (valence**2 + arousal**2 + tension**2))
