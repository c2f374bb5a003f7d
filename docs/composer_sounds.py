"""Make docs/sounds/*.mp3, the example film scored by each composer: `python docs/composer_sounds.py [FOLDER]`.

It takes ffmpeg. The music that `library` and `match` choose from is composed here by `cmt` for the same film in other
genres and with other seeds, so that everything that sounds is Hitpoint's own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
FILM = HERE.parent / "examples" / "film.mp4"
LENGTH_S, FADE_S, RATE = 20, 2, "88k"
MOST_BYTES = 250_000
GENRES = ("country", "electronic", "metal", "pop", "rock", "orchestral")
COMPOSERS: dict[str, tuple[str, ...]] = {"cmt": (), "library": ("--library", "{music}"),
                                         "match": ("--library", "{music}"), "diffusion": ()}  # fmt: skip


def score(out: Path, *flags: str) -> None:
    """Score the example film into `out`, with a WAV beside it."""
    command = [sys.executable, "-c", "from hitpoint.bridge.cli import main; main()", "score", str(FILM), "-o", str(out)]
    subprocess.run([*command, "--force", *flags], check=True)


def compress(wav: Path, out: Path) -> None:
    """The first LENGTH_S as an MP3 that fades out."""
    fade = f"afade=t=out:st={LENGTH_S - FADE_S}:d={FADE_S}"
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(wav), "-t", str(LENGTH_S), "-af", fade, "-b:a", RATE]
    subprocess.run([*command, str(out)], check=True)
    assert out.stat().st_size <= MOST_BYTES, f"{out} is larger than {MOST_BYTES} bytes"


def main() -> None:
    """Write one file a composer."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "sounds"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        music = Path(place) / "music"
        music.mkdir()
        for genre in GENRES:
            score(music / f"{genre}.mid", "--genre", genre, "--takes", "2", "--seed", "7")
        for name, flags in COMPOSERS.items():
            out = Path(place) / f"{name}.mid"
            own = [flag.format(music=music) for flag in flags]
            score(out, "--composer", name, "--wav", str(out.with_suffix(".wav")), *own)
            compress(out.with_suffix(".wav"), folder / f"{name}.mp3")


if __name__ == "__main__":
    main()
