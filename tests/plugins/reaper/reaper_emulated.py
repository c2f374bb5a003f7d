"""REAPER, emulated: drives `emulator.lua` under Lua 5.4, runs the plugin's own scripts in it, and starts the bridge."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
PLUGIN = HERE.parents[2] / "plugins" / "reaper"
SCORE_ITEMS = "Hitpoint_Score selected items.lua"
SCORE_RANGE = "Hitpoint_Score time selection.lua"
REGENERATE = "Hitpoint_Regenerate selected bars.lua"
RESCORE = "Hitpoint_Re-score what changed.lua"
NEXT_TAKE = "Hitpoint_Next take.lua"
LIVE = "Hitpoint_Live follow.lua"
SETTINGS = "Hitpoint_Settings.lua"


class Reaper:
    """One emulated REAPER with one project tab open. `folder`: its resource path."""

    def __init__(self, folder: Path, plugin: Path = PLUGIN) -> None:
        lua = shutil.which("lua5.4")
        if lua is None:
            pytest.skip("lua5.4 is not installed (apt-get install lua5.4)")
        self.folder, self.plugin = folder, plugin
        self.process = subprocess.Popen(
            [lua, str(HERE / "emulator.lua"), str(HERE), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)

    def lua(self, code: str) -> Any:
        """What the chunk returns. Raises AssertionError where it fails."""
        assert self.process.stdin is not None and self.process.stdout is not None
        data = code.encode() or b" "  # Lua waits for more before it reads nothing
        self.process.stdin.write(b"%d\n" % len(data) + data)
        self.process.stdin.flush()
        status, _, text = self.process.stdout.readline().decode().partition(" ")
        assert status == "ok", text
        return json.loads(text)

    def start(self, script: str) -> None:
        """Run an action, as from the action list, and the first defer cycle."""
        self.lua(f"emu.run({json.dumps(str(self.plugin / script))})")
        self.step()

    def step(self, count: int = 1) -> int:
        return int(self.lua(f"return emu.step({count})"))

    def finish(self, during: Callable[[], None] | None = None, limit_s: float = 60.0) -> None:
        """Defer cycles until no script runs any more; the fake clock keeps step with the real one."""
        end = time.monotonic() + limit_s
        while self.step():
            if during is not None:
                during()
            assert time.monotonic() < end, self.lua("return emu.gfx_text")
            time.sleep(1 / 30)

    def act(self, script: str, during: Callable[[], None] | None = None) -> None:
        """Run an action to its end; it must not crash."""
        self.start(script)
        self.finish(during)
        assert self.lua("return emu.crashes") == []

    @property
    def messages(self) -> list[str]:
        return list(self.lua("return emu.messages"))

    @property
    def undo_names(self) -> list[str]:
        return list(self.lua("local n = {} for i, p in ipairs(emu.current.undo) do n[i] = p.name end return n"))

    def fingerprint(self) -> str:
        return str(self.lua("return emu.fingerprint()"))

    def add_video(self, path: Path, first_s: float, seconds: float, options: str = "{}") -> None:
        self.lua(f"emu.add_video(emu.current, {json.dumps(str(path))}, {first_s}, {seconds}, {options})")
