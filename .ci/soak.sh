#!/usr/bin/env bash
# The torture, and all other tests that have a larger size, at that size: one file after the other. One that has passed is
# not run again for the same source, so that a soak that was interrupted goes on where it was.
set -euo pipefail

source=$({ git rev-parse HEAD; git diff HEAD; } | sha256sum | cut -c1-12)
passed=.venv/soak-$source
failed=()
touch "$passed"
mapfile -t sized < <(grep -rl --include='test_*.py' 'tests\.torture\.sizes' tests)
mapfile -t parts < <(printf '%s\n' tests/torture/test_*.py "${sized[@]}" | sort -u)
for part in "${parts[@]}"; do
  if grep -qx "$part" "$passed"; then
    echo "$part passed before"
  elif DASH_BRAIN_SOAK=1 .venv/bin/python -m pytest -v --timeout=0 "$part"; then
    echo "$part" >>"$passed"
  else
    failed+=("$part")
  fi
done
if ((${#failed[@]})); then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
