"""What a batch has done already: one line of JSON an event in its folder, and the table of results.

One owner: the process that runs the batch. A line is written whole or, where the power went, is the last one and
passed over.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import msgspec

from hitpoint.bridge.errors import InputError, MissingError, UsageError
from hitpoint.model.files import whole

FILE, TABLE = "batch.jsonl", "results.csv"


@dataclass(frozen=True)
class Record:
    """What is known of one film. recipe: hash of all else that its outputs depend on. size, mtime_ns: of its file, by
    which it is known without being read; sha256: of its content.

    state: "begun", "done" or "failed". files: what was written. said: a summary, or why it failed. exit_code: as the
    error's. film_s: its length; analysis_s, compose_s, all_s: wall-clock seconds. lasting: whether the same again would
    give the same, so that it need not be tried."""

    film: str
    name: str
    recipe: str
    state: str
    size: int = -1
    mtime_ns: int = -1
    sha256: str = ""
    files: tuple[str, ...] = ()
    said: str = ""
    exit_code: int = 0
    film_s: float = 0.0
    analysis_s: float = 0.0
    compose_s: float = 0.0
    all_s: float = 0.0
    lasting: bool = False

    def holds(self, recipe: str, size: int, mtime_ns: int) -> bool:
        """Whether nothing has to be done for a film of this size and time."""
        return self.is_final(recipe) and (self.size, self.mtime_ns) == (size, mtime_ns)

    def is_final(self, recipe: str) -> bool:
        """Whether nothing has to be done for a film of this content."""
        return self.lasting and self.recipe == recipe and all(map(os.path.exists, self.files))


class Ledger:
    """The records of the batch whose outputs lie in `folder`, by name of the film; a context manager.

    Raises InputError where the folder or a record cannot be read, UsageError where it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._records: dict[str, Record] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._cut_torn_line()
            for record in self._read():
                self._records[record.name] = record
            self._file = self._path.open("ab")
        except OSError as error:
            raise UsageError(f"cannot keep results in {folder} ({error.strerror}); choose another with -o") from error

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def get(self, name: str) -> Record | None:
        """The latest on the film of this name."""
        return self._records.get(name)

    def add(self, record: Record) -> None:
        """Keep a record. Raises MissingError where the disk is full."""
        self._records[record.name] = record
        try:
            self._file.write(msgspec.json.encode(record) + b"\n")
            self._file.flush()
        except OSError as error:
            raise MissingError(f"cannot write {self._path} ({error.strerror}); free some space, then go on") from error

    def write_table(self, names: Iterable[str]) -> Path:
        """The results of these films as CSV, failures first."""
        path = self._path.with_name(TABLE)
        records = [record for name in names if (record := self._records.get(name)) is not None]
        columns = ("state", "film", "name", "said", "film_s", "analysis_s", "compose_s", "all_s", "sha256", "files")
        with whole(path) as part, part.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(columns)
            for record in sorted(records, key=lambda record: record.state != "failed"):
                rows.writerow([_cell(getattr(record, column)) for column in columns])
        return path

    def _cut_torn_line(self) -> None:
        """Drop what follows the last end of a line, so that the next line begins on its own."""
        if not self._path.exists():
            return
        with self._path.open("rb+") as file:
            text = file.read()
            file.truncate(text.rfind(b"\n") + 1)

    def _read(self) -> Iterable[Record]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield msgspec.json.decode(line, type=Record)
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                    raise InputError(
                        f"{self._path}, line {number} cannot be read ({error}); remove the line, and its film is "
                        "scored again"
                    ) from error


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return f"{value:.2f}" if isinstance(value, float) else str(value)
