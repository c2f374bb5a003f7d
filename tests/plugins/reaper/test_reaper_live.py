"""Live follow in an *emulated* REAPER, and OSC in the shape REAPER's own surface sends it."""

import time
from itertools import pairwise
from pathlib import Path

from hitpoint.bridge.osc import codec, protocol
from hitpoint.bridge.osc.aliases import Aliases
from tests.plugins.reaper import reaper_emulated as emulated
from tests.plugins.reaper.test_reaper_score import wait_for_bridge


def run_for(reaper, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        reaper.step()
        time.sleep(1 / 30)


def test_emulated_live_follow_tells_playhead_rate_and_loop(reaper, relay, bridge):
    wait_for_bridge(reaper)
    reaper.start(emulated.LIVE)
    assert reaper.lua("return emu.toggles[50000]") == 1
    reaper.lua("emu.playing = 1 emu.position = 12.5 emu.playrate = 1.5 emu.repeating = 1")
    reaper.lua("emu.current.state.loop = { 10.0, 20.0 }")
    run_for(reaper, 1.0)
    times = [request for request in bridge.requests("time") if request.whole("playing")]
    assert len(times) >= 5
    assert all(request.number("rate") == 1.5 for request in times)
    pairs = [(request.number("host_clock"), request.number("seconds")) for request in times]
    for (clock_a, media_a), (clock_b, media_b) in pairwise(pairs):
        assert abs((media_b - media_a) - 1.5 * (clock_b - clock_a)) < 1e-6, "the place does not fit its clock"
    loop = bridge.requests("loop")[-1]
    assert (loop.number("start"), loop.number("end")) == (10.0, 20.0)
    reaper.start(emulated.LIVE)  # REAPER 7 ends the running one
    reaper.finish()
    run_for(reaper, 0.3)
    assert bridge.requests("stop") and reaper.lua("return emu.toggles[50000]") == 0
    assert reaper.lua("return emu.crashes") == []


def test_emulated_live_follow_stopped_shows_the_cursor(reaper, relay, bridge):
    wait_for_bridge(reaper)
    reaper.lua("emu.current.state.cursor = 33.0")
    reaper.start(emulated.LIVE)
    run_for(reaper, 0.4)
    latest = bridge.requests("time")[-1]
    assert latest.number("seconds") == 33.0 and latest.whole("playing") == 0


def test_emulated_live_follow_paused_stays_at_the_playhead(reaper, relay, bridge):
    wait_for_bridge(reaper)
    reaper.lua("emu.playing = 2 emu.position = 12.5 emu.current.state.cursor = 3.0")
    reaper.start(emulated.LIVE)
    run_for(reaper, 0.4)
    latest = bridge.requests("time")[-1]
    assert latest.number("seconds") == 12.5 and latest.whole("playing") == 0


def test_emulated_live_follow_goes_on_where_a_file_cannot_be_replaced(reaper, relay, bridge):
    """As on Windows while the bridge reads it: every other write fails."""
    wait_for_bridge(reaper)
    reaper.lua("local real, count = os.rename, 0 os.rename = function(a, b) count = count + 1 "
               "if count % 2 == 0 then return nil, 'Permission denied' end return real(a, b) end")  # fmt: skip
    reaper.lua("emu.playing = 1 emu.position = 12.5")
    reaper.start(emulated.LIVE)
    run_for(reaper, 0.6)
    before = len(bridge.requests("time"))
    run_for(reaper, 0.6)
    assert reaper.messages == [] and len(bridge.requests("time")) > before


def test_emulated_live_follow_stops_when_the_script_dies(reaper, relay, bridge, monkeypatch):
    wait_for_bridge(reaper)
    reaper.lua("emu.playing = 1")
    reaper.start(emulated.LIVE)
    run_for(reaper, 0.3)
    end = time.monotonic() + 5
    while not bridge.requests("stop"):
        assert time.monotonic() < end, "the music would go on for ever"
        time.sleep(0.05)


def test_emulated_live_follow_without_a_bridge_says_so(reaper):
    reaper.start(emulated.LIVE)
    reaper.finish(lambda: reaper.lua("emu.now = emu.now + 0.5"))
    assert len(reaper.lua("return emu.exec")) == 1
    [said] = reaper.messages
    assert said.startswith("No bridge has been there for a minute; run `hitpoint doctor`")
    assert reaper.lua("return emu.toggles[50000]") == 0 and reaper.lua("return emu.crashes") == []


def reaper_bundle(*messages: tuple[str, str, float | str]) -> bytes:
    """As REAPER sends them: a bundle for now, floats for numbers, at most 1,024 bytes."""
    packet = codec.bundle([codec.encode_typed(address, tag, (value,)) for address, tag, value in messages])
    assert len(packet) <= 1024
    return packet


def heard(packet: bytes) -> list[tuple[str, dict[str, object]]]:
    aliases = Aliases(["reaper"])
    requests = [protocol.check(ours) for message in codec.decode(packet) for ours in aliases.translate(message)]
    return [(request.address, dict(request.values)) for request in requests]


def test_reapers_own_bundles_drive_the_transport():
    packet = reaper_bundle(("/hitpoint/time", "f", 12.5), ("/hitpoint/rate", "f", 1.25), ("/play", "f", 1.0))
    assert heard(packet) == [
        ("/hitpoint/time", {"seconds": 12.5}),
        ("/hitpoint/rate", {"rate": 1.25}),
        ("/hitpoint/play", {}),
    ]
    packet = reaper_bundle(("/play", "f", 0.0), ("/stop", "f", 1.0), ("/time", "f", 3.0))
    assert heard(packet) == [("/hitpoint/stop", {}), ("/hitpoint/time", {"seconds": 3.0})]


def test_pattern_file_names_only_what_the_bridge_takes():
    lines = (Path(emulated.PLUGIN) / "Hitpoint.ReaperOSC").read_text().splitlines()
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    patterns = {row[0]: row[1:] for row in rows if not row[0].startswith("DEVICE_")}
    assert patterns["TIME"] == ["f/hitpoint/time"] and patterns["PLAY_RATE"] == ["f/hitpoint/rate"]
    for name, address in (("TIME", "/hitpoint/time"), ("PLAY_RATE", "/hitpoint/rate"), ("STOP", "/stop")):
        assert patterns[name][0][1:] == address
        assert heard(reaper_bundle((address, "f", 1.0)))
    assert patterns["VKB_MIDI_PROGRAM"] == ["i/vkb_midi/@/program"]
