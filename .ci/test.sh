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
bash .ci/browser.sh
step "ruff check" .venv/bin/ruff check .
step "ruff format" .venv/bin/ruff format --check .
step "mypy" .venv/bin/mypy
step "wheel" bash .ci/wheel.sh
step "codec with pandas 2.2" bash .ci/pandas.sh
step "pytest" .venv/bin/python -m pytest

if ((${#failed[@]})); then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "all is well"
