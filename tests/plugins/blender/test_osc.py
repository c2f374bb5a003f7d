"""The extension's small OSC against the bridge's strict one."""

from hitpoint_blender import osc
from hypothesis import given
from hypothesis import strategies as st

from hitpoint.bridge.osc import codec as strict
from hitpoint.bridge.osc import protocol

values = st.lists(
    st.one_of(
        st.integers(-(2**31), 2**31 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40),
    ),
    max_size=8,
)


@given(values)
def test_the_bridge_reads_what_the_extension_writes(arguments):
    (message,) = strict.decode(osc.encode("/hitpoint/clip", *arguments))
    assert message.address == "/hitpoint/clip"
    assert [type(value) for value in message.arguments] == [type(value) for value in arguments]
    assert list(message.arguments) == arguments


@given(values)
def test_the_extension_reads_what_the_bridge_writes(arguments):
    assert osc.decode(strict.encode("/a", *arguments)) == ("/a", arguments)


def test_floats_of_the_table_are_read():
    packet = protocol.encode("/hitpoint/progress", "job", "analyse", 0.25)
    assert osc.decode(packet) == ("/hitpoint/progress", ["job", "analyse", 0.25])


@given(st.binary(max_size=80))
def test_no_bytes_do_harm(packet):
    try:
        osc.decode(packet)
    except ValueError:
        return


@given(st.text("ifdsTb", max_size=6), st.binary(max_size=60))
def test_no_cut_message_does_harm(tags, rest):
    try:
        osc.decode(b"/a\0\0" + osc._pad(b"," + tags.encode()) + rest)
    except ValueError:
        return
