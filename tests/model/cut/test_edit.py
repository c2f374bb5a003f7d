"""Where an edit is cut and what stands where: on beats, as long as the music, another look at each turn."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hitpoint.model.cut.edit import Cutting, cut_to
from hitpoint.model.cut.music import Music
from hitpoint.model.cut.read import read_music
from hitpoint.model.cut.shots import Footage, Shot, kinds_of
from hitpoint.model.cut.slots import slots_of
from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.video.types import Clip
from tests.model.cut.songs import others_song, our_song

RATES = (24.0, 25.0, 30000 / 1001, 60.0)


def footage(shots: int = 12, looks: int = 3, seconds: float = 12.0, fps: float = 25.0, clips: int = 4) -> Footage:
    """Shots of so many colours; the higher its number, the more a colour moves."""
    found = []
    for number in range(shots):
        clip, look = Clip(Path(f"/m/{number % clips}.mp4")), number % looks
        start_s = 0.08 + (seconds + 0.16) * (number // clips)
        colour = (60.0 + 60 * look, 128.0 - 20 * look, 128.0 + 20 * look, 10.0, 3.0, 3.0)
        found.append(Shot(clip, start_s, start_s + seconds, colour, 0.01 * 5**look + 0.0001 * number))
    return Footage(tuple(kinds_of(found)), fps, 320, 180)


def song(tmp_path: Path, sections: str = "AABBAABB", **more: float) -> Music:
    our_song(tmp_path / "song.mid", sections, **more)
    return read_music(tmp_path / "song.mid")


def check(cutting: Cutting, music: Music) -> None:
    """What holds for every edit."""
    fps = cutting.fps
    parts = cutting.parts
    assert parts[0].slot.first == 0 and parts[-1].slot.end == cutting.frames == round(music.duration_s * fps)
    assert all(a.slot.end == b.slot.first for a, b in pairwise(parts))
    on_beats = {math.floor(beat_s * fps + 0.5) for beat_s in music.beats_s.tolist()}
    assert {part.slot.first for part in parts[1:]} <= on_beats
    turned = {min(on_beats, key=lambda frame: abs(frame / fps - section.start_s)) for section in music.sections[1:]}
    assert turned <= {part.slot.first for part in parts}
    for part in parts:
        assert part.shot.in_s - 1e-6 <= part.clip.in_s and (part.clip.out_s or 0.0) <= part.shot.out_s + 1e-6
        assert ((part.clip.out_s or 0.0) - part.clip.in_s) * fps == pytest.approx(part.slot.frames)
        assert part.clip.in_s * fps == pytest.approx(round(part.clip.in_s * fps))
    for one, other in pairwise(parts):  # a cut is seen
        assert one.clip.path != other.clip.path or abs((one.clip.out_s or 0.0) - other.clip.in_s) > 0.5 / fps


@pytest.mark.parametrize("fps", RATES)
def test_every_cut_is_on_a_beat_and_the_length_exact(tmp_path: Path, fps: float) -> None:
    music = song(tmp_path)
    check(cut_to(music, footage(), fps), music)


def test_the_look_changes_where_the_music_turns_and_hardly_elsewhere(tmp_path: Path) -> None:
    music = song(tmp_path, "AABBAABBAABB")
    parts = cut_to(music, footage(24)).parts
    turns = [a.shot.look != b.shot.look for a, b in pairwise(parts) if a.slot.section != b.slot.section]
    inside = [a.shot.look != b.shot.look for a, b in pairwise(parts) if a.slot.section == b.slot.section]
    assert all(turns) and np.mean(inside) < 0.2
    looks = [part.shot.look for part in parts]
    rng, by_chance = random.Random(0), []
    for _ in range(200):
        rng.shuffle(looks)
        sections = [part.slot.section for part in parts]
        by_chance.append(
            np.mean([a != b for (a, b), (s, t) in zip(pairwise(looks), pairwise(sections), strict=False) if s != t])
        )
    assert np.mean(by_chance) < 0.8
    assert {part.shot.look for part in parts if part.slot.label == "A"}.isdisjoint(
        {part.shot.look for part in parts if part.slot.label == "B"}
    )


def test_where_the_music_is_dense_shots_are_short_and_move(tmp_path: Path) -> None:
    music = song(tmp_path)
    parts = cut_to(music, footage(24)).parts
    calm, busy = ([part for part in parts if part.slot.label == label] for label in "AB")
    assert np.mean([part.slot.frames for part in calm]) > 1.5 * np.mean([part.slot.frames for part in busy])
    assert np.mean([part.shot.pace for part in calm]) + 0.3 < np.mean([part.shot.pace for part in busy])


def test_the_pace_is_the_users(tmp_path: Path) -> None:
    music = song(tmp_path)
    counts = [len(slots_of(music, 25.0, 12.0, pace)) for pace in (0.5, 1.0, 2.0, 8.0)]
    assert counts == sorted(set(counts))
    with pytest.raises(UsageError, match="pace"):
        slots_of(music, 25.0, 12.0, 0.0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((1, 1, 8.0), "look alike"),  # one clip of one shot, shorter than a section
        ((1, 1, 0.6), "less footage"),  # hardly longer than a beat
        ((40, 8, 3.0), ""),
        ((2, 2, 200.0), ""),
    ],
)
def test_little_and_much_footage(tmp_path: Path, given: tuple[int, int, float], words: str) -> None:
    music = song(tmp_path)
    cutting = cut_to(music, footage(*given))
    check(cutting, music)
    assert any(words in note for note in cutting.notes) if words else not cutting.notes


def test_clips_shorter_than_a_beat_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no shot .* is longer than 0\.32 s"):
        cut_to(song(tmp_path), footage(3, 1, 0.35))


def test_three_four_is_cut_by_its_bars(tmp_path: Path) -> None:
    others_song(tmp_path / "a.mid", markers="Intro,Chorus")
    music = read_music(tmp_path / "a.mid")
    cutting = cut_to(music, footage(clips=3))
    check(cutting, music)
    bar_s = 3 * 60 / 96
    intro = [part.slot.first / 25 for part in cutting.parts if part.slot.label == "Intro"]
    assert [at_s / bar_s for at_s in intro] == pytest.approx([round(at_s / bar_s) for at_s in intro], abs=0.02)


def test_rates_mean_what_they_are_usually_called(tmp_path: Path) -> None:
    assert cut_to(song(tmp_path), footage(), 29.97).fps == 30000 / 1001


def test_the_same_again(tmp_path: Path) -> None:
    music = song(tmp_path)
    assert cut_to(music, footage(30, 5)).clips == cut_to(music, footage(30, 5)).clips
