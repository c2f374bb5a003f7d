"""One film to be scored, as a command line asks for it: read once, carried out by `score` and by `batch`'s workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hitpoint.bridge.commands._clip import ClipPart
from hitpoint.bridge.commands._shared import counted
from hitpoint.bridge.errors import UsageError
from hitpoint.model.plan.wishes.options import parse_wishes

if TYPE_CHECKING:
    from hitpoint.model.compose.base import Composer
    from hitpoint.model.output.base import Targets, Writing
    from hitpoint.model.plan.types import Wishes
    from hitpoint.model.take import Prepared, Progress, Take
    from hitpoint.model.video.types import Boundary

NAMED = ("wav", "mux", "report", "plot")
"""Outputs that have an option of their own, which names the file."""


@dataclass(frozen=True)
class Order:
    """targets: for each take, which outputs are asked for and where each goes."""

    part: ClipPart
    wishes: Wishes
    targets: tuple[Targets, ...]
    writing: Writing

    def check(self) -> None:
        """Raise, before any work, what would stop it later: the clip, the files to write, a missing program."""
        for files in self.targets:
            check(self.part.clip, files, self.wishes.instruments, self.writing)


@dataclass(frozen=True)
class Carried:
    """What came of an order: a summary a take, the files written, what was bent, seconds of composing."""

    said: tuple[str, ...]
    paths: tuple[Path, ...]
    changes: tuple[str, ...]
    compose_s: float
    prepared: Prepared


def order_of(
    part: ClipPart,
    out: Path | None,
    formats: str,
    takes: int,
    soundfont: Path | None,
    lufs: str,
    duck_cc: bool,
    force: bool,
    **rest: Any,
) -> Order:
    """The order from the values of `score`'s options but the composer's. Raises UsageError for a wrong one."""
    from hitpoint.model.output.base import Writing, numbered, parse_formats, targets_of

    base = out or Path(f"{part.clip.stem}.mid")
    named = {name: path for name in NAMED if (path := rest.pop(name)) is not None}
    targets = {**targets_of(parse_formats(formats), base), **named}
    each_take = (targets,) if takes == 1 else tuple(numbered(targets, take + 1) for take in range(takes))
    writing = Writing(force, soundfont, lufs=None if lufs == "off" else float(lufs), duck_cc=duck_cc)
    return Order(part, parse_wishes(rest), each_take, writing)


def check(clip: Path, targets: Targets, instruments: tuple[int, ...], writing: Writing) -> None:
    """Raise, before any work, what would stop it later: the clip, the files to write, a missing program."""
    from hitpoint.model.output.base import check_outputs, paths_of
    from hitpoint.model.video.media import check_file

    check_file(clip)
    check_outputs(targets, instruments, writing)
    if any(path.resolve() == clip.resolve() for path in paths_of(targets, instruments)):
        raise UsageError(f"{clip} is the clip itself; give the output another name")


def carry_out(order: Order, cuts: tuple[Boundary, ...] | None, composer: Composer, progress: Progress) -> Carried:
    """Look, plan, compose and write. cuts: the editor's own. Raises as the stages of `hitpoint.model.job` do."""
    from hitpoint.model import job
    from hitpoint.model.output.base import write_outputs

    part = order.part
    prepared = job.prepare(part.clips(), order.wishes, cuts, progress, detector=part.detector, genres=composer.genres)
    composed = job.compose_takes(prepared, composer, len(order.targets), progress)
    said: list[str] = []
    written: list[Path] = []
    for take, files in zip(composed, order.targets, strict=True):
        paths = write_outputs(take, prepared, files, replace(order.writing, progress=progress))
        said.append(summary(take, prepared, paths))
        written += paths
    told = tuple(dict.fromkeys([*prepared.plan.changes, *(each for take in composed for each in take.account.told)]))
    return Carried(tuple(said), tuple(written), told, sum(take.generation_s for take in composed), prepared)


def _sound_notes(order: Order) -> list[str]:
    """What is to be said of the sound that was written, if any was."""
    from hitpoint.model.output.render import soundfont_note

    written = {name for files in order.targets for name in files}
    note = soundfont_note(order.writing.soundfont) if {"wav", "mux", "stems"} & written else ""
    return [note] if note else []


def summary(take: Take, prepared: Prepared, paths: Sequence[Path]) -> str:
    """One line on what was composed, and below it the files written."""
    score = take.score
    tempi = [point.bpm for point in score.tempo_map.points]
    tempo = f"{min(tempi):.1f}" if max(tempi) - min(tempi) < 0.05 else f"{min(tempi):.1f} to {max(tempi):.1f}"
    hits = counted(len(prepared.plan.hits), "hit point")
    facts = f"{counted(len(score.bars), 'bar')} of {score.genre} at {tempo} BPM, {hits}"
    return "\n".join([f"{facts}, composed in {take.generation_s:.1f} s", *(f"  {path}" for path in paths)])
