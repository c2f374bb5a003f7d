"""MLT XML as Kdenlive, Shotcut and melt write it."""

import pytest

from hitpoint.model.errors import InputError
from hitpoint.model.video.cuts_file import read_list

PROFILE = '<profile frame_rate_num="25" frame_rate_den="1" width="1920" height="1080"/>'


def producer(name, resource="a.mp4", service="avformat-novalidate", rest="", out=5000):
    return (
        f'<producer id="{name}" in="0" out="{out}"><property name="resource">{resource}</property>'
        f'<property name="mlt_service">{service}</property>{rest}</producer>\n'
    )


def entry(name, into, out, rest=""):
    return f'<entry producer="{name}" in="{into}" out="{out}">{rest}</entry>\n'


def prop(name, value):
    return f'<property name="{name}">{value}</property>'


def effect(service, rest="", attributes=""):
    return f"<filter {attributes}>{prop('mlt_service', service)}{rest}</filter>"


MEDIA = "".join(producer(name, f"{name}.mp4") for name in "abcd")
FOUR = entry("a", 200, 299) + entry("b", 0, 99) + entry("c", 900, 999) + entry("d", 40, 139)
CUTS = [(4.0, "cut"), (8.0, "cut"), (12.0, "cut")]
COVERED = [(2.0, "cut"), (10.0, "cut"), (12.0, "cut")]
INTERNAL = prop("internal_added", 237) + prop("always_active", 1)


def kdenlive(upper="", media="", transitions="", lower=FOUR, upper_track="", hide="audio"):
    """A project of two picture tracks and a sound track, each of two playlists, over black, with what Kdenlive adds."""
    main = "".join(
        f"<transition>{prop('a_track', 0)}{prop('b_track', track)}{prop('mlt_service', service)}{INTERNAL}</transition>"
        for track, service in ((1, "mix"), (2, "qtblend"), (3, "qtblend"))
    )
    return f"""<?xml version='1.0' encoding='utf-8'?>
<mlt LC_NUMERIC="C" producer="main_bin" version="7.22.0">{PROFILE}
{MEDIA}{media}{producer("black", "black", "color", out=2147483647)}
<playlist id="p0"><entry producer="a" in="0" out="700"/></playlist><playlist id="p1"/>
<tractor id="t0"><track hide="video" producer="p0"/><track hide="video" producer="p1"/></tractor>
<playlist id="p2">{lower}</playlist><playlist id="p3"/>
<tractor id="t1" in="0" out="399"><track hide="audio" producer="p2"/><track producer="p3"/></tractor>
<playlist id="p4">{upper}</playlist><playlist id="p5"/>
<tractor id="t2"><track hide="{hide}" producer="p4"/><track producer="p5"/>{upper_track}</tractor>
<tractor id="seq" in="0" out="399"><track producer="black"/><track producer="t0"/><track producer="t1"/>
<track producer="t2"/>{main}{transitions}</tractor>
<playlist id="main_bin"><entry producer="seq" in="0" out="0"/></playlist>
<tractor id="project" in="0" out="399">{prop("kdenlive:projectTractor", 1)}<track producer="seq"/></tractor></mlt>
"""


def listed(tmp_path, text, name="p.kdenlive"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_list(path, 24.0)


def changes(tmp_path, text, name="p.kdenlive"):
    return [(round(cut.time_s, 3), cut.kind) for cut in listed(tmp_path, text, name).cuts]


BLANK = '<blank length="50"/>'
UPPER = {
    "a full frame": (entry("x", 0, 199), producer("x", "x.mp4"), COVERED),
    "a title": (entry("x", 0, 199), producer("x", "", "kdenlivetitle"), CUTS),
    "a title of a template": (entry("x", 0, 199), producer("x", "t.kdenlivetitle", "kdenlivetitle"), CUTS),
    "a coloured generator": (entry("x", 0, 199), producer("x", "0xff0000ff", "color"), CUTS),
    "a transparent colour": (entry("x", 0, 199), producer("x", "#00000000", "color"), CUTS),
    "a logo": (entry("x", 0, 199), producer("x", "/m/logo.PNG", "qimage"), CUTS),
    "a photo": (entry("x", 0, 199), producer("x", "/m/photo.jpg", "qimage"), COVERED),
    "a slideshow of images": (entry("x", 0, 199), producer("x", "/m/.all.png", "qimage"), COVERED),
    "an animation": (entry("x", 0, 199), producer("x", "/m/a.json", "glaxnimate"), CUTS),
    "sound without a picture": (entry("x", 0, 199), producer("x", "x.mp4", rest=prop("video_index", -1)), CUTS),
    "a sound file": (entry("x", 0, 199), producer("x", "x.flac"), CUTS),
    "a file whose streams are sound": (
        entry("x", 0, 199),
        producer("x", "x.mka", rest=prop("meta.media.0.stream.type", "audio")),
        CUTS,
    ),
    "a clip whose picture is switched off": (
        entry("x", 0, 199),
        producer("x", "x.mp4", rest=prop("set.test_image", 1)),
        CUTS,
    ),
    "a picture in picture": (
        entry("x", 0, 199, effect("qtblend", prop("rect", "00:00:00.000=1300 40 560 315 1.000000"))),
        producer("x"),
        CUTS,
    ),
    "a transform at rest": (
        entry("x", 0, 199, effect("qtblend", prop("rect", "0=0 0 1920 1080 1") + prop("compositing", 0))),
        producer("x"),
        COVERED,
    ),
    "a transform in percent": (
        entry("x", 0, 199, effect("qtblend", prop("rect", "10% 10% 50% 50%"))),
        producer("x"),
        CUTS,
    ),
    "a transform that zooms in": (
        entry("x", 0, 199, effect("qtblend", prop("rect", "0=0 0 1920 1080 1;199=-300 -200 2520 1480 1"))),
        producer("x"),
        COVERED,
    ),
    "a transform that shrinks": (
        entry("x", 0, 199, effect("qtblend", prop("rect", "0=0 0 1920 1080 1;199=300 200 520 480 1"))),
        producer("x"),
        CUTS,
    ),
    "a transform that is switched off": (
        entry("x", 0, 199, effect("qtblend", prop("rect", "0=9 9 90 90 1") + prop("disable", 1))),
        producer("x"),
        COVERED,
    ),
    "a see-through transform": (
        entry("x", 0, 199, effect("qtblend", prop("rect", "0=0 0 1920 1080 0.4"))),
        producer("x"),
        CUTS,
    ),
    "a blended transform": (
        entry("x", 0, 199, effect("qtblend", prop("rect", "0=0 0 1920 1080 1") + prop("compositing", 14))),
        producer("x"),
        CUTS,
    ),
    "Shotcut's size and position": (
        entry("x", 0, 199, effect("affine", prop("transition.rect", "960 540 960 540 1"))),
        producer("x"),
        CUTS,
    ),
    "an old composite geometry": (
        entry("x", 0, 199, effect("affine", prop("transition.geometry", "0/0:1920x1080:100"))),
        producer("x"),
        COVERED,
    ),
    "an old composite geometry of half": (
        entry("x", 0, 199, effect("affine", prop("transition.geometry", "0/0:1920x1080:50"))),
        producer("x"),
        CUTS,
    ),
    "Shotcut's opacity": (
        entry("x", 0, 199, effect("brightness", prop("alpha", "0.5") + prop("level", 1))),
        producer("x"),
        CUTS,
    ),
    "a crop": (entry("x", 0, 199, effect("crop", prop("left", 100))), producer("x"), CUTS),
    "a key": (entry("x", 0, 199, effect("chroma")), producer("x"), CUTS),
    "a grade": (entry("x", 0, 199, effect("lift_gamma_gain")), producer("x"), COVERED),
    "a filter on the clip in the bin": (
        entry("x", 0, 199),
        producer("x", rest=effect("qtblend", prop("rect", "0 0 500 500 1"))),
        CUTS,
    ),
    "a retimed clip": (entry("x", 0, 199), producer("x", "2:x.mp4", "timewarp"), COVERED),
}


@pytest.mark.parametrize("name", UPPER)
def test_what_lies_above(tmp_path, name):
    upper, media, expected = UPPER[name]
    assert changes(tmp_path, kdenlive(BLANK + upper, media)) == expected


def test_a_logo_throughout_and_a_hidden_track(tmp_path):
    assert changes(tmp_path, kdenlive(entry("x", 0, 399), producer("x", "l.png", "qimage"))) == CUTS
    assert changes(tmp_path, kdenlive(BLANK + entry("x", 0, 199), producer("x"), hide="both")) == CUTS


def composition(service, rest, first=50, last=249, lower=2, upper=3):
    sides = prop("a_track", lower) + prop("b_track", upper)
    return f'<transition in="{first}" out="{last}">{sides}{prop("mlt_service", service)}{rest}</transition>'


COMPOSED = {
    "a composition of a part": (composition("qtblend", prop("rect", "0=1300 40 560 315 1")), CUTS),
    "a composition of a part for a while": (
        composition("qtblend", prop("rect", "0=1300 40 560 315 1"), 50, 149),
        [(4.0, "cut"), (6.0, "cut"), (10.0, "cut"), (12.0, "cut")],
    ),
    "a composition of the whole": (composition("qtblend", prop("rect", "0=0 0 1920 1080 1")), COVERED),
    "an old composition": (composition("composite", prop("geometry", "0=60%/60%:30%x30%:100")), CUTS),
    "a composition that is switched off": (
        composition("qtblend", prop("rect", "0=1300 40 560 315 1") + prop("disable", 1)),
        COVERED,
    ),
    "a dissolve between tracks": (
        composition("luma", prop("kdenlive_id", "dissolve"), 50, 74),
        [(2.5, "fade"), (10.0, "cut"), (12.0, "cut")],
    ),
    "a wipe between tracks": (
        composition("composite", prop("kdenlive_id", "wipe"), 225, 249),
        [(2.0, "cut"), (9.5, "fade"), (12.0, "cut")],
    ),
    "a mix of sounds": (composition("mix", "", 50, 74), COVERED),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_compositions_between_tracks(tmp_path, name):
    transition, expected = COMPOSED[name]
    text = kdenlive(BLANK + entry("x", 0, 199), producer("x"), transition)
    assert changes(tmp_path, text) == expected


@pytest.mark.parametrize("service", ["luma", "qtblend", "composite", "affine", "dissolve"])
def test_a_mix_within_a_track_is_one_fade_in_its_middle(tmp_path, service):
    """The clips overlap by a second, on the two playlists of the track."""
    text = kdenlive(lower=entry("a", 0, 112) + '<blank length="75"/>' + entry("c", 0, 99))
    text = text.replace('<playlist id="p3"/>', f'<playlist id="p3"><blank length="88"/>{entry("b", 0, 99)}</playlist>')
    mixed = composition(service, prop("kdenlive:mixcut", 12) + prop("reverse", 0), 88, 112, 0, 1)
    text = text.replace('<track producer="p3"/></tractor>', f'<track producer="p3"/>{mixed}</tractor>')
    assert changes(tmp_path, text) == [(4.02, "fade"), (7.52, "cut")]


FADES = {
    "Kdenlive's fades at a cut": (
        entry("a", 0, 99, effect("brightness", prop("kdenlive_id", "fade_to_black"), 'in="75" out="99"'))
        + entry("b", 0, 99, effect("brightness", prop("kdenlive_id", "fade_from_black"), 'in="0" out="24"'))
        + entry("c", 0, 99),
        [(4.0, "fade"), (8.0, "cut")],
    ),
    "Shotcut's fades before black": (
        entry("a", 0, 99, effect("brightness", prop("shotcut:filter", "fadeOutBrightness"), 'in="75" out="99"'))
        + BLANK
        + entry("b", 0, 99, effect("brightness", prop("shotcut:filter", "fadeInBrightness"), 'in="0" out="24"')),
        [(4.0, "fade"), (6.0, "fade")],
    ),
}


@pytest.mark.parametrize("name", FADES)
def test_fades_by_filters(tmp_path, name):
    lower, expected = FADES[name]
    assert changes(tmp_path, kdenlive(lower=lower)) == expected


def test_a_fade_of_opacity_above_the_film_is_a_dissolve(tmp_path):
    faded = effect(
        "brightness", prop("shotcut:filter", "fadeInBrightness") + prop("alpha", "0=0;24=1"), 'in="0" out="24"'
    )
    text = kdenlive(BLANK + entry("x", 0, 199, faded), producer("x"))
    assert changes(tmp_path, text) == [(2.48, "fade"), (10.0, "cut"), (12.0, "cut")]


@pytest.mark.parametrize("on_the_clip", [True, False])
def test_a_title_card_of_black_with_a_text_is_picture(tmp_path, on_the_clip):
    text = effect("dynamictext", prop("argument", "THE END"))
    card = producer("k", "#ff000000", "color", "" if on_the_clip else text)
    lower = entry("a", 0, 99) + entry("k", 0, 99, text if on_the_clip else "") + entry("k", 0, 99) + entry("b", 0, 99)
    found = changes(tmp_path, kdenlive(lower=lower, media=card))
    assert found == [(4.0, "cut"), (8.0, "cut"), (12.0, "cut")]
    alone = kdenlive(lower=entry("k", 0, 99, text if on_the_clip else "") + BLANK + entry("a", 0, 99), media=card)
    assert changes(tmp_path, alone) == [(4.0, "cut"), (6.0, "cut")]


def test_black_at_the_ends(tmp_path):
    assert changes(tmp_path, kdenlive(lower=BLANK + entry("a", 0, 99) + entry("b", 0, 99))) == [
        (2.0, "cut"),
        (6.0, "cut"),
    ]
    black = producer("k", "#ff000000", "color")
    text = kdenlive(lower=entry("a", 0, 99) + entry("b", 0, 99) + entry("k", 0, 49), media=black)
    assert changes(tmp_path, text) == [(4.0, "cut"), (8.0, "cut")]
    longer = kdenlive(entry("x", 0, 449), producer("x", "", "kdenlivetitle"))
    assert changes(tmp_path, longer) == [*CUTS, (16.0, "cut")]  # the end title goes on over black


SIMPLE = f"""<mlt>{PROFILE}<producer id="a" out="999"/><producer id="b" out="999"/>
<playlist id="v"><entry producer="a" in="{{}}" out="{{}}"/><entry producer="b" in="{{}}" out="{{}}"/></playlist>
<tractor id="t"><track producer="v"/></tractor></mlt>"""
NOTATIONS = {
    "frames": ("0", "61"),
    "a clock": ("00:00:00.000", "00:00:02.440"),
    "a clock with a comma": ("00:00:00,000", "00:00:02,440"),
    "minutes and seconds": ("00:00.000", "00:02.440"),
    "a timecode": ("00:00:00:00", "00:00:02:11"),
    "a drop-frame timecode at 25": ("00:00:00;00", "00:00:02;11"),
    "blanks around it": (" 0 ", " 61 "),
}


@pytest.mark.parametrize("name", NOTATIONS)
def test_times_however_written(tmp_path, name):
    assert changes(tmp_path, SIMPLE.format(*NOTATIONS[name] * 2)) == [(2.48, "cut")]


def test_a_playlist_alone_and_the_rate_where_no_profile_says_it(tmp_path):
    text = SIMPLE.format("0", "61", "0", "61").replace('<tractor id="t"><track producer="v"/></tractor>', "")
    assert changes(tmp_path, text, "p.mlt") == [(2.48, "cut")] == changes(tmp_path, text, "p.xml")
    assert changes(tmp_path, text.replace(PROFILE, ""), "p.mlt") == [(round(62 / 24, 3), "cut")]


REFUSED = {
    "a damaged time": (SIMPLE.format("0", "x1", "0", "9"), "line 2, .*damaged"),
    "an out point before its in point": (SIMPLE.format("90", "10", "0", "9"), "line 2, .*damaged"),
    "a minute that is none": (SIMPLE.format("00:00:00:00", "00:00:02:25", "0", "9"), "line 2, .*impossible"),
    "a producer that is not there": (
        SIMPLE.format("0", "9", "0", "9").replace('producer="b" in', 'producer="q" in'),
        "line 2, .*'q'",
    ),
    "a profile of no rate": (SIMPLE.format("0", "9", "0", "9").replace('den="1"', 'den="0"'), "profile"),
    "a playlist that holds itself": (
        SIMPLE.format("0", "9", "0", "9").replace('producer="b" in', 'producer="v" in'),
        "contain each",
    ),
    "a transition of a track that is not there": (
        SIMPLE.format("0", "9", "0", "9").replace("</tractor>", composition("luma", "", 2, 5, 0, 7) + "</tractor>"),
        "track 7",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_with_its_line(tmp_path, name):
    text, why = REFUSED[name]
    with pytest.raises(InputError, match=why) as caught:
        listed(tmp_path, text)
    assert str(caught.value).startswith("p.kdenlive") and "\n" not in str(caught.value)
