"""What a film's own file says of it in words."""

from __future__ import annotations

from pathlib import Path

from hitpoint.model.errors import InputError
from hitpoint.model.video import media

_KEYS = ("title", "comment", "description", "synopsis", "keywords")
LONGEST = 500
"""Letters that are read of each."""


def titles(path: Path) -> list[str]:
    """Title, comment and description as the container has them; none where it cannot be read."""
    try:
        with media.reading(path), media.open_container(path) as container:
            found = {key.lower(): str(value) for key, value in container.metadata.items()}
    except InputError:
        return []
    return [found[key][:LONGEST] for key in _KEYS if found.get(key)]
