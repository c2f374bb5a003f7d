#!/bin/sh
# Makes one virtual environment per Blender that PyPI has as the module `bpy` (Python 3.11, about 1 GB each).
# usage: setup.sh [42] [45] [50]     into $HITPOINT_BPY, or the system's temporary folder; all three by default
set -eu
folder="${HITPOINT_BPY:-${TMPDIR:-/tmp}}"
for short in ${*:-42 45 50}; do
    venv="$folder/bpy$short"
    [ -x "$venv/bin/python" ] && "$venv/bin/python" -c "import bpy" 2>/dev/null && continue
    if ! "${PYTHON:-python3.11}" -m venv "$venv" ||
        ! "$venv/bin/pip" install -q "bpy==$(echo "$short" | sed 's/./&./').*" "numpy<2"; then
        rm -rf "$venv" # half an environment would make the tests fail, none lets them say why they skip
        exit 1
    fi
done
