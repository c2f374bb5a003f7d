"""A workshop on a bench: what is asked of it, and what it sends."""

import time

from live_fakes import FakeTools

from hitpoint.bridge.ipc.messages import (
    BarsReady,
    ClipSpec,
    Planned,
    ScoreJob,
)
from hitpoint.bridge.state.store import Store
from hitpoint.bridge.work.workshop import Workshop
from hitpoint.model.perform.perform import perform_all


class Bench:
    """A workshop and what it sent."""

    def __init__(self, tmp_path):
        self.sent = []
        self.tools = FakeTools(0.0)
        self.store = Store(tmp_path)
        self.waiting = []
        self.workshop = Workshop(self.tools, self.store, self.sent.append, waiting=lambda: self.waiting)

    def ask(self, *messages):
        for message in messages:
            self.workshop.handle(message)

    def work(self, until=None, idle_s=0.3, most_s=60.0):
        """Step until `until` holds for what was sent; without it, until nothing more has happened for `idle_s`.

        Fails where `until` does not hold after `most_s`: a busy machine, or work that never ends.
        """
        quiet, end = time.monotonic() + idle_s, time.monotonic() + most_s
        while time.monotonic() < end and not (until and until(self.sent)):
            stepped = self.workshop.step()
            if stepped or self.workshop.waits_for_worker:
                quiet = time.monotonic() + idle_s
            elif not until and time.monotonic() >= quiet:
                return
            if not stepped:
                time.sleep(0.005)
        assert not until or until(self.sent), f"not there after {most_s:g} s"

    def of(self, kind):
        return [message for message in self.sent if isinstance(message, kind)]

    def bars(self):
        """index -> bar as last sent."""
        return {bar.index: bar for message in self.of(BarsReady) for bar in message.bars}

    def played(self, bars):
        """index -> bar as it is to be played, by the plan last sent."""
        return {bar.index: bar for bar in perform_all(bars, self.of(Planned)[-1].plan)}


def score(job="film", name="8.mp4", start_s=0.0, **pairs):
    return ScoreJob(job, (ClipSpec(f"/clips/{name}", start_s, 0.0, None),), tuple(pairs.items()), 24.0)
