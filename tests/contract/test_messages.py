"""How a refusal reads: one sentence, begun small (after `error: `), without a full stop at its end, and no riddle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from hitpoint.bridge.commands._shared import counted

ROOT = Path(__file__).parents[2]
ERRORS = {"InputError", "UsageError", "MissingError", "TimelineError", "ProtocolError", "RowsError"}
NAMES = (
    "EDL",
    "OTIO",
    "FCPXML",
    "XML",
    "AAF",
    "JACK",
    "CUDA",
    "MIDI",
    "REAPER",
    "Blender",
    "Ableton",
    "Silero",
    "MusicXML",
)
RIDDLES = ("mend it", "take it away", "is none of them", "for that is quicker")


def sentences() -> Iterator[tuple[str, str]]:
    """(place, sentence) of every error that is raised; {} for what is filled in."""
    for top in ("model", "bridge"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS and node.args:
                    text = node.args[
                        1 if getattr(node.func, "id", "") == "ProtocolError" and len(node.args) > 1 else -1
                    ]
                    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
                    said = [each.value if isinstance(each, ast.Constant) else "{}" for each in parts]
                    if all(isinstance(each, str) for each in said):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", "".join(map(str, said))


def test_sentences_begin_and_end_alike() -> None:
    found = list(sentences())
    assert len(found) > 150
    for place, text in found:
        assert not text.endswith("."), f"{place}: {text}"
        assert not text[:1].isupper() or text.startswith(NAMES), f"{place}: {text}"


def test_one_is_not_many() -> None:
    assert [counted(number, "hit point") for number in (0, 1, 2)] == ["0 hit points", "1 hit point", "2 hit points"]


def test_no_sentence_is_a_riddle() -> None:
    assert not [(place, text) for place, text in sentences() if any(riddle in text for riddle in RIDDLES)]
