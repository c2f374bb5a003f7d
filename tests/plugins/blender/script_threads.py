"""Inside Blender: undo steps from a timer while another thread runs Python, as the one that hears the bridge does."""

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host
from host import bpy

host.load()
from blender import compat  # noqa: E402

STEPS = 400
ended = threading.Event()


def busy() -> None:
    """Python and waiting by turns."""
    while not ended.is_set():
        sum(range(50))
        ended.wait(1e-5)


threads = [threading.Thread(target=busy) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(STEPS):
    compat.call(bpy.ops.ed.undo_push)
ended.set()
for thread in threads:
    thread.join()
host.result(steps=STEPS)
