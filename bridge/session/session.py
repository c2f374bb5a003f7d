"""The session: what clients ask for, and what they are told.

Threads and processes: one owner (the clock process). Pure: packets come in by `hear`, packets and messages to the
composer leave by the two functions handed in. Whatever a client sends, `hear` does not raise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hitpoint.bridge.clock.clock import Clock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc.messages import (
    Aim,
    BarsReady,
    CancelJob,
    ChooseTake,
    ComposerGone,
    ComposerReady,
    JobError,
    JobProgress,
    JobResult,
    LiveState,
    Planned,
    Regenerate,
    SetControl,
)
from hitpoint.bridge.osc import codec, protocol
from hitpoint.bridge.osc.aliases import Aliases
from hitpoint.bridge.osc.protocol import ProtocolError, Request
from hitpoint.bridge.play.lookahead import BarChoice
from hitpoint.bridge.play.player import Player
from hitpoint.bridge.session.capabilities import capabilities
from hitpoint.bridge.session.clients import Address, Clients
from hitpoint.bridge.session.clips import ClipDesk
from hitpoint.bridge.session.status import Status
from hitpoint.model.music.score import INSTRUMENTS

UNDERRUN_EVERY_S = 1.0
MISSING_LISTED = 100


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
        self.clients = Clients(send)
        self._aliases = Aliases(config.aliases)
        self._desk = ClipDesk(config.allowed_roots)
        self._leader: Address | None = None
        self._leader_s = float("-inf")
        self._working: set[str] = set()
        self._composer_down = False
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
        try:
            messages = codec.decode(packet)
        except codec.OscError as error:
            self._refuse(sender, now_s, "malformed", str(error))
            return
        for message in messages:
            for own in self._aliases.translate(message):
                self._obey(own, sender, now_s)

    def _obey(self, message: codec.OscMessage, sender: Address, now_s: float) -> None:
        try:
            request = protocol.check(message)
            name = request.address.removeprefix("/hitpoint/")
            self._check_token(request, sender)
            self.clients.heard(sender, now_s)
            if name in _LEADING:
                self._leader, self._leader_s = sender, now_s
            if name in _LASTING:
                self.live_changed = True
            _HANDLERS[name](self, request, sender, now_s)
        except ProtocolError as error:
            self._refuse(sender, now_s, error.code, str(error), _job_of(message))

    def _check_token(self, request: Request, sender: Address) -> None:
        if self._config.token and sender not in self.clients and request.address != "/hitpoint/hello":
            raise ProtocolError("token", "say /hitpoint/hello with the shared token first")

    def _refuse(self, sender: Address, now_s: float, code: str, text: str, job: str = "") -> None:
        self.refused += 1
        if self.clients.refuse(sender, now_s, code, text, job):
            self.last_error = text

    def _hello(self, request: Request, sender: Address, now_s: float) -> None:
        if request.whole("protocol") != protocol.PROTOCOL:
            wants, speaks = request.whole("protocol"), protocol.PROTOCOL
            older = "bridge" if wants > speaks else "client"
            raise ProtocolError(
                "protocol", f"the client speaks protocol {wants}, this bridge {speaks}: bring the {older} up to date"
            )
        if self._config.token and request.text("token") != self._config.token:
            raise ProtocolError("token", "the token is missing or wrong: use the one in the bridge's configuration")
        new = sender not in self.clients
        self.clients.add(sender, request.text("client"), now_s)
        if new:
            self._log(_INFO, f"client {request.text('client')[:40]!r} at {sender[0]}:{sender[1]}")
        name = self.player.sink.name
        self.clients.tell(sender, "/hitpoint/welcome", self._version, protocol.PROTOCOL, name, self.state)
        self._status.changed()
        self.live_changed = True

    def _capabilities(self, request: Request, sender: Address, now_s: float) -> None:
        for kind, names in capabilities().items():
            self.clients.tell(sender, "/hitpoint/capabilities", kind, *names)

    def _bye(self, request: Request, sender: Address, now_s: float) -> None:
        self.clients.drop(sender)

    def _play(self, request: Request, sender: Address, now_s: float) -> None:
        self.player.play(now_s)

    def _stop(self, request: Request, sender: Address, now_s: float) -> None:
        self.player.stop(now_s)

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

    def _clips_begin(self, request: Request, sender: Address, now_s: float) -> None:
        self._desk.begin(request)
        self._own(request.text("job"), sender)

    def _clip(self, request: Request, sender: Address, now_s: float) -> None:
        self._desk.add(request)

    def _clips_end(self, request: Request, sender: Address, now_s: float) -> None:
        job = request.text("job")
        missing = self._desk.end(request)
        if missing:
            text = " ".join(str(index) for index in missing[:MISSING_LISTED])
            self.clients.tell(sender, "/hitpoint/error", "clips-missing", text, job)
        else:
            self.clients.tell(sender, "/hitpoint/progress", job, "clips", 1.0)

    def _score(self, request: Request, sender: Address, now_s: float) -> None:
        score = self._desk.score(request)
        self._own(score.job, sender)
        self._working.add(score.job)
        self._ask(score, score.job)

    def _cancel(self, request: Request, sender: Address, now_s: float) -> None:
        job = request.text("job")
        self._working.discard(job)
        self._ask(CancelJob(job), job)

    def _regenerate(self, request: Request, sender: Address, now_s: float) -> None:
        job, first, last = request.text("job"), request.whole("first_bar"), request.whole("last_bar")
        if last < first:
            raise ProtocolError("arguments", f"the last bar {last} lies before the first {first}")
        instruments = tuple(sorted({_instrument(str(name)) for name in request.rest})) or None
        self._own(job, sender)
        self._ask(Regenerate(job, first, last, instruments), job)

    def _take(self, request: Request, sender: Address, now_s: float) -> None:
        job = request.text("job")
        self._own(job, sender)
        self._ask(ChooseTake(job, request.whole("take"), self.player.next_bar), job)

    def _mute(self, request: Request, sender: Address, now_s: float) -> None:
        self.player.mute(_instrument(request.text("instrument")), bool(request.whole("on")))

    def _volume(self, request: Request, sender: Address, now_s: float) -> None:
        self.player.set_volume(_instrument(request.text("instrument")), request.number("level"))

    def _control(self, request: Request, sender: Address, now_s: float) -> None:
        name = request.address.rpartition("/")[2]
        planned = self.player.planned
        if planned is not None:
            self._ask(SetControl(planned.job, name, request.number("value"), self.player.next_bar), planned.job)

    def _ask(self, message: object, job: str) -> None:
        if not self._ask_composer(message):
            raise ProtocolError("busy", f"{job}: too much is waiting for the composer; try again in a moment")

    def _own(self, job: str, sender: Address) -> None:
        self.clients.own(job, sender)
        self.live_changed = True

    # Out.

    @property
    def state(self) -> str:
        """The state of the OSC table."""
        state = self.player.state
        if self._composer_down and state in ("idle", "working", "waiting"):
            return "failed"
        return "working" if state == "idle" and self._working else state

    def housekeeping(self) -> None:
        """To be called a few times a second: forget silent clients, tell state and lateness."""
        now_s = self._clock.now()
        for name in self.clients.drop_silent(now_s):
            self._log(_INFO, f"client {name!r} has gone silent")
        self._status.tell(self.state, self.player, now_s)

    # The player's Listener.

    def on_beat(self, bar: int, beat: int, media_s: float) -> None:
        """A beat sounds."""
        self.clients.tell_all("/hitpoint/beat", bar, beat, media_s)

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
            self.clients.tell_owner(message.job, "/hitpoint/progress", message.job, message.stage, message.share)
        elif isinstance(message, JobResult):
            self._working.discard(message.job)
            paths = (message.midi, message.wav, message.report)
            self.clients.tell_owner(message.job, "/hitpoint/result", message.job, *paths, message.take)
        elif isinstance(message, JobError):
            self._working.discard(message.job)
            self.last_error = message.text
            self.clients.tell_owner(message.job, "/hitpoint/error", message.code, message.text, message.job)
        elif isinstance(message, ComposerGone):
            self._on_composer_gone(message)
        elif isinstance(message, ComposerReady):
            self._composer_down = False

    def _on_composer_gone(self, message: ComposerGone) -> None:
        code, text = "composer", "the composing process died and is being started again"
        if message.given_up:
            self._working.discard(message.job)
            code, text = "given-up", "the composing process died on this job again and again: the job was given up"
        if message.down:
            self._composer_down = True
            code = "given-up"
            text = f"the composing process does not start ({message.down}): mend that, then ask for the score again"
        self.last_error = text
        if message.job:
            self.clients.tell_owner(message.job, "/hitpoint/error", code, text, message.job)
        else:
            self.clients.tell_all("/hitpoint/error", code, text, "")

    def _on_planned(self, message: Planned) -> None:
        known = self.player.planned is not None and self.player.planned.job == message.job
        self.player.set_plan(message)
        if not known and not message.kept:
            for hit in message.plan.hits:
                seconds = message.origin_s + hit.time_s
                self.clients.tell_owner(message.job, "/hitpoint/marker", message.job, seconds, hit.kind, hit.saliency)

    def _on_bars(self, message: BarsReady) -> None:
        taken = self.player.add_bars(message)
        timeline = self.player.timeline
        if timeline is None or message.kept:
            return
        for index in taken:
            start_s = timeline.time_at_tick(index)
            end_s = timeline.end_s if index == timeline.bars - 1 else timeline.time_at_tick(index + 1)
            self.clients.tell_owner(message.job, "/hitpoint/bar", message.job, index, start_s, end_s)

    def live_state(self) -> LiveState:
        """What a clock process that is started again needs to go on."""
        return replace(
            self.player.live_state(),
            clients=self.clients.known,
            owners=self.clients.owners,
            clip_lists=self._desk.complete_lists(),
        )

    def restore(self, live: LiveState) -> None:
        """Go on with the clients, clip lists and transport of a clock process that died.

        What this one has heard already, before it was told, is newer and stays.
        """
        self.clients.restore(live, self._clock.now())
        self._desk.restore(live.clip_lists)
        self.player.restore(live)


_INFO, _WARNING = 20, 30
_HANDLERS: dict[str, Callable[[Session, Request, Address, float], None]] = {
    "hello": Session._hello,
    "bye": Session._bye,
    "capabilities": Session._capabilities,
    "time": Session._time,
    "play": Session._play,
    "stop": Session._stop,
    "locate": Session._locate,
    "loop": Session._loop,
    "rate": Session._rate,
    "clips/begin": Session._clips_begin,
    "clip": Session._clip,
    "clips/end": Session._clips_end,
    "score": Session._score,
    "cancel": Session._cancel,
    "regenerate": Session._regenerate,
    "take": Session._take,
    "mute": Session._mute,
    "volume": Session._volume,
    "control/control": Session._control,
    "control/density": Session._control,
    "control/energy": Session._control,
    "control/accents": Session._control,
    "panic": Session._panic,
    "ping": Session._ping,
}
_LEADING = {"play", "stop", "locate", "loop", "rate"}
_LASTING = _LEADING | {"mute", "volume", "clips/end", "score", "bye"}


def _instrument(name: str) -> int:
    if name not in INSTRUMENTS:
        raise ProtocolError("arguments", f"no instrument {name!r}; choose from {', '.join(INSTRUMENTS)}")
    return INSTRUMENTS.index(name)


def _job_of(message: codec.OscMessage) -> str:
    """The job that a refused message names, for the answer; empty where it names none."""
    row = protocol.INCOMING.get(message.address)
    if row is None or not row.arguments or row.arguments[0].name != "job" or not message.arguments:
        return ""
    job = message.arguments[0]
    return job if isinstance(job, str) and protocol.JOB_NAME.fullmatch(job) else ""
