"""The watchdog: parent of clock and composer; passes their messages on, starts either again, and silences the synth.

Threads and processes: the bridge's main process, one thread (the screen and REAPER's file requests have their own).
It keeps what a successor of the clock needs (transport, plan, bars); the composer's needs are on disk. A spare of each
waits, all modules loaded, for it to die. A process that keeps dying before it did anything is started again
after growing pauses; then the composer waits until it is asked for something, and without a clock the bridge ends.
Ctrl-Z is passed on to the clock first, so that it falls silent.
"""

from __future__ import annotations

import logging
import socket
import time
from collections import deque
from collections.abc import Callable

from hitpoint.bridge.clock.clock import MonotonicClock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import MissingError
from hitpoint.bridge.ipc import messages as ipc
from hitpoint.bridge.ipc import supervision
from hitpoint.bridge.ipc.channel import ChannelClosed, wait_for_any
from hitpoint.bridge.ipc.live import GrowBar
from hitpoint.bridge.ipc.questions import Answer, QuestionList
from hitpoint.bridge.midi.guard import SILENCE_AGAIN_S, Guard
from hitpoint.bridge.process import system
from hitpoint.bridge.process.children import SPARE, Child, start_child
from hitpoint.bridge.state.recovery import NowPlaying, Requests, Shelf
from hitpoint.bridge.state.store import Store
from hitpoint.bridge.work.jobs import announcement

QUIT_S = 2.0
PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Before a process is started again that died time after time as soon as it was there."""
LEAVES_MUSIC_OUT = 3
"""A clock that died so often as soon as it was there is no longer told of the music: it may be what kills it."""
COMPOSER_WAITS_S = 3.0
"""At the start, at most, until the clock has its port: it has the processor to itself until it sounds."""
SPARE_WAITS_S, SPARE_AGAIN_S = {"clock": 1.0, "composer": 2.0}, 10.0
"""Before a spare is started: after the one of its name sounds, or has loaded what it needs; after a spare died."""
PORT_LOOK_S = 0.5
ROUND_S = 0.1
LISTENED_S = 2 * ROUND_S
"""In a round that took longer the watchdog was kept from listening itself: no child is blamed for more than this."""
SUSPEND_S = 0.3
"""The clock gets so long to fall silent before this process stands still."""
SAVE_LIVE_S = 0.2
UNHEARD_KEPT = 1024

log = logging.getLogger("hitpoint")


class Watchdog:
    """Runs the bridge until `stop` is called.

    Raises OSError where a process cannot be started, MissingError where the clock dies time after time at its start.
    """

    def __init__(
        self, osc_socket: socket.socket, config: Config, version: str, revive: list[str], revived: bool = False
    ) -> None:
        self._osc, self._config, self._version, self._revive = osc_socket, config, version, revive
        self._store = Store(config.state_path)
        self._live, self._parties = supervision.LiveState(), supervision.Parties()
        self._now_playing, self._requests, self._shelf = NowPlaying(), Requests(), Shelf()
        self._unheard: deque[tuple[int, object]] = deque(maxlen=UNHEARD_KEPT)
        self._stopping = self._suspending = False
        self.heartbeat: supervision.Heartbeat | None = None
        self.restarts = {"clock": 0, "composer": 0}
        self.guard = Guard(config)
        self._children: dict[str, Child] = {}
        self._due: dict[str, float] = {}
        self._failures = {"clock": 0, "composer": 0}
        self._crash_reason = ""
        self._silences: list[float] = []
        self._next_look_s = self._next_save_s = 0.0
        self._listens_since_s = time.monotonic()
        self._saved: object = None
        self._save_failed = False
        if revived:
            self._take_over()

    def _take_over(self) -> None:
        """Go on where a watchdog that was killed had been: the monotonic clock is the same as long as the system is."""
        kept = self._store.load_live()
        if kept is not None and kept[0].transport.at_s <= MonotonicClock().now():
            self._live, self._parties, self.guard.wiring.wanted = kept
            self._shelf = Shelf(self._store.load_lists())

    def stop(self) -> None:
        """End the bridge (from a signal handler or another thread)."""
        self._stopping = True

    def suspend(self) -> None:
        """Fall silent and stand still until told to go on (from a signal handler)."""
        self._suspending = True

    def run(self, on_round: Callable[[], None] | None = None) -> None:
        """Supervise until stopped; leaves silence and no process behind."""
        self._load_latest()
        self._requests.reopen(self._store.unfinished())
        self._start("clock")
        self._due["composer"] = time.monotonic() + COMPOSER_WAITS_S
        try:
            while not self._stopping:
                self._round()
                if self._suspending:
                    self._stand_still()
                if on_round is not None:
                    on_round()
        finally:
            self._end_children()
            self.guard.silence()
            self.guard.close()

    def _load_latest(self) -> None:
        """Whatever was there when the bridge was last ended is there again."""
        job = self._requests.job = self._store.latest()
        record, plan = self._store.load_planned(job) if job else (None, None)
        if record is None or plan is None:
            return
        self._now_playing.hear(announcement(record, plan, kept=True))
        bars = self._store.load_bars(job, record.take)
        kept = tuple(bars[index] for index in sorted(bars))
        self._now_playing.hear(ipc.BarsReady(job, record.take, record.edition, kept))

    # Processes.

    def _start(self, name: str) -> None:
        """Start a process and tell it what it needs; its spare takes its place where there is one."""
        self._due.pop(name, None)
        spare = self._children.pop(f"{SPARE}{name}", None)
        if spare is not None:
            spare.promote()
        shared = (self._osc, self._version, self._revive)
        child = self._children[name] = spare or start_child(name, self._config, shared)
        log.info("the %s process is %d", name, child.process.pid)
        if name == "clock":
            self._brief_clock()
            self._want_spare(name)
        elif name == "composer":
            self._crash_reason = ""
            for request in self._requests.ask_again():
                self._send(name, request)

    def _brief_clock(self) -> None:
        """Tell a new clock all that the last one knew, and what it died before telling the clients."""
        restore = supervision.Restore(self._live, self._parties)
        for known in (*self._now_playing.retell(), *self._shelf.retell(), restore):
            self._send("clock", known)
        unheard = [message for _, message in self._unheard]
        self._unheard.clear()
        for message in unheard:
            self._tell_clock(message)

    def _want_spare(self, name: str) -> None:
        if f"{SPARE}{name}" not in self._children:
            self._due[f"{SPARE}{name}"] = time.monotonic() + SPARE_WAITS_S[name]

    def _bury(self, child: Child) -> None:
        """A process died: silence first, then start it again, after a pause where it keeps dying."""
        child.process.kill()
        if child.name == "clock":
            self.guard.lost()
            self._silences = [time.monotonic() + later_s for later_s in (0.0, *SILENCE_AGAIN_S)]
        child.process.join(QUIT_S)
        child.close()
        del self._children[child.name]
        if self._stopping:
            return
        if child.is_spare:
            self._due[child.name] = time.monotonic() + SPARE_AGAIN_S
            return
        failures = self._failures[child.name] = child.failures(self._failures[child.name])
        if child.name == "clock" and failures == LEAVES_MUSIC_OUT and self._now_playing.planned is not None:
            log.error("the clock dies on %s: it is left out; score it again", self._now_playing.planned.job)
            self._now_playing = NowPlaying()
        for_good = failures > len(PAUSES_S)
        if child.name == "composer":
            self._tell_composer_died(child.process.exitcode, for_good)
            if for_good:
                return
        elif for_good:
            ends, where = child.process.exitcode, self._config.log_file
            raise MissingError(
                f"the clock process dies as soon as it starts (exit code {ends}): see the end of {where}"
            )
        log.error("the %s process died (exit code %s) and is started again", child.name, child.process.exitcode)
        self.restarts[child.name] += 1
        self._due[child.name] = time.monotonic() + PAUSES_S[min(max(failures - 1, 0), len(PAUSES_S) - 1)]

    def _tell_composer_died(self, exit_code: int, for_good: bool) -> None:
        at_work = self._requests.at or (self._requests.job,)
        given_up = self._requests.composer_died()
        if for_good:
            reason = self._crash_reason or f"it ends with exit code {exit_code}"
            log.error("the composing process does not start: %s", reason)
            for job in self._requests.give_up() or [""]:
                self._tell_clock(supervision.ComposerGone(job, given_up=bool(job), down=reason))
            return
        for job in given_up:
            self._tell_clock(supervision.ComposerGone(job, given_up=True))
        for job in at_work:
            if job not in given_up:
                self._tell_clock(supervision.ComposerGone(job))

    def _stand_still(self) -> None:
        """Ctrl-Z: the children first, then this process; on with the music when it goes on."""
        self._suspending = False
        for child in self._children.values():
            system.send_suspend(child.process.pid)
        time.sleep(SUSPEND_S)
        self.guard.silence()
        self.guard.rest()
        system.stand_still()
        for child in self._children.values():
            system.send_suspend(child.process.pid, go_on=True)
            child.heard()
        self._suspending = False  # the signal comes from the terminal as well as from whoever passed it on
        self._listens_since_s = time.monotonic()

    def _end_children(self) -> None:
        for name, child in self._children.items():
            self._send(name, supervision.Quit())
            if child.is_spare:
                child.process.kill()  # it holds nothing, and may be loading modules for seconds
        until_s = time.monotonic() + QUIT_S
        for child in self._children.values():
            child.process.join(max(0.0, until_s - time.monotonic()))
            if child.process.is_alive():
                child.process.kill()
                child.process.join(QUIT_S)
            child.close()

    # Rounds.

    def _round(self) -> None:
        """Wait for a message or a death; pass on, or start again."""
        children = list(self._children.values())
        channels = {child.channel: child for child in children}
        writers = [child.channel for child in children if child.channel.waiting]
        moments = [*self._silences, *self._due.values()]
        wait_s = min([ROUND_S, *(max(0.0, moment - time.monotonic()) for moment in moments)])
        readable, writable = wait_for_any(list(channels), writers, wait_s)
        now_s = time.monotonic()
        listened_s, self._listens_since_s = min(now_s - self._listens_since_s, LISTENED_S), now_s
        for child in children:
            alive = self._pass_on(child, child.channel in writable)
            if child.channel in readable:
                alive = self._read(child) and alive
            elif alive:
                child.attend(listened_s)
            wrong = child.hangs() if alive else ""
            if wrong:
                log.error("the %s process %s: it is killed", child.name, wrong)
            if wrong or not alive:
                self._bury(child)
        for name in [name for name, due_s in self._due.items() if now_s >= due_s]:
            self._start(name)
        self._silence_again()
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + PORT_LOOK_S
            self._look_at_ports()
        if now_s >= self._next_save_s:
            self._next_save_s = now_s + SAVE_LIVE_S
            self._save_live()

    def _silence_again(self) -> None:
        if self._silences and time.monotonic() >= self._silences[0]:
            del self._silences[0]
            self.guard.silence()

    def _pass_on(self, child: Child, writable: bool) -> bool:
        try:
            if writable:
                child.channel.flush()
            child.drain()
        except ChannelClosed:
            return False
        return True

    def _look_at_ports(self) -> None:
        reason = self.guard.look()
        if reason:
            log.warning("MIDI: %s", reason)
            self._send("clock", supervision.ReopenPort(reason))

    def _save_live(self) -> None:
        state = (self._live, self._parties, frozenset(self.guard.wiring.wanted))
        if state != self._saved:
            self._saved = state
            self._try_to_save(lambda: self._store.save_live(self._live, self._parties, self.guard.wiring.wanted))

    def _try_to_save(self, save: Callable[[], None]) -> None:
        try:
            save()
        except OSError as error:
            if not self._save_failed:
                log.error("cannot write in %s: %s", self._config.state_path, error)
            self._save_failed = True
        else:
            self._save_failed = False

    # Messages.

    def _read(self, child: Child) -> bool:
        """Take in what the child says; False once it is gone."""
        try:
            messages = child.channel.receive()
        except ChannelClosed:
            return False
        child.heard()
        for message in messages:
            if isinstance(message, supervision.LogLine):
                log.log(message.level, "%s", message.text)
            elif isinstance(message, supervision.Pulse):
                child.feel(message)
            elif child.name == "clock":
                self._from_clock(child, message)
            elif child.name == "composer":
                self._from_composer(child, message)
        return True

    def _from_clock(self, clock: Child, message: object) -> None:
        if isinstance(message, supervision.Heartbeat):
            self.heartbeat = message
            clock.ticks()
            while self._unheard and self._unheard[0][0] <= message.obeyed:
                self._unheard.popleft()
        elif isinstance(message, supervision.Patience):
            clock.patience_s = message.seconds
        elif isinstance(message, supervision.LiveState):
            self._live = message
        elif isinstance(message, supervision.Parties):
            self._parties = message
        elif isinstance(message, supervision.Owned):
            self._parties = self._parties.with_owner(message)
        elif isinstance(message, supervision.PortOpened):
            if "composer" in self._due and not self._failures["composer"]:
                self._due["composer"] = time.monotonic()
            self._silences.clear()
            self.guard.follow(message)
        elif isinstance(message, ipc.ListBegun | ipc.ClipKept | ipc.ListDropped):
            self._shelf.note(message)
        elif isinstance(message, ipc.ScoreList):
            score = self._shelf.score(message)
            if score is not None:
                self._try_to_save(lambda: self._store.save_lists(self._shelf.whole()))
                self._ask_composer(score)
        elif isinstance(message, QuestionList):
            listed = self._shelf.score(ipc.ScoreList(message.job, message.pairs()))
            if listed is not None:
                self._ask_composer(message.of(listed))
        elif isinstance(message, GrowBar):
            self._send("composer", message)  # it is asked for again where there is none just now
        elif isinstance(message, ipc.JobMessage):
            self._ask_composer(message)

    def _ask_composer(self, message: ipc.JobMessage) -> None:
        self._requests.note(message)
        if "composer" in self._children:
            self._send("composer", message)
        elif "composer" not in self._due and not isinstance(message, ipc.Aim):
            self._failures["composer"] = 0
            self._start("composer")

    def _from_composer(self, composer: Child, message: object) -> None:
        if isinstance(message, supervision.ComposerCrashed):
            self._crash_reason = message.reason
            return
        self._requests.hear(message)
        if isinstance(message, ipc.Handled | supervision.WorkingAt):
            return
        if isinstance(message, supervision.ComposerReady):
            log.info("the composer is ready")
            composer.is_up()
            self._want_spare("composer")
        elif isinstance(message, ipc.JobMessage):
            composer.worked = True
            if isinstance(message, ipc.Planned | ipc.BarsReady):
                self._now_playing.hear(message)
        self._tell_clock(message)

    def _tell_clock(self, message: object) -> None:
        """Tell the clock something of the composer's; what the clients wait for is kept until it has told them."""
        self._send("clock", message)
        if isinstance(message, ipc.JobResult | Answer | ipc.JobError | ipc.JobDone | supervision.ComposerGone):
            clock = self._children.get("clock")
            self._unheard.append((clock.sent if clock is not None else 0, message))

    def _send(self, name: str, message: object) -> None:
        """To a child; where it is gone, its death is noticed in the next round."""
        child = self._children.get(name)
        if child is not None:
            try:
                child.send(message)
            except ChannelClosed:
                return
