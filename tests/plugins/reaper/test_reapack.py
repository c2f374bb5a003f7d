"""ReaPack's header tags and index: every file named, every name a file."""

import re
import subprocess
import sys
from urllib.parse import unquote
from xml.etree import ElementTree

from tests.plugins.reaper.reaper_emulated import PLUGIN, SCORE_ITEMS


def test_header_tags_stand_on_top_without_blank_lines():
    for path in sorted(PLUGIN.glob("Hitpoint_*.lua")):
        head = path.read_text().split("\n\n")[0].splitlines()
        assert all(line.startswith("--") for line in head)
        assert any(line.startswith("-- @version ") for line in head), path.name
        assert any(line.startswith("-- @description Hitpoint: ") for line in head), path.name


def test_every_other_file_is_provided_by_the_package():
    lines = (PLUGIN / SCORE_ITEMS).read_text().split("\n\n")[0].splitlines()
    provided = {found[1] for line in lines if (found := re.match(r"--   \[(?:main|nomain)\] (.+)$", line))}
    named = {path for pattern in provided if pattern != "." for path in PLUGIN.glob(pattern)}
    shipped = set(PLUGIN.rglob("*.lua")) | set(PLUGIN.glob("*.ReaperOSC"))
    assert named | {PLUGIN / SCORE_ITEMS} == shipped


def make_index(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PLUGIN / "make_index.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_index_names_every_file_below_the_address_that_is_given():
    base = "https://files.invalid/hitpoint/v0.1.0"
    root = ElementTree.fromstring(make_index(base + "/").stdout)
    assert root.tag == "index" and root.get("version") == "1"
    [version] = root.iter("version")
    sources = version.findall("source")
    files = {unquote(source.text.removeprefix(f"{base}/plugins/reaper/")) for source in sources}
    assert files == {p.relative_to(PLUGIN).as_posix() for p in [*PLUGIN.rglob("*.lua"), *PLUGIN.glob("*.ReaperOSC")]}
    assert sum(source.get("main") == "main" for source in sources) == 7


def test_no_index_without_an_address():
    for arguments in ((), ("index.xml",), ("https://a.invalid", "https://b.invalid")):
        made = make_index(*arguments)
        assert made.returncode != 0 and made.stdout == "" and "ADDRESS" in made.stderr
    assert not (PLUGIN / "index.xml").exists(), "an index with a made-up address would pretend to work"
