"""What an output is: a finished take in, files out. Importing it loads nothing heavy.

A new output is one file with a subclass of `Output` and a line in OUTPUTS; another package adds one by the entry point
`hitpoint.outputs`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from hitpoint.model.errors import UsageError
from hitpoint.model.files import check_output
from hitpoint.model.registry import Registry
from hitpoint.model.take import Prepared, Progress, Take, silent

TARGETS_LUFS = (-14.0, -16.0, -23.0, -24.0)
"""Integrated loudness that streaming services, podcasts, EBU R 128 and ATSC A/85 ask for."""


@dataclass(frozen=True)
class Writing:
    """How files are written.

    force: replace what exists. soundfont: None for the one in the package. wav: the mix, where it is written too, for
    outputs that want the sound. lufs: the integrated loudness of what is heard, None: each as it is. duck_cc: the MIDI
    file also holds the duck, as channel volumes. progress: called with the output's name and its share done.
    """

    force: bool = False
    soundfont: Path | None = None
    wav: Path | None = None
    lufs: float | None = None
    duck_cc: bool = False
    progress: Progress = silent


class Output(ABC):
    """One kind of file (or files) that a take is written to.

    key: the name it is asked for by. suffix: of its file, where it is named after the MIDI file.
    """

    key: ClassVar[str]
    suffix: ClassVar[str]

    def paths(self, path: Path, instruments: Sequence[int]) -> tuple[Path, ...]:
        """The files that are written where `path` is asked for."""
        return (path,)

    def check(self, path: Path, instruments: Sequence[int], writing: Writing) -> None:
        """Raise, before any work, what would stop `write`: UsageError for a file, MissingError for a program."""
        for each in self.paths(path, instruments):
            check_output(each, writing.force)

    @abstractmethod
    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """Write the files, each whole or not at all.

        Raises UsageError where one is there and not `force`, MissingError where a program is lacking.
        """


OUTPUTS: Registry[Output] = Registry(
    "format",
    {
        "midi": "hitpoint.model.output.midi_file:MidiOutput",
        "wav": "hitpoint.model.output.render:WavOutput",
        "mux": "hitpoint.model.output.mux:MuxOutput",
        "report": "hitpoint.model.output.report:ReportOutput",
        "plot": "hitpoint.model.output.plot:PlotOutput",
        "rpp": "hitpoint.model.output.rpp:RppOutput",
        "otio": "hitpoint.model.output.otio_file:OtioOutput",
        "edl": "hitpoint.model.output.edl:EdlOutput",
        "stems": "hitpoint.model.output.stems:StemsOutput",
        "mixstems": "hitpoint.model.output.mix_stems:MixStemsOutput",
        "chords": "hitpoint.model.output.chord_sheet:ChordSheetOutput",
        "click": "hitpoint.model.output.click:ClickOutput",
        "cues": "hitpoint.model.output.cue_sheet:CueSheetOutput",
        "cuepages": "hitpoint.model.output.cue_sheet:CuePagesOutput",
        "musicxml": "hitpoint.model.output.musicxml:MusicXmlOutput",
    },
    "hitpoint.outputs",
)
"""In the order in which they are written: the sound first, for others take it in."""

Targets = Mapping[str, Path]
"""Which outputs are asked for, by key, and where each goes."""


def parse_formats(text: str) -> tuple[str, ...]:
    """`midi,rpp` -> ("midi", "rpp"). Raises UsageError for an unknown or absent name."""
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    if not names:
        raise UsageError(f"no format is named; choose from {', '.join(OUTPUTS.names())}")
    for name in names:
        OUTPUTS.check(name)
    return names


def targets_of(formats: Sequence[str], base: Path) -> dict[str, Path]:
    """Where each format goes when all are named after `base`, the MIDI file."""
    return {name: base if name == "midi" else base.with_suffix(OUTPUTS.load(name).suffix) for name in formats}


def numbered(targets: Targets, take: int) -> dict[str, Path]:
    """The same files for take `take` (from 1): `film.mid` becomes `film-1.mid`."""
    return {name: path.with_name(f"{path.stem}-{take}{path.suffix}") for name, path in targets.items()}


def paths_of(targets: Targets, instruments: Sequence[int]) -> tuple[Path, ...]:
    """Every file that `targets` makes, in the order in which they are written."""
    return tuple(path for name in _in_order(targets) for path in _output(name).paths(targets[name], instruments))


def check_outputs(targets: Targets, instruments: Sequence[int], writing: Writing) -> None:
    """Raise, before any work, what would stop `write_outputs`, UsageError also where two files have one name."""
    paths = paths_of(targets, instruments)
    if len({path.absolute() for path in paths}) < len(paths):
        raise UsageError("two outputs have the same name; give each its own")
    for name in _in_order(targets):
        _output(name).check(targets[name], instruments, writing)


def write_outputs(take: Take, prepared: Prepared, targets: Targets, writing: Writing) -> tuple[Path, ...]:
    """Write every output asked for; the paths, in order. The WAV, where it is asked for, is the others' sound.

    Raises as `Output.write`.
    """
    writing = replace(writing, wav=targets.get("wav", writing.wav))
    for name in _in_order(targets):
        _output(name).write(take, prepared, targets[name], writing)
    return paths_of(targets, take.score.instruments)


def _in_order(targets: Targets) -> list[str]:
    return [name for name in OUTPUTS.names() if name in targets]


def _output(name: str) -> Output:
    return OUTPUTS.load(name)()
