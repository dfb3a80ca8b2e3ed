#!/usr/bin/env bash
# backends.sh: run the tests of callbacks, sessions and examples with apps on FastAPI and Quart, as the whole suite does with Flask.
# What differs there is in tests/app/test_asgi.py.
set -euo pipefail
files=(background brain_manager busy callbacks claims close_session cookie_modes descriptions endpoints_and_tools ids keys
  memoized_callbacks panel patches principal
  reading recipes sessions)
files=("${files[@]/#/tests/app/test_}" tests/examples/test_demo)

for backend in fastapi quart; do
  echo "$backend"
  BACKEND=$backend .venv/bin/python -m pytest -p no:cacheprovider "$@" "${files[@]/%/.py}"
done
