"""The analysis in a process of its own, with bounded memory: a decoder that crashes or swells costs one job.

    rhythm = analyse_apart(clips, cuts, progress)       # as analyse(), which it runs in the other process

Threads and processes: callable from any thread. What `progress` raises ends the other process at once; that one ends by
itself when its caller's goes away, for then its standard input ends. Nothing that a decoder may have been led to write
is trusted here: an answer can be built of the analysis' own types and arrays only.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from hitpoint.model.errors import HitpointError, InputError, MissingError, UsageError
from hitpoint.model.video.patience import TICK_S
from hitpoint.model.video.types import Boundary, Clip, Media, VisualRhythm

MEMORY_BYTES = 4 << 30
"""What the other process may take; 8K film takes about a third."""
LONGEST_ANSWER = 1 << 30
"""Bytes; ten hours of film are a tenth of it."""

_PROGRESS, _RESULT, _ERROR = b"P", b"R", b"E"
_ERRORS: dict[str, type[HitpointError]] = {each.__name__: each for each in (InputError, UsageError, MissingError)}
_OUT_OF_MEMORY = ("memory", "can't start new thread")
Speech = tuple[tuple[tuple[float, float], ...], tuple[str, ...]]
"""Spans in seconds, and sentences."""
_OURS = "hitpoint.model.video.types"
_ALLOWED = {
    ("pathlib", "PosixPath"), ("pathlib", "WindowsPath"), ("pathlib._local", "PosixPath"),
    ("pathlib._local", "WindowsPath"), ("numpy", "ndarray"), ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"), ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.numeric", "_frombuffer"), ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.multiarray", "scalar"), ("numpy.core.multiarray", "scalar"),
}  # fmt: skip


def analyse_apart(
    clips: Sequence[Clip],
    cuts: Sequence[Boundary] | None = None,
    progress: Callable[[float], None] | None = None,
    memory_bytes: int = MEMORY_BYTES,
    detector: str = "quick",
    listen: bool = False,
) -> VisualRhythm:
    """`hitpoint.model.video.analyse.analyse` in another process; raises the same, and InputError where that process
    crashes or wants more than `memory_bytes`."""
    arguments = list(clips), None if cuts is None else list(cuts), detector, listen
    rhythm = _call("analyse", arguments, _names(clips), progress, memory_bytes)
    assert isinstance(rhythm, VisualRhythm)
    return rhythm


def speech_apart(sounds: Sequence[Clip], origin_s: float, length_s: float, memory_bytes: int = MEMORY_BYTES) -> Speech:
    """`hitpoint.model.video.sound.listen.speech_beside` in another process; raises as `analyse_apart`."""
    found = _call("speech", (list(sounds), origin_s, length_s), _names(sounds), None, memory_bytes)
    assert isinstance(found, tuple)
    return found


def picture_changed_apart(
    old: Sequence[Clip], new: Sequence[Clip], memory_bytes: int = MEMORY_BYTES
) -> tuple[float, float, float]:
    """`hitpoint.model.video.changed_picture.picture_changed` in another process; raises as `analyse_apart`."""
    found = _call("changed", (list(old), list(new)), _names([*old, *new]), None, memory_bytes)
    assert isinstance(found, tuple)
    return found


def probe_apart(path: Path, memory_bytes: int = MEMORY_BYTES) -> Media:
    """`hitpoint.model.video.film.probe` in another process; raises as `analyse_apart`."""
    media = _call("probe", (path,), path.name, None, memory_bytes)
    assert isinstance(media, Media)
    return media


def _names(clips: Sequence[Clip]) -> str:
    return ", ".join(dict.fromkeys(clip.path.name for clip in clips)) or "the film"


def _call(
    what: str, arguments: tuple[Any, ...], name: str, progress: Callable[[float], None] | None, memory_bytes: int
) -> object:
    """Ask the other process for one thing. name: of the film, for what is said if it dies."""
    command = [sys.executable, "-c", f"import sys; sys.path.remove(''); from {__name__} import answer; answer()"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    try:
        with contextlib.suppress(BrokenPipeError):
            _send(process.stdin, _RESULT, pickle.dumps((what, arguments, memory_bytes)))
        return _hear(process.stdout, name, progress, process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()


def _hear(
    pipe: IO[bytes], name: str, progress: Callable[[float], None] | None, process: subprocess.Popen[bytes]
) -> object:
    """The other process's answer. `progress` hears how far it is, ten times a second."""
    heard: queue.Queue[tuple[bytes, bytes]] = queue.Queue()
    threading.Thread(target=_listen, args=(pipe, heard), name="hitpoint-apart", daemon=True).start()
    share = 0.0
    while True:
        try:
            kind, payload = heard.get(timeout=TICK_S)
        except queue.Empty:
            kind, payload = _PROGRESS, struct.pack("d", share)
        if kind == _RESULT:
            return _Unpickler(io.BytesIO(payload)).load()
        if kind == _ERROR:
            error, _, text = payload.decode(errors="replace").partition("\n")
            raise _ERRORS.get(error, InputError)(text)
        if kind != _PROGRESS or len(payload) != struct.calcsize("d"):
            code = process.wait()
            raise InputError(f"{name} made the decoder crash ({_reason(code)}); convert it to H.264 and try again")
        share = struct.unpack("d", payload)[0]
        if progress is not None:
            progress(share)


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"


def _listen(pipe: IO[bytes], heard: queue.Queue[tuple[bytes, bytes]]) -> None:
    """The thread: pass on what comes, and an empty message when no more can."""
    with contextlib.suppress(OSError, ValueError, struct.error):
        while True:
            kind, size = struct.unpack("=cQ", pipe.read(9))
            if size > LONGEST_ANSWER:
                break
            heard.put((kind, pipe.read(size)))
    heard.put((b"", b""))


def _send(pipe: IO[bytes], kind: bytes, payload: bytes) -> None:
    pipe.write(struct.pack("=cQ", kind, len(payload)) + payload)
    pipe.flush()


class _Unpickler(pickle.Unpickler):
    """Builds the analysis' own types, arrays and paths, and refuses all else."""

    def find_class(self, module: str, name: str) -> Any:
        if module == _OURS or (module, name) in _ALLOWED:
            return super().find_class(module, name)
        raise InputError(f"the analysis returned something unexpected ({module}.{name}); score the film again")


# In the other process.


def answer() -> None:
    """The other process's whole life: one question on standard input, one answer on standard output."""
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is not an answer
    _, size = struct.unpack("=cQ", sys.stdin.buffer.read(9))
    what, arguments, memory_bytes = pickle.loads(sys.stdin.buffer.read(size))  # from our own caller
    threading.Thread(target=_end_with_caller, name="caller", daemon=True).start()
    _bound_memory(memory_bytes)
    try:
        _send(told, _RESULT, pickle.dumps(_do(what, arguments, lambda share: _tell(told, share))))
    except HitpointError as error:
        _send(told, _ERROR, f"{type(error).__name__}\n{error}".encode())
    except Exception as error:
        if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _OUT_OF_MEMORY):
            limit = f"{memory_bytes / (1 << 30):.1f} GB"
            text = f"the film takes more than {limit} of memory; scale it down to 4K or less, and try again"
            _send(told, _ERROR, f"InputError\n{text}".encode())
        else:
            traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)  # no waiting for threads that still decode


def _do(what: str, arguments: tuple[Any, ...], progress: Callable[[float], None]) -> object:
    from hitpoint.model.video.analyse import analyse, probe
    from hitpoint.model.video.changed_picture import picture_changed
    from hitpoint.model.video.sound.listen import speech_beside

    if what == "probe":
        return probe(*arguments)
    if what == "changed":
        return picture_changed(*arguments)
    if what == "speech":
        return speech_beside(*arguments)
    clips, cuts, detector, listen = arguments
    return analyse(clips, cuts, progress, detector, listen)


def _tell(pipe: IO[bytes], share: float) -> None:
    _send(pipe, _PROGRESS, struct.pack("d", share))


def _end_with_caller() -> None:
    """The caller holds the other end of our standard input for as long as it wants an answer."""
    sys.stdin.buffer.read(1)
    os._exit(1)


def _bound_memory(limit: int) -> None:
    """Where the system knows such bounds: Linux and other Unixes; macOS takes no notice, Windows has none."""
    try:
        import resource
    except ImportError:
        return
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (limit, limit))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
