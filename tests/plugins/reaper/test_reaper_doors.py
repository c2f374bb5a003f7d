"""What the settings ask for is what the command line would: the same wishes, so the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

from hitpoint.bridge.session.paths import written
from hitpoint.bridge.work.jobs import OWN_PAIRS
from hitpoint.model.plan.types import Wishes
from hitpoint.model.plan.wishes.options import parse_wishes
from tests.plugins.reaper import reaper_emulated as emulated
from tests.plugins.reaper.fake_bridge import FakeBridge
from tests.plugins.reaper.reaper_emulated import Reaper
from tests.plugins.reaper.test_reaper_score import wait_for_bridge
from tests.wishes import REAPER, examples


def asked(reaper: Reaper, bridge: FakeBridge, film: Path) -> Wishes:
    """What is asked of one item more, behind all others."""
    reaper.lua("for _, item in ipairs(emu.current:items()) do item.B_UISEL = 0 end")
    scores = len(bridge.requests("score"))
    reaper.add_video(film, 5.0 + 30.0 * scores, 15.73, "{from = 2.5, file_s = 100}")
    reaper.act(emulated.SCORE_ITEMS)
    assert len(bridge.requests("score")) == scores + 1, reaper.messages
    values = [written(value) for value in bridge.requests("score")[-1].rest]
    pairs = dict(zip(values[::2], values[1::2], strict=True))
    return parse_wishes({key: value for key, value in pairs.items() if key not in OWN_PAIRS})


def test_emulated_each_wish_of_the_settings_is_that_of_the_command_line(reaper, relay, bridge, film, tmp_path):
    wait_for_bridge(reaper)
    reaper.lua('emu.ext["Hitpoint/tempo_map"] = "keep"')
    assert asked(reaper, bridge, film) == Wishes(), "settings that nobody touched"
    wished = {key: text for key, text in examples(tmp_path).items() if key in REAPER}
    told = {}
    for key, text in wished.items():
        reaper.lua(f'emu.ext["Hitpoint/{key}"] = {json.dumps(text)}')
        told[key] = asked(reaper, bridge, film)
        reaper.lua(f'emu.ext["Hitpoint/{key}"] = nil')
    assert set(told) == set(REAPER)
    wanted = {key: parse_wishes({key: text}) for key, text in wished.items()}
    assert {key: (told[key], wanted[key]) for key in told if told[key] != wanted[key]} == {}
    assert reaper.messages == []
