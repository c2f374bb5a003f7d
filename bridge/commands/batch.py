"""`hitpoint batch`: score many films, on all cores or on a cluster; go on where it was stopped."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from hitpoint.bridge.batch.films import FILES, Film, read_films
from hitpoint.bridge.batch.ledger import Ledger, Record
from hitpoint.bridge.commands import score
from hitpoint.bridge.commands._batch_task import FilmTask, order_from, score_film
from hitpoint.bridge.commands._progress import count_bar
from hitpoint.bridge.commands._shared import COMPOSER_SETTINGS, FILE, composer_options, counted
from hitpoint.bridge.errors import HitpointError, UsageError

SHOWN = 20
"""Failures that are named at the end; the table has them all."""

Command = TypeVar("Command", bound=Callable[..., Any])

NOT_A_FILMS = {"clip", "out", "wav", "mux", "report", "plot", "soundfont", "force", "debug", *COMPOSER_SETTINGS}
"""What `score` takes and a film of a batch does not: it is named by the batch, or is the same for all films."""


def film_options() -> dict[str, click.Option]:
    """The options of `score` that each film may have, by their names without dashes."""
    options = [each for each in score.command.params if isinstance(each, click.Option) and each.name not in NOT_A_FILMS]
    return {max(option.opts, key=len).removeprefix("--"): option for option in options}


def _with_film_options(command: Command) -> Command:
    for option in reversed(film_options().values()):
        command.__click_params__ = [*getattr(command, "__click_params__", []), option]  # type: ignore[attr-defined]
    return command


@click.command()
@click.argument("films", nargs=-1, required=True, type=FILE)
@click.option("-o", "out", type=FILE, required=True, help="The folder of the results; made where it is missing.")
@click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    default=os.cpu_count() or 1,
    show_default="one a core",
    help="Processes of this machine that score films side by side.",
)
@click.option(
    "--memory",
    default="auto",
    show_default=True,
    metavar="SIZE",
    help="What a worker may take before it is started again, as 2GB; auto: its share of this machine.",
)
@click.option(
    "--scheduler",
    default="",
    metavar="tcp://HOST:PORT",
    help="A Dask scheduler whose workers do the work, instead of this machine's.",
)
@click.option("--again", is_flag=True, help="Also score again what is done already or has failed for good.")
@_with_film_options
@composer_options
@click.option("--soundfont", type=FILE, help="SF2 or SF3 file for the sound, instead of the one in the package.")
@click.option("--force", is_flag=True, help="Replace files that exist and that no batch in this folder has made.")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.", expose_value=False)
def command(
    films: tuple[Path, ...],
    out: Path,
    workers: int,
    memory: str,
    scheduler: str,
    again: bool,
    soundfont: Path | None,
    force: bool,
    **rest: Any,
) -> int:
    """Score FILMS: films, folders, lists (.txt, a path a line) or tables (.csv: film, name, and options of a film's
    own).

    The same command again goes on where it was stopped. Options hold for every film whose row does not say otherwise.
    """
    composer = tuple((name, rest.pop(name)) for name in COMPOSER_SETTINGS)
    common = {
        name: _absolute(name, str(value))
        for name, option in film_options().items()
        if (value := rest[option.name or ""]) is not None
    }
    jobs = _jobs(read_films(films, film_options()), out.absolute(), common, _Maker(composer, soundfont))
    started_s = time.monotonic()
    with Ledger(out) as ledger:
        todo = [job for job in jobs if again or not job.is_done(ledger)]
        try:
            _work(todo, ledger, _Crew(workers, memory, scheduler), again, force)
        finally:
            table = ledger.write_table(job.film.name for job in jobs)
        records = [record for job in jobs if (record := ledger.get(job.film.name)) is not None]
    return _conclude(records, len(todo), time.monotonic() - started_s, table)


@dataclass(frozen=True)
class _Maker:
    """Who composes and whose sounds, the same for all films."""

    composer: tuple[tuple[str, Any], ...]
    soundfont: Path | None

    def digest(self) -> str:
        """What it makes depends on: the program's version and the content of the files it is made of."""
        from hitpoint.bridge.config.settings import load_config
        from hitpoint.model.files import file_sha256
        from hitpoint.model.job import version
        from hitpoint.model.network.checkpoint import SHIPPED

        config = load_config(**dict(self.composer))
        files = [Path(config.checkpoint or SHIPPED).expanduser(), *([self.soundfont] if self.soundfont else [])]
        composer = config.composer, config.library, config.select, config.test_composer
        try:
            return repr((version(), composer, [file_sha256(file) for file in files]))
        except OSError as error:
            raise UsageError(f"cannot read {error.filename}: {error.strerror}; check the path") from error


@dataclass(frozen=True)
class _Crew:
    """Who works: processes of this machine, or those of a scheduler."""

    workers: int
    memory: str
    scheduler: str


@dataclass(frozen=True)
class _Job:
    """One film with the arguments that `score` would take, and the hash of all that its outputs depend on."""

    film: Film
    arguments: tuple[str, ...]
    recipe: str
    composer: tuple[tuple[str, Any], ...]

    def is_done(self, ledger: Ledger) -> bool:
        """Whether it was done, or has failed for good, as far as can be told without reading the film."""
        record = ledger.get(self.film.name)
        if record is None or record.film != str(self.film.path):
            return False
        try:
            stat = self.film.path.stat()
        except OSError:
            return False
        return record.holds(self.recipe, stat.st_size, stat.st_mtime_ns)

    def begin(self, ledger: Ledger, again: bool, force: bool) -> FilmTask:
        """The task for a worker; that it was begun is written down, so that its files are known as ours."""
        from hitpoint.model.job import version

        before = ledger.get(self.film.name)
        if before is None:
            ledger.add(Record(str(self.film.path), self.film.name, self.recipe, "begun"))
        ours = before is not None or force
        (Path(self.arguments[1]).parent).mkdir(parents=True, exist_ok=True)
        arguments = (*self.arguments, "--force") if ours else self.arguments
        known = None if again else before
        return FilmTask(str(self.film.path), self.film.name, self.recipe, arguments, self.composer, known, version())


def _jobs(films: Sequence[Film], out: Path, common: Mapping[str, str], maker: _Maker) -> list[_Job]:
    """A job a film, every option checked. Raises UsageError, which names the row, for a wrong one."""
    made_by, checked = maker.digest(), set()
    shared = _soundfont(maker)
    jobs = []
    for film in films:
        options = {**common, **film.options}
        texts = tuple(_arguments(options, film.where)) + shared
        if texts not in checked:
            try:
                order_from(("-o", str(out / "film.mid"), *texts, "film.mp4"))
            except (HitpointError, click.UsageError) as error:
                text = error.format_message() if isinstance(error, click.UsageError) else str(error)
                raise UsageError(f"{film.where}: {text}" if film.where else text) from error
            checked.add(texts)
        recipe = hashlib.sha256(repr((made_by, texts, _stamps(options))).encode()).hexdigest()
        arguments = ("-o", str(out / f"{film.name}.mid"), *texts, str(film.path))
        jobs.append(_Job(film, arguments, recipe, maker.composer))
    return jobs


def _soundfont(maker: _Maker) -> tuple[str, ...]:
    return ("--soundfont", str(maker.soundfont.absolute())) if maker.soundfont else ()


def _arguments(options: Mapping[str, str], where: str) -> Iterator[str]:
    """Options by name as the command line takes them. Raises UsageError for a switch that is neither on nor off."""
    known = film_options()
    for name in sorted(options):
        option, text = known[name], options[name]
        if not (option.is_flag or option.secondary_opts):
            yield f"--{name}={text}"
            continue
        try:
            on = click.BOOL.convert(text, None, None)
        except click.BadParameter as error:
            raise UsageError(f"{where}: {name} is on or off, not {text!r}") from error
        if on or option.secondary_opts:
            yield option.opts[-1] if on else option.secondary_opts[-1]


def _absolute(name: str, text: str) -> str:
    """A worker may run in another folder."""
    return str(Path(text).absolute()) if name in FILES and Path(text).is_file() else text


def _stamps(options: Mapping[str, str]) -> list[tuple[int, int]]:
    """Size and time of the files that a film's options name: cuts that changed make another score."""
    paths = [Path(options[name]) for name in sorted(FILES & set(options))]
    return [(stat.st_size, stat.st_mtime_ns) for path in paths if path.is_file() for stat in (path.stat(),)]


def _work(todo: Sequence[_Job], ledger: Ledger, crew: _Crew, again: bool, force: bool) -> None:
    if not todo:
        return
    from hitpoint.bridge.batch.pool import open_pool

    failed = 0
    with open_pool(score_film, min(crew.workers, len(todo)), crew.scheduler, crew.memory) as pool:
        dashboard = f"; dashboard: {pool.dashboard}" if pool.dashboard else ""
        click.echo(f"{counted(len(todo), 'film')} on {counted(pool.workers, 'worker')}{dashboard}", err=True)
        with count_bar("scoring", len(todo)) as advance:
            for task, result in pool.run(job.begin(ledger, again, force) for job in todo):
                record = _record(task, result)
                ledger.add(record)
                failed += record.state == "failed"
                advance(counted(failed, "failure") if failed else "")


def _record(task: FilmTask, result: Record | HitpointError) -> Record:
    if isinstance(result, Record):
        return result
    return Record(task.film, task.name, task.recipe, "failed", said=str(result), exit_code=result.exit_code)


def _conclude(records: Sequence[Record], tried: int, seconds: float, table: Path) -> int:
    """Say what came of it; the exit code is that of the first failure."""
    failures = [record for record in records if record.state == "failed"]
    for record in failures[:SHOWN]:
        click.echo(f"failed: {record.film}: {record.said}", err=True)
    if len(failures) > SHOWN:
        click.echo(f"and {len(failures) - SHOWN} more failures", err=True)
    done = len(records) - len(failures)
    pace = f", {3600 * tried / seconds:.0f} films an hour" if tried else ""
    before = len(records) - tried
    known = f" ({before} before)" if before else ""
    click.echo(f"{counted(len(records), 'film')}{known}: {done} done, {len(failures)} failed{pace}\n  {table}")
    return failures[0].exit_code if failures else 0
