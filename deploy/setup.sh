#!/bin/sh
# Finds a Python that runs, makes .venv and installs one lock file. Quick when nothing changed.
# usage: deploy/setup.sh requirements.lock
set -eu
lock=$1

works() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }

find_python() {
    # A name on the path may be a version manager's shim that fails, so every candidate is run.
    for candidate in "${PYTHON:-}" python3.13 python3.12 python3.14 python3 python \
        "$HOME"/.pyenv/versions/3.13*/bin/python "$HOME"/.pyenv/versions/3.12*/bin/python \
        "$HOME"/.local/share/uv/python/*/bin/python3 /opt/homebrew/bin/python3 /usr/local/bin/python3; do
        [ -n "$candidate" ] && works "$candidate" && { echo "$candidate"; return 0; }
    done
    return 1
}

if ! { [ -x .venv/bin/python ] && works .venv/bin/python; }; then
    if ! python=$(find_python); then
        # uv can bring a Python of its own where it may download one.
        if command -v python3 >/dev/null 2>&1 && python3 -m venv var/uv >/dev/null 2>&1 &&
            var/uv/bin/pip install -q uv >/dev/null 2>&1 && var/uv/bin/uv python install -q 3.13 >/dev/null 2>&1; then
            python=$(var/uv/bin/uv python find 3.13)
        else
            echo "Doorstep needs Python 3.12 or newer, with venv. Install python3.13 (Debian: apt install python3-full," >&2
            echo "macOS: brew install python@3.13, anywhere: pyenv install 3.13) or name one: make demo PYTHON=/path/to/python" >&2
            exit 1
        fi
    fi
    echo "Making .venv with $python"
    rm -rf .venv
    "$python" -m venv .venv
fi

wanted=$(cksum "$lock" | cut -d' ' -f1,2)
if [ "$(cat ".venv/$lock.installed" 2>/dev/null || true)" != "$wanted" ]; then
    # The development lock holds everything the other one does.
    if [ "$lock" = requirements.lock ] && [ -e .venv/requirements-dev.lock.installed ] &&
        [ "$(cat .venv/requirements-dev.lock.installed)" = "$(cksum requirements-dev.lock | cut -d' ' -f1,2)" ]; then
        exit 0
    fi
    echo "Installing $lock"
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
    echo "$wanted" > ".venv/$lock.installed"
fi
