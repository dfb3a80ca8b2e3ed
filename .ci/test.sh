#!/usr/bin/env bash
# The whole suite with the newest releases, on one host, and what reads the source. matrix.sh runs what needs two hosts
# or object storage.
set -euo pipefail

bash .ci/venv.sh test
bash .ci/programs.sh
source .ci/steps.sh

tests() { # NAME ARGUMENT...: run these tests in a folder of their own
  local elsewhere=(--ignore-glob='*/test_two_hosts.py' --ignore-glob='*/test_bucket*.py' --ignore-glob='*/test_site.py')
  .venv/bin/python -m pytest -p no:cacheprovider --basetemp="$folder/$1" "${@:2}" "${elsewhere[@]}"
}

torture_and_apps() { # one after the other: what apps do without a browser takes as long as half of the torture
  local status=0
  tests torture tests/torture || status=1
  tests app tests/app "${browsers[@]/#/--ignore=}" || status=1
  return "$status"
}

# Five at once, of about the same work: most of them wait now and then, and so the processors are busy to the end.
mapfile -t browsers < <(grep -lE 'from tests\.(app\.test_browser|browsers) import' tests/app/test_*.py)
beside browsers tests browsers "${browsers[@]}"
beside examples tests examples tests/examples
beside torture torture_and_apps
beside stores tests stores tests/stores
step "ruff check" .venv/bin/ruff check .
step "ruff format" .venv/bin/ruff format --check .
step "mypy" .venv/bin/mypy
step "pytest, all others" tests others --ignore=tests/{app,examples,torture,stores}
step "pytest, apps in a browser" finish browsers
step "pytest tests/examples" finish examples
step "pytest tests/torture, other apps" finish torture
step "pytest tests/stores" finish stores
conclude
