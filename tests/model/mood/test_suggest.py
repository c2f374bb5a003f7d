"""Words, pictures and what they suggest; the held-out half of our descriptions is measured here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from hitpoint.model.errors import InputError
from hitpoint.model.mood.lexicon import LEXICON, bases, known, lexicons, phrase, read_lexicon, stem
from hitpoint.model.mood.shares import Source
from hitpoint.model.mood.suggest import names_of, suggest
from hitpoint.model.mood.types import LONGEST_TEXT, MOODS
from hitpoint.model.mood.words import from_words, heard
from hitpoint.model.music.score import GENRES
from tests.model.mood.test_curve import rhythm

SCENES = Path(__file__).with_name("scenes.tsv")
CLIP_NAMES = SCENES.with_name("clip_names.tsv")
ROWS = [line.split("\t") for line in SCENES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
KEPT_ASIDE = ROWS[::2]


def ranked(text: str) -> tuple[list[str], list[str]]:
    found = suggest(None, text)
    return tuple(sorted(shares, key=lambda name: -shares[name]) for shares in (found.moods, found.genres))


def test_descriptions_kept_aside_are_understood():
    """Well above always saying the most frequent mood and genre."""
    moods = [ranked(text)[0] for _, _, text in KEPT_ASIDE]
    genres = [ranked(text)[1] for _, _, text in KEPT_ASIDE]
    total = len(KEPT_ASIDE)
    first = sum(found[0] == row[0] for found, row in zip(moods, KEPT_ASIDE, strict=True)) / total
    second = sum(row[0] in found[:2] for found, row in zip(moods, KEPT_ASIDE, strict=True)) / total
    genre = sum(found[0] == row[1] for found, row in zip(genres, KEPT_ASIDE, strict=True)) / total
    assert first >= 0.65 and second >= 0.85 and genre >= 0.5
    majority = Counter(row[0] for row in KEPT_ASIDE).most_common(1)[0][1] / total
    assert first > 3 * majority


def test_names_of_clips_kept_aside_are_understood():
    """Harder than whole sentences: two words, or a story that only one of many words tells."""
    rows = [line.split("\t") for line in CLIP_NAMES.read_text(encoding="utf-8").splitlines()][-50:]
    found = [suggest(None, text.replace("_", " ")) for _, _, text in rows]
    first = sum(max(each.moods, key=each.moods.get) == row[0] for each, row in zip(found, rows, strict=True)) / 50
    majority = Counter(row[0] for row in rows).most_common(1)[0][1] / 50
    assert first >= 2 * majority


def test_the_lexicon_is_sound_and_large():
    words = read_lexicon(LEXICON)
    assert len(words) > 3000
    assert all(genre in GENRES for word in {**words.exact, **words.phrases}.values() for genre, _ in word.votes)


@pytest.mark.parametrize(
    ("one", "other"),
    [("running", "runs"), ("dances", "dancing"), ("happily", "happy"), ("cries", "cry"), ("kisses", "kiss")],
)
def test_forms_of_a_word_share_a_stem(one, other):
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("one", "other"), [("his", "hiss"), ("cut", "cute"), ("star", "stare"), ("car", "care"), ("past", "paste")]
)
def test_words_that_only_look_alike_stay_apart(one, other):
    """A stem that drops an e or an s must not make another word of it."""
    assert not set(bases(one)) & set(bases(other))


@pytest.mark.parametrize(
    ("form", "base"),
    [("happiest", "happy"), ("dancer", "dance"), ("runner", "run"), ("joyful", "joy"), ("haunted", "haunt"),
     ("families", "family"), ("staring", "stare"), ("theatres", "theatre")],
)  # fmt: skip
def test_inflected_words_say_what_their_base_says(form, base, tmp_path, monkeypatch):
    own_words(f"{base}\t-1\t1\t1\tmetal:3\n", tmp_path, monkeypatch)
    assert known(form) == known(base) and known(base)[0].votes == (("metal", 3.0),)


def test_words_written_as_one_are_taken_apart():
    assert known("forestwedding") == (*known("forest"), *known("wedding"))
    assert known("roadtripping") and known("goldenhour") == (phrase(["golden", "hour"]),)
    assert known("unboxed") != (known("boxed")[0].negated(),)


@pytest.mark.parametrize(
    ("text", "mood"),
    [("they gaze at the northern lights", "relaxing"), ("the rush of joy", "exciting"), ("golden hour", "relaxing"),
     ("close-up of a hand", "neutral"), ("a race against time", "tense"), ("pitch-black cellar", "fearful"),
     ("she comes home at last", "exciting")],
)  # fmt: skip
def test_phrases_say_other_things_than_their_words(text, mood):
    assert ranked(text)[0][0] == mood


@pytest.mark.parametrize(
    ("text", "glad"),
    [("they aren't happy", False), ("they aren’t happy", False), ("she didn't win", False), ("unhappy", False),
     ("joyless", False), ("nobody came to his birthday", False), ("no peace", False),
     ("there is nothing to fear", True), ("he isn't afraid any more", True), ("nothing but joy", True),
     ("not only beautiful", True), ("no, a happy day", True), ("she can't stop smiling", True),
     ("the child stops crying", True), ("not without hope", True),
     ("nobody laughs in the abandoned asylum", False), ("she does not sleep under the lovely stars", True)],
)  # fmt: skip
def test_negations_reach_as_far_as_they_mean(text, glad):
    found = heard(text)
    assert found and (sum(word.valence for _, word in found) > 0) == glad


def test_what_is_negated_is_milder():
    """Not afraid is calm, not glad and wild; a birthday that nobody came to is sad, not frightening."""
    assert ranked("he is not afraid")[0][0] == "relaxing" and ranked("nobody laughed")[0][0] == "sad"


def test_negation_turns_a_word_round():
    glad, not_glad = (from_words(text) for text in ("they are happy", "they are not happy"))
    assert glad.moods["exciting"] > not_glad.moods["exciting"]
    assert heard("never a happy day")[0][1].valence < 0


def test_a_description_outweighs_the_names_of_files():
    """A camera's folder or a working title must not outvote what the user says."""
    names = ["happy summer holiday", "joy"]
    assert suggest(None, "a funeral", names).mood == "sad" and suggest(None, "", names).mood == "exciting"


def test_a_description_of_which_no_word_is_known_is_told_so():
    assert any("no word of the description" in reason for reason in suggest(None, "une plage au soleil").why)
    assert not any("no word of the description" in reason for reason in suggest(None, "a beach").why)


def test_words_that_say_nothing_are_unsure():
    for text in ("", "xyzzy qwerty", "12345", "\0\0"):
        found = suggest(None, text)
        assert (found.genre, found.mood) == ("pop", "neutral") and "unsure" in found.why[-1]


def test_a_description_without_end_is_cut_and_says_so():
    found = suggest(None, "a funeral in the rain " * 500_000)
    assert any(f"{LONGEST_TEXT:,}" in reason for reason in found.why) and found.mood == "sad"
    assert len(heard("happy " * 10_000)) <= LONGEST_TEXT / 6 + 1


def test_sources_that_contradict_each_other_are_unsure():
    def source(name: str, mood: str, genre: str) -> Source:
        moods = {each: 0.9 if each == mood else 0.02 for each in MOODS}
        genres = {each: 0.88 if each == genre else 0.02 for each in GENRES}
        return Source(name, moods, genres, name)

    parts = [source("scenes", "sad", "metal"), source("words", "exciting", "pop"), source("picture", "tense", "rock")]
    found = suggest(None, more=parts)
    assert (found.genre, found.mood) == ("pop", "neutral") and "unsure" in found.why[-1]


def test_a_source_that_hardly_says_anything_does_not_water_down_another():
    def source(name: str, sharpest: float) -> Source:
        rest = (1.0 - sharpest) / (len(MOODS) - 1)
        genres = dict.fromkeys(GENRES, 1.0 / len(GENRES))
        return Source(name, {each: sharpest if each == "tense" else rest for each in MOODS}, genres, name)

    alone = suggest(None, more=[source("picture", 0.7)])
    beside = suggest(None, more=[source("words", 0.2), source("picture", 0.7)])
    assert alone.moods["tense"] == pytest.approx(0.7) and beside.moods["tense"] > 0.65


def test_the_picture_speaks_and_a_black_one_does_not():
    calm = suggest(rhythm((0.8,), (0.4,), (0.01,)))
    wild = suggest(rhythm((0.15,), (0.3,), (0.3,), tuple(float(i) for i in range(1, 39))))
    assert calm.mood == "relaxing" and wild.mood in ("fearful", "tense")
    black = suggest(rhythm((0.0,), (0.0,)))
    assert (black.genre, black.mood) == ("pop", "neutral") and any("black" in reason for reason in black.why)


def test_a_grey_film_still_speaks_by_its_motion():
    """Black and white says nothing of glad or sad, but a chase stays a chase."""
    cuts_s = tuple(float(i) for i in range(1, 39))
    wild, calm = (suggest(rhythm((0.45,), (0.0,), motion, cuts)) for motion, cuts in (((0.35,), cuts_s), ((0.01,), ())))
    lively = ("exciting", "fearful", "tense")
    assert sum(wild.moods[mood] for mood in lively) > 0.7 > 0.3 > sum(calm.moods[mood] for mood in lively)
    assert "without colour, lively" in wild.why[0] and any("grey" in reason for reason in wild.why)


def test_a_plain_card_has_next_to_no_mood():
    card, scene = (suggest(rhythm((0.25,), (0.3,), (0.0,), spread=spread)) for spread in (3.0, 40.0))
    assert card.mood == "neutral" and scene.mood == "sad" and "nearly plain" in card.why[0]


def test_light_and_motion_alone_make_nothing_certain():
    assert max(suggest(rhythm((0.7,), (0.2,), (0.01,))).genres.values()) < 0.6


def test_cold_colours_lean_to_electronic_and_green_ones_to_country():
    def shares(bgr):
        film = rhythm((0.55,), (0.5,), (0.02,))
        film.measured["palette"]["swatches"][:] = bgr
        return suggest(film).genres

    cold, green, warm = shares((200, 120, 20)), shares((30, 160, 90)), shares((30, 90, 200))
    assert cold["electronic"] > 1.5 * max(green["electronic"], warm["electronic"])
    assert green["country"] > 1.5 * max(cold["country"], warm["country"])


def test_only_allowed_genres_are_suggested():
    assert suggest(None, "a cowboy rides across the prairie", genres=("pop", "metal")).genre in ("pop", "metal")


@pytest.mark.parametrize("name", ["IMG_0001.mp4", "MVI_2231.MOV", "final_cut_v3.mp4", "clip.mov", "0001.mkv"])
def test_names_of_files_that_say_nothing(name):
    assert from_words("", names_of([Path(name)])) is None


def test_names_of_files_that_say_something():
    assert {word for word, _ in heard(names_of([Path("BeachSunset_02.mp4")])[0])} == {"Beach", "Sunset"}


def own_words(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`text` as the user's own lexicon for the rest of a test."""
    import platformdirs

    (folder / "lexicon.tsv").write_text(text, encoding="utf-8")
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *_: str(folder))
    lexicons.cache_clear()


@pytest.fixture(autouse=True)
def fresh_lexicons():
    yield
    lexicons.cache_clear()


def test_words_of_ones_own_win(tmp_path, monkeypatch):
    own_words("zorble happy\t-1\t1\t1\tmetal:3\nhappy-hour\t0\t0\t0\tpop\n", tmp_path, monkeypatch)
    assert heard("a zorble")[0][1].votes == (("metal", 3.0),)
    assert heard("happy")[0][1].valence == heard("happily")[0][1].valence == -1
    assert [word for word, _ in heard("happy hour")] == ["happy hour"]


def test_words_of_ones_own_may_be_of_any_script(tmp_path, monkeypatch):
    """File names of a Mac hold letters and accents apart."""
    own_words("море\t0.5\t-0.5\t0\nMädchen\t0.6\t0.2\t0\n", tmp_path, monkeypatch)
    assert heard("Синее море")[0][1].valence == 0.5
    assert heard(names_of([Path("Ma\u0308dchen_am_Strand.mp4")])[0])[0][1].valence == 0.6


@pytest.mark.parametrize("line", ["happy\t2\t0\t0\t", "happy\tmuch\t0\t0\t", "happy", "happy\t0\t0\t0\tpolka"])
def test_a_wrong_line_is_named(tmp_path, line):
    path = tmp_path / "lexicon.tsv"
    path.write_text(f"# mine\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"lexicon\.tsv, line 2"):
        read_lexicon(path)
