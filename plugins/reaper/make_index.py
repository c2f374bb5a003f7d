"""Writes the ReaPack index of the scripts: `python make_index.py ADDRESS > index.xml`.

ADDRESS (https://…) is where this repository's files of that version can be fetched; only who publishes it knows,
so that no index lies in the repository. Users add the address of index.xml itself under Extensions > ReaPack > Import
repositories. Format: github.com/cfillion/reapack/wiki (index version 1).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

HERE = Path(__file__).resolve().parent
PACKAGE = "Hitpoint_Score selected items.lua"
ACTIONS = "Hitpoint_*.lua"
LIBRARY = ("lib/*.lua", "acceptance.lua", "Hitpoint.ReaperOSC")


def tag(name: str) -> str:
    """The value of a header tag of the package's main script."""
    found = re.search(rf"^-- @{name} (.+)$", (HERE / PACKAGE).read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit(f"{PACKAGE} has no @{name}")
    return found[1]


def index(base_url: str) -> str:
    """The text of index.xml."""
    sources = []
    files = sorted(HERE.glob(ACTIONS)) + [path for pattern in LIBRARY for path in sorted(HERE.glob(pattern))]
    for path in files:
        name = path.relative_to(HERE).as_posix()
        main = ' main="main"' if path.match(ACTIONS) else ""
        own = "" if name == PACKAGE else f" file={quoteattr(name)}"
        url = f"{base_url.rstrip('/')}/plugins/reaper/{quote(name)}"
        sources.append(f"        <source{main}{own}>{escape(url)}</source>")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<index version="1" name="Hitpoint">',
        '  <category name="Hitpoint">',
        f'    <reapack name={quoteattr(PACKAGE)} type="script" desc={quoteattr(tag("description"))}>',
        f"      <version name={quoteattr(tag('version'))} author={quoteattr(tag('author'))}>",
        *sources,
        "      </version>",
        "    </reapack>",
        "  </category>",
        "</index>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].startswith(("https://", "http://")):
        raise SystemExit(__doc__)
    sys.stdout.write(index(sys.argv[1]))
