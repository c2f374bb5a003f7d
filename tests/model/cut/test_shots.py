"""What of a clip can be shown: not the black that it comes out of."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hitpoint.model.cut.shots import read_footage, shots_of
from hitpoint.model.errors import InputError
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.types import Clip


def drawn(path: Path, source: str, filters: str) -> Clip:
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-vf", filters, "-pix_fmt", "yuv420p"]
    subprocess.run([*command, str(path)], check=True, timeout=60)
    return Clip(path)


def test_black_at_both_ends_is_left_out(tmp_path: Path) -> None:
    clip = drawn(tmp_path / "a.mp4", "testsrc=s=160x90:r=24:d=8", "fade=in:24:36,fade=out:156:24")
    (shot,) = [shot for shot in shots_of(clip, analyse([clip])) if shot.length_s > 1]
    assert 1.5 <= shot.in_s <= 2.75 and 6.25 <= shot.out_s <= 7.25


def test_a_clip_that_is_all_black_shows_nothing(tmp_path: Path) -> None:
    clip = drawn(tmp_path / "b.mp4", "color=c=black:s=160x90:r=24:d=3", "null")
    assert shots_of(clip, analyse([clip])) == []
    with pytest.raises(InputError, match=r"b\.mp4 shows nothing"):
        read_footage([clip])
