"""Following a playhead: error and reaction times of the estimator on simulated hosts, 30 messages a second.

    python tests/bench/bench_live_follow.py [--runs 40] [--seconds 60] [--full]

The truth is the host's own position at every 5 ms. Baseline in the same run: the latest message, moved on at speed 1.
"""

from __future__ import annotations

import math
from itertools import pairwise

from live_bench import settings  # isort: skip
from test_playhead import START_S, follow, host, telling_host

from hitpoint.bridge.clock.follower import Follower
from hitpoint.bridge.clock.transport import Transport, step

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


def noticed_by_stamps(move, jitter_s, loss, seed, when):
    """(seconds until the change was noticed, whether it was read right, false alarms before): time stamps only."""
    _, noticed = follow(*host([(when, move)], jitter_s, loss, seed, when + 4.0))
    after = [(at - when, kind, rate) for at, kind, rate in noticed if at >= when]
    right = bool(after) and (after[0][1] == "seek" if isinstance(move, tuple) else after[0][2] == move)
    return after[0][0] if after else math.inf, right, len([1 for at, _, _ in noticed if 3 < at < when])


def noticed_as_said(move, jitter_s, loss, seed, when):
    """The same of a host that says in each message whether and how fast it plays."""
    follower, transport = Follower(), Transport()
    told, _ = telling_host([(when, move)], jitter_s, loss, seed, when + 4.0)
    first, false = math.inf, 0
    for heard, media, rate in told:
        before = (transport.playing, transport.rate)
        for event in follower.hear(transport, heard, media, rate != 0, rate or 1.0, None):
            transport = step(transport, event)
        changed = transport.playing != before[0] or abs(transport.rate - before[1]) > 0.1
        if changed and heard >= when:
            first = min(first, heard - when)
        false += changed and 3 < heard < when
    return first, transport.playing == (move != 0) and (not move or abs(transport.rate - move) < 0.1), false


def row(name, results):
    took = sorted(1000 * seconds for seconds, _, _ in results)
    p50, p95 = (took[int(share * (len(took) - 1))] for share in (0.5, 0.95))
    within = 100 * sum(ms <= TARGET_REACTION_MS for ms in took) / len(took)
    wrong, false = sum(not right for _, right, _ in results), sum(alarms for _, _, alarms in results)
    print(
        f"  {name:36} p50 {p50:4.0f}  p95 {p95:4.0f}  max {took[-1]:4.0f} ms; {within:5.1f}% within "
        f"{TARGET_REACTION_MS}; first misread {wrong}, false alarms {false}"
    )


def main():
    options = settings(__doc__, runs=(40, 200), seconds=60.0)
    runs = options.runs
    print(f"{runs} runs of each change, 30 messages a second, target {TARGET_REACTION_MS} ms")
    for name, (jitter_s, loss, target_ms) in NETWORKS.items():
        ours, theirs = [], []
        for seed in range(max(1, runs // 10)):
            messages, truth = host([], jitter_s, loss, seed, options.seconds)
            errors, _ = follow(messages, truth)
            ours += [error for moment, error in errors if moment > 3]
            theirs += latest(messages[90:], truth)
        mine, base = p99_ms(ours), p99_ms(theirs)
        print(f"{name:22} p99 {mine:6.2f} ms (target {target_ms}); latest message {base:6.2f} ms, {base / mine:.1f}×")
        for move, rate in MOVES.items():
            whens = [10 + run * 0.0071 for run in range(runs)]
            row(
                f"{move}, time stamps only",
                [noticed_by_stamps(rate, jitter_s, loss, *each) for each in enumerate(whens)],
            )
            row(f"{move}, said", [noticed_as_said(rate, jitter_s, loss, *each) for each in enumerate(whens)])
        for jump in (30.0, -8.0, 0.1, -0.05):
            moves = [(run, 10 + run * 0.0071) for run in range(runs)]
            row(
                f"seek {jump:+.2f} s",
                [noticed_by_stamps(("seek", START_S + w + jump), jitter_s, loss, run, w) for run, w in moves],
            )


if __name__ == "__main__":
    main()
