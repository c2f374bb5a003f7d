"""Which films a batch is to score: films, folders, lists and CSV files, with options of their own where a row has some.

Pure but for reading lists and folders; standard library only.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hitpoint.bridge.errors import InputError, UsageError

SUFFIXES = (
    ".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m2v", ".mts", ".m2ts", ".ts", ".mxf", ".wmv",
    ".flv", ".ogv", ".3gp", ".gif",
)  # fmt: skip
"""What is taken for a film in a folder; a film that is named may be called anything."""
FILM, NAME = "film", "name"
"""The columns of a CSV file that are no options."""
FILES = frozenset({"cuts", "motif", "harmony"})
"""Options whose value may be a file: it is looked for beside the list that names it."""


@dataclass(frozen=True)
class Film:
    """One film of a batch. name: of its outputs, below the batch's folder, without ending. options: of `score`, by
    name without dashes, as texts. where: the list and line that ask for it, for messages."""

    path: Path
    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    where: str = ""


def read_films(sources: Sequence[Path], options: Collection[str]) -> list[Film]:
    """The films of all sources, in their order, each with a name of its own.

    A folder gives the films in it and below, by name; a `.csv` file a film a row, with the columns film, name and any
    of `options`; a `.txt` file a film a line. Paths in a list are from the list's own folder.
    Raises UsageError for a column that is no option, InputError for an unreadable list or sources without films.
    """
    films = [film for source in sources for film in _films_of(source, options)]
    if not films:
        raise InputError(f"no film in {', '.join(map(str, sources))}; name films, folders of them, or a list")
    return _named_apart(films)


def _films_of(source: Path, options: Collection[str]) -> Iterator[Film]:
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith("."):
                yield Film(path.absolute(), str(path.relative_to(source).with_suffix("")))
    elif source.suffix.lower() == ".csv":
        yield from _rows(source, options)
    elif source.suffix.lower() == ".txt":
        for number, line in enumerate(_text(source).splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                path = _beside(source, line.strip())
                yield Film(path, path.stem, where=f"{source.name}, line {number}")
    else:
        yield Film(source.absolute(), source.stem)


def _rows(source: Path, options: Collection[str]) -> Iterator[Film]:
    rows = csv.reader(_text(source).splitlines(), strict=True)
    try:
        header = [title.strip().lower().replace("_", "-") for title in next(rows, [])]
        _check_header(source, header, options)
        for row in rows:
            if any(cell.strip() for cell in row):
                yield _film_of(source, rows.line_num, header, row)
    except csv.Error as error:
        raise InputError(f"{source.name}, line {rows.line_num}: {error}; write it again as CSV with commas") from error


def _check_header(source: Path, header: Sequence[str], options: Collection[str]) -> None:
    known = [FILM, NAME, *options]
    for number, title in enumerate(header, 1):
        if title not in known:
            near = difflib.get_close_matches(title, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"columns are {', '.join(known)}"
            raise UsageError(f"{source.name}: column {number} is {title!r}, which is no option; {hint}")
    twice = [title for title, count in Counter(header).items() if count > 1]
    if twice:
        raise UsageError(f"{source.name}: there are two columns {twice[0]!r}; leave one out")
    if FILM not in header:
        raise UsageError(f"{source.name} has no column 'film'; give it one, with a path in each row")


def _film_of(source: Path, line: int, header: Sequence[str], row: Sequence[str]) -> Film:
    where = f"{source.name}, line {line}"
    if len(row) > len(header):
        raise UsageError(f"{where}: {len(row)} cells, but only {len(header)} columns; quote cells that hold commas")
    cells = {title: cell.strip() for title, cell in zip(header, row, strict=False) if cell.strip()}
    if FILM not in cells:
        raise UsageError(f"{where}: no film is named; write its path into the column 'film'")
    path = _beside(source, cells.pop(FILM))
    name = cells.pop(NAME, path.stem)
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise UsageError(f"{where}: the name {name!r} leads out of the batch's folder; choose one inside")
    return Film(path, name, {title: _found(source, title, cell) for title, cell in cells.items()}, where)


def _found(source: Path, title: str, cell: str) -> str:
    """The cell, made absolute where it names a file beside the list."""
    path = _beside(source, cell)
    return str(path) if title in FILES and path.is_file() else cell


def _beside(source: Path, text: str) -> Path:
    return (source.parent / Path(text).expanduser()).absolute()


def _text(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {source}: {error.strerror}; check the name") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not UTF-8 text; save it as UTF-8") from error


def _named_apart(films: Iterable[Film]) -> list[Film]:
    """Films whose names are the same get their ending, then, if need be, a number that depends on their path alone.

    A film that is asked for twice with the same name stays the one that came first.
    """
    films = list({(film.path, film.name, tuple(film.options.items())): film for film in films}.values())
    for longer in (lambda film: film.name + film.path.suffix, lambda film: f"{film.name}-{_digest(film)}"):
        count = Counter(film.name.casefold() for film in films)
        films = [
            Film(film.path, longer(film), film.options, film.where) if count[film.name.casefold()] > 1 else film
            for film in films
        ]
    count = Counter(film.name.casefold() for film in films)
    for film in films:
        if count[film.name.casefold()] > 1:
            raise UsageError(f"{film.where or film.path}: two films would be called {film.name}; name them in a column")
    return films


def _digest(film: Film) -> str:
    return hashlib.sha256(repr((str(film.path), sorted(film.options.items()))).encode()).hexdigest()[:8]
