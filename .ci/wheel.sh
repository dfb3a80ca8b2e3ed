#!/usr/bin/env bash
# Build the wheel by way of the source archive, install it where nothing else is, and use it there.
set -euo pipefail

bash .ci/build.sh .venv/dist >.venv/build.log 2>&1 || { cat .venv/build.log >&2; exit 1; }
[[ -x .venv/wheel/bin/python ]] || .venv/bin/python -m venv --without-pip .venv/wheel
pip=(.venv/bin/python -m pip --python .venv/wheel/bin/python -qq --disable-pip-version-check)
"${pip[@]}" uninstall -y dash-brain
"${pip[@]}" install --no-compile .venv/dist/*.whl # modules are compiled when they are imported: few of them are
.venv/wheel/bin/python -I .ci/smoke.py
