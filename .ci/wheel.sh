#!/usr/bin/env bash
# Build the wheel by way of the source archive, install it where nothing else is, and use it there.
set -euo pipefail

bash .ci/build.sh .venv/dist >.venv/build.log 2>&1 || { cat .venv/build.log >&2; exit 1; }
.venv/bin/python -m venv --clear --without-pip .venv/wheel
bash .ci/install.sh .venv/wheel/bin/python .venv/dist/*.whl
.venv/wheel/bin/python -I .ci/smoke.py
