#!/usr/bin/env bash
# docs.sh [FOLDER]: make the site of the documents, in docs/_build. It takes nothing from the network; warnings are errors.
set -euo pipefail
site=${1:-docs/_build}
options=(--builder html --fresh-env --write-all --fail-on-warning --keep-going --nitpicky --quiet)
.venv/bin/python -m sphinx "${options[@]}" docs "$site"
echo "$site/index.html"
