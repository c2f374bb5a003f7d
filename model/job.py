"""The one path from clips to files; the command line and the bridge both take it.

    prepared = prepare(clips, wishes, cuts)                 picture -> plan
    take = compose(prepared, composer, seed)                plan -> bars -> score, or:
    take = assemble(prepared, bars, composer, seed)         bars streamed by the caller -> score
    write_outputs(take, prepared, outputs)                  score -> files

Importing it loads neither torch nor cv2 nor matplotlib.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hitpoint.model.errors import UsageError
from hitpoint.model.files import check_output
from hitpoint.model.music.score import Bar, Marker, Score
from hitpoint.model.plan.types import Plan, Wishes

if TYPE_CHECKING:
    from hitpoint.model.video.types import Boundary, Clip, VisualRhythm

Progress = Callable[[str, float], None]
"""Called with a stage (analyse, plan, compose, midi, wav, mux, report or plot) and its share done, 0..1."""


class BarStream(Protocol):
    """What a composer must offer. `stats` has `tokens` and `seconds`."""

    name: str
    sha256: str
    parameters: int
    stats: Any

    def stream(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        """The bars from `len(history)` on, one by one; the same plan, seed and history give the same bars."""

    def takes(self, plan: Plan, seeds: Sequence[int], on_bar: Callable[[Bar], None] | None = None) -> list[list[Bar]]:
        """One whole piece for each seed; `on_bar` is called with each bar as it comes."""


@dataclass(frozen=True)
class Prepared:
    """What is known before the first note: the clips, what they show, and the plan. Times are wall-clock seconds."""

    clips: tuple[Clip, ...]
    wishes: Wishes
    rhythm: VisualRhythm
    plan: Plan
    analysis_s: float
    plan_s: float


@dataclass(frozen=True)
class Take:
    """A finished score and how it came about. generation_s: wall-clock seconds of composing."""

    score: Score
    model_name: str
    model_sha256: str
    model_parameters: int
    tokens: int
    generation_s: float
    composer: str = "cmt"


@dataclass(frozen=True)
class Outputs:
    """Where to write; None leaves a file out."""

    midi: Path | None = None
    wav: Path | None = None
    report: Path | None = None
    plot: Path | None = None
    mux: Path | None = None

    def paths(self) -> tuple[Path, ...]:
        """The files asked for."""
        return tuple(path for path in (getattr(self, field.name) for field in fields(self)) if path is not None)

    def numbered(self, take: int) -> Outputs:
        """The same files for take `take` (from 1): `film.mid` becomes `film-1.mid`."""
        renamed = {
            field.name: path and path.with_name(f"{path.stem}-{take}{path.suffix}")
            for field in fields(self)
            for path in [getattr(self, field.name)]
        }
        return Outputs(**renamed)

    def check(self, force: bool = False) -> None:
        """Raise UsageError, before any work, if one cannot be written or two are the same."""
        paths = self.paths()
        if len({path.absolute() for path in paths}) < len(paths):
            raise UsageError("two outputs have the same name; give each its own")
        for path in paths:
            check_output(path, force)


def prepare(
    clips: Sequence[Clip],
    wishes: Wishes,
    cuts: Sequence[Boundary] | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Analyse the clips and plan the music. `cuts` replace the detected shot boundaries (seconds from the in point).

    Raises InputError for a clip that cannot be read, UsageError for a wish that cannot be met.
    """
    from hitpoint.model.plan.build import build_plan
    from hitpoint.model.video.analyse import analyse

    report = progress or _silent
    started = time.perf_counter()
    rhythm = analyse(clips, cuts, lambda share: report("analyse", share))
    analysed = time.perf_counter()
    report("plan", 0.0)
    plan = build_plan(rhythm, wishes)
    report("plan", 1.0)
    return Prepared(tuple(clips), wishes, rhythm, plan, analysed - started, time.perf_counter() - analysed)


def compose(
    prepared: Prepared,
    composer: BarStream,
    seed: int | None = None,
    progress: Progress | None = None,
    on_bar: Callable[[Bar], None] | None = None,
) -> Take:
    """Compose every bar of the plan. `seed` None takes the plan's; `on_bar` is called with each bar as it comes."""
    report = progress or _silent
    plan = prepared.plan
    seed = plan.seed if seed is None else seed
    bars: list[Bar] = []
    report("compose", 0.0)
    for bar in composer.stream(plan, seed):
        bars.append(bar)
        if on_bar is not None:
            on_bar(bar)
        report("compose", len(bars) / len(plan.bars))
    return assemble(prepared, bars, composer, seed)


def compose_takes(prepared: Prepared, composer: BarStream, count: int, progress: Progress | None = None) -> list[Take]:
    """`count` takes, with the plan's seed and those after it, composed together, for that is quicker."""
    seeds = range(prepared.plan.seed, prepared.plan.seed + count)
    if count == 1:
        return [compose(prepared, composer, seeds[0], progress)]
    report, wanted = progress or _silent, count * len(prepared.plan.bars)
    done = itertools.count(1)
    report("compose", 0.0)
    pieces = composer.takes(prepared.plan, seeds, lambda bar: report("compose", next(done) / wanted))
    tokens, seconds = composer.stats.tokens // count, composer.stats.seconds / count
    return [assemble(prepared, bars, composer, seed, tokens, seconds) for seed, bars in zip(seeds, pieces, strict=True)]


def assemble(
    prepared: Prepared,
    bars: Sequence[Bar],
    composer: BarStream,
    seed: int | None = None,
    tokens: int | None = None,
    generation_s: float | None = None,
) -> Take:
    """A take from bars that the caller streamed, performed as the plan wants them. tokens, generation_s: None takes the composer's last `stats`."""
    from hitpoint.model.perform.perform import perform_all

    plan = prepared.plan
    score = Score(
        bars=perform_all(bars, plan),
        tempo_map=plan.tempo_map,
        genre=plan.genre,
        instruments=plan.instruments,
        seed=plan.seed if seed is None else seed,
        markers=markers(plan),
        about=_about(prepared, composer),
    )
    return Take(
        score,
        composer.name,
        composer.sha256,
        composer.parameters,
        int(composer.stats.tokens if tokens is None else tokens),
        float(composer.stats.seconds if generation_s is None else generation_s),
    )


def markers(plan: Plan) -> tuple[Marker, ...]:
    """Section names at their first bar lines and hit points at the picture's moments, in time order."""
    sections = [Marker(plan.tempo_map.time_at_tick(s.first_bar), f"Section {s.label}") for s in plan.sections]
    hits = [Marker(hit.time_s, f"Hit: {hit.kind}") for hit in plan.hits]
    return tuple(sorted(sections + hits, key=lambda marker: marker.time_s))


def write_outputs(
    take: Take,
    prepared: Prepared,
    outputs: Outputs,
    force: bool = False,
    soundfont: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Write the files asked for, each whole or not at all. `soundfont` None takes the one in the package.

    Raises UsageError where a file is there and not `force`, MissingError where ffmpeg or the synthesiser is lacking.
    """
    from hitpoint.model.output import midi_file, mux, plot, render, report

    outputs.check(force)
    say = progress or _silent
    score, plan, rhythm = take.score, prepared.plan, prepared.rhythm
    if outputs.midi is not None:
        midi_file.write_midi(score, outputs.midi, force)
        say("midi", 1.0)
    if outputs.wav is not None:
        render.write_wav(score, outputs.wav, force, soundfont, lambda share: say("wav", share))
    if outputs.mux is not None:
        mux.mux_score(
            score, prepared.clips, outputs.mux, outputs.wav, force, soundfont, lambda share: say("mux", share)
        )
    if outputs.report is not None:
        report.write_report(report.build_report(take, prepared), outputs.report, force)
        say("report", 1.0)
    if outputs.plot is not None:
        plot.plot_score(score, plan, rhythm, prepared.clips, outputs.plot, force)
        say("plot", 1.0)


def version() -> str:
    """The installed version of hitpoint."""
    return importlib.metadata.version("hitpoint")


def _about(prepared: Prepared, composer: BarStream) -> dict[str, str]:
    """What is needed to make the score again, besides genre, instruments and seed, which the Score itself holds."""
    wishes = prepared.wishes
    about = {
        "version": version(),
        "model": composer.name,
        "model_sha256": composer.sha256,
        "plan_seed": str(prepared.plan.seed),
        "control": repr(wishes.control),
        "tempo_bpm": "auto" if wishes.tempo_bpm is None else "-".join(f"{bpm:g}" for bpm in wishes.tempo_bpm),
        "max_deviation": repr(wishes.max_deviation),
        "energy": repr(wishes.energy),
        "density": str(wishes.density),
        "accents": repr(wishes.accents),
    }
    media_of = {media.path: media for media in prepared.rhythm.media}
    for number, clip in enumerate(prepared.clips):
        media = media_of[clip.path]
        about[f"clip{number}_sha256"] = media.sha256
        about[f"clip{number}_in_out_s"] = f"{clip.in_s:g}-{media.duration_s if clip.out_s is None else clip.out_s:g}"
    return about


def _silent(stage: str, share: float) -> None:
    """Progress that nobody asked for."""
