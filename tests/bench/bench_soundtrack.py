"""How near is what `hitpoint associate` hears in a soundtrack to what it reads from notes?

Run: python tests/bench/bench_soundtrack.py SHARDS [--songs 8] [--bars 48]

SHARDS: a folder of `hitpoint data build`. Held-out songs are rendered with the synth that comes with Hitpoint; beats,
segments and figures are then taken from the sound alone. Each figure, less its mean over the song, is held against the
same from the notes of the same stretch: rank correlation over all segments, with the segments of another song beside
it for chance, and the slope that `model/associate/soundtrack.py` keeps.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from hitpoint.model.associate.mine import chord_numbers, sounds_of
from hitpoint.model.associate.sounds import SOUNDS
from hitpoint.model.associate.soundtrack import TWINS, beats_of, spans_of, twins_of
from hitpoint.model.data.build import PieceInfo, Shard, load
from hitpoint.model.data.labels import bars_of
from hitpoint.model.data.windows import piece_notes
from hitpoint.model.music.score import INSTRUMENTS, Score, TempoMap, TempoPoint
from hitpoint.model.output.render import write_wav
from hitpoint.model.training.evaluation.answers import ranks
from hitpoint.model.video.sound.beats import music_samples

SETS = ("band", "pop909_5", "real5", "games")


def both(shard: Shard, piece: PieceInfo, most_bars: int, place: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """(segments, TWINS) from the sound and from the notes, less their means; None where there are too few."""
    bars = min(piece.bars, most_bars)
    notes = piece_notes(shard, piece)
    notes = notes.where(notes.bar < bars)
    tempo = TempoMap((TempoPoint(0.0, 0.0, piece.tempo_bpm),))
    score = Score(tuple(bars_of(notes, bars)), tempo, "pop", tuple(range(len(INSTRUMENTS))), 0)
    path = place / "song.wav"
    write_wav(score, path, force=True)
    samples = music_samples(path)
    beats_s = beats_of(samples)
    bar_s = 240.0 / piece.tempo_bpm
    spans = np.array([(round(a / bar_s), round(b / bar_s)) for a, b in spans_of(beats_s)])
    if len(spans) < 3:
        return None
    spans[:, 1] = np.minimum(np.maximum(spans[:, 1], spans[:, 0] + 1), bars)
    read = sounds_of(notes, bars, chord_numbers(notes, bars), spans)[:, [SOUNDS.index(name) for name in TWINS]]
    heard = twins_of(samples, beats_s)
    return heard - heard.mean(axis=0), read - read.mean(axis=0)


def main() -> None:
    """Print a line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--songs", type=int, default=8, help="of each data set")
    parser.add_argument("--bars", type=int, default=48)
    asked = parser.parse_args()
    shard = load(asked.shards)
    found = []
    with tempfile.TemporaryDirectory() as place:
        for name in SETS:
            pieces = [each for each in shard.pieces if each.split == "test" and each.dataset == name]
            for piece in [pieces[n] for n in np.random.default_rng(0).permutation(len(pieces))[: asked.songs]]:
                pair = both(shard, piece, asked.bars, Path(place))
                found += [pair] if pair is not None else []
    heard, read = (np.concatenate([pair[side] for pair in found]) for side in (0, 1))
    other = np.roll(read, len(found[0][1]), axis=0)
    print(
        f"{len(heard)} segments of {len(found)} songs: rank correlation of sound and notes (with another song's); slope"
    )
    for column, name in enumerate(TWINS):
        a, b, c = heard[:, column], read[:, column], other[:, column]
        slope = float((a * b).sum() / max(float((a * a).sum()), 1e-12))
        agree, chance = (float(np.corrcoef(ranks(a), ranks(each))[0, 1]) for each in (b, c))
        print(f"{name:28} {agree:5.2f} ({chance:5.2f})  {slope:8.3f}")


if __name__ == "__main__":
    main()
