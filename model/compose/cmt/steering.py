"""The writer of bars as kernels: what may come and what is welcome, of all streams at once, without asking the host.

The music is that of `write_bar` and of every leaning (tests hold them to each other, choice by choice): a stream has
the tables of its bar (`tables`), and a few numbers that say where its writer stands. Nothing here looks at a value, so
that a device may record it. Shapes: N streams; whole numbers are int64.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hitpoint.model.compose.cmt import wishes
from hitpoint.model.compose.cmt.grammar import FIFTH, MUD, PITCH_RANGE, BarTask, velocity_mask
from hitpoint.model.compose.cmt.presence import behind
from hitpoint.model.compose.cmt.tables import Teller
from hitpoint.model.compose.cmt.tune import BELOW_NATS, STEP_NATS
from hitpoint.model.compose.cmt.wishes import (
    CLASSES,
    FLOATS,
    INTS,
    PITCH_CLASSES,
    PLAYERS,
    SIZE,
    TICKS,
    numbers,
)
from hitpoint.model.music import tokens
from hitpoint.model.music.score import INSTRUMENTS
from hitpoint.model.music.tokens import BAR_LINE, DURATIONS, FIRST_TICK, MAX_SIMU_NOTE
from hitpoint.model.network.static_step import BAR, IDLE, LOCKED, NOTE, NOTES, ONSET, STAGE, TICK, TIME, TURN, Told

(
    PLAYER, NEXT, OWED, LOUDEST, LOW, HEARD, TICKS_HEARD, BEFORE, SUNG_ON, SUNG, ROOTED, BEGIN, TUNE, LEADER, LAGGING,
    USED, PLAYED,
) = range(TIME + 1, TIME + 18)  # fmt: skip
"""What is remembered of a stream besides: the instrument reached, the tick to come, onset ticks owed, the largest
simu-note of the tick, the lowest pitch that may come; the instruments heard, as bits of their classes, and on how many
ticks; the tune's last pitch but one, the tick and the pitch of its last; the chords whose root the bass has played, as
bits; the bar's first tick; who sings, who leads, whether it counts who lags behind; draws used up; and, for each class
of instruments, on how many ticks it has played."""
STATE = PLAYED + SIZE["instrument"]
DRAWS = 1 + TICKS * PLAYERS * (3 + 3 * MAX_SIMU_NOTE) + 1
"""More than a bar can use up: a density, and for each simu-note a beat, an instrument, a strength and its notes."""
_BASS, _DRUMS = INSTRUMENTS.index("bass"), INSTRUMENTS.index("drums")
_NEVER = float("-inf")
_LONG = 10**6


def told_of(task: BarTask, draws: np.random.Generator, teller: Teller) -> dict[str, NDArray[np.generic]]:
    """What a device is told of a bar, by the names of `Steering.told`. draws: whence its random numbers come.

    Raises UsageError where a leaning has no wishes.
    """
    made = teller.tables_of(task)
    wished, state = made.wishes, np.zeros(STATE, np.int64)
    state[[STAGE, TICK, PLAYER, NEXT]] = BAR, -1, -1, -1
    state[OWED] = made.density
    state[BEGIN] = task.index * TICKS
    state[[BEFORE, SUNG_ON, TUNE, LEADER]] = wished.before, -1, wished.tune, wished.leader
    state[LAGGING] = wished.lagging >= 0
    state[HEARD] = max(0, wished.lagging)
    return {
        "floats": made.floats, "ints": made.ints, "classes": made.classes, "state": state,
        "draws": draws.random(DRAWS),
    }  # fmt: skip


class Steering:
    """The kernels, for tensors on one device. Their tensors are told: see `told`."""

    told: Mapping[str, tuple[int, torch.dtype]] = {
        "floats": (numbers(FLOATS), torch.float32),
        "ints": (numbers(INTS), torch.int64),
        "classes": (numbers(CLASSES), torch.int16),
        "state": (STATE, torch.int64),
        "draws": (DRAWS, torch.float64),
    }
    """Name -> (numbers a stream, kind)."""

    def __init__(self, where: torch.device) -> None:
        def on(values: object, dtype: torch.dtype = torch.int64) -> Tensor:
            return torch.tensor(values, dtype=dtype, device=where)

        low, high = zip(*PITCH_RANGE, strict=True)
        self._low, self._high = on(low), on(high)
        self._classes = on(range(SIZE["pitch"]))
        self._pitch_classes = on(PITCH_CLASSES.tolist())
        self._beats = on(range(SIZE["beat"]))
        self._players = on(range(SIZE["instrument"]))
        self._lengths = on([_LONG, *DURATIONS])
        self._length_classes = on(range(SIZE["duration"]))
        velocities = [0.0 if allowed else _NEVER for allowed in velocity_mask()]
        self._velocities = on([velocities], torch.float32)
        lag = np.zeros((SIZE["instrument"], TICKS + 1, TICKS + 1, TICKS))
        for index in np.ndindex(PLAYERS, *lag.shape[1:]):
            player, heard, played, tick = index
            lag[player + 1, heard, played, tick] = behind(player, tick, heard, played)
        self._lag = on(lag.reshape(-1).tolist(), torch.float32)
        self._lag_of = on([each * lag[0].size for each in range(SIZE["instrument"])])
        steps = np.zeros(2 * SIZE["pitch"] + 1)
        for step, nats in STEP_NATS.items():
            steps[SIZE["pitch"] + step] = nats
        self._steps = on(steps.tolist(), torch.float32)
        # Whence a row's attributes come, by stage.
        zero, one, two, beat, density, owed, notes, player, pitch = range(9)
        self._columns = on([
            [zero] * 8,
            [one, one, density, zero, zero, zero, zero, zero],
            [one, beat, owed, zero, zero, zero, zero, zero],
            [two, zero, zero, notes, player, pitch, pitch + 1, pitch + 2],
            [zero] * 8,
        ])  # fmt: skip

    def open(self, told: Told) -> Tensor:
        """The rows (N, 8) that come next, as far as they are known, and in told's state their TIME."""
        s = told["state"]
        stage, tick, following = s[:, STAGE], s[:, TICK], s[:, NEXT]
        onset = stage == ONSET
        number = (s[:, NOTES] - 1).clamp(min=0)  # notes are owed from s[NOTES] - 1 down to 0
        count = s[:, LOCKED]
        standing = _table(told, "locked")
        at = (_place(s) * MAX_SIMU_NOTE + (count - 1 - number).clamp(min=0)).clamp(min=0)
        locked = _row(standing, at).long() * (count > 0)[:, None]
        same = following == tick
        zero = torch.zeros_like(stage)
        sources = torch.stack([
            zero, zero + 1, zero + 2, following + FIRST_TICK, s[:, OWED] + 1, s[:, OWED] + same, s[:, NOTES],
            s[:, PLAYER] + 1, *locked.unbind(1),
        ], dim=1)  # fmt: skip
        at_tick = torch.where(onset, following, tick.clamp(min=0))
        s[:, TIME].copy_(torch.where(stage == IDLE, 0, s[:, BEGIN] + at_tick))
        return sources.gather(1, self._columns[stage])

    def uniform(self, told: Told) -> Tensor:
        """(N, 1): the next random number of each stream."""
        return told["draws"].gather(1, told["state"][:, USED, None])

    def used(self, told: Told, draws: Tensor) -> None:
        """draws (N,): whether it is used up."""
        told["state"][:, USED].add_(draws)

    def drawing(self, told: Told, stage: int) -> Tensor:
        """(N,): streams that draw the row of a stage: not what stands already, nor a density that is asked for."""
        s = told["state"]
        here = s[:, STAGE] == stage
        if stage == NOTE:
            return here & (s[:, LOCKED] == 0)
        return here & (s[:, OWED] < 0) if stage == BAR else here

    def densities(self, told: Told) -> Tensor:
        """Nats (N, 18)."""
        return _table(told, "density")[:, 0]

    def instruments(self, told: Told) -> Tensor:
        """Nats (N, 6)."""
        s = told["state"]
        tick = s[:, NEXT].clamp(min=0)
        same = tick == s[:, TICK]
        last = torch.where(same, s[:, PLAYER] + 1, 0)
        at = (tick * (PLAYERS + 1) + last) * 2 + self._reached(told, tick, same)
        nats = _row(_table(told, "instrument"), at)
        return nats + self._lagging(s, tick, s[:, TICKS_HEARD] + ~same)

    def strengths(self, told: Told, player: Tensor) -> Tensor:
        """player (N,): classes of the instruments drawn. Nats (N, 10)."""
        s = told["state"]
        tick = s[:, NEXT].clamp(min=0)
        same = tick == s[:, TICK]
        at = (tick * PLAYERS + (player - 1).clamp(min=0)) * 2 + self._reached(told, tick, same)
        return _row(_table(told, "strength"), at)

    def pitches(self, told: Told) -> Tensor:
        """Nats (N, 129)."""
        s = told["state"]
        place, player, low = _place(s), s[:, PLAYER].clamp(min=0), s[:, LOW]
        by_tick = self._by_tick(told, s[:, TICK])
        top = s[:, NOTES] == 1
        nats = _row(_table(told, "pitch"), place)
        leads = torch.where(s[:, PLAYER] == s[:, LEADER], top * TICKS + s[:, TICK].clamp(min=0), 2 * TICKS)
        nats = nats + _row(_table(told, "lead"), leads)
        # The root, in a lowest note or a bass's first one under a chord.
        rooted = (s[:, ROOTED] & by_tick[:, wishes.STEP_BIT]) > 0
        first = torch.where(player == _BASS, ~rooted, low == self._low[player])
        root = _row(_table(told, "first"), place) * first[:, None]
        nats = nats + root * (self._pitch_classes == by_tick[:, wishes.ROOT, None])
        nats = nats + self._sung(told, by_tick, top)
        following = self._class_at(told, "following", place, low)
        nats = nats.scatter_add(1, following[:, None], self._nats_of(told, wishes.AGAIN))
        high = self._high[player] - s[:, NOTES] + 1
        outside = (self._classes <= low[:, None]) | (self._classes > high[:, None] + 1)
        return nats.masked_fill(outside, _NEVER)

    def durations(self, told: Told, pitch: Tensor) -> Tensor:
        """pitch (N,): classes of the pitches drawn. Nats (N, 37)."""
        s = told["state"]
        place = _place(s)
        by_tick = self._by_tick(told, s[:, TICK])
        by_place = _row(_table(told, "by_place"), place)
        exact = by_place[:, wishes.EXACT] * (s[:, OWED] == 0)
        most = by_place[:, wishes.LONGEST]
        least = torch.where(exact > 0, exact, 1)
        most = torch.where(exact > 0, exact, most)
        outside = (self._lengths < least[:, None]) | (self._lengths > most[:, None])
        foreign = (by_tick[:, wishes.NEXT_TONES] >> ((pitch - 1) % 12)) & 1 == 0
        against = foreign & (s[:, PLAYER] != _DRUMS)
        over = (self._length_classes >= by_tick[:, wishes.OVER_FROM, None]) & against[:, None]
        nats = over * self._nats_of(told, wishes.OVER)
        same = self._class_at(told, "length", place, (pitch - 1).clamp(min=0))
        nats = nats.scatter_add(1, same[:, None], self._nats_of(told, wishes.SAME_LENGTH))
        lead = by_tick[:, wishes.LENGTH] * (s[:, PLAYER] == s[:, LEADER])
        nats = nats.scatter_add(1, lead[:, None], self._nats_of(told, wishes.LEAD_LENGTH))
        return nats.masked_fill(outside, _NEVER)

    def velocities(self, told: Told) -> Tensor:
        """Nats (N, 17)."""
        return self._velocities.expand(len(told["state"]), -1)

    def beats(self, told: Told) -> tuple[Tensor, Tensor]:
        """Nats (N, 18), and whether any tick may come (N,)."""
        s = told["state"]
        reached, player, owed = s[:, TICK] + 1, s[:, PLAYER] + 1, s[:, OWED].clamp(min=0)
        by_tick = self._by_tick(told, s[:, TICK])
        met = (s[:, LOUDEST] >= by_tick[:, wishes.WANTED]).long()
        at = (reached * (PLAYERS + 1) + player) * 2 + met
        flags = _row(_table(told, "flags"), at)[:, 0]
        later = _row(_table(told, "turn"), reached * (TICKS + 1) + owed)
        mask = later.masked_fill((flags >= wishes.HELD)[:, None], _NEVER)
        again = torch.where(reached > 0, s[:, TICK] + FIRST_TICK, 0)[:, None]
        going = torch.where(flags & wishes.SAME > 0, 0.0, _NEVER)[:, None]
        mask = mask.scatter(1, again, going)
        possible = (mask[:, FIRST_TICK:] > _NEVER).any(dim=1)
        case = 1 + torch.sign(owed - by_tick[:, wishes.AHEAD])
        at = (reached * (PLAYERS + 1) + player) * 3 + case
        nats = mask + _row(_table(told, "beat"), at)
        lag = self._lagging(s, s[:, TICK].clamp(min=0), s[:, TICKS_HEARD])
        most = (lag * (self._players > player[:, None])).amax(dim=1, keepdim=True)
        nats = nats.scatter_add(1, again, most)
        over = (self._beats == BAR_LINE) & ~possible[:, None]
        return torch.where(over, 0.0, nats), possible

    def settle(self, told: Told, row: Tensor, onsets: bool, notes: bool) -> None:
        """Go on behind the rows (N, 8). onsets, notes: whether there may be any among them."""
        s = told["state"]
        stage = s[:, STAGE]
        new: dict[int, Tensor] = {}
        is_bar, is_note = stage == BAR, stage == NOTE
        done = is_bar | (is_note & (s[:, NOTES] == 1))
        new[STAGE] = torch.where(done, TURN, stage)
        new[OWED] = torch.where(is_bar, row[:, tokens.DENSITY] - 1, s[:, OWED])
        if notes:
            self._settle_notes(told, row, is_note, new)
        if onsets:
            self._settle_onsets(told, row, stage == ONSET, new)
        columns = list(s.unbind(1))
        for column, values in new.items():
            columns[column] = values
        s.copy_(torch.stack(columns, dim=1))

    def due(self, told: Told) -> Tensor:
        """(N,): streams behind a bar's row or a simu-note's last."""
        return told["state"][:, STAGE] == TURN

    def turn(self, told: Told, beat: Tensor) -> None:
        """beat (N,): the classes drawn, by the streams whose beat was due."""
        s = told["state"]
        due = self.due(told)
        s[:, NEXT].copy_(torch.where(due, beat - FIRST_TICK, s[:, NEXT]))
        s[:, STAGE].copy_(torch.where(due, torch.where(beat >= FIRST_TICK, ONSET, IDLE), s[:, STAGE]))

    def _settle_notes(self, told: Told, row: Tensor, is_note: Tensor, new: dict[int, Tensor]) -> None:
        s = told["state"]
        tick, player, owed = s[:, TICK], s[:, PLAYER].clamp(min=0), s[:, NOTES] - 1
        pitch = row[:, tokens.PITCH] - 1
        apart = (pitch < MUD) & (pitch + FIFTH + owed <= self._high[player]) & (player != _DRUMS) & (player != _BASS)
        new[LOW] = torch.where(is_note, pitch + torch.where(apart, FIFTH, 1), s[:, LOW])
        new[NOTES] = torch.where(is_note, owed, s[:, NOTES])
        drawn = is_note & (s[:, LOCKED] == 0)
        sings = drawn & (player == s[:, TUNE])
        moved = sings & (s[:, SUNG_ON] >= 0) & (s[:, SUNG_ON] != tick)
        new[BEFORE] = torch.where(moved, s[:, SUNG], s[:, BEFORE])
        new[SUNG_ON] = torch.where(sings, tick, s[:, SUNG_ON])
        new[SUNG] = torch.where(sings, pitch, s[:, SUNG])
        bit = self._by_tick(told, tick)[:, wishes.STEP_BIT]
        new[ROOTED] = s[:, ROOTED] | (bit * (drawn & (player == _BASS)))

    def _settle_onsets(self, told: Told, row: Tensor, onset: Tensor, new: dict[int, Tensor]) -> None:
        s = told["state"]
        following, player = s[:, NEXT], row[:, tokens.INSTRUMENT]
        strength = row[:, tokens.STRENGTH] - 1
        same = following == s[:, TICK]
        fresh = onset & ~same
        new[STAGE] = torch.where(onset, NOTE, new[STAGE])
        new[TICK] = torch.where(onset, following, s[:, TICK])
        new[PLAYER] = torch.where(onset, player - 1, s[:, PLAYER])
        new[OWED] = new[OWED] - fresh.long()
        loudest = torch.maximum(s[:, LOUDEST] * same, strength)
        new[LOUDEST] = torch.where(onset, loudest, s[:, LOUDEST])
        new[NOTES] = torch.where(onset, strength, new.get(NOTES, s[:, NOTES]))
        new[LOW] = torch.where(onset, self._low[(player - 1).clamp(min=0)], new.get(LOW, s[:, LOW]))
        place = (following * PLAYERS + player - 1).clamp(min=0)
        standing = _row(_table(told, "by_place"), place)[:, wishes.STANDING]
        new[LOCKED] = torch.where(onset, standing, s[:, LOCKED])
        new[TICKS_HEARD] = s[:, TICKS_HEARD] + fresh.long()
        heard = (s[:, LAGGING] * onset) << player
        new[HEARD] = s[:, HEARD] | heard
        played = s[:, PLAYED:] + ((self._players == player[:, None]) & onset[:, None])
        new |= {PLAYED + number: column for number, column in enumerate(played.unbind(1))}

    def _lagging(self, s: Tensor, tick: Tensor, heard: Tensor) -> Tensor:
        """(N, 6): the nats for who lags behind, by class."""
        heard = heard.clamp(max=TICKS)  # whoever is not asked may stand anywhere
        at = self._lag_of + ((heard[:, None] * (TICKS + 1) + s[:, PLAYED:]) * TICKS + tick[:, None])
        counts = (s[:, HEARD, None] >> self._players) & 1
        return self._lag[at] * counts

    def _sung(self, told: Told, by_tick: Tensor, top: Tensor) -> Tensor:
        """(N, 129): by the pitch that was sung last, for whoever sings."""
        s = told["state"]
        moved = (s[:, SUNG_ON] >= 0) & (s[:, SUNG_ON] != s[:, TICK])
        before = torch.where(moved, s[:, SUNG], s[:, BEFORE])
        sings = (s[:, PLAYER] == s[:, TUNE]) & (before >= 0) & (by_tick[:, wishes.GIVEN] == 0)
        step = self._classes - 1 - before[:, None]
        nats = self._steps[step + SIZE["pitch"]]
        nats = nats + (step == by_tick[:, wishes.MOVES, None]) * self._nats_of(told, wishes.MOVE)
        below = (step >= -2) * BELOW_NATS
        return torch.where(top[:, None], nats, below) * sings[:, None]

    def _reached(self, told: Told, tick: Tensor, same: Tensor) -> Tensor:
        """(N,): SHORT or REACHED, on a tick about to be written."""
        wanted = self._by_tick(told, tick)[:, wishes.WANTED]
        return (told["state"][:, LOUDEST] * same >= wanted).long()

    def _by_tick(self, told: Told, tick: Tensor) -> Tensor:
        return _row(_table(told, "by_tick"), tick + 1)

    def _nats_of(self, told: Told, which: int) -> Tensor:
        """(N, 1)."""
        return _table(told, "nats")[:, 0, which, None]

    def _class_at(self, told: Told, name: str, place: Tensor, pitch: Tensor) -> Tensor:
        table = _table(told, name)
        return _row(table, place * SIZE["pitch"] + pitch)[:, 0].long()


def _tables() -> dict[str, tuple[str, int, int, int]]:
    """Name -> the tensor that a table lies in, from where to where, and how wide its rows are."""
    found = {}
    for buffer, shapes in (("floats", FLOATS), ("ints", INTS), ("classes", CLASSES)):
        begin = 0
        for name, shape in shapes.items():
            width = 1 if name in ("first", "flags", "following", "length") else shape[-1]
            found[name] = buffer, begin, begin + prod(shape), width
            begin += prod(shape)
    return found


_TABLES = _tables()


def _table(told: Told, name: str) -> Tensor:
    """(N, rows, width): a view."""
    buffer, begin, end, width = _TABLES[name]
    table = told[buffer][:, begin:end]
    return table.view(len(table), -1, width)


def _place(s: Tensor) -> Tensor:
    """(N,): the number of the tick and instrument reached."""
    return (s[:, TICK] * PLAYERS + s[:, PLAYER]).clamp(min=0)


def _row(table: Tensor, at: Tensor) -> Tensor:
    """table (N, rows, width), at (N,) -> (N, width)."""
    return table.gather(1, at[:, None, None].expand(-1, 1, table.shape[2]))[:, 0]
