"""Jumps, takes, controls and new notes while the real form composes a film whose sections return: no job is lost."""

import os
import random

import pytest
from job_bench import Bench, score
from live_fakes import telling_bar

from hitpoint.bridge.ipc.messages import (
    Aim,
    BarsReady,
    ChooseTake,
    JobDone,
    JobError,
    JobResult,
    Regenerate,
    SetControl,
)
from hitpoint.model.compose.cmt.composer import task_of
from hitpoint.model.compose.cmt.leaning import Here, leanings_of
from hitpoint.model.plan.types import Section

JUMPS = int(os.environ.get("HITPOINT_JUMPS", "60"))


class FormComposer:
    """Asks what the network's composer asks of a plan for each bar, and writes telling bars."""

    name, sha256, parameters, key = "form", "0" * 64, 0, "form"

    class stats:
        tokens, seconds = 1, 0.1

    def __init__(self):
        self.wrong = []

    def stream(self, plan, seed, history=()):
        written = list(history)
        while len(written) < len(plan.bars):
            index = len(written)
            try:
                leanings_of(Here(plan, index, written))
                task_of(plan, index)
            except Exception as error:
                self.wrong.append(repr(error))
                raise
            written.append(telling_bar(index, seed))
            yield written[-1]

    def regenerate(self, plan, bars, first_bar, last_bar, instruments, seed):
        for index in range(first_bar, last_bar + 1):
            leanings_of(Here(plan, index, bars[:index], anew=True))
        return [telling_bar(b.index, seed) if first_bar <= b.index <= last_bar else b for b in bars]


def returning(plan):
    """The plan, with sections A B A C A B."""
    bars = len(plan.bars)
    bounds = [round(bars * share / 6) for share in range(7)]
    sections = tuple(Section(name, a, b) for name, a, b in zip("ABACAB", bounds[:-1], bounds[1:], strict=True))
    number = [index for index, each in enumerate(sections) for _ in range(each.first_bar, each.end_bar)]
    placed = tuple(type(bar)(**{**vars(bar), "section": number[bar.index]}) for bar in plan.bars)
    return type(plan)(**{**vars(plan), "sections": sections, "bars": placed})


@pytest.mark.parametrize("seed", range(3))
def test_random_jumps_and_edits_while_composing_lose_nothing(tmp_path, seed):
    dice = random.Random(seed)
    bench = Bench(tmp_path)
    composer = FormComposer()
    bench.tools.composer = lambda key="": composer
    real_prepare, real_replan = bench.tools.prepare, bench.tools.replan

    def prepare(score, pairs, progress):
        prepared = real_prepare(score, pairs, progress)
        return type(prepared)(**{**vars(prepared), "plan": returning(prepared.plan)})

    bench.tools.prepare = prepare
    bench.tools.replan = lambda prepared, pairs: returning(real_replan(prepared, pairs))
    bench.ask(score(name="64.mp4", takes="2"))
    bench.work(until=lambda sent: any(isinstance(m, BarsReady) for m in sent))
    for _ in range(JUMPS // 3):
        for _ in range(dice.randrange(4)):
            bench.workshop.step()
        kind = dice.random()
        bar = dice.randrange(64)
        if kind < 0.7:
            bench.ask(Aim("film", bar))
        elif kind < 0.8:
            bench.ask(ChooseTake("film", dice.randrange(3), bar))
        elif kind < 0.9:
            bench.ask(SetControl("film", "density", dice.randrange(-2, 3), bar))
        else:
            bench.ask(Regenerate("film", bar, min(63, bar + 2), None))
    bench.sent.clear()
    bench.ask(Aim("film", 63))
    bench.work(until=lambda sent: any(isinstance(m, JobDone) for m in sent))
    assert composer.wrong == [], "it never sees what it cannot compose"
    assert not [error for error in bench.of(JobError) if error.code != "usage"]
    assert bench.of(JobResult) and len(bench.store.load_bars("film", bench.store.load("film").take)) == 64
