"""A disk that loses its power: what was not asked to be on it may be there, or not, or in part.

The model is POSIX's, not one file system's: a file holds what it held at its last fsync, and perhaps some of what was
added since; a folder holds the names it held at its own last fsync, and each later name, removal or renaming may have
come through or not, independently of the others.
"""

from __future__ import annotations

import os
import random
import stat
import threading
from pathlib import Path


class PowerCuts:
    """Watches all that is done to files below `root`, and at random moments keeps what a power cut would leave.

    on_cut: called with the folder that holds what is left (the same layout as `root`), in the thread that was writing.
    share: of the moments before and after every fsync, renaming, removal and new folder.
    """

    def __init__(self, root, into, on_cut, monkeypatch, seed=0, share=0.1):
        self.root, self.into, self.on_cut, self.share = Path(root), Path(into), on_cut, share
        self.dice, self.count = random.Random(seed), 0
        self._data, self._names, self._held = {}, {}, []
        self._lock, self._looking = threading.RLock(), False
        self._names[_key(self.root.stat())] = _listing(self.root)
        for name in ("fsync", "replace", "rename", "unlink", "mkdir"):
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))

    def close(self):
        for number in self._held:
            os.close(number)

    def _watched(self, name, real):
        def call(*arguments, **options):
            with self._lock:
                if self._looking:
                    return real(*arguments, **options)
                self._perhaps_cut()
                result = real(*arguments, **options)
                if name == "fsync":
                    self._synced(arguments[0])
                self._perhaps_cut()
                return result

        return call

    def _synced(self, number):
        status = os.fstat(number)
        self._held.append(os.dup(number))  # or its inode would be given to another file
        place = Path(f"/proc/self/fd/{number}")
        if stat.S_ISDIR(status.st_mode):
            self._names[_key(status)] = _listing(place)
        else:
            self._data[_key(status)] = place.read_bytes()

    def _perhaps_cut(self):
        if self.dice.random() < self.share:
            self._looking = True
            self.count += 1
            left = self.into / f"cut-{self.count}"
            self._leave(self.root, left)
            self.on_cut(left)
            self._looking = False

    def _leave(self, folder, left):
        left.mkdir(parents=True)
        kept, now = self._names.get(_key(folder.stat()), {}), _listing(folder)
        for name in sorted(kept.keys() | now.keys()):
            key = self.dice.choice([kept.get(name), now.get(name)])
            path = folder / name
            if key is None:
                continue
            if now.get(name) != key:
                (left / name).write_bytes(self._data.get(key, b""))
            elif path.is_dir():
                self._leave(path, left / name)
            else:
                (left / name).write_bytes(self._some_of(key, path.read_bytes()))

    def _some_of(self, key, present):
        synced = self._data.get(key, b"")
        if not present.startswith(synced):
            return synced
        return present[: self.dice.choice([len(synced), self.dice.randint(len(synced), len(present))])]


def _key(status):
    return status.st_dev, status.st_ino


def _listing(folder):
    return {path.name: _key(path.lstat()) for path in folder.iterdir()}
