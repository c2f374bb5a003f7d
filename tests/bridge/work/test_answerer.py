"""A suggestion is looked for in the worker, and its request is done when it was told."""

from pathlib import Path

import pytest
from job_bench import Bench, score

from hitpoint.bridge.ipc.messages import (
    Handled,
    JobDone,
    JobError,
)
from hitpoint.bridge.ipc.questions import CutJob, EditCut, Suggested, SuggestJob
from hitpoint.model.errors import InputError
from hitpoint.model.mood.suggest import suggest


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_a_suggestion_is_told_and_handled(bench):
    bench.tools.suggest = lambda listed, pairs, progress: suggest(None, pairs["describe"])
    asked = SuggestJob("film", score(describe="a funeral in the rain"))
    bench.ask(asked)
    assert not bench.of(Handled)
    bench.work(lambda sent: any(isinstance(each, JobDone) for each in sent))
    (told,) = bench.of(Suggested)
    assert told.mood == "sad" and 0 <= told.genre_share <= 1 and "funeral" in told.why
    assert bench.of(Handled) == [Handled("film", asked)]


def test_a_film_that_cannot_be_used_is_said(bench):
    def broken(listed, pairs, progress):
        raise InputError("broken.mp4 is not a film; choose another file")

    bench.tools.suggest = broken
    bench.ask(SuggestJob("film", score()))
    bench.work(lambda sent: any(isinstance(each, JobDone) for each in sent))
    (error,) = bench.of(JobError)
    assert error.code == "input" and not bench.of(Suggested)


def test_clips_are_cut_to_music(bench, tmp_path):
    def cut(listed, music, path, progress):
        path.write_text(f"{music} at {listed.fps:g}")
        return ("one thing", "another")

    bench.tools.cut = cut
    bench.ask(CutJob("film", score(music="/m/song.mid")))
    bench.work(lambda sent: any(isinstance(each, JobDone) for each in sent))
    (told,) = bench.of(EditCut)
    assert Path(told.path).read_text() == "/m/song.mid at 24" and told.text == "one thing; another"
