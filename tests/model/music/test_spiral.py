"""The spiral array against distances worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hitpoint.model.music.keys import Key
from hitpoint.model.music.spiral import measures, point, tonic_fifths
from hitpoint.model.music.symbols import parse_symbol

C_MAJOR = Key(0, False)


@pytest.mark.parametrize(
    ("fifths", "apart"), [(1, np.sqrt(2 + 2 / 15)), (4, np.sqrt(32 / 15)), (-3, 1.789), (2, 2.129), (6, 2.966)]
)
def test_distances_of_two_pitches(fifths: int, apart: float) -> None:
    assert np.linalg.norm(point(fifths) - point(0)) == pytest.approx(apart, abs=5e-4)
    assert np.linalg.norm(point(1) - point(0)) == pytest.approx(np.linalg.norm(point(4) - point(0)), abs=1e-9)


@pytest.mark.parametrize(
    ("symbol", "strain", "diameter"),
    [("C7", 0.1825299, 2.9664794), ("C", 0.3823779, 1.7888544), ("G7", 0.6592702, 2.9664794),
     ("Bdim7", 0.4776692, 3.5777088)],
)  # fmt: skip
def test_known_chords_in_c_major(symbol: str, strain: float, diameter: float) -> None:
    found = measures(parse_symbol(symbol), None, C_MAJOR)
    assert found.strain == pytest.approx(strain, abs=1e-6)
    assert found.diameter == pytest.approx(diameter, abs=1e-6)
    assert found.momentum == 0


def test_every_key_is_as_c_major_or_a_minor() -> None:
    for minor, home, names in ((False, 0, ("C", "Am", "G7")), (True, 9, ("Am", "F", "E7"))):
        expected = [measures(parse_symbol(n), parse_symbol(names[0]), Key(home, minor)) for n in names]
        for root in range(12):
            key, move = Key(root, minor), root - home
            assert -5 <= tonic_fifths(key) <= 6
            chords = [parse_symbol(n) for n in names]
            moved = [each._replace(root=(each.root + move) % 12) for each in chords]
            for chord, wanted in zip(moved, expected, strict=True):
                assert measures(chord, moved[0], key) == pytest.approx(wanted, abs=1e-9)
