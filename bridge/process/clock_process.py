"""The clock process: one loop over the OSC socket, the watchdog's channel and the next event's moment.

Threads and processes: one thread, at real-time priority where the system grants it; imports neither torch, cv2 nor
numpy; blocks in `wait_for_any` only, for at most LONGEST_WAIT_S. MIDI that is due goes first: between two packets, and
between two messages, it looks at the clock. When the watchdog goes away, it silences every channel and exits (and
starts the bridge again, where the configuration says so).
"""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import time
import traceback
from collections import deque
from collections.abc import Sequence

from hitpoint.bridge.clock.clock import MonotonicClock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.errors import HitpointError
from hitpoint.bridge.hosts.base import Companion, wanted_hosts
from hitpoint.bridge.ipc.channel import Channel, ChannelClosed, wait_for_any
from hitpoint.bridge.ipc.supervision import (
    Heartbeat,
    LogLine,
    Patience,
    PortOpened,
    Quit,
    ReopenPort,
    Restore,
)
from hitpoint.bridge.midi.base import Sink, open_sink
from hitpoint.bridge.midi.guard import SILENCE_AGAIN_S
from hitpoint.bridge.midi.ports import NullSink
from hitpoint.bridge.osc.codec import MAX_PACKET_BYTES
from hitpoint.bridge.play.player import Player
from hitpoint.bridge.process import system
from hitpoint.bridge.session.identity import Address
from hitpoint.bridge.session.peers import Peers
from hitpoint.bridge.session.session import Session
from hitpoint.bridge.state.store import Store

LONGEST_WAIT_S = 0.05
HOUSEKEEPING_S = 0.1
HOUSE_TAKES_S, HOUSE_WAITS_S = 0.001, 0.05
"""Housekeeping takes less than a millisecond: it waits until none is due within that, but no longer than so."""
DRAIN_S = 0.05
"""JACK sends at the next period, 21 ms or so away at most: the port stays open for that long after the last silence."""
CAREFUL_S = 0.0003
"""No further packet is read once an event is due this soon: reading and obeying one takes less."""
SPIN_S = 0.0001
"""The system wakes a sleeper some 50 µs late: sleep this much less, and look at the clock for the rest."""
PACKETS_A_ROUND = 64
READS_S = 0.005
"""A round reads packets no longer than this: hostile ones take milliseconds each, and others wait as well."""
ANSWERS_A_ROUND = 32
OUTBOX_PACKETS = 16384
"""What waits to be sent to clients is bounded: a plan's markers go out little by little between the notes."""
OPENING_S = 20.0
"""Opening a port may take so long: JACK's takes seconds where its server is busy."""
MESSAGES_A_ROUND = 20


def run_clock(sock: socket.socket, config: Config, osc_socket: socket.socket, version: str, revive: list[str]) -> None:
    """The process's whole life. revive: the command that restarts the bridge should the watchdog die; [] = none."""
    system.ignore_interrupt()
    _be_clock(osc_socket, Channel(sock), config, version, revive, [])


def run_spare(sock: socket.socket, config: Config, osc_socket: socket.socket, version: str, revive: list[str]) -> None:
    """A clock that waits, everything loaded, until the watchdog needs it."""
    system.ignore_interrupt()
    system.name_process("hp-spare")
    channel = Channel(sock)
    messages = channel.wait_for_promotion()
    if messages is not None:
        _be_clock(osc_socket, channel, config, version, revive, messages)


def _be_clock(
    osc_socket: socket.socket, channel: Channel, config: Config, version: str, revive: list[str], heard: list[object]
) -> None:
    """heard: what the watchdog said already."""
    system.name_process("hp-clock")
    try:
        loop = ClockLoop(osc_socket, channel, config, version, heard)
        system.on_end(loop.quit, interrupt=False)
        system.on_suspend(loop.suspend)
        orphaned = loop.run()
    except Exception:
        with contextlib.suppress(ChannelClosed):
            channel.send(LogLine(logging.ERROR, f"clock: {traceback.format_exc()}"))
        sys.exit(1)
    if orphaned:
        osc_socket.close()  # a successor listens there
        if revive:
            loop.bequeath()
            system.hurry()  # the successor inherits it
            system.start_apart(revive)
    loop.end()


class ClockLoop:
    """The loop and what hangs on it."""

    def __init__(
        self, osc_socket: socket.socket, channel: Channel, config: Config, version: str, heard: Sequence[object] = ()
    ) -> None:
        self._osc, self._channel, self._config = osc_socket, channel, config
        self._clock = MonotonicClock()
        self._quit = self._suspending = False
        self._dropped = self._obeyed = 0
        self._outbox: deque[tuple[bytes, Address]] = deque()
        self._heard = list(heard)
        self._unread = bool(self._heard)
        self._orphaned = False
        self._realtime = config.realtime and system.become_realtime()
        self._session = Session(self._clock, config, version, self._send_osc, self._to_watchdog, self._log)
        sink = self._open_sink()
        self._player = Player(self._clock, sink, config, self._session)
        self._session.player = self._player
        self._peers = Peers(config.peers, self._send_osc)
        self._player.panic()
        self._next_housekeeping_s = self._clock.now()
        self._companions: list[Companion] = []
        self._feed_s: list[float] = []
        self._start_companions()

    def _start_companions(self) -> None:
        """Hosts that go along (JACK's transport, Ableton Link); what is lacking is told, and done without."""
        self._to_watchdog(Patience(OPENING_S))
        for host in wanted_hosts(self._config):
            try:
                companion = host.in_clock(self._config)
            except HitpointError as error:
                self._session.last_error = str(error)
                self._log(logging.ERROR, str(error))
                continue
            if companion is not None:
                self._companions.append(companion)
                self._feed_s.append(self._clock.now())

    def _feed_companions(self) -> None:
        now_s = self._clock.now()
        for index, companion in enumerate(self._companions):
            if now_s >= self._feed_s[index]:
                self._feed_s[index] = now_s + companion.every_s
                companion.feed(self._player, now_s)

    def quit(self) -> None:
        """Silence and leave the loop (a signal handler)."""
        self._quit = True

    def suspend(self) -> None:
        """Fall silent and stand still (a signal handler)."""
        self._suspending = True

    def run(self) -> bool:
        """Loop until told to quit; True where the watchdog went away unannounced. Leaves silence behind."""
        system.sharpen_timers()
        system.freeze_garbage()
        try:
            while not self._quit:
                self._round()
                if self._suspending:
                    self._stand_still()
        except ChannelClosed:
            self._orphaned = True
        finally:
            self._player.panic()
        return self._orphaned

    def bequeath(self) -> None:
        """Write down where the transport is: this process knows it better than the watchdog that was killed did."""
        store = Store(self._config.state_path)
        kept = store.load_live()
        with contextlib.suppress(OSError):
            wiring = kept[2] if kept else set()
            store.save_live(self._session.live_state(), self._session.parties(), wiring)

    def end(self) -> None:
        """Say silence again where a killed process may have cost JACK some periods, and close."""
        ended_s = self._clock.now()
        for later_s in SILENCE_AGAIN_S if self._orphaned else ():
            time.sleep(max(0.0, ended_s + later_s - self._clock.now()))
            self._player.panic()
        time.sleep(DRAIN_S)
        self._player.sink.close()
        for companion in self._companions:
            companion.close()

    def _stand_still(self) -> None:
        """Ctrl-Z: no note hangs while this process stands, and the music goes on from there when it goes on.

        JACK would wait in each period for a client that stands, and all others with it: it is left meanwhile.
        """
        stood_s = self._clock.now()
        self._player.panic()
        time.sleep(DRAIN_S)
        leaves = self._player.sink.api == "jack"
        if leaves:
            self._close_port()
        system.stand_still()
        self._suspending = False
        if leaves:
            self._player.replace_sink(self._open_sink())
        self._player.skip(self._clock.now() - stood_s)

    def _round(self) -> None:
        """Send what is due, sleep until something happens, read what came."""
        wake_s = min(self._player.tick(), self._next_housekeeping_s, *self._feed_s)
        self._answer(wake_s)
        timeout_s = min(max(wake_s - self._clock.now() - SPIN_S, 0.0), LONGEST_WAIT_S)
        if self._outbox or self._unread:
            timeout_s = 0.0
        writers = [self._channel] if self._channel.waiting else []
        readers: list[socket.socket | Channel] = [self._osc, self._channel]
        readable, writable = wait_for_any(readers, writers, timeout_s)
        if not readable and wake_s - self._clock.now() < 2 * SPIN_S:
            while self._clock.now() < wake_s:
                pass
        wake_s = self._player.tick()
        if writable:
            self._channel.flush()
        if self._osc in readable:
            self._read_osc(wake_s)
        if self._channel in readable or self._unread:
            self._read_watchdog()
        self._feed_companions()
        self._keep_house()
        if self._session.live_changed:
            self._send_live()

    def _answer(self, wake_s: float) -> None:
        """Send what clients are to hear, as much of it as there is time for before the next event."""
        for _ in range(min(len(self._outbox), ANSWERS_A_ROUND)):
            if self._clock.now() > wake_s - CAREFUL_S:
                return
            packet, address = self._outbox.popleft()
            try:
                self._osc.sendto(packet, address)
            except OSError:
                self._dropped += 1  # a full buffer, or a client that is gone: the picture does not wait for either

    def _read_osc(self, wake_s: float) -> None:
        until_s = self._clock.now() + READS_S
        for _ in range(PACKETS_A_ROUND):
            now_s = self._clock.now()
            if now_s > until_s:
                return
            if now_s > wake_s - CAREFUL_S:
                wake_s = self._player.tick()
            try:
                packet, sender = self._osc.recvfrom(MAX_PACKET_BYTES + 4)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # Linux and Windows hand the refusals of earlier answers back here
            self._peers.heard((sender[0], sender[1]), self._clock.now())
            self._session.hear(packet, (sender[0], sender[1]))

    def _read_watchdog(self) -> None:
        """Obey what it says, one message at a time: unpacking a great many at once would take longer than a note can
        wait."""
        for _ in range(MESSAGES_A_ROUND):
            messages, self._heard = self._heard or self._channel.receive(1), []
            self._unread = bool(messages)
            for message in messages:
                self._obey(message)
                self._obeyed += 1
                self._player.tick()
            if not messages:
                return

    def _obey(self, message: object) -> None:
        if isinstance(message, Quit):
            self._quit = True
        elif isinstance(message, Restore):
            self._session.restore(message.live, message.parties)
        elif isinstance(message, ReopenPort):
            self._reopen(message.reason)
        else:
            self._session.on_composer(message)

    def _keep_house(self) -> None:
        """What is to be done a few times a second, as soon as there is time for it between two events."""
        now_s = self._clock.now()
        late_s = now_s - self._next_housekeeping_s
        if late_s >= 0.0 and (late_s > HOUSE_WAITS_S or self._player.tick() - now_s > HOUSE_TAKES_S):
            self._housekeeping()

    def _housekeeping(self) -> None:
        self._next_housekeeping_s = self._clock.now() + HOUSEKEEPING_S
        self._session.housekeeping()
        self._peers.greet(self._clock.now())
        self._to_watchdog(self._heartbeat())
        if self._player.transport.playing:
            self._send_live()

    def _send_live(self) -> None:
        """Tell the watchdog what a successor needs, at once: this process may be killed right after a note."""
        self._session.live_changed = False
        self._to_watchdog(self._session.live_state())

    def _heartbeat(self) -> Heartbeat:
        player, session = self._player, self._session
        planned = player.planned
        p50, p99, most = player.lateness_ms()
        return Heartbeat(
            state=session.state,
            clients=session.clients.names,
            midi_port=player.sink.name,
            job=planned.job if planned else "",
            take=planned.take if planned else 0,
            media_s=player.position(),
            rate=player.transport.rate if player.transport.playing else 0.0,
            bar=player.bar,
            bars_ahead=player.known_bars.ahead(player.bar),
            bars_ready=len(player.known_bars),
            bars=len(planned.plan.bars) if planned else 0,
            late_p50_ms=p50,
            late_p99_ms=p99,
            late_max_ms=most,
            sent=player.sent,
            underruns=player.underruns,
            refused=session.refused,
            realtime=self._realtime,
            last_error=session.last_error,
            obeyed=self._obeyed,
        )

    def _open_sink(self) -> Sink:
        """The port of the configuration; where there is no MIDI system the built-in synth, else nothing."""
        self._to_watchdog(Patience(OPENING_S))
        try:
            sink = open_sink(self._config)
        except HitpointError as error:
            sink = NullSink()
            self._session.last_error = str(error)
            self._log(logging.ERROR, str(error))
        self._to_watchdog(PortOpened(sink.name, sink.api))
        self._log(logging.INFO, f"MIDI goes to {sink.name} ({sink.api})")
        return sink

    def _reopen(self, reason: str) -> None:
        self._log(logging.WARNING, f"looking for the MIDI port again: {reason}")
        self._session.clients.tell_all("/hitpoint/error", "port", reason, "")
        self._close_port()
        self._player.replace_sink(self._open_sink())

    def _close_port(self) -> None:
        old = self._player.sink
        self._player.replace_sink(NullSink())
        old.close()

    def _send_osc(self, packet: bytes, address: Address) -> None:
        if len(self._outbox) < OUTBOX_PACKETS:
            self._outbox.append((packet, address))
        else:
            self._dropped += 1

    def _to_watchdog(self, message: object) -> bool:
        return self._channel.send(message)

    def _log(self, level: int, text: str) -> None:
        self._to_watchdog(LogLine(level, text))
