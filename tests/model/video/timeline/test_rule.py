"""The rule of docs/timelines.md: one table of cases, each written in every format that can say it."""

import pytest

from hitpoint.model.video.cuts_file import read_list
from tests.model.video.timeline.writers import FPS, Clip, Mix
from tests.model.video.timeline.xml_writers import FORMATS

FOUR = (Clip(0, 4, media="a"), Clip(4, 8, media="b"), Clip(8, 12, media="c"), Clip(12, 16, media="d"))
CUTS = [(4.0, "cut"), (8.0, "cut"), (12.0, "cut")]
LAYERS = ("otio", "fcpxml", "xml", "kdenlive")
ALL = tuple(FORMATS)


def at(*times, kind="cut"):
    return [(float(time_s), kind) for time_s in times]


CASES = {
    "clips one after the other": (ALL, (FOUR,), CUTS),
    "a sound above the clips makes no cut": (ALL, (FOUR, (Clip(1, 10, "sound"),)), CUTS),
    "a sound that outlasts the picture does not lengthen it": (ALL, (FOUR, (Clip(1, 25, "sound"),)), CUTS),
    "a J cut and an L cut are heard only": (ALL, (FOUR, (Clip(0, 3, "sound"), Clip(3, 9, "sound"))), CUTS),
    "a title hides no cut": (ALL, (FOUR, (Clip(2, 10, "title"),)), CUTS),
    "a generator above hides no cut": (ALL, (FOUR, (Clip(2, 10, "generator"),)), CUTS),
    "an image that may have alpha hides no cut": (LAYERS, (FOUR, (Clip(0, 16, "png"),)), CUTS),
    "an adjustment layer hides no cut": (LAYERS[:3], (FOUR, (Clip(0, 16, "adjustment"),)), CUTS),
    "a picture in picture hides no cut": (LAYERS, (FOUR, (Clip(2, 6, "scaled"),)), CUTS),
    "a clip moved aside hides no cut": (LAYERS, (FOUR, (Clip(2, 6, "moved"),)), CUTS),
    "a cropped clip hides no cut": (LAYERS, (FOUR, (Clip(2, 6, "cropped"),)), CUTS),
    "a blended clip hides no cut": (LAYERS, (FOUR, (Clip(2, 6, "blend"),)), CUTS),
    "a clip at half opacity hides no cut": (LAYERS, (FOUR, (Clip(2, 6, "half"),)), CUTS),
    "a full frame covers": (LAYERS, (FOUR, (Clip(2, 10, media="e"),)), at(2, 10, 12)),
    "a clip scaled up still covers": (LAYERS, (FOUR, (Clip(2, 10, "larger", "e"),)), at(2, 10, 12)),
    "a photo covers": (LAYERS, (FOUR, (Clip(2, 10, "jpg", "e"),)), at(2, 10, 12)),
    "a title over a full frame over the film": (
        LAYERS,
        (FOUR, (Clip(2, 10, media="e"),), (Clip(3, 11, "title"),)),
        at(2, 10, 12),
    ),
    "a clip that is switched off covers nothing": (LAYERS, (FOUR, (Clip(2, 10, "off"),)), CUTS),
    "a clip switched off on the lowest track is black": (LAYERS, ((FOUR[0], Clip(4, 8, "off"), *FOUR[2:]),), CUTS),
    "title cards among the clips are picture": (LAYERS, ((Clip(0, 4, "title"), Clip(4, 8, "title"), *FOUR[2:]),), CUTS),
    "a generator among the clips is picture": (LAYERS, ((FOUR[0], Clip(4, 8, "generator"), *FOUR[2:]),), CUTS),
    "scaled clips are picture where nothing lies beneath": (
        LAYERS,
        ((Clip(0, 4, "scaled"), Clip(4, 8, "moved", "b"), *FOUR[2:]),),
        CUTS,
    ),
    "black at the start": (ALL, ((Clip(3, 7), Clip(7, 11, media="b")),), at(3, 7)),
    "black at both ends": (ALL, ((Clip(3, 7), Clip(7, 11, media="b"), Clip(11, 15, "black")),), at(3, 7, 11)),
    "black in the middle": (ALL, ((*FOUR[:2], *FOUR[3:]),), at(4, 8, 12)),
    "two black clips in a row": (
        ALL,
        ((FOUR[0], Clip(4, 6, "black"), Clip(6, 8, "black"), FOUR[2], FOUR[3]),),
        at(4, 8, 12),
    ),
    "a mix is one fade in its middle": (
        ALL,
        ((*FOUR[:2], Mix(7.52, 8.48), *FOUR[2:]),),
        [(4.0, "cut"), (8.0, "fade"), (12.0, "cut")],
    ),
    "two mixes on one clip": (
        ALL,
        ((FOUR[0], Mix(3.52, 4.48), FOUR[1], Mix(7.52, 8.48), *FOUR[2:]),),
        [(4.0, "fade"), (8.0, "fade"), (12.0, "cut")],
    ),
    "a fade to black is at its black end": (
        ALL,
        ((FOUR[0], Clip(4, 8, media="b"), Mix(7, 8), FOUR[3]),),
        [(4.0, "cut"), (8.0, "fade"), (12.0, "cut")],
    ),
    "a fade from black is at its black end": (
        ALL,
        ((FOUR[0], Mix(8, 9), FOUR[2], FOUR[3]),),
        [(4.0, "cut"), (8.0, "fade"), (12.0, "cut")],
    ),
    "a fade from black after black at the start": (
        ALL,
        ((Mix(3, 4), Clip(3, 7), Clip(7, 11, media="b")),),
        [(3.0, "fade"), (7.0, "cut")],
    ),
    "a nested sequence shows its cuts": (
        LAYERS,
        ((FOUR[0], Clip(4, 12, "nested", held=((Clip(0, 3), Clip(3, 8, media="b")),)), FOUR[3]),),
        at(4, 7, 12),
    ),
    "a nested sequence of sounds is no picture": (
        LAYERS,
        (FOUR, (Clip(2, 10, "nested", held=((Clip(0, 8, "sound"),),)),)),
        CUTS,
    ),
    "a nested title is no picture": (
        LAYERS,
        (FOUR, (Clip(2, 10, "nested", held=((Clip(0, 3, "title"), Clip(3, 8, "title")),)),)),
        CUTS,
    ),
    "a full frame above black is picture": (LAYERS, ((FOUR[0], FOUR[3]), (Clip(6, 10, media="e"),)), at(4, 6, 10, 12)),
}


@pytest.mark.parametrize(
    ("name", "ending"), [(name, ending) for name, (formats, _, _) in CASES.items() for ending in formats]
)
def test_rule(tmp_path, name, ending):
    _, tracks, expected = CASES[name]
    path = tmp_path / f"case.{ending}"
    path.write_text(FORMATS[ending](tracks), encoding="utf-8")
    found = read_list(path, FPS)
    assert [(round(cut.time_s, 3), cut.kind) for cut in found.cuts] == expected


@pytest.mark.parametrize("ending", ALL)
def test_a_film_that_begins_before_the_programme(tmp_path, ending):
    """Ten seconds of bars before the list's first frame: its start is a change too."""
    path = tmp_path / f"case.{ending}"
    path.write_text(FORMATS[ending]((FOUR,)), encoding="utf-8")
    start = "-10" if ending == "kdenlive" else "00:59:50:00"
    assert [cut.time_s for cut in read_list(path, FPS, start).cuts] == pytest.approx([10, 14, 18, 22])
    later = "6" if ending == "kdenlive" else "01:00:06:00"
    found = read_list(path, FPS, later)
    assert [cut.time_s for cut in found.cuts] == pytest.approx([2, 6])
    assert any("before the film's first frame" in note for note in found.notes)
