"""OpenTimelineIO in its own notations, old and new, and through the library."""

import json
import zipfile

import pytest

from hitpoint.model.errors import InputError
from hitpoint.model.video.cuts_file import read_list

CUTS = [(4.0, "cut"), (8.0, "cut"), (12.0, "cut")]
COVERED = [(2.0, "cut"), (10.0, "cut"), (12.0, "cut")]


def time(seconds, rate=24):
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": seconds * rate}


def span(start, length):
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(start), "duration": time(length)}


def clip(length, media="a.mov", start=0, **more):
    reference = {"OTIO_SCHEMA": "ExternalReference.1", "target_url": media}
    return {
        "OTIO_SCHEMA": "Clip.1",
        "name": media,
        "source_range": span(start, length),
        "media_reference": reference,
        **more,
    }


def gap(length):
    return {"OTIO_SCHEMA": "Gap.1", "source_range": span(0, length)}


def timeline(*tracks, **more):
    stack = {"OTIO_SCHEMA": "Stack.1", "children": list(tracks)}
    return {"OTIO_SCHEMA": "Timeline.1", "name": "t", "tracks": stack, **more}


def track(*children, schema="Track.1", kind="Video", **more):
    return {"OTIO_SCHEMA": schema, "kind": kind, "children": list(children), **more}


FOUR = track(clip(4), clip(4, "b.mov"), clip(4, "c.mov"), clip(4, "d.mov"))


def listed(tmp_path, data, name="t.otio", fps=24.0):
    path = tmp_path / name
    text = data if isinstance(data, (str, bytes)) else json.dumps(data, indent=1)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_list(path, fps)


def changes(tmp_path, data, name="t.otio"):
    return [(round(cut.time_s, 3), cut.kind) for cut in listed(tmp_path, data, name).cuts]


def renamed(**schemas):
    text = json.dumps(timeline(FOUR))
    for new, old in schemas.items():
        text = text.replace(f'"{new}.1"', f'"{old}"')
    return text


NOTATIONS = {
    "a track called Sequence": renamed(Track="Sequence.1"),
    "schemas without a version": renamed(Track="Track", Timeline="Timeline", Clip="Clip"),
    "schemas of a later version": renamed(Track="Track.7", Timeline="Timeline.2", Clip="Clip.3"),
    "a collection by its old name": {"OTIO_SCHEMA": "SerializeableCollection.1", "children": [timeline(FOUR)]},
    "a collection": {"OTIO_SCHEMA": "SerializableCollection.1", "children": [clip(3), timeline(FOUR)]},
    "collections within each other": {
        "OTIO_SCHEMA": "SerializableCollection.1",
        "children": [{"OTIO_SCHEMA": "SerializableCollection.1", "children": [timeline(FOUR)]}],
    },
    "a stack alone": timeline(FOUR)["tracks"],
    "a track alone": FOUR,
    "tracks as a bare list": {"OTIO_SCHEMA": "Timeline.1", "tracks": [FOUR]},
    "a track without a kind": track(*FOUR["children"], kind=None),
    "a gap by its old name": timeline(track(clip(4), clip(4, "b.mov"), {**gap(4), "OTIO_SCHEMA": "Filler.1"}, clip(4))),
    "values as whole numbers": json.dumps(timeline(FOUR)).replace(".0,", ","),
    "values as text": json.dumps(timeline(FOUR))
    .replace('"value": 96', '"value": "96"')
    .replace('"rate": 24', '"rate": "24"'),
    "times as fractions": json.loads(json.dumps(timeline(FOUR)).replace(json.dumps(time(4)), '"96/24"')),
    "times as value@rate": json.loads(json.dumps(timeline(FOUR)).replace(json.dumps(time(4)), '"96@24"')),
    "times without a schema": json.dumps(timeline(FOUR)).replace('"OTIO_SCHEMA": "RationalTime.1", ', ""),
    "ranges without a start": json.dumps(timeline(FOUR)).replace(
        f'"start_time": {json.dumps(time(0))}', '"start_time": null'
    ),
    "a rate for every clip": json.dumps(timeline(FOUR)).replace(json.dumps(time(4)), json.dumps(time(4, 1000)), 2),
    "a start of its own": timeline(FOUR, global_start_time=time(3600)),
    "a length from the media": timeline(
        track(
            *FOUR["children"][:1],
            {
                "OTIO_SCHEMA": "Clip.2",
                "media_references": {"hi": {"OTIO_SCHEMA": "ExternalReference.1", "available_range": span(9, 4)}},
                "active_media_reference_key": "hi",
            },
            *FOUR["children"][2:],
        )
    ),
    "markers and effects among the children": timeline(
        track(clip(4), {"OTIO_SCHEMA": "Marker.2", "marked_range": span(0, 1)}, *FOUR["children"][1:])
    ),
}


@pytest.mark.parametrize("name", NOTATIONS)
def test_notations(tmp_path, name):
    assert changes(tmp_path, NOTATIONS[name]) == CUTS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_encodings(tmp_path, encoding):
    text = json.dumps(timeline(FOUR), ensure_ascii=False).replace("b.mov", "Größe.mov")
    assert changes(tmp_path, text.encode(encoding)) == CUTS


def test_archives_and_folders(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.otioz", "w") as archive:
        archive.writestr("content.otio", json.dumps(timeline(FOUR)))
        archive.writestr("version.txt", "1.0.0")
    assert [cut.time_s for cut in read_list(tmp_path / "t.otioz", 24.0).cuts] == [4, 8, 12]
    (tmp_path / "t.otiod").mkdir()
    (tmp_path / "t.otiod" / "content.otio").write_text(json.dumps(timeline(FOUR)))
    assert [cut.time_s for cut in read_list(tmp_path / "t.otiod", 24.0).cuts] == [4, 8, 12]
    for data in (b"PK\x03\x04 broken", b"no archive"):
        (tmp_path / "b.otioz").write_bytes(data)
        with pytest.raises(InputError, match=r"^b\.otioz cannot be used .* archive"):
            read_list(tmp_path / "b.otioz", 24.0)


def resolve(name, parameter, value, default, enabled=True):
    told = {"Parameter ID": parameter, "Parameter Value": value, "Default Parameter Value": default, "Key Frames": {}}
    effect = {
        "Effect Name": name,
        "Enabled": enabled,
        "Name": name,
        "Parameters": [told] if parameter else [],
        "Type": 2,
    }
    return [{"OTIO_SCHEMA": "Effect.1", "effect_name": "Resolve Effect", "metadata": {"Resolve_OTIO": effect}}]


def made(kind, **more):
    reference = {"OTIO_SCHEMA": "GeneratorReference.1", "generator_kind": kind, "parameters": {}}
    return clip(8, media_reference=reference, **more)


UPPER = {
    "a full frame": (clip(8, "x.mov"), COVERED),
    "a clip that is switched off": (clip(8, enabled=False), CUTS),
    "a generator": (made("SolidColor"), CUTS),
    "a black generator": (made("black"), CUTS),
    "a title that Resolve wrote": (
        clip(
            8,
            media_reference={
                "OTIO_SCHEMA": "MissingReference.1",
                "metadata": {"Resolve_OTIO": {"Effect Name": "Rich Text"}},
            },
        ),
        CUTS,
    ),
    "a clip named Text+": (clip(8, media_reference={"OTIO_SCHEMA": "MissingReference.1"}, name="Text+"), CUTS),
    "a missing clip": (clip(8, media_reference={"OTIO_SCHEMA": "MissingReference.1"}), COVERED),
    "a logo": (clip(8, "file:///m/logo%201.png"), CUTS),
    "an image sequence": (
        clip(
            8,
            media_reference={
                "OTIO_SCHEMA": "ImageSequenceReference.1",
                "target_url_base": "/m/",
                "name_suffix": ".exr",
            },
        ),
        COVERED,
    ),
    "a numbered sequence of images": (clip(8, "/m/shot.%04d.exr"), COVERED),
    "a photo": (clip(8, "p.jpg"), COVERED),
    "a sound on a picture track": (clip(8, "s.wav"), CUTS),
    "Resolve's transform at rest": (clip(8, "x.mov", effects=resolve("Transform", None, 0, 0)), COVERED),
    "Resolve's zoom out": (clip(8, "x.mov", effects=resolve("Transform", "transformationZoomX", 0.35, 1.0)), CUTS),
    "Resolve's zoom in": (clip(8, "x.mov", effects=resolve("Transform", "transformationZoomX", 1.35, 1.0)), COVERED),
    "Resolve's pan": (clip(8, "x.mov", effects=resolve("Transform", "transformationPan", 200.0, 0.0)), CUTS),
    "Resolve's crop": (clip(8, "x.mov", effects=resolve("Cropping", "cropLeft", 200.0, 0.0)), CUTS),
    "Resolve's opacity": (clip(8, "x.mov", effects=resolve("Composite", "opacity", 40.0, 100.0)), CUTS),
    "Resolve's blend mode": (clip(8, "x.mov", effects=resolve("Composite", "compositeType", 5, 0)), CUTS),
    "an effect that is switched off": (
        clip(8, "x.mov", effects=resolve("Transform", "transformationZoomX", 0.35, 1.0, enabled=False)),
        COVERED,
    ),
    "an opacity of another program": (
        clip(8, "x.mov", effects=[{"OTIO_SCHEMA": "Effect.1", "effect_name": "Opacity", "metadata": {"opacity": 0.5}}]),
        CUTS,
    ),
    "a blend mode of another program": (
        clip(8, "x.mov", effects=[{"OTIO_SCHEMA": "Effect.1", "metadata": {"blend_mode": "screen"}}]),
        CUTS,
    ),
    "a grade of another program": (
        clip(8, "x.mov", effects=[{"OTIO_SCHEMA": "Effect.1", "effect_name": "Lift", "metadata": {"lift": 0.5}}]),
        COVERED,
    ),
    "a retimed clip": (clip(8, "x.mov", effects=[{"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": 0.5}]), COVERED),
    "a freeze frame": (clip(8, "x.mov", effects=[{"OTIO_SCHEMA": "FreezeFrame.1", "time_scalar": 0}]), COVERED),
    "a nested timeline of sounds": (
        {"OTIO_SCHEMA": "Stack.1", "source_range": span(0, 8), "children": [track(clip(9, "s.wav"), kind="Audio")]},
        CUTS,
    ),
}


@pytest.mark.parametrize("name", UPPER)
def test_what_lies_above(tmp_path, name):
    item, expected = UPPER[name]
    assert changes(tmp_path, timeline(FOUR, track(gap(2), item))) == expected


def test_tracks_that_carry_no_picture(tmp_path):
    sound = track(gap(1), clip(20, "s.wav"), kind="Audio")
    assert changes(tmp_path, timeline(FOUR, sound, track(clip(9), enabled=False))) == CUTS
    found = listed(tmp_path, timeline(FOUR, track(gap(2), clip(3), kind="Subtitle")))
    assert len(found.cuts) == 3 and "a track of kind 'Subtitle' was passed over" in found.notes[0]


def test_a_seam_at_which_a_take_runs_on(tmp_path):
    one = track(clip(4, start=10), clip(4, start=14), clip(4, "b.mov"), clip(4, "c.mov"))
    assert changes(tmp_path, timeline(one)) == CUTS[1:]
    slow = [{"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": 0.5}]
    ramp = track(clip(4, start=10, effects=slow), clip(4, start=12), clip(4, "b.mov"), clip(4, "c.mov"))
    assert changes(tmp_path, timeline(ramp)) == CUTS[1:]


def at_line(text, what):
    """The line of the last time `what` occurs in `text`."""
    return text[: text.rindex(what)].count("\n") + 1


WHOLE = json.dumps(timeline(FOUR), indent=1)
REFUSED = {
    "half a file": (WHOLE[:-40], "line .*not valid JSON"),
    "a length that is no number": (WHOLE.replace('"value": 96', '"value": "x"', 1), "line .*a time in it is damaged"),
    "a rate of nothing": (WHOLE.replace('"rate": 24', '"rate": 0', 1), "line .*a time in it is damaged"),
    "a negative length": (WHOLE.replace('"value": 96', '"value": -96', 1), "line .*a time in it is damaged"),
    "an endless length": (WHOLE.replace('"value": 96', '"value": Infinity', 1), "line .*a time in it is damaged"),
    "a clip without a length": (
        WHOLE.replace('"source_range": {', '"source": {', 1),
        "line 11, .*its clip 'a.mov' has no length",
    ),
    "a child that is no object": (WHOLE.replace('"children": [', '"children": [3,', 2), "line .*damaged"),
    "children that are no list": (
        json.dumps({**timeline(), "tracks": {"OTIO_SCHEMA": "Stack.1", "children": 4}}),
        "damaged",
    ),
    "tracks that are no object": (json.dumps({**timeline(), "tracks": 4}), "damaged"),
    "a transition of negative length": (
        json.dumps(
            timeline(
                track(clip(4), {"OTIO_SCHEMA": "Transition.1", "in_offset": time(-1), "out_offset": time(0)}, clip(4))
            )
        ),
        "a time in it is damaged",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_with_its_line(tmp_path, name):
    text, why = REFUSED[name]
    with pytest.raises(InputError, match=why) as caught:
        listed(tmp_path, text)
    assert str(caught.value).startswith("t.otio, line") and "\n" not in str(caught.value)


def test_deep_nests_take_no_longer(tmp_path):
    """Each level doubles the clips, not the work on one; what nests further than any project is refused."""
    item = clip(4)
    for _ in range(9):
        item = {"OTIO_SCHEMA": "Stack.1", "children": [track(item, item)]}
    assert len(listed(tmp_path, timeline(track(item))).cuts) > 500
    item = clip(4)
    for _ in range(60):
        item = {"OTIO_SCHEMA": "Stack.1", "children": [track(item)]}
    with pytest.raises(InputError, match="without end"):
        listed(tmp_path, timeline(track(item)))
