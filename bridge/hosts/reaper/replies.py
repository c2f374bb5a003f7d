"""What the bridge says to REAPER's requests, and what becomes of it: progress and answers for the scripts.

Threads and processes: one owner, the thread of `requests.run`.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from hitpoint.bridge.hosts.reaper import answers as file_answers
from hitpoint.bridge.hosts.reaper import rework
from hitpoint.bridge.hosts.reaper import rows as file_rows
from hitpoint.bridge.hosts.reaper.answers import MidiScore, Placing
from hitpoint.bridge.hosts.reaper.relay import Relay, Work, remember, sentence_of
from hitpoint.bridge.hosts.reaper.rows import Field
from hitpoint.bridge.osc import codec, protocol

ANSWER_WITHIN_S = 2.0
"""The bridge takes the list of clips, or refuses it, within this; else the list is sent again."""
TRIES = 5


def send_clips(relay: Relay, work: Work, now_s: float) -> None:
    """Send the whole list of clips, for the first time or again."""
    work.tries += 1
    work.taken = False
    work.sent_s = now_s
    for packet in work.clips:
        relay.send(packet)


def send_again(relay: Relay, now_s: float) -> None:
    """Send lists of clips again that nobody has confirmed."""
    for work in list(relay.work.values()):
        if not work.taken and now_s - work.sent_s > ANSWER_WITHIN_S:
            if work.tries < TRIES:
                relay.hello_s = -1e9
                send_clips(relay, work, now_s)
            else:
                del relay.work[work.job]
                relay.fail(work.id, "The bridge does not answer; stop it, and run the action again to restart it.")


def hear(relay: Relay) -> None:
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
    if row is None or len(message.arguments) < sum(not argument.optional for argument in row.arguments):
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
            take, asked = int(values[4] or 0), int(values[5] or 0) if len(values) > 5 else None
            job.midi[take] = Path(str(values[1]))
            remember(relay)
            answers = work is not None and take == work.take and asked in (None, work.request)
            if work is not None and answers:
                work.report = Path(str(values[3]))
                del relay.work[work.job]
                job.take = take
                deliver(relay, work, job.midi[take])
    elif name == "challenge":
        relay.send(codec.encode("/hitpoint/prove", str(values[0])))
    elif name == "error":
        work = relay.work.get(str(values[2]))
        asked = int(values[3] or 0) if len(values) > 3 else 0
        if work is None or not asked or asked == work.request:
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


def _score_rows(work: Work, score: MidiScore) -> list[tuple[Field, ...]]:
    place = Placing(work.first_s, work.quarters)
    rows = file_answers.score_rows(score, place, work.take)
    if work.kept is None or not work.takes:
        return rows
    try:
        old = file_answers.read_score(work.kept)
    except (OSError, ValueError):
        return rows  # it cannot be told what has changed: all of it is new
    left_out = rework.missing(old, work.takes)
    rows = [row for row in rows if row[0] != "track" or row[1] not in left_out]
    return rows + rework.again_rows(old, score, work.takes, place)


def deliver(relay: Relay, work: Work, midi: Path) -> None:
    """Turn a finished file into the answer to `work`."""
    try:
        score = file_answers.read_score(midi)
        if work.action == "regenerate":
            rows = [file_answers.part_row(score, take, work.bars) for take in work.takes]
        else:
            rows = _score_rows(work, score)
            rows += [("note", sentence_of(f"it was scored as black: {text}")) for text in work.passed_over]
            rows += file_answers.missed_rows(work.report, work.first_s)
            rows += file_answers.duck_rows(work.report, work.first_s)
            rows += file_answers.suggestion_rows(work.report) if work.action == "score" else []
    except (OSError, ValueError) as error:
        relay.fail(work.id, f"The finished file {midi} cannot be read ({error}); run the action again.")
    else:
        relay.answer(work.id, rows)
