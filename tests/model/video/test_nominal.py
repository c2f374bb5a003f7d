"""The rate in which a film counts, told from its moments, whatever its mean is."""

import shutil
import subprocess

import numpy as np
import pytest

from hitpoint.model.video.film import open_film
from hitpoint.model.video.nominal import nominal_fps, nominal_rate

RATES = (24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 48.0, 50.0, 60000 / 1001, 60.0, 120.0)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("step_s", [0.001, 1 / 90000, 1e-9])
def test_every_rate_in_containers_that_round(rate, step_s):
    times = np.round(np.arange(300) / rate / step_s) * step_s
    assert nominal_rate(times, step_s, []) == pytest.approx(rate)
    assert nominal_rate(times[::-1] + 5.0, step_s, [rate * 0.8]) == pytest.approx(rate)


@pytest.mark.parametrize("rate", [24000 / 1001, 25.0, 30.0, 60000 / 1001])
def test_frames_that_were_left_out_do_not_count(rate):
    for kept in ([n for n in range(400) if n % 5 != 2], [n for n in range(900) if n % 5 in (0, 2)]):
        assert nominal_rate(np.round(np.array(kept) / rate, 3), 0.001, [rate * 0.8]) == pytest.approx(rate)


def test_what_lies_on_no_grid_is_as_declared():
    jitter = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 300))
    assert nominal_rate(jitter, 1e-5, [29.97]) == pytest.approx(30000 / 1001)
    assert nominal_rate(jitter, 1e-5, [60000.0, 25.0]) == 25.0
    assert nominal_rate(jitter[:1], 1e-5, [60000.0]) == 0.0


def ffmpeg(*options):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *options], check=True)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_films(tmp_path):
    """A film of 30 without every fifth frame, and DV, whose mean rate reads as 60,000."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x90:r=30:d=3", "-vf", "select='not(eq(mod(n,5),2))'", "-vsync", "vfr",
           "-c:v", "mpeg4", str(tmp_path / "v.mp4"))  # fmt: skip
    assert nominal_fps(open_film(tmp_path / "v.mp4")) == 30.0
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=720x480:r=30000/1001:d=1", "-pix_fmt", "yuv411p", "-c:v", "dvvideo",
           str(tmp_path / "d.dv"))  # fmt: skip
    assert nominal_fps(open_film(tmp_path / "d.dv")) == pytest.approx(30000 / 1001)
