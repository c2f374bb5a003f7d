"""Music without end on a test clock: desk, player and studio as one, whatever is told, late or lost."""

import math
import random

import pytest
from live_fakes import TellingComposer
from recorder import Recorder, drive

from hitpoint.bridge.clock.clock import TestClock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc.live import GrowBar, GrownBars, LiveError
from hitpoint.bridge.ipc.messages import ComposerAsk, JobError
from hitpoint.bridge.live.features import Features
from hitpoint.bridge.live.studio import Studio
from hitpoint.bridge.osc import codec
from hitpoint.bridge.play.player import Player
from hitpoint.bridge.session.session import Session
from hitpoint.bridge.state.recovery import NowPlaying
from hitpoint.model.plan import growing

ME = ("127.0.0.1", 5001)
BEAT_S = 0.5
BAR_S = 4 * BEAT_S
KICK, CRASHES = 36, (49, 57)


class Composer(TellingComposer):
    """Bars as dense as they are asked to be."""

    def stream(self, plan, seed, history=()):
        from hitpoint.model.music.score import Bar, Note

        self.histories = [*getattr(self, "histories", []), len(history)]
        for asked in plan.bars[len(history) :]:
            yield Bar(asked.index, tuple(Note(tick, 1, 60, 1, 80) for tick in range(asked.density or 1)))

    def forget(self, plan, bars, kept):
        self.forgot = (len(bars), kept)


class Stage:
    """A session, its player and a studio that takes `delay_s` for a bar."""

    def __init__(self, delay_s=0.2, **settings):
        self.clock = TestClock(500.0)
        self.delay_s, self.answers, self.told, self.asked, self.logged = delay_s, [], [], [], []
        self.composer = Composer()
        self.studio = Studio(lambda key: self.composer, lambda genre: (0, 0, 25, 33, 48), self._answer)
        self.session = Session(self.clock, Config(**settings), "9", self._tell, self._ask, self._log)
        self.sink = Recorder(self.clock)
        self.player = self.session.player = Player(self.clock, self.sink, Config(), self.session)
        self.lost = lambda message: False
        self.say("/hitpoint/hello", "tester", "1", 2)

    def _tell(self, packet, address):
        self.told.append(codec.decode(packet)[0])

    def _log(self, level, text):
        self.logged.append(text)

    def _ask(self, message):
        if isinstance(message, GrowBar) and not self.lost(message):
            self.asked.append((self.clock.now(), message))
            self.studio.handle(message)
        return True

    def _answer(self, message):
        self.answers.append((self.clock.now() + self.delay_s, message))

    def say(self, *message):
        self.session.hear(codec.encode(*message), ME)

    def run(self, seconds):
        """As the clock process does: tick, take what the composer says, keep house ten times a second."""
        until = self.clock.now() + seconds
        while self.clock.now() < until - 1e-9:
            drive(self.player.tick, self.clock, 0.01)
            due = [each for each in self.answers if each[0] <= self.clock.now()]
            self.answers = [each for each in self.answers if each[0] > self.clock.now()]
            for _, message in due:
                self.session.on_composer(message)
            if round(self.clock.now() * 100) % 10 == 0:
                self.session.housekeeping()

    def errors(self):
        return [m.arguments[:2] for m in self.told if m.address == "/hitpoint/error"]

    def begin(self, *pairs, seconds=0.0):
        self.say("/hitpoint/live", "tempo", 120, *pairs)
        self.run(0.5)
        self.began_s = self.player.transport.at_s
        self.run(seconds)
        return self

    def density(self, bar):
        """How many ticks of a bar, counted from the first, hold a composed note."""
        start_s = self.began_s + bar * BAR_S - 0.01
        struck = [at for at, _, pitch, _ in self.sink.notes_on() if pitch == 60 and start_s <= at < start_s + BAR_S]
        return len({round(at / BEAT_S * 4) for at in struck})

    def strikes(self):
        """Beats, from the first bar line, on which a crash sounded."""
        found = [at for at, channel, pitch, _ in self.sink.notes_on() if channel == 9 and pitch in CRASHES]
        return [(at - self.began_s) / BEAT_S for at in found]


def test_music_begins_goes_on_and_follows_within_two_bars():
    stage = Stage()
    stage.say("/hitpoint/feature", "motion", 0.05)
    stage.begin(seconds=10 * BAR_S)
    calm = [stage.density(bar) for bar in range(2, 9)]
    stage.say("/hitpoint/feature", "motion", 1.0)
    changed = stage.player.bar
    stage.run(6 * BAR_S)
    assert max(calm) <= 8 and min(stage.density(bar) for bar in range(changed + 2, changed + 5)) >= 12
    assert stage.player.underruns == 0 and stage.player.state == "playing"


def test_an_event_is_struck_on_the_next_beat_and_once():
    stage = Stage().begin(seconds=4 * BAR_S)
    before, following = len(stage.strikes()), math.ceil(stage.player.position() / BEAT_S)
    for size in (0.9, 0.8):  # two frames of one event
        stage.say("/hitpoint/feature", "cut", size)
    stage.run(BEAT_S)
    (beat,) = stage.strikes()[before:]
    assert beat == pytest.approx(following, abs=0.02)
    stage.run(BAR_S)
    assert not stage.sink.hanging() - {(0, 60)}


def test_a_section_begins_with_another_picture():
    stage = Stage()
    stage.say("/hitpoint/feature", "valence", -0.8)
    stage.begin(seconds=6 * BAR_S)
    minor = stage.asked[-1][1].pairs
    stage.say("/hitpoint/feature", "valence", 0.8)
    stage.run(3 * BAR_S)
    assert dict(minor)["home"].endswith("minor") and dict(stage.asked[-1][1].pairs)["home"].endswith("major")


def test_it_ends_with_a_cadence_and_at_once_when_told_twice():
    stage = Stage().begin(seconds=3.5 * BAR_S)
    stage.say("/hitpoint/stop")
    stage.run(0.1)
    assert stage.player.transport.playing
    stage.run(4 * BAR_S)
    assert not stage.player.transport.playing and stage.session.state == "idle" and not stage.sink.hanging()
    chords = [m.arguments[1:] for m in stage.told if m.address == "/hitpoint/chord"]
    dominant, *_, last = [symbol for bar, half, symbol in chords][-3:]
    assert dominant.endswith("7") and not last.endswith("7")
    stage.begin(seconds=2 * BAR_S)
    stage.say("/hitpoint/stop")
    stage.say("/hitpoint/stop")
    assert not stage.player.transport.playing and not stage.sink.hanging()


def test_lost_and_late_packets_change_little_and_floods_nothing():
    rng = random.Random(1)
    stage = Stage().begin()
    for _ in range(40):
        for _ in range(25):
            if rng.random() > 0.3:
                stage.say("/hitpoint/feature", "motion", 0.4 + rng.uniform(-0.1, 0.1))
            stage.run(rng.choice((0.01, 0.02, 0.03)))
    told = [message.seen.motion for _, message in stage.asked[3:]]
    assert all(abs(motion - 0.4) < 0.05 for motion in told) and stage.player.underruns == 0


def test_memory_does_not_grow(monkeypatch):
    monkeypatch.setattr(growing, "MOST_BARS", 20)
    monkeypatch.setattr(growing, "KEPT_BARS", 6)
    stage = Stage(delay_s=0.01).begin(seconds=50 * BAR_S)
    assert stage.player.bar >= 48 and len(stage.player.known_bars.bars()) <= 12
    assert stage.composer.forgot == (21, 6) and max(stage.composer.histories) <= 20
    watchdog = NowPlaying()
    watchdog.hear(stage.player.planned)
    for bar in stage.player.known_bars.bars():
        watchdog.hear(GrownBars("live", 0, 0, (bar,)))
    assert len(watchdog.retell()) <= 12


def test_what_is_out_of_range_is_taken_for_its_end_and_said_once():
    stage = Stage().begin()
    for _ in range(3):
        stage.say("/hitpoint/feature", "motion", 7.0)
    ((code, text),) = stage.errors()
    assert code == "arguments" and "0..1" in text and "7" in text
    stage.say("/hitpoint/feature", "colour", 0.5)
    assert "motion, cut, valence, energy" in stage.errors()[-1][1]
    stage.say("/hitpoint/feature", "motion", "much")
    assert "must be a number" in stage.errors()[-1][1]
    stage.run(3 * BAR_S)
    assert stage.asked[-1][1].seen.motion == 1.0


@pytest.mark.parametrize(
    ("pairs", "word"),
    [
        (("genre", "polka"), "polka"), (("hits", "1.5"), "hits"), (("genre", "auto"), "genre"),
        (("tempo", "fast"), "tempo"), (("energy", 9), "energy"), (("odd",), "pairs"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_said(pairs, word):
    stage = Stage()
    stage.say("/hitpoint/live", *pairs)
    stage.run(0.5)
    assert word in stage.errors()[-1][1] and stage.session.state == "idle"


def test_live_names_a_composer_with_its_library(tmp_path):
    """As a score does: the folder and the way of choosing were taken for wishes that there are none of."""
    stage, named = Stage(roots=[str(tmp_path)]), []
    stage.studio = Studio(lambda asked: named.append(asked) or stage.composer, lambda genre: (0,) * 5, stage._answer)
    stage.begin("composer", "library", "library", str(tmp_path), "select", "match", seconds=2 * BAR_S)
    assert named == [ComposerAsk("library", str(tmp_path), "match")] and not stage.errors()


def test_a_slow_composer_is_asked_earlier():
    stage = Stage(delay_s=1.1).begin(seconds=14 * BAR_S)
    late = stage.player.underruns
    stage.run(10 * BAR_S)
    assert stage.player.underruns == late


def test_a_composer_that_died_is_asked_again_and_goes_on_in_its_key():
    stage = Stage().begin(seconds=4 * BAR_S)
    key = dict(stage.asked[-1][1].pairs)["home"]
    stage.studio = Studio(lambda name: stage.composer, lambda genre: (0,) * 5, stage._answer)
    stage.lost = lambda message: True
    stage.run(2 * BAR_S)
    stage.lost = lambda message: False
    stage.run(4 * BAR_S)
    assert stage.player.known_bars.known(stage.player.bar) and stage.player.bar >= 9
    assert dict(stage.asked[-1][1].pairs)["home"] == key


def test_a_clock_that_died_goes_on():
    stage = Stage().begin(seconds=4 * BAR_S)
    kept = NowPlaying()
    kept.hear(stage.player.planned)
    for bar in stage.player.known_bars.bars():
        kept.hear(GrownBars("live", 0, 0, (bar,)))
    live = stage.session.live_state()
    successor = Session(stage.clock, Config(), "9", stage._tell, stage._ask, stage._log)
    successor.player = Player(stage.clock, stage.sink, Config(), successor)
    for message in kept.retell():
        successor.on_composer(message)
    successor.restore(live, stage.session.parties())
    stage.session, stage.player = successor, successor.player
    stage.run(5 * BAR_S)
    assert stage.player.state == "playing" and stage.player.bar == 9 and stage.player.underruns == 0


def test_no_feature_leaves_the_mean_of_what_was_told_last():
    features = Features()
    assert features.seen(10.0, 8.0).motion is None
    features.hear("motion", 0.2, 1.0)
    features.hear("motion", 0.6, 9.0)
    features.hear("cut", 0.5, 9.5)
    seen = features.seen(10.0, 8.0)
    assert (seen.motion, seen.cuts, seen.energy) == (0.6, 1, None)
    assert features.seen(30.0, 28.0).motion == 0.6 and features.seen(30.0, 28.0).cuts == 0


def test_faders_move_the_music_that_plays_and_edits_of_films_do_it_no_harm():
    stage = Stage()
    stage.say("/hitpoint/feature", "motion", 0.5)
    stage.begin(seconds=5 * BAR_S)
    before = stage.density(3)
    stage.say("/hitpoint/control/density", -5.0)
    stage.session.on_composer(JobError("live", "usage", "this score is no longer known"))
    stage.run(4 * BAR_S)
    assert stage.density(7) <= before - 3 and len({each.index for _, each in stage.asked}) >= 9
    assert stage.composer.histories == list(range(len(stage.composer.histories)))  # one piece, without a new beginning


def test_errors_of_the_composer_end_the_wait():
    stage = Stage()
    stage.say("/hitpoint/live")
    stage.session.on_composer(LiveError("live", "usage", "no"))
    stage.run(5.0)
    assert len(stage.asked) == 1


def test_a_bar_that_has_not_begun_is_written_again_when_something_else_is_seen():
    stage = Stage()
    stage.say("/hitpoint/feature", "motion", 0.05)
    stage.begin(seconds=4 * BAR_S)
    stage.run(math.ceil(stage.player.position() / BAR_S) * BAR_S - stage.player.position() + 1.0 * BEAT_S)
    bar = stage.player.bar
    assert stage.player.known_bars.known(bar + 1)
    stage.say("/hitpoint/feature", "motion", 1.0)
    stage.run(3 * BAR_S)
    assert stage.density(bar) <= 8 and stage.density(bar + 1) >= 12
    assert [message.again for _, message in stage.asked].count(True) == 1
