# SPDX-License-Identifier: GPL-3.0-or-later
"""Open Sound Control 1.0 over UDP: just what the bridge speaks, from the standard library alone."""

from __future__ import annotations

import struct

_FIXED = {"i": ">i", "h": ">q", "f": ">f", "d": ">d"}


def _pad(data: bytes) -> bytes:
    return data + b"\0" * (4 - len(data) % 4)


def encode(address: str, *arguments: int | float | str | bool) -> bytes:
    """One message. bool becomes T or F, int i, float d (seconds need all their digits), str s."""
    tags, body = ",", b""
    for value in arguments:
        if isinstance(value, bool):
            tags += "T" if value else "F"
        elif isinstance(value, int):
            tags, body = tags + "i", body + struct.pack(">i", value)
        elif isinstance(value, float):
            tags, body = tags + "d", body + struct.pack(">d", value)
        else:
            tags, body = tags + "s", body + _pad(value.encode("utf-8", "surrogateescape"))
    return _pad(address.encode()) + _pad(tags.encode()) + body


def _string(packet: bytes, at: int) -> tuple[str, int]:
    end = packet.index(b"\0", at)
    return packet[at:end].decode("utf-8", "surrogateescape"), (end // 4 + 1) * 4


def decode(packet: bytes) -> list[tuple[str, tuple[int | float | str | bool, ...]]]:
    """The messages of a packet, bundles opened. ValueError when it is not OSC."""
    if packet.startswith(b"#bundle\0"):
        messages, at = [], 16
        while at + 4 <= len(packet):
            (size,) = struct.unpack_from(">I", packet, at)
            messages += decode(packet[at + 4 : at + 4 + size])
            at += 4 + size
        return messages
    try:
        address, at = _string(packet, 0)
        tags, at = _string(packet, at)
        values: list[int | float | str | bool] = []
        for tag in tags[1:]:
            if tag in _FIXED:
                values += struct.unpack_from(_FIXED[tag], packet, at)
                at += struct.calcsize(_FIXED[tag])
            elif tag in "TF":
                values.append(tag == "T")
            elif tag == "s":
                text, at = _string(packet, at)
                values.append(text)
            else:
                raise ValueError(f"unknown type tag {tag!r}")
    except (struct.error, UnicodeError) as error:
        raise ValueError(f"not an OSC packet: {error}") from error
    return [(address, tuple(values))]
