"""Lists that OpenTimelineIO's adapters write, and ours that they read: what we find must be what they hold."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitpoint.model.video.cuts_file import read_list
from tests.model.video.timeline.test_rule import CASES
from tests.model.video.timeline.writers import FPS
from tests.model.video.timeline.xml_writers import FORMATS

otio = pytest.importorskip("opentimelineio")

RATES = (24000 / 1001, 24.0, 25.0, 30000 / 1001, 50.0, 60000 / 1001)
WRITERS = (("otio_json", "otio"), ("cmx_3600", "edl"), ("fcp_xml", "xml"), ("fcpx_xml", "fcpxml"), ("mlt_xml", "mlt"))
QUICK = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def needs(adapter):
    if adapter not in otio.adapters.available_adapter_names():
        pytest.skip(f"OpenTimelineIO's adapter {adapter} is not installed")


items = st.lists(
    st.tuples(st.sampled_from(["clip", "clip", "clip", "gap"]), st.integers(12, 90), st.sampled_from([0, 0, 4, 7])),
    min_size=2,
    max_size=9,
)


def timeline(rate, shape):
    """A track of clips and gaps of so many frames, with a mix of so many on each side where two clips meet."""
    time, span = otio.opentime.RationalTime, otio.opentime.TimeRange
    track = otio.schema.Track("V1", kind="Video")
    expected, at, before = [], 0, None
    for number, (kind, frames, half) in enumerate(shape):
        if kind == "clip" and before == "clip" and half:
            sides = time(half, rate)
            track.append(otio.schema.Transition("x", "SMPTE_Dissolve", in_offset=sides, out_offset=sides))
            expected.append((at, "fade"))
        elif before is not None and (kind, before) != ("gap", "gap"):
            expected.append((at, "cut"))
        if kind == "clip":
            media = otio.schema.ExternalReference(
                f"/m/{number}.mov", available_range=span(time(0, rate), time(9000, rate))
            )
            whole = span(time(300 + 100 * number, rate), time(frames, rate))
            track.append(otio.schema.Clip(f"c{number}", media_reference=media, source_range=whole))
        else:
            track.append(otio.schema.Gap(duration=time(frames, rate)))
        at, before = at + frames, kind
    made = otio.schema.Timeline("t")
    made.tracks.append(track)
    return made, expected


@pytest.mark.parametrize(("adapter", "ending"), WRITERS)
@QUICK
@given(shape=items, rate=st.sampled_from(RATES))
def test_what_the_adapters_write(tmp_path, adapter, ending, shape, rate):
    needs(adapter)
    shape = [("clip", 20, 0), *shape, ("clip", 20, 0)]
    if adapter == "fcpx_xml":  # which leaves transitions out
        shape = [(kind, frames, 0) for kind, frames, _ in shape]
    made, expected = timeline(rate, shape)
    path = tmp_path / f"t.{ending}"
    otio.adapters.write_to_file(made, str(path), adapter_name=adapter, **({"rate": rate} if ending == "edl" else {}))
    found = read_list(path, rate)
    assert [kind for _, kind in expected] == [cut.kind for cut in found.cuts]
    for (frame, _), cut in zip(expected, found.cuts, strict=True):
        assert cut.time_s * rate == pytest.approx(frame, abs=0.1)  # some of them round times


READERS = {"edl": "cmx_3600", "otio": "otio_json", "xml": "fcp_xml"}
THEIRS = {
    "edl": ("sound", "title", "generator", "black at", "J cut", "after black", "to black"),
    "xml": (
        "title",
        "generator",
        "black clips",
        "black at both",
        "picture in",
        "moved",
        "cropped",
        "blended",
        "half",
        "nested",
        "covers nothing",
    ),
    "otio": (),
}
"""What the names of cases hold that their readers do not keep: other channels as sound, BL at the head, generators,
what lets others through, what a nested sequence holds."""
SAME = [
    (name, ending)
    for name, (formats, _, _) in CASES.items()
    for ending in formats
    if ending in READERS and not any(words in name for words in THEIRS[ending])
]


@pytest.mark.parametrize(("name", "ending"), SAME)
def test_what_their_readers_make_of_ours(tmp_path, name, ending):
    """The list goes through OpenTimelineIO's reader into its own format: the same changes, where that can say them."""
    needs(READERS[ending])
    tracks, expected = CASES[name][1:]
    path = tmp_path / f"case.{ending}"
    path.write_text(FORMATS[ending](tracks), encoding="utf-8")
    options = {"rate": FPS} if ending == "edl" else {}
    made = otio.adapters.read_from_file(str(path), adapter_name=READERS[ending], **options)
    otio.adapters.write_to_file(made, str(tmp_path / "again.otio"))
    again = [(round(cut.time_s, 3), cut.kind) for cut in read_list(tmp_path / "again.otio", FPS).cuts]
    assert again == expected
