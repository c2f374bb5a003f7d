#!/bin/sh
# Install all that the tests need, system packages included, and run them, benches apart. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
packages="ffmpeg espeak-ng jackd2 fluidsynth timgm6mb-soundfont lua5.4 python3-venv blender xvfb xdotool libgl1-mesa-dri ardour chromium"
if command -v apt-get >/dev/null; then
    root=""
    [ "$(id -u)" = 0 ] || root=sudo
    export DEBIAN_FRONTEND=noninteractive
    $root apt-get update -qq
    $root apt-get install -y -qq --no-install-recommends $packages >/dev/null
else
    echo "note: no apt-get here; without these some tests are skipped: $packages" >&2
fi
. tests/python.sh
install_hitpoint '.[dev]'
sh tests/plugins/blender/setup.sh 50 || echo "note: no bpy 5.0; tests of the extension inside it are skipped" >&2
rm -rf build
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy -p hitpoint.model -p hitpoint.bridge
.venv/bin/mypy --explicit-package-bases plugins/blender plugins/reaper
.venv/bin/pdoc -o out/api hitpoint.model.compose.base hitpoint.model.output.base hitpoint.model.video.detectors.base \
    hitpoint.model.music.score hitpoint.model.plan.types
[ $# -eq 0 ] || exec .venv/bin/python -m pytest "$@"
status=0 # what plays in real time, and whole programs, would disturb each other side by side
.venv/bin/python -m pytest -q -n 2 -m "not live and not host and not bench" || status=$?
.venv/bin/python -m pytest -q -m "live or host" || status=$?
exit $status
