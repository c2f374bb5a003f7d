#!/bin/sh
# Install Hitpoint into .venv, give the example film its music in out/, and play it.
# PYTHON=python3.12 chooses another Python; arguments go to `hitpoint demo`.
set -eu
cd "$(dirname "$0")/.."
. tests/python.sh
install_hitpoint .
command -v ffmpeg >/dev/null || .venv/bin/python -m pip install --quiet imageio-ffmpeg
rm -rf build
exec .venv/bin/hitpoint demo -o out --force "$@"
