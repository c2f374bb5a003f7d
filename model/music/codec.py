"""Dataclasses <-> JSON, whole and checked: what is kept on disk and sent has no second list of its fields.

A field that is added with a default is written and read from then on, and old files without it are still read.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

Value = TypeVar("Value")


def to_json(value: object) -> bytes:
    """`value` (dataclasses, tuples, dicts, numbers, texts, None) as one line of JSON. Raises TypeError for others."""
    return msgspec.json.encode(value)


def from_json(raw: bytes | str, kind: type[Value]) -> Value:
    """The value of type `kind` that `to_json` wrote. Raises ValueError where it is damaged or of another shape."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error


def plain_json(raw: bytes | str) -> Any:
    """JSON that others wrote, as dicts, lists, texts and numbers. Raises ValueError where it is none, or nests so deep
    that nobody can have meant it."""
    try:
        return json.loads(raw)
    except RecursionError as error:
        raise ValueError("it nests without end") from error
