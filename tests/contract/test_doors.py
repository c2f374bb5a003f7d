"""Each wish by each door gives the same bytes: here the command line and OSC; Blender and REAPER beside their tests."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hitpoint.bridge import cli
from hitpoint.model.errors import UsageError
from hitpoint.model.plan.types import Wishes
from hitpoint.model.plan.wishes.options import BY_KEY, parse_wishes
from tests.wishes import FILM_ONLY, examples, flags

sys.path.insert(0, str(Path(__file__).parents[1] / "bridge"))
from live_kit import Bridge, Client, wait_for

HOSTED = sorted(set(BY_KEY) - set(FILM_ONLY))
SOUNDLESS = ("--midi-port", "none", "--no-synth", "--no-realtime")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("doors")


@pytest.fixture(scope="module")
def wished(place: Path) -> dict[str, str]:
    return examples(place)


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[Client]:
    """Of a real bridge, whose composer tells every difference between plans."""
    bridge = Bridge(place / "bridge", *SOUNDLESS, tools="", test_composer="tests.fakes:make_telling")
    with bridge, Client(bridge.port) as client:
        yield client


def by_command_line(place: Path, film: Path, given: list[str], monkeypatch: pytest.MonkeyPatch) -> bytes:
    config, out = place / "command.yaml", place / "command.mid"
    config.write_text("test_composer: tests.fakes:make_telling\n", encoding="utf-8")
    monkeypatch.setenv("HITPOINT_CONFIG", str(config))
    monkeypatch.setattr(sys, "argv", ["hitpoint", "score", str(film), "-o", str(out), "--force", *given])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    return out.read_bytes()


def by_osc(client: Client, film: Path, job: str, pairs: dict[str, object]) -> bytes:
    """What came of it. Fails with the bridge's own sentence."""
    client.score(job, film, wait=False, **pairs)

    def ended() -> object:
        for _, message in client.hear():
            assert message.address != "/hitpoint/error", message.arguments
            if message.address == "/hitpoint/result" and message.arguments[0] == job:
                return message.arguments[1]
        return None

    return Path(str(wait_for(ended, 60, job))).read_bytes()


def test_there_is_an_example_of_every_wish_and_none_is_the_default(wished: dict[str, str]) -> None:
    assert set(wished) == set(BY_KEY)
    same = [key for key, text in wished.items() if parse_wishes({key: text}) == Wishes()]
    assert same == []


def test_one_film_without_wishes_and_with_each_of_them(
    client: Client, place: Path, film: Path, wished: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command line and over OSC; and no wish is lost on the way."""
    plain = by_command_line(place, film, [], monkeypatch)
    assert by_osc(client, film, "plain", {}) == plain
    unlike, unheard = [], []
    for key in HOSTED:
        wanted = by_command_line(place, film, flags(key, wished[key]), monkeypatch)
        if by_osc(client, film, f"with-{key}", {key: wished[key]}) != wanted:
            unlike.append(key)
        if wanted == plain:
            unheard.append(key)
    assert (unlike, unheard) == ([], [])


def test_numbers_over_osc_may_be_of_any_kind(
    client: Client, place: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole numbers as floats, switches as true, floats of 32 bits: hosts send what they have."""
    wanted = by_command_line(place, film, ["--seed=7", "--valence=-0.7", "--odd-bars"], monkeypatch)
    single = struct.unpack("f", struct.pack("f", -0.7))[0]
    whole: dict[str, object] = {"seed": 7, "valence": -0.7, "odd-bars": 1}
    hosts: dict[str, object] = {"seed": 7.0, "valence": single, "odd-bars": True}
    texts: dict[str, object] = {"seed": "7", "valence": "-0.7", "odd-bars": "on"}
    for number, pairs in enumerate((whole, hosts, texts)):
        assert by_osc(client, film, f"numbers-{number}", pairs) == wanted


def test_what_is_of_films_alone_is_refused_over_osc_or_left_to_the_host(client: Client, film: Path) -> None:
    client.score("refused", film, wait=False, repitch="on")
    _, text = client.wait("/hitpoint/error", 20)[:2]
    assert "hitpoint score --repitch" in text
    with pytest.raises(UsageError):
        parse_wishes({"nonsense": "1"})


def test_a_suggestion_is_the_same_by_both_doors(
    client: Client, film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Genre, mood, shares and reasons; what is followed by a score with genre auto is that."""
    for number, words in enumerate(("", "a quiet farewell at dawn")):
        monkeypatch.setattr(sys, "argv", ["hitpoint", "suggest", str(film), "--describe", words, "--json", "-"])
        with pytest.raises(SystemExit):
            cli.main()
        wanted = json.loads(capsys.readouterr().out)
        job = f"suggested-{number}"
        client.say("/hitpoint/clips/begin", job, 24.0, 1)
        client.say("/hitpoint/clip", job, 0, str(film), 0.0, 0.0, -1.0)
        client.say("/hitpoint/clips/end", job, 1)
        client.say("/hitpoint/suggest", job, *((words,) if words else ()))
        _, genre, genre_share, mood, mood_share, why = client.wait("/hitpoint/suggestion", 60)[:6]
        assert (genre, mood, why) == (wanted["genre"], wanted["mood"], "; ".join(wanted["why"]))
        assert (genre_share, mood_share) == pytest.approx((wanted["genre_share"], wanted["mood_share"]), abs=1e-4)
