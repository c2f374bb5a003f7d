"""FCPXML as Final Cut Pro and DaVinci Resolve write it: what each element of a timeline shows."""

import pytest

from hitpoint.model.errors import InputError
from hitpoint.model.video.cuts_file import read_list

RESOURCES = """
<format id="r1" name="FFVideoFormat1080p24" frameDuration="100/2400s" width="1920" height="1080"/>
<asset id="r2" name="A" start="0s" duration="900s" hasVideo="1" format="r1" hasAudio="1"/>
<asset id="r3" name="music" start="0s" duration="900s" hasAudio="1" audioSources="1"/>
<asset id="r4" name="voice" start="0s" duration="900s" hasVideo="0" hasAudio="1"/>
<asset id="r5" name="wav" duration="900s"><media-rep kind="original-media" src="file:///m/a%20b.WAV"/></asset>
<asset id="r6" name="logo" hasVideo="1"><media-rep kind="original-media" src="file:///m/logo.png"/></asset>
<effect id="t" name="Basic Title" uid=".../Titles.localized/Basic Title.moti"/>
<effect id="g" name="Custom" uid=".../Generators.localized/Solids.localized/Custom.motn"/>
"""
FOUR = [f'<asset-clip ref="r2" offset="{at}s" duration="4s" start="{start}s">@{at}</asset-clip>'
        for at, start in ((0, 100), (4, 50), (8, 200), (12, 10))]  # fmt: skip
CUTS = [(4.0, "cut"), (8.0, "cut"), (12.0, "cut")]


def project(spine, resources=""):
    return (
        f'<?xml version="1.0"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.10"><resources>{RESOURCES}{resources}'
        f"</resources>\n"
        f'<library><event><project><sequence format="r1" tcStart="0s"><spine>\n{spine}\n</spine></sequence></project>'
        "</event></library></fcpxml>"
    )


def four(**inside):
    """The four clips, with what hangs on the one that begins at second n under the key `at_n`."""
    text = "\n".join(FOUR)
    for at in (0, 4, 8, 12):
        text = text.replace(f"@{at}<", inside.get(f"at_{at}", "") + "<")
    return text


def listed(tmp_path, text, name="p.fcpxml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_list(path, 24.0)


def changes(tmp_path, text, name="p.fcpxml"):
    return [(round(cut.time_s, 3), cut.kind) for cut in listed(tmp_path, text, name).cuts]


def over(tag, ref, rest="", body=""):
    """Something on lane 1 from second 2 to second 10; the clip that holds it starts at second 100 of its own time."""
    return f'<{tag} ref="{ref}" lane="1" offset="102s" duration="8s" {rest}>{body}</{tag}>'


def amounts(*keys):
    """An opacity by key frames, seconds from the clip's start."""
    frames = "".join(f'<keyframe time="{time}s" value="{value}"/>' for time, value in keys)
    return f'<adjust-blend><param name="amount"><keyframeAnimation>{frames}</keyframeAnimation></param></adjust-blend>'


COVERED = [(2.0, "cut"), (10.0, "cut"), (12.0, "cut")]
HANGING = {
    "a sound without hasVideo": (over("asset-clip", "r3"), CUTS),
    "a sound with hasVideo 0": (over("asset-clip", "r4"), CUTS),
    "a sound told by its file": (over("asset-clip", "r5"), CUTS),
    "an audio element": (over("audio", "r2"), CUTS),
    "the sound of a clip": (over("asset-clip", "r2", 'srcEnable="audio"'), CUTS),
    "the picture of a clip": (over("asset-clip", "r2", 'srcEnable="video"'), COVERED),
    "a switched-off clip": (over("asset-clip", "r2", 'enabled="0"'), CUTS),
    "a clip with detached sound": (
        over(
            "clip",
            "",
            'start="5s"',
            '<video ref="r2" offset="0s" duration="60s"/><audio ref="r2" lane="-1" offset="7s" duration="3s"/>',
        ),
        COVERED,
    ),
    "a clip of sound alone": (over("clip", "", "", '<audio ref="r2" offset="0s" duration="60s"/>'), CUTS),
    "a synchronised clip of sounds": (
        over("sync-clip", "", "", '<asset-clip ref="r3" offset="0s" duration="60s"/>'),
        CUTS,
    ),
    "a synchronised clip": (
        over(
            "sync-clip",
            "",
            "",
            '<spine><asset-clip ref="r2" offset="0s" duration="60s"/></spine>'
            '<asset-clip ref="r3" lane="-1" offset="0s" duration="60s"/>',
        ),
        COVERED,
    ),
    "a title": (over("title", "t"), CUTS),
    "a generator": (over("video", "g"), CUTS),
    "a logo": (over("video", "r6"), CUTS),
    "a caption": ('<caption lane="1" offset="102s" duration="3s"><text>x</text></caption>', CUTS),
    "a plain clip": (over("asset-clip", "r2"), COVERED),
    "a clip that Resolve wrote at rest": (
        over(
            "asset-clip",
            "r2",
            "",
            '<adjust-conform type="fit"/><adjust-transform scale="1 1" anchor="0 0" position="0 0"/>'
            '<adjust-blend amount="1"/><adjust-crop mode="trim"><trim-rect left="0" top="0"/></adjust-crop>',
        ),
        COVERED,
    ),
    "a clip with a Ken Burns move": (
        over("asset-clip", "r2", "", '<adjust-crop mode="pan"><pan-rect left="5"/><pan-rect right="5"/></adjust-crop>'),
        COVERED,
    ),
    "a clip cropped to fill": (
        over("asset-clip", "r2", "", '<adjust-crop mode="crop"><crop-rect left="10" right="10"/></adjust-crop>'),
        COVERED,
    ),
    "a clip trimmed at its side": (
        over("asset-clip", "r2", "", '<adjust-crop mode="trim"><trim-rect left="10"/></adjust-crop>'),
        CUTS,
    ),
    "a transform that is switched off": (
        over("asset-clip", "r2", "", '<adjust-transform enabled="0" scale=".3 .3"/>'),
        COVERED,
    ),
    "a small picture": (over("asset-clip", "r2", "", '<adjust-transform scale="0.3 0.3" position="50 30"/>'), CUTS),
    "a picture that shrinks by key frames": (
        over(
            "asset-clip",
            "r2",
            "",
            '<adjust-transform><param name="scale"><keyframeAnimation><keyframe time="0s" value="1 1"/>'
            '<keyframe time="2s" value="0.4 0.4"/></keyframeAnimation></param></adjust-transform>',
        ),
        CUTS,
    ),
    "a flipped picture": (over("asset-clip", "r2", "", '<adjust-transform scale="-1 1"/>'), COVERED),
    "a turned picture": (over("asset-clip", "r2", "", '<adjust-transform rotation="12"/>'), CUTS),
    "a see-through clip": (over("asset-clip", "r2", "", '<adjust-blend amount=".6"/>'), CUTS),
    "a blended clip": (over("asset-clip", "r2", "", '<adjust-blend amount="1" mode="10"/>'), CUTS),
    "a clip whose opacity opens and closes it": (
        over("asset-clip", "r2", "", amounts((0, 0), (1, 1), (7, 1), (8, 0))),
        [(2.5, "fade"), (9.5, "fade"), (12.0, "cut")],
    ),
    "a clip whose opacity dips": (over("asset-clip", "r2", "", amounts((0, 1), (3, 0.2), (8, 1))), CUTS),
    "a keyed clip": (over("asset-clip", "r2", "", '<filter-video ref="g" name="Keyer"/>'), CUTS),
    "a masked clip": (
        over(
            "asset-clip",
            "r2",
            "",
            '<filter-video-mask><mask-shape/><filter-video ref="g" name="Color"/></filter-video-mask>',
        ),
        CUTS,
    ),
    "a graded clip": (over("asset-clip", "r2", "", '<filter-video ref="g" name="Color Board"/>'), COVERED),
    "a clip below the spine": ('<asset-clip ref="r2" lane="-1" offset="102s" duration="8s"/>', CUTS),
    "a storyline": (
        '<spine lane="1" offset="102s"><asset-clip ref="r2" offset="0s" duration="3s" start="7s"/>'
        '<gap offset="3s" duration="1s"/><asset-clip ref="r2" offset="4s" duration="4s"/></spine>',
        [(2.0, "cut"), (5.0, "cut"), (6.0, "cut"), (10.0, "cut"), (12.0, "cut")],
    ),
    "a storyline that dissolves in and out": (
        '<spine lane="1" offset="102s"><transition offset="0s" duration="1s"/>'
        '<asset-clip ref="r2" offset="0s" duration="8s"/>'
        '<transition offset="7s" duration="1s"/></spine>',
        [(2.5, "fade"), (9.5, "fade"), (12.0, "cut")],
    ),
    "titles that dissolve in a storyline": (
        '<spine lane="1" offset="102s"><transition offset="0s" duration="1s"/>'
        '<title ref="t" offset="0s" duration="8s"/>'
        '<transition offset="7s" duration="1s"/></spine>',
        CUTS,
    ),
    "clips connected to a connected clip": (
        over("title", "t", 'start="3600s"', '<asset-clip ref="r2" lane="1" offset="3601s" duration="2s"/>'),
        [(3.0, "cut"), (5.0, "cut"), (8.0, "cut"), (12.0, "cut")],
    ),
    "an audition": (
        '<audition lane="1" offset="102s"><asset-clip ref="r2" duration="8s"/>'
        '<asset-clip ref="r2" duration="3s"/></audition>',
        COVERED,
    ),
    "markers, keywords and notes": (
        '<note>x</note><marker start="101s" duration="1/24s" value="m"/><keyword start="100s" duration="4s" value="k"/>'
        '<chapter-marker start="102s" duration="1s" value="c"/><rating name="r" value="favorite"/>',
        CUTS,
    ),
    "a speed ramp": (
        over(
            "asset-clip",
            "r2",
            "",
            '<timeMap><timept time="0s" value="0s" interp="smooth2"/>'
            '<timept time="8s" value="30s" interp="smooth2"/></timeMap>',
        ),
        COVERED,
    ),
}


@pytest.mark.parametrize("name", HANGING)
def test_what_hangs_on_a_clip(tmp_path, name):
    text, expected = HANGING[name]
    assert changes(tmp_path, project(four(at_0=text))) == expected


NEST = '<media id="n" name="nest"><sequence>{}</sequence></media>'
SPINES = {
    "gaps at both ends": (
        '<gap offset="0s" duration="3s"/><asset-clip ref="r2" offset="3s" duration="4s" start="9s"/>'
        '<asset-clip ref="r2" offset="7s" duration="4s"/><gap offset="11s" duration="4s"/>',
        "",
        [(3.0, "cut"), (7.0, "cut"), (11.0, "cut")],
    ),
    "titles on the spine": (
        '<title ref="t" offset="0s" duration="4s" start="3600s"/>'
        '<title ref="t" offset="4s" duration="4s" start="3600s"/>' + "".join(FOUR[2:]),
        "",
        CUTS,
    ),
    "a generator on the spine": (
        "".join([*FOUR[:1], '<video ref="g" offset="4s" duration="4s"/>', *FOUR[2:]]),
        "",
        CUTS,
    ),
    "a sound on the spine": (
        "".join([*FOUR[:1], '<asset-clip ref="r3" offset="4s" duration="4s"/>', *FOUR[2:]]),
        "",
        CUTS,
    ),
    "a switched-off clip at the end": (
        "".join([*FOUR[:3], FOUR[3].replace("<asset-clip", '<asset-clip enabled="0"')]),
        "",
        CUTS,
    ),
    "no offsets at all": (
        '<asset-clip ref="r2" duration="4s" start="5s"/><gap duration="2s"/><asset-clip ref="r2" duration="4s"/>',
        "",
        [(4.0, "cut"), (6.0, "cut")],
    ),
    "dissolves with gaps beside them": (
        '<asset-clip ref="r2" offset="0s" duration="4s"/><transition offset="3s" duration="1s"/>'
        '<gap offset="4s" duration="4s"/>'
        '<transition offset="8s" duration="1s"/><asset-clip ref="r2" offset="8s" duration="4s"/>',
        "",
        [(4.0, "fade"), (8.0, "fade")],
    ),
    "dissolves at the programme's own ends": (
        '<transition offset="0s" duration="1s"/><asset-clip ref="r2" offset="0s" duration="4s" start="9s"/>'
        '<asset-clip ref="r2" offset="4s" duration="4s"/><transition offset="7s" duration="1s"/>',
        "",
        [(4.0, "cut")],
    ),
    "a compound of sounds": (
        "".join(FOUR[:1]) + '<ref-clip ref="n" offset="4s" duration="4s"/>' + "".join(FOUR[2:]),
        NEST.format('<spine><asset-clip ref="r3" offset="0s" duration="9s"/></spine>'),
        CUTS,
    ),
    "a compound's picture in picture": (
        "".join(FOUR[:1]) + '<ref-clip ref="n" offset="4s" duration="4s"/>' + "".join(FOUR[2:]),
        NEST.format(
            '<spine><asset-clip ref="r2" offset="0s" duration="9s">'
            '<asset-clip ref="r2" lane="1" offset="1s" duration="1s"><adjust-transform scale=".2 .2"/></asset-clip>'
            "</asset-clip></spine>"
        ),
        CUTS,
    ),
    "a multicam clip shows one angle with its cuts": (
        "".join(FOUR[:1])
        + '<mc-clip ref="n" offset="4s" start="1s" duration="4s"><mc-source angleID="y" srcEnable="video"/>'
        '<mc-source angleID="x" srcEnable="audio"/></mc-clip>' + "".join(FOUR[2:]),
        '<media id="n"><multicam><mc-angle angleID="x"><asset-clip ref="r2" offset="0s" duration="2s" start="9s"/>'
        '<asset-clip ref="r2" offset="2s" duration="9s"/></mc-angle><mc-angle angleID="y">'
        '<asset-clip ref="r2" offset="0s" duration="4s" start="9s"/>'
        '<asset-clip ref="r2" offset="4s" duration="9s"/></mc-angle>'
        "</multicam></media>",
        [(4.0, "cut"), (7.0, "cut"), (8.0, "cut"), (12.0, "cut")],
    ),
    "a multicam clip of sound": (
        "".join(FOUR[:1])
        + '<mc-clip ref="n" offset="4s" duration="4s"><mc-source angleID="x" srcEnable="audio"/></mc-clip>'
        + "".join(FOUR[2:]),
        '<media id="n"><multicam><mc-angle angleID="x"><asset-clip ref="r2" offset="0s" duration="9s"/>'
        "</mc-angle></multicam>"
        "</media>",
        CUTS,
    ),
    "a first clip that begins later than the programme": (
        '<asset-clip ref="r2" offset="3s" duration="4s" start="9s"/><asset-clip ref="r2" offset="7s" duration="4s"/>',
        "",
        [(3.0, "cut"), (7.0, "cut")],
    ),
    "a dissolve of sound alone": (
        FOUR[0]
        + '<transition name="Audio Crossfade" offset="3s" duration="2s"><filter-audio ref="g"/></transition>'
        + "".join(FOUR[1:]),
        "",
        CUTS,
    ),
    "a clip that holds a storyline": (
        FOUR[0] + '<clip offset="4s" duration="4s"><spine><asset-clip ref="r2" offset="0s" duration="1s" start="9s"/>'
        '<asset-clip ref="r2" offset="1s" duration="3s"/></spine></clip>' + "".join(FOUR[2:]),
        "",
        [(4.0, "cut"), (5.0, "cut"), (8.0, "cut"), (12.0, "cut")],
    ),
    "everything connected to one gap": (
        '<gap offset="0s" start="3600s" duration="12s">'
        '<asset-clip ref="r2" lane="1" offset="3600s" duration="4s" start="7s"/>'
        '<asset-clip ref="r2" lane="1" offset="3604s" duration="4s"/>'
        '<title ref="t" lane="2" offset="3601s" duration="9s"/></gap>',
        "",
        [(4.0, "cut"), (8.0, "cut")],
    ),
    "a fade handle at a cut": (
        FOUR[0].replace(
            "@0", '<adjust-blend><param name="amount"><fadeOut type="easeOut" duration="1s"/></param></adjust-blend>'
        )
        + "".join(FOUR[1:]),
        "",
        [(4.0, "fade"), (8.0, "cut"), (12.0, "cut")],
    ),
    "a razor cut with nothing removed": (
        "".join(FOUR[:1]) + '<asset-clip ref="r2" offset="4s" duration="2s" start="104s"/>'
        '<asset-clip ref="r2" offset="6s" duration="2s" start="30s"/>' + "".join(FOUR[2:]),
        "",
        [(6.0, "cut"), (8.0, "cut"), (12.0, "cut")],
    ),
}


@pytest.mark.parametrize("name", SPINES)
def test_what_lies_on_the_spine(tmp_path, name):
    spine, resources, expected = SPINES[name]
    assert changes(tmp_path, project(spine, resources)) == expected


@pytest.mark.parametrize(
    ("timecode", "first", "expected"),
    [
        ('tcStart="3600s"', 3600, [4, 8]),
        ('tcStart="3600s"', 3603, [3, 7, 11]),
        ('tcStart="3600s"', 0, [4, 8]),
        ('tcStart="3603.6s"', 3603.6, [4, 8]),
        ("", 3600, [4, 8]),
        ("", 3603.6, [4, 8]),
        ("", 3602, [2, 6, 10]),
        ("", 5000, [4, 8]),
    ],
)
def test_the_timecode_of_the_programme(tmp_path, timecode, first, expected):
    spine = "".join(f'<asset-clip ref="r2" offset="{first + at}s" duration="4s"/>' for at in (0, 4, 8))
    text = project(spine).replace('tcStart="0s"', timecode)
    assert [time_s for time_s, _ in changes(tmp_path, text)] == expected
    (tmp_path / "p.fcpxml").write_text(text)
    if timecode and first > 3600 and first != 3603:
        late = read_list(tmp_path / "p.fcpxml", 24.0, str(float(timecode[9:-2]) - 10)).cuts
        assert [cut.time_s for cut in late] == pytest.approx([10, 14, 18])


TIMES = {
    "without the s": lambda text: text.replace('s"', '"'),
    "as decimals": lambda text: text.replace('4s"', '4.0s"'),
    "as fractions": lambda text: text.replace('="4s"', '="96000/24000s"').replace('="8s"', '="19200/2400s"'),
    "in 23.976": lambda text: text.replace('="4s"', '="96096/24024s"'),
    "with blanks": lambda text: text.replace('="4s"', '=" 4s "'),
}


@pytest.mark.parametrize("name", TIMES)
def test_times_however_written(tmp_path, name):
    assert changes(tmp_path, TIMES[name](project("".join(FOUR)))) == CUTS


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1", "windows-1252"]
)
def test_encodings(tmp_path, encoding):
    text = project("".join(FOUR)).replace('<?xml version="1.0"?>', f'<?xml version="1.0" encoding="{encoding[:6]}"?>')
    if encoding in ("iso-8859-1", "windows-1252"):
        text = text.replace(encoding[:6], encoding)
    text = text.replace('name="music"', 'name="Müsik"')
    assert changes(tmp_path, text.encode(encoding)) == CUTS


def test_the_ending_xml_is_known_by_its_content(tmp_path):
    assert changes(tmp_path, project("".join(FOUR)), "p.xml") == CUTS


def test_what_is_not_known_is_told(tmp_path):
    found = listed(tmp_path, project("".join(FOUR) + '\n<hologram offset="16s" duration="3s"/>'))
    assert [cut.time_s for cut in found.cuts] == [4, 8, 12]
    assert found.notes == ("elements <hologram> are not known and were passed over (line 15)",)
    two = project("".join(FOUR)).replace("</project>", "</project><project><sequence><spine/></sequence></project>")
    assert "first" in listed(tmp_path, two).notes[0]


REFUSED = {
    "no XML": (project("".join(FOUR))[:-30], "not valid XML"),
    "a damaged time": (
        project("\n".join(FOUR)).replace('offset="8s"', 'offset="8x"'),
        "line 16, .*a time in it is damaged",
    ),
    "a time over nothing": (project("\n".join(FOUR)).replace('offset="8s"', 'offset="8/0s"'), "line 16, .*damaged"),
    "an endless time": (project("\n".join(FOUR)).replace('offset="8s"', 'offset="8e999999999s"'), "line 16, .*damaged"),
    "a negative length": (
        project("\n".join(FOUR)).replace('offset="8s" duration="4s"', 'offset="8s" duration="-4s"'),
        "line 16",
    ),
    "a compound that is not there": (project('<ref-clip ref="zz" offset="0s" duration="9s"/>'), "line 14, .*'zz'"),
    "a compound that holds itself": (
        project(
            '<ref-clip ref="n" offset="0s" duration="9s"/>',
            NEST.format('<spine><ref-clip ref="n" offset="0s" duration="9s"/></spine>'),
        ),
        "contain each other",
    ),
    "entities": (
        project("".join(FOUR)).replace("<!DOCTYPE fcpxml>", '<!DOCTYPE fcpxml [<!ENTITY a "aaaa">]>'),
        "line 2, .*entities",
    ),
    "a lane that is no number": (project(four(at_0=over("title", "t").replace('lane="1"', 'lane="x"'))), "lane"),
    "elements without end": (project("<gap>" * 3000 + "</gap>" * 3000), "without end"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_with_its_line(tmp_path, name):
    text, why = REFUSED[name]
    with pytest.raises(InputError, match=why) as caught:
        listed(tmp_path, text)
    message = str(caught.value)
    assert message.startswith("p.fcpxml") and not message.endswith(".") and "\n" not in message
