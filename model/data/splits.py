"""Which split a song falls into: decided by the song, never by the file."""

from __future__ import annotations

import zlib

SPLITS = ("train", "validation", "test")


def song_key(dataset: str, entry: dict[str, object]) -> str:
    """The song a file belongs to, from its manifest entry.

    Files with a source and an id share "source/id" (a Nottingham id loses its trailing b); the `pop909_5` set shares
    "pop909/ID" with the arrangements made from it; songs of the `scores` set are keyed "scores/source/id"; a piece with
    neither stands for itself.
    """
    source, song, name = entry.get("source"), entry.get("id"), str(entry["file"])
    if dataset == "pop909_5":
        return f"pop909/{song}"
    if dataset == "scores" and source is not None and song is not None:
        return f"scores/{source}/{song}"
    if dataset == "real5" or source is None or song is None:
        return f"{source or dataset}/{name}"
    text = str(song)
    if source == "nottingham" and text.endswith("b"):
        text = text[:-1]
    return f"{source}/{text}"


def split_of(key: str) -> str:
    """One song in twenty each to the test and the validation split, by the checksum of its key."""
    return {0: "test", 1: "validation"}.get(zlib.crc32(key.encode()) % 20, "train")
