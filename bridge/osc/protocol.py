"""The OSC table: every message the bridge reads and sends, with types, units, ranges and one line of help.

Threads and processes: no state, callable from any; standard library only.
The README's table (`python -m hitpoint.bridge.osc.protocol` prints it), the check of what comes in and the encoding
of what goes out all come from MESSAGES.

How a client works with the bridge (UDP, 127.0.0.1:7710; every answer goes to the port the question came from):
1. `/hitpoint/hello`: answered by `/hitpoint/welcome`, or by `/hitpoint/error protocol ...`. From then on the client
   hears `/hitpoint/state`, `/hitpoint/beat`, `/hitpoint/late` and, for its own jobs, everything else. A client is
   forgotten 60 s after its last message (setting client_silence_s); `/hitpoint/ping` keeps it known. Without a hello
   a client is answered, but not kept informed.
2. `/hitpoint/clips/begin`, one `/hitpoint/clip` for each clip of the edit (any order, twice does no harm),
   `/hitpoint/clips/end`: answered by `/hitpoint/progress JOB clips 1.0`, or, where packets were lost, by
   `/hitpoint/error clips-missing "2 5 7" JOB` (the missing indexes, at most 100 of them): send those again and then
   `/hitpoint/clips/end` again. clips/begin with the same job starts its list anew.
3. `/hitpoint/score JOB key value ...`: `/hitpoint/progress` for each stage (analyse, plan, compose, write; 0..1),
   `/hitpoint/marker` for each hit point as soon as the plan stands, `/hitpoint/bar` for each bar as it is composed,
   at last one `/hitpoint/result` a take. One job at a time is composed; others wait their turn (a word a minute
   says that they do). Too many at once are refused by error `busy`. The latest job with a plan is the one that the
   transport plays.
4. A job belongs to the client that began it, as long as that is heard of: others are refused by error `owner`, unless
   it hands the job over (`/hitpoint/hand`) or leaves (`/hitpoint/bye`, or 20 s of silence).
5. From another machine, a client must say the word back that `/hitpoint/challenge` brings it (`/hitpoint/prove`): until
   then it is told no more bytes than it sends. Clients on the bridge's own machine need not.
All seconds on the wire are seconds of the client's own timeline (the first clip begins at its timeline_start).
Paths are absolute, UTF-8. A job's name is the client's choice: 1..64 letters, digits, ".", "_", "-".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hitpoint.bridge.osc import codec

PROTOCOL = 1
DEFAULT_PORT = 7710
MAX_TEXT = 4096
JOB_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")

TextOrNumber = str | int | float


class ProtocolError(ValueError):
    """A message breaks the table. `code` is the error code sent back, the text says what and where."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Argument:
    """One argument. kind: "s" text, "i" whole number, "f"/"d" number (32/64 bits on the wire), "*" text or number.

    low, high: the accepted range of a number, ends included. unit: for the reader of the table.
    """

    name: str
    kind: str
    unit: str = ""
    low: float = -1e9
    high: float = 1e9
    optional: bool = False


@dataclass(frozen=True)
class MessageType:
    """One row of the table. rest: what any number of further arguments are, or None where there are none."""

    address: str
    arguments: tuple[Argument, ...]
    help: str
    to_bridge: bool = True
    rest: Argument | None = None

    def signature(self) -> str:
        """The row's left column: `/hitpoint/loop d:start d:end`."""
        parts = [self.address]
        for argument in self.arguments:
            text = f"{argument.kind}:{argument.name}"
            parts.append(f"[{text}]" if argument.optional else text)
        if self.rest is not None:
            parts.append(f"[{self.rest.kind}:{self.rest.name} …]")
        return " ".join(parts)


@dataclass(frozen=True)
class Request:
    """A checked message: `values` by argument name (an absent optional one is not in it), `rest` the further ones.

    released: it is a button that was let go of, so that nothing is to be done.
    """

    type: MessageType
    values: dict[str, TextOrNumber]
    rest: tuple[TextOrNumber, ...] = ()
    released: bool = False

    @property
    def address(self) -> str:
        """The message's address."""
        return self.type.address

    def number(self, name: str, default: float = 0.0) -> float:
        """The number called `name`, or `default` where it was left out."""
        value = self.values.get(name, default)
        assert not isinstance(value, str)
        return float(value)

    def whole(self, name: str, default: int = 0) -> int:
        """The whole number called `name`, or `default` where it was left out."""
        return int(self.number(name, default))

    def text(self, name: str, default: str = "") -> str:
        """The text called `name`, or `default` where it was left out."""
        value = self.values.get(name, default)
        assert isinstance(value, str)
        return value


_JOB = Argument("job", "s")
_SECONDS = Argument("seconds", "d", "s", -1e6, 1e6)
_INSTRUMENT = Argument("instrument", "s")


def _seconds(name: str) -> Argument:
    return Argument(name, "d", "s", -1e6, 1e6)


def _optional(name: str, kind: str, unit: str = "", low: float = -1e9, high: float = 1e9) -> Argument:
    return Argument(name, kind, unit, low, high, optional=True)


def _in(address: str, help_line: str, *arguments: Argument, rest: Argument | None = None) -> MessageType:
    return MessageType(f"/hitpoint/{address}", arguments, help_line, True, rest)


def _out(address: str, help_line: str, *arguments: Argument, rest: Argument | None = None) -> MessageType:
    return MessageType(f"/hitpoint/{address}", arguments, help_line, False, rest)


MESSAGES: tuple[MessageType, ...] = (
    _in(
        "hello",
        "A client says who it is; answered by welcome. The token is needed where the bridge listens beyond loopback.",
        Argument("client", "s"),
        Argument("version", "s"),
        Argument("protocol", "i", "", 0, 1e6),
        _optional("token", "s"),
    ),
    _in("bye", "The client leaves; the music goes on."),
    _in("capabilities", "What can be asked for; answered by one capabilities message a kind."),
    _in("prove", "A client on another machine says back what challenge brought it.", Argument("word", "s")),
    _in(
        "hand",
        "The owner of a job hands it to the client of this name: answers go there from now on.",
        _JOB,
        Argument("client", "s"),
    ),
    _in(
        "time",
        "The playhead, 10–100 a second. playing: 0 or 1, guessed from the movement where left out; rate: 1 = normal, "
        "negative = backwards; host_clock: the sender's own steady clock, takes the network's jitter out.",
        _SECONDS,
        _optional("playing", "i", "", 0, 1),
        _optional("rate", "d", "×", -64, 64),
        _optional("host_clock", "d", "s", -1e12, 1e12),
    ),
    _in("play", "Play from where the playhead is."),
    _in("stop", "Stop; every note ends at once."),
    _in("locate", "Move the playhead.", _SECONDS),
    _in("loop", "Loop from start to end; end ≤ start switches the loop off.", _seconds("start"), _seconds("end")),
    _in("rate", "Playing speed: 1 = normal; 0 and backwards are silent.", Argument("rate", "d", "×", -64, 64)),
    _in(
        "clips/begin",
        "The edit's list of clips begins; fps is the timeline's.",
        _JOB,
        Argument("fps", "d", "1/s", 1, 1000),
        Argument("count", "i", "", 1, 10000),
    ),
    _in(
        "clip",
        "One clip of the edit. in, out: seconds of the file's own time (out −1 = the file's end); rate: its speed; "
        "fade: length of the mix from the clip before, in whose middle it begins.",
        _JOB,
        Argument("index", "i", "", 0, 9999),
        Argument("path", "s"),
        _seconds("timeline_start"),
        Argument("in", "d", "s", 0, 1e6),
        Argument("out", "d", "s", -1, 1e6),
        _optional("rate", "d", "×", 0.01, 100),
        _optional("fade", "d", "s", 0, 3600),
    ),
    _in(
        "clips/end",
        "The list is complete; lost packets are answered by error clips-missing.",
        _JOB,
        Argument("count", "i", "", 1, 10000),
    ),
    _in(
        "score",
        "Analyse, plan and compose. Pairs: genre, instruments (a,b), tempo (auto, BPM or LO-HI), control, seed, takes, "
        "density, energy, accents, deviation, composer, cuts (auto, strips = only the clips' own "
        "boundaries, fine = those that hitpoint[fine] finds), wav (0 or 1).",
        _JOB,
        rest=Argument("key value", "*"),
    ),
    _in("cancel", "Stop working on a job; what is finished stays.", _JOB),
    _in(
        "regenerate",
        "New notes in these bars (of these instruments, else of all), the rest untouched note for note.",
        _JOB,
        Argument("first_bar", "i", "", 0, 1e6),
        Argument("last_bar", "i", "", 0, 1e6),
        rest=_INSTRUMENT,
    ),
    _in(
        "take",
        "Hear take i (from 0) from the next bar on; one not yet there is composed.",
        _JOB,
        Argument("take", "i", "", 0, 99),
    ),
    _in(
        "mute",
        "Silence an instrument (1) or bring it back (0) from the next bar on.",
        _INSTRUMENT,
        Argument("on", "i", "", 0, 1),
    ),
    _in("volume", "An instrument's volume, at once.", _INSTRUMENT, Argument("level", "f", "", 0, 1)),
    _in(
        "control/control",
        "C: how binding density and hit points are, from the next bar not yet sounding on.",
        Argument("value", "f", "", 0, 1),
    ),
    _in(
        "control/density",
        "Added to each bar's density, from the next bar not yet sounding on.",
        Argument("value", "f", "ticks", -8, 8),
    ),
    _in(
        "control/energy",
        "Added to each bar's energy, from the next bar not yet sounding on.",
        Argument("value", "f", "", -0.5, 0.5),
    ),
    _in(
        "control/accents",
        "How far hits stand out (0 = bare notes), from the next bar not yet sounding on.",
        Argument("value", "f", "", 0, 2),
    ),
    _in("panic", "All notes off on every channel, now."),
    _in("ping", "Answered by pong with the same number.", Argument("number", "i", "", -(2**31), 2**31 - 1)),
    _out(
        "welcome",
        "Answer to hello.",
        Argument("version", "s"),
        Argument("protocol", "i"),
        Argument("midi_port", "s"),
        Argument("state", "s"),
    ),
    _out("challenge", "To a client on another machine: say this word back by prove.", Argument("word", "s")),
    _out(
        "capabilities",
        "The names of one kind: genres, instruments, composers, keys (of score), controls (live).",
        Argument("kind", "s"),
        rest=Argument("name", "s"),
    ),
    _out(
        "progress",
        "How far a stage (clips, analyse, plan, compose, write) has come.",
        _JOB,
        Argument("stage", "s"),
        Argument("share", "f", "", 0, 1),
    ),
    _out(
        "marker",
        "A hit point of the plan; kind: cut, fade or beat.",
        _JOB,
        _SECONDS,
        Argument("kind", "s"),
        Argument("saliency", "f", "", 0, 1),
    ),
    _out("bar", "A bar is composed.", _JOB, Argument("index", "i"), _seconds("start"), _seconds("end")),
    _out(
        "result",
        "A take is finished: paths of its files (wav is empty where none was asked for).",
        _JOB,
        Argument("midi", "s"),
        Argument("wav", "s"),
        Argument("report", "s"),
        Argument("take", "i"),
    ),
    _out("beat", "A beat sounds now.", Argument("bar", "i"), Argument("beat", "i"), _SECONDS),
    _out(
        "state",
        "On every change and once a second. state: idle, working, ready, playing, waiting (no bar there yet), fallback "
        "(a known bar stands in for one not yet composed), failed (the composing process does not start; a score asked "
        "for tries again).",
        Argument("state", "s"),
        _JOB,
        Argument("take", "i"),
        _SECONDS,
        Argument("bar", "i"),
        Argument("bars_ready", "i"),
        Argument("bars", "i"),
        Argument("underruns", "i"),
        Argument("midi_port", "s"),
    ),
    _out(
        "late",
        "Lateness of the MIDI sent, over the last 1,000 events, once a second while playing.",
        Argument("p50", "d", "ms"),
        Argument("p99", "d", "ms"),
    ),
    _out(
        "error",
        "Something went wrong; the text says what, and what to do; job is empty where none is meant.",
        Argument("code", "s"),
        Argument("text", "s"),
        Argument("job", "s"),
    ),
    _out("pong", "Answer to ping.", Argument("number", "i")),
)

INCOMING = {row.address: row for row in MESSAGES if row.to_bridge}
OUTGOING = {row.address: row for row in MESSAGES if not row.to_bridge}

ERROR_CODES = {
    "malformed": "not an OSC packet",
    "address": "no such message",
    "arguments": "too few or too many arguments, a wrong type, or a value out of its range",
    "protocol": "the client speaks another protocol number",
    "token": "hello with the shared token must come first",
    "clips-missing": "packets of the clip list were lost; the text lists their indexes",
    "job": "no such job, or its clips are not complete",
    "path": "a path outside the folders that the bridge may read",
    "input": "a file is at fault",
    "usage": "the request itself is off",
    "missing": "this machine lacks something",
    "disk": "the scores' folder cannot be written; the music goes on, and is written when there is room",
    "owner": "the job belongs to another client",
    "busy": "too much is waiting already",
    "composer": "the composing process failed; it is started again and goes on",
    "given-up": "the composing process failed time after time; the job is given up",
    "port": "the MIDI port went away or came back",
    "underrun": "a bar was not ready in time",
}


def check(message: codec.OscMessage) -> Request:
    """The message as a Request, every value checked against the table and turned into its type.

    Numbers are accepted as i, h, f, d, T/F or numeric s. Raises ProtocolError ("address" or "arguments").
    """
    row = INCOMING.get(message.address)
    if row is None:
        raise ProtocolError("address", f"no message {message.address}: see the OSC table in the README")
    if message.untagged:
        message = codec.OscMessage(message.address, _untagged(row, message.untagged))
    required = sum(not argument.optional for argument in row.arguments)
    given = len(message.arguments)
    if given == 1 and not row.arguments and row.rest is None:
        return Request(row, {}, released=_is_release(message.arguments[0]))
    if given < required or (row.rest is None and given > len(row.arguments)):
        raise ProtocolError("arguments", f"{given} arguments, but the form is {row.signature()}")
    values = {
        argument.name: _convert(row, argument, value)
        for argument, value in zip(row.arguments, message.arguments, strict=False)
    }
    rest: tuple[TextOrNumber, ...] = ()
    if row.rest is not None:
        rest = tuple(_convert(row, row.rest, value) for value in message.arguments[len(row.arguments) :])
    _check_job(row, values)
    return Request(row, values, rest)


def _is_release(value: codec.Value) -> bool:
    """Whether a button says that it was let go of: touch surfaces send 1 when it is pressed and 0 afterwards."""
    return value is not None and _number(value) == 0


def _untagged(row: MessageType, data: bytes) -> tuple[codec.Value, ...]:
    """The arguments of a message whose sender left the type tags out, as the row has them: 32-bit numbers, and texts.

    Raises ProtocolError where they do not fit.
    """
    values: list[codec.Value] = []
    position = 0
    try:
        for argument in row.arguments or (Argument("value", "f", optional=True),):
            if position == len(data):
                break
            tag = {"d": "f", "*": "s"}.get(argument.kind, argument.kind)
            value, position = codec.decode_argument(tag, data, position)
            values.append(value)
    except codec.OscError as error:
        raise ProtocolError("arguments", f"{row.address} without type tags: {error}") from error
    if position != len(data):
        raise ProtocolError("arguments", f"{row.address} without type tags: the form is {row.signature()}")
    return tuple(values)


def _check_job(row: MessageType, values: dict[str, TextOrNumber]) -> None:
    job = values.get("job")
    if isinstance(job, str) and not JOB_NAME.fullmatch(job):
        raise ProtocolError("arguments", f"{row.address}: a job's name has 1 to 64 letters, digits, '.', '_' or '-'")


def _convert(row: MessageType, argument: Argument, value: codec.Value) -> TextOrNumber:
    if argument.kind == "s" or (argument.kind == "*" and isinstance(value, str)):
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            raise ProtocolError(
                "arguments", f"{row.address}: {argument.name} must be a text of at most {MAX_TEXT} letters"
            )
        return value
    number = _number(value)
    if number is None:
        raise ProtocolError("arguments", f"{row.address}: {argument.name} must be a number")
    if not argument.low <= number <= argument.high:
        text = f"{row.address}: {argument.name} must lie in {argument.low:g}..{argument.high:g}, not {number:g}"
        raise ProtocolError("arguments", text)
    if argument.kind == "i":
        if number != int(number):
            raise ProtocolError("arguments", f"{row.address}: {argument.name} must be a whole number, not {number:g}")
        return int(number)
    return number


def _number(value: codec.Value) -> float | int | None:
    """The value as a finite number; None where it is none. Texts of more than 40 letters are no numbers."""
    if isinstance(value, str):
        if len(value) > 40 or "_" in value:
            return None
        try:
            value = float(value)
        except ValueError:
            return None
    if value is None or isinstance(value, bytes) or abs(value) > 1e15 or value != value:
        return None
    return int(value) if isinstance(value, bool) else value


def encode(address: str, *arguments: TextOrNumber) -> bytes:
    """A message of the bridge as bytes, typed by the table. Raises OscError where the values do not fit the row."""
    row = OUTGOING[address]
    tags = "".join(argument.kind for argument in row.arguments)
    if row.rest is not None:
        tags += row.rest.kind * (len(arguments) - len(tags))
    return codec.encode_typed(address, tags, arguments)


def markdown() -> str:
    """The table as Markdown, for the README."""
    lines: list[str] = []
    for title, to_bridge in (("to the bridge", True), ("from the bridge", False)):
        lines += [f"| {title} | meaning |", "|---|---|"]
        lines += [f"| `{row.signature()}` | {row.help} |" for row in MESSAGES if row.to_bridge == to_bridge]
        lines.append("")
    lines += ["| error code | meaning |", "|---|---|"]
    lines += [f"| `{code}` | {meaning} |" for code, meaning in ERROR_CODES.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
