"""How busy the bars of a piece are, from its calmest to its busiest: measured on the training music.

The training split of the band, real5 and pop909_5 archives (sources that may not shape shipped weights left out), each
song weighing the same; a bar's density is the number of its 16 ticks with an onset on any track. Each row holds the
0th, 10th, ... 100th percentile of the densities within a piece (of 8 bars or more that sound), as a mean over pieces.
Taken over all bars of a genre together, two thirds of the
bars of electronic music would be full, and nothing would be left with which to follow a picture.
"""

from __future__ import annotations

GENRE_DENSITIES: dict[str, tuple[float, ...]] = {
    "country": (5.7, 7.9, 8.9, 9.7, 10.4, 10.8, 11.2, 11.7, 12.3, 12.9, 13.9),
    "dance": (8.3, 11.2, 12.0, 12.6, 12.9, 13.2, 13.6, 13.9, 14.1, 14.3, 14.9),
    "electronic": (9.8, 12.0, 13.0, 13.5, 13.9, 14.2, 14.6, 14.9, 15.1, 15.2, 15.5),
    "metal": (7.6, 10.0, 10.8, 11.5, 12.0, 12.5, 12.9, 13.3, 13.7, 14.1, 15.0),
    "pop": (6.6, 9.4, 10.2, 10.8, 11.2, 11.6, 12.0, 12.4, 12.8, 13.2, 14.2),
    "rock": (6.1, 8.6, 9.6, 10.2, 10.6, 10.9, 11.3, 11.7, 12.1, 12.6, 13.8),
}
"""Pieces of four or five instruments."""

ENSEMBLE_DENSITIES: dict[tuple[int, ...], tuple[float, ...]] = {
    (0,): (7.6, 8.9, 9.3, 9.5, 9.8, 10.1, 10.4, 10.7, 10.9, 11.3, 12.2),
    (1,): (2.7, 4.6, 5.2, 5.7, 6.2, 6.7, 7.3, 7.8, 8.3, 8.9, 9.8),
    (2,): (3.8, 4.9, 5.5, 6.0, 6.5, 7.0, 7.4, 7.9, 8.4, 9.0, 9.7),
    (3,): (2.7, 3.8, 3.9, 4.1, 4.2, 4.4, 4.7, 4.9, 5.1, 5.4, 5.7),
    (4,): (1.6, 2.5, 3.1, 3.7, 4.3, 4.8, 5.3, 5.7, 6.1, 6.7, 7.6),
    (1, 2): (3.8, 6.1, 7.0, 7.7, 8.3, 8.9, 9.4, 10.0, 10.5, 11.1, 12.0),
    (1, 3): (3.3, 5.4, 6.2, 6.7, 7.2, 7.6, 8.2, 8.6, 9.1, 9.6, 10.4),
    (1, 4): (2.7, 5.3, 6.3, 6.9, 7.5, 8.0, 8.6, 9.2, 9.7, 10.4, 11.5),
    (2, 3): (3.9, 5.4, 6.1, 6.8, 7.3, 7.7, 8.2, 8.7, 9.2, 9.7, 10.6),
    (2, 4): (3.2, 5.1, 6.1, 6.9, 7.5, 8.1, 8.6, 9.1, 9.6, 10.2, 11.3),
    (3, 4): (2.6, 4.0, 4.6, 5.2, 5.7, 6.2, 6.7, 7.2, 7.6, 8.2, 9.2),
    (1, 2, 3): (4.5, 7.0, 7.9, 8.5, 9.0, 9.4, 9.9, 10.4, 10.9, 11.4, 12.3),
    (1, 2, 4): (4.0, 6.7, 7.7, 8.4, 8.9, 9.4, 10.0, 10.5, 11.0, 11.5, 12.6),
    (1, 3, 4): (3.5, 6.1, 6.9, 7.6, 8.1, 8.6, 9.1, 9.6, 10.1, 10.7, 11.6),
    (2, 3, 4): (4.0, 6.1, 7.0, 7.8, 8.3, 8.8, 9.3, 9.7, 10.2, 10.8, 11.8),
    (1, 2, 3, 4): (4.8, 7.6, 8.4, 9.1, 9.5, 10.0, 10.5, 11.0, 11.5, 11.9, 12.9),
}
"""The named instruments alone (indices into INSTRUMENTS), over all genres.

Drums with company are not here: they are about as busy as all five.
"""
