#!/usr/bin/env bash
# install.sh PYTHON ARGUMENT...: what «pip install ARGUMENT...» does for this Python, with uv in a sixth of the time. uv does
# not read the settings of pip: where these name another index than PyPI, pip installs, and where uv fails.
set -euo pipefail
python=$1
shift
pip=(.venv/bin/python -m pip) options=(-qq --disable-pip-version-check --no-compile) # few of the modules are ever imported

settings=$("${pip[@]}" config list)
UV_CONSTRAINT=$(sed -n "s/^[^=]*\.constraint='\(.*\)'$/\1/p" <<<"$settings")
export UV_CONSTRAINT
with_uv() {
  ! grep -qE '\.(index-url|no-index)=' <<<"$settings" && "${pip[@]}" install "${options[@]}" uv &&
    .venv/bin/uv pip install --quiet --python "$python" "$@"
}
with_uv "$@" 2>/dev/null || "${pip[@]}" --python "$python" install "${options[@]}" "$@"
