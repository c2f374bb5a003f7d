"""The session: what clients ask for, and what they are told.

Threads and processes: one owner (the clock process). Pure: packets come in by `hear`, packets and messages to the
composer leave by the two functions handed in. Whatever a client sends, `hear` does not raise.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from hitpoint.bridge.clock.clock import Clock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc.live import CONTROLS, LIVE_JOB, GrownBars, LiveError
from hitpoint.bridge.ipc.messages import (
    Aim,
    BarsReady,
    JobDone,
    JobError,
    JobProgress,
    JobResult,
    ListKnown,
    Planned,
)
from hitpoint.bridge.ipc.questions import Answer
from hitpoint.bridge.ipc.supervision import (
    ComposerGone,
    ComposerReady,
    LiveState,
    Parties,
)
from hitpoint.bridge.live.desk import LiveDesk
from hitpoint.bridge.osc import codec, protocol
from hitpoint.bridge.osc.aliases import Aliases
from hitpoint.bridge.osc.protocol import ProtocolError, Request
from hitpoint.bridge.play.lookahead import BarChoice
from hitpoint.bridge.play.player import Player
from hitpoint.bridge.session.capabilities import capabilities
from hitpoint.bridge.session.clients import Clients
from hitpoint.bridge.session.greeter import Greeter
from hitpoint.bridge.session.identity import Address
from hitpoint.bridge.session.job_desk import JobDesk, instrument_number
from hitpoint.bridge.session.paths import wishes_told
from hitpoint.bridge.session.status import Status

UNDERRUN_EVERY_S = 1.0


class Session:
    """Clients on one side, the player and the composer on the other.

    send: (packet, address) -> None, never blocks. ask_composer: message -> False where too much waits already.
    log: (level, text).
    """

    def __init__(
        self,
        clock: Clock,
        config: Config,
        version: str,
        send: Callable[[bytes, Address], None],
        ask_composer: Callable[[object], bool],
        log: Callable[[int, str], None],
    ) -> None:
        self._clock, self._config, self._version = clock, config, version
        self._ask_composer, self._log = ask_composer, log
        self.clients = Clients(send, config.client_silence_s)
        self._greeter = Greeter(self.clients, config.token, self._welcome, log)
        self._jobs = JobDesk(self.clients, config.allowed_roots, lambda: self.player, ask_composer)
        self._live = LiveDesk(lambda: self.player, ask_composer, leads=not config.follow)
        self._aliases = Aliases(config.aliases)
        self._leader: Address | None = None
        self._leader_s = float("-inf")
        self._composer_down = False
        self._chords: tuple[tuple[str, str] | None, ...] = ()
        self._status = Status(self.clients)
        self._last_underrun_s = float("-inf")
        self._aimed: tuple[str, int] = ("", -1)
        self.refused = 0
        self.last_error = ""
        self.live_changed = False
        self.player: Player

    # In.

    def hear(self, packet: bytes, sender: Address) -> None:
        """Read and obey one packet; what is wrong with it is answered to its sender."""
        now_s = self._clock.now()
        self.clients.proof.heard(sender, len(packet))
        try:
            messages = codec.decode(packet)
        except codec.OscError as error:
            self._refuse(sender, now_s, "malformed", str(error))
            return
        for number, message in enumerate(messages):
            if number:
                self.player.tick()  # a bundle of hundreds takes longer than a note can wait
            for own in self._aliases.translate(message):
                self._obey(own, sender, now_s)

    def _obey(self, message: codec.OscMessage, sender: Address, now_s: float) -> None:
        asked = 0
        try:
            request = protocol.check(message)
            asked = request.whole("request")
            name = request.address.removeprefix("/hitpoint/")
            if request.released:
                return
            self._greeter.check(request.address, sender)
            self.clients.heard(sender, now_s, active=name != "hello")
            if name in _LEADING:
                self._leader, self._leader_s = sender, now_s
            if name in _LASTING:
                self.live_changed = True
            _HANDLERS[name](self, request, sender, now_s)
        except ProtocolError as error:
            self._refuse(sender, now_s, error.code, str(error), _job_of(message), asked)

    def _refuse(self, sender: Address, now_s: float, code: str, text: str, job: str = "", request: int = 0) -> None:
        self.refused += 1
        if self.clients.refuse(sender, now_s, code, text, job, request):
            self.last_error = text

    def _welcome(self, address: Address) -> None:
        name = self.player.sink.name
        speaks = self.clients.speaks(address)
        self.clients.tell(address, "/hitpoint/welcome", self._version, speaks, name, self.state)
        self._status.changed()

    def _capabilities(self, request: Request, sender: Address, now_s: float) -> None:
        for kind, names in capabilities().items():
            self.clients.tell(sender, "/hitpoint/capabilities", kind, *names)

    def _bye(self, request: Request, sender: Address, now_s: float) -> None:
        self.clients.drop(sender)

    def _play(self, request: Request, sender: Address, now_s: float) -> None:
        self.player.play(now_s)

    def _stop(self, request: Request, sender: Address, now_s: float) -> None:
        if not self._live.stop(now_s):
            self.player.stop(now_s)

    def _control(self, request: Request, sender: Address, now_s: float) -> None:
        if self._live.on:
            self._live.control(request.address.rpartition("/")[2], request.number("value"))
        else:
            self._jobs.control(request, sender, now_s)

    def _begin_live(self, request: Request, sender: Address, now_s: float) -> None:
        pairs = dict(wishes_told(request.rest, self._config.allowed_roots))
        self._jobs.own(LIVE_JOB, sender, now_s)
        self._live.begin(pairs, self.player.led_bpm, now_s)

    def _feature(self, request: Request, sender: Address, now_s: float) -> None:
        said = self._live.feature(request.text("name"), request.number("value"), now_s)
        if said:
            self._log(_WARNING, said)
            self.clients.refuse(sender, now_s, "arguments", said, "")

    def _locate(self, request: Request, sender: Address, now_s: float) -> None:
        self.player.locate(now_s, request.number("seconds"))

    def _loop(self, request: Request, sender: Address, now_s: float) -> None:
        self.player.set_loop(now_s, request.number("start"), request.number("end"))

    def _rate(self, request: Request, sender: Address, now_s: float) -> None:
        self.player.set_rate(now_s, request.number("rate"))

    def _panic(self, request: Request, sender: Address, now_s: float) -> None:
        self.player.panic()

    def _ping(self, request: Request, sender: Address, now_s: float) -> None:
        self.clients.tell(sender, "/hitpoint/pong", request.whole("number"))

    def _time(self, request: Request, sender: Address, now_s: float) -> None:
        """One playhead at a time: while the leader plays and is heard, the others' playheads are not."""
        fresh_s = self._config.playhead_timeout_s
        if sender != self._leader and self.player.transport.following and now_s - self._leader_s < fresh_s:
            return
        self._leader, self._leader_s = sender, now_s
        values = request.values
        self.player.hear_playhead(
            now_s,
            request.number("seconds"),
            bool(values["playing"]) if "playing" in values else None,
            request.number("rate") if "rate" in values else None,
            request.number("host_clock") if "host_clock" in values else None,
        )

    def _mute(self, request: Request, sender: Address, now_s: float) -> None:
        self.player.mute(instrument_number(request.text("instrument")), bool(request.whole("on")))

    def _volume(self, request: Request, sender: Address, now_s: float) -> None:
        self.player.set_volume(instrument_number(request.text("instrument")), request.number("level"))

    # Out.

    @property
    def state(self) -> str:
        """The state of the OSC table."""
        state = self.player.state
        if self._composer_down and state in ("idle", "working", "waiting"):
            return "failed"
        return "working" if state == "idle" and (self._jobs.work.jobs or self._live.on) else state

    def housekeeping(self) -> None:
        """To be called a few times a second: forget silent clients, tell state and lateness."""
        now_s = self._clock.now()
        for name in self.clients.drop_silent(now_s):
            self._log(_INFO, f"client {name!r} has gone silent")
        try:
            self._greeter.hear_queued(now_s)
        except ProtocolError as error:
            self._refuse(self._greeter.asks, now_s, error.code, str(error))
        with contextlib.suppress(ProtocolError):
            self._jobs.move_faders(now_s)
        for job, stage, share in self._jobs.work.quiet(now_s):
            self.clients.tell_owner(job, "/hitpoint/progress", job, stage, share)
        self._live.attend(now_s)
        self._status.tell(self.state, self.player, now_s)
        if self.clients.changed:
            self.clients.changed = False
            self._ask_composer(self.parties())

    # The player's Listener.

    def on_beat(self, bar: int, beat: int, media_s: float) -> None:
        """A beat sounds."""
        self.clients.tell_all("/hitpoint/beat", bar, beat, media_s)
        self._live.attend(self._clock.now())

    def on_underrun(self, bar: int, choice: BarChoice) -> None:
        """A bar was not there in time."""
        now_s = self._clock.now()
        if self.player.planned is None or now_s - self._last_underrun_s < UNDERRUN_EVERY_S:
            return
        self._last_underrun_s = now_s
        instead = "an earlier bar stands in" if choice.kind == "fallback" else "nothing can stand in for it yet"
        text = f"bar {bar} is not composed yet: {instead}"
        self.clients.tell_owner(self.player.planned.job, "/hitpoint/error", "underrun", text, self.player.planned.job)

    def on_moved(self, seek: bool) -> None:
        """The composer is to aim at the playhead."""
        self.live_changed = self.live_changed or seek
        planned = self.player.planned
        if planned is None:
            return
        aim = (planned.job, min(self.player.bar, len(planned.plan.bars)))
        if aim != self._aimed:
            self._aimed = aim
            self._ask_composer(Aim(*aim))

    def on_playhead_lost(self, silent_s: float) -> None:
        """The playhead stopped coming."""
        self._log(_WARNING, f"the playhead was silent for {silent_s:.1f} s: stopped")
        self.live_changed = True

    # From the composer and the watchdog.

    def on_composer(self, message: object) -> None:
        """A message of the composer's: play it, and tell the client who asked."""
        if isinstance(message, Planned):
            self._on_planned(message)
        elif isinstance(message, BarsReady):
            self._on_bars(message)
        elif isinstance(message, JobProgress):
            self._jobs.work.progress(message, self._clock.now())
            self.clients.tell_owner(message.job, "/hitpoint/progress", message.job, message.stage, message.share)
        elif isinstance(message, JobResult):
            answer = (message.midi, message.wav, message.report, message.take, message.request, message.edition)
            self.clients.tell_owner(message.job, "/hitpoint/result", message.job, *answer)
        elif isinstance(message, Answer):
            address, *said = message.told()
            self.clients.tell_owner(message.job, str(address), message.job, *said)
        elif isinstance(message, JobError):
            self.last_error = message.text
            if isinstance(message, LiveError):
                self._live.failed()
            job, request = message.job, message.request
            self.clients.tell_owner(job, "/hitpoint/error", message.code, message.text, job, request)
        elif isinstance(message, JobDone):
            self._jobs.work.done(message.job)
        elif isinstance(message, ComposerGone):
            self._on_composer_gone(message)
        elif isinstance(message, ListKnown):
            self._jobs.restore(message, self._clock.now())
        elif isinstance(message, ComposerReady):
            self._composer_down = False

    def _on_composer_gone(self, message: ComposerGone) -> None:
        code, text = "composer", "the composing process died and is being started again"
        if message.given_up:
            code, text = "given-up", "the composing process died on this job again and again: the job was given up"
        if message.down:
            self._composer_down = True
            code = "given-up"
            text = f"the composing process does not start ({message.down}): solve that, then ask for the score again"
        self.last_error = text
        if message.job:
            self.clients.tell_owner(message.job, "/hitpoint/error", code, text, message.job)
        else:
            self.clients.tell_all("/hitpoint/error", code, text, "")

    def _on_planned(self, message: Planned) -> None:
        known = self.player.planned is not None and self.player.planned.job == message.job
        self.player.set_plan(message)
        self._live.heed(message)
        if not known and not message.kept:
            for hit in message.plan.hits:
                seconds = message.origin_s + hit.time_s
                self.clients.tell_owner(message.job, "/hitpoint/marker", message.job, seconds, hit.kind, hit.saliency)
        if not message.kept:
            self._tell_chords(message, self._chords if known else ())
        self._chords = tuple(bar.chords for bar in message.plan.bars)

    def _tell_chords(self, message: Planned, before: Sequence[tuple[str, str] | None]) -> None:
        """The chords of the plan, where they change from half bar to half bar; of a plan that has changed, those that
        are new."""
        standing = ""
        for bar in message.plan.bars:
            old = before[bar.index] if bar.index < len(before) else None
            for half, symbol in enumerate(bar.chords or ()):
                if (symbol != standing and not before) or (before and (old is None or old[half] != symbol)):
                    self.clients.tell_owner(message.job, "/hitpoint/chord", message.job, bar.index, half, symbol)
                standing = symbol

    def _on_bars(self, message: BarsReady) -> None:
        taken = self.player.add_bars(message)
        if isinstance(message, GrownBars):
            self._live.take(message, self._clock.now())
            for bar, pair in zip(message.bars, message.chords, strict=True):
                for half, symbol in enumerate(pair or ()):
                    self.clients.tell_owner(LIVE_JOB, "/hitpoint/chord", LIVE_JOB, bar.index, half, symbol)
        timeline = self.player.timeline
        if timeline is None or message.kept:
            return
        for index in taken:
            start_s = timeline.time_at_tick(index)
            end_s = timeline.end_s if index == timeline.bars - 1 else timeline.time_at_tick(index + 1)
            self.clients.tell_owner(message.job, "/hitpoint/bar", message.job, index, start_s, end_s)

    def live_state(self) -> LiveState:
        """What a clock process that is started again needs to go on with the music."""
        return self.player.live_state()

    def parties(self) -> Parties:
        """And with the clients."""
        return Parties(self.clients.known, self.clients.owners, tuple(self._jobs.work.jobs))

    def restore(self, live: LiveState, parties: Parties) -> None:
        """Go on with the clients and the transport of a clock process that died.

        What this one has heard already, before it was told, is newer and stays.
        """
        self.clients.restore(parties, self._clock.now())
        for job in parties.working:
            self._jobs.work.begin(job, self._clock.now())
        self.player.restore(live)


_INFO, _WARNING = 20, 30
_HANDLERS: dict[str, Callable[[Session, Request, Address, float], None]] = {
    "hello": lambda session, *rest: session._greeter.hello(*rest),
    "prove": lambda session, *rest: session._greeter.prove(*rest),
    "bye": Session._bye,
    "capabilities": Session._capabilities,
    "time": Session._time,
    "play": Session._play,
    "stop": Session._stop,
    "locate": Session._locate,
    "loop": Session._loop,
    "rate": Session._rate,
    "live": Session._begin_live,
    "feature": Session._feature,
    "clips/begin": lambda session, *rest: session._jobs.clips_begin(*rest),
    "clip": lambda session, *rest: session._jobs.clip(*rest),
    "clips/end": lambda session, *rest: session._jobs.clips_end(*rest),
    "score": lambda session, *rest: session._jobs.score(*rest),
    "suggest": lambda session, *rest: session._jobs.suggest(*rest),
    "cut": lambda session, *rest: session._jobs.cut(*rest),
    "cancel": lambda session, *rest: session._jobs.cancel(*rest),
    "regenerate": lambda session, *rest: session._jobs.regenerate(*rest),
    "chord/set": lambda session, *rest: session._jobs.set_chord(*rest),
    "take": lambda session, *rest: session._jobs.take(*rest),
    "hand": lambda session, *rest: session._jobs.hand(*rest),
    "mute": Session._mute,
    "volume": Session._volume,
    **{f"control/{name}": Session._control for name in CONTROLS},
    "scene": lambda session, *rest: session._jobs.scene(*rest),
    "panic": Session._panic,
    "ping": Session._ping,
}
_LEADING = {"play", "stop", "locate", "loop", "rate"}
_LASTING = _LEADING | {"mute", "volume"}


def _job_of(message: codec.OscMessage) -> str:
    """The job that a refused message names, for the answer; empty where it names none."""
    row = protocol.INCOMING.get(message.address)
    if row is None or not row.arguments or row.arguments[0].name != "job" or not message.arguments:
        return ""
    job = message.arguments[0]
    return job if isinstance(job, str) and protocol.JOB_NAME.fullmatch(job) else ""
