#!/usr/bin/env bash
# pictures.sh: take the pictures in the documents anew: docs/images/*.webp of the programs above them, and that of the panel.
set -euo pipefail
TAKE_PICTURES=1 .venv/bin/python -m pytest -p no:cacheprovider tests/packaging/test_documents.py -k "runs_as_it_stands"
TAKE_PICTURES=1 .venv/bin/python -m pytest -p no:cacheprovider tests/app/test_panel_browser.py
