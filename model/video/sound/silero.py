"""Silero VAD's network (MIT), read from its package without importing that: it would load torchaudio.

Its 16 kHz model takes 512 samples after the 64 before them, and its own state (https://github.com/snakers4/silero-vad).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.errors import MissingError
from hitpoint.model.video.sound.decode import Block

RATE_HZ = 16_000
CHUNK, CONTEXT = 512, 64
HOP_S = CHUNK / RATE_HZ
BEGINS, ENDS = 0.5, 0.35
"""Speech begins where the network is surer than the first and ends where it is less sure than the second."""


def is_installed() -> bool:
    """Whether the network and what runs it are there."""
    return _model_file() is not None and importlib.util.find_spec("onnxruntime") is not None


def _model_file() -> Path | None:
    found = importlib.util.find_spec("silero_vad")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "data" / "silero_vad.onnx"
    return path if path.is_file() else None


def speaking(blocks: Iterable[Block]) -> NDArray[np.bool_]:
    """(n,) whether somebody speaks in each chunk of HOP_S. blocks: (frames, 1) at RATE_HZ, full scale = 1.

    Raises MissingError without the extra.
    """
    path = _model_file()
    if path is None or not is_installed():
        raise MissingError("Silero VAD is not installed; run `pip install 'hitpoint[speech]'`")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    state, before = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32)
    rate, surely, kept = np.array(RATE_HZ, np.int64), [], np.zeros(0, np.float32)
    for block in [*blocks, np.zeros((CHUNK, 1), np.float32)]:
        kept = np.concatenate([kept, block[:, 0]])
        for first in range(0, len(kept) - CHUNK + 1, CHUNK):
            heard = np.concatenate([before, kept[first : first + CHUNK]])
            before = heard[-CONTEXT:]
            sure, state = session.run(None, {"input": heard[None], "state": state, "sr": rate})
            surely.append(float(sure[0, 0]))
        kept = kept[len(kept) // CHUNK * CHUNK :]
    return _held(np.array(surely))


def _held(sure: NDArray[np.float64]) -> NDArray[np.bool_]:
    """With hysteresis: what has begun goes on while it is above ENDS."""
    speaks, now = np.zeros(len(sure), bool), False
    for index, each in enumerate(sure):
        now = each > (ENDS if now else BEGINS)
        speaks[index] = now
    return speaks
