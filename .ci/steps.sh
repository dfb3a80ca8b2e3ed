# Sourced by test.sh and matrix.sh: steps, of which some run beside others. One that fails does not keep the others from
# running.

# What test.sh leaves to matrix.sh: everything but Flask on one host with a store in shared memory, the documents, and what
# takes the longest of the torture, of the examples and of the pages in a browser.
asgi=(tests/app/test_{asgi,asgi_background,asgi_requests,backends,reload}.py tests/torture/test_sockets.py)
pages=(tests/app/test_{background_workers,busy,guarded,iframes,panel_browser,ported,refusing_browsers,survival}.py)
redis=(tests/stores/redis/test_[!b]*.py tests/stores/test_near_redis.py)
bucket=(tests/stores/redis/test_bucket*.py)
caches=(tests/adapters/test_flask_caching{,_store}.py)
hosts=(tests/{app,examples}/test_two_hosts.py)
torture=(tests/torture/test_{attacks,containers,faults,recycled,spares}.py)
examples=(tests/examples/test_{access,feeder,gallery,hard_places,job_and_file,load_once,many_browsers,plain}.py)
documents=(tests/packaging/test_{documents,site}.py)
elsewhere=("${asgi[@]}" "${pages[@]}" "${redis[@]}" "${bucket[@]}" "${caches[@]}" "${hosts[@]}" "${torture[@]}" "${examples[@]}"
  "${documents[@]}")

# Hundreds of processes import the same modules: each would compile them anew.
unset PYTHONDONTWRITEBYTECODE

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
tests() { # NAME ARGUMENT...: run these tests in a folder of their own
  .venv/bin/python -m pytest -p no:cacheprovider --basetemp="$folder/$1" "${@:2}"
}
beside() { # NAME COMMAND...: run it in the background
  local name=$1
  shift
  rm -f ".venv/$name.status"
  (
    start=$SECONDS status=0
    "$@" || status=$?
    echo "   $((SECONDS - start)) s by itself"
    echo "$status" >".venv/$name.status"
  ) >".venv/$name.log" 2>&1 &
  processes[$name]=$!
}
finish() { # NAME: wait for it, and show what it said
  # bash forgets how a process ended when a later one gets the same number: it is written down.
  wait "${processes[$1]}" 2>/dev/null || true
  cat ".venv/$1.log"
  return "$(cat ".venv/$1.status" || echo 1)"
}
conclude() { # say which steps have failed
  step "nothing is left in the checkout" unchanged
  if ((${#failed[@]})); then
    printf 'failed: %s\n' "${failed[@]}"
    exit 1
  fi
  echo "all is well"
}
