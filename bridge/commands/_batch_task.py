"""What a worker of `hitpoint batch` does with one film."""

from __future__ import annotations

import contextlib
import functools
import io
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hitpoint.bridge.batch.ledger import Record
from hitpoint.bridge.errors import HitpointError, InputError, MissingError

if TYPE_CHECKING:
    from hitpoint.bridge.commands._order import Order
    from hitpoint.model.compose.base import Composer


@dataclass(frozen=True)
class FilmTask:
    """arguments: of `score`. composer: its settings. before: what is known of the film of this name. version: that
    the worker has to have."""

    film: str
    name: str
    recipe: str
    arguments: tuple[str, ...]
    composer: tuple[tuple[str, Any], ...]
    before: Record | None
    version: str


def score_film(task: FilmTask) -> Record:
    """Score a film, unless its content is the one that `task.before` tells of. What is wrong with it is in the record.

    Raises MissingError where this worker is another version of Hitpoint than the batch.
    """
    from hitpoint.model.files import file_sha256
    from hitpoint.model.job import version

    if version() != task.version:
        raise MissingError(f"a worker has hitpoint {version()}, the batch {task.version}; install the same everywhere")
    started_s = time.perf_counter()
    record = Record(task.film, task.name, task.recipe, "failed")
    try:
        path = Path(task.film)
        stat = path.stat()
        record = replace(record, size=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=file_sha256(path))
        before = task.before
        if before is not None and before.is_final(task.recipe) and before.sha256 == record.sha256:
            return replace(before, size=stat.st_size, mtime_ns=stat.st_mtime_ns, film=task.film)
        record = _scored(task, record)
    except OSError as error:
        record = replace(record, said=f"cannot read {task.film}: {error.strerror}; check the path", exit_code=3)
    except HitpointError as error:
        lasting = isinstance(error, InputError) and bool(record.sha256)
        record = replace(record, said=str(error), exit_code=error.exit_code, lasting=lasting)
    return replace(record, all_s=time.perf_counter() - started_s)


def _scored(task: FilmTask, record: Record) -> Record:
    from hitpoint.bridge.commands._order import carry_out

    order = order_from(task.arguments)
    order.check()
    notes = io.StringIO()
    with contextlib.redirect_stderr(notes):
        carried = carry_out(order, order.part.given_cuts(), _composer(task.composer), lambda stage, share: None)
    said = "; ".join([*(text.partition("\n")[0] for text in carried.said), *carried.changes, *_lines(notes)])
    return replace(
        record,
        state="done",
        files=tuple(str(path) for path in carried.paths),
        said=said,
        film_s=carried.prepared.rhythm.duration_s,
        analysis_s=carried.prepared.analysis_s,
        compose_s=carried.compose_s,
        lasting=True,
    )


def _lines(notes: io.StringIO) -> list[str]:
    return [line.removeprefix("note: ") for line in notes.getvalue().splitlines()]


@functools.lru_cache(maxsize=1)
def _composer(settings: tuple[tuple[str, Any], ...]) -> Composer:
    """Loaded once a worker."""
    from hitpoint.bridge.commands._shared import make_composer

    return make_composer(dict(settings))


def order_from(arguments: tuple[str, ...]) -> Order:
    """The order that `hitpoint score ARGUMENTS` gives. Raises UsageError for a wrong wish, click's for a wrong type."""
    from hitpoint.bridge.commands import score
    from hitpoint.bridge.commands._clip import part_of
    from hitpoint.bridge.commands._order import order_of
    from hitpoint.bridge.commands._shared import COMPOSER_SETTINGS

    values = score.command.make_context("score", list(arguments)).params
    for name in COMPOSER_SETTINGS:
        values.pop(name)
    return order_of(part_of(values), **values)
