#!/usr/bin/env bash
# Everything CI checks. A step that fails does not keep the others from running.
set -euo pipefail

failed=()
step() {
  local title=$1 start=$SECONDS
  shift
  echo "== $title"
  "$@" || failed+=("$title")
  echo "   $((SECONDS - start)) s"
}

bash .ci/venv.sh test
bash .ci/programs.sh

# The torture takes minutes and mostly waits; so the others run beside it, but for those with a browser, which
# look at the clock.
folder=$(mktemp -d) # of its own: pytest's usual one is the others'
.venv/bin/python -m pytest -p no:cacheprovider --basetemp="$folder/torture" tests/torture >.venv/torture.log 2>&1 &
torture=$!
trap 'kill $torture 2>/dev/null || true; rm -rf "$folder"' EXIT
finish_torture() {
  local status=0
  wait "$torture" || status=$?
  cat .venv/torture.log
  return "$status"
}
alone=(tests/app tests/examples)

step "ruff check" .venv/bin/ruff check .
step "ruff format" .venv/bin/ruff format --check .
step "mypy" .venv/bin/mypy
step "wheel" bash .ci/wheel.sh
step "codec with pandas 2.2" bash .ci/pandas.sh
step "pytest, all others" .venv/bin/python -m pytest "${alone[@]/#/--ignore=}" --ignore=tests/torture
step "pytest tests/torture" finish_torture
step "pytest ${alone[*]}" .venv/bin/python -m pytest "${alone[@]}"

if ((${#failed[@]})); then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "all is well"
