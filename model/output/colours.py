"""The colours by which plots and editors' projects tell instruments and markers apart: red, green, blue, 0..255."""

from __future__ import annotations

from hitpoint.model.music.score import INSTRUMENTS

Rgb = tuple[int, int, int]

INSTRUMENT_COLOURS: tuple[Rgb, ...] = (
    (174, 182, 196),
    (98, 182, 247),
    (245, 164, 93),
    (183, 149, 255),
    (118, 214, 154),
)
"""In the order of INSTRUMENTS; they stand out from the dark ground of the plot as of an editor's tracks."""
HIT_COLOUR: Rgb = (237, 140, 56)
SECTION_COLOUR: Rgb = (110, 118, 128)
FOREIGN_COLOUR: Rgb = (128, 128, 128)
"""A track that is none of ours."""


def of_track(name: str) -> Rgb:
    """The colour of the track called `name`."""
    known = name.lower() in INSTRUMENTS
    return INSTRUMENT_COLOURS[INSTRUMENTS.index(name.lower())] if known else FOREIGN_COLOUR


def hexadecimal(colour: Rgb) -> str:
    """As matplotlib takes it: `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
