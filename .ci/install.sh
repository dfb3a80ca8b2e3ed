#!/usr/bin/env bash
# install.sh PYTHON ARGUMENT...: what «pip install ARGUMENT...» does for this Python, in a sixth of the time.
set -euo pipefail
options=(-qq --disable-pip-version-check --no-compile) # few of the modules are ever imported, and so compiled

.venv/bin/python -m pip install "${options[@]}" uv
# uv does not read the settings of pip: where these name another index, pip installs.
.venv/bin/uv pip install --quiet --python "$1" "${@:2}" || .venv/bin/python -m pip --python "$1" install "${options[@]}" "${@:2}"
