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

changes() { git status --porcelain 2>/dev/null || true; } # a source archive has no git
unchanged() { diff <(echo "$before") <(echo "$(changes)"); }

bash .ci/venv.sh test
bash .ci/programs.sh
before=$(changes)

# Much of the torture, and of what has a browser, is waiting; so the others run beside them.
folder=$(mktemp -d) # of its own: pytest's usual one is the others'
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
beside() { # NAME PATH...: run these tests in the background; $! is their process
  local name=$1
  shift
  .venv/bin/python -m pytest -p no:cacheprovider --basetemp="$folder/$name" "$@" >".venv/$name.log" 2>&1 &
}
finish() { # NAME PROCESS: wait for them, and show what they said
  local status=0
  wait "$2" || status=$?
  cat ".venv/$1.log"
  return "$status"
}
pages=(tests/app tests/examples)

beside torture tests/torture
torture=$!
beside pages "${pages[@]}"
pages_process=$!
step "ruff check" .venv/bin/ruff check .
step "ruff format" .venv/bin/ruff format --check .
step "mypy" .venv/bin/mypy
step "wheel" bash .ci/wheel.sh
step "oldest libraries" bash .ci/oldest.sh
step "pytest, all others" .venv/bin/python -m pytest "${pages[@]/#/--ignore=}" --ignore=tests/torture
step "tests/app, oldest Dash" bash .ci/dash.sh oldest --basetemp="$folder/oldest"
step "tests/app, newest Dash" bash .ci/dash.sh newest --basetemp="$folder/newest"
step "pytest ${pages[*]}" finish pages "$pages_process"
step "pytest tests/torture" finish torture "$torture"
step "nothing is left in the checkout" unchanged

if ((${#failed[@]})); then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "all is well"
