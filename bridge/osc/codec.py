"""OSC 1.0 on bytes: a strict decoder with caps, and two encoders. Pure.

Threads and processes: no state, callable from any. The clock process decodes here and encodes by `encode_typed`, with
the standard library only: python-osc's decoder looks at each letter of a text by itself, so that one packet of 16 kB
holds it up for 5 ms (0.008 ms here), and takes negative sizes, numbers that are not finite and bytes left over for
right; its builder takes 100 µs a message (34 µs here). `encode`, for all who have the time, is python-osc's builder.

A decoder for hostile input: every length is checked before it is used, bundles nest at most MAX_DEPTH deep and hold at
most MAX_MESSAGES messages, time tags are not waited for, addresses are plain text and never patterns. Whatever the
bytes, `decode` returns or raises OscError, in time linear in the packet's length.
Source: "The Open Sound Control 1.0 Specification", opensoundcontrol.stanford.edu/spec-1_0.html.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

MAX_PACKET_BYTES = 16384
"""Longer packets are refused unread: two paths of 4,096 bytes fit with room to spare."""
MAX_DEPTH = 4
MAX_MESSAGES = 256
MAX_ARGUMENTS = 256
MAX_ADDRESS_BYTES = 255

Value = int | float | str | bytes | bool | None

_TAGS = b"ihtfdsSbcrmTFNI[]"
_PATTERN_CHARACTERS = frozenset("#*,?[]{} ")


class OscError(ValueError):
    """The bytes are no OSC packet that this program reads; the text says which rule they break."""


@dataclass(frozen=True)
class OscMessage:
    """One message: an exact address and its arguments (int, float, str, bytes, bool or None).

    untagged: the bytes of the arguments where the sender left out what types they are.
    """

    address: str
    arguments: tuple[Value, ...] = ()
    untagged: bytes = b""


def decode(packet: bytes) -> list[OscMessage]:
    """All messages of a packet, bundles flattened in order (their time tags are ignored: everything is for now).

    Raises OscError for anything that is not well-formed OSC 1.0 within the caps above.
    """
    if len(packet) > MAX_PACKET_BYTES:
        raise OscError(f"packet of {len(packet)} bytes is over {MAX_PACKET_BYTES}; send a shorter text or fewer values")
    messages: list[OscMessage] = []
    _decode_element(packet, 0, len(packet), 0, messages)
    return messages


def _decode_element(data: bytes, start: int, end: int, depth: int, messages: list[OscMessage]) -> None:
    if end - start < 4 or (end - start) % 4:
        raise OscError("the size of an element must be a multiple of 4, and not 0")
    if data[start : start + 8] == b"#bundle\0":
        _decode_bundle(data, start + 8, end, depth, messages)
        return
    if len(messages) >= MAX_MESSAGES:
        raise OscError(f"more than {MAX_MESSAGES} messages in a packet")
    messages.append(_decode_message(data, start, end))


def _decode_bundle(data: bytes, start: int, end: int, depth: int, messages: list[OscMessage]) -> None:
    if depth >= MAX_DEPTH:
        raise OscError(f"bundles nest deeper than {MAX_DEPTH}")
    position = start + 8  # the time tag
    if position > end:
        raise OscError("a bundle ends inside its time tag")
    while position < end:
        if end - position < 4:
            raise OscError("a bundle ends inside an element's size")
        size = int.from_bytes(data[position : position + 4], "big", signed=True)
        position += 4
        if size <= 0 or position + size > end:
            raise OscError(f"a bundle's element claims {size} bytes")
        _decode_element(data, position, position + size, depth + 1, messages)
        position += size


def _decode_message(data: bytes, start: int, end: int) -> OscMessage:
    address, position = _decode_text(data, start, end)
    check_address(address)
    if position == end or data[position] != ord(","):
        rest = data[position:end]  # the specification asks to bear with missing type tags
        if rest and not rest.split(b"\0")[0].strip(_TAGS):
            raise OscError("the type tags must begin with a comma")
        return OscMessage(address, (), rest)
    tags, position = _decode_text(data, position, end)
    if len(tags) - 1 > MAX_ARGUMENTS:
        raise OscError(f"more than {MAX_ARGUMENTS} arguments")
    arguments: list[Value] = []
    for tag in tags[1:]:
        value, position = _decode_argument(tag, data, position, end)
        arguments.append(value)
    if position != end:
        raise OscError(f"{end - position} bytes are left over after the last argument")
    return OscMessage(address, tuple(arguments))


def check_address(address: str) -> None:
    """Raise OscError unless `address` is a plain OSC address: "/", printable ASCII, no pattern characters."""
    if not address.startswith("/") or len(address) > MAX_ADDRESS_BYTES:
        raise OscError('an address must begin with "/" and be short')
    if not address.isascii() or not address.isprintable() or _PATTERN_CHARACTERS.intersection(address):
        raise OscError("addresses are exact here: patterns and odd characters are refused")


def _decode_text(data: bytes, start: int, end: int) -> tuple[str, int]:
    stop = data.find(b"\0", start, end)
    if stop < 0:
        raise OscError("a text without its closing zero")
    following = start + (stop - start) // 4 * 4 + 4
    if following > end:
        raise OscError("a text without its padding")
    try:
        return data[start:stop].decode("utf-8"), following
    except UnicodeDecodeError:
        raise OscError("a text that is not UTF-8") from None


def decode_argument(tag: str, data: bytes, position: int) -> tuple[Value, int]:
    """(one argument with this type tag, where the next one begins). Raises OscError."""
    return _decode_argument(tag, data, position, len(data))


_FIXED = {"i": struct.Struct(">i"), "h": struct.Struct(">q"), "f": struct.Struct(">f"), "d": struct.Struct(">d")}
_CONSTANTS: dict[str, Value] = {"T": True, "F": False, "N": None}


def _decode_argument(tag: str, data: bytes, position: int, end: int) -> tuple[Value, int]:
    if tag in _CONSTANTS:
        return _CONSTANTS[tag], position
    if tag in ("s", "S"):
        return _decode_text(data, position, end)
    if tag == "b":
        return _decode_blob(data, position, end)
    number = _FIXED.get(tag)
    if number is None:
        raise OscError(f"type tag {tag!r} is not read here (i, h, f, d, s, b, T, F and N are)")
    if position + number.size > end:
        raise OscError("the packet ends inside a number")
    value = number.unpack_from(data, position)[0]
    if tag in ("f", "d") and not math.isfinite(value):
        raise OscError("a number that is not finite")
    return value, position + number.size


def _decode_blob(data: bytes, position: int, end: int) -> tuple[bytes, int]:
    if position + 4 > end:
        raise OscError("the packet ends inside a blob's size")
    size = int.from_bytes(data[position : position + 4], "big", signed=True)
    following = position + 4 + (size + 3) // 4 * 4
    if size < 0 or following > end:
        raise OscError(f"a blob claims {size} bytes")
    return data[position + 4 : position + 4 + size], following


def encode(address: str, *arguments: Value) -> bytes:
    """One message as bytes. int -> i (h beyond 32 bits), float -> d, str -> s, bytes -> b, bool -> T/F, None -> N.

    By python-osc: for clients, and for what is said now and then. Raises OscError.
    """
    from pythonosc.osc_message_builder import BuildError, OscMessageBuilder

    check_address(address)
    builder = OscMessageBuilder(address)
    for value in arguments:
        if isinstance(value, str):
            value = _text(value).rstrip(b"\0").decode()
        builder.add_arg(value, _tag(value))
    try:
        return builder.build().dgram
    except BuildError as error:
        raise OscError(str(error)) from error


def encode_typed(address: str, tags: str, arguments: tuple[Value, ...]) -> bytes:
    """One message as bytes, with the type tags given (one of "ihfdsbTFN" for each argument).

    Raises OscError where a value does not fit its tag.
    """
    check_address(address)
    if len(tags) != len(arguments):
        raise OscError(f"{len(tags)} type tags for {len(arguments)} arguments")
    parts = [_text(address), _text("," + tags)]
    for tag, value in zip(tags, arguments, strict=True):
        parts.append(_encode_argument(tag, value))
    return b"".join(parts)


def _encode_argument(tag: str, value: Value) -> bytes:
    if tag in _CONSTANTS:
        return b""
    try:
        if tag == "s" and isinstance(value, str):
            return _text(value)
        if tag == "b" and isinstance(value, bytes):
            return struct.pack(">i", len(value)) + value + b"\0" * (-len(value) % 4)
        return _FIXED[tag].pack(value)
    except (struct.error, KeyError, OverflowError):
        raise OscError(f"{value!r} does not fit the type tag {tag!r}") from None


def _tag(value: Value) -> str:
    if value is None:
        return "N"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, int):
        return "i" if -(2**31) <= value < 2**31 else "h"
    if isinstance(value, float):
        return "d"
    return "s" if isinstance(value, str) else "b"


def _text(text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if b"\0" in raw:
        raise OscError("a text must not hold a zero byte")
    return raw + b"\0" * (4 - len(raw) % 4)


def bundle(packets: list[bytes]) -> bytes:
    """Packets as one bundle with the time tag "immediately"."""
    parts = [b"#bundle\0", struct.pack(">Q", 1)]
    for packet in packets:
        parts += (struct.pack(">i", len(packet)), packet)
    return b"".join(parts)
