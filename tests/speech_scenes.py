"""Films' sound with known speech: sentences by espeak-ng at known moments, over silence, noise, hum, music or blows."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
import pytest

RATE_HZ = 16_000
SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "We will meet at the harbour at six in the evening.",
    "Nobody told me that the bridge was closed.",
    "It was the coldest winter that anyone could remember.",
    "Please hold the camera still while I open the door.",
    "Three hundred people came, and every one of them stayed.",
)
VOICES = ("en-us", "en-gb", "de", "fr", "en-us+f3", "en-gb+m3")


def need_espeak():
    """Skip the test where espeak-ng is lacking."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed (apt-get install espeak-ng)")


def sentence(number, speed=160):
    """(samples,) of one sentence at RATE_HZ, peak .5, without silence at its ends."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "voice.wav"
        voice = VOICES[number % len(VOICES)]
        subprocess.run(
            ["espeak-ng", "-v", voice, "-s", str(speed), "-w", str(path), SENTENCES[number % len(SENTENCES)]],
            check=True,
        )
        with wave.open(str(path), "rb") as file:
            rate = file.getframerate()
            raw = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    at = np.arange(int(len(raw) * RATE_HZ / rate)) * rate / RATE_HZ
    sound = np.interp(at, np.arange(len(raw)), raw).astype(np.float32)
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.abs(sound).max())
    sound = sound[loud[0] : loud[-1]]
    return 0.5 * sound / np.abs(sound).max()


def background(kind, seconds, seed):
    """(samples,) of what lies under the speech."""
    dice = np.random.default_rng(seed)
    n = int(seconds * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    if kind == "silence":
        return 1e-4 * dice.standard_normal(n)
    if kind == "noise":
        return 0.02 * dice.standard_normal(n)
    if kind == "rumble":
        return 0.2 * np.convolve(dice.standard_normal(n), np.ones(160) / 160, "same") + 0.02 * np.sin(
            2 * np.pi * 50 * t
        )
    if kind == "blows":
        out = 1e-3 * dice.standard_normal(n)
        for at in np.arange(0.5, seconds - 0.5, 0.9):
            first = int(at * RATE_HZ)
            out[first : first + 3200] += 0.5 * dice.standard_normal(3200) * np.exp(-np.arange(3200) / 500)
        return out
    out = np.zeros(n)  # music: chords of steady tones with a beat
    for beat in np.arange(0, seconds, 0.5):
        first, length = int(beat * RATE_HZ), int(min(0.5, seconds - beat) * RATE_HZ)
        root = 110 * 2 ** (dice.choice([0, 3, 5, 7]) / 12)
        tone = sum(np.sin(2 * np.pi * root * k * t[:length]) / k for k in (1, 1.25, 1.5, 2, 3, 4))
        out[first : first + length] += 0.05 * tone * np.exp(-t[:length] / 0.6)
        out[first : first + 800] += (
            0.1 * dice.standard_normal(min(800, length)) * np.exp(-np.arange(min(800, length)) / 150)
        )
    return out


def scene(kind, seed, sentences=4):
    """((samples,) at RATE_HZ, the true spans of speech in seconds) of one film's sound."""
    dice = np.random.default_rng(seed + 100)
    voices = [sentence(seed * 3 + number) for number in range(sentences)]
    at_s, spans = 1.5, []
    for voice in voices:
        at_s += dice.uniform(0.8, 3.0)
        spans.append((at_s, at_s + len(voice) / RATE_HZ))
        at_s = spans[-1][1]
    sound = background(kind, at_s + 3.0, seed)
    for voice, (start_s, _) in zip(voices, spans, strict=True):
        first = round(start_s * RATE_HZ)
        sound[first : first + len(voice)] += voice
    return sound.astype(np.float32), spans


KINDS = ("silence", "noise", "rumble", "blows", "music")


def error_shares(found, true, end_s):
    """(share of the speech missed, share of the rest taken for speech), by frames of 10 ms."""
    grid = np.arange(0, end_s, 0.01)

    def inside(spans):
        return np.any([(grid >= a) & (grid < b) for a, b in spans] or [np.zeros(len(grid), bool)], axis=0)

    speech, said = inside(true), inside(found)
    return float(np.mean(~said[speech])) if speech.any() else 0.0, float(np.mean(said[~speech]))


def with_sound(path, *inputs, codec, picture="testsrc2=s=160x90:r=25:d=4"):
    """A film of libavfilter's test picture with every sound of `inputs` (ffmpeg's options, for its lavfi)."""
    sounds = ["-f", "lavfi", *inputs] if inputs else []
    count = sum(word == "-i" for word in inputs)
    maps = [word for index in range(1 + count) for word in ("-map", str(index))]
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture, *sounds, *maps]
    subprocess.run([*command, "-c:v", "libx264", "-preset", "ultrafast", *codec, str(path)], check=True, timeout=120)
    return path


def film_of(path, sound, codec=("-c:a", "flac")):
    """A film as long as this sound (samples,) at RATE_HZ."""
    wav = path.with_suffix(".wav")
    with wave.open(str(wav), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    picture = f"testsrc2=s=160x90:r=25:d={len(sound) / RATE_HZ:.3f}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture, "-i", str(wav)]
    subprocess.run([*command, "-c:v", "libx264", "-preset", "ultrafast", *codec, str(path)], check=True, timeout=120)
    return path
