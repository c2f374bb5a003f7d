"""A real Ardour 7, without a window, in folders of its own: sessions, its clocks, its OSC, and what it recorded.

The caller has started JACK and named its server in JACK_DEFAULT_SERVER.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import mido
import pytest

from hitpoint.bridge.osc import codec

DATA, LIBRARIES = Path("/usr/share/ardour7"), Path("/usr/lib/ardour7")
OSC_ADDRESS = ("127.0.0.1", 3819)
TRACK = "Hitpoint"
CLOCKS = {"MIDI Clock": "MIDIClock", "MTC": "MTC", "JACK Transport": "Engine"}
"""What Ardour can follow: the master's name, and its type in Ardour's configuration."""

ASK_FOR_POSITION = ("/set_surface", 0, 0, 16 + 8 + 2048, 0, 0, 0, 0)
"""All strips, none of their kinds; transport, heartbeat and clock time; the last 0: answer the sender's own port."""
PEER = {"address": f"{OSC_ADDRESS[0]}:{OSC_ADDRESS[1]}", "send": list(ASK_FOR_POSITION)}
"""Ardour in our configuration's `peers`."""

RATE = 48_000
SUPERCLOCKS_A_SECOND = 282_240_000
ATTEMPTS = 6
ROLLS_WITHIN_S = 2.0

SESSION = """
AudioEngine:set_backend ("JACK", "", "")
session = assert (create_session ("{session}", "session", 48000))
local one = ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1)
session:new_midi_track (one, one, true, ARDOUR.PluginInfo (), nil, nil, 1, "{track}",
  ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
session:save_state ("")
close_session ()
quit ()
"""


def need_ardour(*programs):
    """Skip where Ardour 7, or one of `programs`, is missing."""
    missing = [name for name in ("ardour7-lua", "jackd", *programs) if shutil.which(name) is None]
    if missing or not list(LIBRARIES.glob("hardour-7*")) or not DATA.is_dir():
        packages = " ".join(["ardour", "jackd2", *(name.lower() for name in programs)])
        pytest.skip(f"needs Ardour 7 (apt-get install {packages}); missing: {missing}", allow_module_level=True)


def environment(folder):
    """Ardour's own variables, with its configuration below `folder`."""
    config = folder / "home" / ".config" / "ardour7"
    config.mkdir(parents=True, exist_ok=True)
    (config / ".a7").touch()  # no first-run assistant
    return {
        **os.environ,
        "HOME": str(folder / "home"),
        "XDG_CONFIG_HOME": str(folder / "home" / ".config"),
        "LD_LIBRARY_PATH": str(LIBRARIES),
        "ARDOUR_DATA_PATH": str(DATA),
        "ARDOUR_CONFIG_PATH": "/etc/ardour7",
        "ARDOUR_DLL_PATH": str(LIBRARIES),
    }


def make_session(folder, armed=False, follow=""):
    """A session with one MIDI track TRACK, OSC on; `follow`: the clock of CLOCKS that it obeys. Returns its folder."""
    session = folder / "session"
    file = session / "session.ardour"
    (folder / "make.lua").write_text(SESSION.format(session=session, track=TRACK))
    for _ in range(ATTEMPTS):
        shutil.rmtree(session, ignore_errors=True)
        command = [LIBRARIES / "luasession", folder / "make.lua"]
        with (folder / "ardour.txt").open("w") as out, contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(command, env=environment(folder), timeout=30, check=False, stdout=out, stderr=out)
        if file.is_file() and f'name="{TRACK}"' in file.read_text():
            break
    else:
        raise AssertionError(f"Ardour made no session: {_log(folder)}")
    text = re.sub(r'(<Protocol name="Open Sound Control \(OSC\)"[^>]*active=")0', r"\g<1>1", file.read_text())
    text = re.sub(r'(name="rec-enable" [^>]* value=")0', rf"\g<1>{int(armed)}", text)
    file.write_text(text)
    if follow:
        _follow(folder, file, follow)
    return session


def _follow(folder, file, clock):
    """Make the session obey `clock`, with the metronome on."""
    text = file.read_text().replace('name="external-sync" value="0"', 'name="external-sync" value="1"')
    file.write_text(_with_second_tempo(text))
    masters = "".join(
        f'<TransportMaster type="{kind}" name="{name}" collect="1" removeable="0"/>' for name, kind in CLOCKS.items()
    )
    (folder / "home" / ".config" / "ardour7" / "config").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><Ardour version="7003">'
        '<Config><Option name="clicking" value="1"/></Config>'
        f'<TransportMasters current="{clock}">{masters}</TransportMasters></Ardour>'
    )


def _with_second_tempo(session):
    """The session's text with the same tempo once more at bar 1001: a session of a single tempo has it overwritten by
    a ramp of nonsense as soon as Ardour 7.3 follows a MIDI clock, and runs away."""
    [tempo] = re.findall(r"<Tempo npm=[^>]*>", session)
    again = tempo.replace('sclock="0"', f'sclock="{2000 * SUPERCLOCKS_A_SECOND}"')
    return session.replace(tempo, tempo + again.replace('"0:0"', '"4000:0"').replace('"1|1|0"', '"1001|1|0"'))


class Ardour:
    """A running Ardour with its session, stopped at 0; `say` sends it OSC, `hear` reads its answers.

    Ardour 7.3 begins to talk to JACK from two threads at once, and now and then JACK closes the door: it is started
    again.
    """

    def __init__(self, folder, session, program="hardour", follows=False, **variables):
        [path] = LIBRARIES.glob(f"{program}-7*")
        self.windowless = program == "hardour"
        self.command = [path, session, "session"] if self.windowless else [path, "-n", session]
        self.folder, self.follows = folder, follows
        self.environment = {**environment(folder), **variables}

    def __enter__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.setblocking(False)
        for _ in range(ATTEMPTS):
            self._launch()
            try:
                self._settle()
                return self
            except Halted:
                self._end()
            except BaseException:
                self.__exit__()
                raise
        raise AssertionError(f"JACK threw Ardour out {ATTEMPTS} times: {_log(self.folder)}")

    def _launch(self):
        self._wait_for_port()
        with (self.folder / "ardour.txt").open("w") as out:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    @staticmethod
    def _wait_for_port(limit_s=120.0):
        """Ardour takes another port where its own is taken, and we would talk to somebody else's."""
        until_s = time.monotonic() + limit_s
        while True:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind(("0.0.0.0", OSC_ADDRESS[1]))
                    return
                except OSError:
                    assert time.monotonic() < until_s, f"another program has Ardour's OSC port {OSC_ADDRESS[1]}"
            time.sleep(0.5)

    def _settle(self):
        """Wait until the session is there; a windowless Ardour begins to roll by itself, sooner or later: go to 0 until
        it stays there."""
        self.ask(ASK_FOR_POSITION, "/position/time", 120.0)
        time.sleep(ROLLS_WITHIN_S)
        self.ask(ASK_FOR_POSITION, "/session_name", 60.0)
        stays = self.windowless and not self.follows
        for _ in range(4 * ATTEMPTS if stays else 0):
            self.say("/transport_stop", 1.0)
            self.say("/locate", 0, 0)  # once: a busy Ardour would still be obeying the others when it is to play
            if self._is_at_0() and self._is_at_0():
                return
        assert not stays, "Ardour rolls on and on"

    def _is_at_0(self):
        """Whether it stands at 0 a while from now."""
        time.sleep(ROLLS_WITHIN_S)
        self.hear()
        return self.ask(ASK_FOR_POSITION, "/position/time", 60.0)[0].startswith("00:00:00.0")

    def stop(self):
        """Stop, and wait until it stands still."""
        self.say("/transport_stop", 1.0)
        for _ in range(4 * ATTEMPTS):
            places = []
            for _ in range(2):
                time.sleep(1.0)
                self.hear()
                places.append(self.ask(ASK_FOR_POSITION, "/position/time", 60.0)[0])
            if places[0] == places[1]:
                return
        raise AssertionError("Ardour does not stop")

    def locate(self, place_s, limit_s=60.0):
        """Go to a place, once, and wait until it says that it is there."""
        self.hear()
        self.say("/locate", round(place_s * RATE), 0)
        for _ in range(2):  # the second time it is no word from before
            self.ask(ASK_FOR_POSITION, "/position/time", limit_s, lambda told: abs(clock_s(told[0]) - place_s) < 0.002)
            time.sleep(0.5)
            self.hear()

    def _end(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait(5)

    def __exit__(self, *unused):
        self.sock.close()
        self._end()

    def say(self, *message):
        self.sock.sendto(codec.encode(*message), OSC_ADDRESS)

    def hear(self):
        """The messages that came since the last call."""
        heard = []
        while True:
            try:
                packet = self.sock.recv(65536)
            except OSError:
                return heard
            with contextlib.suppress(codec.OscError):  # "#reply" is no OSC address
                heard += codec.decode(packet)

    def ask(self, message, address, limit_s=20.0, fits=lambda arguments: True):
        """Say `message` every half second until an answer to `address` fits; its arguments."""
        until_s, next_s = time.monotonic() + limit_s, 0.0
        while time.monotonic() < until_s:
            if self.process.poll() is not None or "JACK HALTED" in _log(self.folder):
                raise Halted(_log(self.folder))
            if time.monotonic() >= next_s:
                self.say(*message)
                next_s = time.monotonic() + 0.5
            for answer in self.hear():
                if answer.address == address and fits(answer.arguments):
                    return answer.arguments
            time.sleep(0.02)
        raise AssertionError(f"Ardour did not answer {message} with {address} in {limit_s} s: {_log(self.folder)}")


class Halted(AssertionError):
    """JACK has thrown Ardour out, or it ended."""


def _log(folder):
    return (folder / "ardour.txt").read_text(errors="replace")[-1000:]


def clock_s(text):
    """Ardour's "h:m:s" in seconds."""
    hours, minutes, seconds = text.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def recorded(session):
    """[(seconds on Ardour's timeline, channel, pitch, velocity)] of what was recorded at 120 BPM; a tick in seconds."""
    [source] = ElementTree.parse(session / "session.ardour").getroot().iter("Source")
    place = source.get("natural-position")
    assert place.startswith("a"), place
    now_s = int(place[1:]) / SUPERCLOCKS_A_SECOND
    file = mido.MidiFile(session / "interchange" / "session" / "midifiles" / source.get("name"))
    tick_s = 0.5 / file.ticks_per_beat
    notes = []
    for message in file.tracks[0]:
        now_s += message.time * tick_s
        if message.type == "note_on" and message.velocity:
            notes.append((now_s, message.channel, message.note, message.velocity))
    return notes, tick_s


def connect(client, source, target, limit_s=20.0):
    """Connect two JACK ports as soon as both are there."""
    import jack

    until = time.monotonic() + limit_s
    while target not in [port.name for port in _connections(client, source)]:
        with contextlib.suppress(jack.JackError, jack.JackErrorCode):
            client.connect(source, target)
        names = [port.name for port in client.get_ports(is_midi=True)]
        assert time.monotonic() < until, f"no connection {source} -> {target}; there are {names}"
        time.sleep(0.1)


def _connections(client, name):
    import jack

    try:
        return client.get_all_connections(client.get_port_by_name(name))
    except jack.JackError:
        return []
