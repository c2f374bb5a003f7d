"""A real Ardour 7 without a window: its own OSC moves our transport, and it records our notes, every one on time.

What it recorded is compared with what another JACK client heard at the same port: gaps between onsets, in JACK frames.
"""

import shutil
import tempfile
import time
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from live_fakes import BAR_S, telling_bar
from live_kit import RATE, Bridge, Client, JackServer, RemoteEars, need_jack, notes_on

from hitpoint.model.perform.perform import perform
from hitpoint.model.plan.types import BarPlan
from tests.ardour_kit import PEER, TRACK, Ardour, connect, make_session, need_ardour, recorded

need_jack()
need_ardour()

FILM_AT_S = 2.0
"""Where the film stands on Ardour's timeline: what sounds in its first moments of rolling is not recorded."""
PERIOD = 128
BARS = 4
TICKS_A_BAR = 16
TOLD_WITHIN_S = 0.01
"""JACK's word of an xrun may come so much later."""


@contextmanager
def studio(period, bars, film_at_s, follow="", sound_s=0.0, **settings):
    """Ardour (which obeys the clock `follow`, or nobody), its session, our bridge with a film, a client, and ears."""
    folder = Path(tempfile.mkdtemp(prefix="hitpoint-ardour-"))
    try:
        with JackServer(period, patience_ms=20_000), RemoteEars(sound_s=sound_s) as ears:
            session = make_session(folder, armed=not follow, follow=follow)
            with (
                Ardour(folder, session, follows=bool(follow)) as ardour,
                Bridge(folder / "bridge", "--no-revive", **settings) as bridge,
                Client(bridge.port) as client,
            ):
                ears.connect("Hitpoint:out")
                connect(ears.client, "Hitpoint:out", f"ardour:{follow} in" if follow else f"ardour:{TRACK}/midi_in 1")
                client.score(path=f"/clips/{bars}.mp4", start_s=film_at_s)
                time.sleep(1.0)
                ears.take()
                yield ardour, client, ears, session
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def score(bars):
    """[(seconds, channel, pitch, velocity)] of the fake composer's notes, on Ardour's timeline."""
    return [
        (FILM_AT_S + (bar + note.tick / TICKS_A_BAR) * BAR_S, (9, 0)[note.instrument], note.pitch, note.velocity)
        for bar in range(bars)
        for note in perform(telling_bar(bar), BarPlan(bar, None)).notes
    ]


def offsets_ms(notes, truth):
    """By how much each note of `truth` came later in `notes`, by time; None where they are not the same notes."""
    ours, theirs = (sorted((*note, at) for at, *note in each) for each in (notes, truth))
    if [note[:3] for note in ours] != [note[:3] for note in theirs]:
        return None
    pairs = sorted((b[3], 1000 * (a[3] - b[3])) for a, b in zip(ours, theirs, strict=True))
    return [offset for _, offset in pairs]


def gaps_ms(offsets, moments, xruns):
    """By how much gaps between onsets differ: (those without an xrun, those with one).

    Ardour's time stands still where JACK loses a period, the wire's does not.
    """
    whole, broken = [], []
    for (from_s, to_s), (one, other) in zip(pairwise(sorted(moments)), pairwise(offsets), strict=True):
        hit = any(from_s - TOLD_WITHIN_S < at < to_s + TOLD_WITHIN_S for at in xruns)
        (broken if hit else whole).append(abs(other - one))
    return whole, broken


def steer(ardour, client):
    """Ardour's locate, play and stop, each waited for at our end; and back to 0. Seconds, where we were told to be."""

    def state(name, seconds, within_s):
        def fits(told):
            return told[0] == name and abs(told[3] - seconds) < within_s

        return client.wait("/hitpoint/state", 10, fits)[3]

    ardour.say("/locate", 6 * RATE, 0)
    located_s = state("ready", 6.0, 0.001)
    ardour.say("/transport_play", 1.0)
    state("playing", 7.0, 0.9)
    ardour.say("/transport_stop", 1.0)
    state("ready", 8.0, 5.0)
    ardour.say("/locate", 0, 0)
    state("ready", 0.0, 0.001)
    return located_s


def record(period, bars):
    """What Ardour recorded, its tick (s), what the wire carried: (seconds, channel, pitch, velocity), xruns (s)."""
    with studio(period, bars, FILM_AT_S, aliases=["ardour"], peers=[PEER]) as (ardour, client, ears, session):
        steer(ardour, client)
        ears.take()
        ears.xruns = 0
        ardour.ask(("/rec_enable_toggle",), "/rec_enable_toggle", fits=lambda arguments: arguments[0] == 1.0)
        ardour.say("/transport_play", 1.0)
        time.sleep(FILM_AT_S + bars * BAR_S + 0.5)
        ardour.say("/transport_stop", 1.0)
        time.sleep(0.5)
        ardour.ask(("/save_state",), "/heartbeat")
        time.sleep(0.5)
        wire = [(at / RATE, *note) for at, *note in notes_on(ears.take())]
        return *recorded(session), wire, [frame / RATE for frame in ears.xrun_frames]


@pytest.fixture(scope="module")
def recording():
    """(what Ardour recorded, its tick, the gaps without an xrun); the first of three in which most are without."""
    for _ in range(3):
        notes, tick_s, wire, xruns = record(PERIOD, BARS)
        offsets = offsets_ms(notes, wire)
        if offsets is not None:
            whole, broken = gaps_ms(offsets, [at for at, *_ in wire], xruns)
            if len(whole) > len(broken):
                return notes, tick_s, whole
    raise AssertionError("Ardour's file does not hold the notes on the wire, or JACK lost periods all along")


def test_every_note_of_the_score_is_recorded(recording):
    notes, _, _ = recording
    assert sorted(note[1:] for note in notes) == sorted(note[1:] for note in score(BARS))


def test_gaps_between_recorded_onsets_are_those_on_the_wire(recording):
    _, tick_s, gaps = recording
    assert max(gaps) <= 1000 * (PERIOD / RATE + tick_s)


def test_notes_stand_where_the_score_has_them_on_ardours_timeline(recording):
    notes, _, _ = recording
    offsets = offsets_ms(notes, score(BARS))
    assert abs(sorted(offsets)[len(offsets) // 2]) < 20
