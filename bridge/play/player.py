"""The player: transport, playhead, bars and scheduler put together; what a performer hears comes from here.

Threads and processes: one owner (the clock process). Pure: clock, sink and listener are handed in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from hitpoint.bridge.clock import transport as tr
from hitpoint.bridge.clock.clock import Clock
from hitpoint.bridge.clock.follower import Follower
from hitpoint.bridge.clock.timebase import Timeline
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc.messages import BarsReady, Planned
from hitpoint.bridge.ipc.supervision import LiveState
from hitpoint.bridge.midi.base import Sink
from hitpoint.bridge.midi.ports import BANK_SELECT, VOLUME, silence
from hitpoint.bridge.play.lookahead import LIVE_BARS_KEPT, BarChoice, KnownBars
from hitpoint.bridge.play.scheduler import NOTHING_DUE_S, Scheduler, Voice
from hitpoint.bridge.play.sync_out import SyncOut
from hitpoint.model.music.score import INSTRUMENTS, Note

SHORTEST_LOOP_S = 0.05
SILENCE_EVERY_S = 0.5
"""The 48 controllers that silence everything go out no more often than this: a DIN cable carries 3 kB/s, and somebody
who scrubs jumps 60 times a second. Notes that sound are ended at each jump all the same."""

ENDLESS_BARS = 10**8
"""Of music without end, as far as a timeline is concerned."""


class Listener(Protocol):
    """Who hears what the player does. Seconds are the host's."""

    def on_beat(self, bar: int, beat: int, media_s: float) -> None:
        """A beat sounds."""

    def on_underrun(self, bar: int, choice: BarChoice) -> None:
        """A bar was not there in time; `choice` stands in."""

    def on_moved(self, seek: bool) -> None:
        """The transport changed, or (no seek) another bar was entered: the composer may want to aim elsewhere."""

    def on_playhead_lost(self, silent_s: float) -> None:
        """The followed playhead was silent for so long that playing stopped."""


class Player:
    """Plays one take on one transport."""

    def __init__(self, clock: Clock, sink: Sink, config: Config, listener: Listener) -> None:
        self._clock = clock
        self._config = config
        self._listener = listener
        self.sink = sink
        self.transport = tr.Transport()
        self.known_bars = KnownBars()
        self.planned: Planned | None = None
        self.underruns = 0
        self.led_bpm: float | None = None
        """Tempo of the clock that leads, where there is one (`config.follow`)."""
        self.muted: set[int] = set()
        self.volumes = {i: float(config.volumes.get(name, 1.0)) for i, name in enumerate(INSTRUMENTS)}
        self._scheduler = Scheduler(clock, sink, self.known_bars.choose, listener.on_beat, self._chosen)
        self._sync = SyncOut(clock, sink, config.midi_clock, config.mtc)
        self._follower = Follower()
        self._last_time_s = self._silenced_s = float("-inf")
        self._silence_due_s = NOTHING_DUE_S
        self._choice = "none"
        self._set_voices()

    # What clients ask for. `now_s` is the moment the message was heard.

    def play(self, now_s: float) -> None:
        """Play from the playhead, on the bridge's own clock until a playhead is heard."""
        if self.transport.rate == 0:
            self._apply(tr.SetRate(now_s, 1.0))
        self._apply(tr.Play(now_s))
        self._follower.reset(now_s, self.transport.media_s, self.transport.rate)

    def stop(self, now_s: float) -> None:
        """Stop; every note ends."""
        sounded = self.transport.sounding
        self._apply(tr.Stop(now_s))
        if not sounded:
            self._hush()

    def locate(self, now_s: float, media_s: float) -> None:
        """Go to `media_s`."""
        self._apply(tr.Locate(now_s, media_s))
        self._follower.reset(now_s, media_s, self.transport.rate)

    def set_rate(self, now_s: float, rate: float) -> None:
        """Play at `rate`; 0 and backwards are silent."""
        self._apply(tr.SetRate(now_s, rate))
        self._follower.reset(now_s, self.transport.position(now_s), rate)

    def set_loop(self, now_s: float, start_s: float, end_s: float) -> None:
        """Loop from start to end; none where the end is not at least SHORTEST_LOOP_S after the start."""
        if end_s - start_s < SHORTEST_LOOP_S:
            end_s = start_s
        self._apply(tr.SetLoop(now_s, start_s, end_s))

    def hear_playhead(
        self, now_s: float, media_s: float, playing: bool | None, rate: float | None, host_clock_s: float | None
    ) -> None:
        """One playhead message. playing, rate: None where the host does not say."""
        self._last_time_s = now_s
        for event in self._follower.hear(self.transport, now_s, media_s, playing, rate, host_clock_s):
            self._apply(event)

    def panic(self) -> None:
        """End every note on every channel, whatever this program believes to be sounding."""
        self._scheduler.end_notes()
        silence(self.sink)

    def mute(self, instrument: int, on: bool) -> None:
        """Leave an instrument out from the next bar on."""
        (self.muted.add if on else self.muted.discard)(instrument)
        self._set_voices()

    def set_volume(self, instrument: int, level: float) -> None:
        """Set an instrument's volume (0..1), at once."""
        self.volumes[instrument] = level
        self._send_volume(instrument)

    # What the composer brings.

    def set_plan(self, planned: Planned) -> None:
        """Play this job's take from now on; the same take with a higher edition keeps its older bars meanwhile."""
        before = self.planned
        self.planned = planned
        if before is not None and before.same_music(planned):
            self.known_bars.edit(planned.edition, planned.stale)
            return
        self.known_bars.clear()
        self.known_bars.edit(planned.edition, ())
        plan, endless = planned.plan, planned.live is not None
        self._set_timeline(ENDLESS_BARS if endless else len(plan.bars), None if endless else plan.end_tick)
        self._sync.fps = self._config.mtc_fps or planned.fps
        self.send_programs()
        if self.transport.sounding:
            self.silence()
            self._scheduler.start(self.position())
        self._sync.moved(self.transport, self.position())
        self._listener.on_moved(True)

    def _set_timeline(self, bars: int, end_tick: int | None) -> None:
        assert self.planned is not None
        timeline = Timeline(self.planned.plan.tempo_map, bars, self.planned.origin_s, end_tick)
        self._scheduler.timeline = self._sync.timeline = timeline

    # Music without end.

    def end_after(self, bar: int) -> None:
        """The music ends with this bar."""
        self._set_timeline(bar + 1, None)

    def end_plan(self, now_s: float) -> None:
        """The music is over: there is no plan any more."""
        self.stop(now_s)
        self.planned = self._scheduler.timeline = self._sync.timeline = None
        self.known_bars.clear()

    def strike(self, notes: Iterable[Note], beat: float) -> None:
        """Something happened: play `notes` on `beat` (quarter notes from the first bar line), for a beat."""
        timeline = self._scheduler.timeline
        if timeline is not None and self.transport.sounding:
            self._scheduler.strike(notes, timeline.time_at_beat(beat), timeline.time_at_beat(beat + 1))

    def add_bars(self, ready: BarsReady) -> list[int]:
        """Take in bars; returns the indexes that were of use."""
        if self.planned is None or (ready.job, ready.take) != (self.planned.job, self.planned.take):
            return []
        taken = self.known_bars.add(ready.edition, ready.bars)
        if self.planned.live is not None:
            self.known_bars.forget_before(ready.bars[-1].index - LIVE_BARS_KEPT)
        if taken and self.transport.sounding:
            self._scheduler.refresh(self.position())
        return taken

    def send_programs(self) -> None:
        """Bank, program and volume of each instrument: once a plan stands and whenever the port is opened."""
        if self.planned is None:
            return
        numbers = self._config.channel_numbers()
        for instrument, name in enumerate(INSTRUMENTS):
            channel = numbers[instrument]
            bank = self._config.banks.get(name)
            if bank is not None:
                self.sink.send(bytes((0xB0 | channel, BANK_SELECT, bank >> 7)))
                self.sink.send(bytes((0xB0 | channel, BANK_SELECT + 32, bank & 0x7F)))
            program = int(self._config.programs.get(name, self.planned.programs[instrument]))
            self.sink.send(bytes((0xC0 | channel, program)))
            self._send_volume(instrument)

    # Time.

    def tick(self) -> float:
        """Send what is due. Returns the moment at which to be called again."""
        now_s = self._clock.now()
        state = self.transport
        later_s = self._sync.catch_up(state, state.position(now_s))
        if not state.sounding:
            if now_s >= self._silence_due_s:
                self.silence()
            later_s = min(later_s, self._silence_due_s)
        if state.playing and state.following:
            silent_s = now_s - self._last_time_s
            if silent_s > self._config.playhead_timeout_s:
                self.stop(now_s)
                self._listener.on_playhead_lost(silent_s)
                return NOTHING_DUE_S
        if not state.sounding:
            return later_s
        loop_end_s = state.loop[1] if state.looping and state.loop is not None else None
        wake_s = min(self._scheduler.run(state, loop_end_s), self._sync.run(state, loop_end_s))
        if loop_end_s is not None:
            end_moment_s = state.moment_of(loop_end_s)
            assert end_moment_s is not None
            if self._clock.now() >= end_moment_s:
                return self._wrap()
            wake_s = min(wake_s, end_moment_s)
        return min(wake_s, later_s)

    def _wrap(self) -> float:
        loop = self.transport.loop
        assert loop is not None
        self.transport = tr.step(self.transport, tr.Wrap())
        self._follower.wrapped(loop[1] - loop[0])
        self._scheduler.start(loop[0])
        self._sync.moved(self.transport, loop[0])
        return self._clock.now()

    def position(self) -> float:
        """Media time now, in host seconds."""
        return self.transport.position(self._clock.now())

    @property
    def bar(self) -> int:
        """The bar under the playhead, 0 or more; 0 where there is no plan."""
        timeline = self._scheduler.timeline
        return max(0, timeline.bar_at_time(self.position() + 1e-6)) if timeline is not None else 0

    @property
    def next_bar(self) -> int:
        """The next bar that does not sound yet: the first that an edit can reach."""
        return max(self.bar, self._scheduler.current_bar) + 1 if self.transport.sounding else self.bar

    @property
    def timeline(self) -> Timeline | None:
        """The bars' places on the host's timeline."""
        return self._scheduler.timeline

    @property
    def state(self) -> str:
        """The state of the OSC table, as far as playing goes: idle, working, ready, playing, waiting or fallback."""
        if self.planned is None:
            return "idle"
        bars = len(self.planned.plan.bars) if self.planned.live is None else ENDLESS_BARS
        if self.transport.sounding:
            if self.bar >= bars or self._choice in ("known", "stale"):
                return "playing"
            return "waiting" if self._choice == "none" else "fallback"
        wanted = min(self._config.preroll_bars, bars - self.bar)
        return "ready" if self.known_bars.ahead(self.bar) >= wanted else "working"

    def lateness_ms(self) -> tuple[float, float, float]:
        """p50, p99 and maximum of the lateness of the last events sent, in milliseconds (0 where none were)."""
        late = sorted(self._scheduler.lateness)
        if not late:
            return 0.0, 0.0, 0.0
        return 1e3 * late[len(late) // 2], 1e3 * late[int(0.99 * (len(late) - 1))], 1e3 * late[-1]

    @property
    def sent(self) -> int:
        """Notes on and off sent so far."""
        return self._scheduler.sent

    @property
    def sounding_notes(self) -> int:
        """How many notes sound."""
        return self._scheduler.sounding

    def silence(self) -> None:
        """End what sounds, and everything else on every channel."""
        self._scheduler.end_notes()
        silence(self.sink)
        self._silenced_s, self._silence_due_s = self._clock.now(), NOTHING_DUE_S

    def _hush(self) -> None:
        """End what sounds; and everything else on every channel, unless that was done a moment ago: then once no music
        has begun meanwhile."""
        if self._clock.now() - self._silenced_s >= SILENCE_EVERY_S:
            self.silence()
        else:
            self._scheduler.end_notes()
            self._silence_due_s = self._silenced_s + SILENCE_EVERY_S

    def replace_sink(self, sink: Sink) -> None:
        """Play through another port from now on."""
        self._scheduler.end_notes()
        self.sink = sink
        self._scheduler.set_sink(sink)
        self._sync.set_sink(sink)
        silence(sink)
        self.send_programs()

    def skip(self, stood_s: float) -> None:
        """This process stood still for so long: the music goes on from where it was."""
        now_s = self._clock.now()
        self._last_time_s = now_s
        if self.transport.playing:
            self.transport = replace(self.transport, at_s=self.transport.at_s + stood_s, epoch=self.transport.epoch + 1)
        self._begin_again(now_s)

    def _begin_again(self, now_s: float) -> None:
        self._follower.reset(now_s, self.position(), self.transport.rate)
        if self.transport.sounding:
            self._scheduler.start(self.position())
        self._sync.moved(self.transport, self.position())

    def restore(self, live: LiveState) -> None:
        """Go on where a clock process that died had been."""
        self.muted = set(live.muted)
        self.volumes.update(dict(live.volumes))
        self._set_voices()
        self.transport = replace(live.transport, epoch=self.transport.epoch + 1)
        self._last_time_s = self._clock.now()
        self._begin_again(self._last_time_s)

    def live_state(self) -> LiveState:
        """What a successor needs to go on."""
        return LiveState(self.transport, tuple(sorted(self.muted)), tuple(self.volumes.items()))

    def _apply(self, event: tr.Event) -> None:
        """Take the step; where it raises the epoch, what sounds is wrong: fall silent, and begin again."""
        before = self.transport
        self.transport = tr.step(before, event)
        if self.transport.epoch == before.epoch:
            return
        if before.sounding:
            self._hush()
        if self.transport.sounding:
            self._scheduler.start(self.transport.media_s)
        self._sync.moved(self.transport, self.transport.media_s)
        self._listener.on_moved(True)

    def _chosen(self, index: int, choice: BarChoice) -> None:
        self._choice = choice.kind
        if choice.kind in ("fallback", "none"):
            self.underruns += 1
            self._listener.on_underrun(index, choice)
        self._listener.on_moved(False)

    def _set_voices(self) -> None:
        numbers = self._config.channel_numbers()
        own = {i for i, name in enumerate(INSTRUMENTS) if name in self._config.programs or name in self._config.banks}
        self._scheduler.voices = {i: Voice(numbers[i], i in self.muted, i in own) for i in range(len(INSTRUMENTS))}

    def _send_volume(self, instrument: int) -> None:
        channel = self._config.channel_numbers()[instrument]
        self.sink.send(bytes((0xB0 | channel, VOLUME, round(100 * self.volumes[instrument]))))
