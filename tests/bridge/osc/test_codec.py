"""The OSC decoder against the specification's own examples, the known hostile packets, and noise."""

import contextlib
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_message import OscMessage as TheirMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from hitpoint.bridge.osc import codec

SPEC_EXAMPLE = bytes.fromhex("2f6f7363696c6c61746f722f342f6672657175656e6379002c66000043dc0000")
"""/oscillator/4/frequency ,f 440.0: the example of the OSC 1.0 specification."""

HOSTILE = {
    "negative element size": b"#bundle\0" + struct.pack(">Qi", 1, -4),
    "element size over the end": b"#bundle\0" + struct.pack(">Qi", 1, 4000) + b"/a\0\0,\0\0\0",
    "element of size 0": b"#bundle\0" + struct.pack(">Qi", 1, 0),
    "pattern bomb": b"/*********/*********Z".ljust(24, b"\0") + b",\0\0\0",
    "bad UTF-8": b"/\xff\xfe\0,\0\0\0",
    "no closing zero": b"/abc",
    "tags without comma": b"/a\0\0ifs\0",
    "number cut off": b"/a\0\0,i\0\0",
    "text argument cut off": b"/a\0\0,s\0\0abcd",
    "blob of negative size": b"/a\0\0,b\0\0" + struct.pack(">i", -1),
    "blob over the end": b"/a\0\0,b\0\0" + struct.pack(">i", 2**31 - 1),
    "bytes left over": b"/a\0\0,\0\0\0\0\0\0\0",
    "array": b"/a\0\0,[i]\0\0\0\0" + struct.pack(">i", 1),
    "unknown tag": b"/a\0\0,z\0\0",
    "not a number": b"/a\0\0,f\0\0" + struct.pack(">f", float("nan")),
    "infinite": b"/a\0\0,d\0\0" + struct.pack(">d", float("inf")),
    "empty": b"",
    "odd size": b"/a\0",
    "no slash": b"abc\0,\0\0\0",
    "too long": b"/a\0\0" * 5000,
    "bundle cut off in its time tag": b"#bundle\0\0\0\0\0",
}


def nested(depth: int) -> bytes:
    packet = codec.encode("/a")
    for _ in range(depth):
        packet = codec.bundle([packet])
    return packet


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_packet_is_refused(name):
    with pytest.raises(codec.OscError):
        codec.decode(HOSTILE[name])


def test_specification_example():
    assert codec.decode(SPEC_EXAMPLE) == [codec.OscMessage("/oscillator/4/frequency", (440.0,))]


def test_future_time_tag_is_not_waited_for():
    packet = b"#bundle\0" + struct.pack(">Qi", 2**63, 8) + b"/a\0\0,\0\0\0"
    assert codec.decode(packet) == [codec.OscMessage("/a")]


def test_depth_and_count_are_capped():
    assert len(codec.decode(nested(codec.MAX_DEPTH))) == 1
    with pytest.raises(codec.OscError, match="nest"):
        codec.decode(nested(codec.MAX_DEPTH + 1))
    with pytest.raises(codec.OscError, match="messages"):
        codec.decode(codec.bundle([codec.encode("/a")] * (codec.MAX_MESSAGES + 1)))
    with pytest.raises(codec.OscError, match="arguments"):
        codec.decode(codec.encode("/a", *[True] * (codec.MAX_ARGUMENTS + 1)))


def test_missing_type_tags_are_borne():
    assert codec.decode(b"/a\0\0") == [codec.OscMessage("/a")]


VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=40),
    st.binary(min_size=1, max_size=40),  # python-osc builds no empty one
    st.booleans(),
    st.none(),
)


@given(st.lists(VALUES, max_size=12))
def test_round_trip(values):
    assert codec.decode(codec.encode("/a/b", *values)) == [codec.OscMessage("/a/b", tuple(values))]


@given(st.lists(st.one_of(st.integers(1 - 2**31, 2**31 - 1), st.text("abcäé", max_size=20)), max_size=8))
def test_agrees_with_python_osc(values):
    builder = OscMessageBuilder("/some/address")
    for value in values:
        builder.add_arg(value)
    packet = builder.build().dgram
    assert codec.decode(packet)[0].arguments == tuple(values)
    assert codec.encode("/some/address", *values) == packet
    assert TheirMessage(codec.encode("/some/address", *values)).params == values


@given(st.binary(max_size=200))
def test_noise_is_decoded_or_refused(data):
    with contextlib.suppress(codec.OscError):
        codec.decode(data)


def test_damaged_messages_are_decoded_or_refused():
    dice = random.Random(1)
    good = codec.bundle(
        [codec.encode("/hitpoint/time", 1.5, 1), codec.bundle([codec.encode("/a", "text", b"blob", None)])]
    )
    for _ in range(50_000):
        packet = bytearray(good)
        for _ in range(dice.randint(1, 6)):
            packet[dice.randrange(len(packet))] = dice.randrange(256)
        with contextlib.suppress(codec.OscError):
            codec.decode(bytes(packet[: dice.randrange(len(packet) + 1)] if dice.random() < 0.3 else packet))


def test_encoder_refuses_what_does_not_fit():
    for address, tags, values in (("/a", "i", ("x",)), ("/a", "i", (2**40,)), ("/a b", "", ()), ("/a", "s", ("a\0b",))):
        with pytest.raises(codec.OscError):
            codec.encode_typed(address, tags, values)
