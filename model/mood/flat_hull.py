"""Corners around colours that lie in a plane, on a line or on one point: a polygon, its ends, the point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
NEAR = 1e-7


def flat_corners(points: Points, corners: int) -> Points:
    """At most `corners` (3 or more) points whose hull holds all of points (n, 3), which lie in a plane."""
    centre = points.mean(axis=0)
    _, sizes, axes = np.linalg.svd(points - centre, full_matrices=False)
    spanned = int((sizes > NEAR).sum())
    if spanned == 0:
        return points[:1]
    flat = (points - centre) @ axes[:2].T
    if spanned == 1:
        return points[[int(flat[:, 0].argmin()), int(flat[:, 0].argmax())]]
    polygon = _polygon(flat)
    while len(polygon) > corners and (fewer := _without_an_edge(polygon)) is not None:
        polygon = fewer
    return np.asarray(centre + polygon @ axes[:2])


def _turn(a: Points, b: Points, c: Points) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def _polygon(flat: Points) -> Points:
    """The convex hull of points (n, 2), turning left (Andrew's chain)."""
    ordered = flat[np.lexsort((flat[:, 1], flat[:, 0]))]
    halves = []
    for run in (ordered, ordered[::-1]):
        chain: list[Points] = []
        for point in run:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= NEAR:
                chain.pop()
            chain.append(point)
        halves += chain[:-1]
    return np.array(halves)


def _without_an_edge(polygon: Points) -> Points | None:
    """The polygon with the edge taken out that adds least when its neighbours are drawn on until they meet."""
    best: tuple[float, int, Points] | None = None
    count = len(polygon)
    for number in range(count):
        a, b, c, d = (polygon[(number + step) % count] for step in (-1, 0, 1, 2))
        across = (b - a)[0] * (c - d)[1] - (b - a)[1] * (c - d)[0]
        if abs(across) <= NEAR:
            continue
        share = ((c - b)[0] * (c - d)[1] - (c - b)[1] * (c - d)[0]) / across
        place = b + share * (b - a)
        if share >= 0 and _turn(b, c, place) <= NEAR:
            added = abs(_turn(b, c, place))
            if best is None or added < best[0]:
                best = added, number, place
    if best is None:
        return None
    kept = np.delete(polygon, [best[1], (best[1] + 1) % count], axis=0)
    return _polygon(np.concatenate([kept, best[2][None]]))
