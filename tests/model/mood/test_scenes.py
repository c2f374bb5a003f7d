"""Groups of things in the picture, and the network that sees them."""

from __future__ import annotations

import importlib.util
from itertools import chain

import numpy as np
import pytest

from hitpoint.model.errors import MissingError
from hitpoint.model.mood import scenes


def test_no_class_is_in_two_groups():
    classes = list(chain.from_iterable(group.classes for group in scenes.groups()))
    assert len(classes) == len(set(classes)) > 400 and min(classes) >= 0 and max(classes) < scenes.CLASSES
    assert len(scenes.groups()) > 40


def shares(**seen: float) -> np.ndarray:
    return np.array([seen.get(group.name.split()[0], 0.01) for group in scenes.groups()])


def test_what_is_seen_speaks_and_faint_guesses_do_not():
    horses = scenes.said_by([shares(horses=0.8), shares()])
    assert max(horses.genres, key=lambda genre: horses.genres[genre]) == "country" and "horses" in horses.why
    assert scenes.said_by([shares(), shares(guns=0.1)]) is None
    guns = scenes.said_by([shares(guns=0.9)])
    assert max(guns.moods, key=lambda mood: guns.moods[mood]) in ("fearful", "tense")


def test_without_the_extra_one_sentence_says_what_to_do(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"hitpoint\[semantics\]"):
        scenes.from_scenes([])
