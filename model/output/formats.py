"""The formats of `hitpoint score --format`, by name: which files they make, and their making."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hitpoint.model.errors import UsageError
from hitpoint.model.files import check_output
from hitpoint.model.output.stems import stem_paths, write_stems

if TYPE_CHECKING:
    from hitpoint.model.job import Prepared, Progress, Take

FORMATS = ("midi", "rpp", "otio", "edl", "stems")
"""midi: the MIDI file; rpp: REAPER; otio: OpenTimelineIO; edl: markers for Resolve; stems: a WAV an instrument."""


def parse_formats(text: str) -> tuple[str, ...]:
    """`midi,rpp` -> ("midi", "rpp"). Raises UsageError for an unknown or absent name."""
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        wrong = f"there is no format '{unknown[0]}'" if unknown else "no format is named"
        raise UsageError(f"{wrong}; choose from {', '.join(FORMATS)}")
    return names


def format_paths(formats: Sequence[str], base: Path, instruments: tuple[int, ...]) -> tuple[Path, ...]:
    """The files that these formats make beside the MIDI file `base`, MIDI itself not among them."""
    paths = [base.with_suffix(f".{name}") for name in ("rpp", "otio", "edl") if name in formats]
    return (*paths, *(stem_paths(instruments, base) if "stems" in formats else ()))


def check_formats(
    formats: Sequence[str], base: Path, instruments: tuple[int, ...], force: bool = False, soundfont: Path | None = None
) -> None:
    """Raise, before any work, what would stop `write_formats`: UsageError for a file, MissingError for the synth."""
    if "stems" in formats:
        from hitpoint.model.output.render import BuiltInSynth

        BuiltInSynth(soundfont)
    for path in format_paths(formats, base, instruments):
        check_output(path, force)


def write_formats(
    take: Take,
    prepared: Prepared,
    formats: Sequence[str],
    base: Path,
    wav: Path | None = None,
    force: bool = False,
    soundfont: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Write everything in `formats` but MIDI, named after `base`; the paths, in order.

    wav: the mix, where it was written, for the OTIO timeline. Raises as `hitpoint.model.job.write_outputs`.
    """
    from hitpoint.model.output.edl import write_edl_markers
    from hitpoint.model.output.otio_file import write_otio
    from hitpoint.model.output.rpp import write_rpp

    score, fps = take.score, prepared.rhythm.media[0].fps
    say = progress or (lambda stage, share: None)
    if "rpp" in formats:
        write_rpp(score, prepared.clips, base.with_suffix(".rpp"), force)
    if "otio" in formats:
        write_otio(score, prepared.clips, fps, base.with_suffix(".otio"), wav, force)
    if "edl" in formats:
        write_edl_markers(score, fps, base.with_suffix(".edl"), force)
    if "stems" in formats:
        write_stems(score, base, force, soundfont, lambda share: say("wav", share))
    return format_paths(formats, base, score.instruments)
