"""What the thread of REAPER's requests knows: which are under way, which scores were made, and how to answer.

Threads and processes: one owner, the thread of `requests.run`.
"""

from __future__ import annotations

import contextlib
import random
import socket
from dataclasses import dataclass, field
from pathlib import Path

from hitpoint.bridge.hosts.reaper import rows as file_rows
from hitpoint.bridge.hosts.reaper.answers import TakeNotes
from hitpoint.bridge.hosts.reaper.live import Live
from hitpoint.bridge.hosts.reaper.notes import QuarterNotes
from hitpoint.bridge.hosts.reaper.rows import Field

MAX_JOBS = 200


@dataclass
class Work:
    """One request under way. clips: the packets of its clip list, to be sent again where some were lost.

    first_s, quarters: where the host plays the score, and its tempo where that is kept. bars, takes, names: what a
    regenerate asked for; takes also those of the score `keep`, whose music stays where the edit has not changed; kept:
    that score's file. passed_over: sentences on items that could not be read.
    request: its number, which the bridge's answer brings back; a score's is 0.
    report: what the bridge wrote down of it.
    tries: how often the list of clips was sent; taken: whether it arrived.
    """

    id: str
    action: str
    job: str
    take: int = 0
    clips: list[bytes] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    bars: tuple[int, int] = (0, 0)
    takes: list[TakeNotes] = field(default_factory=list)
    names: frozenset[str] = frozenset()
    kept: Path | None = None
    first_s: float = 0.0
    quarters: QuarterNotes | None = None
    request: int = 0
    report: Path | None = None
    tries: int = 0
    taken: bool = True
    sent_s: float = 0.0


@dataclass
class Job:
    """A score made for a script. first_s: where it begins on the host's timeline; midi: finished file of each take.

    take: the one that the bridge works on; -1 where that is not known.
    """

    first_s: float
    take: int = -1
    midi: dict[int, Path] = field(default_factory=dict)


class Relay:
    """The state of `run`: what is under way and what was made. Used from one thread."""

    def __init__(self, folder: Path, osc_address: tuple[str, int], token: str = "") -> None:
        self.folder, self.token = folder, token
        self.socket = _connected(osc_address)
        self.ignored: set[str] = set()
        self.work: dict[str, Work] = {}  # by job: a job is worked on once at a time
        self.jobs: dict[str, Job] = {}
        self.heartbeat_s = self.hello_s = -1e9
        self._request = random.randrange(1, 1 << 30)
        self.live = Live()

    def next_request(self) -> int:
        """A number that no other request of these scripts has."""
        self._request += 1
        return self._request

    def send(self, packet: bytes) -> None:
        """To the bridge; a lost packet is noticed by its missing answer."""
        with contextlib.suppress(OSError):
            self.socket.send(packet)

    def path(self, name: str) -> Path:
        """The file called `name` in the folder."""
        return self.folder / f"{name}.txt"

    def answer(self, work_id: str, rows: list[tuple[Field, ...]]) -> None:
        """Hand the script its answer."""
        file_rows.write(self.path(f"answer-{work_id}"), "answer", rows)

    def fail(self, work_id: str, sentence: str) -> None:
        """Tell the script why there is no answer."""
        self.answer(work_id, [("error", sentence_of(sentence))])


def _connected(osc_address: tuple[str, int]) -> socket.socket:
    """A socket that speaks to the bridge and hears nobody else: the system drops what comes from other addresses."""
    host, port = osc_address[:2]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.connect((host, port))
    return made


def recall(relay: Relay) -> None:
    """Read the scores that earlier runs made; one whose files are gone is forgotten."""
    try:
        for name, first_s, take, midi, *heard in file_rows.read(relay.path("jobs"), "jobs"):
            if Path(midi).is_file():
                job = relay.jobs.setdefault(name, Job(float(first_s)))
                job.midi[int(take)] = Path(midi)
                if heard == ["1"]:
                    job.take = int(take)
    except (OSError, ValueError):
        return  # none there, or not to be read: a memory lost costs one more scoring, never more


def remember(relay: Relay) -> None:
    """Write down the latest MAX_JOBS scores, for a later run's `recall`."""
    rows = [
        (name, job.first_s, take, str(midi), int(take == job.take))
        for name, job in list(relay.jobs.items())[-MAX_JOBS:]
        for take, midi in job.midi.items()
    ]
    file_rows.write(relay.path("jobs"), "jobs", rows)


def sentence_of(text: str) -> str:
    """With a capital, unless a name begins it, and a full stop, as a message box wants it."""
    text = text.strip() or "something went wrong; see the bridge's own window"
    if text.split()[0].isalpha():
        text = text[0].upper() + text[1:]
    return text + ("" if text[-1] in ".!?" else ".")
