"""What segments sound like, what shots they would cast, and what is learnt and kept of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.associate.association import SHIPPED, load
from hitpoint.model.associate.looks import ranked
from hitpoint.model.associate.mine import FEWEST, Song, about, chord_numbers, mined, song_of
from hitpoint.model.associate.plot import leanings, plot, strongest
from hitpoint.model.associate.segments import segments
from hitpoint.model.associate.sounds import SOUNDS, SUMS, bar_sums, sounds
from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.mood.looks import LOOKS
from hitpoint.model.music.tokens import Notes, sort_notes


def piece(kinds: str = "AABBAABB", bars: int = 4) -> tuple[Notes, int]:
    """A: a low chord a bar; B: high repeated notes and drums."""
    rows = []
    for bar in range(bars * len(kinds)):
        if kinds[bar // bars] == "A":
            rows += [(bar, 0, 1, pitch, 16, 50) for pitch in (48, 52, 55)]
        else:
            rows += [(bar, tick, 4, 72 + tick % 3, 2, 60 + 4 * tick) for tick in range(0, 16, 2)]
            rows += [(bar, tick, 0, 36, 1, 100) for tick in range(0, 16, 4)]
    return sort_notes(np.array(rows, np.int32)), bars * len(kinds)


def songs(count: int = 40, seed: int = 0, per_song: int = 8) -> list[Song]:
    """Made up: the more a shot moves, the more drums there are."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        looks = ranked(rng.random((per_song, len(LOOKS))))
        heard = rng.normal(0, 0.3, (per_song, len(SOUNDS)))
        heard[:, 0] += looks[:, 0] - 0.5
        found.append(Song(looks, heard - heard.mean(axis=0)))
    return found


def test_segments_follow_the_music() -> None:
    notes, bars = piece("ABBAABBA", 4)
    assert [first for first, _ in segments(notes, bars).tolist()] == [0, 4, 12, 20, 28]
    assert segments(*piece("A", 8)).tolist() == [[0, 8]]
    assert segments(*piece("AAAAA", 4)).tolist() == [[0, 8], [8, 16], [16, 20]]


def test_sounds_add_up_over_bars() -> None:
    notes, bars = piece()
    chords = chord_numbers(notes, bars)
    sums = bar_sums(notes, bars, chords)
    assert sums.shape == (bars, SUMS)
    low, high = sounds(np.stack([sums[:8].sum(axis=0), sums[8:16].sum(axis=0)]))
    named = {name: (a, b) for name, a, b in zip(SOUNDS, low, high, strict=True)}
    assert named["share of drums"] == pytest.approx((0, 1 / 3)) and named["share of piano"] == pytest.approx((1, 0))
    assert named["mean pitch"][0] == pytest.approx(155 / 3) and named["lowest pitch"][1] == pytest.approx(73, abs=0.2)
    assert named["longer"] == pytest.approx((1, 0)) and named["length 1/8"] == pytest.approx((0, 1))
    assert named["off the beat"] == pytest.approx((0, 0.5)) and named["notes a chord"] == pytest.approx((3, 1))
    assert named["likeness to the bar before"] == pytest.approx((7 / 8, 7 / 8))
    assert np.isfinite(sounds(np.zeros((1, SUMS)))).all()


def test_a_busy_segment_casts_a_shot_that_moves() -> None:
    song = song_of(*piece(), 2.0)
    names = dict(zip(LOOKS, song.looks.T, strict=True))
    assert song.looks.shape == (4, 8) and song.sounds.mean(axis=0) == pytest.approx(0)
    assert names["motion"].tolist() == pytest.approx([1 / 6, 5 / 6, 1 / 6, 5 / 6])
    assert names["contrast"][1] > names["contrast"][0]
    one = song_of(*piece("A", 8), 2.0)
    assert one.looks.tolist() == [[0.5] * 8] and not one.sounds.any()  # a song without change


@pytest.mark.parametrize("count", [40, 10])
def test_what_goes_together_is_learnt_and_kept(tmp_path: Path, count: int) -> None:
    learnt = mined(songs(count), about(songs(count), "made up"), noise=0.0)
    assert (learnt.harmonium is None) == (count * 8 < 200) == (learnt.correlation is not None)
    table = leanings(learnt)
    assert (
        np.unravel_index(table.argmax(), table.shape) == (0, 0)
        and "motion: more share of drums" in strongest(learnt)[0]
    )
    still, moving = np.full((1, 8), 0.5), np.full((1, 8), 0.5)
    still[0, 0], moving[0, 0] = 0.0, 1.0
    drummed, bare = learnt.standard(np.eye(1, 24) * 0.8), learnt.standard(np.eye(1, 24) * -0.8)
    assert learnt.fit(moving, drummed) > learnt.fit(moving, bare)
    assert learnt.fit(still, bare) > learnt.fit(still, drummed)
    learnt.save(tmp_path / "a.npz")
    again = load(tmp_path / "a.npz")
    assert again.about == {"from": "made up", "songs": str(count), "segments": str(8 * count)}
    assert again.fit(moving, drummed) == pytest.approx(learnt.fit(moving, drummed), abs=1e-3)
    plot(again, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UsageError, match="exists"):
        again.save(tmp_path / "a.npz")


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(InputError, match=f"at least {FEWEST}"):
        mined(songs(3), {}, noise=0.0)


def test_files_that_are_none_of_ours(tmp_path: Path) -> None:
    learnt = mined(songs(10), {}, noise=0.0)
    replace(learnt, spread=learnt.spread * np.nan).save(tmp_path / "nan.npz")
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for name, words in (
        ("nan", "finite"),
        ("text", "none of|no file"),
        ("other", "no file"),
        ("gone", "cannot be read"),
    ):
        with pytest.raises(InputError, match=words):
            load(tmp_path / f"{name}.npz")


def test_a_file_that_is_damaged_anywhere_is_one_sentence(tmp_path: Path) -> None:
    sound, path = SHIPPED.read_bytes(), tmp_path / "learnt.npz"
    for at in range(40, len(sound) - 40, len(sound) // 60):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0xFF]) * 8 + sound[at + 8 :])
        try:
            load(path)
        except InputError as error:
            assert path.name in str(error)


def test_what_comes_with_the_package() -> None:
    assert SHIPPED.stat().st_size < 300_000
    learnt = load()
    assert learnt.harmonium is not None and learnt.centres.shape == (64, 8) and learnt.chain.shape == (32, 32)
    assert np.exp(learnt.chain).sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert learnt.words(np.full((2, 8), 0.5)).shape == (2,) and learnt.shares(
        np.full((1, 8), 9.0)
    ).sum() == pytest.approx(1)
