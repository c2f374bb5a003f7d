"""Visual beats: moments at which motion stops or turns, on a near-steady tempo (Davis & Agrawala 2018)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMOOTH_S = 0.03
"""Gaussian over time, before deceleration is taken: less than a frame of 24 fps, or a bounce is found a frame late."""
SMOOTH_BINS = 1.25
"""Gaussian over angle, in bins of the directogram."""
LOCAL_S = 0.5
"""Sigma of the local motion that an impact is compared with."""
REST = 0.008
"""Frame widths per second: motion that is not told from rest. Grain, flow noise and slow drifts lie below it."""
HIGH_PASS_S = 0.15
"""The envelope's own Gaussian mean over this sigma is taken off: a high-pass that needs no even sampling."""
FLOOR = 3.0
"""Shares of the local motion per second: what rises less over the restlessness around it is no visual beat."""
RESTLESS_S = 3.0
"""How far around an impact restlessness is looked at: the upper quartile of the envelope, which is 0 where the picture
is calm between its impacts, and high where grain or a shaking hand makes it tremble all the time."""
MIN_GAP_S, MAX_GAP_S = 0.25, 3.75
GRID_HZ = 30.0
WINDOW_S = 6.0
STEADINESS = 0.5
"""Weight of the local autocorrelation against the impact itself."""


def smooth(
    values: NDArray[np.float32],
    times_s: NDArray[np.float64],
    shot: NDArray[np.int32],
    valid: NDArray[np.bool_],
    sigma_s: float,
) -> NDArray[np.float32]:
    """Gaussian mean of `values` (n, …) over time, within each shot and over valid frames only.

    Weights follow the true times (n,), so that a variable frame rate does no harm.
    """
    if len(times_s) < 2:
        return np.array(values, np.float32)
    reach = min(int(np.ceil(3 * sigma_s / np.median(np.diff(times_s)))), len(times_s) - 1, 120)
    total = np.zeros(values.shape, np.float32)
    weights = np.zeros(len(values), np.float32)
    for shift in range(-reach, reach + 1):
        here = slice(max(0, -shift), len(values) - max(0, shift))
        there = slice(max(0, shift), len(values) - max(0, -shift))
        weight = np.exp(-0.5 * ((times_s[there] - times_s[here]) / sigma_s) ** 2).astype(np.float32)
        weight *= valid[there] & (shot[there] == shot[here])
        total[here] += weight.reshape(-1, *[1] * (values.ndim - 1)) * values[there]
        weights[here] += weight
    total /= np.maximum(weights, 1e-12).reshape(-1, *[1] * (values.ndim - 1))
    return total


def impact_envelope(
    directogram: NDArray[np.float32],
    times_s: NDArray[np.float64],
    shot: NDArray[np.int32],
    valid: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Impact (n,) at each frame: the share of the local motion that stops or turns away there, per second.

    directogram (n, bins): frame widths per second, the flow INTO each frame; shot (n,): index of the shot; valid
    (n,): False where the flow crosses a cut. What moves up to frame i and no longer after it counts at i.

    Deceleration is summed over angles and divided by the local motion plus REST: a small thing that lands in a still
    picture counts, a tremble in a fast pan does not, and noise in a still picture stays near 0.
    """
    if len(times_s) < 3:
        return np.zeros(len(times_s), np.float32)
    clean = np.maximum(directogram - np.percentile(directogram, 20, axis=1, keepdims=True), 0).astype(np.float32)
    calm = smooth(_smooth_angles(clean), times_s, shot, valid, SMOOTH_S)
    drop = np.maximum(calm[:-1] - calm[1:], 0).sum(axis=1) / np.diff(times_s)
    inside = valid[:-1] & valid[1:] & (shot[:-1] == shot[1:])
    impact = np.append(np.where(inside, drop, 0), 0).astype(np.float32)
    everywhere = np.ones_like(valid)
    impact = np.maximum(impact - smooth(impact, times_s, shot, everywhere, HIGH_PASS_S), np.float32(0))
    local = smooth(directogram.sum(axis=1), times_s, shot, valid, LOCAL_S)
    return np.asarray(impact / (local + REST), np.float32)


def _smooth_angles(directogram: NDArray[np.float32]) -> NDArray[np.float32]:
    reach = int(np.ceil(3 * SMOOTH_BINS))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / SMOOTH_BINS) ** 2)
    kernel /= kernel.sum()
    total = np.zeros(directogram.shape, np.float32)
    for shift, weight in zip(range(-reach, reach + 1), kernel, strict=True):
        total += np.float32(weight) * np.roll(directogram, shift, axis=1)
    return total


def tempogram(times_s: NDArray[np.float64], envelope: NDArray[np.float32]) -> NDArray[np.float32]:
    """(windows, lags): autocorrelation of the envelope around each second, 1 at lag 0; lag k is k / GRID_HZ seconds."""
    grid_s = np.arange(0.0, times_s[-1] + 1 / GRID_HZ, 1 / GRID_HZ)
    even = np.interp(grid_s, times_s, envelope)
    half, lags = int(WINDOW_S * GRID_HZ / 2), int(MAX_GAP_S * GRID_HZ) + 2
    padded = np.pad(even, (half, half))
    taper = np.hanning(2 * half)
    size = 4 * half
    rows = []
    for start in range(0, len(even), int(GRID_HZ)):
        window = padded[start : start + 2 * half] * taper
        power = np.abs(np.fft.rfft(window, size)) ** 2
        correlation = np.fft.irfft(power, size)[:lags]
        rows.append(correlation / correlation[0] if correlation[0] > 0 else np.zeros(lags))
    return np.asarray(rows, np.float32)


def prominence(times_s: NDArray[np.float64], envelope: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each frame's impact (n,) rises over three times the restlessness around it; 0 or more."""
    if len(times_s) == 0:
        return np.zeros(0, np.float32)
    centres_s = np.arange(times_s[0], times_s[-1] + 1.0, 1.0)
    first = np.searchsorted(times_s, centres_s - RESTLESS_S)
    last = np.searchsorted(times_s, centres_s + RESTLESS_S)
    restless = [float(np.percentile(envelope[a:b], 75)) if b > a else 0.0 for a, b in zip(first, last, strict=True)]
    rise = envelope - 3 * np.interp(times_s, centres_s, restless)
    return np.asarray(np.maximum(rise, 0), np.float32)


def local_maxima(envelope: NDArray[np.float32]) -> NDArray[np.int64]:
    """Frames that are not lower than their neighbours, and higher than one of them and than FLOOR."""
    left = np.concatenate(([0], envelope[:-1]))
    right = np.concatenate((envelope[1:], [0]))
    return np.flatnonzero((envelope > left) & (envelope >= right) & (envelope > FLOOR))


def pick_beats(times_s: NDArray[np.float64], envelope: NDArray[np.float32]) -> NDArray[np.int64]:
    """Frames of the visual beats: the chain of impacts that is strongest and steadiest, by dynamic programming.

    Maximises the sum of impact + STEADINESS × local autocorrelation at the gap, over chains of local maxima whose
    gaps are MIN_GAP_S or more; a gap over MAX_GAP_S earns no steadiness.
    """
    peaks = local_maxima(envelope)
    if len(peaks) == 0:
        return peaks
    local = tempogram(times_s, envelope)
    at_s = times_s[peaks]
    height = np.minimum(envelope[peaks] / np.percentile(envelope[peaks], 90), 1.0)
    best = height.astype(np.float64).copy()
    back = np.full(len(peaks), -1)
    done, done_index = 0.0, -1  # the best chain that ended over MAX_GAP_S ago
    oldest = 0
    for i in range(len(peaks)):
        while at_s[i] - at_s[oldest] > MAX_GAP_S:
            if best[oldest] > done:
                done, done_index = best[oldest], oldest
            oldest += 1
        reach, link = done, done_index
        row = local[min(int(at_s[i]), len(local) - 1)]
        for j in range(oldest, i):
            gap_s = at_s[i] - at_s[j]
            if gap_s >= MIN_GAP_S:
                score = best[j] + STEADINESS * height[i] * row[round(gap_s * GRID_HZ)]
                if score > reach:
                    reach, link = score, j
        best[i] += reach
        back[i] = link
    chain = [int(np.argmax(best))]
    while back[chain[-1]] >= 0:
        chain.append(int(back[chain[-1]]))
    return peaks[chain[::-1]]


def rank(heights: NDArray[np.float32]) -> NDArray[np.float64]:
    """Saliency 0..1 of beats of these prominences: the percentile among the film's own, times how sure they are.

    The second factor is 0 at FLOOR and near 1 at four times it, so that a film without true impacts has no strong beat.
    """
    if len(heights) == 0:
        return np.zeros(0)
    percentile = np.searchsorted(np.sort(heights), heights, side="right") / len(heights)
    sure = 1 - np.exp(-(heights - FLOOR) / FLOOR)
    return np.asarray(percentile * np.clip(sure, 0, 1), np.float64)
