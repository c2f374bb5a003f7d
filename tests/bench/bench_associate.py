"""What the associations that come with Hitpoint know of music that they were not learnt from, and how they choose.

Run: python tests/bench/bench_associate.py SHARDS [--learn N]

SHARDS: a folder of `hitpoint data build`. Held-out songs (split test) are searched: the true segment among 100, for its
virtual shot; beside the harmonium canonical correlation, learnt from N songs of the training split (all by default),
with whole ranks and with words alone, and chance. Then: how much of the sounds the word tells; segments against
those that people marked; and paths through a library of the held-out pop909_5 and real5, by --select association, by
emotion, and at random, for the example film and drawn ones.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))


from hitpoint.model.associate.association import Association, load
from hitpoint.model.associate.correlation import correlated
from hitpoint.model.associate.mine import NOISE, Song, mined, songs_of
from hitpoint.model.associate.segments import segments
from hitpoint.model.associate.sounds import SOUNDS
from hitpoint.model.compose.library.bars import Library
from hitpoint.model.compose.library.path import Candidates, Chooser, Chosen
from hitpoint.model.compose.library.reading import of_shard
from hitpoint.model.compose.library.select.association import Association as ByAssociation
from hitpoint.model.compose.library.select.association import look_of
from hitpoint.model.compose.library.select.base import Span
from hitpoint.model.compose.library.select.emotion import Emotion
from hitpoint.model.compose.library.transition import entry_bars, last_bars
from hitpoint.model.data.build import Shard
from hitpoint.model.data.build import load as load_shard
from hitpoint.model.data.windows import piece_notes
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import Wishes
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.types import Clip
from tests.bench.heard_films import drawn

SETS = ("band", "pop909_5", "real5", "games")
AMONG, QUERIES = 100, 1000
FILMS = ("quick", "fades", "motion", "minutes")
SEEDS = 4
NEAR = ("off the beat", "on odd sixteenths", "notes a chord")
"""Busy bars have more off-beats, and chords of three notes more notes: what density and accents all but count."""


def joined(songs: list[Song], learnt: Association, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """All segments: looks with noise, sounds standardised."""
    looks = np.concatenate([song.looks for song in songs])
    sounds = learnt.standard(np.concatenate([song.sounds for song in songs]))
    return np.clip(looks + rng.normal(0, NOISE, looks.shape), 0, 1), sounds


def found_at(likeness, looks: np.ndarray, sounds: np.ndarray) -> np.ndarray:
    """P@1, 5, 10 of the true segment among AMONG."""
    rng = np.random.default_rng(1)
    hits = np.zeros(3)
    queries = rng.permutation(len(looks))[:QUERIES]
    for query in queries:
        others = rng.choice(np.delete(np.arange(len(looks)), query), AMONG - 1, replace=False)
        scores = likeness(looks[query : query + 1], sounds[np.append(query, others)])[0]
        before = (scores > scores[0]).sum() + (scores[1:] == scores[0]).sum() / 2
        hits += [before < 1, before < 5, before < 10]
    return hits / len(queries)


def retrieval(learnt: Association, train: list[Song], test: list[Song]) -> None:
    """Print how often the true segment is found, and how much of its sounds is known."""
    rng = np.random.default_rng(0)
    looks, sounds = joined(test, learnt, rng)
    shown, heard = joined(train, learnt, rng)
    straight = correlated(shown, heard)
    words = learnt.centres[learnt.words(shown)]
    of_words = correlated(words, heard)
    rows = {
        "harmonium": learnt.fit,
        "canonical correlation": straight.likeness,
        "the same, of words": lambda one, other: of_words.likeness(learnt.centres[learnt.words(one)], other),
        "chance": lambda one, other: rng.random((len(one), len(other))),
    }
    print(f"\nthe true segment among {AMONG}, {len(looks)} held-out segments       P@1   P@5  P@10")
    for name, likeness in rows.items():
        print(f"  {name:54}" + " ".join(f"{100 * value:5.1f}" for value in found_at(likeness, looks, sounds)) + " %")
    off = ((sounds - learnt.harmonium.expected_sounds(learnt.words(looks))) ** 2).mean()
    soft = ((sounds - learnt.expected(looks)) ** 2).mean()
    usual = ((sounds - heard.mean(axis=0)) ** 2).mean()
    print("squared error of the sounds, below the mean's: "
          f"from the word {1 - off / usual:.3f}, from the ranks {1 - soft / usual:.3f}")  # fmt: skip


def without_near(train: list[Song], test: list[Song]) -> None:
    """Print the same, learnt anew without the sounds that a twin all but counts."""
    near = [SOUNDS.index(name) for name in NEAR]
    train, test = (
        [Song(song.looks, np.delete(song.sounds, near, axis=1)) for song in songs] for songs in (train, test)
    )
    learnt, rng = mined(train, {}), np.random.default_rng(0)
    looks, sounds = joined(test, learnt, rng)
    shown, heard = joined(train, learnt, rng)
    print(f"\nlearnt anew without {', '.join(NEAR)}")
    for name, likeness in {"harmonium": learnt.fit, "canonical correlation": correlated(shown, heard).likeness}.items():
        print(f"  {name:54}" + " ".join(f"{100 * value:5.1f}" for value in found_at(likeness, looks, sounds)) + " %")
    off = ((sounds - learnt.harmonium.expected_sounds(learnt.words(looks))) ** 2).mean()
    print(f"  squared error below the mean's: {1 - off / ((sounds - heard.mean(axis=0)) ** 2).mean():.3f}")


def agreement(found: list[int], marked: list[int]) -> float:
    """F1 within a bar."""
    near = [any(abs(a - b) <= 1 for b in marked) for a in found]
    met = [any(abs(a - b) <= 1 for a in found) for b in marked]
    precision, recall = np.mean(near) if near else 0.0, np.mean(met) if met else 0.0
    return 2 * precision * recall / max(precision + recall, 1e-9) if found or marked else 1.0


def segmentation(shard: Shard) -> None:
    """Print how segments agree with people's."""
    rows, seen, rng = [], set(), np.random.default_rng(0)
    for piece in shard.pieces:
        labels = shard.labels_of(piece)
        if piece.split != "test" or piece.song in seen or labels is None or not labels[:, 8].any():
            continue
        seen.add(piece.song)
        marked = [bar for bar in np.flatnonzero(labels[:, 8] == 2).tolist() if bar]
        own = segments(piece_notes(shard, piece), piece.bars)[1:, 0].tolist()
        equal = list(range(8, piece.bars, 8))
        anyhow = rng.choice(np.arange(1, piece.bars), min(piece.bars - 1, len(marked)), replace=False).tolist()
        rows.append([agreement(each, marked) for each in (own, equal, anyhow)])
    means = np.mean(rows, axis=0)
    print(f"\nF1 of segments within a bar, {len(rows)} songs: ours {means[0]:.3f}, every 8 bars {means[1]:.3f}, "
          f"as many at random {means[2]:.3f}")  # fmt: skip


class Ways:
    """Ways of choosing from one library, and how what they choose fits."""

    def __init__(self, library: Library, learnt: Association) -> None:
        self.library, self.learnt = library, learnt
        self.by_look = ByAssociation(library, learnt)
        self.choosers = {"association": Chooser(library, self.by_look), "emotion": Chooser(library, Emotion())}
        self.cpu_s: list[float] = []

    def path(self, name: str, spans: list[Span], seed: int) -> list[Chosen]:
        """What one way chooses; "random": of all stretches."""
        if name == "random":
            chooser, rng = self.choosers["association"], np.random.default_rng(seed)
            return chooser.at_random([anything(chooser, span, rng) for span in spans], rng)
        chooser, began = self.choosers[name], time.process_time()
        found = chooser.cheapest([chooser.candidates(span) for span in spans])
        self.cpu_s += [time.process_time() - began] if name == "association" else []
        return found

    def fits(self, path: list[Chosen]) -> tuple[float, float]:
        """ln p of the looks, in standard deviations over all stretches of the length; D of the joins."""
        chooser, fits, joins = self.choosers["association"], [], []
        for each in path:
            stretches, _ = chooser.costs(each.span)
            every = self.learnt.fit(look_of(each.span)[None], self.by_look.heard(stretches))[0]
            own = int(np.flatnonzero((stretches.routes == each.route).all(axis=1))[0])
            fits.append(float((every[own] - every.mean()) / max(every.std(), 1e-9)))
        for a, b in pairwise(path):
            beside = last_bars(self.library, a.route[-1:]), entry_bars(self.library, b.route[:1])
            joins.append(float(chooser.transitions.between(*beside, b.transpose - a.transpose)[0]))
        return float(np.mean(fits)), float(np.mean(joins)) if joins else np.nan


def anything(chooser: Chooser, span: Span, rng: np.random.Generator) -> Candidates:
    """64 stretches that nothing has chosen."""
    stretches, _ = chooser.costs(span)
    kept = rng.choice(len(stretches), min(64, len(stretches)), replace=False)
    return Candidates(span, stretches.some(kept), np.zeros(len(kept)))


def choice(shard: Shard, learnt: Association) -> None:
    """Print how stretches suit looks, and join, by each way of choosing."""
    pieces = [piece for piece in shard.pieces if piece.split == "test" and piece.dataset in ("pop909_5", "real5")]
    library = of_shard(shard, pieces)
    began = time.process_time()
    ways = Ways(library, learnt)
    print(f"\n{len(library)} bars of {len(pieces)} pieces, ready in {time.process_time() - began:.1f} CPU-s")
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in (*ways.choosers, "random")}
    for path in (Path(__file__).parents[2] / "examples" / "film.mp4", *(drawn(name) for name in FILMS)):
        rhythm = analyse([Clip(path)])
        for seed in range(SEEDS):
            plan = build_plan(rhythm, Wishes(seed=seed))
            spans = [Span(plan, section.first_bar, section.end_bar) for section in plan.sections]
            for name, rows in figures.items():
                rows.append(ways.fits(ways.path(name, spans, seed)))
    print("  by              ln p of the look, in sd over all stretches   mean D of joins")
    for name, rows in figures.items():
        fit, join = np.nanmean(np.array(rows), axis=0)
        print(f"  {name:16}{fit:10.2f}{join:40.2f}")
    print(f"  choosing for a film: {np.max(ways.cpu_s):.2f} CPU-s at most")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--learn", type=int, default=0, help="songs for canonical correlation (0: all)")
    asked = parser.parse_args()
    shard, learnt = load_shard(asked.shards), load()
    print(f"learnt from {learnt.about}")
    segmentation(shard)
    test = songs_of(shard, "test", SETS, lambda share: None)
    train = songs_of(shard, "train", SETS, lambda share: None, asked.learn)
    retrieval(learnt, train, test)
    without_near(train, test)
    choice(shard, learnt)


if __name__ == "__main__":
    main()
