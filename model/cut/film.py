"""An edit as a film with its music: ffmpeg shows each shot's frames, and one more encodes them all."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from hitpoint.model.cut.edit import Cutting, Part
from hitpoint.model.cut.played import play_midi
from hitpoint.model.errors import InputError
from hitpoint.model.files import atomic
from hitpoint.model.output.ffmpeg import find_ffmpeg
from hitpoint.model.output.mux import AUDIO_CODECS, H264, VIDEO_CODECS, check_film_name, film_input, frame_times
from hitpoint.model.video.film import open_film
from hitpoint.model.video.frames import TIME_TOLERANCE_S

STALL_S = 120.0
"""A shot that gives no whole frame for so long is given up."""


def write_film(
    cutting: Cutting,
    path: Path,
    force: bool = False,
    soundfont: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write the edit with the music as its sound, as many frames as it has; clips of another shape get bars.

    Raises UsageError for a name that is none of a film, MissingError without ffmpeg or the synth, InputError where
    ffmpeg refuses a clip or the music.
    """
    check_film_name(path)
    ffmpeg, say = find_ffmpeg(), progress or (lambda share: None)
    width, height = cutting.width + cutting.width % 2, cutting.height + cutting.height % 2
    with tempfile.TemporaryDirectory(prefix="hitpoint-") as folder, atomic(path, force) as part:
        music = cutting.music.path
        if cutting.music.is_midi:
            music = Path(folder) / "music.wav"
            play_midi(cutting.music, music, soundfont)
        with _encoder(ffmpeg, cutting, (width, height), music, part) as frames:
            for number, each in enumerate(cutting.parts):
                for frame in _shown(ffmpeg, each, cutting.fps, (width, height)):
                    frames.write(frame)
                say((number + 1) / len(cutting.parts))


@contextmanager
def _encoder(ffmpeg: str, cutting: Cutting, size: tuple[int, int], music: Path, part: Path) -> Iterator[IO[bytes]]:
    """Takes raw pictures (yuv420p), and writes the film when the block ends well."""
    ending = part.suffix.lower()
    rate = f"{cutting.fps:.9g}"
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size[0]}x{size[1]}", "-r", rate, "-i", "pipe:0"]
    sound = ["-i", f"file:{music}", "-map", "0:v", "-map", "1:a:0", "-af", "apad", "-c:a", AUDIO_CODECS[ending]]
    picture = [*VIDEO_CODECS.get(ending, H264)]
    end = ["-b:a", "192k", "-t", f"{cutting.duration_s:.6f}", f"file:{part}"]
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        command = [ffmpeg, "-v", "error", "-y", *raw, *sound, *picture, *end]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors)
        assert process.stdin is not None
        try:
            with suppress(BrokenPipeError):  # it has said why
                yield process.stdin
                process.stdin.close()
            status = process.wait(STALL_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if status:
            raise InputError(
                f"ffmpeg could not write the film ({_last_line(errors, status)}); convert the music to WAV"
            )


def _shown(ffmpeg: str, part: Part, fps: float, size: tuple[int, int]) -> Iterator[bytes]:
    """The pictures of one part, as many as its slot has; its last one again where the file ends too early."""
    film = open_film(part.clip.path)
    width, height = size
    from_s = max(0.0, part.clip.in_s - TIME_TOLERANCE_S)
    filters = [
        *frame_times(film, from_s),
        f"fps={fps:.9g}:start_time=0",
        f"scale={width}:{height}:force_original_aspect_ratio=decrease:flags=bicubic",
        f"pad={width}:{height}:-1:-1",
        "setsar=1",
        "format=yuv420p",
        "tpad=stop=-1:stop_mode=clone",
    ]
    source = [*film_input(film, from_s), "-map", f"0:{film.track.index}", "-vf", ",".join(filters)]
    to = ["-frames:v", str(part.slot.frames), "-f", "rawvideo", "pipe:1"]
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        command = [ffmpeg, "-nostdin", "-v", "error", *source, *to]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        watchdog = threading.Timer(STALL_S + 30 * part.slot.frames / fps, process.kill)
        watchdog.start()
        assert process.stdout is not None
        try:
            for _ in range(part.slot.frames):
                picture = process.stdout.read(width * height * 3 // 2)
                if len(picture) < width * height * 3 // 2:
                    reason = _last_line(errors, process.wait())
                    raise InputError(f"ffmpeg could not show {part.clip.path.name} ({reason}); convert it to H.264")
                yield picture
        finally:
            watchdog.cancel()
            process.kill()
            process.wait()
            process.stdout.close()


def _last_line(errors: IO[str], status: int) -> str:
    errors.seek(0)
    lines = errors.read().strip().splitlines()
    return lines[-1] if lines else f"it stopped with status {status}"
