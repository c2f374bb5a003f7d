"""Which notes of a guessed roll a bar gets, so that density and strengths are what the plan asks, whatever was guessed.

A tick's score is its largest onset log-odds. What must sound comes first, then the best of the rest until the density
is reached; an accent gets the best `strength` pitches of one instrument, every other tick all pitches more likely than
not, one at least. The log-odds that are given up this way are the pressure.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from hitpoint.model.compose.cmt.grammar import PITCH_RANGE, Grammar, lowest_after
from hitpoint.model.music.roll import LOWEST, PITCHES, PLAYERS
from hitpoint.model.music.score import MAX_STRENGTH, TICKS_PER_BAR
from hitpoint.model.music.tokens import MAX_SIMU_NOTE

NEVER = np.float32(-1e9)
HABIT, HABIT_BARS = 4.0, 8
"""A tick on which all of the HABIT_BARS before have an onset is so many nats likelier than one where none has."""
USUAL = np.array([0.91, 0.29, 0.83, 0.37, 0.89, 0.32, 0.84, 0.39, 0.89, 0.29, 0.82, 0.37, 0.88, 0.32, 0.83, 0.37])
USUAL_BARS = 2
"""How many of the training songs' bars have an onset on each tick; it counts as so many bars before the first."""

Onsets = dict[tuple[int, int], list[int]]
"""(tick, instrument) -> pitches that start there, rising."""


class Chooser:
    """The onsets of one bar."""

    def __init__(
        self, grammar: Grammar, logits: NDArray[np.float32], allowed: NDArray[np.bool_] | None = None,
        others: Collection[int] = (), habit: NDArray[np.float64] | None = None,
    ) -> None:  # fmt: skip
        """grammar: of the bar, with all instruments that are still to be written, those of the roll and `others`, who
        write after it. logits (2, 16, 88): of onsets, in the order of PLAYERS. allowed (16, 88): pitches that may
        start. habit (16,): nats by which each tick is the likelier for the bars before.
        """
        self._grammar, self._others = grammar, others
        self._logits = np.full((len(PLAYERS), TICKS_PER_BAR, PITCHES), NEVER, np.float32)
        for number, player in enumerate(PLAYERS):
            low, high = PITCH_RANGE[player]
            for tick in range(grammar.ticks):
                if player in grammar.open[tick] and (tick, player) not in grammar.locked:
                    rows = slice(low - LOWEST if low > LOWEST else 0, high - LOWEST + 1)
                    self._logits[number, tick, rows] = logits[number, tick, rows]
        if allowed is not None:
            bound = allowed | ~allowed.any(axis=1, keepdims=True)
            self._logits = np.where(bound, self._logits, NEVER)
        self._score = self._logits.max(axis=(0, 2))
        self._liked = self._score if habit is None else self._score + habit
        self.pressure = {"onset": 0.0, "pitch": 0.0}

    def choose(self) -> Onsets:
        """Ticks first, then their pitches."""
        found: Onsets = {}
        musts = set(self._grammar.musts)
        mine = {tick for tick, player in self._grammar.entries if player in PLAYERS}
        mine |= {tick for tick in self._grammar.required if self._score[tick] > NEVER}
        for tick in sorted(mine | {tick for tick in musts if self._score[tick] > 0} | set(self._free(musts))):
            found |= self._pitches(tick)
        return found

    def _free(self, musts: set[int]) -> list[int]:
        """The ticks besides those that must sound."""
        able = [tick for tick in range(self._grammar.ticks) if tick not in musts and self._score[tick] > NEVER]
        able.sort(key=lambda tick: (-float(self._liked[tick]), tick))
        natural = sum(bool(self._liked[tick] > 0) for tick in able)
        count = natural if musts or self._others else max(natural, min(1, len(able)))
        if self._grammar.task.density is not None:
            asked = int(self._grammar.densities().argmax()) - 1 - len(musts)
            count = min(natural, asked) if self._others else asked
            while count < min(asked, len(able)) and self._left_to_others(able[:count], musts) < asked - count:
                count += 1
        self.pressure["onset"] += float(np.abs(self._score[able[min(count, natural) : max(count, natural)]]).sum())
        return able[:count]

    def _left_to_others(self, taken: Sequence[int], musts: set[int]) -> int:
        """How many more ticks those who write after the roll can start on."""
        return sum(
            bool(set(self._grammar.open[tick]) & set(self._others))
            for tick in range(self._grammar.ticks)
            if tick not in taken and tick not in musts
        )

    def _pitches(self, tick: int) -> Onsets:
        """The pitches of a tick: at an accent as many as it asks of one instrument and no more of the other."""
        wanted = self._grammar.required.get(tick)
        chief = self._chief(tick, wanted)
        most = self._grammar.task.caps.get(tick, MAX_SIMU_NOTE) if wanted is None else wanted
        found: Onsets = {}
        for number, player in enumerate(PLAYERS):
            due = wanted if wanted is not None and number == chief else int((tick, player) in self._grammar.entries)
            limit = due if wanted is not None and number == chief else min(most, MAX_STRENGTH[player] + 2)
            rows = self._best(number, tick, due or 0, max(limit or 0, due or 0))
            if rows:
                found[tick, player] = [LOWEST + row for row in rows]
        if not found and wanted is None and self._score[tick] > NEVER:
            number = int(self._logits[:, tick].max(axis=1).argmax())
            found[tick, PLAYERS[number]] = [LOWEST + row for row in self._best(number, tick, 1, 1)]
        return found

    def _chief(self, tick: int, wanted: int | None) -> int | None:
        """Who gives an accent its strength: of those who can, the one whose best pitches are the most likely."""
        if wanted is None or any(n >= wanted for (at, _), n in self._grammar.locked.items() if at == tick):
            return None
        able = [n for n, k in enumerate(PLAYERS) if MAX_STRENGTH[k] >= wanted and self._logits[n, tick].max() > NEVER]
        return max(able, key=lambda n: float(np.sort(self._logits[n, tick])[-wanted:].sum()), default=None)

    def _best(self, number: int, tick: int, least: int, most: int) -> list[int]:
        """Rows, rising: the most likely, `least` of them in any case, no more than `most`, not too near in the bass."""
        logits, player = self._logits[number, tick], PLAYERS[number]
        order = [int(row) for row in np.argsort(-logits, kind="stable") if logits[row] > NEVER]
        taken: list[int] = []
        for clear in (True, False):
            for row in order:
                if len(taken) >= (most if clear else least) or (logits[row] <= 0 and len(taken) >= least):
                    break
                if row not in taken and (not clear or _clear(row, taken, player)):
                    taken.append(row)
                    self.pressure["pitch"] += max(0.0, -float(logits[row]))
        self.pressure["pitch"] += float(sum(logits[row] for row in order if logits[row] > 0 and row not in taken))
        return sorted(taken)


def _clear(row: int, taken: Sequence[int], player: int) -> bool:
    """Whether a pitch lies far enough from those of its chord, in the bass, where close ones are mud."""
    return all(
        max(row, other) + LOWEST >= lowest_after(min(row, other) + LOWEST, player, 0) for other in taken if other != row
    )


def habit_of(before: Sequence[Collection[int]]) -> NDArray[np.float64]:
    """What the rhythm of the bars before makes likelier, (16,) nats. before: their ticks."""
    near = before[-HABIT_BARS:]
    counts = USUAL_BARS * USUAL + np.array([sum(tick in bar for bar in near) for tick in range(TICKS_PER_BAR)])
    shares = counts / (USUAL_BARS + len(near))
    return np.asarray(HABIT * (shares - shares.mean()))
