"""Teach the shot detector: `python -m hitpoint.model.training.shots --material FOLDER [--films N] [--out FILE]`.

Films are drawn and cut together by `edits`, measured as the analysis measures them, and a small network learns which
moments are cuts and which lie in the middle of a transition. FOLDER holds photographs and films of one shot each, to be
panned over and played; without it the pictures are drawn only. It takes about half a second of processor a film.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from hitpoint.model.files import file_sha256
from hitpoint.model.training.edits import CutFilm, Edge, cut_film
from hitpoint.model.training.pictures import HEIGHT_PX, WIDTH_PX, Image, Studio
from hitpoint.model.video.detectors import shot_network, shot_signs
from hitpoint.model.video.detectors.shot_choice import CORE_SHARE
from hitpoint.model.video.detectors.shot_looks import histogram
from hitpoint.model.video.detectors.shot_steps import Steps

OUT = Path(__file__).parents[1] / "checkpoints" / shot_network.WEIGHTS
HIDDEN = (64, 32)
EPOCHS, BATCH, RATE, DECAY = 15, 512, 3e-3, 0.02
NOISE = 0.08
"""Of the signs in training, in spreads of each."""
HELD_OUT = 10
"""Each so-manieth film only judges."""
CALM_SHARE = 0.2
"""Part of the moments kept where nothing happens."""

_Floats = NDArray[np.float32]


def material(folder: Path | None) -> tuple[list[Image], list[tuple[list[Image], float]]]:
    """(photographs, films with their rates) under `folder`, small."""
    stills: list[Image] = []
    films: list[tuple[list[Image], float]] = []
    for path in sorted(folder.iterdir()) if folder else []:
        image = cv2.imread(str(path))
        if image is not None and min(image.shape[:2]) > HEIGHT_PX:
            scale = 1.3 * max(288 / image.shape[1], 162 / image.shape[0])
            stills.append(
                np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
            )
        elif image is None:
            films.append((_frames(path), 25.0))
    return stills, [film for film in films if len(film[0]) > 10]


def _frames(path: Path) -> list[Image]:
    look = f"fps=25,scale={WIDTH_PX}:{HEIGHT_PX}:flags=area"
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", look, "-f", "rawvideo", "-pix_fmt", "bgr24", "-"]
    raw = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout
    whole = len(raw) // (HEIGHT_PX * WIDTH_PX * 3) * HEIGHT_PX * WIDTH_PX * 3
    return list(np.frombuffer(raw[:whole], np.uint8).reshape(-1, HEIGHT_PX, WIDTH_PX, 3))


def examples(seed: int, studio_of: Any) -> tuple[_Floats, _Floats]:
    """(k, SIGNS) signs and (k, 2) truths of the moments of one film: 1, 0, or -1 where either would do."""
    random = np.random.default_rng(seed)
    film = cut_film(random, studio_of(random))
    frames, signs = measured(film)
    if not len(frames):
        return np.zeros((0, shot_signs.SIGNS), np.float32), np.zeros((0, 2), np.float32)
    truth = truths(film.edges, frames)
    told = np.flatnonzero((truth != 0).any(axis=1))
    near = np.zeros(len(frames), bool)
    for moment in told:
        near[max(0, moment - 3) : moment + 4] = True
    middle = len(shot_signs.OFFSETS)
    change = signs[:, shot_signs.PAIR_OF[middle - 1, middle]]
    kept = near | (change > np.quantile(change, 0.75)) | (random.random(len(frames)) < CALM_SHARE)
    kept &= ~(truth < 0).all(axis=1)
    return signs[kept], truth[kept]


def measured(film: CutFilm) -> tuple[NDArray[np.int64], _Floats]:
    """(k,) frames at which a picture begins, and (k, SIGNS) the signs there, as the analysis would see them."""
    steps, stretches = Steps(), []
    for index, frame in enumerate(film.frames):
        luma = cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420)[:HEIGHT_PX]
        picture = shot_signs.thumbnail(np.asarray(luma, np.uint8), frame, histogram(frame))
        steps.add(picture, index / film.fps)
        stretches += list(steps.stretches())
    stretches += list(steps.stretches(is_last=True))
    frames = np.concatenate([np.zeros(0, np.int64), *(each.frames for each in stretches)])
    signs = [shot_signs.signs(each.pictures, each.shown, each.moments) for each in stretches]
    return frames, np.concatenate([np.zeros((0, shot_signs.SIGNS), np.float32), *signs])


def truths(edges: Sequence[Edge], frames: NDArray[np.int64]) -> _Floats:
    """(k, 2) whether a cut, and a transition's middle, lies between each picture and the one before it."""
    before = np.concatenate(([0], frames[:-1]))
    truth = np.zeros((len(frames), 2), np.float32)
    for edge in edges:
        if edge.kind == "cut":
            for first in (edge.first, edge.last):
                truth[(before < first) & (frames >= first), 0] = 1
            continue
        length, middle = edge.last - edge.first, (edge.first + edge.last - 1) / 2
        inside = np.flatnonzero((frames >= edge.first - 1) & (frames <= edge.last + 1))
        if not len(inside):
            continue
        distance = np.abs(frames[inside] - middle)
        core = distance <= max(1.0, CORE_SHARE / 2 * length, float(distance.min()))
        truth[inside, 1] = np.where(core, 1, -1)
        if edge.kind == "fade" or length <= 3:
            truth[inside, 0] = -1
    return truth


def mirrored() -> NDArray[np.int64]:
    """(SIGNS,) where each sign stands when the film runs backwards, which changes no boundary."""
    places = 2 * len(shot_signs.OFFSETS)
    pair = np.array([shot_signs.PAIR_OF[places - 1 - b, places - 1 - a] for a, b in shot_signs.PAIR_OF])
    parts = [kind * len(pair) + pair for kind in range(4)]
    parts.append(4 * len(pair) + np.arange(len(shot_signs.SHIFTED)))
    start = 4 * len(pair) + len(shot_signs.SHIFTED)
    parts += [start + row * places + np.arange(places)[::-1] for row in range(2)]
    return np.concatenate(parts)


def train(signs: _Floats, truth: _Floats, film: NDArray[np.int64]) -> tuple[dict[str, _Floats], dict[str, Any]]:
    """(weights, recall and precision on the films held out) of the network; film (k,): number of each moment's film."""
    torch.manual_seed(0)
    held = film % HELD_OUT == 0
    mean, spread = signs[~held].mean(axis=0), signs[~held].std(axis=0) + 0.05
    inputs, wanted = torch.from_numpy((signs - mean) / spread), torch.from_numpy(truth)
    network = torch.nn.Sequential(
        torch.nn.Dropout(0.1), torch.nn.Linear(signs.shape[1], HIDDEN[0]), torch.nn.ReLU(),
        torch.nn.Dropout(0.2), torch.nn.Linear(*HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN[1], 2),
    )  # fmt: skip
    taught = torch.from_numpy(np.flatnonzero(~held))
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * (len(taught) // BATCH))
    order = torch.from_numpy(mirrored())
    for _ in range(EPOCHS):
        shuffled = taught[torch.randperm(len(taught))]
        for number, start in enumerate(range(0, len(shuffled) - BATCH + 1, BATCH)):
            rows = shuffled[start : start + BATCH]
            batch = inputs[rows][:, order] if number % 2 else inputs[rows]
            loss = _loss(network(batch + NOISE * torch.randn_like(batch)), wanted[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    network.eval()
    with torch.no_grad():
        figures = _figures(network(inputs[held]).numpy(), truth[held])
    return _folded(network, mean, spread), figures


def _loss(said: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    known = (wanted >= 0).float()
    soft = wanted.clamp(0, 1) * 0.98 + 0.005
    loss = torch.nn.functional.binary_cross_entropy_with_logits(said, soft, reduction="none")
    return (loss * known).sum() / known.sum()


def _figures(said: _Floats, truth: _Floats) -> dict[str, Any]:
    found = {}
    for column, name in enumerate(("cut", "transition")):
        says, is_one = (said[:, column] > 0) & (truth[:, column] >= 0), truth[:, column] > 0
        right = int((says & is_one).sum())
        found[name] = {
            "recall": round(right / max(1, is_one.sum()), 3),
            "precision": round(right / max(1, says.sum()), 3),
        }
    return found


def _folded(network: torch.nn.Sequential, mean: _Floats, spread: _Floats) -> dict[str, _Floats]:
    """Weights (in, out) that take signs as they are."""
    layers = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    arrays: dict[str, _Floats] = {}
    for index, layer in enumerate(layers):
        weight, bias = layer.weight.detach().numpy().T, layer.bias.detach().numpy()
        if index == 0:
            weight = weight / spread[:, None]
            bias = bias - mean @ weight
        arrays[f"weight_{index}"] = np.ascontiguousarray(weight, np.float32)
        arrays[f"bias_{index}"] = np.asarray(bias, np.float32)
    return arrays


def main() -> None:
    """Draw, measure, train, write weights and card."""
    from safetensors.numpy import save_file

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--material", type=Path)
    parser.add_argument("--films", type=int, default=2000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    stills, films = material(chosen.material)
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.films)
    made = [examples(seed, lambda random: Studio(random, stills, films)) for seed in seeds]
    signs, truth = (np.concatenate([each[part] for each in made]) for part in range(2))
    film = np.repeat(np.arange(len(made)), [len(each[0]) for each in made])
    weights, figures = train(signs, truth, film)
    save_file(weights, chosen.out)
    card = {
        "name": "shots",
        "licence": "MIT",
        "task": "how sure it is that a cut, or the middle of a transition, lies at a moment",
        "parameters": sum(array.size for array in weights.values()),
        "films": len(made),
        "moments": len(film),
        "photographs": len(stills),
        "footage": len(films),
        "held_out": figures,
        "sha256": file_sha256(chosen.out),
    }
    chosen.out.with_suffix(".card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
