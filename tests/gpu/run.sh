#!/bin/sh
# Measure the GPU path: parity, tokens a second, first bar, training, memory; then train for the minutes that are left.
# Needs python3 with torch (CUDA), numpy, safetensors and msgspec; nothing is installed and nothing is fetched.
#     sh tests/gpu/run.sh [--shards FOLDER] [--minutes 8]       on a machine with a card
#     sh tests/gpu/run.sh --device cpu --tiny                   the same work, as small as can be, anywhere
# Results go to $OUT (or ./out/gpu): figures.json, log.jsonl, and the checkpoint in pieces of at most 16 MiB.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-}
[ -n "$python" ] || { [ -x .venv/bin/python ] && python=.venv/bin/python || python=python3; }
sources=$(mktemp -d)
trap 'rm -rf "$sources"' EXIT
mkdir "$sources/hitpoint"
for top in model bridge; do ln -s "$PWD/$top" "$sources/hitpoint/$top"; done
PYTHONPATH="$sources:$PWD" PYTHONUNBUFFERED=1 "$python" -m tests.gpu.measure --out "${OUT:-out/gpu}" "$@"
