"""Aliases: how other programs' OSC messages drive the transport without any plugin.

Threads and processes: one owner (the clock process); pure.
A rule is a mapping: `from` (their address), `to` (ours), `args` (a list: "$1" is their first argument, "$1*0.001" the
same times a factor, anything else stands for itself) and, if only some values count, `when` (position -> value; or
"positive" / "zero"). A preset is a list of rules by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hitpoint.bridge.errors import InputError
from hitpoint.bridge.osc import codec, protocol

_PRESSED, _LET_GO = {1: "positive"}, {1: "zero"}
_FADERS = ("drums", "piano", "guitar", "bass", "strings")


def _button(source: str, target: str, when: dict[int, Any] = _PRESSED) -> dict[str, Any]:
    return {"from": source, "to": f"/hitpoint/{target}", "when": when}


def _switch(source: str) -> tuple[dict[str, Any], ...]:
    """Plays where it is on, and stops where it is off."""
    return _button(source, "play"), _button(source, "stop", _LET_GO)


def _surface(button: str, fader: str, toggle: str) -> tuple[dict[str, Any], ...]:
    """Three buttons, six faders and five toggles of a touch surface, by their names without the number."""
    names = enumerate(_FADERS, 1)
    return (
        _button(f"{button}1", "play"),
        _button(f"{button}2", "stop"),
        _button(f"{button}3", "panic"),
        *(
            rule
            for number, name in names
            for rule in (
                {"from": f"{fader}{number}", "to": "/hitpoint/volume", "args": [name, "$1"]},
                {"from": f"{toggle}{number}", "to": "/hitpoint/mute", "args": [name, "$1"]},
            )
        ),
        {"from": f"{fader}6", "to": "/hitpoint/control/control", "args": ["$1"]},
    )


PRESETS: dict[str, tuple[dict[str, Any], ...]] = {
    "reaper": (
        {"from": "/time", "to": "/hitpoint/time", "args": ["$1"]},
        _button("/play", "play"),
        _button("/stop", "stop"),
        _button("/pause", "stop"),
    ),
    "ardour": (
        {"from": "/position/time", "to": "/hitpoint/time", "args": ["$1"]},
        _button("/transport_play", "play"),
        _button("/transport_stop", "stop"),
    ),
    "qlab": (
        {"from": "/cue/play", "to": "/hitpoint/play"},
        {"from": "/cue/stop", "to": "/hitpoint/stop"},
        {"from": "/cue/locate", "to": "/hitpoint/locate", "args": ["$1"]},
    ),
    "touchosc": (*_surface("/1/push", "/1/fader", "/1/toggle"), *_surface("/button", "/fader", "/toggle")),
    "resolume": (
        _button("/composition/layers/1/clips/1/connected", "play", {1: 3}),
        _button("/composition/layers/1/clips/1/connected", "stop", {1: 1}),
        _button("/composition/tempocontroller/resync", "locate") | {"args": [0.0]},
        {"from": "/composition/layers/1/master", "to": "/hitpoint/control/control", "args": ["$1"]},
    ),
    "touchdesigner": (
        {"from": "/td/seconds", "to": "/hitpoint/time", "args": ["$1"]},
        *_switch("/td/play"),
        {"from": "/td/locate", "to": "/hitpoint/locate", "args": ["$1"]},
    ),
    "max": (
        *_switch("/max/transport"),
        {"from": "/max/position", "to": "/hitpoint/time", "args": ["$1*0.001"]},
        {"from": "/max/locate", "to": "/hitpoint/locate", "args": ["$1*0.001"]},
    ),
}
"""Rules by the name of the host; docs/osc-hosts.md shows each at work."""

_TEMPLATE = re.compile(r"\$([1-9])(?:([*/])([0-9.]+))?")


@dataclass(frozen=True)
class Rule:
    """One alias. arguments: constants, or (position, factor) for one of theirs. when: position -> wanted value."""

    source: str
    target: str
    arguments: tuple[codec.Value | tuple[int, float], ...]
    when: tuple[tuple[int, object], ...]

    def apply(self, message: codec.OscMessage) -> codec.OscMessage | None:
        """Our message for theirs; None where the rule does not fit."""
        given = message.arguments
        for position, wanted in self.when:
            if position > len(given) or not _fits(given[position - 1], wanted):
                return None
        arguments: list[codec.Value] = []
        for template in self.arguments:
            if not isinstance(template, tuple):
                arguments.append(template)
                continue
            position, factor = template
            if position > len(given):
                return None
            arguments.append(_scaled(given[position - 1], factor))
        return codec.OscMessage(self.target, tuple(arguments))


def _fits(value: codec.Value, wanted: object) -> bool:
    if wanted in ("positive", "zero"):
        number = _number(value)
        return number is not None and (number > 0) == (wanted == "positive")
    return value == wanted


def _scaled(value: codec.Value, factor: float) -> codec.Value:
    number = _number(value)
    is_clock = isinstance(value, str) and ":" in value
    return value if number is None or (factor == 1.0 and not is_clock) else number * factor


def _number(value: codec.Value) -> float | None:
    """A number, or the one that a text says: seconds where it reads h:m:s."""
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str) or value.count(":") > 2:
        return None
    try:
        seconds = 0.0
        for part in value.removeprefix("-").split(":"):
            seconds = 60.0 * seconds + float(part)
    except ValueError:
        return None
    return -seconds if value.startswith("-") else seconds


class Aliases:
    """The rules of a configuration, by their address. Raises InputError where a rule is wrong."""

    def __init__(self, rules: Sequence[Any] = ()) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for item in rules:
            if isinstance(item, str):
                if item not in PRESETS:
                    raise InputError(f"aliases: no preset {item!r}; there are {', '.join(PRESETS)}")
                for preset in PRESETS[item]:
                    self._add(_parse(preset))
            else:
                self._add(_parse(item))

    def _add(self, rule: Rule) -> None:
        self._rules.setdefault(rule.source, []).append(rule)

    def translate(self, message: codec.OscMessage) -> list[codec.OscMessage]:
        """Our messages for this one. What else a host of the aliases says, and where none of the rules fits, is []."""
        rules = self._rules.get(message.address)
        if rules is None:
            return [message] if not self._rules or message.address.startswith("/hitpoint/") else []
        if message.untagged and len(message.untagged) % 4 == 0:  # hosts that leave the types out send floats
            message = codec.OscMessage(message.address, _floats(message.untagged))
        return [own for own in (rule.apply(message) for rule in rules) if own is not None]


def _floats(data: bytes) -> tuple[codec.Value, ...]:
    values = (codec.decode_argument("f", data, position)[0] for position in range(0, len(data), 4))
    try:
        return tuple(values)
    except codec.OscError:
        return ()


def _parse(item: object) -> Rule:
    if not isinstance(item, Mapping) or not {"from", "to"} <= set(item) <= {"from", "to", "args", "when"}:
        raise InputError(f"aliases: a rule has the keys from, to, args and when, not {item!r}")
    source, target = str(item["from"]), str(item["to"])
    if target not in protocol.INCOMING:
        raise InputError(f"aliases: {target!r} is not one of the bridge's messages")
    try:
        codec.check_address(source)
        when = tuple((int(position), wanted) for position, wanted in dict(item.get("when") or {}).items())
    except (codec.OscError, ValueError, TypeError) as error:
        raise InputError(f"aliases: {source!r}: {error}") from error
    return Rule(source, target, tuple(_template(value) for value in item.get("args") or ()), when)


def _template(value: object) -> codec.Value | tuple[int, float]:
    if isinstance(value, str):
        match = _TEMPLATE.fullmatch(value)
        if match is None:
            return value
        position, sign, number = int(match[1]), match[2], float(match[3] or 1)
        return position, 1.0 / number if sign == "/" else number
    if isinstance(value, int | float | bool) or value is None:
        return value
    raise InputError(f"aliases: {value!r} cannot be an argument")
