"""Timecodes, the rates they count in, and drop frame."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hitpoint.model.video.smpte import frame_of
from hitpoint.model.video.timeline.tracks import TimelineError

NTSC_30 = 30000 / 1001
STANDARD_RATES = tuple(
    rate * factor
    for rate in (12.0, 15.0, 24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 100.0, 120.0)
    for factor in (1000 / 1001, 1.0)
)
"""Frames a second that films and timelines nominally have; each also in its NTSC variant."""
_SNAP = 4e-4
"""Rates nearer than this share are the same one, written shorter: 23.98, 29.97; 24 and 23.976 lie 1e-3 apart."""
_RATE = re.compile(r"^[\s*;#]*(?:FPS|FRAME[ _]?RATE|TIMEBASE)\s*[:=]?\s*(\d+(?:[.,]\d+)?)\s*(?:FPS)?\s*$", re.I)


@dataclass(frozen=True)
class Timecode:
    """HH:MM:SS:FF as written. line: where; drop: whether it counts in drop frame, as ";" or "," say of themselves."""

    text: str
    line: int
    drop: bool = False

    def __post_init__(self) -> None:
        if self.marked_drop:
            object.__setattr__(self, "drop", True)

    @property
    def marked_drop(self) -> bool:
        """Whether its own punctuation says drop frame."""
        return ";" in self.text or "," in self.text

    @property
    def label(self) -> str:
        """Its digits, however they are separated."""
        return ":".join(f"{int(part):02d}" for part in self._parts())

    @property
    def frames(self) -> int:
        """Its frame field."""
        return self._parts()[3]

    def counted(self, drop: bool) -> Timecode:
        """The same label, counted as told where it does not say so itself."""
        return replace(self, drop=drop or self.marked_drop)

    def hour(self) -> Timecode:
        """The whole hour at or before it."""
        return replace(self, text=f"{self._parts()[0]:02d}{':00:00:00' if not self.marked_drop else ';00;00;00'}")

    def count(self, fps: float) -> int:
        """Frames from 00:00:00:00 at `fps`; drop-frame counting (SMPTE 12M) where it has it.

        Raises TimelineError with its line when a field is out of range for that rate.
        """
        hours, minutes, seconds, frames = self._parts()
        nominal = round(fps)
        if minutes > 59 or seconds > 59 or frames >= nominal:
            more = "; give the list's own rate by --cuts-fps" if minutes <= 59 and seconds <= 59 else ""
            what = f"the timecode {self.text} is impossible at {fps:.5g} frames a second{more}"
            raise TimelineError(what, self.line or None)
        exactly = abs(fps - nominal) < 1e-3  # a header alone may say drop frame at 30.000, where nothing drops
        drop = self.drop and can_drop(fps) and (self.marked_drop or not exactly)
        return frame_of(hours, minutes, seconds, frames, nominal, drop)

    def _parts(self) -> list[int]:
        return [int(part) for part in re.split(r"[:;.,]", self.text)]


def can_drop(fps: float) -> bool:
    """Whether drop-frame timecode exists at that rate: 29.97, 59.94 and 119.88, however exactly they are given."""
    return round(fps) in (30, 60, 120)


def standard(fps: float) -> float:
    """The standard rate that `fps` is short for (23.98, 29.97), else `fps` itself."""
    nearest = min(STANDARD_RATES, key=lambda rate: abs(rate - fps))
    return nearest if abs(nearest - fps) <= _SNAP * nearest else fps


def stated_rate(line: str) -> float | None:
    """Frames a second that a line of an EDL states, such as "* FRAME RATE: 23.976"; None for any other line."""
    match = _RATE.match(line)
    if match is None or not float(match[1].replace(",", ".")) > 0:
        return None
    return standard(float(match[1].replace(",", ".")))
