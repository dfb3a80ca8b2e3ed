# Sourced by test.sh and matrix.sh: steps, of which some run beside others. One that fails does not keep the others from
# running.

failed=()
declare -A processes
folder=$(mktemp -d) # for what tests write; pytest's usual one is shared with others
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT

changes() { git status --porcelain 2>/dev/null || true; } # a source archive has no git
before=$(changes)
unchanged() { diff <(echo "$before") <(echo "$(changes)"); }

step() { # TITLE COMMAND...: run it now
  local title=$1 start=$SECONDS
  shift
  echo "== $title"
  "$@" || failed+=("$title")
  echo "   $((SECONDS - start)) s"
}
beside() { # NAME COMMAND...: run it in the background
  local name=$1
  shift
  (
    start=$SECONDS status=0
    "$@" || status=$?
    echo "   $((SECONDS - start)) s by itself"
    exit "$status"
  ) >".venv/$name.log" 2>&1 &
  processes[$name]=$!
}
finish() { # NAME: wait for it, and show what it said
  local status=0
  wait "${processes[$1]}" || status=$?
  cat ".venv/$1.log"
  return "$status"
}
conclude() { # say which steps have failed
  step "nothing is left in the checkout" unchanged
  if ((${#failed[@]})); then
    printf 'failed: %s\n' "${failed[@]}"
    exit 1
  fi
  echo "all is well"
}
