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

# Five at once, of about the same work: most of them wait now and then, and so the processors are busy to the end.
apart=(tests/app tests/examples tests/torture tests/stores)
for path in "${apart[@]}"; do beside "${path#tests/}" tests "${path#tests/}" "$path"; done
step "ruff check" .venv/bin/ruff check .
step "ruff format" .venv/bin/ruff format --check .
step "mypy" .venv/bin/mypy
step "pytest, all others" tests others "${apart[@]/#/--ignore=}"
for path in "${apart[@]}"; do step "pytest $path" finish "${path#tests/}"; done
conclude
