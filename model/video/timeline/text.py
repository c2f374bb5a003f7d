"""The text of a list, whatever its encoding and its line ends."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"^\s*<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")


def decode(data: bytes) -> str:
    """The text of `data`: as its mark says, else as its zero bytes or its XML declaration say, else UTF-8.

    What is no UTF-8 is taken for Windows Latin-1, which older editors write into clip names. Line ends become "\\n".
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, errors="replace")
            break
    else:
        text = _unmarked(data)
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\x00\x1a \t\n")


def lines(text: str) -> list[str]:
    """Its lines, without their ends; other marks than a line feed end none."""
    return text.split("\n")


def _unmarked(data: bytes) -> str:
    wide = _wide(data[:256])
    if wide is not None:
        return data.decode(wide, errors="replace")
    declared = _DECLARED.match(data)
    for encoding in (declared[1].decode() if declared else "utf-8", "utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    return data.decode("latin-1")


def _wide(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, told by where its first characters, which are ASCII, have their zero bytes."""
    if len(head) < 8:
        return None
    zeros = "".join("0" if byte == 0 else "a" for byte in head[:8])
    patterns = {
        "a0" * 4: "utf-16-le",
        "0a" * 4: "utf-16-be",
        "a000" * 2: "utf-32-le",
        "000a" * 2: "utf-32-be",
    }
    return patterns.get(zeros)
