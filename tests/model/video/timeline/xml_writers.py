"""The same timeline in the formats that are XML, and the table of all writers."""

from __future__ import annotations

from tests.model.video.timeline.writers import FPS, HOUR, Clip, Mix, Tracks, clips, edl, end_of, frames, otio

# FCPXML

_FC_INSIDE = {
    "scaled": '<adjust-transform scale="0.4 0.4"/>',
    "moved": '<adjust-transform position="30 0"/>',
    "cropped": '<adjust-crop mode="trim"><trim-rect left="20"/></adjust-crop>',
    "half": '<adjust-blend amount="0.5"/>',
    "blend": '<adjust-blend mode="13"/>',
    "larger": '<adjust-transform scale="1.4 1.4" position="3 0"/>',
    "film": '<adjust-conform type="fit"/><adjust-transform position="0 0" scale="1 1" anchor="0 0"/>',
}
_FC_REF = {"png": "r5", "jpg": "r6", "sound": "r4", "generator": "r7", "black": "r9"}


def _fc(seconds: float) -> str:
    return f"{frames(seconds)}/{FPS}s"


def _fc_clip(clip: Clip, lane: int, offset: float, inside: str, media: list[str]) -> str:
    length, place = _fc(clip.end - clip.start), f'offset="{_fc(offset)}"' + (f' lane="{lane}"' if lane else "")
    if clip.kind == "nested":
        media.append(
            f'<media id="n{len(media)}" name="nest"><sequence><spine>{_fc_spine(clip.held, media)}</spine>'
            f"</sequence></media>"
        )
        return f'<ref-clip ref="n{len(media) - 1}" {place} duration="{length}">{inside}</ref-clip>'
    if clip.kind in ("title", "adjustment"):
        return f'<title ref="r8" name="{clip.kind}" {place} duration="{length}" start="3600s">{inside}</title>'
    ref = _FC_REF.get(clip.kind, "r2" if clip.media == "a" else "r3")
    tag = "video" if clip.kind in ("generator", "png", "jpg", "black") else "asset-clip"
    off = ' enabled="0"' if clip.kind == "off" else ""
    start = _fc(10 + 20 * clip.start)
    body = _FC_INSIDE.get(clip.kind, "") + inside
    return f'<{tag} ref="{ref}" name="{clip.kind}" {place} start="{start}" duration="{length}"{off}>{body}</{tag}>'


def _fc_spine(tracks: Tracks, media: list[str]) -> str:
    """The spine of the lowest track; the others connected to whatever lies on it when they begin."""
    total = end_of(tracks)
    base: list[Clip] = []
    cursor = 0.0
    for clip in clips(tracks[0]):
        if clip.start > cursor:
            base.append(Clip(cursor, clip.start, "gap"))
        base.append(clip)
        cursor = clip.end
    if total > cursor and all(clip.kind != "sound" for track in tracks[1:] for clip in clips(track)):
        base.append(Clip(cursor, total, "gap"))
    parts = []
    for clip in base:
        local = (
            3600.0
            if clip.kind in ("gap", "title", "adjustment")
            else 0.0
            if clip.kind == "nested"
            else 10 + 20 * clip.start
        )
        inside = ""
        for index, track in enumerate(tracks[1:], 1):
            for over in clips(track):
                if clip.start <= over.start < clip.end:
                    lane = -1 if over.kind == "sound" and index == 1 else index
                    inside += _fc_clip(over, lane, local + over.start - clip.start, "", media)
        if clip.kind == "gap":
            length = _fc(clip.end - clip.start)
            parts.append(
                (clip.start, f'<gap offset="{_fc(clip.start)}" start="3600s" duration="{length}">{inside}</gap>')
            )
        else:
            parts.append((clip.start, _fc_clip(clip, 0, clip.start, inside, media)))
    for mix in (item for item in tracks[0] if isinstance(item, Mix)):
        text = f'<transition name="Cross Dissolve" offset="{_fc(mix.start)}" duration="{_fc(mix.end - mix.start)}"/>'
        starts = any(clip.start == mix.start for clip in clips(tracks[0]))
        ends = any(clip.end == mix.end for clip in clips(tracks[0]))
        place = mix.start - 0.001 if starts else mix.end - 0.001 if ends else (mix.start + mix.end) / 2 - 0.001
        parts.append((place, text))
    return "".join(text for _, text in sorted(parts))


def fcpxml(tracks: Tracks) -> str:
    media: list[str] = []
    spine = _fc_spine(tracks, media)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<fcpxml version="1.10"><resources>
<format id="r1" frameDuration="1/25s" width="1920" height="1080"/>
<asset id="r2" name="a" start="0s" duration="900s" hasVideo="1" hasAudio="1" format="r1" src="file:///m/a.mov"/>
<asset id="r3" name="b" start="0s" duration="900s" hasVideo="1" format="r1" src="file:///m/b.mov"/>
<asset id="r4" name="music" start="0s" duration="900s" hasAudio="1" audioSources="1" audioChannels="2"/>
<asset id="r5" name="logo" hasVideo="1"><media-rep kind="original-media" src="file:///m/logo.png"/></asset>
<asset id="r6" name="photo" hasVideo="1"><media-rep kind="original-media" src="file:///m/photo.jpg"/></asset>
<effect id="r7" name="Custom" uid=".../Generators.localized/Solids.localized/Custom"/>
<effect id="r8" name="Basic Title" uid=".../Titles.localized/Bumper:Opener.localized/Basic Title.localized"/>
<effect id="r9" name="Black" uid=".../Generators.localized/Solids.localized/Black"/>
{"".join(media)}</resources>
<library><event name="e"><project name="p"><sequence format="r1" tcStart="3600s" tcFormat="NDF"><spine>
{spine}
</spine></sequence></project></event></library></fcpxml>
"""


# Final Cut Pro 7 XML

_RATE = f"<rate><timebase>{FPS}</timebase><ntsc>FALSE</ntsc></rate>"


def _parameter(name: str, value: str) -> str:
    return f"<parameter authoringApp='PremierePro'><parameterid>{name}</parameterid><value>{value}</value></parameter>"


def _filter(kind: str, *parameters: str) -> str:
    return f"<filter><effect><name>{kind}</name><effectid>{kind}</effectid>{''.join(parameters)}</effect></filter>"


_XM_INSIDE = {
    "scaled": _filter("basic", _parameter("scale", "40")),
    "moved": _filter("basic", _parameter("center", "<horiz>0.3</horiz><vert>0</vert>")),
    "cropped": _filter("crop", _parameter("left", "20"), _parameter("right", "0")),
    "half": _filter("opacity", _parameter("opacity", "50")),
    "blend": "<compositemode>screen</compositemode>",
    "larger": _filter("basic", _parameter("scale", "140"), _parameter("center", "<horiz>0.02</horiz><vert>0</vert>")),
    "film": _filter("basic", _parameter("scale", "100"), _parameter("center", "<horiz>0</horiz><vert>0</vert>")),
}


def _xm_clip(clip: Clip, track: tuple, ids: dict[str, int]) -> str:
    mixes = [item for item in track if isinstance(item, Mix)]
    start = -1 if any(mix.start <= clip.start < mix.end for mix in mixes) else frames(clip.start)
    end = -1 if any(mix.start < clip.end <= mix.end for mix in mixes) else frames(clip.end)
    place = f"<start>{start}</start><end>{end}</end><in>{frames(10 + 20 * clip.start)}</in><out>9999</out>"
    enabled = "FALSE" if clip.kind == "off" else "TRUE"
    head = f"<name>{clip.kind}</name><enabled>{enabled}</enabled>{_RATE}{place}"
    if clip.kind in ("title", "generator", "black"):
        effect = {"black": "Slug", "title": "Text", "generator": "Color"}[clip.kind]
        return f"<generatoritem>{head}{_filter(effect)}</generatoritem>".replace("filter>", "dummy>").replace(
            "dummy>", "x>"
        )
    if clip.kind == "nested":
        ids["sequence"] = number = ids.get("sequence", 1) + 1
        inner = _xm_sequence(clip.held, ids, f"sequence-{number}")
        return f"<clipitem>{head.replace(f'<in>{frames(10 + 20 * clip.start)}</in>', '<in>0</in>')}{inner}</clipitem>"
    ending = {"png": "png", "jpg": "jpg", "sound": "wav"}.get(clip.kind, "mov")
    name = f"file-{clip.media}-{ending}"
    if clip.kind == "adjustment":
        file = "<file id='file-adj'><name>Adjustment Layer</name><mediaSource>Slug</mediaSource></file>"
    elif name in ids:
        file = f"<file id='{name}'/>"
    else:
        ids[name] = 1
        size = "<samplecharacteristics><width>1920</width><height>1080</height></samplecharacteristics>"
        kinds = "<audio/>" if clip.kind == "sound" else f"<video>{size}</video><audio/>"
        file = f"<file id='{name}'><pathurl>file://localhost/m/{clip.media}.{ending}</pathurl><media>{kinds}</media></file>"
    head = head.replace("<name>adjustment</name>", "<name>Adjustment Layer</name>")
    return f"<clipitem>{head}{file}{_XM_INSIDE.get(clip.kind, '')}</clipitem>"


def _xm_track(track: tuple, ids: dict[str, int]) -> str:
    text = ""
    for item in track:
        if isinstance(item, Clip):
            text += _xm_clip(item, track, ids)
            continue
        opens = not any(clip.start < item.start < clip.end + 1e-9 for clip in clips(track))
        closes = not any(clip.start - 1e-9 < item.end < clip.end for clip in clips(track))
        alignment = "start-black" if opens else "end-black" if closes else "center"
        text += (
            f"<transitionitem><start>{frames(item.start)}</start><end>{frames(item.end)}</end>"
            f"<alignment>{alignment}</alignment>{_RATE}<effect><name>Cross Dissolve</name></effect></transitionitem>"
        )
    return f"<track>{text}<enabled>TRUE</enabled><locked>FALSE</locked></track>"


def _xm_sequence(tracks: Tracks, ids: dict[str, int], name: str) -> str:
    picture = "".join(_xm_track(t, ids) for t in tracks if not all(c.kind == "sound" for c in clips(t)))
    sound = "".join(_xm_track(t, ids) for t in tracks if all(c.kind == "sound" for c in clips(t)))
    size = "<format><samplecharacteristics><width>1920</width><height>1080</height></samplecharacteristics></format>"
    timecode_of = f"<timecode>{_RATE}<string>01:00:00:00</string><frame>{HOUR * FPS}</frame></timecode>"
    return (
        f"<sequence id='{name}'><name>s</name>{_RATE}{timecode_of}"
        f"<media><video>{size}{picture}</video><audio>{sound}</audio></media></sequence>"
    )


def xmeml(tracks: Tracks) -> str:
    body = _xm_sequence(tracks, {}, "sequence-1").replace("<x>", "").replace("</x>", "")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n<xmeml version="4">\n{body}\n</xmeml>\n'


# MLT, as Kdenlive writes it: two playlists a track, so that clips of one track can overlap by a mix

_MLT_FILTER = {
    "scaled": ("qtblend", "rect", "00:00:00.000=1200 600 480 270 1"),
    "moved": ("qtblend", "rect", "0=600 0 1920 1080 1"),
    "cropped": ("crop", "left", "200"),
    "half": ("qtblend", "rect", "00:00:00.000=0 0 1920 1080 0.5"),
    "blend": ("qtblend", "compositing", "16"),
    "larger": ("qtblend", "rect", "00:00:00.000=-200 -100 2320 1280 1"),
}
_MLT_SERVICE = {"title": "kdenlivetitle", "generator": "color", "png": "qimage", "jpg": "qimage", "black": "color"}


def clock(seconds: float) -> str:
    return f"{int(seconds // 3600):02d}:{int(seconds // 60 % 60):02d}:{seconds % 60:06.3f}"


def _mlt_producer(name: str, clip: Clip) -> str:
    ending = {"png": "png", "jpg": "jpg", "sound": "mp3"}.get(clip.kind, "mp4")
    resource = {"generator": "0xff0000ff", "black": "black", "title": ""}.get(clip.kind, f"/m/{clip.media}.{ending}")
    service = _MLT_SERVICE.get(clip.kind, "avformat-novalidate")
    off = '<property name="set.test_image">1</property>' if clip.kind == "off" else ""
    return (
        f'<producer id="{name}" in="00:00:00.000" out="00:10:00.000"><property name="resource">{resource}</property>'
        f'<property name="mlt_service">{service}</property>{off}</producer>'
    )


def _mlt_sequence(tracks: Tracks, name: str, made: list[str], with_black: bool = True) -> None:
    names = []
    for index, track in enumerate(tracks):
        own = f"{name}-t{index}"
        mixes = [item for item in track if isinstance(item, Mix)]
        lists: list[list[str]] = [[], []]
        cursors = [0.0, 0.0]
        side = 0
        for number, clip in enumerate(clips(track)):
            opening = next((m for m in mixes if m.start <= clip.start < m.end), None)
            closing = next((m for m in mixes if m.start < clip.end <= m.end), None)
            if opening is not None and opening.start < clip.start:
                side = 1 - side
            start = opening.start if opening is not None else clip.start
            end = closing.end if closing is not None else clip.end
            producer = f"{own}-p{number}"
            if clip.kind == "nested":
                _mlt_sequence(clip.held, producer, made, with_black=False)
            else:
                made.append(_mlt_producer(producer, clip))
            if start > cursors[side]:
                lists[side].append(f'<blank length="{clock(start - cursors[side])}"/>')
            in_s = 0.0 if clip.kind == "nested" else 10 + 20 * clip.start
            effect = _MLT_FILTER.get(clip.kind)
            inside = (
                f'<filter><property name="mlt_service">{effect[0]}</property>'
                f'<property name="{effect[1]}">{effect[2]}</property></filter>'
                if effect
                else ""
            )
            out = clock(in_s + end - start - 1 / FPS)
            lists[side].append(f'<entry producer="{producer}" in="{clock(in_s)}" out="{out}">{inside}</entry>')
            cursors[side] = end
        hide = "video" if all(clip.kind == "sound" for clip in clips(track)) else "audio"
        for number, entries in enumerate(lists):
            made.append(f'<playlist id="{own}-l{number}">{"".join(entries)}</playlist>')
        mixed = "".join(
            f'<transition in="{clock(mix.start)}" out="{clock(mix.end - 1 / FPS)}"><property name="a_track">0'
            f"</property>"
            f'<property name="b_track">1</property><property name="mlt_service">luma</property>'
            f'<property name="kdenlive:mixcut">12</property></transition>'
            for mix in mixes
        )
        held = "".join(f'<track hide="{hide}" producer="{own}-l{number}"/>' for number in (0, 1))
        made.append(
            f'<tractor id="{own}" in="00:00:00.000" out="{clock(end_of(tracks) - 1 / FPS)}">{held}{mixed}</tractor>'
        )
        names.append(own)
    black = f"{name}-black"
    made.append(
        f'<producer id="{black}" in="00:00:00.000" out="01:00:00.000"><property name="resource">black</property>'
        '<property name="mlt_service">color</property></producer>'
    )
    internal = "".join(
        f'<transition><property name="a_track">0</property><property name="b_track">{number}</property>'
        f'<property name="mlt_service">{service}</property><property name="internal_added">237</property>'
        '<property name="always_active">1</property></transition>'
        for number in range(1, len(names) + 1)
        for service in ("mix", "qtblend")
    )
    held = "".join(f'<track producer="{found}"/>' for found in [black, *names])
    out = clock(end_of(tracks) - 1 / FPS)
    made.append(f'<tractor id="{name}" in="00:00:00.000" out="{out}">{held}{internal}</tractor>')


def kdenlive(tracks: Tracks) -> str:
    made: list[str] = []
    _mlt_sequence(tracks, "{seq}", made)
    body = "\n".join(made)
    return f"""<?xml version='1.0' encoding='utf-8'?>
<mlt LC_NUMERIC="C" producer="main_bin" version="7.22.0">
<profile frame_rate_num="{FPS}" frame_rate_den="1" width="1920" height="1080"/>
{body}
<playlist id="main_bin"><entry producer="{{seq}}" in="00:00:00.000" out="00:00:00.000"/></playlist>
<tractor id="project" in="00:00:00.000" out="{clock(end_of(tracks) - 1 / FPS)}">
<property name="kdenlive:projectTractor">1</property><track producer="{{seq}}"/></tractor>
</mlt>
"""


FORMATS = {"edl": edl, "otio": otio, "fcpxml": fcpxml, "xml": xmeml, "kdenlive": kdenlive}
