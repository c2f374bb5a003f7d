"""What the panel asks for is what the command line would: the same wishes, so the same bytes (contract/test_doors)."""

import json

import pytest
from conftest import run_script

from hitpoint.bridge.osc import codec
from hitpoint.bridge.session.paths import written
from hitpoint.bridge.work.jobs import OWN_PAIRS
from hitpoint.model.plan.wishes.options import parse_wishes
from tests.wishes import BLENDER, examples


def wishes_of(options):
    """As the bridge reads them, after the way over OSC."""
    message = codec.decode(codec.encode("/hitpoint/score", "film", *options))[0]
    values = [written(value) for value in message.arguments[1:]]
    pairs = dict(zip(values[::2], values[1::2], strict=True))
    return parse_wishes({key: value for key, value in pairs.items() if key not in OWN_PAIRS})


@pytest.mark.parametrize("host", ["3.4", "4.5", "5.0"])
def test_each_wish_of_the_panel_is_that_of_the_command_line(host, tmp_path):
    wished = {key: text for key, text in examples(tmp_path).items() if key in BLENDER}
    table = tmp_path / "examples.json"
    table.write_text(json.dumps(wished))
    found = run_script(host, "script_doors.py", tmp_path, 1, table)["told"]
    assert wishes_of(found.pop("")) == parse_wishes({}), "a panel that nobody touched"
    assert found.pop("no chord file") == "Choose the file with your chords, or let them be planned."
    assert set(found) == set(BLENDER)
    told = {key: wishes_of(options) for key, options in found.items()}
    assert told == {key: parse_wishes({key: text}) for key, text in wished.items()}
