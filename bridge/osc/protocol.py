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
   `/hitpoint/clips/end` again. clips/begin with the same job starts its list again.
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
from collections.abc import Sequence
from dataclasses import dataclass

from hitpoint.bridge.osc import codec
from hitpoint.bridge.osc.table import ERROR_CODES, INCOMING, MESSAGES, OUTGOING, Argument, MessageType

__all__ = ["ERROR_CODES", "INCOMING", "MESSAGES", "OUTGOING"]

PROTOCOL = 2
"""2: requests and editions. Clients that speak OLDEST or more go on as they are; see `Argument.since`."""
OLDEST = 1
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
    named = _named(row, message.arguments)
    values = {
        argument.name: _convert(row, argument, value)
        for argument, value in zip(row.arguments, message.arguments[:named], strict=False)
    }
    rest: tuple[TextOrNumber, ...] = ()
    if row.rest is not None:
        rest = tuple(_convert(row, row.rest, value) for value in message.arguments[named:])
    _check_job(row, values)
    return Request(row, values, rest)


def _named(row: MessageType, arguments: Sequence[codec.Value]) -> int:
    """How many arguments come before the `rest`, which begins early where an optional number is a text instead."""
    for index, (argument, value) in enumerate(zip(row.arguments, arguments, strict=False)):
        if row.rest is not None and argument.optional and isinstance(value, str) and _number(value) is None:
            return index
    return len(row.arguments)


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
                "arguments", f"{row.address}: {argument.name} must be a text of at most {MAX_TEXT} characters"
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
    """The value as a finite number; None where it is not one. Texts of more than 40 characters are not numbers."""
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


def encode(address: str, *arguments: TextOrNumber, speaks: int = PROTOCOL) -> bytes:
    """A message of the bridge as bytes, typed by the table, for a client that speaks protocol `speaks`.

    Raises OscError where the values do not fit the row.
    """
    row = OUTGOING[address]
    known = [argument.kind for argument in row.arguments if argument.since <= speaks]
    required = sum(not argument.optional for argument in row.arguments)
    if row.rest is None:
        arguments = arguments[: len(known)]
    tags = "".join(known)[: max(required, len(arguments))]
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
