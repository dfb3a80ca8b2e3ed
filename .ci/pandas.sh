#!/usr/bin/env bash
# Run the tests of the codec with pandas 2.2, the oldest pandas that dash_brain promises to work with.
set -euo pipefail

if .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 14))'; then
  echo "pandas 2.2 has no wheels for $(.venv/bin/python --version): not tested here; use Python 3.10 to 3.13 for it."
  exit
fi
if [[ ! -f .venv/pandas-2.2/installed ]]; then
  .venv/bin/python -m venv .venv/pandas-2.2
  # Its own pandas in front of all the packages of .venv: a second of work instead of a minute.
  site=$(.venv/pandas-2.2/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  .venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$site/below.pth"
  .venv/pandas-2.2/bin/python -m pip install -qq --disable-pip-version-check 'pandas==2.2.*'
  touch .venv/pandas-2.2/installed
fi
.venv/pandas-2.2/bin/python -c 'import pandas; print("pandas", pandas.__version__)'
.venv/pandas-2.2/bin/python -m pytest tests/codec
