"""Trains the players: how loud and how early or late people play a note, from what stands around it.

Run: python -m hitpoint.model.training.players --played POP909_PLAYED --groove GROOVE -o players.safetensors

Three small networks (one hidden layer, twice), for accompaniment, tune and drums; targets are a note's velocity against
the mean of its bar, and its onset against the grid, in milliseconds, less the bar's own median, which is the beat
file's error rather than the player's. Parts that were moved to the grid teach no timing. Takes minutes on one core;
`hitpoint.model.perform.players` runs the networks without torch.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import nn

from hitpoint.model.data.splits import SPLITS, split_of
from hitpoint.model.files import file_sha256
from hitpoint.model.music.score import TICKS_PER_BAR, TICKS_PER_BEAT
from hitpoint.model.perform.features import STYLES, drums, pitched

PARTS = ("keys", "tune", "drums")
WIDTH, EPOCHS, BATCH, RATE = 48, 10, 1024, 3e-3
PLAYED_MS = 4.0
"""A part whose onsets spread less than this around the grid was moved to it."""
FARTHEST = 0.45
"""A note farther from its tick, in ticks, is an ornament or belongs to a grid that is not ours."""
SWUNG = ("shuffle", "swing", "purdieshuffle", "bembe", "slow", "halftime")
NOTE = (
    "How people play: velocity against the mean of the bar, onset against the grid. Keys and tune learnt from POP909 "
    "as it was played (MIT; the compositions belong to others); drums from the Groove MIDI Dataset v1.0.0 (Gillick, "
    "Roberts, Engel, Eck and Bamman 2019, Learning to Groove with Inverse Sequence Transformations, Magenta; "
    "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/; the weights are derived from it, the recordings are "
    "not contained)."
)


@dataclass
class Examples:
    """columns (n, c); velocity (n,): against the bar's mean; late_ms (n,): against the grid, NaN where none is taught;
    chords (n,): the simu-note that each note belongs to."""

    columns: NDArray[np.float32]
    velocity: NDArray[np.float32]
    late_ms: NDArray[np.float32]
    chords: NDArray[np.int64]


@dataclass
class _Played:
    """Notes of one part: tick from the start, how late in ms, pitch, length in ticks, velocity."""

    tick: NDArray[np.int64]
    late_ms: NDArray[np.float64]
    pitch: NDArray[np.int64]
    length: NDArray[np.float64]
    velocity: NDArray[np.float64]


def pop909(folder: Path, splits: Sequence[str] = SPLITS) -> dict[str, dict[str, list[tuple[NDArray[np.float64], ...]]]]:
    """Part -> split -> (columns, velocity, late) of each bar."""
    found = _empty()
    for song in sorted(each for each in folder.iterdir() if each.is_dir()):
        split = split_of(f"pop909/{song.name}")
        if split not in splits:
            continue
        beats = np.loadtxt(song / "beat_midi.txt")
        lines = np.flatnonzero(beats[:, 2] > 0.5)
        if len(lines) < 4 or np.bincount(np.diff(lines)).argmax() != 4:
            continue
        tracks = _tracks(song / f"{song.name}.mid")
        keys = _on_grid(tracks.get("PIANO", []), beats[:, 0], int(lines[0]))
        tune = _on_grid(tracks.get("MELODY", []), beats[:, 0], int(lines[0]))
        bpm = 60.0 / float(np.median(np.diff(beats[:, 0])))
        for name, part, other in (("keys", keys, tune), ("tune", tune, keys)):
            moved = float(np.std(part.late_ms)) < PLAYED_MS if len(part.tick) else True
            for bar, inside in _bars(part):
                there = other.tick[other.tick // TICKS_PER_BAR == bar] % TICKS_PER_BAR
                rows = pitched(part.tick[inside] % TICKS_PER_BAR, part.pitch[inside], part.length[inside], there, bpm)
                found[name][split].append((rows, *_targets(part, inside, moved)))
    return found


def groove(folder: Path, splits: Sequence[str] = SPLITS) -> dict[str, dict[str, list[tuple[NDArray[np.float64], ...]]]]:
    """The drums, as `pop909`; the data set's own splits."""
    found = _empty()
    with (folder / "info.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        style, _, kind = row["style"].partition("/")
        if row["split"] not in splits or row["time_signature"] != "4-4" or kind in SWUNG or style not in STYLES:
            continue
        bpm = float(row["bpm"])
        beats = np.arange(0, float(row["duration"]) + 60.0, 60.0 / bpm)
        notes = [note for track in _tracks(folder / row["midi_filename"]).values() for note in track]
        part = _on_grid(notes, beats, 0)
        for _, inside in _bars(part):
            rows_of = drums(part.tick[inside] % TICKS_PER_BAR, part.pitch[inside], style, bpm)
            found["drums"][row["split"]].append((rows_of, *_targets(part, inside, False)))
    return found


def _empty() -> dict[str, dict[str, list[tuple[NDArray[np.float64], ...]]]]:
    return {part: {split: [] for split in SPLITS} for part in PARTS}


def _tracks(path: Path) -> dict[str, list[tuple[float, float, int, int]]]:
    """Name -> (onset s, length s, pitch, velocity) of each note."""
    file = mido.MidiFile(str(path), clip=True)
    tempi = sorted({(at, m.tempo) for track in file.tracks for at, m in _absolute(track) if m.type == "set_tempo"})
    starts, us = np.array([0, *(at for at, _ in tempi)]), np.array([500_000, *(tempo for _, tempo in tempi)])
    passed = np.concatenate([[0.0], np.cumsum(np.diff(starts) * us[:-1])]) / 1e6 / file.ticks_per_beat

    def seconds(at: int) -> float:
        index = int(np.searchsorted(starts, at, "right")) - 1
        return float(passed[index] + (at - starts[index]) * us[index] / 1e6 / file.ticks_per_beat)

    found: dict[str, list[tuple[float, float, int, int]]] = {}
    for track in file.tracks:
        held: dict[int, tuple[int, int]] = {}
        notes = found.setdefault(track.name, [])
        for at, message in _absolute(track):
            if message.type in ("note_on", "note_off") and message.note in held:
                begun, velocity = held.pop(message.note)
                notes.append((seconds(begun), seconds(at) - seconds(begun), message.note, velocity))
            if message.type == "note_on" and message.velocity > 0:
                held[message.note] = (at, message.velocity)
    return found


def _absolute(track: mido.MidiTrack) -> Iterator[tuple[int, mido.Message]]:
    now = 0
    for message in track:
        now += message.time
        yield now, message


def _on_grid(notes: Sequence[tuple[float, float, int, int]], beats_s: NDArray[np.float64], first: int) -> _Played:
    """Notes on the sixteenths of the beats, counted from beat `first`; those far from any are left out."""
    table = np.array(sorted(notes), float).reshape(-1, 4)
    number = np.arange(len(beats_s)) - first
    at = np.interp(table[:, 0], beats_s, number, left=np.nan, right=np.nan) * TICKS_PER_BEAT
    ends = np.interp(table[:, 0] + table[:, 1], beats_s, number) * TICKS_PER_BEAT
    near = np.isfinite(at) & (np.abs(at - np.rint(at)) <= FARTHEST) & (at > -FARTHEST)
    table, at, ends = table[near], at[near], ends[near]
    tick = np.rint(at).astype(int)
    beat = np.clip(tick // TICKS_PER_BEAT + first, 0, len(beats_s) - 2)
    tick_ms = np.diff(beats_s)[beat] / TICKS_PER_BEAT * 1000
    order = np.lexsort((table[:, 2], tick))
    return _Played(tick[order], ((at - tick) * tick_ms)[order], table[order, 2].astype(int), (ends - at)[order],
                   table[order, 3])  # fmt: skip


def _bars(part: _Played) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """(bar, the indices of its notes)."""
    bar = part.tick // TICKS_PER_BAR
    for each in np.unique(bar):
        yield int(each), np.flatnonzero(bar == each)


def _targets(part: _Played, inside: NDArray[np.int64], moved: bool) -> tuple[NDArray[np.float64], ...]:
    """(velocity against the mean, ms late against the median, tick) of the notes."""
    velocity, late = part.velocity[inside], part.late_ms[inside]
    late = np.full(len(inside), np.nan) if moved else late - np.median(late)
    return velocity - velocity.mean(), late, part.tick[inside].astype(float)


def joined(bars: Sequence[tuple[NDArray[np.float64], ...]]) -> Examples:
    """Bars as one table."""
    columns, velocity, late, tick = (np.concatenate(each) for each in zip(*bars, strict=True))
    number = np.repeat(np.arange(len(bars)), [len(bar[0]) for bar in bars])
    _, chords = np.unique(number * 100 + tick % TICKS_PER_BAR, return_inverse=True)
    return Examples(columns.astype(np.float32), velocity.astype(np.float32), late.astype(np.float32), chords)


def fit(train: Examples, seed: int = 0) -> nn.Sequential:
    """The network of one part: columns -> (velocity, ms late), both in units of their spread."""
    torch.manual_seed(seed)
    mean, spread = train.columns.mean(0), train.columns.std(0) + 1e-3
    taught = np.isfinite(train.late_ms)
    scale = np.array([train.velocity.std(), train.late_ms[taught].std()], np.float32)
    net = nn.Sequential(nn.Linear(train.columns.shape[1], WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh(),
                        nn.Linear(WIDTH, 2))  # fmt: skip
    x = torch.from_numpy((train.columns - mean) / spread)
    y = torch.from_numpy(np.stack([train.velocity, np.nan_to_num(train.late_ms)], 1) / scale)
    weight = torch.from_numpy(np.stack([np.ones(len(taught)), taught], 1).astype(np.float32))
    steps = EPOCHS * (len(x) // BATCH + 1)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1)
    for _ in range(EPOCHS):
        for rows in torch.split(torch.randperm(len(x)), BATCH):
            loss = (weight[rows] * (net(x[rows]) - y[rows]) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    with torch.no_grad():  # units and centre of the columns, and those of what is asked, go into the outer layers
        first, last = net[0], net[4]
        assert isinstance(first, nn.Linear) and isinstance(last, nn.Linear)
        first.weight.div_(torch.from_numpy(spread))
        first.bias.sub_(first.weight @ torch.from_numpy(mean))
        last.weight.mul_(torch.from_numpy(scale)[:, None])
        last.bias.mul_(torch.from_numpy(scale))
    return net


def explained(guess: NDArray[np.floating], true: NDArray[np.floating]) -> float:
    """R^2 against no deviation at all."""
    return float(1 - np.square(true - guess).sum() / np.square(true).sum())


def by_chord(values: NDArray[np.floating], chords: NDArray[np.int64]) -> NDArray[np.float64]:
    """Means over the notes of each simu-note."""
    return np.bincount(chords, values) / np.bincount(chords)


def linear(train: Examples, test: Examples) -> dict[str, float]:
    """What a linear map of the same columns explains of the test split."""
    found = {}
    for name in ("velocity", "late_ms"):
        target, true = getattr(train, name), getattr(test, name)
        ok, there = np.isfinite(target), np.isfinite(true)
        x = np.column_stack([train.columns[ok], np.ones(int(ok.sum()))]).astype(np.float64)
        weights = np.linalg.solve(x.T @ x + 10.0 * np.eye(x.shape[1]), x.T @ target[ok])
        guess = np.column_stack([test.columns, np.ones(len(test.columns))]) @ weights
        found[name] = explained(guess[there], true[there])
        if name == "velocity":
            found["velocity of a simu-note"] = explained(by_chord(guess, test.chords), by_chord(true, test.chords))
    return {name: round(value, 4) for name, value in found.items()}


def judged(net: nn.Sequential, test: Examples) -> dict[str, float]:
    """What the network explains of it."""
    with torch.no_grad():
        guess = net(torch.from_numpy(test.columns)).numpy().astype(np.float64)
    there = np.isfinite(test.late_ms)
    return {
        "velocity": round(explained(guess[:, 0], test.velocity), 4),
        "velocity of a simu-note": round(
            explained(by_chord(guess[:, 0], test.chords), by_chord(test.velocity, test.chords)), 4
        ),
        "late_ms": round(explained(guess[there, 1], test.late_ms[there]), 4),
        "sd of late_ms": round(float(test.late_ms[there].std()), 2),
        "sd of what is guessed": round(float(guess[there, 1].std()), 2),
        "notes": len(test.velocity),
    }


def main() -> None:
    """Read, fit, judge, write weights and card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--played", type=Path, required=True)
    parser.add_argument("--groove", type=Path, required=True)
    parser.add_argument("-o", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    started = time.process_time()
    played, drummed = pop909(options.played), groove(options.groove)
    print(f"read in {time.process_time() - started:.0f} s", flush=True)
    weights, figures = {}, {}
    for part in PARTS:
        source = drummed if part == "drums" else played
        train, test = joined(source[part]["train"]), joined(source[part]["test"])
        net = fit(train)
        figures[part] = {"network": judged(net, test), "linear map": linear(train, test), "mean": 0.0}
        print(part, json.dumps(figures[part]), f"{time.process_time() - started:.0f} s", flush=True)
        for name, values in net.state_dict().items():
            weights[f"{part}.{name}"] = values.numpy().astype(np.float32)
    save_file(weights, options.o)
    card = {
        "file": options.o.name,
        "sha256": file_sha256(options.o),
        "bytes": options.o.stat().st_size,
        "note": NOTE,
        "split": "pop909: crc32 of pop909/ID, mod 20: 0 test, 1 validation; groove: its own",
        "recipe": {"width": WIDTH, "epochs": EPOCHS, "batch": BATCH, "learning_rate": RATE, "threads": 1, "seed": 0},
        "parameters": int(sum(values.size for values in weights.values())),
        "processor_minutes": round((time.process_time() - started) / 60, 1),
        "held_out": {"unit": "share of the variance explained, test split", **figures},
    }
    options.o.with_name(f"{options.o.stem}.card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
