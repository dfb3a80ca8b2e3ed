#!/usr/bin/env bash
# The suite with the newest releases, with Flask, on one host, and what reads the source. matrix.sh runs what steps.sh
# lists.
set -euo pipefail

bash .ci/venv.sh test
bash .ci/programs.sh
source .ci/steps.sh

here() { # NAME ARGUMENT...: run these tests but those of matrix.sh
  tests "$@" "${elsewhere[@]/#/--ignore=}"
}
torture_and_apps() { # one after the other: what apps do without a browser takes as long as the torture
  local status=0
  here torture tests/torture || status=1
  here app tests/app "${browsers[@]/#/--ignore=}" || status=1
  return "$status"
}

# Six at once: most of them wait now and then, and so the processors are busy to the end.
mapfile -t browsers < <(grep -lE 'from tests\.(app\.test_browser|browsers) import' tests/app/test_*.py \
  | grep -vxF -f <(printf '%s\n' "${elsewhere[@]}"))
beside browsers tests browsers "${browsers[@]}"
beside examples here examples tests/examples
beside torture torture_and_apps
beside stores here stores tests/stores
beside others here others --ignore=tests/{app,examples,torture,stores}
step "ruff check" .venv/bin/ruff check .
step "ruff format" .venv/bin/ruff format --check .
step "mypy" .venv/bin/mypy
step "pytest, all others" finish others
step "pytest, apps in a browser" finish browsers
step "pytest tests/examples" finish examples
step "pytest tests/torture, other apps" finish torture
step "pytest tests/stores" finish stores
conclude
