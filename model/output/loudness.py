"""How loud sound is: integrated loudness and true peak by ITU-R BS.1770, measured by ffmpeg's ebur128."""

from __future__ import annotations

import math
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError
from hitpoint.model.output.ffmpeg import find_ffmpeg

MOST_DBTP = -1.0
"""True peak that nothing written exceeds."""
SILENT_LUFS = -69.0
"""ffmpeg says -70 of silence."""
_SUMMARY = re.compile(r"\bI:\s+(-?[\d.]+|-inf|nan) LUFS(?:(?:(?!\bI:).)*?Peak:\s+(-?[\d.]+|-inf|nan) dBFS)?", re.DOTALL)


@dataclass(frozen=True)
class Loudness:
    """lufs: integrated, -70 or less for silence. true_peak_db: dBTP; -inf for silence."""

    lufs: float
    true_peak_db: float

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to be measured."""
        return not self.lufs > SILENT_LUFS


def measure(blocks: Iterable[NDArray[np.float32]], rate_hz: int, peak: bool = True) -> Loudness:
    """blocks: (frames, 2), full scale = 1. peak: False leaves the true peak out (-inf), which takes most of the time.

    Raises MissingError without ffmpeg, InputError where it fails.
    """
    source = ["-f", "f32le", "-ar", str(rate_hz), "-ac", "2", "-i", "pipe:0"]
    return _measured(source, (np.ascontiguousarray(block, np.float32).tobytes() for block in blocks), peak)


def measure_file(path: Path, peak: bool = True) -> Loudness:
    """Of the first track of sound of a file. Raises as `measure`."""
    return _measured(["-i", f"file:{path}", "-map", "0:a:0"], (), peak)


def measure_coded(blocks: Iterable[NDArray[np.float32]], rate_hz: int, codec: Sequence[str], form: str) -> Loudness:
    """As `measure`, of what is left after a lossy codec: it may swing over what went in.

    codec: ffmpeg's options for it. form: ffmpeg's name of a container that can be streamed.
    """
    source = ["-f", "f32le", "-ar", str(rate_hz), "-ac", "2", "-i", "pipe:0"]
    with tempfile.TemporaryDirectory(prefix="hitpoint-") as name:
        coded = Path(name) / "coded"
        _run([*source, *codec, "-f", form, f"file:{coded}"], (np.asarray(b, np.float32).tobytes() for b in blocks))
        return measure_file(coded)


def _measured(source: Sequence[str], pieces: Iterable[bytes], peak: bool) -> Loudness:
    meter = f"ebur128=peak={'true' if peak else 'none'}:framelog=verbose"
    text = _run([*source, "-vn", "-af", meter, "-f", "null", "-"], pieces)
    found = list(_SUMMARY.finditer(text))
    if not found:
        raise InputError("ffmpeg does not measure the loudness of this sound; leave --lufs out")
    lufs, peak_db = (float(value or "-inf") for value in found[-1].groups())
    return Loudness(-70.0 if math.isnan(lufs) else lufs, -math.inf if math.isnan(peak_db) else peak_db)


def _run(arguments: Sequence[str], pieces: Iterable[bytes]) -> str:
    """Run ffmpeg with the pieces on its standard input; what it says."""
    command = [find_ffmpeg(), "-hide_banner", "-nostats", "-v", "info", "-y", *arguments]
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors)
        assert process.stdin is not None
        try:
            for piece in pieces:
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it ended early, and says why
        finally:
            status = process.wait()
        errors.seek(0)
        text = errors.read()
    if status:
        reason = (text.strip().splitlines() or [f"status {status}"])[-1]
        raise InputError(f"ffmpeg cannot measure this sound ({reason})")
    return text
