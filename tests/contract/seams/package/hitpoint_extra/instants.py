"""An output in one file: a line for each hit point."""

from __future__ import annotations

from pathlib import Path

from hitpoint.model.files import atomic
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.take import Prepared, Take


class InstantsOutput(Output):
    key = "instants"
    suffix = ".instants.txt"

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        with atomic(path, writing.force) as part:
            part.write_text("".join(f"{hit.time_s:.3f} {hit.kind}\n" for hit in prepared.plan.hits))
