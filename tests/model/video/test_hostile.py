"""Films that are damaged, change under our hands, lead elsewhere or are far too much: a sentence, and nothing lost."""

import pickle
import re
import shutil
import threading
from dataclasses import replace

import av
import numpy as np
import pytest

from hitpoint.model.errors import InputError
from hitpoint.model.plan.build import build_plan
from hitpoint.model.plan.types import Wishes
from hitpoint.model.video import analyse as analysis
from hitpoint.model.video import apart, cache, features, film, media
from hitpoint.model.video.analyse import analyse
from hitpoint.model.video.apart import analyse_apart, probe_apart
from hitpoint.model.video.film import open_film
from hitpoint.model.video.types import Clip
from tests.model.video.conftest import draw, ffmpeg

H264 = ("-c:v", "libx264", "-crf", 20, "-preset", "veryfast", "-g", 30)


def spoil(path, first_s, last_s, seed=3):
    """Overwrite most of every packet of the picture between two moments."""
    rng = np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.pts is not None and packet.pos and first_s <= packet.pts * packet.time_base <= last_s:
                places = range(packet.pos + 8, packet.pos + packet.size, 7)
                data[packet.pos + 8 : packet.pos + packet.size : 7] = rng.bytes(len(places))
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mp4", H264),
        ("film.mkv", H264),
        ("film.mov", ("-c:v", "mjpeg")),
        ("film.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", 8, "-g", 30)),
        ("film.avi", ("-c:v", "mpeg4", "-bf", 2)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_was_lost_is_said(name, options, base, tmp_path):
    path = tmp_path / name
    ffmpeg("-i", base, *options, path)
    whole = analyse([Clip(path)])
    assert not whole.notes
    hurt = analyse([Clip(spoil(path, 4.4, 4.6))])
    assert hurt.duration_s == whole.duration_s, "what is lost moves nothing behind it"
    assert any("damaged between 4." in note for note in hurt.notes)
    assert hurt.notes == build_plan(hurt, Wishes()).changes[: len(hurt.notes)]
    assert analyse([Clip(path)]).notes == hurt.notes, "remembered with what was measured"
    assert not analyse([Clip(path, in_s=0.5, out_s=3.0)]).notes, "elsewhere nothing is lost"
    last_s = max(float(found) for note in hurt.notes for found in re.findall(r"and ([\d.]+) s:", note))
    assert not [beat for beat in hurt.beats if 4.2 < beat.time_s < last_s + 0.2], "a picture that comes back is no beat"
    late_s = 0.5 if name == "film.webm" else 0.15  # this one has no key frame at the cut
    cuts_s = [cut.time_s for cut in whole.boundaries]
    assert [cut.time_s for cut in hurt.boundaries] == pytest.approx(cuts_s, abs=late_s)


def test_a_film_that_ends_before_it_says_so(base, tmp_path):
    path = tmp_path / "film.avi"
    ffmpeg("-i", base, "-c:v", "mpeg4", path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert any("declares 7.0 s" in note for note in open_film(path).notes)


# The film that is hashed is the film that is looked at.


@pytest.mark.parametrize("how", ["replaced", "rewritten", "gone"])
def test_a_film_that_changes_while_another_is_measured(how, tmp_path, monkeypatch, cache_folder):
    first = draw(tmp_path / "a.mp4", size="64x36")
    second = draw(tmp_path / "b.mp4", size="64x36", rate=12)
    new = draw(tmp_path / "new.mp4", size="64x36", rate=30)
    digest, measured = open_film(second).media.sha256, []

    def measure(clip, *rest):
        measured.append(clip.path)
        if len(measured) == 1:
            if how == "replaced":
                new.replace(second)
            elif how == "rewritten":
                shutil.copyfile(new, second)
            else:
                second.unlink()
        return features.measure(clip, *rest)

    monkeypatch.setattr(analysis, "measure", measure)
    with pytest.raises(InputError, match=r"b\.mp4"):
        analyse([Clip(first), Clip(second)])
    assert cache.load(cache.key(digest, 0.0, None, features.version())) is None
    assert len(list(cache_folder.rglob("*.npz"))) == 1, "the first one is sound"


def test_a_film_that_is_written_anew_is_surveyed_anew(tmp_path):
    path = draw(tmp_path / "film.mp4", size="64x36")
    before = open_film(path)
    draw(path, size="64x36", rate=12)
    after = open_film(path)
    assert (before.media.frames, after.media.frames) == (48, 24)
    assert before.media.sha256 != after.media.sha256
    with pytest.raises(InputError, match="changed"):
        before.check_unchanged()


# Files that lead elsewhere.


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{film}\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{film}\n#EXT-X-ENDLIST\n"),
        ("list.m3u", "#EXTM3U\n{film}\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile '{film}'\n"),
        ("list.mkv", "ffconcat version 1.0\nfile '{film}'\n"),
        ("talk.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"),
        ("film.mpd", '<?xml version="1.0"?><MPD><Period><BaseURL>{film}</BaseURL></Period></MPD>'),
        ("film.avs", 'FFVideoSource("{film}")'),
        ("film.idx", "# VobSub index file, v7\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 000000000\n"),
    ],
)
def test_what_leads_to_another_file_is_refused(name, text, tmp_path):
    target, path = draw(tmp_path / "film.ts", size="64x36"), tmp_path / name
    path.write_text(text.format(film=target))
    with pytest.raises(InputError, match=r"[^.]$"):
        analyse([Clip(path)])


def test_a_name_that_reads_as_a_pattern_is_a_name(tmp_path):
    for number in range(3):
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x36", "-frames:v", 1, tmp_path / f"shot{number}.png")
    path = tmp_path / "shot%d.png"
    shutil.copy(tmp_path / "shot0.png", path)
    with pytest.raises(InputError, match="a single frame"):
        analyse([Clip(path)])
    with pytest.raises(InputError, match="made of these pictures"):
        analyse([Clip(tmp_path)])


def test_kinds_that_lead_elsewhere_are_not_on_the_list():
    for name in ("hls", "concat", "sdp", "rtsp", "rtp", "dash", "image2", "vobsub", "tty", "lavfi", "imf", "avisynth"):
        assert name not in media.CONTAINERS
    assert media.PROTOCOLS == "file"


# Far too much.


def test_a_frame_of_too_many_pixels(tmp_path, monkeypatch):
    path = draw(tmp_path / "film.mp4", size="320x180")
    monkeypatch.setattr(film, "MAX_PIXELS", 50_000)
    with pytest.raises(InputError, match="frames of 320x180, over"):
        open_film(path)


def test_too_many_frames_or_hours(tmp_path, monkeypatch):
    path = draw(tmp_path / "film.mp4", size="64x36")
    monkeypatch.setattr(film, "MAX_FRAMES", 40)
    with pytest.raises(InputError, match="48 frames"):
        analyse([Clip(path)])
    assert len(analyse([Clip(path, in_s=1.0)]).times_s) == 24, "a part of it can be scored"
    monkeypatch.setattr(film, "MAX_FRAMES", 1000)
    monkeypatch.setattr(film, "MAX_LENGTH_S", 1.0)
    with pytest.raises(InputError, match="set an in and an out point"):
        analyse([Clip(path)])


def test_too_many_packets(tmp_path, monkeypatch):
    path = draw(tmp_path / "film.mp4", size="64x36")
    monkeypatch.setattr(film, "MAX_PACKETS", 20)
    with pytest.raises(InputError, match="over 20 frames"):
        open_film(path)


def test_a_file_that_is_mostly_a_hole(tmp_path):
    path = draw(tmp_path / "film.mp4", size="64x36")
    with path.open("r+b") as file:
        file.truncate(4 << 30)
    with pytest.raises(InputError, match="on this disk"):
        open_film(path)


class Enough(Exception):
    pass


def test_whoever_waits_may_give_up_while_a_file_is_read(tmp_path, monkeypatch):
    path, stalled = draw(tmp_path / "film.mp4", size="64x36"), threading.Event()
    real = film._picture

    def slow(*arguments):
        stalled.wait(20)
        return real(*arguments)

    monkeypatch.setattr(film, "_picture", slow)

    def tick():
        raise Enough

    with pytest.raises(Enough):
        open_film(path, tick)
    stalled.set()


def test_whoever_waits_may_give_up_while_a_decoder_is_stuck(tmp_path, monkeypatch):
    path, stalled = draw(tmp_path / "film.mp4", size="64x36"), threading.Event()
    open_film(path)
    monkeypatch.setattr(features.frames, "decode", lambda *a, **b: (stalled.wait(20) for _ in range(1)))
    told = []

    def progress(share):
        told.append(share)
        if len(told) > 5:
            raise Enough

    with pytest.raises(Enough):
        analyse([Clip(path)], progress=progress)
    stalled.set()


# The analysis in a process of its own.


def test_apart_it_says_the_same(base):
    here, there = analyse([Clip(base)]), analyse_apart([Clip(base)])
    assert there.boundaries == here.boundaries and there.beats == here.beats and there.media == here.media
    assert np.array_equal(there.motion, here.motion)
    assert probe_apart(base) == here.media[0]


def test_apart_it_refuses_alike(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        analyse_apart([Clip(tmp_path / "none.mp4")])


def test_apart_too_much_memory_costs_one_job(base):
    with pytest.raises(InputError, match=r"memory|crash"):
        analyse_apart([Clip(base, out_s=6.9)], memory_bytes=100 << 20)


def test_apart_a_crash_costs_one_job(base, monkeypatch):
    started = []
    real = apart.subprocess.Popen

    def popen(*arguments, **options):
        started.append(real(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(apart.subprocess, "Popen", popen)
    with pytest.raises(InputError, match="made the decoder crash"):
        analyse_apart([Clip(base, out_s=6.8)], progress=lambda share: started[-1].kill())


def test_apart_giving_up_ends_the_other_process(base, monkeypatch):
    started = []
    real = apart.subprocess.Popen

    def popen(*arguments, **options):
        started.append(real(*arguments, **options))
        return started[-1]

    def progress(share):
        raise Enough

    monkeypatch.setattr(apart.subprocess, "Popen", popen)
    with pytest.raises(Enough):
        analyse_apart([Clip(base, out_s=6.7)], progress=progress)
    assert started[-1].poll() is not None


def test_apart_an_answer_can_run_nothing():
    class Trap:
        def __reduce__(self):
            return (print, ("never",))

    for answer in (pickle.dumps(Trap()), pickle.dumps(shutil.rmtree)):
        with pytest.raises(InputError, match="unexpected"):
            apart._Unpickler(apart.io.BytesIO(answer)).load()


def test_a_picture_of_another_film_is_not_put_under_the_music(base, tmp_path):
    """`mux_score` asks whether the film is still the one that was scored."""
    from hitpoint.model.output.mux import mux_score
    from tests.fakes import fake_prepared, fake_take

    score = fake_take(fake_prepared(bars=2, duration_s=7.0)).score
    scored = replace(score, about={**score.about, "clip0_sha256": "0" * 64})
    with pytest.raises(InputError, match="changed since it was scored"):
        mux_score(scored, [Clip(base)], tmp_path / "out.mp4")
