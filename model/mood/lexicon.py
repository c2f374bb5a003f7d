"""Our own English lexicon: what words and short phrases say of mood and genre, and in which forms they are known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from hitpoint.model.errors import InputError
from hitpoint.model.music.score import GENRES

_Key = TypeVar("_Key")
LEXICON = Path(__file__).with_name("lexicon.tsv")
LONGEST_PHRASE = 4
LEAST_STEM = 2
"""Letters that must be left of a word without its ending."""
LEAST_BASE = 4
"""Letters that must be left of a word without its suffix, and of each half of a compound."""
LEAST_NEGATED = 0.3
"""Size of the valence from which on un- and -less turn a word round: "unhappy", but not "unbox"."""
NEGATED_VALENCE, NEGATED_AROUSAL, NEGATED_TENSION = -0.7, -0.5, 0.3
"""What a negation makes of each figure: "not afraid" is calm rather than glad, "nobody laughed" is sad, not wild."""
_WORD = re.compile(r"=?[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_ENDINGS = ("ingly", "edly", "iness", "ness", "ing", "ies", "ied", "ed", "es", "ly", "s")
_SUFFIXES = ("fully", "ful", "iest", "est", "iers", "ier", "ers", "er", "ors", "or", "ments", "ment", "ish", "able",
             "like", "y")  # fmt: skip
"""Taken from a word that is not known with them. What is left must be a word of the lexicon."""


@dataclass(frozen=True)
class Word:
    """valence, arousal −1..1, tension 0..1; votes: genre -> how much it speaks for it."""

    valence: float
    arousal: float
    tension: float
    votes: tuple[tuple[str, float], ...] = ()

    def negated(self) -> Word:
        """What "not" before it makes of it; for no genre."""
        return Word(NEGATED_VALENCE * self.valence, NEGATED_AROUSAL * self.arousal, NEGATED_TENSION * self.tension)


@dataclass(frozen=True)
class Lexicon:
    """exact: words as written; stems: what they are forms of; phrases: the stems of several words in a row."""

    exact: Mapping[str, Word]
    stems: Mapping[str, Word]
    phrases: Mapping[tuple[str, ...], Word]

    def __len__(self) -> int:
        return len(self.exact) + len(self.phrases)


def stem(word: str) -> str:
    """A word without its endings: "running", "runs" -> "run". The same rule stands for text and lexicon."""
    base = bases(word.lower())[-1]
    return base.removesuffix("e") if len(base) > 3 else base


def bases(word: str) -> tuple[str, ...]:
    """What a word in lower letters may be a form of, likeliest first, y written as i: "staring" -> "stare", "star"."""
    for ending in _ENDINGS:
        base = word.removesuffix(ending)
        if base == word or len(base) < LEAST_STEM or (ending == "s" and base[-1] == "s"):
            continue
        if ending[0] == "i" and ending not in ("ing", "ingly"):
            return base + "ie", base + "i"
        if base[-1] == base[-2]:
            return base, _undoubled(base)
        return (base + "e", base) if ending not in ("s", "ly", "ness") else (_with_i(word), _with_i(base))
    return (_with_i(word),)


def _with_i(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and len(word) > 2 else word


def read_lexicon(path: Path) -> Lexicon:
    """The lexicon in a file. Columns: words, valence, arousal, tension, genres ("rock pop:0.5"); # begins a comment.

    A word with hyphens is a phrase; one after = is known in no other form. A form that stands on several lines says
    their mean. Raises InputError with the number of a line that is wrong.
    """
    exact: dict[str, list[Word]] = {}
    stems: dict[str, list[Word]] = {}
    phrases: dict[tuple[str, ...], list[Word]] = {}
    try:
        text = unicodedata.normalize("NFC", path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a lexicon ({error}); it is a UTF-8 text with tabs") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        forms, word = _read_line(line, f"{path.name}, line {number}")
        for form in forms:
            if len(parts := form.split("-")) > 1:
                phrases.setdefault(tuple(stem(part) for part in parts), []).append(word)
            else:
                exact.setdefault(form.removeprefix("="), []).append(word)
        for each in dict.fromkeys(base for form in forms if form.isalpha() for base in bases(form)):
            stems.setdefault(each, []).append(word)
    return Lexicon(_means(exact), _means(stems), _means(phrases))


def _read_line(line: str, where: str) -> tuple[list[str], Word]:
    try:
        words, *figures = line.split("\t")[:4]
        valence, arousal, tension = (float(each) for each in figures)
        if not (abs(valence) <= 1 and abs(arousal) <= 1 and 0 <= tension <= 1):
            raise ValueError("out of range")
        word = Word(valence, arousal, tension, votes_of("".join(line.split("\t")[4:5])))
    except ValueError:
        raise InputError(
            f"{where}: it must hold words, valence and arousal (-1..1), tension (0..1) and genres, with tabs between "
            "them"
        ) from None
    return list(dict.fromkeys(form.lower() for form in _WORD.findall(words))), word


def votes_of(text: str) -> tuple[tuple[str, float], ...]:
    """ "rock pop:0.5" -> genres with their weights. Raises ValueError for another genre."""
    votes = []
    for each in text.split():
        genre, _, weight = each.partition(":")
        if genre not in GENRES:
            raise ValueError(genre)
        votes.append((genre, float(weight or 1.0)))
    return tuple(votes)


def _means(found: Mapping[_Key, Sequence[Word]]) -> dict[_Key, Word]:
    return {key: words[0] if len(words) == 1 else _mean(words) for key, words in found.items()}


def _mean(words: Sequence[Word]) -> Word:
    figures = np.mean([(word.valence, word.arousal, word.tension) for word in words], axis=0).tolist()
    votes: dict[str, float] = {}
    for word in words:
        for genre, weight in word.votes:
            votes[genre] = votes.get(genre, 0.0) + weight / len(words)
    return Word(figures[0], figures[1], figures[2], tuple(votes.items()))


@cache
def lexicons() -> tuple[Lexicon, ...]:
    """The user's `lexicon.tsv` in the configuration's folder, if there is one, and our own: the first that knows a word
    says it.
    """
    import platformdirs

    own = Path(platformdirs.user_config_dir("hitpoint")) / "lexicon.tsv"
    return (*((read_lexicon(own),) if own.is_file() else ()), read_lexicon(LEXICON))


def known(token: str) -> tuple[Word, ...]:
    """What a word says, as it is, without a prefix or suffix, or as a compound of two; () where it is not known."""
    token = token.lower()
    for each in lexicons():
        found = _derived(each, token)
        if found is not None:
            return (found,)
    return _compound(token)


def phrase(tokens: Sequence[str]) -> Word | None:
    """What words in a row say together."""
    key = tuple(stem(token) for token in tokens)
    return next((each.phrases[key] for each in lexicons() if key in each.phrases), None)


def _derived(lexicon: Lexicon, token: str) -> Word | None:
    found = _listed(lexicon, token)
    if found is not None:
        return found
    for base in _turned_round(token):
        found = _listed(lexicon, base)
        if found is not None and abs(found.valence) >= LEAST_NEGATED:
            return found.negated()
    for suffix in _SUFFIXES:
        if token.endswith(suffix) and len(token) - len(suffix) >= LEAST_BASE - 1:
            base = token.removesuffix(suffix)
            for form in (base, _undoubled(base), base + "e"):
                found = _listed(lexicon, form)
                if found is not None:
                    return found
    return None


def _listed(lexicon: Lexicon, token: str) -> Word | None:
    keys = (lexicon.exact.get(token), *(lexicon.stems.get(base) for base in bases(token)))
    return next((found for found in keys if found is not None), None)


def _turned_round(token: str) -> Iterator[str]:
    if token.startswith("un") and len(token) >= 2 + LEAST_BASE:
        yield token[2:]
    if token.endswith("less") and len(token) >= 4 + LEAST_BASE:
        yield token[:-4]


def _undoubled(base: str) -> str:
    """ "runn" -> "run"."""
    return base[:-1] if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "ls" else base


def _compound(token: str) -> tuple[Word, ...]:
    """ "beachparty", "sunsetbeach": two words written as one, as in the names of files."""
    for at in range(LEAST_BASE, len(token) - LEAST_BASE + 1):
        halves = token[:at], token[at:]
        together = phrase(halves)
        if together is not None:
            return (together,)
        found = [next((word for each in lexicons() if (word := _listed(each, half))), None) for half in halves]
        if found[0] is not None and found[1] is not None:
            return (found[0], found[1])
    return ()
