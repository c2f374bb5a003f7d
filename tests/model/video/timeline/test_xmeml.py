"""Final Cut Pro 7 XML as Final Cut, Premiere Pro and DaVinci Resolve write it."""

import pytest

from hitpoint.model.errors import InputError
from hitpoint.model.video.cuts_file import read_list

RATE = "<rate><timebase>30</timebase><ntsc>TRUE</ntsc></rate>"
SIZE = "<samplecharacteristics><width>{}</width><height>{}</height></samplecharacteristics>"
FPS = 30000 / 1001


def file(name="f1", size=(1920, 1080), path="a.mov", rest=""):
    return (
        f'<file id="{name}"><name>{path}</name><pathurl>file://localhost/m/{path}</pathurl>{RATE}<media><video>'
        f"{SIZE.format(*size)}</video><audio/></media>{rest}</file>"
    )


def clip(start, end, body=None, tag="clipitem", rest="", into=0):
    inside = file() if body is None else body
    return (
        f"<{tag}><name>c</name><enabled>TRUE</enabled>{RATE}<start>{start}</start><end>{end}</end><in>{into}</in>"
        f"<out>{into + 999}</out>{inside}{rest}</{tag}>"
    )


def mix(start, end, alignment="center"):
    return (
        f"<transitionitem><start>{start}</start><end>{end}</end><alignment>{alignment}</alignment>{RATE}"
        "<effect><name>Cross Dissolve</name><effectid>Cross Dissolve</effectid></effect></transitionitem>"
    )


def effect(kind, *parameters, enabled=True):
    body = "".join(
        f"<parameter><parameterid>{name}</parameterid><value>{value}</value></parameter>" for name, value in parameters
    )
    off = "" if enabled else "<enabled>FALSE</enabled>"
    return f"<filter>{off}<effect><name>{kind}</name><effectid>{kind}</effectid>{body}</effect></filter>"


def sequence(*tracks, audio="", name="s1"):
    body = "".join(f"<track>{track}<enabled>TRUE</enabled></track>" for track in tracks)
    return (
        f'<sequence id="{name}"><name>x</name>{RATE}<timecode>{RATE}<string>01:00:00:00</string><frame>108000</frame>'
        f"</timecode><media><video><format>{SIZE.format(1920, 1080)}</format>{body}</video>"
        f"<audio><track>{audio}</track></audio></media><marker><in>5</in></marker></sequence>"
    )


def document(*inside):
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n<xmeml version="4">{"".join(inside)}</xmeml>'


def keyed(*keys):
    """Opacity in percent at frames of the clip."""
    frames = "".join(f"<keyframe><when>{when}</when><value>{value}</value></keyframe>" for when, value in keys)
    parameter = f"<parameter><parameterid>opacity</parameterid><value>100</value>{frames}</parameter>"
    return f"<filter><effect><effectid>opacity</effectid>{parameter}</effect></filter>"


FOUR = clip(0, 120) + clip(120, 240, into=5000) + clip(240, 360, into=300) + clip(360, 480, into=9000)
CUTS = [(120, "cut"), (240, "cut"), (360, "cut")]
COVERED = [(60, "cut"), (300, "cut"), (360, "cut")]


def listed(tmp_path, text, name="p.xml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_list(path, 24.0)


def changes(tmp_path, text, name="p.xml"):
    return [(round(cut.time_s * FPS, 2), cut.kind) for cut in listed(tmp_path, text, name).cuts]


def above(body=None, rest="", tag="clipitem"):
    return FOUR, clip(60, 300, body, tag, rest)


TRACKS = {
    "a full frame": (above(), COVERED),
    "a disabled clip": ((FOUR, clip(60, 300).replace("TRUE</enabled>", "FALSE</enabled>")), CUTS),
    "a Premiere graphic": (above('<file id="g"><mediaSource>GraphicAndType</mediaSource></file>'), CUTS),
    "an adjustment layer": (
        above('<file id="g"><name>Adjustment Layer</name><mediaSource>Slug</mediaSource></file>'),
        CUTS,
    ),
    "black video": (above('<file id="g"><name>Black Video</name><mediaSource>Slug</mediaSource></file>'), CUTS),
    "a text generator": (above(effect("Text"), tag="generatoritem"), CUTS),
    "a slug on the lowest track": (
        (clip(0, 120) + clip(120, 240, effect("Slug"), "generatoritem") + clip(240, 360, into=7),),
        [(120, "cut"), (240, "cut")],
    ),
    "a title card on the lowest track": (
        (clip(0, 120) + clip(120, 240, effect("Text"), "generatoritem") + clip(240, 360, into=7),),
        [(120, "cut"), (240, "cut")],
    ),
    "a sound file on a picture track": (
        above('<file id="w"><pathurl>file://localhost/m/a.wav</pathurl><media><audio/></media></file>'),
        CUTS,
    ),
    "a file with sound only": (above('<file id="w"><pathurl>x.mov</pathurl><media><audio/></media></file>'), CUTS),
    "a logo": (above(file("l", path="logo.png")), CUTS),
    "a photo": (above(file("l", path="photo.jpg"), "<stillframe>TRUE</stillframe>"), COVERED),
    "an image with alpha": (above(file("l"), "<alphatype>straight</alphatype>"), CUTS),
    "a clip told to have no alpha": (above(file("l"), "<alphatype>none</alphatype>"), COVERED),
    "a blend mode": (above(None, "<compositemode>screen</compositemode>"), CUTS),
    "the normal blend mode": (above(None, "<compositemode>normal</compositemode>"), COVERED),
    "opacity": (above(None, effect("opacity", ("opacity", 50))), CUTS),
    "full opacity": (above(None, effect("opacity", ("opacity", 100))), COVERED),
    "opacity that opens and closes the clip": (
        (FOUR, clip(60, 300, rest=keyed((0, 0), (30, 100), (210, 100), (240, 0))).replace("<out>999", "<out>240")),
        [(75, "fade"), (285, "fade"), (360, "cut")],
    ),
    "opacity that dips": (above(None, keyed((0, 100), (50, 40), (90, 100))), CUTS),
    "opacity that rises from half": (above(None, keyed((0, 50), (50, 100))), CUTS),
    "opacity switched off": (above(None, effect("opacity", ("opacity", 50), enabled=False)), COVERED),
    "a small picture": (
        above(None, effect("basic", ("scale", 30), ("center", "<horiz>0.3</horiz><vert>0.3</vert>"))),
        CUTS,
    ),
    "motion at rest": (above(None, effect("basic", ("scale", 100), ("rotation", 0), ("centerOffset", 0))), COVERED),
    "a 4K clip scaled to the frame": (above(file("u", (3840, 2160)), effect("basic", ("scale", 50))), COVERED),
    "a 4K clip scaled to a quarter": (above(file("u", (3840, 2160)), effect("basic", ("scale", 25))), CUTS),
    "a 4K clip moved within its room": (
        above(file("u", (3840, 2160)), effect("basic", ("scale", 80), ("center", "<horiz>0.2</horiz><vert>0</vert>"))),
        COVERED,
    ),
    "a wide film in its letterbox": (above(file("u", (1920, 800)), effect("basic", ("scale", 100))), COVERED),
    "a scale that shrinks by key frames": (
        above(
            None,
            "<filter><effect><effectid>basic</effectid><parameter><parameterid>scale</parameterid><value>100</value>"
            "<keyframe><when>0</when><value>100</value></keyframe><keyframe><when>40</when><value>30</value></keyframe>"
            "</parameter></effect></filter>",
        ),
        CUTS,
    ),
    "a crop": (above(None, effect("crop", ("left", 0), ("right", 25))), CUTS),
    "a crop of nothing": (above(None, effect("crop", ("left", 0), ("right", 0))), COVERED),
    "a key": (above(None, effect("Ultra Key")), CUTS),
    "a grade": (above(None, effect("Lumetri Color", ("Basic", 1))), COVERED),
    "a retimed clip": (above(None, effect("timeremap", ("speed", 200))), COVERED),
    "a nested sequence": (
        (FOUR, clip(60, 300, sequence(clip(0, 100) + clip(100, 400, into=70), name="s2"), into=40)),
        [(60, "cut"), (120, "cut"), (300, "cut"), (360, "cut")],
    ),
    "a nested sequence used twice": (
        (
            clip(0, 200, sequence(clip(0, 100) + clip(100, 400, into=70), name="s2"))
            + clip(200, 400, '<sequence id="s2"/>'),
        ),
        [(100, "cut"), (200, "cut"), (300, "cut")],
    ),
    "a nested sequence of sounds": ((FOUR, clip(60, 300, sequence("", audio=clip(0, 100), name="s2"))), CUTS),
    "a gap at the start": ((clip(90, 210) + clip(210, 330, into=9),), [(90, "cut"), (210, "cut")]),
    "a gap in the middle": ((clip(0, 120) + clip(210, 330),), [(120, "cut"), (210, "cut")]),
    "a cross dissolve with edges of -1": ((clip(0, -1) + mix(105, 135) + clip(-1, 240, into=900),), [(120, "fade")]),
    "a cross dissolve with edges that are written": (
        (clip(0, 135) + mix(105, 135) + clip(105, 240, into=900),),
        [(120, "fade")],
    ),
    "a dissolve that ends at the cut": (
        (clip(0, 120) + mix(90, 120, "end") + clip(-1, 240, into=900),),
        [(105, "fade")],
    ),
    "a fade to black": ((clip(0, -1) + mix(90, 120, "end-black") + clip(240, 360),), [(120, "fade"), (240, "cut")]),
    "a fade from black": (
        (clip(0, 120) + mix(240, 270, "start-black") + clip(-1, 360),),
        [(120, "cut"), (240, "fade")],
    ),
    "a fade to black before a cut": (
        (clip(0, 120) + mix(90, 120, "end-black") + clip(120, 360, into=900),),
        [(120, "fade")],
    ),
    "fades at the programme's own ends": (
        (mix(0, 30, "start-black") + clip(-1, 120) + clip(120, -1, into=900) + mix(210, 240, "end-black"),),
        [(120, "cut")],
    ),
    "a dissolve of an upper clip over the film": (
        (FOUR, mix(60, 90, "start-black") + clip(-1, 300)),
        [(75, "fade"), (300, "cut"), (360, "cut")],
    ),
    "a dissolve of a title over the film": (
        (FOUR, mix(60, 90, "start-black") + clip(-1, 300, effect("Text"), "generatoritem")),
        CUTS,
    ),
    "a razor cut with nothing removed": (
        (clip(0, 120) + clip(120, 200, into=120) + clip(200, 300, into=4000) + clip(300, 400, into=9000),),
        [(200, "cut"), (300, "cut")],
    ),
}


@pytest.mark.parametrize("name", TRACKS)
def test_what_lies_on_the_tracks(tmp_path, name):
    tracks, expected = TRACKS[name]
    sound = clip(0, 700, '<file id="w"><pathurl>a.wav</pathurl></file>')
    assert changes(tmp_path, document(sequence(*tracks, audio=sound))) == expected


def test_a_track_that_is_switched_off(tmp_path):
    text = document(sequence(FOUR, clip(60, 300)))
    before, after = text.rsplit("</clipitem><enabled>TRUE</enabled>", 1)
    assert changes(tmp_path, f"{before}</clipitem><enabled>FALSE</enabled>{after}") == CUTS


@pytest.mark.parametrize(
    "wrap",
    [
        "<project><name>p</name><children>{}</children></project>",
        "<bin><children>{}</children></bin>",
        "<project><children><bin><children><clip id='m'><media/></clip>{}</children></bin></children></project>",
    ],
)
def test_where_the_sequence_stands(tmp_path, wrap):
    assert changes(tmp_path, document(wrap.format(sequence(FOUR)))) == CUTS


def test_the_sequence_that_holds_the_others_is_the_programme(tmp_path):
    inner = sequence(clip(0, 100) + clip(100, 400, into=70), name="s2")
    outer = sequence(clip(0, 300, '<sequence id="s2"/>') + clip(300, 400), name="s1")
    assert changes(tmp_path, document(inner, outer.replace('id="s1"', 'id="s1" explodedTracks="true"')))[0] == (
        100,
        "cut",
    )
    other = listed(tmp_path, document(sequence(FOUR, name="a"), sequence(clip(0, 9) + clip(9, 20), name="b")))
    assert len(other.cuts) == 3 and "first" in other.notes[0]


@pytest.mark.parametrize(("base", "ntsc", "fps"), [
    (24, "TRUE", 24000 / 1001), (24, "FALSE", 24.0), (25, "FALSE", 25.0),
    (60, "TRUE", 60000 / 1001), (30, "true", 30000 / 1001),
    ("29.97", "FALSE", 30000 / 1001),
])  # fmt: skip
def test_the_rate_is_the_lists_own(tmp_path, base, ntsc, fps):
    text = document(sequence(FOUR)).replace(RATE, f"<rate><ntsc>{ntsc}</ntsc><timebase>{base}</timebase></rate>")
    found = listed(tmp_path, text)
    assert [cut.time_s * fps for cut in found.cuts] == pytest.approx([120, 240, 360]) and found.fps == pytest.approx(
        fps
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_and_endings(tmp_path, encoding):
    text = document(sequence(FOUR)).replace("UTF-8", encoding.replace("-sig", ""))
    assert changes(tmp_path, text.encode(encoding), "p.xmeml") == CUTS


REFUSED = {
    "no sequence": (document("<clip id='x'/>"), "no sequence"),
    "an edge without a place": (document(sequence(clip(0, 120) + "\n" + clip(-1, 240))), "line 4, .*no transition"),
    "a clip without a start": (document(sequence("\n" + FOUR.replace("<start>240</start>", ""))), "line 4, .*no start"),
    "a start that is no number": (
        document(sequence("\n" + FOUR.replace("<start>240", "<start>x"))),
        "line 4, .*damaged",
    ),
    "an end before its start": (document(sequence("\n" + clip(240, 120))), "line 4, .*damaged"),
    "a rate of nothing": (document(sequence(FOUR)).replace("<timebase>30", "<timebase>0"), "rate is damaged"),
    "a sequence that is not there": (document(sequence(clip(0, 9, '<sequence id="q"/>'))), "'q'"),
    "a sequence that holds itself": (
        document(sequence(clip(0, 120, '<sequence id="s1"/>') + clip(120, 240))),
        "contain each other|no sequence",
    ),
    "half a file": (document(sequence(FOUR))[:-90], "not valid XML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_with_its_line(tmp_path, name):
    text, why = REFUSED[name]
    with pytest.raises(InputError, match=why) as caught:
        listed(tmp_path, text)
    assert str(caught.value).startswith("p.xml") and "\n" not in str(caught.value)
