"""AAF, written and read by its library where that is installed, and a sentence where it is not."""

import sys

import pytest

from hitpoint.model.errors import InputError, MissingError
from hitpoint.model.video.cuts_file import read_list


def test_without_the_library_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    for name in ("aaf2", "opentimelineio", "otio_aaf_adapter"):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "t.aaf").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(
        MissingError, match=r"^t\.aaf needs a library: pip install 'hitpoint\[aaf\]', or export .*[^.]$"
    ):
        read_list(tmp_path / "t.aaf", 24.0)
    with pytest.raises(InputError, match="cannot be read"):
        read_list(tmp_path / "absent.aaf", 24.0)


def test_what_is_no_aaf_is_refused(tmp_path):
    pytest.importorskip("otio_aaf_adapter")
    pytest.importorskip("aaf2")
    for data in (b"no such thing", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)):
        (tmp_path / "t.aaf").write_bytes(data)
        with pytest.raises(InputError, match=r"^t\.aaf cannot be used as a list of cuts: .*[^.]$"):
            read_list(tmp_path / "t.aaf", 24.0)


def test_an_aaf_by_its_library(tmp_path):
    """Four clips, a dissolve and black, and a sound."""
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_aaf_adapter")
    pytest.importorskip("aaf2")
    time, span = otio.opentime.RationalTime, otio.opentime.TimeRange
    about = {"AAF": {"SourceID": "urn:smpte:umid:060a2b34.01010105.01010f10.13000000.060e2b34.7f7f2a80.5de9a3f4.{}",
                     "PhysicalTrackNumber": 1}}  # fmt: skip

    def clip(name, start, frames):
        known = otio.schema.ExternalReference(f"/m/{name}.mov", available_range=span(time(0, 24), time(9000, 24)))
        made = otio.schema.Clip(name, media_reference=known, source_range=span(time(start, 24), time(frames, 24)))
        number = f"{len(name) * 7:08x}.{abs(hash(name)) % 16**8:08x}.00000000.{ord(name):08x}"
        identity = f"urn:smpte:umid:060a2b34.01010105.01010f20.13000000.{number}"
        made.metadata["AAF"] = {"SourceID": identity, "MobID": identity}
        known.metadata["AAF"] = {"MobID": identity}
        return made

    assert about
    timeline = otio.schema.Timeline("t", global_start_time=time(86400, 24))
    track = otio.schema.Track("V1", kind="Video")
    half = time(12, 24)
    mix = otio.schema.Transition("x", "SMPTE_Dissolve", in_offset=half, out_offset=half)
    mix.metadata["AAF"] = {
        "PointList": [{"Time": 0, "Value": 0}, {"Time": 1, "Value": 1}],
        "OperationGroup": {
            "Operation": {"DataDefinition": {"Name": "Picture"}, "Description": "", "Name": "Film Dissolve"},
                           "ParameterDefinition": {"AAFClass": "x"},
        },
    }  # fmt: skip
    track.extend([clip("a", 100, 96), clip("b", 500, 96), otio.schema.Gap(duration=time(48, 24)), clip("d", 100, 96)])
    timeline.tracks.append(track)
    path = tmp_path / "t.aaf"
    otio.adapters.write_to_file(timeline, str(path), adapter_name="AAF", use_empty_mob_ids=True)
    found = read_list(path, 30.0)
    assert [(round(cut.time_s, 3), cut.kind) for cut in found.cuts] == [(4.0, "cut"), (8.0, "cut"), (10.0, "cut")]
