"""The music in whatever file it comes."""

from __future__ import annotations

from pathlib import Path

from hitpoint.model.cut.music import Music
from hitpoint.model.cut.music_midi import read_midi_music
from hitpoint.model.cut.music_sound import read_sound
from hitpoint.model.errors import InputError

MIDI_ENDINGS = (".mid", ".midi")


def read_music(path: Path) -> Music:
    """The music in a MIDI file or in any file of sound.

    Raises InputError for what is missing, damaged or silent, MissingError for sound without librosa.
    """
    if not path.is_file():
        raise InputError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}; give a MIDI file or a sound")
    if path.suffix.lower() in MIDI_ENDINGS:
        return read_midi_music(path)
    return read_sound(path)
