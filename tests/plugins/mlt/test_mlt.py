"""Kdenlive and Shotcut projects get their music: rendered by melt before and after, with `hitpoint` standing in."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import wave
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[3] / "plugins" / "mlt" / "hitpoint_mlt.py"
pytestmark = pytest.mark.skipif(
    not (shutil.which("melt") and shutil.which("ffmpeg")), reason="melt or ffmpeg is not installed"
)

# Writes a second of a high tone at the third second, and what it was asked.
STAND_IN = """#!{python}
import math, struct, sys, wave
words = sys.argv[1:]
open("{folder}/asked", "w").write("\\n".join(words))
open(words[words.index("-o") + 1], "wb").write(b"MThd")
with wave.open(words[words.index("--wav") + 1], "wb") as file:
    file.setparams((2, 2, 44100, 0, "NONE", ""))
    for index in range(44100 * 6):
        value = int(9000 * math.sin(index * 0.25)) if 2 * 44100 <= index < 3 * 44100 else 0
        file.writeframes(struct.pack("<hh", value, value))
"""

SHOTCUT = """<?xml version="1.0" encoding="utf-8"?>
<mlt LC_NUMERIC="C" version="7.13.0" producer="main_bin">
  <profile width="320" height="180" frame_rate_num="24" frame_rate_den="1" sample_aspect_num="1" sample_aspect_den="1"
   display_aspect_num="16" display_aspect_den="9" progressive="1" colorspace="709"/>
  <playlist id="main_bin"><property name="xml_retain">1</property></playlist>
  <producer id="black" in="0" out="143"><property name="mlt_service">color</property>
    <property name="resource">0</property></producer>
  <playlist id="background"><entry producer="black" in="0" out="143"/></playlist>
  <producer id="shot"><property name="resource">film.mp4</property></producer>
  <playlist id="playlist0"><property name="shotcut:video">1</property>
    <entry producer="shot" in="0" out="71"/><entry producer="shot" in="100" out="171"/></playlist>
  <tractor id="tractor0" in="0" out="143"><property name="shotcut">1</property>
    <track producer="background"/><track producer="playlist0"/>
    <transition id="transition0"><property name="a_track">0</property><property name="b_track">1</property>
      <property name="mlt_service">mix</property><property name="always_active">1</property>
      <property name="sum">1</property></transition></tractor>
</mlt>
"""

KDENLIVE = """<?xml version="1.0" encoding="utf-8"?>
<mlt LC_NUMERIC="C" producer="main_bin" version="7.13.0">
  <profile width="320" height="180" frame_rate_num="24" frame_rate_den="1" sample_aspect_num="1" sample_aspect_den="1"
   display_aspect_num="16" display_aspect_den="9" progressive="1" colorspace="709"/>
  <producer id="shot"><property name="resource">film.mp4</property><property name="kdenlive:id">4</property></producer>
  <playlist id="main_bin"><property name="xml_retain">1</property>
    <entry producer="shot" in="0" out="239"/></playlist>
  <producer id="black_track" in="0" out="143"><property name="mlt_service">color</property>
    <property name="resource">black</property></producer>
  <playlist id="playlist0"><property name="kdenlive:audio_track">1</property></playlist>
  <playlist id="playlist1"><property name="kdenlive:audio_track">1</property></playlist>
  <tractor id="tractor0"><property name="kdenlive:audio_track">1</property>
    <track hide="video" producer="playlist0"/><track hide="video" producer="playlist1"/></tractor>
  <playlist id="playlist2"><entry producer="shot" in="0" out="71"/>
    <entry producer="shot" in="100" out="171"/></playlist>
  <playlist id="playlist3"/>
  <tractor id="tractor1" in="0" out="143"><track hide="audio" producer="playlist2"/>
    <track hide="audio" producer="playlist3"/></tractor>
  <tractor id="tractor2" in="0" out="143"><property name="kdenlive:uuid">{1}</property>
    <track producer="black_track"/><track producer="tractor0"/><track producer="tractor1"/>
    <transition id="transition0"><property name="a_track">0</property><property name="b_track">1</property>
      <property name="mlt_service">mix</property><property name="always_active">1</property>
      <property name="internal_added">237</property><property name="sum">1</property></transition></tractor>
  <tractor id="tractor3" in="0" out="143"><property name="kdenlive:projectTractor">1</property>
    <track producer="tractor2" in="0" out="143"/></tractor>
</mlt>
"""
PROJECTS = {"film.mlt": SHOTCUT, "film.kdenlive": KDENLIVE}


@pytest.fixture(params=PROJECTS)
def project(request, tmp_path):
    folder = tmp_path / "an edit"
    folder.mkdir()
    source = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=24:d=10", "-f", "lavfi", "-i", "sine=f=200:d=10"]
    subprocess.run(["ffmpeg", "-v", "error", *source, "-shortest", folder / "film.mp4"], check=True)
    path = folder / request.param
    path.write_text(PROJECTS[request.param])
    return path


def run(project, *options, path=None):
    programs = project.parent.parent / "bin"
    programs.mkdir(exist_ok=True)
    stand_in = programs / "hitpoint"
    stand_in.write_text(STAND_IN.format(python=sys.executable, folder=project.parent.parent))
    stand_in.chmod(0o755)
    environment = {**os.environ, "PATH": path or f"{programs}:{os.environ['PATH']}"}
    call = [sys.executable, str(SCRIPT), str(project), *options]
    return subprocess.run(call, capture_output=True, text=True, env=environment, timeout=120)


def loudness(project, frequency_step):
    """How loud a tone is in each second of the project as melt renders it, the programme's own sound beside it."""
    wav = project.with_suffix(".check.wav")
    call = ["melt", project, "-consumer", f"avformat:{wav}", "acodec=pcm_s16le", "video_off=1", "terminate_on_pause=1"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    for _ in range(4):  # now and then melt waits for ever where there is no picture to render
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run([*call, "real_time=0"], check=True, capture_output=True, timeout=25, env=environment)
            break
    with wave.open(str(wav), "rb") as file:
        rate, channels = file.getframerate(), file.getnchannels()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, channels)[:, 0].astype(float)
    seconds = [sound[start : start + rate] for start in range(0, len(sound) - rate + 1, rate)]
    wave_form = np.exp(-1j * frequency_step * 44100 / rate * np.arange(rate))
    return [abs(np.dot(each, wave_form)) / rate for each in seconds], len(sound) / rate


def test_the_music_is_heard_where_it_belongs_and_the_rest_stays(project):
    before = project.read_bytes()
    _, length_s = loudness(project, 0.25)
    done = run(project, "--", "--genre", "rock")
    assert done.returncode == 0, done.stderr
    written, music = (Path(line) for line in done.stdout.splitlines())
    assert project.read_bytes() == before and written.parent == project.parent and "with music" in written.name
    assert music == project.parent / "Hitpoint" / "film.wav" and music.with_suffix(".mid").exists()
    tone, new_length_s = loudness(written, 0.25)
    assert new_length_s == pytest.approx(length_s, abs=0.1)
    assert tone[2] > 2000 and max(tone[:2] + tone[3:]) < 200, tone
    voice, _ = loudness(written, 2 * np.pi * 200 / 44100)
    if project.suffix == ".mlt":
        assert min(voice[:5]) > 300, "the film's own sound is still there"
    asked = (project.parent.parent / "asked").read_text().splitlines()
    assert (
        asked[0] == "score" and asked[-2:] == ["--genre", "rock"] and asked[asked.index("--cuts") + 1] == str(project)
    )


def test_run_again_it_replaces_its_own_track(project):
    first = Path(run(project).stdout.splitlines()[0])
    again = run(first)
    assert again.returncode == 0, again.stderr
    written, music = (Path(line) for line in again.stdout.splitlines())
    assert written == first and music.name == "film with music.wav"
    root = ElementTree.parse(written).getroot()
    assert len([each for each in root.iter("track") if "hitpoint" in each.get("producer", "")]) in (1, 3)
    assert len([each for each in root.iter("producer") if "hitpoint" in each.get("id", "")]) == 1
    tone, _ = loudness(written, 0.25)
    assert 2000 < tone[2] < 5000, "once"


@pytest.fixture
def module():
    spec = importlib.util.spec_from_file_location("hitpoint_mlt", SCRIPT)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_a_melt_that_waits_for_ever_is_ended_and_told_of(module, tmp_path, monkeypatch):
    programs = tmp_path / "bin"
    programs.mkdir()
    melt = programs / "melt"
    melt.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/tries\nexec sleep 1000\n")
    melt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(module, "STILL_S", 0.3)
    root = ElementTree.fromstring(SHOTCUT)
    with pytest.raises(module.ProjectError, match=r"melt does not go on: nothing happened for 0.3 s"):
        module.render(tmp_path / "film.mlt", tmp_path / "picture.mp4", root)
    tries = (tmp_path / "tries").read_text().split()
    assert len(tries) == 2 and not any(Path(f"/proc/{number}").exists() for number in tries)


def test_the_picture_that_is_scored_is_the_projects_own(module, project, tmp_path):
    film = tmp_path / "picture.mp4"
    tree = module.read(project)
    module.render(module.without_music(tree, tmp_path, project), film, tree.getroot())
    facts = ["-count_frames", "-show_entries", "stream=nb_read_frames,r_frame_rate,codec_type", "-of", "csv=p=0"]
    told = subprocess.run(["ffprobe", "-v", "error", *facts, film], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["video,24/1,144"]


@pytest.mark.parametrize(
    ("text", "says"), [("<mlt>", "cannot be read as a project"), ("<mlt></mlt>", "holds no timeline")]
)
def test_what_is_no_project_is_said_in_a_sentence(tmp_path, text, says):
    folder = tmp_path / "an edit"
    folder.mkdir()
    (folder / "film.mlt").write_text(text)
    done = run(folder / "film.mlt")
    assert done.returncode == 1 and says in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_a_missing_program_is_named(project):
    done = run(project, path="/nowhere")
    assert done.returncode == 1 and "the program melt is not on the PATH" in done.stderr
