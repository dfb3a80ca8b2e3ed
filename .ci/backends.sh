#!/usr/bin/env bash
# backends.sh fastapi|quart: run the tests of callbacks, sessions and examples with apps on it, as the whole suite does on Flask.
# What differs there is in tests/app/test_asgi.py.
set -euo pipefail
files=(background brain_manager busy callbacks claims close_session cookie_modes descriptions endpoints_and_tools panel
  patches principal reading sessions)
files=("${files[@]/#/tests/app/test_}" tests/examples/test_demo)

BACKEND=$1 .venv/bin/python -m pytest -p no:cacheprovider "${@:2}" "${files[@]/%/.py}"
