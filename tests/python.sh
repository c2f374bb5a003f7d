# For examples/try.sh and tests/run.sh: find a Python that Hitpoint runs on, and install into .venv with it.
find_python() {
    for python in ${PYTHON:-} python3 python3.12 python3.11 python3.10; do
        if "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    echo "error: there is no Python 3.10, 3.11 or 3.12; install one, or name it: PYTHON=/path/to/python" >&2
    exit 4
}

# install_hitpoint WHAT: the package, what it needs, and the synth without its pyaudio, at the versions that were tested.
install_hitpoint() {
    [ -x .venv/bin/python ] || "$(find_python)" -m venv .venv
    .venv/bin/python -m pip install --quiet -c constraints.txt "$1"
    .venv/bin/python -m pip install --quiet -c constraints.txt --no-deps tinysoundfont
}
