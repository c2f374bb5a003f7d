"""Faults met in the field, each with the list that showed it."""

import pytest

from hitpoint.model.video.cuts_file import read_list
from tests.model.video.timeline import test_edl, test_fcpxml, test_mlt, test_otio


def found(tmp_path, name, text, fps):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return [(round(cut.time_s, 3), cut.kind) for cut in read_list(tmp_path / name, fps).cuts]


FOUR = "".join(f'<asset-clip ref="r2" offset="{at}s" duration="4s"/>' for at in (4, 8, 12))
SOUND = '<asset-clip ref="r3" lane="1" offset="1s" duration="9s"/>'
TITLES = "".join(f'<title ref="t" offset="{at}s" duration="4s"/>' for at in (0, 4))
ROWS = {
    "a sound of Final Cut, which leaves hasVideo out, makes and hides cuts": (
        "p.fcpxml",
        test_fcpxml.project(f'<asset-clip ref="r2" offset="0s" duration="4s">{SOUND}</asset-clip>{FOUR}'),
        24,
        [(4, "cut"), (8, "cut"), (12, "cut")],
    ),
    "sound beyond track 4 of a Premiere EDL makes cuts": (
        "p.edl",
        test_edl.PICTURE["sound beyond track 4, as Premiere writes it"][0],
        24,
        [(5, "cut")],
    ),
    "a line of black without a channel has the list refused": (
        "p.edl",
        test_edl.PICTURE["a line of black without a channel that ends before it begins"][0],
        24,
        [(5, "cut")],
    ),
    "a title above the film deletes the cuts below it": (
        "p.kdenlive",
        test_mlt.kdenlive(
            '<blank length="00:00:02.000"/>' + test_mlt.entry("x", 0, 199), test_mlt.producer("x", "", "kdenlivetitle")
        ),
        25,
        [(4, "cut"), (8, "cut"), (12, "cut")],
    ),
    "a logo throughout deletes every cut": (
        "p.kdenlive",
        test_mlt.kdenlive(test_mlt.entry("x", 0, 399), test_mlt.producer("x", "logo.png", "qimage")),
        25,
        [(4, "cut"), (8, "cut"), (12, "cut")],
    ),
    "a programme that begins and ends in black": (
        "p.fcpxml",
        test_fcpxml.project(
            '<gap offset="0s" duration="3s"/><asset-clip ref="r2" offset="3s" duration="4s"/>'
            '<asset-clip ref="r2" offset="7s" duration="4s"/><gap offset="11s" duration="4s"/>'
        ),
        24,
        [(3, "cut"), (7, "cut"), (11, "cut")],
    ),
    "an event of a blank kind vanishes": (
        "p.edl",
        test_edl.AVID.format(kind="     024"),
        24,
        [(4.5, "fade"), (8, "cut")],
    ),
    "titles on the main storyline are no picture": (
        "p.fcpxml",
        test_fcpxml.project(
            TITLES + '<asset-clip ref="r2" offset="8s" duration="4s"/><asset-clip ref="r2" offset="12s" duration="4s"/>'
        ),
        24,
        [(4, "cut"), (8, "cut"), (12, "cut")],
    ),
    "a track by its old name Sequence.1": (
        "p.otio",
        test_otio.renamed(Track="Sequence.1"),
        24,
        [(4, "cut"), (8, "cut"), (12, "cut")],
    ),
}


@pytest.mark.parametrize("kind", ROWS)
def test_field(tmp_path, kind):
    name, text, fps, expected = ROWS[kind]
    assert found(tmp_path, name, text, fps) == expected
