"""Stand-ins for the composer process: a plan of plain 120 BPM, and bars whose notes tell which bar they are."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from hitpoint.bridge.errors import InputError
from hitpoint.bridge.work.jobs import Tools
from hitpoint.model.compose.base import Account
from hitpoint.model.music.score import Bar, Note, TempoMap, TempoPoint
from hitpoint.model.plan.types import BarPlan, HitPoint, Plan, Section

BPM = 120.0
BAR_S = 2.0
CLICK = 37


def plain_plan(bars=8, bpm=BPM, seed=0):
    """A plan of one tempo with a cut on each second bar line."""
    bar_s = 240.0 / bpm
    return Plan(
        bars * bar_s,
        TempoMap((TempoPoint(0.0, 0.0, bpm),)),
        tuple(BarPlan(i, 4) for i in range(bars)),
        tuple(HitPoint(i * bar_s, "cut", 1.0, i, 0, 2) for i in range(0, bars, 2)),
        (Section("A", 0, bars),),
        "pop",
        (0, 1, 2, 3, 4),
        1.0,
        seed,
    )


def telling_bar(index, seed=0):
    """One piano note a beat, its pitch telling the bar (36 + index % 60), its velocity the take; one drum downbeat."""
    notes = [Note(4 * beat, 1, 36 + index % 60, 2, 60 + seed % 60) for beat in range(4)]
    return Bar(index, tuple(sorted([Note(0, 0, 36, 1, 100), *notes])))


class TellingComposer:
    """Composes telling bars, `delay_s` each. regenerate transposes what it is asked for an octave up."""

    name, sha256, parameters = "telling", "0" * 64, 0
    own_chords = False

    class stats:
        tokens, seconds = 10, 0.1

    def __init__(self, delay_s=0.0):
        self.delay_s = delay_s
        self.streams = []
        self.on_step = lambda: None

    def stream(self, plan, seed, history=()):
        self.streams.append((len(plan.bars), len(history)))
        for bar in plan.bars[len(history) :]:
            time.sleep(self.delay_s)
            yield telling_bar(bar.index, seed)

    def ahead(self, plan, seed, history=()):
        return self.stream(plan, seed, history)

    def together(self, plan, seeds):
        self.batches = [*getattr(self, "batches", []), list(seeds)]
        for bars in zip(*(self.stream(plan, seed) for seed in seeds), strict=True):
            yield from enumerate(bars)

    def account(self, plan, seed, bars):
        return Account()

    def is_stale(self):
        return False

    def regenerate(self, plan, bars, first_bar, last_bar, instruments, seed):
        out = []
        for bar in bars:
            if first_bar <= bar.index <= last_bar:
                chosen = range(5) if instruments is None else instruments
                moved = [
                    Note(n.tick, n.instrument, n.pitch + 12, n.duration_ticks, n.velocity)
                    if n.instrument in chosen
                    else n
                    for n in bar.notes
                ]
                bar = Bar(bar.index, tuple(sorted(moved)))
            out.append(bar)
        return out


class ClickingComposer(TellingComposer):
    """A side stick on each beat, and nothing else: a sound whose start is sharp and which is gone before the next."""

    def stream(self, plan, seed, history=()):
        for bar in plan.bars[len(history) :]:
            yield Bar(bar.index, tuple(Note(4 * beat, 0, CLICK, 1, 110) for beat in range(4)))


class BeatingComposer(TellingComposer):
    """Telling bars with a side stick on each beat as well: notes that ring, and sounds whose start is sharp."""

    def stream(self, plan, seed, history=()):
        for bar in super().stream(plan, seed, history):
            beats = (Note(4 * beat, 0, CLICK, 1, 110) for beat in range(4))
            yield Bar(bar.index, tuple(sorted([*bar.notes, *beats])))


class FakeTools(Tools):
    """Plans without looking at the clips: as many bars as the first clip's name says ("32.mp4"), else 8."""

    def __init__(self, delay_s=None, composer=TellingComposer):
        delay_s = float(os.environ.get("FAKE_BAR_S", "0")) if delay_s is None else delay_s
        super().__init__(lambda key: composer(delay_s))

    def prepare(self, score, pairs, progress):
        stem = Path(score.clips[0].path).stem
        if stem == "broken":
            raise InputError("broken.mp4 is not a film; choose another file")
        if stem == "deadly":
            os._exit(7)
        progress("analyse", 1.0)
        plan = plain_plan(int(stem) if stem.isdigit() else 8, float(pairs.get("tempo", BPM)), int(pairs.get("seed", 0)))
        return FakePrepared(plan)

    def replan(self, prepared, pairs):
        plan = prepared.plan
        bars = tuple(BarPlan(bar.index, 4 + int(pairs.get("density", 0))) for bar in plan.bars)
        return Plan(**{**vars(plan), "bars": bars, "control": float(pairs.get("control", plan.control))})

    def programs(self, genre):
        return (0, 0, 25, 33, 48)

    def write(self, prepared, composer, bars, seed, midi, wav, report, stems=False, formats=(), progress=None):
        for path in (midi, wav, report):
            if path is not None:
                path.write_text(f"{len(bars)} bars, seed {seed}")


def FakePrepared(plan):
    from hitpoint.model.take import Prepared

    return Prepared((), None, None, plan, 0.0, 0.0)


def make():
    """Named in the configuration's `tools`."""
    return FakeTools()


def make_clicks():
    """As `make`, with clicks for music."""
    return FakeTools(composer=ClickingComposer)


def make_beats():
    """As `make`, with a sharp sound on each beat."""
    return FakeTools(composer=BeatingComposer)


def make_if_mended():
    """As `make`, once the file that FAKE_NEEDS names is there."""
    if not Path(os.environ["FAKE_NEEDS"]).exists():
        raise RuntimeError("nothing to compose with")
    return FakeTools()


def make_on_a_card():
    """With the real composer on a stand-in for a graphics card, which goes away in the middle of the third bar."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from hitpoint.model.compose.cmt import composer
    from hitpoint.model.network import checkpoint
    from hitpoint.model.network.device import Graphs
    from tests.graphs import Cuda

    composer.LIVE_SIZES = (1,)
    cuda = Cuda()

    class Composer(composer.CmtComposer):
        def stream(self, plan, seed, history=()):
            for bar in super().stream(plan, seed, history):
                if cuda.lost_after is None and bar.index == 1:
                    cuda.lost_after = cuda.launches + 20
                yield bar

    return FakeTools(composer=lambda delay_s: Composer(checkpoint.load(), device=Graphs("cpu", cuda)))


class StuckComposer(TellingComposer):
    """Waits for ever in the bar after the third one, once: the file that FAKE_STUCK names says that it did."""

    def stream(self, plan, seed, history=()):
        for bar in super().stream(plan, seed, history):
            mark = Path(os.environ["FAKE_STUCK"])
            if bar.index == 3 and not mark.exists():
                mark.touch()
                time.sleep(1e6)
            yield bar


class BurningComposer(TellingComposer):
    """Counts its steps, and in the bar after the third one goes round in circles, once (see StuckComposer)."""

    def __init__(self, delay_s=0.0):
        super().__init__(delay_s)
        self.steps = 0

    def stream(self, plan, seed, history=()):
        for bar in super().stream(plan, seed, history):
            mark = Path(os.environ["FAKE_STUCK"])
            if bar.index == 3 and not mark.exists():
                self.steps += 1
                time.sleep(1.0)  # a beat of the pulse passes
                self.steps += 1
                mark.touch()
                while True:
                    pass
            yield bar


def make_burning():
    """As `make`, with a composer that burns the processor once."""
    return FakeTools(composer=BurningComposer)


def make_stuck():
    """As `make`, with a composer that hangs once."""
    return FakeTools(composer=StuckComposer)
