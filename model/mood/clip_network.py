"""What a CLIP network of the user's own makes of the picture: how near each frame lies to the names of moods and genres
(zero-shot, Radford et al. 2021). Nothing is downloaded.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import InputError, MissingError
from hitpoint.model.mood.shares import Source
from hitpoint.model.mood.types import MOODS
from hitpoint.model.music.score import GENRES

VISION, TEXT, TOKENIZER = "vision_model.onnx", "text_model.onnx", "tokenizer.json"
"""What the folder holds, as CLIP is commonly exported to ONNX."""
SHARPNESS = 100.0
"""Nats for a cosine of 1: what CLIP was trained with in the end."""
SIDE_PX, TEXT_TOKENS = 224, 77
"""Where the file leaves them open, or asks for a text of one length."""
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
SPREAD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
"""Of the pixels that CLIP was trained on, as shares of white."""
STEP_S, MOST_FRAMES = 1.0, 120
"""A frame a second is looked at; fewer in longer films."""
GENRE_TEXT = "a film scene with {} music"

Vectors = NDArray[np.float32]


def check_clip(folder: Path) -> None:
    """Raise InputError where a file is missing in the folder, MissingError without the extra."""
    lacking = next((name for name in (VISION, TEXT, TOKENIZER) if not (folder / name).is_file()), None)
    if lacking is not None:
        raise InputError(f"{folder} holds no {lacking}; give the folder of a CLIP network that was exported to ONNX")
    if any(importlib.util.find_spec(name) is None for name in ("onnxruntime", "tokenizers")):
        raise MissingError(
            "what runs a CLIP network is not installed; install it with `pip install hitpoint[clip]`, or leave "
            "--semantics off"
        )


def times_of(duration_s: float) -> list[float]:
    """The middles of equal stretches of a film, about STEP_S each, at most MOST_FRAMES."""
    count = max(1, min(MOST_FRAMES, round(duration_s / STEP_S)))
    return [duration_s * (number + 0.5) / count for number in range(count)]


def from_clip(folder: Path, pictures: Sequence[NDArray[np.uint8]]) -> Source | None:
    """What frames (h, w, 3), RGB, say; None without frames.

    Raises InputError for files that are no such network, MissingError without the extra.
    """
    check_clip(folder)
    if not pictures:
        return None
    network = _opened(folder)
    try:
        frames = network.pictures(pictures)
        words = network.texts(MOODS)
        if frames.shape[1] != words.shape[1]:
            raise InputError(
                f"the two networks in {folder} do not belong together ({frames.shape[1]} numbers a picture, "
                f"{words.shape[1]} a text); export both from one CLIP network"
            )
        moods = _means(frames, words, MOODS)
        genres = _means(frames, network.texts([GENRE_TEXT.format(genre) for genre in GENRES]), GENRES)
    except InputError:
        raise
    except Exception as error:  # the runtime raises kinds of its own
        raise InputError(
            f"the CLIP network in {folder} cannot be run ({_first_line(error)}); export it again"
        ) from None
    first = max(moods, key=lambda name: moods[name])
    return Source("clip", moods, genres, f"CLIP: {first} ({moods[first]:.2f}) over {len(pictures)} frames")


def _means(frames: Vectors, words: Vectors, names: Sequence[str]) -> Mapping[str, float]:
    """The mean over frames (n, d) of each one's shares among words (names, d)."""
    nats = SHARPNESS * (frames @ words.T).astype(np.float64)
    mass = np.exp(nats - nats.max(axis=1, keepdims=True))
    shares = (mass / mass.sum(axis=1, keepdims=True)).mean(axis=0)
    return dict(zip(names, shares.tolist(), strict=True))


@dataclass(frozen=True)
class _Network:
    """vision, text: sessions of the ONNX runtime. tokenizer: of the tokenizers library."""

    folder: Path
    vision: Any
    text: Any
    tokenizer: Any

    def pictures(self, pictures: Sequence[NDArray[np.uint8]]) -> Vectors:
        """(n, d), each of length 1."""
        entry = self.vision.get_inputs()[0]
        side = entry.shape[-1] if isinstance(entry.shape[-1], int) else SIDE_PX
        return np.concatenate([self._run(self.vision, {entry.name: _pixels(each, side)}) for each in pictures])

    def texts(self, texts: Sequence[str]) -> Vectors:
        """(n, d), each of length 1."""
        return np.concatenate([self._text(each) for each in texts])

    def _text(self, text: str) -> Vectors:
        ids = list(self.tokenizer.encode(text).ids)[:TEXT_TOKENS]
        given = {}
        for entry in self.text.get_inputs():
            length = entry.shape[-1] if isinstance(entry.shape[-1], int) else len(ids)
            values = [1] * len(ids) if "mask" in entry.name else ids
            kind = np.int32 if "int32" in entry.type else np.int64
            given[entry.name] = np.array([(values + [0] * length)[:length]], kind)
        return self._run(self.text, given)

    def _run(self, session: Any, given: Mapping[str, NDArray[Any]]) -> Vectors:
        """One row of the embedding that both networks share."""
        names = [output.name for output in session.get_outputs()]
        wanted = next((name for name in names if "embed" in name), names[0])
        found = np.asarray(session.run([wanted], dict(given))[0], np.float32)
        if found.ndim != 2 or not np.isfinite(found).all() or not found.any():
            raise InputError(f"the CLIP network in {self.folder} gives no embedding; export it with its projections")
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def _opened(folder: Path) -> _Network:
    import onnxruntime
    from tokenizers import Tokenizer

    name = TOKENIZER
    try:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        vision = onnxruntime.InferenceSession(str(folder / (name := VISION)), providers=["CPUExecutionProvider"])
        text = onnxruntime.InferenceSession(str(folder / (name := TEXT)), providers=["CPUExecutionProvider"])
    except Exception as error:  # both libraries raise kinds of their own
        raise InputError(f"{folder / name} is damaged ({_first_line(error)}); export it again") from None
    return _Network(folder, vision, text, tokenizer)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def _pixels(picture: NDArray[np.uint8], side: int) -> Vectors:
    """The middle square of a frame as CLIP reads it, (1, 3, side, side)."""
    import cv2

    height, width = picture.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = cv2.resize(picture[top : top + edge, left : left + edge], (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray((((square.astype(np.float32) / 255 - MEAN) / SPREAD).transpose(2, 0, 1))[None], np.float32)
