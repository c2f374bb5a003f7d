"""Inside Blender: what the panel asks for where one wish is made, for each of the examples.

Arguments: FOLDER PORT EXAMPLES (a JSON file: key -> text).
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import host

host.load()
scene = host.scene()
found = {}


def wish(settings, key, text):
    """As the user does it in the panel."""
    if key == "tempo":
        settings.tempo, (settings.bpm_low, settings.bpm_high) = "RANGE", map(float, text.split("-"))
    elif key == "instruments":
        settings.instruments = set(text.split(","))
    elif key == "harmony":
        settings.harmony, settings.progression = "file", text
    elif key == "odd-bars":
        settings.odd_bars = text == "on"
    elif isinstance(getattr(settings, key), (int, float)):
        setattr(settings, key, type(getattr(settings, key))(text))
    else:
        setattr(settings, key, text)


def fresh():
    """The settings as they are in a new file."""
    settings = scene.hitpoint
    for name in [each.identifier for each in settings.bl_rna.properties]:
        if name not in ("rna_type", "name"):
            settings.property_unset(name)
    return settings


found[""] = fresh().options()
for key, text in json.loads(Path(host.ARGUMENTS[2]).read_text()).items():
    settings = fresh()
    try:
        wish(settings, key, text)
    except (AttributeError, TypeError) as error:
        found[key] = str(error)
    else:
        found[key] = settings.options()
settings = fresh()
settings.harmony = "file"
try:
    settings.options()
except Exception as error:
    found["no chord file"] = str(error)
host.result(told=found)
