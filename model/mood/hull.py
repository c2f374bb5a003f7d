"""The convex hull of colours, and a simpler one around it: few corners from which every colour can be mixed.

An edge of the hull is replaced by one point outside it, again and again, always the edge for which this adds least
volume, until few corners are left (the simplification of palette extraction by convex hulls, Tan, Lien and Gingold
2016). All arithmetic is on a handful of points, so it is plain NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Face = tuple[int, int, int]
"""Corners, numbers of points, in the order in which they turn left as seen from outside."""

NEAR = 1e-7
"""Two things so near to each other, in steps of a colour, are one."""
FIRM = 1e-6
"""Three planes whose normals span less meet nowhere in particular."""


def hull_of(points: Points) -> list[Face] | None:
    """The faces of the convex hull of points (n, 3); None where they lie in a plane."""
    start = _first_four(points)
    if start is None:
        return None
    centre = points[list(start)].mean(axis=0)
    faces = [_outward(points, face, centre) for face in combinations(start, 3)]
    normals, offsets = _planes(points, faces)
    # The farthest come first, so that fewer points that lie on a face are taken for corners.
    for number in np.argsort(-((points - points.mean(axis=0)) ** 2).sum(axis=1), kind="stable").tolist():
        outside = normals @ points[number] - offsets > NEAR
        if not outside.any():
            continue
        seen = [face for face, is_seen in zip(faces, outside, strict=True) if is_seen]
        edges = {(a, b) for face in seen for a, b in zip(face, (*face[1:], face[0]), strict=True)}
        new = [(a, b, number) for a, b in sorted(edges) if (b, a) not in edges]
        kept = ~outside
        faces = [face for face, is_kept in zip(faces, kept, strict=True) if is_kept] + new
        more, more_offsets = _planes(points, new)
        normals = np.concatenate([normals[kept], more])
        offsets = np.concatenate([offsets[kept], more_offsets])
    return faces


def _first_four(points: Points) -> tuple[int, int, int, int] | None:
    """Four points that span a volume."""
    first = int(points.sum(axis=1).argmin())
    away = points - points[first]
    second = int((away**2).sum(axis=1).argmax())
    across = _cross(away, away[second])
    third = int((across**2).sum(axis=1).argmax())
    normal = across[third]
    size = float(np.linalg.norm(normal))
    if size <= NEAR:
        return None
    heights = np.abs(away @ normal) / size
    fourth = int(heights.argmax())
    return (first, second, third, fourth) if heights[fourth] > NEAR else None


def _cross(a: Points, b: Points) -> Points:
    """As numpy's, (..., 3), in a third of the time."""
    x, y, z = (a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1], a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2],
               a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])  # fmt: skip
    return np.stack([x, y, z], axis=-1)


def _outward(points: Points, face: Face, centre: Points) -> Face:
    a, b, c = points[list(face)]
    return face if np.dot(_cross(b - a, c - a), a - centre) > 0 else (face[0], face[2], face[1])


def _planes(points: Points, faces: Sequence[Face]) -> tuple[Points, NDArray[np.float64]]:
    """Unit outward normals (f, 3) and offsets (f,) of faces."""
    a, b, c = points[np.array(faces)].transpose(1, 0, 2)
    normals = _cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return normals, np.einsum("fi,fi->f", normals, a)


def simplified(points: Points, corners: int) -> Points | None:
    """At most `corners` (4 or more) points whose hull holds all of points (n, 3); None where they lie in a plane."""
    faces = hull_of(points)
    if faces is None:
        return None
    solved: dict[tuple[bytes, ...], Collapse] = {}
    while len(used := sorted({corner for face in faces for corner in face})) > corners:
        points, faces = _renumbered(points, faces, used)
        collapse = _cheapest(points, faces, solved)
        if collapse is None:
            break
        a, b, place = collapse
        points = np.concatenate([np.delete(points, [a, b], axis=0), place[None]])
        again = hull_of(points)
        if again is None:
            break
        faces = again
    return points[sorted({corner for face in faces for corner in face})]


def _renumbered(points: Points, faces: Sequence[Face], used: Sequence[int]) -> tuple[Points, list[Face]]:
    """Without the points that are no corners."""
    number = {old: new for new, old in enumerate(used)}
    return points[list(used)], [(number[a], number[b], number[c]) for a, b, c in faces]


Collapse = tuple[float, Points] | None
"""Volume that is added, and where both ends of an edge go; None where there is no such place."""


def _cheapest(
    points: Points, faces: Sequence[Face], solved: dict[tuple[bytes, ...], Collapse]
) -> tuple[int, int, Points] | None:
    """The edge whose collapse adds least, and where its ends go. solved: edges by the faces around them, which are not
    solved again while these stay."""
    normals, offsets = _planes(points, faces)
    at: dict[int, list[int]] = {}
    for number, face in enumerate(faces):
        for corner in face:
            at.setdefault(corner, []).append(number)
    words = [points[list(face)].tobytes() for face in faces]
    edges = sorted({(min(a, b), max(a, b)) for face in faces for a, b in combinations(face, 2)})
    around = {edge: sorted({*at[edge[0]], *at[edge[1]]}) for edge in edges}
    names = {edge: tuple(sorted(words[face] for face in around[edge])) for edge in edges}
    new = [edge for edge in edges if names[edge] not in solved]
    if new:
        most = max(len(around[edge]) for edge in new)
        which = np.array([[*around[edge], *around[edge][:1] * (most - len(around[edge]))] for edge in new])
        counts = np.arange(most) < np.array([len(around[edge]) for edge in new])[:, None]
        places = _collapsed(points[np.array(faces)[which]], normals[which], offsets[which], counts)
        solved.update(zip((names[edge] for edge in new), places, strict=True))
    best = min(((found[0], edge) for edge in edges if (found := solved[names[edge]]) is not None), default=None)
    if best is None:
        return None
    place = solved[names[best[1]]]
    assert place is not None
    return (*best[1], place[1])


def _collapsed(
    corners: NDArray[np.float64], normals: NDArray[np.float64], offsets: NDArray[np.float64], counts: NDArray[np.bool_]
) -> list[Collapse]:
    """Of edges with m faces around each (corners (e, m, 3, 3), normals (e, m, 3), offsets (e, m), counts (e, m): False
    where one is there only to fill the row): the point outside all of them that lies nearest to them in sum. A linear
    programme in three unknowns, whose optimum is a point in which three planes meet: all such points are tried.
    """
    first, second, third = np.array(list(combinations(range(normals.shape[1]), 3))).T
    a, b, c = normals[:, first], normals[:, second], normals[:, third]
    across = _cross(b, c)
    determinant = np.einsum("eni,eni->en", a, across)
    firm = np.abs(determinant) > FIRM
    places = offsets[:, first, None] * across
    places += offsets[:, second, None] * _cross(c, a) + offsets[:, third, None] * _cross(a, b)
    places /= np.where(firm, determinant, 1.0)[..., None]
    heights = places @ normals.transpose(0, 2, 1) - offsets[:, None]
    fits = firm & (heights >= -NEAR).all(axis=2)
    best = np.where(fits, (heights * counts[:, None]).sum(axis=2), np.inf).argmin(axis=1)
    edges = np.arange(len(best))
    place = places[edges, best]
    u, v, w = corners.transpose(2, 0, 1, 3)
    each = np.abs(np.einsum("emi,emi->em", _cross(v - u, w - u), place[:, None] - u))
    volumes = (each * counts).sum(axis=1) / 6.0
    return [
        (float(volume), where) if fit else None
        for volume, where, fit in zip(volumes, place, fits[edges, best], strict=True)
    ]
