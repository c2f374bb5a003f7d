"""Lists of cuts in every format, written in its true syntax or by OpenTimelineIO itself."""

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest

from hitpoint.model.errors import InputError
from hitpoint.model.video.cuts_file import read_cuts

FPS = 24.0

EDL = """TITLE: SPOT_V3
FCM: NON-DROP FRAME

001  A001C002 V     C        14:02:10:00 14:02:12:00 01:00:00:00 01:00:02:00
* FROM CLIP NAME: A001C002.MOV
002  A001C004 AA/V  C        14:10:00:12 14:10:02:00 01:00:02:00 01:00:03:12
003  A001C004 V     C        14:10:02:00 14:10:02:00 01:00:03:12 01:00:03:12
003  A001C007 V     D    024 14:20:00:00 14:20:02:12 01:00:03:12 01:00:06:00
M2   A001C007       024.0                14:20:00:00
* FROM CLIP NAME: A001C004.MOV
* TO CLIP NAME: A001C007.MOV
004  A001C009 A     C        14:30:00:00 14:30:04:00 01:00:06:00 01:00:10:00
005  A001C009 V     C        14:30:00:00 14:30:04:00 01:00:06:00 01:00:10:00
006  LOGO     V2    C        00:00:00:00 00:00:01:00 01:00:07:00 01:00:08:00
"""

EDL_BLACK = """TITLE: FADES
FCM: NON-DROP FRAME
001  BL       V     C        00:00:00:00 00:00:00:00 00:00:00:00 00:00:00:00
001  ONE      V     D    012 00:00:00:00 00:00:04:00 00:00:00:00 00:00:04:00
002  ONE      V     C        00:00:04:00 00:00:04:00 00:00:04:00 00:00:04:00
002  BL       V     D    024 00:00:00:00 00:00:02:00 00:00:04:00 00:00:06:00
003  BL       V     C        00:00:02:00 00:00:02:00 00:00:06:00 00:00:06:00
003  TWO      V     D    012 00:00:00:00 00:00:02:00 00:00:06:00 00:00:08:00
"""

FCPXML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<fcpxml version="1.9">
  <resources>
    <format id="r1" name="FFVideoFormat1080p24" frameDuration="100/2400s" width="1920" height="1080"/>
    <asset id="r2" name="A" start="0s" duration="60s" hasVideo="1" format="r1" hasAudio="1"/>
    <asset id="r3" name="M" start="0s" duration="60s" hasAudio="1" audioChannels="2"/>
    <asset id="r4" name="music" start="0s" duration="60s" hasVideo="0" hasAudio="1"/>
  </resources>
  <library><event name="e"><project name="p">
    <sequence format="r1" duration="12s" tcStart="3600s" tcFormat="NDF">
      <spine>
        <asset-clip ref="r2" offset="0s" duration="48/24s" start="10s" name="one">
          <asset-clip ref="r2" lane="1" offset="10.5s" duration="1/2s" start="3s" name="cutaway"/>
          <asset-clip ref="r4" lane="-1" offset="10s" duration="9s" name="music"/>
        </asset-clip>
        <asset-clip ref="r2" offset="48/24s" duration="72/24s" start="20s" name="two"/>
        <transition name="Cross Dissolve" offset="108/24s" duration="24/24s"/>
        <asset-clip ref="r2" offset="120/24s" duration="48/24s" start="30s" name="three">
          <spine lane="1" offset="31s"><clip offset="0s" duration="1/2s"/></spine>
        </asset-clip>
        <gap offset="168/24s" duration="24/24s" start="3600s"/>
        <video ref="r2" offset="192/24s" duration="24/24s" start="0s"/>
      </spine>
    </sequence>
  </project></event></library>
</fcpxml>
"""

KDENLIVE = """<?xml version='1.0' encoding='utf-8'?>
<mlt LC_NUMERIC="C" producer="main_bin" version="7.22.0" root="/home/ana">
 <profile frame_rate_num="25" frame_rate_den="1" width="1920" height="1080"/>
 <producer id="producer0" in="00:00:00.000" out="00:01:00.000">
  <property name="mlt_service">color</property><property name="resource">black</property>
 </producer>
 <chain id="chain0" out="00:01:00.000"><property name="resource">a.mp4</property></chain>
 <chain id="chain1" out="00:01:00.000"><property name="resource">b.mp4</property></chain>
 <playlist id="playlist0"><entry producer="chain0" in="00:00:00.000" out="00:00:20.000"/></playlist>
 <playlist id="playlist1"/>
 <tractor id="tractor0" in="00:00:00.000" out="00:00:20.000">
  <property name="kdenlive:audio_track">1</property>
  <track hide="video" producer="playlist0"/><track hide="video" producer="playlist1"/>
 </tractor>
 <playlist id="playlist2">
  <entry producer="chain0" in="00:00:02.000" out="00:00:03.960"/>
  <entry producer="chain1" in="00:00:00.000" out="00:00:03.960"/>
  <blank length="00:00:03.000"/>
  <entry producer="chain0" in="00:00:09.000" out="00:00:09.960"/>
 </playlist>
 <playlist id="playlist3">
  <blank length="00:00:05.000"/>
  <entry producer="chain1" in="00:00:20.000" out="00:00:23.960"/>
 </playlist>
 <tractor id="tractor1" in="00:00:00.000" out="00:00:09.960">
  <track hide="audio" producer="playlist2"/><track hide="audio" producer="playlist3"/>
  <transition id="t0" in="00:00:05.000" out="00:00:05.960">
   <property name="a_track">0</property><property name="b_track">1</property>
   <property name="mlt_service">luma</property>
  </transition>
 </tractor>
 <tractor id="{uuid}" in="00:00:00.000" out="00:00:09.960">
  <track producer="producer0"/><track producer="tractor0"/><track producer="tractor1"/>
  <transition id="t1"><property name="mlt_service">qtblend</property></transition>
 </tractor>
 <playlist id="main_bin"><entry producer="{uuid}" in="00:00:00.000" out="00:00:00.000"/></playlist>
 <tractor id="tractor2" in="00:00:00.000" out="00:00:09.960">
  <property name="kdenlive:projectTractor">1</property>
  <track producer="{uuid}" in="00:00:00.000" out="00:00:09.960"/>
 </tractor>
</mlt>
"""

SHOTCUT = """<?xml version="1.0" standalone="no"?>
<mlt LC_NUMERIC="C" version="7.28.0" title="Shotcut version 24.10.29" producer="main_bin">
  <profile description="automatic" frame_rate_num="30000" frame_rate_den="1001" width="1280" height="720"/>
  <playlist id="main_bin"/>
  <producer id="black" in="0" out="299"><property name="resource">0</property>
    <property name="mlt_service">color</property></producer>
  <playlist id="background"><entry producer="black" in="0" out="299"/></playlist>
  <chain id="chain0" out="899"><property name="resource">a.mp4</property></chain>
  <chain id="chain1" out="899"><property name="resource">b.mp4</property></chain>
  <tractor id="tractor0" in="0" out="29">
    <property name="shotcut:transition">lumaMix</property>
    <track producer="chain0" in="90" out="119"/><track producer="chain1" in="0" out="29"/>
    <transition id="transition0" out="29"><property name="mlt_service">luma</property></transition>
    <transition id="transition1" out="29"><property name="mlt_service">mix</property></transition>
  </tractor>
  <playlist id="playlist0">
    <entry producer="chain0" in="0" out="89"/><entry producer="tractor0" in="0" out="29"/>
    <entry producer="chain1" in="30" out="119"/><entry producer="chain0" in="300" out="389"/>
  </playlist>
  <tractor id="tractor1" in="0" out="299">
    <track producer="background"/><track producer="playlist0"/>
  </tractor>
</mlt>
"""


def cuts(folder: Path, name: str, text: str, fps: float = FPS) -> list[tuple[float, str]]:
    """What read_cuts makes of `text`, times rounded to a tenth of a millisecond."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return [(round(b.time_s, 4), b.kind) for b in read_cuts(path, fps)]


def test_edl_counts_from_the_first_record_in_and_dissolves_become_fades(tmp_path):
    assert cuts(tmp_path, "spot.EDL", EDL) == [(2.0, "cut"), (4.0, "fade"), (6.0, "cut")]


def test_edl_fades_to_and_from_black_lie_at_the_darkest_moment(tmp_path):
    assert cuts(tmp_path, "black.edl", EDL_BLACK) == [(5.0, "fade"), (6.0, "fade")]


def test_edl_gap_is_a_cut_to_black_and_back(tmp_path):
    text = """001  ONE V C 00:00:00:00 00:00:02:00 00:00:00:00 00:00:02:00
002  TWO V C 00:00:00:00 00:00:02:00 00:00:03:00 00:00:05:00
"""
    assert cuts(tmp_path, "gap.edl", text) == [(2.0, "cut"), (3.0, "cut")]


def test_edl_drop_frame_timecode_counts_true_frames(tmp_path):
    text = """TITLE: TEN MINUTES
FCM: DROP FRAME
001  ONE V C 00:00:00;00 00:10:00;00 01:00:00;00 01:10:00;00
002  TWO V C 00:00:00;00 00:01:00;02 01:10:00;00 01:11:00;02
003  SIX V C 00:00:00;00 00:00:01;00 01:11:00;02 01:11:01;02
"""
    fps = 30000 / 1001
    expected = [(round(17982 / fps, 4), "cut"), (round((17982 + 1800) / fps, 4), "cut")]
    assert cuts(tmp_path, "drop.edl", text, fps) == expected


def test_json_in_both_forms(tmp_path):
    assert cuts(tmp_path, "a.json", "[0, 1.5, 3]") == [(1.5, "cut"), (3.0, "cut")]
    assert cuts(tmp_path, "b.json", '{"cuts": [2.0], "fades": [1.0]}') == [(1.0, "fade"), (2.0, "cut")]


def test_fcpxml_with_connected_clips_transition_and_gap(tmp_path):
    assert cuts(tmp_path, "p.fcpxml", FCPXML) == [
        (0.5, "cut"),
        (1.0, "cut"),
        (2.0, "cut"),
        (5.0, "fade"),
        (6.0, "cut"),
        (6.5, "cut"),
        (7.0, "cut"),
        (8.0, "cut"),
    ]


def test_fcpxmld_is_a_folder(tmp_path):
    (tmp_path / "p.fcpxmld").mkdir()
    (tmp_path / "p.fcpxmld" / "Info.fcpxml").write_text(FCPXML)
    assert len(read_cuts(tmp_path / "p.fcpxmld", FPS)) == 8


def test_kdenlive_project_with_a_mix_inside_a_track(tmp_path):
    found = cuts(tmp_path, "p.kdenlive", KDENLIVE)
    assert found == [(2.0, "cut"), (5.5, "fade"), (9.0, "cut")]


def test_shotcut_project_with_a_nested_transition(tmp_path):
    second = 30 * 1001 / 30000
    found = cuts(tmp_path, "p.mlt", SHOTCUT)
    assert found == [(round(3.5 * second, 4), "fade"), (round(7 * second, 4), "cut")]


def timeline(otio):
    """2 s, dissolve of 1 s about 5 s, a gap 8-9 s, and a cutaway of half a second on a second track."""

    def clip(name, seconds):
        start = otio.opentime.RationalTime(240, 24)
        whole = otio.opentime.TimeRange(otio.opentime.RationalTime(0, 24), otio.opentime.RationalTime(2400, 24))
        return otio.schema.Clip(
            name,
            media_reference=otio.schema.ExternalReference(f"{name}.mov", available_range=whole),
            source_range=otio.opentime.TimeRange(start, otio.opentime.RationalTime(seconds * 24, 24)),
        )

    half = otio.opentime.RationalTime(12, 24)
    result = otio.schema.Timeline("t")
    video = otio.schema.Track("V1", kind="Video")
    dissolve = otio.schema.Transition("x", "SMPTE_Dissolve", in_offset=half, out_offset=half)
    gap = otio.schema.Gap(duration=otio.opentime.RationalTime(24, 24))
    video.extend([clip("a", 2), clip("b", 3), dissolve, clip("c", 3), gap, clip("d", 2)])
    result.tracks.append(video)
    return result, clip


def test_otio_written_by_opentimelineio(tmp_path):
    otio = pytest.importorskip("opentimelineio")
    made, clip = timeline(otio)
    over = otio.schema.Track("V2", kind="Video")
    over.extend([otio.schema.Gap(duration=otio.opentime.RationalTime(24, 24)), clip("e", 0.5)])
    made.tracks.append(over)
    sound = otio.schema.Track("A1", kind="Audio")
    sound.extend([clip("s", 1.25), clip("s", 3)])
    made.tracks.append(sound)
    path = tmp_path / "t.otio"
    otio.adapters.write_to_file(made, str(path))
    found = [(round(b.time_s, 4), b.kind) for b in read_cuts(path, FPS)]
    assert found == [(1.0, "cut"), (1.5, "cut"), (2.0, "cut"), (5.0, "fade"), (8.0, "cut"), (9.0, "cut")]


def test_otio_nested_sequence_is_trimmed(tmp_path):
    otio = pytest.importorskip("opentimelineio")
    made, clip = timeline(otio)
    inner = otio.schema.Stack("nested")
    track = otio.schema.Track("V1", kind="Video")
    track.extend([clip("x", 2), clip("y", 2)])
    inner.append(track)
    inner.source_range = otio.opentime.TimeRange(otio.opentime.RationalTime(24, 24), otio.opentime.RationalTime(48, 24))
    made.tracks[0].append(inner)
    path = tmp_path / "t.otio"
    otio.adapters.write_to_file(made, str(path))
    assert [round(b.time_s, 4) for b in read_cuts(path, FPS)][-2:] == [11.0, 12.0]


WRITERS = [("cmx_3600", "t.edl"), ("fcpx_xml", "t.fcpxml"), ("mlt_xml", "t.mlt")]


@pytest.mark.parametrize(("adapter", "name"), WRITERS)
def test_files_that_opentimelineio_writes(tmp_path, adapter, name):
    otio = pytest.importorskip("opentimelineio")
    if adapter not in otio.adapters.available_adapter_names():
        pytest.skip(f"OpenTimelineIO's adapter {adapter} is not installed")
    made, _ = timeline(otio)
    path = tmp_path / name
    options = {"rate": 24} if adapter == "cmx_3600" else {}
    otio.adapters.write_to_file(made, str(path), adapter_name=adapter, **options)
    found = [(round(b.time_s, 3), b.kind) for b in read_cuts(path, FPS)]
    change = "cut" if adapter == "fcpx_xml" else "fade"  # that writer leaves transitions out
    assert found == [(2.0, "cut"), (5.0, change), (8.0, "cut"), (9.0, "cut")]


def scene(otio, rate: float, name: str):
    """A timeline at `rate` frames a second whose shots last 100, 73 and 51 frames, with one thing odd about it."""
    time, span = otio.opentime.RationalTime, otio.opentime.TimeRange

    def clip(name: str, frames: int, speed: float = 1.0):
        media = otio.schema.ExternalReference(f"/m/{name}.mov", available_range=span(time(0, rate), time(9000, rate)))
        made = otio.schema.Clip(name, media_reference=media, source_range=span(time(240, rate), time(frames, rate)))
        if speed != 1.0:
            made.effects.append(otio.schema.LinearTimeWarp(time_scalar=speed))
        return made

    a, b, c = clip("a", 100), clip("b", 73), clip("c", 51)
    six = time(6, rate)
    if name == "dissolve":
        items = [a, otio.schema.Transition("x", "SMPTE_Dissolve", in_offset=six, out_offset=six), b, c]
    elif name == "speed":
        items = [clip("a", 100, 2.0), clip("b", 73, 0.5), c]
    elif name == "freeze":
        b.effects.append(otio.schema.FreezeFrame())
        items = [a, b, c]
    elif name == "gap":
        items = [a, otio.schema.Gap(duration=time(73, rate)), c]
    else:
        items = [a, b, c]
    made = otio.schema.Timeline("t")
    video = otio.schema.Track("V1", kind="Video")
    video.extend(items)
    made.tracks.append(video)
    return made


@pytest.mark.parametrize("name", ["plain", "dissolve", "speed", "freeze", "gap"])
@pytest.mark.parametrize("rate", [24000 / 1001, 24.0, 25.0, 30000 / 1001, 60000 / 1001])
@pytest.mark.parametrize(("adapter", "ending"), [("otio_json", "otio"), *((a, n[2:]) for a, n in WRITERS)])
def test_every_rate_and_oddity_that_opentimelineio_writes(tmp_path, adapter, ending, rate, name):
    """Both cuts within a tenth of a frame (MLT and FCPXML round times)."""
    otio = pytest.importorskip("opentimelineio")
    if adapter not in otio.adapters.available_adapter_names():
        pytest.skip(f"OpenTimelineIO's adapter {adapter} is not installed")
    path = tmp_path / f"t.{ending}"
    options = {"rate": rate} if adapter == "cmx_3600" else {}
    otio.adapters.write_to_file(scene(otio, rate, name), str(path), adapter_name=adapter, **options)
    assert [b.time_s * rate for b in read_cuts(path, rate)] == [
        pytest.approx(100, abs=0.1),
        pytest.approx(173, abs=0.1),
    ]


def test_otio_fades_to_and_from_black_lie_at_the_black_end(tmp_path):
    otio = pytest.importorskip("opentimelineio")
    made, clip = timeline(otio)
    half = otio.opentime.RationalTime(12, 24)
    fade = [otio.schema.Transition("x", "SMPTE_Dissolve", in_offset=half, out_offset=half) for _ in range(2)]
    track = made.tracks[0]
    track[:] = []
    second = otio.opentime.RationalTime(48, 24)
    track.extend([clip("a", 2), fade[0], otio.schema.Gap(duration=second), fade[1], clip("b", 2)])
    path = tmp_path / "t.otio"
    otio.adapters.write_to_file(made, str(path))
    assert [(b.time_s, b.kind) for b in read_cuts(path, FPS)] == [(2.5, "fade"), (3.5, "fade")]


COMPOUND = """<fcpxml version="1.9"><resources>
 <asset id="r2" start="0s" duration="60s" hasVideo="1"/>
 <media id="r3" name="nest"><sequence duration="6s"><spine>
  <asset-clip ref="r2" offset="0s" duration="2s"/>
  <asset-clip ref="r2" offset="2s" duration="2s"/>
  <transition offset="7/2s" duration="1s"/>
  <asset-clip ref="r2" offset="4s" duration="2s"/>
 </spine></sequence></media>
</resources><library><event><project><sequence duration="8s"><spine>
 <asset-clip ref="r2" offset="0s" duration="2s"/>
 <ref-clip ref="r3" offset="2s" start="1s" duration="4s"/>
 <gap offset="6s" duration="2s"/>
</spine></sequence></project></event></library></fcpxml>
"""


def test_fcpxml_compound_clip_is_looked_into_and_trimmed(tmp_path):
    found = cuts(tmp_path, "c.fcpxml", COMPOUND)
    assert found == [(2.0, "cut"), (3.0, "cut"), (5.0, "fade"), (6.0, "cut")]


def an_hour_late(text):
    """The same timeline with offsets that count from timecode 01:00:00:00, as DaVinci Resolve writes them."""
    return re.sub(r'offset="([\d/]+)s"', lambda found: f'offset="{Fraction(found[1]) + 3600}s"', text)


def test_fcpxml_counts_from_the_programmes_start_whatever_its_timecode(tmp_path):
    media, programme = COMPOUND.split("<library>")
    expected = [(2.0, "cut"), (3.0, "cut"), (5.0, "fade"), (6.0, "cut")]
    assert cuts(tmp_path, "p.fcpxml", f"{media}<library>{an_hour_late(programme)}") == expected
    assert cuts(tmp_path, "m.fcpxml", an_hour_late(COMPOUND).replace('start="1s"', 'start="3601s"')) == expected


def test_fcpxml_audition_is_as_long_as_the_clip_it_shows(tmp_path):
    shown = '<clip duration="2s" start="1s"><clip lane="1" offset="2s" duration="1s"/></clip>'
    both = f'<audition offset="2s">{shown}<clip duration="9s"/></audition>'
    text = f"""<fcpxml><resources/><sequence><spine><clip offset="0s" duration="2s">
     <audition lane="1" offset="1s"><clip duration="1/2s"/><clip duration="9s"/></audition></clip>{both}
    </spine></sequence></fcpxml>"""
    assert cuts(tmp_path, "a.fcpxml", text) == [(1.0, "cut"), (1.5, "cut"), (2.0, "cut"), (3.0, "cut")]


def test_mlt_entry_without_out_point_lasts_as_long_as_what_it_plays(tmp_path):
    text = """<mlt><profile frame_rate_num="25" frame_rate_den="1"/>
 <producer id="a" out="249"/><playlist id="inner"><entry producer="a" in="0" out="24"/><entry producer="a"/></playlist>
 <playlist id="v"><entry producer="inner"/><entry producer="a" in="0" out="49"/></playlist>
 <tractor id="t"><track producer="v"/></tractor></mlt>"""
    assert cuts(tmp_path, "e.mlt", text) == [(1.0, "cut"), (11.0, "cut")]


BAD = {
    "endless.fcpxml": COMPOUND.replace('<asset-clip ref="r2" offset="0s" duration="2s"/>', '<ref-clip ref="r3"/>', 1),
    "cuts.txt": "1.0\n2.0\n",
    "noise.edl": "this is no list of cuts\n",
    "audio.edl": "001  ONE A C 00:00:00:00 00:00:02:00 00:00:00:00 00:00:02:00\n",
    "frames.edl": "001  ONE V C 00:00:00:00 00:00:02:00 00:00:00:29 00:00:02:00\n",
    "back.edl": "001  ONE V C 00:00:00:00 00:00:02:00 00:00:02:00 00:00:01:00\n",
    "one.edl": "001  ONE V C 00:00:00:00 00:00:02:00 00:00:00:00 00:00:02:00\n",
    "broken.otio": '{"OTIO_SCHEMA": "Timeline.1", "tracks"',
    "none.otio": '{"OTIO_SCHEMA": "Clip.1"}',
    "odd.otio": '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"children": [{"OTIO_SCHEMA": "Track.1", "children": [3]}]}}',
    "list.otio": "[1, 2]",
    "deep.otio": "[" * 100_000,
    "word.otio": '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"children": [{"OTIO_SCHEMA": "Track.1", "children": '
    '[{"OTIO_SCHEMA": "Clip.2", "source_range": {"duration": {"value": "two", "rate": 24}}}]}]}}',
    "half.json": '{"cuts": [1.0, ',
    "words.json": '{"cuts": ["one"]}',
    "flag.json": '{"cuts": [true]}',
    "nan.json": '{"cuts": [NaN]}',
    "object.json": '{"boundaries": []}',
    "number.json": "3",
    "negative.json": "[-1.0, 2.0]",
    "back.json": "[2.0, 1.0]",
    "same.json": "[2.0, 2.0]",
    "none.json": '{"cuts": [], "fades": []}',
    "empty.edl": "",
    "broken.fcpxml": "<fcpxml><resources>",
    "other.fcpxml": "<xmeml version='5'/>",
    "time.fcpxml": "<fcpxml><sequence><spine><clip offset='x' duration='1s'/></spine></sequence></fcpxml>",
    "huge.fcpxml": "<fcpxml><sequence><spine><clip duration='1e400s'/></spine></sequence></fcpxml>",
    "zero.fcpxml": "<fcpxml><sequence><spine><clip offset='1/0s' duration='1s'/></spine></sequence></fcpxml>",
    "broken.mlt": "<mlt>",
    "bare.mlt": "<mlt><profile/></mlt>",
    "dangling.mlt": "<mlt><profile/><tractor id='t'><track producer='p'/></tractor></mlt>",
    "back.mlt": "<mlt><profile/><producer id='a' out='99'/><playlist id='p'><entry producer='a' in='50' out='10'/>"
    "<entry producer='a' in='0' out='49'/></playlist><tractor id='t'><track producer='p'/></tractor></mlt>",
    "nan.otio": '{"OTIO_SCHEMA": "Timeline.1", "tracks": {"children": [{"OTIO_SCHEMA": "Track.1", "children": '
    '[{"OTIO_SCHEMA": "Clip.2", "source_range": {"duration": {"value": NaN, "rate": 24}}}]}]}}',
    "endless.mlt": "<mlt><profile/><playlist id='p'><blank length='0:0:inf'/></playlist>"
    "<tractor id='t'><track producer='p'/></tractor></mlt>",
    "endless.kdenlive": "<mlt><profile/><tractor id='t'><track producer='t'/></tractor></mlt>",
    "zero.mlt": "<mlt><profile frame_rate_num='25' frame_rate_den='0'/><tractor id='t'/></mlt>",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_sentence(tmp_path, name):
    path = tmp_path / name
    path.write_text(BAD[name])
    with pytest.raises(InputError) as caught:
        read_cuts(path, FPS)
    message = str(caught.value)
    assert name in message and not message.endswith(".") and "\n" not in message


@pytest.mark.parametrize("name", ["back.mlt", "nan.otio"])
def test_a_shot_without_a_proper_place_is_not_passed_over(tmp_path, name):
    (tmp_path / name).write_text(BAD[name])
    with pytest.raises(InputError, match="a time in it is damaged"):
        read_cuts(tmp_path / name, FPS)


def test_missing_file_and_folder_and_rate(tmp_path):
    for path in (tmp_path / "absent.edl", tmp_path):
        with pytest.raises(InputError):
            read_cuts(path, FPS)
    (tmp_path / "x.edl").write_text(EDL)
    with pytest.raises(InputError, match="frame rate"):
        read_cuts(tmp_path / "x.edl", 0.0)
    (tmp_path / "folder.edl").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        read_cuts(tmp_path / "folder.edl", FPS)


def test_latin_1_and_byte_order_mark(tmp_path):
    (tmp_path / "l.edl").write_bytes(EDL.replace("A001C002.MOV", "Größe.MOV").encode("latin-1"))
    assert len(read_cuts(tmp_path / "l.edl", FPS)) == 3
    (tmp_path / "b.json").write_bytes(b"\xef\xbb\xbf" + json.dumps([1.0]).encode())
    assert len(read_cuts(tmp_path / "b.json", FPS)) == 1
