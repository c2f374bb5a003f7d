"""The composer `library`: music that exists already, cut so that one hears no seam, and made to hit the film.

Each section of the film gets a stretch of a piece, which the selector, the transposition and the joins make the
cheapest (`path`). The stretches become one piece (`joins`), and this keeps what the plan promises (`fit`). After scene-
aware background music synthesis (Wang et al., MM 2020), of which only the idea was at hand: forms and weights are ours.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hitpoint.model.compose.base import Account, Composer, ComposerOptions, Stats, check_regenerate
from hitpoint.model.compose.library.bars import KEY_BARS, Library, keys_of
from hitpoint.model.compose.library.fit import BOUND, Fitting
from hitpoint.model.compose.library.form import Noise, formed
from hitpoint.model.compose.library.joins import played
from hitpoint.model.compose.library.path import Candidates, Chooser, Chosen, Standing
from hitpoint.model.compose.library.reading import read_library, stamp_of
from hitpoint.model.compose.library.select.base import SELECTORS, Span
from hitpoint.model.compose.library.select.emotion import Emotion
from hitpoint.model.compose.library.transition import Bars, Transitions, last_bars
from hitpoint.model.compose.library.voicing import DRUMS, home_chord
from hitpoint.model.errors import UsageError
from hitpoint.model.music.chords import label_chords
from hitpoint.model.music.harmony import pitch_class_weights
from hitpoint.model.music.score import TICKS_PER_BAR, Bar, Note
from hitpoint.model.plan.types import Plan

TAKE_NOISE = 0.5
"""Standard deviation of what each piece costs more or less in takes after the first."""
KEPT_PATHS = 8
KEPT_BARS = 1024
"""Bars of which it is remembered what of the library they are."""
CHANGED: dict[str, object] = {"changed": True}
"""What is said of a section whose bars were written anew."""


class _Fitted(NamedTuple):
    """Bars as a plan wants them, and what had to be done to them, by kind."""

    bars: list[Bar]
    changed: Counter[str]


class LibraryComposer(Composer):
    """Stretches of a library, a section each, joined."""

    key = name = "library"
    uses_library = own_chords = True

    def __init__(self, library: Library, chooser: Chooser, folder: Path | None = None) -> None:
        """folder: from which the library was read, to be looked at for changes."""
        super().__init__()
        self.library, self._chooser = library, chooser
        self.sha256 = library.sha256
        self._paths: dict[tuple[Plan, int], list[Chosen]] = {}
        self._played: dict[tuple[Note, ...], tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._folder, self._stamp = folder, stamp_of(folder) if folder is not None else ""

    @classmethod
    def of(cls, library: Library, select: str = Emotion.key) -> LibraryComposer:
        """One that chooses from `library` in this way; by feeling and rhythm where none is named."""
        return cls(library, Chooser(library, SELECTORS.load(select).create(ComposerOptions(), library)))

    @property
    def transitions(self) -> Transitions:
        """What joins cost in this library."""
        return self._chooser.transitions

    @classmethod
    def create(cls, options: ComposerOptions) -> LibraryComposer:
        """As `hitpoint.model.compose.library.reading.read_library`. Raises UsageError where no library is named, or
        there is no such way of choosing."""
        if options.library is None:
            raise UsageError("the composer library needs music: name a folder of MIDI files or of shards by --library")
        selector = SELECTORS.load(options.select)
        library = read_library(options.library)
        return cls(library, Chooser(library, selector.create(options, library)), options.library)

    def is_stale(self) -> bool:
        """Whether a file of the library was changed, added or taken away."""
        return self._folder is not None and stamp_of(self._folder) != self._stamp

    def stream(self, plan: Plan, seed: int, history: Sequence[Bar] = ()) -> Iterator[Bar]:
        """The bars from `len(history)` on. Where somebody said live how the picture feels, or the history is not what
        this plan and seed give, the music goes on from there, each section with what follows best."""
        began = time.perf_counter()
        start = plan.scene_bar if len(history) >= plan.scene_bar else 0
        made = self._onwards(plan, seed, history[:start]) if start else iter(self._piece(plan, seed))
        last = list(itertools.islice(made, len(history) - start))[-1:]
        if last and last[0].notes != history[-1].notes:
            made = self._onwards(plan, seed, history)
        self.stats = Stats(seconds=time.perf_counter() - began, bars=len(plan.bars) - len(history))
        yield from made

    def path(self, plan: Plan, seed: int) -> list[Chosen]:
        """What each section plays. From any thread."""
        asked = (plan, seed)
        with self._lock:
            if asked not in self._paths:
                while len(self._paths) >= KEPT_PATHS:
                    self._paths.pop(next(iter(self._paths)))
                spans = [Span(plan, section.first_bar, section.end_bar) for section in plan.sections]
                self._paths[asked] = formed(self._chooser, spans, self._noise(spans, seed - plan.seed))
            return self._paths[asked]

    def account(self, plan: Plan, seed: int, bars: Sequence[Bar]) -> Account:
        """What each section plays, where it still does; how hits were met; what of the library is left out."""
        path = self.path(plan, seed)
        first = self._fitted(plan, path)
        stands = [self._stands(chosen.span, first.bars, bars) for chosen in path]
        rows = tuple(self._source(each) if same else CHANGED for each, same in zip(path, stands, strict=True))
        return Account((*told(first.changed), *_left_out(self.library)), rows)

    def _source(self, chosen: Chosen) -> dict[str, object]:
        piece = int(self.library.piece_of[chosen.route[0]])
        info = self.library.pieces[piece]
        return {
            "piece": info.file,
            "first_bar": int(chosen.route[0] - self.library.first[piece]),
            "transpose": chosen.transpose,
            "tempo_bpm": round(info.tempo_bpm, 3),
            "loops": int((np.diff(chosen.route) != 1).sum()),
            "valence": round(float(self.library.valence[chosen.route].mean()), 4),
            "arousal": round(float(self.library.arousal[chosen.route].mean()), 4),
            "cost": round(chosen.own, 4),
            "join_cost": round(chosen.join, 4),
        }

    @staticmethod
    def _stands(span: Span, first: Sequence[Bar], bars: Sequence[Bar]) -> bool:
        """Whether no bar of a span was written anew."""
        own = slice(span.first_bar, span.end_bar)
        return [bar.notes for bar in first[own]] == [bar.notes for bar in bars[own]]

    def _piece(self, plan: Plan, seed: int) -> list[Bar]:
        return self._fitted(plan, self.path(plan, seed)).bars

    def _others(self, candidates: Candidates, bar: Bar) -> Candidates:
        """Without those that begin with what a bar plays now, if that leaves any."""
        known = self._played.get(bar.notes)
        kept = np.flatnonzero(candidates.stretches.routes[:, 0] != (known[0] if known else -1))
        if not len(kept):
            return candidates
        return Candidates(candidates.span, candidates.stretches.some(kept), candidates.costs[kept])

    def _standing(self, bars: Sequence[Bar]) -> Standing:
        """The last of some bars: where it is one that was played from the library, what follows it there goes on."""
        known = self._played.get(bars[-1].notes)
        if known is None:
            return Standing(heard(bars))
        return Standing(last_bars(self.library, np.array([known[0]])), known[1])

    def _fitted(self, plan: Plan, path: Sequence[Chosen]) -> _Fitted:
        """The bars of a path as the plan wants them."""
        home = home_chord(int(self.library.column("key_out")[path[-1].route[-1]]), path[-1].transpose)
        fitting = Fitting(plan, home, plan.control >= BOUND)
        usual = {
            index: Counter((np.flatnonzero(self.library.onsets[chosen.route]) % TICKS_PER_BAR).tolist())
            for chosen in path
            for index in range(chosen.span.first_bar, chosen.span.end_bar)
        }
        bars = [fitting.bar(bar, usual[bar.index]) for bar in played(self.library, plan, path)]
        rows = [(int(row), chosen.transpose) for chosen in path for row in chosen.route]
        for bar, row in zip(bars, rows, strict=True):
            self._played.pop(bar.notes, None)
            self._played[bar.notes] = row
        for notes in list(self._played)[: max(0, len(self._played) - KEPT_BARS)]:
            self._played.pop(notes, None)
        return _Fitted(bars, fitting.changed)

    def next_stretch(self, plan: Plan, seed: int, history: Sequence[Bar]) -> Chosen:
        """What follows the history best up to the end of the section: the choice that has to be made at once, live."""
        span = _spans(plan, len(history), len(plan.bars))[0]
        return self._chooser.greedy(self._sets([span], seed - plan.seed), self._standing(history))[0]

    def _onwards(self, plan: Plan, seed: int, history: Sequence[Bar]) -> Iterator[Bar]:
        """What follows the history, stretch by stretch as it is needed: there is no time to look far ahead while it
        plays."""
        written = list(history)
        while len(written) < len(plan.bars):
            chosen = self.next_stretch(plan, seed, written)
            for bar in self._fitted(plan, [chosen]).bars:
                written.append(bar)
                yield bar

    def _sets(self, spans: Sequence[Span], take: int) -> list[Candidates]:
        """What each span may choose from."""
        noise = self._noise(spans, take)
        return [self._chooser.candidates(span, each) for span, each in zip(spans, noise, strict=True)]

    def _noise(self, spans: Sequence[Span], take: int) -> list[Noise]:
        """In takes after the first each piece costs a little more or less in each span."""
        if take == 0:
            return [None] * len(spans)
        draws = [np.random.default_rng([abs(take), take < 0, span.first_bar]) for span in spans]
        return [rng.normal(0.0, TAKE_NOISE, len(self.library.pieces)) for rng in draws]

    def regenerate(
        self, plan: Plan, bars: Sequence[Bar], first_bar: int, last_bar: int,
        instruments: Sequence[int] | None = None, seed: int = 0,
    ) -> list[Bar]:  # fmt: skip
        """As `Composer.regenerate`: other stretches, which go well with the bars before and after them."""
        check_regenerate(plan, bars, first_bar, last_bar, instruments)
        if instruments is not None and set(instruments) != set(plan.instruments):
            raise UsageError("the composer library takes all instruments of a bar from one piece; leave none out")
        sets = self._sets(_spans(plan, first_bar, last_bar + 1), seed - plan.seed)
        sets = [self._others(each, bars[each.span.first_bar]) for each in sets]
        before = Standing(heard(bars[:first_bar])) if first_bar else None
        after = heard(bars[last_bar + 1 :][:8], entry=True) if last_bar + 1 < len(bars) else None
        path = self._chooser.cheapest(sets, before, after)
        new = self._fitted(plan, path).bars
        return [*bars[:first_bar], *new, *bars[last_bar + 1 :]]


def _spans(plan: Plan, first: int, end: int) -> list[Span]:
    """The sections within bars [first, end), cut there."""
    cut = [(max(first, section.first_bar), min(end, section.end_bar)) for section in plan.sections]
    return [Span(plan, start, stop) for start, stop in cut if start < stop]


def told(changed: Counter[str]) -> list[str]:
    """What was done to meet the hits, in one sentence."""
    ways = {
        "doubled": "by doubling in octaves",
        "thinned": "by leaving notes out",
        "struck": "by a chord where the piece has none",
    }
    parts = [f"{changed[kind]} {way}" for kind, way in ways.items() if changed[kind]]
    return [f"the strengths of hits are met {', '.join(parts)}"] if parts else []


def _left_out(library: Library) -> list[str]:
    if not library.left_out:
        return []
    (name, reason), count = library.left_out[0], len(library.left_out)
    files = "1 file of the library is" if count == 1 else f"{count} files of the library are"
    return [f"{files} left out ({reason})" if name in reason else f"{files} left out ({name}: {reason})"]


def heard(bars: Sequence[Bar], entry: bool = False) -> Bars:
    """The last of some bars, or the first, as a transition hears it."""
    few = bars[:KEY_BARS] if entry else bars[-KEY_BARS:]
    bar, near = (few[0], few[:2]) if entry else (few[-1], few[-2:])
    chord = label_chords([replace(each, index=at) for at, each in enumerate(near)])[0 if entry else -1]
    pitches = [note.pitch for note in bar.notes if note.instrument != DRUMS]
    onsets = np.zeros((1, TICKS_PER_BAR), bool)
    onsets[0, [note.tick for note in bar.notes]] = True
    key = keys_of(pitch_class_weights(few)[None])
    pitch = np.array([np.mean(pitches) if pitches else np.nan])
    none = np.array([-2])
    return Bars(key, pitch, np.array([0 if chord is None else chord.number]), onsets, none, none)
