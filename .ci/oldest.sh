#!/usr/bin/env bash
# Run the tests of the codec and of cookies with the oldest libraries that dash_brain takes, but for Dash; without what
# knows nothing of pandas, Arrow, Flask or Werkzeug.
set -euo pipefail

if .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 14))'; then
  echo "They have no wheels for $(.venv/bin/python --version): not tested here; use Python 3.10 to 3.13 for it."
  exit
fi
mapfile -t oldest < <(.venv/bin/python .ci/floors.py flask pandas pyarrow werkzeug)
bash .ci/layered.sh oldest "${oldest[@]}"
echo "${oldest[*]}"
ignored=(--ignore=tests/codec/test_{fingerprint,numpy,register}.py)
.venv/oldest/bin/python -m pytest -p no:cacheprovider "$@" "${ignored[@]}" tests/codec tests/app/test_{sessions,cookie_modes}.py
