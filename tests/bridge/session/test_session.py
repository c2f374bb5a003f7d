"""The session as clients see it: packets in, packets out."""

import random
import struct
from dataclasses import replace
from pathlib import PureWindowsPath

import pytest
from live_fakes import plain_plan, telling_bar
from recorder import Recorder

from hitpoint.bridge.clock.clock import TestClock
from hitpoint.bridge.config.settings import Config
from hitpoint.bridge.ipc.live import GrowBar
from hitpoint.bridge.ipc.messages import (
    Aim,
    BarsReady,
    CancelJob,
    ChooseTake,
    ClipSpec,
    JobDone,
    JobError,
    JobProgress,
    JobResult,
    ListKnown,
    Planned,
    Regenerate,
    ScoreList,
    SetChord,
    SetControl,
    SetScene,
)
from hitpoint.bridge.ipc.questions import CutList, EditCut, Suggested, SuggestList
from hitpoint.bridge.ipc.supervision import (
    ComposerGone,
    ComposerReady,
    Owned,
)
from hitpoint.bridge.osc import codec, protocol
from hitpoint.bridge.play.player import Player
from hitpoint.bridge.session.clients import OWNER_S
from hitpoint.bridge.session.paths import calls_a_stranger
from hitpoint.bridge.session.session import Session
from hitpoint.bridge.session.work_list import MAX_JOBS
from hitpoint.bridge.state.recovery import Shelf

ME, OTHER = ("127.0.0.1", 5001), ("127.0.0.1", 5002)


class Room:
    """A session with a recording sink, outbox and composer."""

    def __init__(self, tmp_path, **settings):
        self.clock = TestClock(500.0)
        self.told, self.asked, self.logged, self.packets = [], [], [], []
        config = Config(**{"roots": [str(tmp_path)], **settings})
        self.room_for_more = True
        self.session = Session(
            self.clock,
            config,
            "9.9",
            self._send,
            lambda message: self.asked.append(message) or self.room_for_more,
            lambda level, text: self.logged.append(text),
        )
        self.player = Player(self.clock, Recorder(self.clock), config, self.session)
        self.session.player = self.player

    def _send(self, packet, address):
        self.packets.append((packet, address))
        self.told.append((address, codec.decode(packet)[0]))

    def say(self, *message, sender=ME):
        self.session.hear(codec.encode(*message), sender)

    def answers(self, address=None, to=ME):
        """The arguments (with the address, where none is asked for) of what was told to `to` since the last call."""
        found = [m for a, m in self.told if a == to and address in (None, m.address)]
        self.told.clear()
        return [m.arguments if address else (m.address, *m.arguments) for m in found]

    def hello(self, sender=ME):
        self.say("/hitpoint/hello", "tester", "1.0", 1, sender=sender)
        self.told.clear()

    def send_clips(self, path, count=2):
        self.say("/hitpoint/clips/begin", "film", 25.0, count)
        for index in range(count):
            self.say("/hitpoint/clip", "film", index, str(path), 10.0 + index, 0.5, 1.5)
        self.say("/hitpoint/clips/end", "film", count)

    def scored(self):
        """The last job that the watchdog makes of what it was told."""
        shelf = Shelf()
        for message in self.asked[:-1]:
            if not isinstance(message, Owned):
                shelf.note(message)
        return shelf.score(self.asked[-1])

    def plan(self, take=0, edition=0, stale=(), origin_s=10.0, kept=False, chords=None):
        plan = plain_plan(8)
        if chords is not None:
            bars = tuple(replace(bar, chords=pair) for bar, pair in zip(plan.bars, chords, strict=True))
            plan = replace(plan, bars=bars)
        self.session.on_composer(Planned("film", take, edition, origin_s, 25.0, plan, (0, 0, 25, 33, 48), stale, kept))


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_music_goes_between_two_messages_of_a_bundle(room, monkeypatch):
    ticks = []
    monkeypatch.setattr(room.player, "tick", lambda: ticks.append(len(room.told)))
    room.session.hear(codec.bundle([codec.encode("/hitpoint/ping", number) for number in range(50)]), ME)
    assert ticks == list(range(1, 50))


def test_hello_is_answered_to_the_sender(room):
    room.say("/hitpoint/hello", "tester", "1.0", 1)
    assert room.answers() == [("/hitpoint/welcome", "9.9", 1, "recorder", "idle")]


def test_another_protocol_is_told_who_is_old(room):
    room.say("/hitpoint/hello", "tester", "1.0", protocol.PROTOCOL + 1)
    ((code, text, _),) = room.answers("/hitpoint/error")
    assert code == "protocol" and "bring the bridge up to date" in text
    assert not room.session.clients.known


def test_clients_of_the_older_protocol_go_on_and_newer_ones_hear_more(room, tmp_path):
    room.say("/hitpoint/hello", "old", "1.0", 1)
    room.say("/hitpoint/hello", "new", "1.0", 2, sender=OTHER)
    assert room.answers("/hitpoint/welcome", OTHER)[0][1] == 2
    for me, asked, more in ((ME, (), ()), (OTHER, (71, 4), (71, 5))):
        room.session.clients.drop(OTHER if me == ME else ME)
        room.say("/hitpoint/hello", "one", "1.0", 1 + (me == OTHER), sender=me)
        room.asked.clear()
        room.say("/hitpoint/regenerate", "film", 3, 5, *asked, "drums", sender=me)
        assert room.asked[-1] == Regenerate("film", 3, 5, (0,), *(asked or (0, -1)))
        room.say("/hitpoint/take", "film", 1, *asked, sender=me)
        assert room.asked[-1] == ChooseTake("film", 1, 0, *(asked or (0, -1)))
        room.told.clear()
        room.session.on_composer(JobResult("film", 0, "/a.mid", "/a.wav", "/a.json", 71, 5))
        room.session.on_composer(JobError("film", "input", "damaged", 71))
        room.say("/hitpoint/regenerate", "film", 5, 3, *asked, sender=me)
        told = room.answers(to=me)
        assert told[0] == ("/hitpoint/result", "film", "/a.mid", "/a.wav", "/a.json", 0, *more)
        assert told[1] == ("/hitpoint/error", "input", "damaged", "film", *more[:1])
        assert told[2][1] == "arguments" and told[2][4:] == more[:1]


def test_what_can_be_asked_for_is_told_by_name(room):
    room.hello()
    room.say("/hitpoint/capabilities")
    told = {kind: tuple(names) for kind, *names in room.answers("/hitpoint/capabilities")}
    assert "pop" in told["genres"] and told["instruments"][0] == "drums" and "cmt" in told["composers"]
    assert {"genre", "tempo", "seed"} <= set(told["keys"]) and "energy" in told["controls"]


def test_ping_and_malformed(room):
    room.say("/hitpoint/ping", 7)
    room.session.hear(b"nonsense", ME)
    room.say("/hitpoint/nothing")
    answers = room.answers()
    assert answers[0] == ("/hitpoint/pong", 7)
    assert [answer[1] for answer in answers[1:]] == ["malformed", "address"]
    assert room.session.refused == 2


def test_a_flood_of_nonsense_gets_few_answers(room):
    for _ in range(1000):
        room.session.hear(b"nonsense", ME)
    assert len(room.answers()) <= 20


def test_clip_list_lost_packets_are_named_and_sent_again(room, tmp_path):
    film = str(tmp_path / "a film.mp4")
    room.say("/hitpoint/clips/begin", "film", 25.0, 4)
    for index in (0, 2):
        room.say("/hitpoint/clip", "film", index, film, 10.0 + index, 0, -1)
    room.say("/hitpoint/clips/end", "film", 4)
    assert room.answers() == [("/hitpoint/error", "clips-missing", "1 3", "film")]
    room.say("/hitpoint/score", "film")
    assert room.answers("/hitpoint/error")[0][0] == "job"
    for index in (1, 3, 3):
        room.say("/hitpoint/clip", "film", index, film, 10.0 + index, 0, -1, 2.0)
    room.say("/hitpoint/clips/end", "film", 4)
    assert room.answers() == [("/hitpoint/progress", "film", "clips", 1.0)]
    room.say("/hitpoint/score", "film", "genre", "rock", "seed", 5, "control", 0.5)
    score = room.scored()
    assert score.clips[1] == ClipSpec(film, 11.0, 0.0, None, 2.0)
    assert score.pairs == (("genre", "rock"), ("seed", "5"), ("control", "0.5"))
    assert score.fps == 25.0
    room.asked.clear()
    room.say("/hitpoint/suggest", "film", "a sad day")
    assert SuggestList("film", "a sad day") in room.asked
    room.session.on_composer(Suggested("film", "rock", 0.5, "sad", 0.75, "words: sad"))
    assert room.answers("/hitpoint/suggestion") == [("film", "rock", 0.5, "sad", 0.75, "words: sad")]
    room.say("/hitpoint/cut", "film", str(tmp_path / "song.mid"))
    assert CutList("film", str(tmp_path / "song.mid")) in room.asked
    room.session.on_composer(EditCut("film", "/s/film-cut.otio", "one clip only"))
    assert room.answers("/hitpoint/edit") == [("film", "/s/film-cut.otio", "one clip only")]
    room.say("/hitpoint/cut", "film", "/etc/passwd")
    assert room.answers("/hitpoint/error")[-1][0] == "path"


@pytest.mark.parametrize(
    ("path", "code"),
    [("/etc/passwd", "path"), ("relative.mp4", "path"), ("{root}/../../etc/passwd", "path"), ("{root}/link/x", "path")],
)
def test_paths_outside_the_roots_are_refused(room, tmp_path, path, code):
    (tmp_path / "link").symlink_to("/etc")
    room.say("/hitpoint/clips/begin", "film", 25.0, 1)
    room.say("/hitpoint/clip", "film", 0, path.format(root=tmp_path), 0, 0, 1)
    assert room.answers("/hitpoint/error")[0][0] == code


@pytest.mark.parametrize("key", ["library", "motif", "harmony"])
def test_wishes_name_files_in_the_roots_only(room, tmp_path, key):
    """Each is read from the disk, and what cannot be read is quoted in the answer."""
    room.send_clips(tmp_path / "x.mp4")
    inside = str(tmp_path / "a file")
    for message in (("/hitpoint/score", "film"), ("/hitpoint/live",)):
        room.told.clear()
        room.say(*message, key, "/etc/passwd")
        assert [answer[0] for answer in room.answers("/hitpoint/error")] == ["path"]
        room.say(*message, key, inside)
        assert not room.answers("/hitpoint/error")
    assert [(key, inside) in each.pairs for each in room.asked if isinstance(each, ScoreList | GrowBar)] == [True, True]


def test_in_after_out_and_odd_pairs(room, tmp_path):
    room.send_clips(tmp_path / "x.mp4")
    room.told.clear()
    room.say("/hitpoint/clip", "film", 0, str(tmp_path / "x.mp4"), 0, 5, 4)
    room.say("/hitpoint/score", "film", "genre")
    room.say("/hitpoint/clip", "other", 0, str(tmp_path / "x.mp4"), 0, 0, 4)
    assert [answer[0] for answer in room.answers("/hitpoint/error")] == ["arguments", "arguments", "job"]


def test_everything_of_a_job_goes_to_who_asked(room, tmp_path):
    room.hello()
    room.hello(OTHER)
    room.send_clips(tmp_path / "x.mp4")
    room.say("/hitpoint/score", "film")
    room.told.clear()
    room.session.on_composer(JobProgress("film", "analyse", 0.5))
    room.plan()
    room.session.on_composer(BarsReady("film", 0, 0, (telling_bar(0), telling_bar(1))))
    room.session.on_composer(JobResult("film", 0, "/a.mid", "/a.wav", "/a.json"))
    room.session.on_composer(JobError("film", "input", "damaged"))
    told_other = [m.address for a, m in room.told if a == OTHER]
    answers = room.answers()
    assert told_other == []
    assert answers[0] == ("/hitpoint/progress", "film", "analyse", 0.5)
    assert [a for a in answers if a[0] == "/hitpoint/marker"] == [
        ("/hitpoint/marker", "film", 10.0 + 4 * n, "cut", 1.0) for n in range(4)
    ]
    assert ("/hitpoint/bar", "film", 1, 12.0, 14.0) in answers
    assert answers[-2:] == [
        ("/hitpoint/result", "film", "/a.mid", "/a.wav", "/a.json", 0),
        ("/hitpoint/error", "input", "damaged", "film"),
    ]


def test_chords_are_told_where_they_change_and_a_new_one_alone(room):
    room.session.clients.own("film", ME, 500.0, set())
    room.plan(chords=[("C", "C"), ("C", "G7"), *[("Am", "Am")] * 6])
    told = [("film", 0, 0, "C"), ("film", 1, 1, "G7"), ("film", 2, 0, "Am")]
    assert room.answers("/hitpoint/chord") == told
    room.told.clear()
    room.plan(edition=1, chords=[("C", "C"), ("C", "F"), *[("Am", "Am")] * 6])
    assert room.answers("/hitpoint/chord") == [("film", 1, 1, "F")]
    room.asked.clear()
    room.say("/hitpoint/chord/set", "film", 1, 1, "Dm7")
    assert room.asked == [SetChord("film", 1, 1, "Dm7")]
    room.say("/hitpoint/chord/set", "film", 1, 2, "Dm7")
    assert [answer[0] for answer in room.answers("/hitpoint/error")] == ["arguments"]


def test_what_was_there_before_is_not_told_again(room):
    room.session.clients.own("film", ME, 500.0, set())
    room.plan(kept=True)
    room.session.on_composer(BarsReady("film", 0, 0, (telling_bar(0),), kept=True))
    assert room.answers("/hitpoint/marker") + room.answers("/hitpoint/bar") == []


def test_state_is_told_on_change_and_each_second_to_all(room):
    room.hello()
    room.hello(OTHER)
    for _ in range(25):
        room.session.housekeeping()
        room.clock.advance(0.1)
    assert len([1 for a, m in room.told if a == OTHER and m.address == "/hitpoint/state"]) == 3
    room.told.clear()
    room.plan()
    room.session.housekeeping()
    assert room.answers("/hitpoint/state")[0][:3] == ("working", "film", 0)


@pytest.mark.parametrize(
    ("path", "stranger"),
    [
        (r"\\evil\share\film.mp4", True),
        ("//evil/share/film.mp4", True),
        (r"\\?\C:\film.mp4", True),
        (r"\\NAS\films\film.mp4", False),
        (r"C:\Users\film.mp4", False),
        (r"D:\film.mp4", False),
    ],
)
def test_on_windows_no_other_machine_is_called_for_a_path(path, stranger):
    roots = [PureWindowsPath(r"C:\Users"), PureWindowsPath(r"\\nas\films")]
    assert calls_a_stranger(PureWindowsPath(path), roots) == stranger


def test_lateness_is_told_each_second_however_often_the_state_changes(room):
    room.hello()
    room.plan()
    room.session.on_composer(BarsReady("film", 0, 0, tuple(telling_bar(i) for i in range(8))))
    room.say("/hitpoint/locate", 10.0)
    room.say("/hitpoint/play")
    for number in range(40):
        room.clock.advance(0.1)
        room.player.tick()
        room.player.underruns = number  # the state is another one each time
        room.session.housekeeping()
    assert len(room.answers("/hitpoint/late")) == 4


def test_silent_clients_are_forgotten_and_ping_keeps_them(room):
    room.hello()
    room.hello(OTHER)
    for _ in range(70):
        room.clock.advance(1.0)
        room.say("/hitpoint/ping", 1)
        room.session.housekeeping()
    assert room.session.clients.known == (("tester", ME, 1),)
    assert Config().client_silence_s < 70


def test_one_playhead_at_a_time(room):
    room.plan()
    room.session.on_composer(BarsReady("film", 0, 0, tuple(telling_bar(i) for i in range(8))))
    for n in range(10):
        room.say("/hitpoint/time", 10 + n / 30, 1)
        room.say("/hitpoint/time", 99.0, 0, sender=OTHER)
        room.clock.advance(1 / 30)
    assert room.player.transport.playing
    assert room.player.position() == pytest.approx(10 + 10 / 30, abs=0.01)
    room.say("/hitpoint/stop", sender=OTHER)
    assert not room.player.transport.playing, "an explicit stop is obeyed whoever sends it"


def test_edits_go_to_the_composer_from_the_next_bar_on(room):
    room.plan()
    room.session.on_composer(BarsReady("film", 0, 0, tuple(telling_bar(i) for i in range(8))))
    room.say("/hitpoint/locate", 14.5)
    room.say("/hitpoint/play")
    room.player.tick()
    room.asked.clear()
    room.say("/hitpoint/regenerate", "film", 3, 5, "drums", "bass")
    room.say("/hitpoint/take", "film", 2)
    room.say("/hitpoint/control/density", 3)
    room.say("/hitpoint/cancel", "film")
    room.say("/hitpoint/regenerate", "film", 5, 3)
    room.say("/hitpoint/mute", "kazoo", 1)
    assert room.asked == [
        Owned("film", ME),
        Regenerate("film", 3, 5, (0, 3)),
        ChooseTake("film", 2, 3),
        SetControl("film", "density", 3.0, 3),
        CancelJob("film"),
    ]
    assert [a[0] for a in room.answers("/hitpoint/error")] == ["arguments", "arguments"]


def test_the_composer_aims_at_the_playhead(room):
    room.plan()
    room.asked.clear()
    room.say("/hitpoint/locate", 20.5)
    assert room.asked == [Aim("film", 5)]


def test_a_full_composer_is_told(room, tmp_path):
    room.send_clips(tmp_path / "x.mp4")
    room.told.clear()
    room.room_for_more = False
    room.say("/hitpoint/score", "film")
    assert room.answers("/hitpoint/error")[0][0] == "busy"


def test_a_dead_composer_is_told(room):
    room.session.clients.own("film", ME, 500.0, set())
    room.session.on_composer(ComposerGone("film"))
    room.session.on_composer(ComposerGone("film", given_up=True))
    told = room.answers("/hitpoint/error")
    assert [(code, job) for code, _, job in told] == [("composer", "film"), ("given-up", "film")]


def test_a_composer_that_does_not_start_shows_in_the_state_until_it_does(room):
    room.hello()
    room.session.on_composer(ComposerGone("", down="no torch"))
    ((code, text, _),) = room.answers("/hitpoint/error")
    assert code == "given-up" and "does not start (no torch)" in text
    assert room.session.state == "failed"
    room.session.on_composer(ComposerReady())
    assert room.session.state == "idle"


def test_token(tmp_path):
    room = Room(tmp_path, token="open sesame", host="0.0.0.0")
    room.say("/hitpoint/play")
    room.say("/hitpoint/hello", "x", "1", 1)
    room.say("/hitpoint/hello", "x", "1", 1, "wrong")
    assert [a[0] for a in room.answers("/hitpoint/error")] == ["token"] * 3
    room.say("/hitpoint/hello", "x", "1", 1, "open sesame")
    room.say("/hitpoint/play")
    assert [a[0] for a in room.answers()] == ["/hitpoint/welcome"]
    assert room.player.transport.playing


def test_aliases_drive_the_transport(tmp_path):
    room = Room(tmp_path, aliases=["reaper", {"from": "/go", "to": "/hitpoint/locate", "args": ["$1*0.001"]}])
    room.say("/go", 2500)
    assert room.player.position() == 2.5
    room.say("/play", 1.0)
    room.say("/stop", 0.0)
    assert room.player.transport.playing
    room.say("/time", 3.0)
    assert room.player.transport.following
    room.say("/stop", 1.0)
    assert not room.player.transport.playing


def test_restored_session_knows_clients_lists_and_owners(room, tmp_path):
    room.hello()
    room.send_clips(tmp_path / "x.mp4")
    room.say("/hitpoint/score", "film")
    other = Room(tmp_path)
    other.session.on_composer(ListKnown("film", 25.0, 2, ()))
    other.session.restore(room.session.live_state(), room.session.parties())
    assert other.session.clients.known == (("tester", ME, 1),)
    assert other.session.state == "working"
    other.say("/hitpoint/score", "film")
    assert [type(message) for message in other.asked] == [ScoreList]
    other.session.on_composer(JobProgress("film", "plan", 1.0))
    assert other.answers("/hitpoint/progress") == [("film", "plan", 1.0)]


def test_nothing_a_client_sends_raises(room, tmp_path):
    """Valid messages with random values, damaged ones, in random order."""
    from hitpoint.bridge.osc.protocol import INCOMING

    dice = random.Random(3)
    values = [0, 1, -1, 3.5, 1e6, -1e9, "film", "drums", "", str(tmp_path / "a"), "nan", True, None, b"x", 2**40, "7"]
    room.plan()
    for _ in range(20_000):
        address = dice.choice(list(INCOMING))
        packet = bytearray(codec.encode(address, *(dice.choice(values) for _ in range(dice.randrange(8)))))
        if dice.random() < 0.2:
            packet[dice.randrange(len(packet))] = dice.randrange(256)
        room.session.hear(bytes(packet), dice.choice([ME, OTHER]))
        room.clock.advance(dice.random() * 0.05)
        room.player.tick()
        room.told.clear()
        room.asked.clear()
    room.session.housekeeping()


def score_all(room, tmp_path, count, every_s=1.0):
    """`count` jobs asked for, one after the other."""
    for index in range(count):
        job = f"job{index}"
        room.say("/hitpoint/clips/begin", job, 25.0, 1)
        room.say("/hitpoint/clip", job, 0, str(tmp_path / "x.mp4"), 0.0, 0.0, -1.0)
        room.say("/hitpoint/clips/end", job, 1)
        room.say("/hitpoint/score", job)
        room.clock.advance(every_s)


def test_a_client_that_asks_for_hundreds_of_jobs_in_a_second_hears_of_each_that_is_refused(room, tmp_path):
    room.hello()
    score_all(room, tmp_path, MAX_JOBS + 200, every_s=0.001)
    refused = [m.arguments for _, m in room.told if m.address == "/hitpoint/error"]
    assert [job for code, _, job in refused if code == "busy"] == [f"job{MAX_JOBS + n}" for n in range(200)]


def test_every_job_that_was_taken_in_is_answered_and_the_rest_refused_at_once(room, tmp_path):
    score_all(room, tmp_path, MAX_JOBS + 20)
    asked = [message.job for message in room.asked if isinstance(message, ScoreList)]
    assert asked == [f"job{index}" for index in range(MAX_JOBS)]
    refused = [m.arguments for _, m in room.told if m.address == "/hitpoint/error"]
    assert [(code, job) for code, _, job in refused] == [("busy", f"job{MAX_JOBS + n}") for n in range(20)]
    room.told.clear()
    for job in asked:
        room.session.on_composer(JobResult(job, 0, f"/{job}.mid", "", ""))
        room.session.on_composer(JobDone(job))
    assert [arguments[0] for arguments in room.answers("/hitpoint/result")] == asked
    score_all(room, tmp_path, 3)
    assert room.answers("/hitpoint/error") == [], "there is room again"


def test_lists_that_wait_to_be_scored_are_not_pushed_out(room, tmp_path):
    for index in range(100):
        room.say("/hitpoint/clips/begin", f"job{index}", 25.0, 1)
        room.say("/hitpoint/clip", f"job{index}", 0, str(tmp_path / "x.mp4"), 0.0, 0.0, -1.0)
    room.told.clear()
    for index in range(100):
        room.say("/hitpoint/score", f"job{index}")
    assert room.answers("/hitpoint/error") == []


def test_who_waits_long_is_told_that_it_goes_on(room, tmp_path):
    score_all(room, tmp_path, 1)
    room.told.clear()
    for _ in range(150):
        room.session.housekeeping()
        room.clock.advance(1.0)
    assert len(room.answers("/hitpoint/progress")) == 2


def test_a_job_belongs_to_who_began_it_unless_it_is_handed_over(room, tmp_path):
    room.hello()
    room.hello(OTHER)
    score_all(room, tmp_path, 1)
    room.told.clear()
    thief = [
        ("/hitpoint/score", "job0"),
        ("/hitpoint/cancel", "job0"),
        ("/hitpoint/regenerate", "job0", 0, 1),
        ("/hitpoint/take", "job0", 1),
        ("/hitpoint/clips/begin", "job0", 25.0, 1),
        ("/hitpoint/hand", "job0", "tester"),
    ]
    for message in thief:
        room.say(*message, sender=OTHER)
    assert [arguments[0] for arguments in room.answers("/hitpoint/error", OTHER)] == ["owner"] * len(thief)
    room.session.on_composer(JobResult("job0", 0, "/a.mid", "", ""))
    assert room.answers("/hitpoint/result", ME) == [("job0", "/a.mid", "", "", 0)]
    room.say("/hitpoint/hello", "second", "1.0", 1, sender=OTHER)
    room.say("/hitpoint/hand", "job0", "second")
    room.session.on_composer(JobResult("job0", 0, "/b.mid", "", ""))
    assert room.answers("/hitpoint/result", OTHER) == [("job0", "/b.mid", "", "", 0)]


def test_the_job_of_one_who_is_gone_is_anybodys(room, tmp_path):
    room.hello()
    score_all(room, tmp_path, 1)
    room.clock.advance(OWNER_S + 1.0)
    room.say("/hitpoint/regenerate", "job0", 0, 1, sender=OTHER)
    assert room.answers("/hitpoint/error", OTHER) == []
    assert room.asked[-1] == Regenerate("job0", 0, 1, None)


def test_a_guesser_gets_a_handful_of_tries_a_minute_and_locks_nobody_out(tmp_path):
    room = Room(tmp_path, token="open sesame", host="0.0.0.0")
    room.say("/hitpoint/hello", "inside", "1", 1, "open sesame", sender=ME)
    door = room.session._greeter._door
    before = door.checked
    guesses = 0
    for second in range(60):
        for _ in range(100):  # a new port for each guess, and now and then the old ones
            room.say("/hitpoint/hello", "x", "1", 1, f"guess {guesses}", sender=("127.0.0.1", 20_000 + guesses % 9000))
            guesses += 1
        if second == 30:
            room.told.clear()
            room.say("/hitpoint/play", sender=ME)
            assert room.player.transport.playing, "who is inside is not locked out"
        room.session.housekeeping()
        room.clock.advance(1.0)
    assert guesses == 6_000 and door.checked - before <= 40
    assert any("a wrong token from 127.0.0.1" in text for text in room.logged)


def test_one_address_that_guesses_waits_longer_each_time_and_others_come_in(tmp_path):
    room = Room(tmp_path, token="open sesame", host="0.0.0.0")
    door = room.session._greeter._door
    far = ("192.0.2.7", 9)
    for _ in range(600):
        room.say("/hitpoint/hello", "x", "1", 1, "guess", sender=far)
        room.session.housekeeping()
        room.clock.advance(0.1)
    assert door.checked <= 12
    room.told.clear()
    for _ in range(30):
        room.say("/hitpoint/hello", "x", "1", 1, "guess", sender=far)
        room.say("/hitpoint/hello", "honest", "1", 1, "open sesame", sender=OTHER)
        room.session.housekeeping()
        room.clock.advance(0.1)
    assert OTHER in room.session.clients


def test_an_unproven_address_is_told_no_more_than_it_says(tmp_path):
    room = Room(tmp_path, token="open sesame", host="0.0.0.0")
    far, said = ("192.0.2.7", 4000), 0
    for _ in range(20):
        packet = codec.encode("/hitpoint/hello", "x", "1", 1, "open sesame")
        said += len(packet)
        room.session.hear(packet, far)
        for _ in range(10):
            room.session.housekeeping()
            room.player.tick()
            room.clock.advance(0.1)
    told = [packet for packet, address in room.packets if address == far]
    assert 0 < sum(map(len, told)) <= said
    addresses = [codec.decode(packet)[0].address for packet in told]
    assert "/hitpoint/welcome" in addresses, "a client of old, which knows no challenge, is welcome all the same"
    word = next(codec.decode(packet)[0].arguments[0] for packet in told if b"challenge" in packet)
    room.packets.clear()
    room.say("/hitpoint/prove", "wrong", sender=far)
    room.say("/hitpoint/prove", word, sender=far)
    for _ in range(50):
        room.session.housekeeping()
        room.clock.advance(0.1)
    assert sum(len(packet) for packet, address in room.packets if address == far) > 300, "told all from now on"


def test_forged_addresses_do_not_cost_a_client_the_proof_of_its_own(tmp_path):
    room = Room(tmp_path, token="open sesame", host="0.0.0.0")
    far = ("192.0.2.7", 4000)
    room.say("/hitpoint/hello", "far", "1", 1, "open sesame", sender=far)
    room.say("/hitpoint/prove", room.session.clients.proof.word(far), sender=far)
    for number in range(5000):
        room.say("/hitpoint/ping", 1, sender=(f"198.51.{number % 100}.{number // 100}", 9))
    room.packets.clear()
    for _ in range(50):
        room.session.housekeeping()
        room.clock.advance(0.1)
    assert sum(len(packet) for packet, address in room.packets if address == far) > 300


def test_a_crowd_that_only_says_hello_gives_way(room):
    for port in range(64):
        room.say("/hitpoint/hello", "crowd", "1.0", 1, sender=("127.0.0.1", 6000 + port))
    room.say("/hitpoint/hello", "late", "1.0", 1, sender=OTHER)
    assert room.answers("/hitpoint/error", OTHER)[0][0] == "busy"
    room.clock.advance(6.0)
    room.say("/hitpoint/hello", "late", "1.0", 1, sender=OTHER)
    assert OTHER in room.session.clients


@pytest.mark.parametrize("pressed", [(1.0,), (1,), (True,), (None,), ("1",), ()])
@pytest.mark.parametrize("released", [(0.0,), (0,), (False,)])
def test_buttons_of_touch_surfaces(room, pressed, released):
    room.plan()
    room.say("/hitpoint/play", *pressed)
    assert room.player.transport.playing
    room.say("/hitpoint/stop", *released)
    assert room.player.transport.playing, "a button that is let go of does nothing"
    room.say("/hitpoint/stop", *pressed)
    assert not room.player.transport.playing
    assert room.answers("/hitpoint/error") == []


def test_senders_that_leave_the_type_tags_out(room):
    room.session.hear(b"/hitpoint/locate\0\0\0\0" + struct.pack(">f", 12.5), ME)
    assert room.player.position() == 12.5
    room.session.hear(b"/hitpoint/mute\0\0piano\0\0\0" + struct.pack(">i", 1), ME)
    assert room.player.muted == {1}
    room.session.hear(b"/hitpoint/locate\0\0\0\0abc\0defg", ME)
    assert room.answers("/hitpoint/error")[-1][0] == "arguments"


@pytest.mark.parametrize("name", ["valence", "arousal", "tension"])
def test_the_mood_is_moved_live(room, name):
    room.plan()
    room.asked.clear()
    room.say(f"/hitpoint/control/{name}", -0.5)
    room.clock.advance(0.2)
    room.session.housekeeping()
    (told,) = [message for message in room.asked if isinstance(message, SetControl)]
    assert (told.name, told.value) == (name, -0.5)
    room.say(f"/hitpoint/control/{name}", 1.5)
    assert room.answers("/hitpoint/error")[-1][0] == "arguments"


def test_a_scene_reaches_the_composer_with_its_last_value(room):
    room.say("/hitpoint/scene", 0.5, 0.5)
    room.session.housekeeping()
    assert not [message for message in room.asked if isinstance(message, SetScene)], "there is no music yet"
    room.plan()
    room.asked.clear()
    for step in range(4):
        room.say("/hitpoint/scene", -0.25 * step, 0.5)
    room.clock.advance(0.2)
    room.session.housekeeping()
    told = [message for message in room.asked if isinstance(message, SetScene)]
    assert len(told) <= 2 and (told[-1].job, told[-1].valence, told[-1].arousal) == ("film", -0.75, 0.5)
    room.say("/hitpoint/scene", 2.0, 0.0)
    assert room.answers("/hitpoint/error")[-1][0] == "arguments"


def test_a_fader_reaches_the_composer_ten_times_a_second_and_its_last_value_always(room):
    room.plan()
    room.asked.clear()
    for step in range(120):
        room.say("/hitpoint/control/energy", step / 240)
        if step % 6 == 0:
            room.session.housekeeping()
        room.clock.advance(1 / 60)
    room.clock.advance(0.2)
    room.session.housekeeping()
    values = [message.value for message in room.asked if isinstance(message, SetControl)]
    assert len(values) <= 22 and values[-1] == pytest.approx(119 / 240)
