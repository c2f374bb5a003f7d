"""A person's way: open the tab, click, see the strip; in the real window of Debian's Blender."""

import cv2
import pytest
import window as screen
from window import Window


@pytest.fixture
def window(media, fake):
    if screen.missing():
        pytest.skip(f"not installed: {', '.join(screen.missing())} (apt-get install blender xvfb xdotool ffmpeg)")
    with Window(media, fake.port, 90) as opened:
        opened.click("tab")
        yield opened


def test_a_click_ends_in_strip_and_markers_and_one_undo_takes_all_away(window, fake, tmp_path):
    window.click("score")
    told = window.wait(lambda told: told["markers"])
    assert ["♪ Take A", "SOUND", 1, 1, 240] in told["strips"]
    assert [frame for frame, name in told["markers"] if "cut" in name] == [51, 111, 151] and told["error"] == ""
    assert len(fake.seen("clip")) == 4
    window.find("take_a")
    window.xdotool("mousemove", "500", "800", "key", "ctrl+z")
    told = window.wait(lambda told: not told["markers"])
    assert [strip[1] for strip in told["strips"]] == ["MOVIE"] * 4
    window.xdotool("key", "ctrl+shift+z")
    window.wait(lambda told: ["♪ Take A", "SOUND", 1, 1, 240] in told["strips"] and told["markers"])


def test_the_panel_says_when_the_bridge_is_gone_and_when_it_is_back(window, fake, tmp_path):
    before = cv2.imread(str(window.shot(tmp_path / "before.png")))
    fake.close()
    window.wait(lambda told: told["state"] == "away")
    window.find("start_bridge")
    from fake_bridge import FakeBridge

    again = FakeBridge(tmp_path, fake.port)
    window.wait(lambda told: told["state"] == "connected")
    window.click("score")
    window.wait(lambda told: told["markers"])
    again.close()
    assert before.shape[:2] == (screen.SIZE[1], screen.SIZE[0])
