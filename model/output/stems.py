"""Score -> one WAV for each instrument, which together are the mix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hitpoint.model.music.score import INSTRUMENTS, Score
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.output.render import BuiltInSynth, write_wav
from hitpoint.model.take import Prepared, Take


def stem_paths(score_instruments: tuple[int, ...], base: Path) -> tuple[Path, ...]:
    """`film.mid` -> `film-drums.wav`, …, in the order of the instruments."""
    return tuple(base.with_name(f"{base.stem}-{INSTRUMENTS[index]}.wav") for index in sorted(score_instruments))


def write_stems(
    score: Score,
    base: Path,
    force: bool = False,
    soundfont: Path | None = None,
    progress: Callable[[float], None] | None = None,
    lufs: float | None = None,
) -> tuple[Path, ...]:
    """Write the stems beside `base` and return their paths. Each has the mix's level, so that their sum is the mix.

    progress: called with 0..1. Raises as `hitpoint.model.output.render.write_wav`.
    """
    paths = stem_paths(score.instruments, base)
    say = progress or (lambda share: None)
    for index, (instrument, path) in enumerate(zip(sorted(score.instruments), paths, strict=True)):
        write_wav(score, path, force, soundfont, None, (instrument,), score.instruments, lufs)
        say((index + 1) / len(paths))
    return paths


class StemsOutput(Output):
    """One WAV for each instrument."""

    key = "stems"
    suffix = ".wav"

    def paths(self, path: Path, instruments: Sequence[int]) -> tuple[Path, ...]:
        """As `stem_paths`."""
        return stem_paths(tuple(instruments), path)

    def check(self, path: Path, instruments: Sequence[int], writing: Writing) -> None:
        """Also MissingError where the synth or its sound font is lacking."""
        super().check(path, instruments, writing)
        BuiltInSynth(writing.soundfont)

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """As `write_stems`."""
        say = partial(writing.progress, self.key)
        write_stems(take.score, path, writing.force, writing.soundfont, say, writing.lufs)
