"""The session: what clients ask for, and what they are told.

Threads and processes: one owner (the clock process). Pure: packets come in by `hear`, packets and messages to the
composer leave by the two functions handed in. Whatever a client sends, `hear` does not raise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from hitpoint.bridge import osc, protocol
from hitpoint.bridge.aliases import Aliases
from hitpoint.bridge.clips import ClipDesk
from hitpoint.bridge.clock import Clock
from hitpoint.bridge.config import Config
from hitpoint.bridge.lookahead import BarChoice
from hitpoint.bridge.messages import (
    Aim,
    BarsReady,
    CancelJob,
    ChooseTake,
    ComposerGone,
    JobError,
    JobProgress,
    JobResult,
    LiveState,
    Planned,
    Regenerate,
    SetControl,
)
from hitpoint.bridge.player import Player
from hitpoint.bridge.protocol import ProtocolError, Request
from hitpoint.model.score import INSTRUMENTS

Address = tuple[str, int]

CLIENT_SILENCE_S = 60.0
MAX_CLIENTS = 64
MAX_OWNERS = 64
STATE_EVERY_S = 1.0
UNDERRUN_EVERY_S = 1.0
ERRORS_A_SECOND = 20
MISSING_LISTED = 100


@dataclass
class Client:
    """One who said hello."""

    name: str
    heard_s: float


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
        self._send, self._ask_composer, self._log = send, ask_composer, log
        self._aliases = Aliases(config.aliases)
        self.clients: dict[Address, Client] = {}
        self._owners: dict[str, Address] = {}
        self._desk = ClipDesk(config.allowed_roots)
        self._leader: Address | None = None
        self._leader_s = float("-inf")
        self._working: set[str] = set()
        self._controls: dict[str, float] = {}
        self._last_state: tuple[object, ...] = ()
        self._last_state_s = float("-inf")
        self._last_underrun_s = float("-inf")
        self._last_sent = 0
        self._error_moments: deque[float] = deque(maxlen=ERRORS_A_SECOND)
        self._aimed: tuple[str, int] = ("", -1)
        self.refused = 0
        self.last_error = ""
        self.live_changed = False
        self.player: Player
        self._handlers: dict[str, Callable[[Request, Address, float], None]] = {
            "hello": self._hello,
            "bye": lambda request, sender, now_s: self._bye(sender),
            "time": self._time,
            "play": lambda request, sender, now_s: self.player.play(now_s),
            "stop": lambda request, sender, now_s: self.player.stop(now_s),
            "locate": lambda request, sender, now_s: self.player.locate(now_s, request.number("seconds")),
            "loop": lambda request, sender, now_s: self.player.set_loop(
                now_s, request.number("start"), request.number("end")
            ),
            "rate": lambda request, sender, now_s: self.player.set_rate(now_s, request.number("rate")),
            "clips/begin": self._clips_begin,
            "clip": lambda request, sender, now_s: self._desk.add(request),
            "clips/end": self._clips_end,
            "score": self._score,
            "cancel": self._cancel,
            "regenerate": self._regenerate,
            "take": self._take,
            "mute": self._mute,
            "volume": self._volume,
            "control/control": self._control,
            "control/density": self._control,
            "control/energy": self._control,
            "panic": lambda request, sender, now_s: self.player.panic(),
            "ping": lambda request, sender, now_s: self.tell(sender, "/hitpoint/pong", request.whole("number")),
        }

    # In.

    def hear(self, packet: bytes, sender: Address) -> None:
        """Read and obey one packet; what is wrong with it is answered to its sender."""
        now_s = self._clock.now()
        try:
            messages = osc.decode(packet)
        except osc.OscError as error:
            self._refuse(sender, now_s, "malformed", str(error))
            return
        for message in messages:
            for own in self._aliases.translate(message):
                self._obey(own, sender, now_s)

    def _obey(self, message: osc.OscMessage, sender: Address, now_s: float) -> None:
        try:
            request = protocol.check(message)
            name = request.address.removeprefix("/hitpoint/")
            self._check_token(request, sender)
            client = self.clients.get(sender)
            if client is not None:
                client.heard_s = now_s
            if name in _LEADING:
                self._leader, self._leader_s = sender, now_s
            if name in _LASTING:
                self.live_changed = True
            self._handlers[name](request, sender, now_s)
        except ProtocolError as error:
            self._refuse(sender, now_s, error.code, str(error), _job_of(message))

    def _check_token(self, request: Request, sender: Address) -> None:
        if self._config.token and sender not in self.clients and request.address != "/hitpoint/hello":
            raise ProtocolError("token", "say /hitpoint/hello with the shared token first")

    def _refuse(self, sender: Address, now_s: float, code: str, text: str, job: str = "") -> None:
        """Answer an error, at most ERRORS_A_SECOND of them: a flood of nonsense must not become two."""
        self.refused += 1
        moments = self._error_moments
        if len(moments) == moments.maxlen and now_s - moments[0] < 1.0:
            return
        moments.append(now_s)
        self.last_error = text
        self.tell(sender, "/hitpoint/error", code, text[: protocol.MAX_TEXT], job)

    def _hello(self, request: Request, sender: Address, now_s: float) -> None:
        if request.whole("protocol") != protocol.PROTOCOL:
            wants, speaks = request.whole("protocol"), protocol.PROTOCOL
            older = "bridge" if wants > speaks else "client"
            raise ProtocolError(
                "protocol", f"the client speaks protocol {wants}, this bridge {speaks}: bring the {older} up to date"
            )
        if self._config.token and request.text("token") != self._config.token:
            raise ProtocolError("token", "the token is missing or wrong: use the one in the bridge's configuration")
        if sender not in self.clients and len(self.clients) >= MAX_CLIENTS:
            raise ProtocolError("busy", f"{MAX_CLIENTS} clients are connected already")
        if sender not in self.clients:
            self._log(_INFO, f"client {request.text('client')[:40]!r} at {sender[0]}:{sender[1]}")
        self.clients[sender] = Client(request.text("client")[:40], now_s)
        name = self.player.sink.name
        self.tell(sender, "/hitpoint/welcome", self._version, protocol.PROTOCOL, name, self.state)
        self._last_state = ()
        self.live_changed = True

    def _bye(self, sender: Address) -> None:
        self.clients.pop(sender, None)

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

    def _clips_end(self, request: Request, sender: Address, now_s: float) -> None:
        job = request.text("job")
        missing = self._desk.end(request)
        if missing:
            text = " ".join(str(index) for index in missing[:MISSING_LISTED])
            self.tell(sender, "/hitpoint/error", "clips-missing", text, job)
        else:
            self.tell(sender, "/hitpoint/progress", job, "clips", 1.0)

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
        value = request.number("value")
        self._controls[name] = value
        if self.player.planned is not None:
            self._ask(SetControl(self.player.planned.job, name, value, self.player.next_bar), self.player.planned.job)

    def _ask(self, message: object, job: str) -> None:
        if not self._ask_composer(message):
            raise ProtocolError("busy", f"{job}: too much is waiting for the composer; try again in a moment")

    def _own(self, job: str, sender: Address) -> None:
        while len(self._owners) >= MAX_OWNERS and job not in self._owners:
            del self._owners[next(iter(self._owners))]
        self._owners[job] = sender
        self.live_changed = True

    # Out.

    def tell(self, address: Address, *message: protocol.TextOrNumber) -> None:
        """Send one message of the table to one client."""
        self._send(protocol.encode(str(message[0]), *message[1:]), address)

    def tell_owner(self, job: str, *message: protocol.TextOrNumber) -> None:
        """Send a message to the client that asked for the job, if it is known."""
        owner = self._owners.get(job)
        if owner is not None:
            self.tell(owner, *message)

    def tell_all(self, *message: protocol.TextOrNumber) -> None:
        """Send a message to everybody who said hello."""
        packet = protocol.encode(str(message[0]), *message[1:])
        for address in self.clients:
            self._send(packet, address)

    @property
    def state(self) -> str:
        """The state of the OSC table."""
        state = self.player.state
        return "working" if state in ("idle", "ready") and self._working and state == "idle" else state

    def housekeeping(self) -> None:
        """To be called a few times a second: forget silent clients, tell state and lateness."""
        now_s = self._clock.now()
        for address in [a for a, client in self.clients.items() if now_s - client.heard_s > CLIENT_SILENCE_S]:
            self._log(_INFO, f"client {self.clients[address].name!r} has gone silent")
            del self.clients[address]
        player = self.player
        planned = player.planned
        job, take, bars = (planned.job, planned.take, len(planned.plan.bars)) if planned else ("", 0, 0)
        head = (self.state, job, take, player.bar, len(player.library), bars, player.underruns, player.sink.name)
        if head == self._last_state and now_s - self._last_state_s < STATE_EVERY_S:
            return
        if now_s - self._last_state_s >= STATE_EVERY_S and player.sent != self._last_sent:
            p50, p99, _ = player.lateness_ms()
            self.tell_all("/hitpoint/late", p50, p99)
            self._last_sent = player.sent
        self._last_state, self._last_state_s = head, now_s
        tail = (player.bar, len(player.library), bars, player.underruns, player.sink.name)
        self.tell_all("/hitpoint/state", self.state, job, take, player.position(), *tail)

    # The player's Listener.

    def on_beat(self, bar: int, beat: int, media_s: float) -> None:
        """A beat sounds."""
        self.tell_all("/hitpoint/beat", bar, beat, media_s)

    def on_underrun(self, bar: int, choice: BarChoice) -> None:
        """A bar was not there in time."""
        now_s = self._clock.now()
        if self.player.planned is None or now_s - self._last_underrun_s < UNDERRUN_EVERY_S:
            return
        self._last_underrun_s = now_s
        instead = "an earlier bar stands in" if choice.kind == "fallback" else "nothing can stand in for it yet"
        text = f"bar {bar} is not composed yet: {instead}"
        self.tell_owner(self.player.planned.job, "/hitpoint/error", "underrun", text, self.player.planned.job)

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
            self.tell_owner(message.job, "/hitpoint/progress", message.job, message.stage, message.share)
        elif isinstance(message, JobResult):
            self._working.discard(message.job)
            paths = (message.midi, message.wav, message.report)
            self.tell_owner(message.job, "/hitpoint/result", message.job, *paths, message.take)
        elif isinstance(message, JobError):
            self._working.discard(message.job)
            self.last_error = message.text
            self.tell_owner(message.job, "/hitpoint/error", message.code, message.text, message.job)
        elif isinstance(message, ComposerGone):
            text = "the composing process died and is being started again"
            if message.failed:
                text = "the composing process died on this job again and again: the job was given up"
                self._working.discard(message.job)
            self.last_error = text
            self.tell_owner(message.job, "/hitpoint/error", "composer", text, message.job)

    def _on_planned(self, message: Planned) -> None:
        known = self.player.planned is not None and self.player.planned.job == message.job
        self.player.set_plan(message)
        if not known and not message.kept:
            for hit in message.plan.hits:
                seconds = message.origin_s + hit.time_s
                self.tell_owner(message.job, "/hitpoint/marker", message.job, seconds, hit.kind, hit.saliency)

    def _on_bars(self, message: BarsReady) -> None:
        taken = self.player.add_bars(message)
        timeline = self.player.timeline
        if timeline is None or message.kept:
            return
        for index in taken:
            start_s, end_s = timeline.time_at_tick(index), timeline.time_at_tick(index + 1)
            self.tell_owner(message.job, "/hitpoint/bar", message.job, index, start_s, end_s)

    def live_state(self) -> LiveState:
        """What a clock process that is started again needs to go on."""
        return replace(
            self.player.live_state(),
            controls=tuple(self._controls.items()),
            clients=tuple((client.name, address) for address, client in self.clients.items()),
            owners=tuple(self._owners.items()),
            clip_lists=self._desk.complete_lists(),
        )

    def restore(self, live: LiveState) -> None:
        """Go on with the clients, clip lists and transport of a clock process that died.

        What this one has heard already, before it was told, is newer and stays.
        """
        now_s = self._clock.now()
        self.clients = {address: Client(name, now_s) for name, address in live.clients} | self.clients
        self._owners = dict(live.owners) | self._owners
        self._desk.restore(live.clip_lists)
        self._controls = dict(live.controls) | self._controls
        self.player.restore(live)


_INFO, _WARNING = 20, 30
_LEADING = {"play", "stop", "locate", "loop", "rate"}
_LASTING = _LEADING | {"mute", "volume", "clips/end", "score", "bye", "control/control", "control/density"}


def _instrument(name: str) -> int:
    if name not in INSTRUMENTS:
        raise ProtocolError("arguments", f"no instrument {name!r}; choose from {', '.join(INSTRUMENTS)}")
    return INSTRUMENTS.index(name)


def _job_of(message: osc.OscMessage) -> str:
    """The job that a refused message names, for the answer; empty where it names none."""
    row = protocol.INCOMING.get(message.address)
    if row is None or not row.arguments or row.arguments[0].name != "job" or not message.arguments:
        return ""
    job = message.arguments[0]
    return job if isinstance(job, str) and protocol.JOB_NAME.fullmatch(job) else ""
