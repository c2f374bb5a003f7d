"""The OSC table: every row can be read, and every value is checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitpoint.bridge.osc import codec, protocol


def ask(address, *values):
    return protocol.check(codec.decode(codec.encode(address, *values))[0])


@pytest.mark.parametrize("value", [1, 1.0, "1", " 1.0", True, 2**40 - 2**40 + 1])
def test_numbers_come_in_every_form(value):
    assert ask("/hitpoint/time", 2.5, value).whole("playing") == 1


def test_optional_arguments_may_be_left_out():
    request = ask("/hitpoint/time", 3)
    assert request.values == {"seconds": 3}
    assert request.number("rate", 1.0) == 1.0


@pytest.mark.parametrize(
    ("address", "values"),
    [
        ("/hitpoint/time", ()),
        ("/hitpoint/time", ("abc",)),
        ("/hitpoint/time", (1, 0.5)),
        ("/hitpoint/time", (1, 2)),
        ("/hitpoint/time", (1e30,)),
        ("/hitpoint/time", ("nan",)),
        ("/hitpoint/time", ("inf",)),
        ("/hitpoint/time", ("1_0",)),
        ("/hitpoint/time", (None,)),
        ("/hitpoint/time", (b"1",)),
        ("/hitpoint/time", (1, 1, 1, 1, 1)),
        ("/hitpoint/hello", ("me", "1")),
        ("/hitpoint/hello", (1, "1", 1)),
        ("/hitpoint/score", ("../evil",)),
        ("/hitpoint/score", ("a/b",)),
        ("/hitpoint/score", (".",)),
        ("/hitpoint/score", ("",)),
        ("/hitpoint/score", ("x" * 65,)),
        ("/hitpoint/clip", ("j", 0, "p" * 5000, 0, 0, 1)),
        ("/hitpoint/mute", ("drums", 3)),
    ],
)
def test_values_outside_the_table_are_refused(address, values):
    with pytest.raises(protocol.ProtocolError) as caught:
        ask(address, *values)
    assert caught.value.code == "arguments"
    assert address in str(caught.value)


def test_unknown_and_outgoing_addresses_are_refused():
    for address in ("/hitpoint/nothing", "/hitpoint/state", "/time"):
        with pytest.raises(protocol.ProtocolError) as caught:
            ask(address)
        assert caught.value.code == "address"


def test_pairs_of_a_score_keep_texts_and_numbers():
    assert ask("/hitpoint/score", "film-1", "tempo", "90-120", "seed", 7).rest == ("tempo", "90-120", "seed", 7)


VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20).filter(lambda text: "\0" not in text),
    st.binary(max_size=8),
    st.booleans(),
    st.none(),
)


@given(st.sampled_from(sorted(protocol.INCOMING)), st.lists(VALUES, max_size=9))
def test_any_values_are_checked_or_refused(address, values):
    message = codec.OscMessage(address, tuple(values))
    try:
        request = protocol.check(message)
    except protocol.ProtocolError:
        return
    for argument in request.type.arguments:
        value = request.values.get(argument.name)
        if value is None:
            assert argument.optional
        elif argument.kind == "s":
            assert isinstance(value, str)
        else:
            assert argument.low <= value <= argument.high


def test_what_goes_out_is_typed_by_the_table():
    packet = protocol.encode("/hitpoint/progress", "film", "analyse", 0.5)
    assert b",ssf" in packet
    assert codec.decode(packet)[0].arguments == ("film", "analyse", 0.5)
    with pytest.raises(codec.OscError):
        protocol.encode("/hitpoint/progress", "film", "analyse", "half")


def test_the_table_prints_every_row():
    table = protocol.markdown()
    for row in protocol.MESSAGES:
        assert f"`{row.signature()}` | {row.help}" in table
