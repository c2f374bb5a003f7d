"""Teach the judge of peaks on rendered scenes: `python tests/bench/train_peaks.py [--further] [SEED …]`.

Renders the scenes of `impact_scenes.py` for the seeds (default 1 to 5), measures them with the detector, and fits the
small network whose weights `confidence.py` holds: each peak of the impact curve is an impact or none. Prints the file's
new tables. --further: goes on from the tables that are there, and stays near them. The seeds that `bench_impacts.py`
reports on (31 and up) are never used here.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

HIDDEN, STEPS, NETWORKS = 16, 1000, 4
FURTHER_STEPS, FURTHER_RATE, NEARNESS = 500, 0.004, 0.003
TRAP_WEIGHT = 3.0
"""Of a peak in a scene in which nothing strikes: such scenes are few, and what is found there is always wrong."""
TRUE_S, DOUBTFUL_S = 0.055, 0.09
"""A peak so near an impact is one; one that is a little further is neither taught as one nor as none."""


def examples(path: Path, truth: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(features (k, f), is an impact (k,), weight (k,)) of the peaks in a scene."""
    from hitpoint.model.video.detectors.motion import Motion
    from hitpoint.model.video.film import open_film
    from hitpoint.model.video.frames import decode

    detector, times = Motion(), []
    for frame in decode(open_film(path), 0.0, None):
        detector.measure(frame)
        times.append(frame.time_s)
    arrays = detector.finish()
    new = np.flatnonzero(arrays["is_new"])
    times_s, changes = np.array(times)[new], arrays["changes"][new]
    lengths_s = np.random.default_rng(len(times)).uniform(1.2, 4, 5)
    cuts = np.searchsorted(times_s, np.cumsum(lengths_s))
    whole, cut = np.array([0]), np.unique([0, *cuts[cuts < len(times_s) - 5]])  # once as it is, once cut into shots
    parts = [_of_peaks(times_s, changes, breaks, np.asarray(truth)) for breaks in (whole, cut)]
    features, is_impact, weight = (np.concatenate(each) for each in zip(*parts, strict=True))
    return features, is_impact, weight if truth else TRAP_WEIGHT * weight


def _of_peaks(times_s, changes, breaks, truth):
    from hitpoint.model.video.detectors import impact_peaks
    from hitpoint.model.video.detectors.impact_signs import impact_curve, kinds_and_moments_s, signs

    found = signs(times_s, changes, breaks)
    curve = impact_curve(found)
    at = impact_peaks.peaks(times_s, curve)
    if not len(at):
        return np.zeros((0, impact_peaks.FEATURES)), np.zeros(0), np.zeros(0)
    at_s = kinds_and_moments_s(found, times_s[at])[1]
    off_s = np.abs(at_s[:, None] - truth[None]).min(axis=1) if len(truth) else np.full(len(at), 9.0)
    is_impact = off_s < TRUE_S
    weight = np.where((off_s >= TRUE_S) & (off_s < DOUBTFUL_S), 0.3, 1.0)
    weight[((at_s < 0.2) | (at_s > times_s[-1] - 0.2)) & ~is_impact] = 0.0  # whose truth lies beyond the scene
    if len(breaks) > 1:
        weight[np.abs(times_s[breaks][:, None] - at_s[None]).min(axis=0) < 0.12] = 0.0
    return impact_peaks.features(found, curve, at), is_impact.astype(float), weight


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    """Tables of `confidence.py`: the mean of NETWORKS networks, as one, with the standardising of features folded in.

    Noise on the features, and one factor on all of them alike (everything is larger, or less in contrast), keep it from
    learning the renderer.
    """
    mean, spread = x.mean(0), x.std(0) + 1e-6
    inner, inner_bias, outer, outer_bias = [], [], [], 0.0
    for seed in range(NETWORKS):
        first, second = _network((x - mean) / spread, y, weight, 1 / spread, seed)
        inner.append(first.weight.detach().numpy() / spread)
        inner_bias.append(first.bias.detach().numpy() - inner[-1] @ mean)
        outer.append(second.weight.detach().numpy()[0] / NETWORKS)
        outer_bias += float(second.bias.detach()[0]) / NETWORKS
    stacked = [np.concatenate(each) for each in (inner, inner_bias, outer)]
    return dict(zip(("INNER", "INNER_BIAS", "OUTER"), stacked, strict=True)) | {"OUTER_BIAS": np.array([outer_bias])}


def _network(x, y, weight, scale, seed):
    import torch

    torch.manual_seed(seed)
    given, wanted, worth, scale = (torch.tensor(each, dtype=torch.float32) for each in (x, y, weight, scale))
    network = torch.nn.Sequential(torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 1))
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.02, weight_decay=0.03)
    for step in range(STEPS):
        if step == STEPS * 2 // 3:
            optimiser.param_groups[0]["lr"] = 0.005
        seen = network(_disturbed(given, scale))[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(seen, wanted, reduction="none")
        optimiser.zero_grad()
        (loss * worth).mean().backward()
        optimiser.step()
    return network[0], network[2]


def further(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    """Tables of `confidence.py` that suit these examples better, and are near the present ones."""
    import torch

    from hitpoint.model.video.detectors import confidence

    torch.manual_seed(0)
    mean, spread = x.mean(0), x.std(0) + 1e-6
    grown = np.hstack([confidence.INNER, np.zeros((len(confidence.INNER), x.shape[1] - confidence.INNER.shape[1]))])
    begun = (grown * spread, confidence.INNER_BIAS + grown @ mean)
    begun = [torch.tensor(each, dtype=torch.float32) for each in (*begun, confidence.OUTER, confidence.OUTER_BIAS)]
    inner, inner_bias, outer, outer_bias = tables = [torch.nn.Parameter(each.clone()) for each in begun]
    given, wanted, worth = (torch.tensor(each, dtype=torch.float32) for each in ((x - mean) / spread, y, weight))
    scale = torch.tensor(1 / spread, dtype=torch.float32)
    optimiser = torch.optim.Adam(tables, lr=FURTHER_RATE)
    for step in range(FURTHER_STEPS):
        if step == FURTHER_STEPS * 2 // 3:
            optimiser.param_groups[0]["lr"] = FURTHER_RATE / 4
        judged = torch.tanh(_disturbed(given, scale) @ inner.T + inner_bias) @ outer + outer_bias
        loss = torch.nn.functional.binary_cross_entropy_with_logits(judged, wanted, reduction="none")
        away = sum(((now - then) ** 2).sum() for now, then in zip(tables, begun, strict=True))
        optimiser.zero_grad()
        ((loss * worth).mean() + NEARNESS * away).backward()
        optimiser.step()
    inner, inner_bias, outer, outer_bias = (each.detach().numpy().astype(float) for each in tables)
    inner = inner / spread
    return {"INNER": inner, "INNER_BIAS": inner_bias - inner @ mean, "OUTER": outer, "OUTER_BIAS": outer_bias}


def levelled(tables: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    """The tables with the bias at which, where something strikes at all, a peak of confidence p is an impact p of the
    time: traps that weigh more than they are frequent made it too low."""
    judged = np.tanh(x @ tables["INNER"].T + tables["INNER_BIAS"]) @ tables["OUTER"] + tables["OUTER_BIAS"]
    told, sign = weight <= 1, 1 - 2 * y
    shifts = np.linspace(-3, 3, 121)
    loss = [np.average(np.logaddexp(0, (sign * (judged + shift))[told]), weights=weight[told]) for shift in shifts]
    return tables | {"OUTER_BIAS": tables["OUTER_BIAS"] + shifts[int(np.argmin(loss))]}


def _disturbed(given, scale):
    import torch

    return given + 0.12 * torch.randn_like(given) + 0.4 * torch.randn(len(given), 1) * scale


def as_python(tables: dict[str, np.ndarray]) -> str:
    """The tables as `confidence.py` writes them."""
    lines = ["# fmt: off"]
    for name, table in tables.items():
        rows = [", ".join(f"{value:.3f}" for value in row) for row in np.atleast_2d(table)]
        cells = ",\n".join(f"[{row}]" for row in rows) if table.ndim == 2 else rows[0]
        body = "\n".join(
            textwrap.fill(line, 118, initial_indent="    ", subsequent_indent="     ") for line in cells.split("\n")
        )
        lines.append(f"{name}: Floats = np.array([\n{body},\n])")
    return "\n".join([*lines, "# fmt: on"])


def main() -> None:
    """Render, measure, fit, print."""
    from tests.bench.bench_impacts import scenes

    seeds = [int(each) for each in sys.argv[1:] if each.isdigit()] or [1, 2, 3, 4, 5]
    parts = [examples(scene.path, scene.truth) for scene in scenes(seeds)]
    x, y, weight = (np.concatenate(each) for each in zip(*parts, strict=True))
    print(f"# {len(y)} peaks, {int(y.sum())} of them impacts, in {len(parts)} scenes")
    tables = further(x, y, weight) if "--further" in sys.argv else fit(x, y, weight)
    print(as_python(levelled(tables, x, y, weight)))


if __name__ == "__main__":
    main()
