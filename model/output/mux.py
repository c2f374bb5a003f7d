"""The film with its music: ffmpeg puts the sound, mixed with the film's own, under the picture."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from hitpoint.model.errors import InputError, UsageError
from hitpoint.model.files import atomic
from hitpoint.model.music.score import Score
from hitpoint.model.output.base import Output, Writing
from hitpoint.model.output.duck import Duck, duck_of
from hitpoint.model.output.ffmpeg import find_ffmpeg
from hitpoint.model.output.mix import CODECS, Mix, Voice
from hitpoint.model.output.render import BuiltInSynth, write_wav
from hitpoint.model.take import Prepared, Take
from hitpoint.model.video.film import Film, open_film
from hitpoint.model.video.frames import TIME_TOLERANCE_S
from hitpoint.model.video.media import CONTAINERS, PROTOCOLS
from hitpoint.model.video.sound.decode import heard_track
from hitpoint.model.video.types import Clip

AUDIO_CODECS = {".mp4": "aac", ".m4v": "aac", ".mov": "aac", ".mkv": "aac", ".webm": "libopus"}
VIDEO_CODECS = {".webm": ["-c:v", "libvpx-vp9", "-crf", "28", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "5"]}
H264 = ["-c:v", "libx264", "-crf", "18", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
_EVEN_SIZE = "pad=ceil(iw/2)*2:ceil(ih/2)*2"


def mux(
    film: Path,
    wav: Path,
    out: Path,
    in_s: float = 0.0,
    out_s: float | None = None,
    force: bool = False,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write `out`: the picture of `film` from in_s to out_s (seconds; None: its end) with `wav` as its only sound.

    The picture is copied where the whole film is taken and the file type can hold it, otherwise encoded again, exactly
    from in to out. It lasts as long as `wav`. Raises UsageError for a type other than .mp4, .mov, .m4v, .mkv, .webm;
    MissingError without ffmpeg; InputError where ffmpeg refuses the film.
    """
    check_film_name(out)
    ending = out.suffix.lower()
    ffmpeg = find_ffmpeg()
    length_s = _wav_length_s(wav)
    say = progress or (lambda share: None)
    picture = open_film(film)
    inputs = [*film_input(picture, in_s), "-f", "wav", "-i", f"file:{wav}"]
    inputs += ["-map", f"0:{picture.track.index}", "-map", "1:a:0"]
    sound = ["-c:a", AUDIO_CODECS[ending], "-b:a", "192k"]
    if ending not in (".mkv", ".webm"):
        sound += ["-movflags", "+faststart"]
    filters = ",".join([*frame_times(picture, in_s), _EVEN_SIZE])
    encode = [*VIDEO_CODECS.get(ending, H264), "-vf", filters, "-t", f"{length_s:.6f}"]
    track = picture.track
    as_it_is = in_s == 0 and out_s is None and not (track.numbered or track.is_trimmed)
    attempts = [["-c:v", "copy", "-copypriorss", "1"], encode] if as_it_is else [encode]
    with atomic(out, force) as part:
        for attempt in attempts:
            failure = run_ffmpeg([ffmpeg, *inputs, *attempt, *sound, f"file:{part}"], length_s, say)
            if not failure:
                break
            part.unlink(missing_ok=True)
        else:
            raise InputError(
                f"ffmpeg could not put the music under {film} ({failure}); convert the film to H.264 first"
            )
    say(1.0)


def film_input(film: Film, in_s: float) -> list[str]:
    """ffmpeg's arguments for reading the film as the analysis does: the same kinds of file, the same zero."""
    safe = ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", ",".join(CONTAINERS)]
    early_s = film.track.zero_s - film.start_s  # sound that begins before the picture is not to hold it back
    shift = ["-itsoffset", f"{-early_s:.6f}"] if early_s > 0 else []
    seek = ["-ss", f"{in_s:.6f}"] if in_s > 0 and film.has_index else []
    return [*safe, *shift, *seek, "-i", f"file:{film.path}"]


def frame_times(film: Film, in_s: float) -> list[str]:
    """Filters for what ffmpeg's reading alone does not do: times for frames without, a start where no index leads."""
    track, filters = film.track, []
    is_even = np.allclose(np.diff(track.times_s), track.step_s, rtol=1e-3)  # else some were left out
    if track.numbered:
        filters.append(f"setpts=N*{track.step_s:.9f}/TB" if is_even else "setpts=PTS-STARTPTS")
    if in_s > 0 and not film.has_index:
        filters += [f"trim=start={in_s - TIME_TOLERANCE_S:.6f}", f"setpts=max(0\\,PTS-{in_s:.6f}/TB)"]
    return filters


def mux_score(
    score: Score,
    clips: Sequence[Clip],
    out: Path,
    wav: Path | None = None,
    force: bool = False,
    soundfont: Path | None = None,
    progress: Callable[[float], None] | None = None,
    voice: tuple[tuple[tuple[float, float], ...], Duck] | None = None,
    lufs: float | None = None,
) -> None:
    """`mux` for a score: `wav` is its sound if that was written already, else it is made for the moment.

    voice: what is said in the film, as spans in seconds, and the duck: the film's own sound stays; None: the music
    alone. lufs: what the whole is brought to.
    Raises UsageError for an edit of several clips or a clip at another speed, InputError where the film is no longer
    the one that was scored, and as `mux`.
    """
    if len(clips) != 1 or clips[0].rate != 1.0:
        raise UsageError(
            "only one clip, at its own speed, can be written as a film; export the edit from the editor instead"
        )
    clip, film = clips[0], open_film(clips[0].path)
    scored = score.about.get("clip0_sha256", "")
    if scored and scored != film.media.sha256:
        raise InputError(f"{clip.path.name} changed since it was scored; score it again")
    with tempfile.TemporaryDirectory(prefix="hitpoint-") as folder:
        if wav is None:
            wav = Path(folder) / "music.wav"
            write_wav(score, wav, soundfont=soundfont)
        track = heard_track(film, clip.in_s, clip.out_s) if voice is not None else None
        if track is not None or lufs is not None:
            own = Voice(film, track, clip.in_s, clip.out_s, voice[0]) if voice and track else None
            mixed = Path(folder) / "mix.wav"
            codec = CODECS[AUDIO_CODECS[out.suffix.lower()]]
            Mix(wav, own, voice[1] if voice and own else None).write(mixed, replace(codec, lufs=lufs))
            wav = mixed
        mux(clip.path, wav, out, clip.in_s, clip.out_s, force, progress)


def check_film_name(out: Path) -> None:
    """Raise UsageError if a film cannot be written under this name."""
    if out.suffix.lower() not in AUDIO_CODECS:
        raise UsageError(f"{out.name} cannot be written as a film; use a name that ends in {', '.join(AUDIO_CODECS)}")


def _wav_length_s(wav: Path) -> float:
    import wave

    with wave.open(str(wav), "rb") as file:
        return file.getnframes() / file.getframerate()


def run_ffmpeg(command: Sequence[str], length_s: float, progress: Callable[[float], None]) -> str:
    """Run ffmpeg with progress; "" if it went well, else its last line. It is killed after a minute + 30 x length."""
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(
            [command[0], "-nostdin", "-v", "error", "-y", "-progress", "pipe:1", *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        watchdog = threading.Timer(60 + 30 * length_s, process.kill)
        watchdog.start()
        try:
            for line in process.stdout or ():
                key, _, value = line.strip().partition("=")
                if key == "out_time_us" and value.lstrip("-").isdigit():
                    progress(min(max(int(value) / 1e6 / length_s, 0.0), 1.0))
            status = process.wait()
        finally:
            watchdog.cancel()
            if process.poll() is None:
                process.kill()
                process.wait()
        if status == 0:
            return ""
        errors.seek(0)
        lines = errors.read().strip().splitlines()
        return lines[-1] if lines else f"it stopped with status {status}"


class MuxOutput(Output):
    """The film with the music under its own sound, or in its place."""

    key = "mux"
    suffix = ".mp4"

    def check(self, path: Path, instruments: Sequence[int], writing: Writing) -> None:
        """Also UsageError for a name that is none of a film, MissingError without ffmpeg or the synth."""
        super().check(path, instruments, writing)
        check_film_name(path)
        find_ffmpeg()
        BuiltInSynth(writing.soundfont)

    def write(self, take: Take, prepared: Prepared, path: Path, writing: Writing) -> None:
        """As `mux_score`."""
        say = partial(writing.progress, self.key)
        keeps = prepared.wishes.keep_sound and prepared.rhythm is not None
        voice = (prepared.rhythm.speech, duck_of(prepared)) if keeps else None
        force, soundfont = writing.force, writing.soundfont
        mux_score(take.score, prepared.clips, path, writing.wav, force, soundfont, say, voice, writing.lufs)
