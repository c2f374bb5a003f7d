"""The one path from clips to files; the command line and the bridge both take it.

    prepared = prepare(clips, wishes, cuts)                 picture -> plan
    take = compose(prepared, composer, seed)                plan -> bars -> score, or:
    take = assemble(prepared, bars, composer, seed)         bars streamed by the caller -> score
    write_outputs(take, prepared, targets, writing)         score -> files (hitpoint.model.output.base)

Importing it loads neither torch nor cv2 nor matplotlib.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hitpoint.model.compose.base import Composer
from hitpoint.model.music.chords import HALF_BAR_TICKS
from hitpoint.model.music.score import GENRES, INSTRUMENTS, TICKS_PER_BAR, Bar, Marker, Score
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.take import Prepared, Progress, Take, silent

if TYPE_CHECKING:
    from hitpoint.model.video.types import Boundary, Clip, VisualRhythm


def prepare(
    clips: Sequence[Clip],
    wishes: Wishes,
    cuts: Sequence[Boundary] | None = None,
    progress: Progress | None = None,
    apart: bool = False,
    detector: str = "quick",
    genres: Sequence[str] = GENRES,
    lead_s: float = 0.0,
    length_s: float = 0.0,
    sounds: Sequence[Clip] = (),
) -> Prepared:
    """Analyse the clips and plan the music. `cuts` replace the detected shot boundaries (seconds from the in point).
    apart: look at the films in a process of its own, which may crash alone. detector: as `analyse` takes it. genres:
    that may be chosen where the wishes leave the genre open. lead_s: black before the first clip; length_s: how
    long the music is to last with that, where that is longer. sounds: what is heard with the picture in place of the
    films' own sound, each at its `start_s`, as that of the clips.

    Raises InputError for a clip that cannot be read, UsageError for a wish that cannot be met.
    """
    from hitpoint.model.plan.build import build_plan
    from hitpoint.model.plan.suggested import asks, followed, suggested

    report = progress or silent
    started = time.perf_counter()
    rhythm = _seen(clips, cuts, report, apart, detector, wishes.keep_sound, sounds, lead_s, length_s)
    analysed = time.perf_counter()
    report("plan", 0.0)
    found = None
    if asks(wishes):
        found = suggested(rhythm, wishes.describe, names(clips, apart), genres=genres)
        wishes = followed(wishes, found)
    plan = build_plan(rhythm, wishes)
    if found is not None:
        plan = replace(plan, changes=(*plan.changes, *found.changes))
    if wishes.repitch:
        plan = _checked_for_repitch(plan)
    report("plan", 1.0)
    return Prepared(tuple(clips), wishes, rhythm, plan, analysed - started, time.perf_counter() - analysed, found)


def _seen(
    clips: Sequence[Clip], cuts: Sequence[Boundary] | None, report: Progress, apart: bool, detector: str,
    keep_sound: bool, sounds: Sequence[Clip], lead_s: float, length_s: float,
) -> VisualRhythm:  # fmt: skip
    """What the clips show and, where their sound is kept, where somebody speaks; all as `prepare` takes it."""
    from hitpoint.model.video.analyse import analyse
    from hitpoint.model.video.apart import analyse_apart, speech_apart
    from hitpoint.model.video.padded import padded
    from hitpoint.model.video.sound.listen import speech_beside

    look = analyse_apart if apart else analyse
    listen = keep_sound and not sounds
    rhythm = look(clips, cuts, lambda share: report("analyse", share), detector=detector, listen=listen)
    if lead_s > 0.0 or length_s > rhythm.duration_s:
        rhythm = padded(rhythm, lead_s, length_s)
    if keep_sound and sounds:
        find = speech_apart if apart else speech_beside
        speech, notes = find(sounds, clips[0].start_s - lead_s, rhythm.duration_s)
        rhythm = replace(rhythm, speech=speech, notes=(*rhythm.notes, *notes))
    return rhythm


def _checked_for_repitch(plan: Plan) -> Plan:
    """The plan, with a sentence where its picture gives pitches nothing to follow."""
    from hitpoint.model.compose.repitch import asked_tension

    if all(INSTRUMENTS[k] == "drums" for k in plan.instruments):
        return replace(plan, changes=(*plan.changes, "pitches stay as composed: drums play alone"))
    if asked_tension(plan) is not None and all(bar.key is not None for bar in plan.bars):
        return plan
    told = "pitches stay as composed: the picture asks for no tension that changes, or mood is off"
    return replace(plan, changes=(*plan.changes, told))


def _repitched(bars: Sequence[Bar], prepared: Prepared, seed: int) -> Sequence[Bar]:
    if not prepared.wishes.repitch:
        return bars
    from hitpoint.model.compose.repitch import repitched

    return repitched(bars, prepared.plan, seed)


def names(clips: Sequence[Clip], apart: bool = False) -> list[str]:
    """What the clips are called, and what their files say of themselves, unless they are to be opened apart only."""
    from hitpoint.model.mood.suggest import names_of
    from hitpoint.model.video.titles import titles

    paths = list(dict.fromkeys(clip.path for clip in clips))
    return names_of(paths) + ([] if apart else [title for path in paths for title in titles(path)])


def compose(
    prepared: Prepared,
    composer: Composer,
    seed: int | None = None,
    progress: Progress | None = None,
    on_bar: Callable[[Bar], None] | None = None,
) -> Take:
    """Compose every bar of the plan. `seed` None takes the plan's; `on_bar` is called with each bar as it comes."""
    report = progress or silent
    plan = prepared.plan
    seed = plan.seed if seed is None else seed
    bars: list[Bar] = []
    report("compose", 0.0)
    for bar in composer.stream(plan, seed):
        bars.append(bar)
        if on_bar is not None:
            on_bar(bar)
        report("compose", len(bars) / len(plan.bars))
    return assemble(prepared, _repitched(bars, prepared, seed), composer, seed)


def compose_takes(prepared: Prepared, composer: Composer, count: int, progress: Progress | None = None) -> list[Take]:
    """`count` takes, with the plan's seed and those after it, together where the composer can, which is quicker."""
    seeds = range(prepared.plan.seed, prepared.plan.seed + count)
    if count == 1:
        return [compose(prepared, composer, seeds[0], progress)]
    report, wanted = progress or silent, count * len(prepared.plan.bars)
    done = itertools.count(1)
    report("compose", 0.0)
    pieces = composer.takes(prepared.plan, seeds, lambda bar: report("compose", next(done) / wanted))
    tokens, seconds = composer.stats.tokens // count, composer.stats.seconds / count
    return [
        assemble(prepared, _repitched(bars, prepared, seed), composer, seed, tokens, seconds)
        for seed, bars in zip(seeds, pieces, strict=True)
    ]


def assemble(
    prepared: Prepared,
    bars: Sequence[Bar],
    composer: Composer,
    seed: int | None = None,
    tokens: int | None = None,
    generation_s: float | None = None,
) -> Take:
    """A take from bars that the caller streamed, performed as the plan wants them.

    tokens, generation_s: None takes the composer's last `stats`.
    """
    from hitpoint.model.perform.perform import perform_all

    plan = prepared.plan
    score = Score(
        bars=perform_all(bars, plan, lengths_stand=composer.own_chords),
        tempo_map=plan.tempo_map,
        genre=plan.genre,
        instruments=plan.instruments,
        seed=plan.seed if seed is None else seed,
        markers=markers(plan),
        about=_about(prepared, composer),
        last_bar_ticks=plan.last_bar_ticks,
        chords=chords(_relabelled(plan, bars) if composer.own_chords else plan),
    )
    return Take(
        score,
        composer.key,
        composer.name,
        composer.sha256,
        composer.parameters,
        int(composer.stats.tokens if tokens is None else tokens),
        float(composer.stats.seconds if generation_s is None else generation_s),
        composer.account(plan, plan.seed if seed is None else seed, bars),
        composer.own_chords,
    )


def markers(plan: Plan) -> tuple[Marker, ...]:
    """Section names at their first bar lines and hit points at the picture's moments, in time order."""
    sections = [Marker.section(plan.tempo_map.time_at_tick(each.first_bar), each.label) for each in plan.sections]
    hits = [Marker.hit(hit.time_s, hit.kind) for hit in plan.hits]
    return tuple(sorted(sections + hits, key=lambda marker: marker.time_s))


def chords(plan: Plan) -> tuple[tuple[int, str], ...]:
    """(tick from the start, symbol) wherever the planned chord changes."""
    halves = [(bar.index * TICKS_PER_BAR + half * HALF_BAR_TICKS, symbol)
              for bar in plan.bars for half, symbol in enumerate(bar.chords or ())
              if half * HALF_BAR_TICKS < bar.ticks]  # fmt: skip
    inside = [each for each in halves if each[0] < plan.end_tick]
    return tuple(each for before, each in zip([(0, ""), *inside], inside, strict=False) if each[1] != before[1])


def _relabelled(plan: Plan, bars: Sequence[Bar]) -> Plan:
    """The plan with the chords that the notes have."""
    from hitpoint.model.music.chords import label_chords
    from hitpoint.model.music.symbols import symbol_of

    heard = [symbol_of(chord) for chord in label_chords(bars)]
    pairs = zip(plan.bars, heard[::2], heard[1::2], strict=True)
    return replace(plan, bars=tuple(replace(bar, chords=(first, second)) for bar, first, second in pairs))


def version() -> str:
    """The installed version of hitpoint."""
    return importlib.metadata.version("hitpoint")


def _about(prepared: Prepared, composer: Composer) -> dict[str, str]:
    """What is needed to make the score again, besides genre, instruments and seed, which the Score itself holds."""
    wishes = prepared.wishes
    about = {
        "version": version(),
        "model": composer.name,
        "model_sha256": composer.sha256,
        "plan_seed": str(prepared.plan.seed),
        "control": repr(wishes.control),
        "cut_control": "auto" if wishes.cut_control is None else repr(wishes.cut_control),
        "tempo_bpm": "auto" if wishes.tempo_bpm is None else "-".join(f"{bpm:g}" for bpm in wishes.tempo_bpm),
        "max_deviation": repr(wishes.max_deviation),
        "energy": repr(wishes.energy),
        "density": str(wishes.density),
        "accents": repr(wishes.accents),
        "humanise": repr(wishes.humanise),
        "swing": repr(wishes.swing),
        "dynamics": wishes.dynamics,
        "colours": wishes.colours,
        "key": wishes.key or "auto",
        "harmony": wishes.harmony if isinstance(wishes.harmony, str) else "file",
        "harmony_strength": repr(wishes.harmony_strength),
        "lead": wishes.lead or "auto",
        "motif": "auto" if wishes.motif is None else "file",
    }
    if wishes.mood != "off":
        about |= {name: str(getattr(wishes, name)) for name in ("mood", "valence", "arousal", "tension")}
    if wishes.repitch:
        about["repitch"] = "on"
    if wishes.odd_bars:
        about["odd_bars"] = "on"
    if not wishes.keep_sound:
        about["keep_sound"] = "off"
    media_of = {media.path: media for media in prepared.rhythm.media}
    for number, clip in enumerate(prepared.clips):
        media = media_of[clip.path]
        about[f"clip{number}_sha256"] = media.sha256
        about[f"clip{number}_in_out_s"] = f"{clip.in_s:g}-{media.duration_s if clip.out_s is None else clip.out_s:g}"
    return about
