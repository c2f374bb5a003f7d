"""A progression of the user's own: a file with a line for each chord, "bar.half symbol"."""

from __future__ import annotations

import re
from pathlib import Path

from hitpoint.model.errors import UsageError
from hitpoint.model.music.symbols import parse_symbol
from hitpoint.model.plan.types import ChordAt

MOST_LINES = 100_000
_LINE = re.compile(r"(\d{1,6})\.([012])\s+(\S+)")


def read_progression(path: Path) -> tuple[ChordAt, ...]:
    """The chords of a file, in order. Empty lines and those that begin with # are passed over.

    Each line is "BAR.HALF SYMBOL", counted from 0 as in the report ("0.1": the second half of the first bar); a file
    without a 0 among its bars and halves counts both from 1. A chord holds until the next one named.
    Raises UsageError, with the line, where one is wrong, out of order or named twice, and where the file has no chord.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the chords in {path}; give a text file with lines such as '0.0 Am7'") from error
    if len(lines) > MOST_LINES:
        raise UsageError(f"{path} has more than {MOST_LINES} lines; give a file of chords")
    stripped = ((number, line.strip()) for number, line in enumerate(lines, start=1))
    rows = [(f"{path}, line {number}", text) for number, text in stripped if text and not text.startswith("#")]
    if not rows:
        raise UsageError(f"{path} names no chord; write lines such as '0.0 Am7' (first bar, first half)")
    read = [(where, *_parts(where, text)) for where, text in rows]
    first = 0 if any(0 in (bar, half) for _, bar, half, _ in read) else 1
    found: list[ChordAt] = []
    for where, bar, half, symbol in read:
        if half - first > 1:
            raise UsageError(f"{where}: a bar counted from 0 has the halves 0 and 1, not {half}")
        chord = ChordAt(bar - first, half - first, symbol)
        if found and chord[:2] <= found[-1][:2]:
            raise UsageError(f"{where}: {bar}.{half} does not come after the line before it; sort the lines")
        found.append(chord)
    return tuple(found)


def _parts(where: str, text: str) -> tuple[int, int, str]:
    """Bar, half and symbol as they are written."""
    match = _LINE.fullmatch(text)
    if match is None:
        raise UsageError(f"{where}: {text[:60]!r} is no chord; write the bar, its half and a symbol, such as '3.1 F'")
    try:
        parse_symbol(match[3])
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from error
    return int(match[1]), int(match[2]), match[3]


def spread(progression: tuple[ChordAt, ...], bars: int) -> list[tuple[str, str]]:
    """The symbols of every bar of a piece: a chord holds until the next; a short progression is repeated.

    It lasts up to the end of the bar of its last chord. Before its first chord, that chord sounds.
    """
    length = progression[-1].bar + 1
    halves, standing = [], progression[0].symbol
    named = {(each.bar, each.half): each.symbol for each in progression}
    for bar in range(length):
        for half in (0, 1):
            standing = named.get((bar, half), standing)
            halves.append(standing)
    return [(halves[2 * (bar % length)], halves[2 * (bar % length) + 1]) for bar in range(bars)]
