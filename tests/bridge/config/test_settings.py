"""The configuration: defaults, the file, flags, and one sentence for each mistake."""

from dataclasses import fields

import pytest
from click.testing import CliRunner

from hitpoint.bridge.commands import doctor, panic, ports, serve
from hitpoint.bridge.config.settings import Config, default_roots, load_config
from hitpoint.bridge.errors import InputError, MissingError, UsageError
from hitpoint.bridge.osc.aliases import PRESETS, Aliases
from hitpoint.bridge.osc.codec import OscMessage, encode
from hitpoint.bridge.session.peers import Peers


def test_every_key_has_a_default_and_a_help_line():
    assert Config().is_loopback
    assert all(setting.metadata["help"].endswith(".") for setting in fields(Config))


def test_flags_win_over_the_file(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("port: 8000\nmidi-port: Synth\nvolumes: {piano: 0.5}\n")
    config = load_config(path, port=9000, mtc=None)
    assert (config.port, config.midi_port, config.volumes, config.mtc) == (9000, "Synth", {"piano": 0.5}, False)


def test_no_file_is_the_defaults_and_an_empty_one_too(tmp_path, monkeypatch):
    monkeypatch.setenv("HITPOINT_CONFIG", str(tmp_path / "absent.yaml"))
    assert load_config() == Config()
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert load_config(tmp_path / "empty.yaml") == Config()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("port: 70000", "port must lie in 0..65535"),
        ("port: yes", "port must be a int"),
        ("colour: red", "unknown key 'colour'"),
        ("midi_api: foo", "must be one of"),
        ("channels: {kazoo: 1}", "no instrument 'kazoo'"),
        ("channels: {piano: 17}", "piano must lie in 1..16"),
        ("volumes: {piano: loud}", "piano must lie in 0..1"),
        ("- a\n- b", "must hold keys and values"),
        ("port: [", "not valid YAML"),
        ("aliases: reaper", "aliases must be a list"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(tmp_path, text, says):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"c\.yaml") as caught:
        load_config(path)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_other_machines_need_a_token():
    with pytest.raises(UsageError, match="--token"):
        load_config(None, host="0.0.0.0")
    with pytest.raises(UsageError, match="8 characters"):
        load_config(None, host="192.168.1.5", token="short")
    assert load_config(None, host="0.0.0.0", token="long enough").token


def test_two_instruments_on_one_channel(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("channels: {piano: 10}")
    with pytest.raises(UsageError, match="share a MIDI channel"):
        load_config(path)


def test_roots_default_to_places_of_the_user():
    assert default_roots()
    assert all(root.is_absolute() for root in Config().allowed_roots)


@pytest.mark.parametrize(
    "rule",
    [
        {"from": "/x"},
        {"from": "/x", "to": "/nowhere"},
        {"from": "x", "to": "/hitpoint/play"},
        {"from": "/x*", "to": "/hitpoint/play"},
        {"from": "/x", "to": "/hitpoint/play", "args": [[1]]},
        {"from": "/x", "to": "/hitpoint/play", "when": {"a": 1}},
        {"from": "/x", "to": "/hitpoint/play", "more": 1},
        "cubase",
        7,
    ],
)
def test_wrong_aliases(rule):
    with pytest.raises(InputError, match="aliases"):
        Aliases([rule])


def test_presets_and_templates():
    aliases = Aliases([*PRESETS, {"from": "/frames", "to": "/hitpoint/time", "args": ["$2/25", 1]}])
    assert aliases.translate(OscMessage("/hitpoint/play")) == [OscMessage("/hitpoint/play")]
    assert aliases.translate(OscMessage("/frames", ("x", 50))) == [OscMessage("/hitpoint/time", (2.0, 1))]
    assert aliases.translate(OscMessage("/frames", (50,))) == []
    assert aliases.translate(OscMessage("/position/time", ("01:02:03.500",))) == [
        OscMessage("/hitpoint/time", (3723.5,))
    ]
    assert aliases.translate(OscMessage("/position/time", ("-00:00:02.500",))) == [
        OscMessage("/hitpoint/time", (-2.5,))
    ]
    assert aliases.translate(OscMessage("/frames", (0, "50"))) == [OscMessage("/hitpoint/time", (2.0, 1))]
    assert aliases.translate(OscMessage("/play", (0.0,))) == []
    assert aliases.translate(OscMessage("/strip/gain", (1, 0.0))) == []
    assert Aliases().translate(OscMessage("/strip/gain")) == [OscMessage("/strip/gain")]


@pytest.mark.parametrize(
    "peer",
    [
        "127.0.0.1:3819",
        {"address": "127.0.0.1:3819"},
        {"address": "127.0.0.1", "send": ["/hello"]},
        {"address": "127.0.0.1:port", "send": ["/hello"]},
        {"address": "127.0.0.1:3819", "send": []},
        {"address": "127.0.0.1:3819", "send": "/hello"},
        {"address": "127.0.0.1:3819", "send": ["hello"]},
        {"address": "127.0.0.1:3819", "send": ["/hello", {}]},
        {"address": "no.such.host.invalid:3819", "send": ["/hello"]},
    ],
)
def test_wrong_peers(peer):
    with pytest.raises(InputError, match="peers"):
        Peers([peer], lambda packet, address: None)


def test_a_peer_is_greeted_until_it_is_heard_and_again_when_it_falls_silent():
    sent = []
    peers = Peers(
        [{"address": "localhost:3819", "send": ["/set_surface", 0, 1.5, "x"]}], lambda *said: sent.append(said)
    )
    for tenth in range(100):
        if 35 <= tenth < 50:
            peers.heard(("127.0.0.1", 3819), tenth / 10)
            peers.heard(("127.0.0.1", 9999), tenth / 10)
        before = len(sent)
        peers.greet(tenth / 10)
        if len(sent) > before:
            sent[-1] = (tenth, *sent[-1])
    greeting = encode("/set_surface", 0, 1.5, "x"), ("127.0.0.1", 3819)
    assert sent == [(tenth, *greeting) for tenth in (0, 20, 99)]


def run(command, *arguments):
    return CliRunner().invoke(command, list(arguments), catch_exceptions=True)


def test_commands_say_what_is_wrong(monkeypatch, tmp_path):
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "hitpoint-none")
    monkeypatch.setenv("HITPOINT_CONFIG", str(tmp_path / "none.yaml"))
    done = run(panic.command, "--port", "1")
    assert isinstance(done.exception, MissingError) and "no bridge answers" in str(done.exception)
    done = run(serve.command, "--host", "0.0.0.0")
    assert isinstance(done.exception, UsageError)
    done = run(serve.command, "--alias", "cubase", "--port", "0", "--state-dir", str(tmp_path))
    assert isinstance(done.exception, InputError)
    done = run(ports.command, "--midi-api", "jack")
    assert isinstance(done.exception, MissingError) and "jack" in str(done.exception)


def test_doctor_names_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("HITPOINT_CONFIG", str(tmp_path / "none.yaml"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    done = run(doctor.command, "--no-note", "--port", "0")
    assert done.exception is None, done.output
    for word in ("Python", "ffmpeg", "real-time priority", "a timer wakes", "MIDI"):
        assert word in done.output
    done = run(doctor.command, "--no-note", "--midi-port", "no such port", "--port", "0")
    assert "Traceback" not in done.output
