"""Requests from hosts without sockets (REAPER's Lua): files in a folder become the bridge's own OSC messages.

Threads and processes: `run` owns its socket and its folder and shares nothing; call it in a thread or process of its
own, beside the clock process, never in it. It waits at most POLL_S at a time and ends soon after `stop` is set.
`relay.py` holds what it knows, `replies.py` what comes back from the bridge.
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
import threading
import time
from pathlib import Path

from hitpoint.bridge.errors import InputError, MissingError
from hitpoint.bridge.hosts.reaper import answers as file_answers
from hitpoint.bridge.hosts.reaper import clips as file_clips
from hitpoint.bridge.hosts.reaper import rows as file_rows
from hitpoint.bridge.hosts.reaper.answers import TakeNotes
from hitpoint.bridge.hosts.reaper.clips import TimelineClip
from hitpoint.bridge.hosts.reaper.notes import QuarterNotes
from hitpoint.bridge.hosts.reaper.relay import Job, Relay, Work, recall, remember
from hitpoint.bridge.hosts.reaper.replies import deliver, hear, send_again, send_clips
from hitpoint.bridge.hosts.reaper.rows import RowsError
from hitpoint.bridge.osc import codec, protocol

POLL_S = 0.05
LIVE_POLL_S = 0.015
HEARTBEAT_S = 1.0
HELLO_S = 15.0
TAKES = 3
"""Composed in one go, so that the next one is there when it is asked for."""
MAX_WORK = 64
"""Requests under way at once; more are refused."""
REQUESTS_A_CYCLE = 16
STALE_REQUEST_S = 60.0
LITTER_S = 86_400.0


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
    recall(relay)
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
    send_again(relay, now_s)
    select.select([relay.socket], [], [], LIVE_POLL_S if relay.live.on else POLL_S)
    hear(relay)


def _sweep(relay: Relay) -> None:
    """Remove what earlier runs left behind: requests that nobody waits for, and old answers."""
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
        problem = "this is not a plain file"
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
        shown = file_clips.seen(rows, work.passed_over)
        clips = [clip for clip in shown if not clip.held]
        work.first_s, last_s = file_clips.span_of(rows, shown)
        relay.jobs[work.job] = Job(work.first_s)
        heard = file_clips.heard(rows, (work.first_s, last_s))[: file_clips.MOST_CLIPS - len(clips)]
        work.clips = _clip_packets(work.job, float(values["fps"][0]), clips, heard)
        work.settings = [part for row in rows if row[0] == "set" for part in row[1:3]]
        work.settings += ["wav", "0", "takes", str(TAKES)]  # the host has instruments of its own
        work.settings += ["from", f"{work.first_s:.9f}", "to", f"{last_s:.9f}", *file_clips.own_hits(rows, shown)]
        if "keep" in values:
            _keep(relay, work, rows, values)
        relay.work[work.job] = work
        send_clips(relay, work, now_s)
        return
    work = Work(request_id, action, values["job"][0], int(values["take"][0]), quarters=quarters)
    work.request = relay.next_request()
    job = relay.jobs.get(work.job)
    if job is None or not job.midi:
        relay.fail(request_id, "The bridge does not know this score, or no longer; score the film again.")
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


def _keep(relay: Relay, work: Work, rows: list[list[str]], values: dict[str, list[str]]) -> None:
    """The request is about a changed edit: what is left of the score of the one before stays, as the project has it."""
    name, quarters = values["keep"][0], work.quarters
    work.settings += ["keep", name]
    if "own_tempo" in values:
        work.quarters = None  # the tempo of the project was told for the sake of its takes
    job = relay.jobs.get(name)
    if job is None or "take" not in values:
        return
    work.take = int(values["take"][0])
    work.kept = job.midi.get(work.take)
    work.takes = [TakeNotes.of(row, job.first_s, quarters) for row in rows if row[0] == "notes"]
    if work.kept is not None and job.take != work.take:
        relay.send(codec.encode("/hitpoint/take", name, work.take))
        job.take = work.take
        remember(relay)


def _clip_packets(job: str, fps: float, clips: list[TimelineClip], heard: list[TimelineClip]) -> list[bytes]:
    count = len(clips) + len(heard)
    packets = [codec.encode("/hitpoint/clips/begin", job, fps, count)]
    for index, clip in enumerate([*clips, *heard]):
        numbers = (clip.start_s, clip.in_s, clip.out_s, clip.rate, clip.fade_s, *([1] if index >= len(clips) else []))
        packets.append(codec.encode("/hitpoint/clip", job, index, clip.path, *numbers))
    return [*packets, codec.encode("/hitpoint/clips/end", job, count)]


def _ask_take(relay: Relay, work: Work, job: Job) -> None:
    relay.send(codec.encode("/hitpoint/take", work.job, work.take, work.request))
    job.take = work.take
    if work.take in job.midi:
        deliver(relay, work, job.midi[work.take])
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
        remember(relay)
    relay.work[work.job] = work
    names = sorted(name.lower() for name in work.names)
    relay.send(codec.encode("/hitpoint/regenerate", work.job, *bars, work.request, -1, *names))
