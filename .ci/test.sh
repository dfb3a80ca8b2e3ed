#!/usr/bin/env bash
# The suite with the newest releases, with Flask, on one host, and what reads the source. matrix.sh runs what steps.sh
# lists.
set -euo pipefail

bash .ci/programs.sh &
bash .ci/venv.sh test || { wait; exit 1; }
wait "$!" || bash .ci/programs.sh # which says again what is missing
source .ci/steps.sh

here() { # NAME ARGUMENT...: run these tests but those of matrix.sh
  tests "$@" "${elsewhere[@]/#/--ignore=}"
}
examples_and_apps() { # one after the other: then it takes as long as the others do
  local status=0
  here examples tests/examples || status=1
  here app tests/app "${browsers[@]/#/--ignore=}" || status=1
  return "$status"
}

package=(tests/{cli,kit,packaging})
browsers_and_package() {
  local status=0
  tests browsers "${browsers[@]}" || status=1
  here package "${package[@]}" || status=1
  return "$status"
}

# Six at once: most of them wait now and then, and so the processors are busy to the end.
mapfile -t browsers < <(grep -lE 'from tests\.(app\.test_browser|browsers) import' tests/app/test_*.py \
  | grep -vxF -f <(printf '%s\n' "${elsewhere[@]}"))
beside browsers browsers_and_package
beside examples examples_and_apps
beside torture here torture tests/torture
beside stores here stores tests/stores
beside others here others --ignore=tests/{app,examples,torture,stores} "${package[@]/#/--ignore=}"
step "ruff check" .venv/bin/ruff check .
step "ruff format" .venv/bin/ruff format --check .
step "mypy" .venv/bin/mypy
step "pytest, all others" finish others
step "pytest, apps in a browser, tests of the package" finish browsers
step "pytest tests/examples, other apps" finish examples
step "pytest tests/torture" finish torture
step "pytest tests/stores" finish stores
conclude
