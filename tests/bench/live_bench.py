"""What the live benches share: their flags, full length by one of them, and an end that leaves no process behind."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

for _folder in ("clock", "osc", "hosts", ""):
    sys.path.insert(0, str(Path(__file__).parents[1] / "bridge" / _folder))


def settings(doc, **values):
    """The settings: a flag for each (False: a switch), its value in a short run and, where a pair, at full length."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="full length")
    for name, value in values.items():
        flag = f"--{name.replace('_', '-')}"
        if value is False:
            parser.add_argument(flag, action="store_true")
        else:
            short = value[0] if isinstance(value, tuple) else value
            parser.add_argument(flag, type=type(short), help=f"{short} where neither this nor --full is given")
    given = parser.parse_args()
    for name, value in values.items():
        if getattr(given, name) is None:
            setattr(given, name, value[given.full] if isinstance(value, tuple) else value)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every `with` and `finally` is run
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before{', full length' * given.full}", flush=True)
    return given
