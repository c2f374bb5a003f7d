"""Requests from hosts without sockets (REAPER's Lua): files in a folder become the bridge's own OSC messages.

Threads and processes: `run` owns its socket and its folder and shares nothing; call it in a thread or process of its
own, beside the clock process, never in it. It waits at most POLL_S at a time and ends soon after `stop` is set.
Files (see `bridge/hosts/reaper/rows.py`), ID being the request's name:
    request-ID   from the script: rows id, action score | regenerate | take, and what belongs to it (a score's items:
                 `bridge/hosts/reaper/clips.py`)
    cancel-ID    from the script: it waits no longer
    progress-ID  to the script: stage and share, 0..1
    answer-ID    to the script: what to write into the project (`answers.py`), or one row: error, sentence
    live live-2  from the script, in turn, again and again: the playhead
    jobs         the bridge's own memory: the scores made for scripts, so that they can be changed after a restart
    heartbeat    to the script, every second: the wall clock, so that it knows whether a bridge is there
Whoever can write to the folder can ask, and no more than that: what is damaged, huge or no plain file is refused, and
nothing in the folder ends the thread. Its socket hears the bridge alone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from hitpoint.bridge.errors import InputError, MissingError
from hitpoint.bridge.hosts.reaper import answers as file_answers
from hitpoint.bridge.hosts.reaper import clips as file_clips
from hitpoint.bridge.hosts.reaper import rows as file_rows
from hitpoint.bridge.hosts.reaper.answers import Placing, TakeNotes
from hitpoint.bridge.hosts.reaper.clips import TimelineClip
from hitpoint.bridge.hosts.reaper.live import Live
from hitpoint.bridge.hosts.reaper.notes import QuarterNotes
from hitpoint.bridge.hosts.reaper.rows import Field, RowsError
from hitpoint.bridge.osc import codec, protocol

POLL_S = 0.05
LIVE_POLL_S = 0.015
HEARTBEAT_S = 1.0
HELLO_S = 15.0
ANSWER_WITHIN_S = 2.0
"""The bridge takes the list of clips, or refuses it, within this; else the list is sent again."""
TRIES = 5
MAX_JOBS = 200
MAX_WORK = 64
"""Requests under way at once; more are refused."""
REQUESTS_A_CYCLE = 16
STALE_REQUEST_S = 60.0
LITTER_S = 86_400.0


@dataclass
class Work:
    """One request under way. clips: the packets of its clip list, to be sent again where some were lost.

    first_s, quarters: where the host plays the score, and its tempo where that is kept. bars, takes, names: what a
    regenerate asked for. passed_over: sentences on items that could not be read.
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
    first_s: float = 0.0
    quarters: QuarterNotes | None = None
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
    """The state of `run`: what is under way, and what was made. Used from one thread."""

    def __init__(self, folder: Path, osc_address: tuple[str, int], token: str = "") -> None:
        self.folder, self.token = folder, token
        self.socket = _connected(osc_address)
        self.ignored: set[str] = set()
        self.work: dict[str, Work] = {}  # by job: a job is worked on once at a time
        self.jobs: dict[str, Job] = {}
        self.heartbeat_s = self.hello_s = -1e9
        self.live = Live()

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
        """Hand the script the reason why there is none."""
        self.answer(work_id, [("error", _sentence(sentence))])


def _connected(osc_address: tuple[str, int]) -> socket.socket:
    """A socket that speaks to the bridge and hears nobody else: the system drops what comes from other addresses."""
    host, port = osc_address[:2]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.connect((host, port))
    return made


def run(folder: Path, osc_address: tuple[str, int], stop: threading.Event, token: str = "") -> None:
    """Serve the requests in `folder` until `stop` is set; the bridge listens at `osc_address`, and wants this token.

    Raises MissingError where the folder cannot be made or written.
    """
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        file_rows.write(folder / "probe-bridge.txt", "probe", [])
        (folder / "probe-bridge.txt").unlink()
    except OSError as error:
        raise MissingError(f"the folder {folder} cannot be written ({error.strerror}); make it writable") from error
    relay = Relay(folder, osc_address, token)
    _sweep(relay)
    _recall(relay)
    told = ""
    try:
        while not stop.is_set():
            try:
                _cycle(relay, time.monotonic())
            except OSError as error:  # a full disk, a folder taken away: the scripts miss the heartbeat, and say so
                if str(error) != told:
                    logging.getLogger("hitpoint").error("the folder of REAPER's requests: %s", error)
                told = str(error)
                stop.wait(HEARTBEAT_S)
            except Exception:  # whatever stands in the folder: the next request is answered all the same
                logging.getLogger("hitpoint").exception("REAPER's requests: a mistake of the program's own")
                stop.wait(HEARTBEAT_S)
    finally:
        relay.socket.close()
        with contextlib.suppress(OSError):
            relay.path("heartbeat").unlink(missing_ok=True)


def _recall(relay: Relay) -> None:
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


def _remember(relay: Relay) -> None:
    rows = [
        (name, job.first_s, take, str(midi), int(take == job.take))
        for name, job in list(relay.jobs.items())[-MAX_JOBS:]
        for take, midi in job.midi.items()
    ]
    file_rows.write(relay.path("jobs"), "jobs", rows)


def _cycle(relay: Relay, now_s: float) -> None:
    if now_s - relay.heartbeat_s >= HEARTBEAT_S:
        relay.heartbeat_s = now_s
        rows = [("time", int(time.time())), ("pid", os.getpid())]
        with contextlib.suppress(
            PermissionError
        ):  # Windows, while a script reads the old one; the next second's will do
            file_rows.write(relay.path("heartbeat"), "heartbeat", rows)
    if now_s - relay.hello_s >= HELLO_S:
        relay.hello_s = now_s
        relay.send(codec.encode("/hitpoint/hello", "reaper", "1", protocol.PROTOCOL, relay.token))
    asked = [*sorted(relay.folder.glob("cancel-*.txt")), *sorted(relay.folder.glob("request-*.txt"))]
    for path in [path for path in asked if path.name not in relay.ignored][:REQUESTS_A_CYCLE]:
        _take_in(relay, path, now_s)
    relay.live.follow((relay.path("live"), relay.path("live-2")), relay.send, now_s)
    _again(relay, now_s)
    select.select([relay.socket], [], [], LIVE_POLL_S if relay.live.on else POLL_S)
    _hear(relay)


def _sweep(relay: Relay) -> None:
    """Remove what earlier runs left behind: requests nobody waits for any more, and old answers."""
    for path in relay.folder.glob("*.txt.*part"):
        with contextlib.suppress(OSError):
            path.unlink()  # of a run that was killed while it wrote
    for path in relay.folder.glob("*-*.txt*"):
        limit_s = STALE_REQUEST_S if path.name.startswith(("request-", "cancel-")) else LITTER_S
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime > limit_s:
                path.unlink()


def _take_in(relay: Relay, path: Path, now_s: float) -> None:
    """Read one request or cancel file, remove it, and act on it."""
    kind, _, request_id = path.stem.partition("-")
    rows, problem = None, ""
    try:
        rows = file_rows.read(path, kind)
    except RowsError as error:
        problem = str(error)
    except OSError:
        if path.is_file() and not path.is_symlink():
            return  # locked for a moment
        problem = "this is no plain file"
    try:
        path.unlink(missing_ok=True)
    except OSError:
        relay.ignored.add(path.name)  # a folder of that name, say
    if not protocol.JOB_NAME.fullmatch(request_id):
        return
    if rows is None:
        relay.fail(request_id, problem)
        return
    if kind == "cancel":
        _cancel(relay, request_id)
        return
    try:
        _begin(relay, request_id, rows, now_s)
    except InputError as error:
        relay.fail(request_id, str(error))
    except (ValueError, IndexError, KeyError, OSError, codec.OscError) as error:
        relay.fail(request_id, f"the request is not understood ({error}); run `hitpoint install reaper` again")


def _cancel(relay: Relay, request_id: str) -> None:
    for job, work in list(relay.work.items()):
        if work.id == request_id:
            del relay.work[job]
            relay.path(f"progress-{request_id}").unlink(missing_ok=True)
            relay.send(codec.encode("/hitpoint/cancel", job))


def _begin(relay: Relay, request_id: str, rows: list[list[str]], now_s: float) -> None:
    if len(relay.work) >= MAX_WORK:
        raise InputError(f"{MAX_WORK} requests are under way already; try again when some are done")
    values = {row[0]: row[1:] for row in rows}
    action = values["action"][0]
    knots = [(float(row[1]), float(row[2])) for row in rows if row[0] == "quarter"]
    quarters = QuarterNotes(knots) if knots else None
    if action == "score":
        work = Work(request_id, action, request_id, quarters=quarters)
        clips = file_clips.clips(rows, work.passed_over)
        work.first_s = clips[0].start_s
        relay.jobs[work.job] = Job(work.first_s)
        work.clips = _clip_packets(work.job, float(values["fps"][0]), clips)
        work.settings = [part for row in rows if row[0] == "set" for part in row[1:3]]
        work.settings += ["wav", "0"]  # the host has instruments of its own
        relay.work[work.job] = work
        _send_clips(relay, work, now_s)
        return
    work = Work(request_id, action, values["job"][0], int(values["take"][0]), quarters=quarters)
    job = relay.jobs.get(work.job)
    if job is None or not job.midi:
        relay.fail(request_id, "The bridge does not know this score (any more); score the film again.")
    elif work.job in relay.work:
        relay.fail(request_id, "This score is being worked on already; wait until that is done, or cancel it.")
    elif action == "take":
        work.first_s = job.first_s + float(values["shift"][0])
        _ask_take(relay, work, job)
    elif action == "regenerate":
        work.takes = [TakeNotes.of(row, job.first_s, quarters) for row in rows if row[0] == "notes"]
        work.names = frozenset(row[1] for row in rows if row[0] == "instrument")
        first_s, last_s = (float(second) - job.first_s for second in values["span"])
        _ask_regenerate(relay, work, job, first_s, last_s)
    else:
        raise ValueError(f"no action '{action}'")


def _clip_packets(job: str, fps: float, clips: list[TimelineClip]) -> list[bytes]:
    packets = [codec.encode("/hitpoint/clips/begin", job, fps, len(clips))]
    for index, clip in enumerate(clips):
        numbers = (clip.start_s, clip.in_s, clip.out_s, clip.rate, clip.fade_s)
        packets.append(codec.encode("/hitpoint/clip", job, index, clip.path, *numbers))
    return [*packets, codec.encode("/hitpoint/clips/end", job, len(clips))]


def _send_clips(relay: Relay, work: Work, now_s: float) -> None:
    work.tries += 1
    work.taken = False
    work.sent_s = now_s
    for packet in work.clips:
        relay.send(packet)


def _ask_take(relay: Relay, work: Work, job: Job) -> None:
    relay.send(codec.encode("/hitpoint/take", work.job, work.take))
    job.take = work.take
    if work.take in job.midi:
        _deliver(relay, work, job.midi[work.take])
    else:
        relay.work[work.job] = work


def _ask_regenerate(relay: Relay, work: Work, job: Job, first_s: float, last_s: float) -> None:
    """first_s, last_s: seconds from the score's first bar line."""
    if work.take not in job.midi:
        work.take = job.take if job.take in job.midi else max(job.midi)  # a take that was never finished
    bars = file_answers.bars_touched(file_answers.read_score(job.midi[work.take]), first_s, last_s)
    if bars is None:
        relay.fail(work.id, "The selection lies outside the score; select some of its bars.")
        return
    work.bars = bars
    if job.take != work.take:
        relay.send(codec.encode("/hitpoint/take", work.job, work.take))
        job.take = work.take
        _remember(relay)
    relay.work[work.job] = work
    names = sorted(name.lower() for name in work.names)
    relay.send(codec.encode("/hitpoint/regenerate", work.job, *bars, *names))


def _again(relay: Relay, now_s: float) -> None:
    """Send lists of clips again that nobody has confirmed."""
    for work in list(relay.work.values()):
        if not work.taken and now_s - work.sent_s > ANSWER_WITHIN_S:
            if work.tries < TRIES:
                relay.hello_s = -1e9
                _send_clips(relay, work, now_s)
            else:
                del relay.work[work.job]
                relay.fail(work.id, "The bridge does not answer; stop it, and run the action again to restart it.")


def _hear(relay: Relay) -> None:
    """Act on everything the bridge has said."""
    while True:
        try:
            packet = relay.socket.recv(codec.MAX_PACKET_BYTES + 1)
        except OSError:  # nothing there; or, on some systems, the report that nobody listens
            return
        try:
            messages = codec.decode(packet)
        except codec.OscError:
            continue
        for message in messages:
            if _is_whole(message):
                _heed(relay, message)


def _is_whole(message: codec.OscMessage) -> bool:
    """Whether the message is one of the bridge's, with all that belongs to it."""
    row = protocol.OUTGOING.get(message.address)
    if row is None or len(message.arguments) < len(row.arguments):
        return False
    texts = (isinstance(value, str) for value in message.arguments)
    return all(text == (argument.kind == "s") for argument, text in zip(row.arguments, texts, strict=False))


def _heed(relay: Relay, message: codec.OscMessage) -> None:
    name, values = message.address.removeprefix("/hitpoint/"), message.arguments
    if name == "progress":
        work = relay.work.get(str(values[0]))
        if work is not None:
            _note_progress(relay, work, str(values[1]), float(values[2] or 0.0))
    elif name == "result":
        job = relay.jobs.get(str(values[0]))
        work = relay.work.get(str(values[0]))
        if job is not None and values[1]:
            take = int(values[4] or 0)
            job.midi[take] = Path(str(values[1]))
            _remember(relay)
            if work is not None and take == work.take:
                del relay.work[work.job]
                job.take = take
                _deliver(relay, work, job.midi[take])
    elif name == "challenge":
        relay.send(codec.encode("/hitpoint/prove", str(values[0])))
    elif name == "error":
        _note_error(relay, str(values[0]), str(values[1]), str(values[2]))


def _note_progress(relay: Relay, work: Work, stage: str, share: float) -> None:
    if stage == "clips":
        if not work.taken and share >= 1.0:
            work.taken = True
            relay.send(codec.encode("/hitpoint/score", work.job, *work.settings))
        return
    with contextlib.suppress(PermissionError):  # Windows, while the script reads the old one
        file_rows.write(relay.path(f"progress-{work.id}"), "progress", [(stage, share)])


def _note_error(relay: Relay, code: str, text: str, job: str) -> None:
    work = relay.work.get(job)
    if work is None and not job and code in ("arguments", "protocol", "token") and relay.work:
        work = list(relay.work.values())[-1]  # errors of the latest request that could not be read name no job
    if work is None or code in ("underrun", "composer"):
        return  # a composer that died is started again and goes on with the job
    if code == "job" and work.action == "score" and work.tries < TRIES:
        work.taken, work.sent_s = False, -1e9  # the bridge was started again in between: the list is sent once more
        return
    if code == "clips-missing" and not work.taken:
        for index in text.split():
            relay.send(work.clips[int(index) + 1])
        relay.send(work.clips[-1])
        return
    del relay.work[work.job]
    relay.path(f"progress-{work.id}").unlink(missing_ok=True)
    relay.fail(work.id, text)


def _deliver(relay: Relay, work: Work, midi: Path) -> None:
    """Turn a finished file into the answer to `work`."""
    try:
        score = file_answers.read_score(midi)
        if work.action == "regenerate":
            rows = [file_answers.part_row(score, take, work.bars) for take in work.takes]
        else:
            rows = file_answers.score_rows(score, Placing(work.first_s, work.quarters), work.take)
            rows += [("note", _sentence(f"it was scored as black: {text}")) for text in work.passed_over]
    except (OSError, ValueError) as error:
        relay.fail(work.id, f"The finished file {midi} cannot be read ({error}); run the action again.")
    else:
        relay.answer(work.id, rows)


def _sentence(text: str) -> str:
    """With a capital, unless a name begins it, and a full stop, as a message box wants it."""
    text = text.strip() or "something went wrong; see the bridge's own window"
    if text.split()[0].isalpha():
        text = text[0].upper() + text[1:]
    return text + ("" if text[-1] in ".!?" else ".")
