#!/usr/bin/env bash
# What test.sh checks with the newest releases and on one host, with others: the built wheel where nothing else is
# installed, the oldest libraries, the oldest and the newest Dash, FastAPI and Quart, what apps have beside dash_brain, two
# hosts, object storage, the documents as a site. Two legs at a time, as many as CI has cores.
set -euo pipefail

bash .ci/venv.sh test
bash .ci/programs.sh
source .ci/steps.sh

legs=()
leg() { # NAME COMMAND...: begin it when fewer than two are running
  while (($(jobs -pr | wc -l) >= 2)); do sleep 0.2; done
  legs+=("$1")
  beside "$@"
}

# The longest first.
leg dash-newest bash .ci/dash.sh newest --basetemp="$folder/dash-newest"
leg hosts .venv/bin/python -m pytest -p no:cacheprovider --basetemp="$folder/hosts" tests/{app,examples}/test_two_hosts.py
leg bucket .venv/bin/python -m pytest -p no:cacheprovider --basetemp="$folder/bucket" tests/stores/redis/test_bucket*.py
leg dash-oldest bash .ci/dash.sh oldest --basetemp="$folder/dash-oldest"
leg backends bash .ci/backends.sh --basetemp="$folder/backends"
leg neighbours bash .ci/neighbours.sh --basetemp="$folder/neighbours"
leg oldest bash .ci/oldest.sh --basetemp="$folder/oldest"
leg wheel bash .ci/wheel.sh
leg pyright bash .ci/pyright.sh
leg docs .venv/bin/python -m pytest -p no:cacheprovider --basetemp="$folder/docs" tests/packaging/test_site.py
for name in "${legs[@]}"; do step "$name" finish "$name"; done
conclude
