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
declare -A processes
beside() { # NAME COMMAND...: run it in the background
  local name=$1
  shift
  "$@" >".venv/$name.log" 2>&1 &
  processes[$name]=$!
}
finish() { # NAME: wait for it, and show what it said
  local status=0
  wait "${processes[$1]}" || status=$?
  cat ".venv/$1.log"
  return "$status"
}
tests() { # NAME ARGUMENT...: run these tests in a folder of their own
  .venv/bin/python -m pytest -p no:cacheprovider --basetemp="$folder/$1" "${@:2}"
}
apart=(tests/torture tests/app tests/examples)

for path in "${apart[@]}"; do beside "${path#tests/}" tests "${path#tests/}" "$path"; done
step "ruff check" .venv/bin/ruff check .
step "ruff format" .venv/bin/ruff format --check .
step "mypy" .venv/bin/mypy
step "wheel" bash .ci/wheel.sh
step "oldest libraries" bash .ci/oldest.sh --basetemp="$folder/oldest"
step "tests/app, oldest Dash" bash .ci/dash.sh oldest --basetemp="$folder/oldest-dash"
step "tests/app, newest Dash" bash .ci/dash.sh newest --basetemp="$folder/newest-dash"
step "tests/app, FastAPI and Quart" bash .ci/backends.sh --basetemp="$folder/backends"
step "pytest, all others" tests others "${apart[@]/#/--ignore=}"
for path in "${apart[@]}"; do step "pytest $path" finish "${path#tests/}"; done
step "nothing is left in the checkout" unchanged

if ((${#failed[@]})); then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "all is well"
