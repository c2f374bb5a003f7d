"""What clients ask of jobs: each request is checked, noted, and passed on to the composer.

Threads and processes: one owner (the clock process). Pure: messages leave by the function handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hitpoint.bridge.ipc.messages import (
    CancelJob,
    ChooseTake,
    JobMessage,
    ListKnown,
    Regenerate,
    SetChord,
    SetControl,
    SetScene,
)
from hitpoint.bridge.ipc.supervision import Owned
from hitpoint.bridge.osc.protocol import ProtocolError, Request
from hitpoint.bridge.play.player import Player
from hitpoint.bridge.session.clients import Clients
from hitpoint.bridge.session.clips import ClipDesk
from hitpoint.bridge.session.identity import Address
from hitpoint.bridge.session.work_list import WorkList
from hitpoint.model.music.score import INSTRUMENTS

MISSING_LISTED = 100
CONTROL_EVERY_S = 0.1
"""A fader's values go to the composer no more often than this; the last one always does."""


class JobDesk:
    """Takes requests for jobs. ask: message -> False where too much waits already; roots: as ClipDesk.

    Each request raises ProtocolError for what is wrong with it.
    """

    def __init__(
        self,
        clients: Clients,
        roots: Sequence[Path],
        player: Callable[[], Player],
        ask: Callable[[object], bool],
    ) -> None:
        self.clients, self._player, self._ask_composer = clients, player, ask
        self._desk = ClipDesk(roots)
        self.work = WorkList()
        self._faders: dict[str, float] = {}
        self._scene: tuple[float, float] | None = None
        self._faders_s = float("-inf")

    def restore(self, known: ListKnown, now_s: float) -> None:
        """Take a predecessor's list of clips over."""
        self._desk.restore(known, now_s)

    def clips_begin(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/clips/begin`."""
        job = request.text("job")
        self.clients.check_owner(job, sender, now_s)
        for message in self._desk.begin(request, now_s):
            self._ask(message, job)
        self.own(job, sender, now_s)

    def clip(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/clip`."""
        job = request.text("job")
        self.clients.check_owner(job, sender, now_s)
        self._ask(self._desk.add(request, now_s), job)

    def clips_end(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/clips/end`."""
        job = request.text("job")
        self.clients.check_owner(job, sender, now_s)
        missing = self._desk.end(request, now_s, MISSING_LISTED)
        if missing:
            text = " ".join(str(index) for index in missing)
            self.clients.tell(sender, "/hitpoint/error", "clips-missing", text, job)
        else:
            self.clients.tell(sender, "/hitpoint/progress", job, "clips", 1.0)

    def score(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/score`."""
        job = request.text("job")
        self.clients.check_owner(job, sender, now_s)
        score = self._desk.score(request, now_s)
        self.work.check_room(job)
        self.own(job, sender, now_s)
        self._ask(score, job)
        self._desk.scored(job)
        self.work.begin(job, now_s)

    def suggest(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/suggest`."""
        self._question(self._desk.suggest, request, sender, now_s)

    def cut(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/cut`."""
        self._question(self._desk.cut, request, sender, now_s)

    def _question(
        self, read: Callable[[Request, float], JobMessage], request: Request, sender: Address, now_s: float
    ) -> None:
        """Something is asked of a job's clips."""
        job = request.text("job")
        self.clients.check_owner(job, sender, now_s)
        asked = read(request, now_s)
        self.work.check_edit(job)
        self.own(job, sender, now_s)
        self._ask(asked, job)
        self.work.edited(job, now_s)

    def cancel(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/cancel`."""
        job = request.text("job")
        self.clients.check_owner(job, sender, now_s)
        self._ask(CancelJob(job), job)

    def regenerate(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/regenerate`."""
        job, first, last = request.text("job"), request.whole("first_bar"), request.whole("last_bar")
        if last < first:
            raise ProtocolError("arguments", f"the last bar {last} lies before the first {first}")
        instruments = tuple(sorted({instrument_number(str(name)) for name in request.rest})) or None
        asked, edition = request.whole("request"), request.whole("edition", -1)
        self._edit(Regenerate(job, first, last, instruments, asked, edition), sender, now_s)

    def set_chord(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/chord/set`."""
        job, bar, half = request.text("job"), request.whole("bar"), request.whole("half")
        self._edit(SetChord(job, bar, half, request.text("symbol")), sender, now_s)

    def take(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/take`."""
        job = request.text("job")
        take, asked, edition = request.whole("take"), request.whole("request"), request.whole("edition", -1)
        self._edit(ChooseTake(job, take, self._player().next_bar, asked, edition), sender, now_s)

    def hand(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/hand`."""
        job = request.text("job")
        self._ask(Owned(job, self.clients.hand_over(job, sender, request.text("client"))), job)

    def control(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/control/...`: at once, or with the next move of the faders."""
        self._faders[request.address.rpartition("/")[2]] = request.number("value")
        self.move_faders(now_s)

    def scene(self, request: Request, sender: Address, now_s: float) -> None:
        """`/hitpoint/scene`: at once, or with the next move of the faders."""
        self._scene = request.number("valence"), request.number("arousal")
        self.move_faders(now_s)

    def move_faders(self, now_s: float) -> None:
        """Pass the faders' last values on, if it is time; to be called a few times a second."""
        planned = self._player().planned
        if planned is None:
            self._faders.clear()
            self._scene = None
        if not (self._faders or self._scene) or planned is None or now_s - self._faders_s < CONTROL_EVERY_S:
            return
        self._faders_s = now_s
        values, self._faders = self._faders, {}
        scene, self._scene = self._scene, None
        if scene is not None:
            self._ask(SetScene(planned.job, *scene, self._player().next_bar), planned.job)
        for name, value in values.items():
            self._ask(SetControl(planned.job, name, value, self._player().next_bar), planned.job)

    def _edit(self, message: JobMessage, sender: Address, now_s: float) -> None:
        """Something is to be changed in a job: its answers go to its owner, or to whoever asks where there is none."""
        self.clients.check_owner(message.job, sender, now_s)
        self.work.check_edit(message.job)
        self.own(message.job, sender, now_s)
        self._ask(message, message.job)
        self.work.edited(message.job, now_s)

    def _ask(self, message: object, job: str) -> None:
        if not self._ask_composer(message):
            raise ProtocolError("busy", f"{job}: too much is waiting for the composer; try again in a moment")

    def own(self, job: str, sender: Address, now_s: float) -> None:
        """What is to be said of this job goes to `sender` from now on."""
        if self.clients.own(job, sender, now_s, self.work.jobs):
            self._ask(Owned(job, sender), job)


def instrument_number(name: str) -> int:
    """The index of an instrument. Raises ProtocolError."""
    if name not in INSTRUMENTS:
        raise ProtocolError("arguments", f"no instrument {name!r}; choose from {', '.join(INSTRUMENTS)}")
    return INSTRUMENTS.index(name)
