#!/usr/bin/env bash
# What test.sh leaves out (steps.sh lists it), and what needs other packages: the built wheel where nothing else is installed,
# the oldest libraries, the oldest and the newest Dash, what apps have beside dash_brain. Four legs at a time: most of them
# wait now and then.
set -euo pipefail

bash .ci/venv.sh test
bash .ci/programs.sh
source .ci/steps.sh

legs=()
leg() { # NAME COMMAND...: begin it when fewer than four are running
  while (($(jobs -pr | wc -l) >= 4)); do sleep 1; done
  legs+=("$1")
  beside "$@"
}

# The longest first.
leg examples tests examples "${examples[@]}"
leg pages tests pages "${pages[@]}"
leg dash-newest bash .ci/dash.sh newest --basetemp="$folder/dash-newest"
leg redis tests redis "${redis[@]}"
leg quart bash .ci/backends.sh quart --basetemp="$folder/quart"
leg fastapi bash .ci/backends.sh fastapi --basetemp="$folder/fastapi"
leg hosts tests hosts "${hosts[@]}"
leg torture tests torture "${torture[@]}"
leg asgi tests asgi "${asgi[@]}"
leg bucket tests bucket "${bucket[@]}"
leg oldest bash .ci/oldest.sh --basetemp="$folder/oldest"
leg documents tests documents "${documents[@]}"
leg caches tests caches "${caches[@]}"
leg neighbours bash .ci/neighbours.sh --basetemp="$folder/neighbours"
leg wheel bash .ci/wheel.sh
leg pyright bash .ci/pyright.sh
leg dash-oldest bash .ci/dash.sh oldest --basetemp="$folder/dash-oldest"
[[ -z ${PYTHONS:-} ]] || leg pythons bash .ci/pythons.sh $PYTHONS # minutes for each: not in .ci/run
for name in "${legs[@]}"; do step "$name" finish "$name"; done
conclude
