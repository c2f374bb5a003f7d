# SPDX-License-Identifier: GPL-3.0-or-later
"""Open Sound Control 1.0 over UDP: just what the bridge speaks, from the standard library alone."""

from __future__ import annotations

import struct

_NUMBERS = {tag: struct.Struct(">" + tag) for tag in "ifd"}


def _pad(data: bytes) -> bytes:
    return data + b"\0" * (4 - len(data) % 4)


def encode(address: str, *arguments: int | float | str) -> bytes:
    """One message. int becomes i, float d (seconds need all their digits), str s."""
    tags, body = ",", b""
    for value in arguments:
        tag = "s" if isinstance(value, str) else "d" if isinstance(value, float) else "i"
        tags += tag
        body += _pad(value.encode("utf-8", "surrogateescape")) if isinstance(value, str) else _NUMBERS[tag].pack(value)
    return _pad(address.encode()) + _pad(tags.encode()) + body


def _string(packet: bytes, at: int) -> tuple[str, int]:
    end = packet.index(b"\0", at)
    return packet[at:end].decode("utf-8", "surrogateescape"), (end // 4 + 1) * 4


def decode(packet: bytes) -> tuple[str, list[int | float | str]]:
    """Address and arguments of one message. ValueError when it is none, or has a type that the bridge never sends."""
    address, at = _string(packet, 0)
    tags, at = _string(packet, at)
    values: list[int | float | str] = []
    for tag in tags[1:]:
        if tag == "s":
            text, at = _string(packet, at)
            values.append(text)
        elif tag in _NUMBERS and at + _NUMBERS[tag].size <= len(packet):
            values += _NUMBERS[tag].unpack_from(packet, at)
            at += _NUMBERS[tag].size
        else:
            raise ValueError(f"not a message of the bridge: type tag {tag!r}")
    return address, values
