"""Score -> a click track: what players hear in their ears while the film runs. A high click on each bar line."""

from __future__ import annotations

import wave
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.files import atomic
from hitpoint.model.music.score import Score
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.output.level import sixteen_bit
from hitpoint.model.take import Prepared, Take

RATE_HZ = 44_100
HIGH_HZ, LOW_HZ, LENGTH_S, PEAK = 1760.0, 1175.0, 0.03, 0.5


def beats_s(score: Score) -> list[tuple[float, bool]]:
    """(seconds, whether a bar begins) of each beat before the end."""
    tempo = score.tempo_map
    step = tempo.metre.beat_ticks
    lengths = [(bar, score.last_bar_ticks if bar == len(score.bars) - 1 else tempo.ticks_of(bar))
               for bar in range(len(score.bars))]  # fmt: skip
    times = [(tempo.time_at_tick(bar, tick), tick == 0) for bar, ticks in lengths for tick in range(0, ticks, step)]
    return [each for each in times if each[0] < score.duration_s]


def click(score: Score) -> NDArray[np.float32]:
    """(frames,) as long as the score, each click's first frame at its beat."""
    sound = np.zeros(round(score.duration_s * RATE_HZ), np.float32)
    at_s = np.arange(round(LENGTH_S * RATE_HZ)) / RATE_HZ
    for time_s, begins in beats_s(score):
        first = round(time_s * RATE_HZ)
        wave_form = PEAK * np.cos(2 * np.pi * (HIGH_HZ if begins else LOW_HZ) * at_s) * np.exp(-at_s / 0.006)
        room = sound[first : first + len(wave_form)]
        room += wave_form[: len(room)].astype(np.float32)
    return sound


class ClickOutput(Output):
    """The click track, 16 bit, mono."""

    key = "click"
    suffix = ".click.wav"

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """Write the click. Raises UsageError as `hitpoint.model.files.atomic`."""
        with atomic(path, writing.force) as part, closing(wave.open(str(part), "wb")) as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(sixteen_bit(click(take.score)).tobytes())
        writing.progress(self.key, 1.0)
