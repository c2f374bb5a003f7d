"""XML with the line on which each element stands, so that a fault can be named with its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.parsers import expat

from hitpoint.model.video.timeline.tracks import TimelineError

MAX_DEPTH = 400
"""Elements inside each other; real projects stay under 40."""


class Element(ElementTree.Element):
    """An element that knows its line, counted from 1."""

    line: int = 0

    if TYPE_CHECKING:  # a tree of such elements holds such elements only
        # ruff: noqa: D102
        def __iter__(self) -> Iterator[Element]: ...
        def __getitem__(self, key: int) -> Element: ...  # type: ignore[override]
        def find(self, path: str, namespaces: None = None) -> Element | None: ...  # type: ignore[override]
        def findall(self, path: str, namespaces: None = None) -> list[Element]: ...  # type: ignore[override]
        def iter(self, tag: str | None = None) -> Iterator[Element]: ...  # type: ignore[override]


def parse(text: str) -> Element:
    """The root of `text`. Raises TimelineError with the line where it is no XML, or nests or expands without end."""
    parser = expat.ParserCreate("utf-8")
    builder = ElementTree.TreeBuilder(element_factory=Element)
    depth, lead = 0, len(text) - len(text.lstrip())
    lines_before = text.count("\n", 0, lead)

    def line() -> int:
        return parser.CurrentLineNumber + lines_before

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise TimelineError("its elements contain each other without end", line())
        builder.start(tag, attributes).line = line()  # type: ignore[attr-defined]

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def entity(*_: object) -> None:
        raise TimelineError("it declares entities, which no editor writes", line())

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(text[lead:].encode("utf-8", errors="replace"), True)
    except expat.ExpatError as error:
        raise TimelineError("it is not valid XML", error.lineno + lines_before) from error
    root = builder.close()
    assert isinstance(root, Element)  # the factory above makes nothing else
    return root
