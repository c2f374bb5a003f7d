"""Following a playhead: error and reaction times of the estimator on simulated hosts, 30 messages a second.

    python tests/bench/bench_live_follow.py [--runs 40] [--seconds 60]

The truth is the host's own position at every 5 ms. Baseline in the same run: the latest message, moved on at speed 1.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "bridge"))

from test_playhead import START_S, follow, host

NETWORKS = {"loopback": (0.0, 0.0, 0.5), "20 ms jitter, 5% loss": (0.02, 0.05, 4.0)}
MOVES = {"pause": 0.0, "half speed": 0.5, "double speed": 2.0, "reverse": -1.0}
TARGET_REACTION_MS = 130


def p99_ms(sizes):
    sizes = sorted(map(abs, sizes))
    return 1000 * sizes[int(0.99 * (len(sizes) - 1))]


def latest(messages, truth):
    """The baseline's errors."""
    errors = []
    for (at, media), (until, _) in pairwise(messages):
        moment = at
        while moment < until:
            errors.append(media + moment - at - truth(moment))
            moment += 0.005
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    for name, (jitter_s, loss, target_ms) in NETWORKS.items():
        ours, theirs = [], []
        for seed in range(max(1, options.runs // 10)):
            messages, truth = host([], jitter_s, loss, seed, options.seconds)
            errors, _ = follow(messages, truth)
            ours += [error for moment, error in errors if moment > 3]
            theirs += latest(messages[90:], truth)
        mine, base = p99_ms(ours), p99_ms(theirs)
        print(f"{name:22} p99 {mine:6.2f} ms (target {target_ms}); latest message {base:6.2f} ms, {base / mine:.1f}×")
        for move, rate in MOVES.items():
            reactions, wrong = [], 0
            for run in range(options.runs):
                when = 10 + run * 0.0071
                _, noticed = follow(*host([(when, rate)], jitter_s, loss, run, 14.0))
                after = [(at - when, kind, heard) for at, kind, heard in noticed if at >= when]
                reactions.append(1000 * after[0][0] if after else float("inf"))
                wrong += len([1 for at, _, _ in noticed if 3 < at < when])
            reactions.sort()
            worst, middle = reactions[-1], reactions[len(reactions) // 2]
            print(f"  {move:20} noticed after {middle:5.0f} ms (median), {worst:5.0f} ms (worst); false alarms {wrong}")
        for jump in (30.0, -8.0, 0.1, -0.05):
            reactions = []
            for run in range(options.runs):
                when = 10 + run * 0.0071
                _, noticed = follow(*host([(when, ("seek", START_S + when + jump))], jitter_s, loss, run, 14.0))
                reactions += [1000 * (at - when) for at, _, _ in noticed if at >= when][:1]
            reactions.sort()
            median = reactions[len(reactions) // 2] if reactions else float("inf")
            print(f"  seek {jump:+6.2f} s: noticed {len(reactions)} of {options.runs}, after {median:.0f} ms (median)")
    print(f"target: pause, rate and reverse within {TARGET_REACTION_MS} ms (loopback)")


if __name__ == "__main__":
    main()
