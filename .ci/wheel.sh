#!/usr/bin/env bash
# Build the wheel by way of the source archive, install it where nothing else is, and use it there.
set -euo pipefail

rm -rf .venv/dist
.venv/bin/python -m build --outdir .venv/dist . >.venv/build.log 2>&1 || { cat .venv/build.log >&2; exit 1; }
[[ -x .venv/wheel/bin/pip ]] || .venv/bin/python -m venv .venv/wheel
pip=(.venv/wheel/bin/python -m pip -qq --disable-pip-version-check)
"${pip[@]}" uninstall -y dash-brain
"${pip[@]}" install .venv/dist/*.whl
.venv/wheel/bin/python -I .ci/smoke.py
