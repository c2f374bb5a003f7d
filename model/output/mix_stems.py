"""The film's mix in parts: its own sound, and each instrument as loud as it lies under it. They sum to the mix."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from hitpoint.model.errors import UsageError
from hitpoint.model.files import atomic
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.output.duck import duck_of
from hitpoint.model.output.ffmpeg import find_ffmpeg
from hitpoint.model.output.level import Delivery
from hitpoint.model.output.mix import Mix, Voice
from hitpoint.model.output.render import BuiltInSynth, write_wav
from hitpoint.model.output.stems import stem_paths, write_stems
from hitpoint.model.take import Prepared, Take
from hitpoint.model.video.film import open_film
from hitpoint.model.video.sound.decode import heard_track


class MixStemsOutput(Output):
    """One WAV for the film's own sound, one for each instrument."""

    key = "mixstems"
    suffix = ".mix.wav"

    def paths(self, path: Path, instruments: Sequence[int]) -> tuple[Path, ...]:
        """`film.mix.wav` -> `film.mix-own.wav`, `film.mix-drums.wav`, ..."""
        return (path.with_name(f"{path.stem}-own.wav"), *stem_paths(tuple(instruments), path))

    def check(self, path: Path, instruments: Sequence[int], writing: Writing) -> None:
        """Also MissingError without ffmpeg, or where the synth or its sound font is lacking."""
        super().check(path, instruments, writing)
        find_ffmpeg()
        BuiltInSynth(writing.soundfont)

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """Write the parts. Raises UsageError for an edit of several clips, and as `Mix.write_stems`."""
        clips = prepared.clips
        if len(clips) != 1 or clips[0].rate != 1.0:
            raise UsageError("only one clip, at its own speed, has a mix in parts; use --format stems for an edit")
        clip, film = clips[0], open_film(clips[0].path)
        track = heard_track(film, clip.in_s, clip.out_s) if prepared.wishes.keep_sound else None
        voice = Voice(film, track, clip.in_s, clip.out_s, prepared.rhythm.speech) if track else None
        own, *parts = self.paths(path, take.score.instruments)
        with tempfile.TemporaryDirectory(prefix="hitpoint-") as folder, ExitStack() as files:
            music = Path(folder) / "music.wav"
            write_wav(take.score, music, soundfont=writing.soundfont)
            stems = write_stems(take.score, music, soundfont=writing.soundfont)
            part_of = [files.enter_context(atomic(each, writing.force)) for each in (own, *parts)]
            mix = Mix(music, voice, duck_of(prepared) if voice else None)
            mix.write_stems(part_of[0], dict(zip(stems, part_of[1:], strict=True)), Delivery(writing.lufs))
        writing.progress(self.key, 1.0)
