"""The protocol against whatever hypothesis thinks of, and the corpus of packets that once did harm."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from recorder import Recorder

from hitpoint.bridge.clock.clock import TestClock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.osc import codec, protocol
from hitpoint.bridge.osc.protocol import INCOMING
from hitpoint.bridge.play.player import Player
from hitpoint.bridge.session.session import Session

CORPUS = Path(__file__).parents[2] / "corpus" / "osc"
VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(width=64), st.text(max_size=20), st.booleans(), st.none(),
    st.binary(min_size=1, max_size=8), st.sampled_from(["film", "drums", "", "nan", "1e400", "9" * 50, "0x10"]),
)  # fmt: skip


def session():
    """A session and what it told and asked."""
    clock, told, asked = TestClock(100.0), [], []
    made = Session(
        clock, Config(roots=["/clips"]), "0", lambda packet, address: told.append(packet),
        lambda message: asked.append(message) or True, lambda level, text: None,
    )  # fmt: skip
    made.player = Player(clock, Recorder(clock), Config(), made)
    return made, told


@settings(deadline=None)
@given(st.sampled_from(sorted(INCOMING)), st.lists(VALUES, max_size=8))
def test_any_values_are_checked_or_refused_by_a_sentence(address, values):
    try:
        request = protocol.check(codec.OscMessage(address, tuple(values)))
    except protocol.ProtocolError as error:
        assert error.code in protocol.ERROR_CODES and str(error) and "\n" not in str(error).replace(str(values), "")
        return
    for argument in request.type.arguments:
        value = request.values.get(argument.name)
        if value is not None and argument.kind in "ifd":
            assert argument.low <= value <= argument.high


@settings(deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=120) | st.tuples(st.sampled_from(sorted(INCOMING)), st.lists(VALUES, max_size=6))))
def test_no_sequence_of_packets_raises_and_every_answer_is_whole(packets):
    made, told = session()
    for packet in packets:
        if isinstance(packet, tuple):
            try:
                packet = codec.encode(packet[0], *packet[1])
            except (codec.OscError, ValueError):
                continue
        made.hear(packet, ("127.0.0.1", 5))
        made.player.tick()
        made.housekeeping()
    for packet in told:
        (message,) = codec.decode(packet)
        assert message.address in protocol.OUTGOING


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_are_decoded_or_refused(data):
    try:
        codec.decode(data)
    except codec.OscError as error:
        assert str(error)


def test_what_once_did_harm():
    paths = sorted(CORPUS.glob("*.bin"))
    assert len(paths) >= 20
    for path in paths:
        made, _ = session()
        made.hear(path.read_bytes(), ("127.0.0.1", 5))
        made.housekeeping()
