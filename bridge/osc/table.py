"""The rows of the OSC table: every message, with its arguments, and every error code.

Threads and processes: no state, callable from any; standard library only. What is done with them: `protocol`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Argument:
    """One argument. kind: "s" text, "i" whole number, "f"/"d" number (32/64 bits on the wire), "*" text or number.

    low, high: the accepted range of a number, ends included. unit: for the reader of the table. since: the protocol
    number that brought it; a client that speaks an older one is not sent it.
    """

    name: str
    kind: str
    unit: str = ""
    low: float = -1e9
    high: float = 1e9
    optional: bool = False
    since: int = 1


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


_JOB = Argument("job", "s")
_SECONDS = Argument("seconds", "d", "s", -1e6, 1e6)
_INSTRUMENT = Argument("instrument", "s")


def _seconds(name: str) -> Argument:
    return Argument(name, "d", "s", -1e6, 1e6)


def _optional(name: str, kind: str, unit: str = "", low: float = -1e9, high: float = 1e9, since: int = 1) -> Argument:
    return Argument(name, kind, unit, low, high, optional=True, since=since)


_REQUEST = _optional("request", "i", "", 0, 2**31 - 1, since=2)
_EDITION = _optional("edition", "i", "", -1, 2**31 - 1, since=2)


def _in(address: str, help_line: str, *arguments: Argument, rest: Argument | None = None) -> MessageType:
    return MessageType(f"/hitpoint/{address}", arguments, help_line, True, rest)


def _out(address: str, help_line: str, *arguments: Argument, rest: Argument | None = None) -> MessageType:
    return MessageType(f"/hitpoint/{address}", arguments, help_line, False, rest)


MESSAGES: tuple[MessageType, ...] = (
    _in(
        "hello",
        "A client says who it is; answered by welcome. The token is required where the bridge listens beyond loopback.",
        Argument("client", "s"),
        Argument("version", "s"),
        Argument("protocol", "i", "", 0, 1e6),
        _optional("token", "s"),
    ),
    _in("bye", "The client leaves; the music goes on."),
    _in("capabilities", "What can be asked for; answered by one capabilities message for each kind."),
    _in("prove", "A client on another machine repeats the word that challenge sent it.", Argument("word", "s")),
    _in(
        "hand",
        "The owner of a job hands it to the client of this name: answers go there from now on.",
        _JOB,
        Argument("client", "s"),
    ),
    _in(
        "time",
        "The playhead, 10–100 a second. playing: 0 or 1, inferred from the movement where left out; rate: 1 = normal, "
        "negative = backwards; host_clock: the sender's own steady clock, which removes the network's jitter.",
        _SECONDS,
        _optional("playing", "i", "", 0, 1),
        _optional("rate", "d", "×", -64, 64),
        _optional("host_clock", "d", "s", -1e12, 1e12),
    ),
    _in("play", "Play from where the playhead is."),
    _in("stop", "Stop; every note ends at once. Music without end ends with a cadence, at once when it is said twice."),
    _in("locate", "Move the playhead.", _SECONDS),
    _in(
        "loop",
        "Loop from start to end; an end at or before start switches the loop off.",
        _seconds("start"),
        _seconds("end"),
    ),
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
        "One clip of the edit. in, out: seconds of the file's own time (out −1 = the file's end); rate: its speed, "
        "below 0 from out back to in; fade: length of the cross fade from the clip before, in whose middle this one "
        "begins. heard: 1 for sound that lies beside the picture; where an edit has such clips, what is said in it is "
        "looked for in them, and no longer in the films' own sound.",
        _JOB,
        Argument("index", "i", "", 0, 9999),
        Argument("path", "s"),
        _seconds("timeline_start"),
        Argument("in", "d", "s", 0, 1e6),
        Argument("out", "d", "s", -1, 1e6),
        _optional("rate", "d", "×", -100, 100),
        _optional("fade", "d", "s", 0, 3600),
        _optional("heard", "i", "", 0, 1),
    ),
    _in(
        "clips/end",
        "The list is complete; lost packets are answered by the error clips-missing.",
        _JOB,
        Argument("count", "i", "", 1, 10000),
    ),
    _in(
        "score",
        "Analyse, plan and compose. Pairs: genre, instruments (a,b), tempo (auto, BPM or LO-HI), control, seed, takes, "
        "cut-control, density, energy, accents, humanise, swing, dynamics, meter, odd-bars, mood, valence, "
        "arousal, tension, describe, key, harmony (auto, off, bound or a file), harmony-strength, lead, "
        "motif (a MIDI file), deviation, composer, "
        "library (a folder of music for it), select (how it chooses), "
        "cuts (auto, strips = only the clips' own boundaries, fine = those that hitpoint[fine] finds), wav (0 or 1), "
        "stems (0 or 1: one WAV per instrument), formats (further files beside the MIDI, as "
        "--format names them), from and to (seconds of the timeline: the range to score, black "
        "beyond the clips included), keep (the job of an "
        "earlier cut of this edit: its music stays where the picture has not changed), hits and unhits (moments to "
        "hit, and cuts not to hit: seconds of the timeline, separated by commas; 12.5! is to be hit above all), "
        "mood-line (valence and tension drawn over the timeline: 12.5:-0.4:0.8, ...).",
        _JOB,
        rest=Argument("key value", "*"),
    ),
    _in(
        "live",
        "Music without end that follows `feature`, until `stop`. Pairs: as for score, without those of a film with an "
        "end (hits, unhits, mood-line, from, to, keep, takes, wav, stems, formats, cuts, deviation). Its bars and "
        "chords bear the job `live`; in `state`, its bars are 0.",
        rest=Argument("key value", "*"),
    ),
    _in(
        "feature",
        "What is seen now: motion, energy (0..1: density and loudness), valence (-1..1: major or minor), or cut (an "
        "event of this size, 0..1, 0 = none: an accent on the next beat). Beyond its range a value is taken for the "
        "range's end; one that is told no more stays.",
        Argument("name", "s"),
        Argument("value", "f"),
    ),
    _in(
        "suggest",
        "Suggest a genre and a mood for the job's clips, from the picture, their names and the user's words; answered "
        "by suggestion.",
        _JOB,
        _optional("describe", "s"),
    ),
    _in(
        "cut",
        "Cut the job's clips to music (a MIDI file, or a sound where hitpoint[audio] is installed); fps is that of "
        "clips/begin; answered by edit.",
        _JOB,
        Argument("music", "s"),
    ),
    _in("cancel", "Stop working on a job; what is finished stays.", _JOB),
    _in(
        "regenerate",
        "New notes in these bars (of these instruments, else of all), the rest untouched note for note. request: a "
        "number of the client's own, which the answer brings back; edition: the one, of an earlier result, whose notes "
        "are to be changed (-1 or left out: the latest).",
        _JOB,
        Argument("first_bar", "i", "", 0, 1e6),
        Argument("last_bar", "i", "", 0, 1e6),
        _REQUEST,
        _EDITION,
        rest=_INSTRUMENT,
    ),
    _in(
        "chord/set",
        "A chord of your own (Am7, F#m7b5, N for none) for half 0 or 1 of a bar; regenerate then composes it.",
        _JOB,
        Argument("bar", "i", "", 0, 1e6),
        Argument("half", "i", "", 0, 1),
        Argument("symbol", "s"),
    ),
    _in(
        "take",
        "Hear take i (counted from 0) from the next bar on; a take that does not exist yet is composed. "
        "request, edition: as in regenerate.",
        _JOB,
        Argument("take", "i", "", 0, 99),
        _REQUEST,
        _EDITION,
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
        "C: how binding density and hit points are, from the next bar that is not sounding yet.",
        Argument("value", "f", "", 0, 1),
    ),
    _in(
        "control/density",
        "Added to each bar's density, from the next bar that is not sounding yet.",
        Argument("value", "f", "ticks", -8, 8),
    ),
    _in(
        "control/energy",
        "Added to each bar's energy, from the next bar that is not sounding yet.",
        Argument("value", "f", "", -0.5, 0.5),
    ),
    _in(
        "control/accents",
        "How far hits stand out (0 = bare notes), from the next bar that is not sounding yet.",
        Argument("value", "f", "", 0, 2),
    ),
    _in(
        "control/humanise",
        "How far it is played as people play (0 = as it is written), from the next bar that is not sounding yet.",
        Argument("value", "f", "", 0, 1),
    ),
    *(
        _in(
            f"control/{name}",
            f"Added to the mood's {name}, from the next bar not yet sounding on.",
            Argument("value", "f", "", -1, 1),
        )
        for name in ("valence", "arousal", "tension")
    ),
    _in(
        "scene",
        "The picture feels so from the next bar line on, whatever was seen in it; the composer library goes on with "
        "the stretch of music that suits it and joins best.",
        Argument("valence", "f", "", -1, 1),
        Argument("arousal", "f", "", -1, 1),
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
    _out("challenge", "To a client on another machine: repeat this word in prove.", Argument("word", "s")),
    _out(
        "capabilities",
        "The names of one kind: genres, moods, instruments, composers, keys (of score), controls (live).",
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
    _out(
        "chord",
        "The planned chord from this half bar on; of a plan that changed, each half bar that has another one.",
        _JOB,
        Argument("bar", "i"),
        Argument("half", "i"),
        Argument("symbol", "s"),
    ),
    _out("bar", "A bar is composed.", _JOB, Argument("index", "i"), _seconds("start"), _seconds("end")),
    _out(
        "result",
        "A take is finished: paths of its files (wav is empty where no WAV was asked for). "
        "request: that of the take or "
        "regenerate it answers, else 0; edition: of its notes. Stems lie beside the WAV, named by instrument.",
        _JOB,
        Argument("midi", "s"),
        Argument("wav", "s"),
        Argument("report", "s"),
        Argument("take", "i"),
        _REQUEST,
        _EDITION,
    ),
    _out(
        "suggestion",
        "Answer to suggest: genre and mood with their shares, and why; pop and neutral where nothing is sure.",
        _JOB,
        Argument("genre", "s"),
        Argument("genre_share", "f", "", 0, 1),
        Argument("mood", "s"),
        Argument("mood_share", "f", "", 0, 1),
        Argument("why", "s"),
    ),
    _out(
        "edit",
        "Answer to cut: the path of the edit, as OpenTimelineIO, and what is to be said of it.",
        _JOB,
        Argument("path", "s"),
        Argument("text", "s"),
    ),
    _out("beat", "A beat sounds now.", Argument("bar", "i"), Argument("beat", "i"), _SECONDS),
    _out(
        "state",
        "Sent on every change and once a second. state: idle, working, ready, playing, "
        "waiting (the next bar is not there yet), fallback (a known bar stands in for one not yet composed), "
        "failed (the composing process does not start; asking for a score tries again).",
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
        "Something went wrong; the text says what, and what to do; job is empty where no job is concerned. "
        "request: that of "
        "the take or regenerate that was refused.",
        Argument("code", "s"),
        Argument("text", "s"),
        Argument("job", "s"),
        _REQUEST,
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
