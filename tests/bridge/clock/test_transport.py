"""The transport's steps, one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitpoint.bridge.clock import transport as tr


def after(*events, state=None):
    state = state or tr.Transport()
    for event in events:
        state = tr.step(state, event)
    return state


def test_play_runs_stop_holds():
    playing = after(tr.Locate(0.0, 5.0), tr.Play(10.0))
    assert playing.position(12.5) == 7.5
    stopped = after(tr.Stop(12.5), state=playing)
    assert stopped.position(99.0) == 7.5
    assert not stopped.playing


def test_rate_keeps_the_place():
    state = after(tr.Play(0.0), tr.SetRate(2.0, 0.5))
    assert state.position(2.0) == 2.0
    assert state.position(4.0) == 3.0
    assert state.moment_of(3.0) == 4.0


@pytest.mark.parametrize(
    ("event", "raises"),
    [
        (tr.Play(5.0), False),
        (tr.Stop(5.0), True),
        (tr.Locate(5.0, 1.0), True),
        (tr.SetRate(5.0, 2.0), False),
        (tr.SetRate(5.0, 0.0), True),
        (tr.SetRate(5.0, -1.0), True),
        (tr.SetLoop(5.0, 0.0, 8.0), False),
        (tr.Track(5.0, 5.001, 1.0), False),
    ],
)
def test_what_raises_the_epoch_while_playing(event, raises):
    state = after(tr.Play(0.0))
    assert (tr.step(state, event).epoch > state.epoch) == raises


def test_reverse_and_standing_are_silent_and_reach_nothing():
    for rate in (0.0, -1.0):
        state = after(tr.Play(0.0), tr.SetRate(1.0, rate))
        assert not state.sounding
        assert state.moment_of(5.0) is None


def test_loop_is_armed_only_from_before_its_end():
    looped = after(tr.SetLoop(0.0, 2.0, 4.0), tr.Locate(0.0, 3.0), tr.Play(0.0))
    assert looped.looping
    assert tr.step(looped, tr.Wrap()).position(1.5) == 2.5
    assert not after(tr.SetLoop(0.0, 2.0, 4.0), tr.Locate(0.0, 5.0), tr.Play(0.0)).looping
    assert after(tr.SetLoop(0.0, 4.0, 4.0)).loop is None


@given(st.floats(0.1, 8), st.floats(-100, 100), st.floats(0, 100))
def test_moment_and_position_are_inverse(rate, media_s, later_s):
    state = after(tr.Locate(0.0, media_s), tr.SetRate(0.0, rate), tr.Play(7.0))
    assert state.moment_of(state.position(7.0 + later_s)) == pytest.approx(7.0 + later_s, abs=1e-6)
