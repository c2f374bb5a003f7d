"""Pairs to be listened to: our music and another for one film, as two WAVs; which is which the key alone knows."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hitpoint.model.compose.cmt.composer import CmtComposer
from hitpoint.model.compose.library.match import best_match, stretch
from hitpoint.model.data.build import Shard
from hitpoint.model.errors import UsageError
from hitpoint.model.files import atomic
from hitpoint.model.music.score import BEATS_PER_BAR, GENRES, Score, TempoMap, TempoPoint
from hitpoint.model.output.render import BuiltInSynth, write_wav
from hitpoint.model.plan.types import Plan, Wishes
from hitpoint.model.training.evaluation.evaluate import made
from hitpoint.model.training.evaluation.ways import overwritten
from hitpoint.model.video.types import VisualRhythm

PAGE = Path(__file__).with_name("listening.html")
EMPTY = '{"run": "", "pairs": []}'
SCHEMA = "hitpoint.listening/1"
PLAYED_BY_BROWSERS = (".mp4", ".m4v", ".webm", ".ogv")
OURS = "ours"

Rival = Callable[[Plan], Score | None]
"""The music of another way for our plan; None where it has none of that length."""


@dataclass(frozen=True)
class Film:
    """A film to listen for: its file, and what was seen in it."""

    path: Path
    rhythm: VisualRhythm


def key_path(folder: Path) -> Path:
    """Where the key of a listening folder lies: beside it, so that the folder can be given away."""
    return folder.with_name(f"{folder.name}-key.json")


def check_listening(folder: Path, force: bool = False, soundfont: Path | None = None) -> None:
    """Raise UsageError where the folder or its key cannot be written, MissingError where there is no synth."""
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"the folder {folder.parent} of {folder.name} does not exist; make it or choose another")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder for --listen")
    taken = [path for path in (folder / "index.html", key_path(folder)) if path.exists()]
    if taken and not force:
        raise UsageError(f"{taken[0]} exists; add --force to replace it, or choose another folder")
    BuiltInSynth(soundfont)


def write_listening(
    folder: Path, films: Sequence[Film], composer: CmtComposer, *, shard: Shard | None = None,
    library: Shard | None = None, seeds: int = 1, force: bool = False, progress: Callable[[float], None] | None = None,
) -> int:  # fmt: skip
    """Write a page with pairs of WAVs into `folder`, and their key beside it; returns how many pairs.

    One pair for each film, genre and seed: what `hitpoint score` makes, against the paper's control, retrieval (with a
    shard or a library) or human music (with a shard), in turn. Films that browsers play are copied, so that the picture
    can be seen. The page is written last: without it the folder is not finished. Raises as `check_listening`.
    """
    check_listening(folder, force)
    folder.mkdir(exist_ok=True)
    rivals = dict(_rivals(composer, shard, library))
    genres = [number for number, genre in enumerate(GENRES) if genre in composer.genres]
    cases = [(film, genre, seed) for film in range(len(films)) for genre in genres for seed in range(seeds)]
    order = np.random.default_rng(secrets.randbits(64)).permutation(len(cases))
    run, shown, key = secrets.token_hex(4), [], []
    for number, case in enumerate(order.tolist(), start=1):
        film, genre, seed = cases[case]
        plan, ours = made(composer, films[film].rhythm, Wishes(genre=GENRES[genre], seed=seed))
        rival, theirs = _first_that_plays(rivals, film + genre + seed, plan)
        sides = {OURS: ours, rival: theirs}
        names = [OURS, rival] if secrets.randbits(1) else [rival, OURS]
        files = {side: f"{number:03}-{side}.wav" for side in "AB"}
        for side, name in zip("AB", names, strict=True):
            write_wav(sides[name], folder / files[side], force)
        shown.append({"number": number, "film": _film_name(films[film].path, film), **files})
        key.append(
            {"number": number, "film": films[film].path.name, "genre": GENRES[genre], "seed": seed}
            | dict(zip("AB", names, strict=True))
        )
        if progress:
            progress(number / len(cases))
    _write_films(folder, films, force)
    _write(key_path(folder), json.dumps({"schema": SCHEMA, "run": run, "pairs": key}, indent=1) + "\n", force)
    data = json.dumps({"run": run, "pairs": shown}).replace("<", "\\u003c")
    _write(folder / "index.html", PAGE.read_text(encoding="utf-8").replace(EMPTY, data), force)
    return len(cases)


def _rivals(composer: CmtComposer, shard: Shard | None, library: Shard | None) -> Iterator[tuple[str, Rival]]:
    def scored(plan: Plan, bars: Sequence[object]) -> Score | None:
        empty = Score((), plan.tempo_map, plan.genre, plan.instruments, plan.seed)
        return replace(empty, bars=tuple(bars)) if bars else None  # type: ignore[arg-type]

    yield "paper", lambda plan: scored(plan, overwritten(composer, plan, plan.control))
    music = library or shard
    if music is not None:
        pieces = [piece for piece in music.pieces if library is not None or piece.split == "train"]
        yield "retrieval", lambda plan: scored(plan, best_match(plan, music, pieces))
    if shard is not None:
        yield "real", lambda plan: human(shard, plan)


def human(shard: Shard, plan: Plan) -> Score | None:
    """A stretch of held-out human music as long as the plan, its tempo bent by a few per cent so that it ends with it;
    None where no piece is long enough.
    """
    draws = np.random.default_rng([plan.seed, 79, GENRES.index(plan.genre)])
    held_out = [piece for piece in shard.pieces if piece.split == "test" and piece.dataset != "band"]
    for piece in draws.permutation(np.arange(len(held_out))).tolist():
        chosen = held_out[piece]
        bars = max(1, round(plan.duration_s * chosen.tempo_bpm / 60.0 / BEATS_PER_BAR))
        if chosen.bars >= bars:
            first = int(draws.integers(chosen.bars - bars + 1))
            tempo = TempoMap((TempoPoint(0.0, 0.0, bars * BEATS_PER_BAR * 60.0 / plan.duration_s),))
            notes = stretch(shard, chosen, first, bars)
            return Score(tuple(notes), tempo, plan.genre, chosen.instruments, plan.seed)
    return None


def _first_that_plays(rivals: dict[str, Rival], turn: int, plan: Plan) -> tuple[str, Score]:
    """The rival whose turn it is, or the next one that has music of this length; the paper's control always has."""
    names = list(rivals)
    for step in range(len(names)):
        name = names[(turn + step) % len(names)]
        score = rivals[name](plan)
        if score is not None:
            return name, score
    raise AssertionError("the paper's control composes for any plan")


def _film_name(path: Path, number: int) -> str | None:
    """What a film is called in the folder; None where browsers do not play it."""
    return f"film-{number + 1}{path.suffix.lower()}" if path.suffix.lower() in PLAYED_BY_BROWSERS else None


def _write_films(folder: Path, films: Sequence[Film], force: bool) -> None:
    for number, film in enumerate(films):
        name = _film_name(film.path, number)
        if name is not None:
            with atomic(folder / name, force) as part:
                shutil.copyfile(film.path, part)


def _write(path: Path, text: str, force: bool) -> None:
    with atomic(path, force) as part:
        part.write_text(text, encoding="utf-8")
