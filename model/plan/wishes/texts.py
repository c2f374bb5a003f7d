"""How numbers, ranges and moments are read from the texts of the command line and of OSC."""

from __future__ import annotations

import math
from collections.abc import Callable

from hitpoint.model.errors import UsageError
from hitpoint.model.mood.types import MoodPoint

TEMPO_LIMITS_BPM = (30.0, 300.0)


def tempo(text: str) -> tuple[float, float] | None:
    """None for auto, else (low, high) of "120" or "90-140", BPM. Raises UsageError, as all of these do."""
    if text.lower() == "auto":
        return None
    parts = text.replace("–", "-").split("-")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2):
        raise UsageError(f"tempo {text!r} is neither 'auto', a number of BPM, nor a range such as 90-140")
    return tempo_range(numbers[0], numbers[-1])


def tempo_range(low_bpm: float, high_bpm: float) -> tuple[float, float]:
    """The two tempi, checked."""
    low, high = TEMPO_LIMITS_BPM
    if not (math.isfinite(low_bpm) and math.isfinite(high_bpm) and low <= low_bpm and high_bpm <= high):
        raise UsageError(f"a tempo must lie within {low:g}-{high:g} BPM, not {range_text(low_bpm, high_bpm)}")
    if low_bpm > high_bpm:
        raise UsageError(f"the tempo range {low_bpm:g}-{high_bpm:g} runs backwards: give the slower tempo first")
    return low_bpm, high_bpm


def range_text(low_bpm: float, high_bpm: float) -> str:
    """A range of tempi as it is written."""
    return f"{low_bpm:g}" if low_bpm == high_bpm else f"{low_bpm:g}-{high_bpm:g}"


def within(name: str, value: float, low: float, high: float) -> None:
    """Raise UsageError where a finite number does not lie in the range, ends included."""
    if not (math.isfinite(value) and low <= value <= high):
        raise UsageError(f"{name} must lie between {low:g} and {high:g}, not {value:g}")


def number(name: str, low: float, high: float) -> Callable[[str], float]:
    """What reads a number of that range."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise UsageError(f"{name} must be a number between {low:g} and {high:g}, not {text!r}") from None
        within(name, value, low, high)
        return value

    return parse


def share_or_auto(name: str) -> Callable[[str], float | None]:
    """What reads a share 0..1, or auto as None."""

    def parse(text: str) -> float | None:
        return None if text.lower() == "auto" else number(name, 0.0, 1.0)(text)

    return parse


def whole(name: str, low: int, high: int) -> Callable[[str], int]:
    """What reads a whole number of that range."""

    def parse(text: str) -> int:
        """Raises UsageError for what is no whole number of the range."""
        try:
            value = int(text)
        except ValueError:
            raise UsageError(f"{name} must be a whole number between {low} and {high}, not {text!r}") from None
        if not low <= value <= high:
            raise UsageError(f"{name} must be a whole number between {low} and {high}, not {text!r}")
        return value

    return parse


def moments(name: str) -> Callable[[str], tuple[float, ...]]:
    """What reads moments in seconds, separated by commas."""

    def parse(text: str) -> tuple[float, ...]:
        """Seconds. Raises UsageError for what are none."""
        text = "" if text.lower() == "none" else text
        try:
            times_s = tuple(float(part) for part in text.split(",") if part.strip())
        except ValueError:
            times_s = (math.nan,)
        if not all(math.isfinite(time_s) for time_s in times_s):
            raise UsageError(f"{name} must be moments in seconds, separated by commas, not {text!r}")
        return times_s

    return parse


def own_hits(text: str) -> tuple[tuple[float, bool], ...]:
    """Moments in seconds; those with a ! bind above all."""
    text = "" if text.lower() == "none" else text
    parts = [part.strip() for part in text.split(",") if part.strip()]
    times_s = moments("hits")(",".join(part.removesuffix("!") for part in parts))
    return tuple((time_s, part.endswith("!")) for time_s, part in zip(times_s, parts, strict=True))


def mood_line(text: str) -> tuple[MoodPoint, ...]:
    """Points SECONDS:VALENCE:TENSION, separated by commas, of which either may be empty; in order of time."""
    text = "" if text.lower() == "none" else text
    points = []
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        values = part.split(":")
        try:
            time_s, valence, tension = (float(each) if each.strip() else None for each in values)
        except ValueError:
            time_s = None
        if time_s is None or not math.isfinite(time_s):
            raise UsageError(f"mood-line must be points such as 12.5:-0.4:0.8, separated by commas, not {part!r}")
        if valence is not None:
            within("a valence of mood-line", valence, -1.0, 1.0)
        if tension is not None:
            within("a tension of mood-line", tension, 0.0, 1.0)
        points.append(MoodPoint(time_s, valence, tension))
    return tuple(sorted(points, key=lambda point: point.time_s))
