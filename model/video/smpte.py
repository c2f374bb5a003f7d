"""SMPTE time code as arithmetic (SMPTE 12M): frame numbers <-> hours, minutes, seconds, frames. Pure; standard library.

nominal: whole frames a second that are counted (30 for 29.97). drop: labels 0 and 1 (of 30; 0 to 3 of 60, and so on)
are left out in each minute but every tenth, so that the label keeps to the clock.
"""

from __future__ import annotations


def fields_of(frame: int, nominal: int, drop: bool = False) -> tuple[int, int, int, int]:
    """Hours, minutes, seconds and frames of frame number `frame`, 0 or more; hours are not wrapped."""
    if drop:
        dropped = nominal // 15
        minute = nominal * 60 - dropped
        tens, within = divmod(frame, 10 * minute + dropped)
        frame += 9 * dropped * tens + (dropped * ((within - dropped) // minute) if within >= dropped else 0)
    seconds, frames = divmod(frame, nominal)
    return seconds // 3600, seconds // 60 % 60, seconds % 60, frames


def frame_of(hours: int, minutes: int, seconds: int, frames: int, nominal: int, drop: bool = False) -> int:
    """The inverse of `fields_of`, for labels that exist."""
    total_minutes = hours * 60 + minutes
    frame = (total_minutes * 60 + seconds) * nominal + frames
    return frame - nominal // 15 * (total_minutes - total_minutes // 10) if drop else frame
