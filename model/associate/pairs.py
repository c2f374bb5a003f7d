"""Finished films with their music, as MIDI or as their own sound: each segment of it with the picture above it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import mido

from hitpoint.model.associate.looks import ranked
from hitpoint.model.associate.mine import Song, chord_numbers, sounds_of
from hitpoint.model.associate.segments import segments
from hitpoint.model.associate.soundtrack import song_of_soundtrack
from hitpoint.model.data.reader import read_piece
from hitpoint.model.errors import InputError, MissingError
from hitpoint.model.mood.looks import looks_of
from hitpoint.model.music.midi_tempo import tempo_map_of
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.sound.beats import INSTALL, check_librosa
from hitpoint.model.video.sound.decode import sound_is_there
from hitpoint.model.video.types import Clip

MUSIC = (".mid", ".midi")


def music_beside(film: Path) -> Path | None:
    """The MIDI file of the same name."""
    return next((path for ending in MUSIC if (path := film.with_suffix(ending)).is_file()), None)


def song_of_pair(film: Path, midi: Path, progress: Callable[[float], None] | None = None) -> Song:
    """The segments of a film's music, each with what is seen while it sounds; both begin together.

    Raises InputError for a film or a MIDI file that cannot be used, or where the music ends before it begins to matter.
    """
    piece = read_piece(midi)
    tempo = tempo_map_of(mido.MidiFile(midi, clip=True))
    rhythm = analyse([Clip(film)], progress=progress)
    spans = segments(piece.notes, piece.bars)
    times_s = [(tempo.time_at_tick(first), tempo.time_at_tick(end)) for first, end in spans.tolist()]
    seen = [n for n, (start_s, end_s) in enumerate(times_s) if (start_s + end_s) / 2 < rhythm.duration_s]
    if not seen:
        raise InputError(f"{film.name} ends before {midi.name} has played a segment; give the film of this music")
    heard = sounds_of(piece.notes, piece.bars, chord_numbers(piece.notes, piece.bars), spans)
    looks = looks_of(rhythm, [times_s[n] for n in seen])
    return Song(ranked(looks), (heard - heard.mean(axis=0))[seen])


def songs_of_pairs(
    films: Sequence[Path], progress: Callable[[float], None] | None = None
) -> tuple[list[Song], tuple[str, ...]]:
    """The song of each film, from the MIDI file beside it or else from its own sound, and sentences on what was heard
    so and what is left out.

    Raises InputError where none is left.
    """
    say = progress or (lambda share: None)
    songs: list[Song] = []
    notes: list[str] = []
    for number, film in enumerate(films):
        midi = music_beside(film)
        try:
            if midi is not None:
                songs.append(song_of_pair(film, midi))
            else:
                songs.append(_by_ear(film))
                notes.append(f"{film.name} is learnt from its own sound, for want of {film.stem}.mid beside it")
        except InputError as error:
            notes.append(f"left out: {error}")
        say((number + 1) / len(films))
    if not songs:
        reasons = "; ".join(notes) or "there are none"
        raise InputError(f"none of the films can be learnt from ({reasons}); give films with their music as NAME.mid")
    return songs, tuple(notes)


def _by_ear(film: Path) -> Song:
    """Of a film without a MIDI file. Raises InputError where its sound cannot be used, or librosa is missing."""
    wanted = f"{film.name} has no {film.stem}.mid beside it"
    try:
        check_librosa()
    except MissingError:
        raise InputError(f"{wanted}; export its music as MIDI, or run `{INSTALL}` to learn from its sound") from None
    if not sound_is_there(film):
        raise InputError(f"{wanted}, and no sound; export its music as MIDI")
    return song_of_soundtrack(film)
