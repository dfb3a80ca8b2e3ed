#!/usr/bin/env bash
# The torture and the property tests at their full size, one part after the other. One that has passed is not run
# again for the same source, so that a soak that was interrupted goes on where it was.
set -euo pipefail

source=$({ git rev-parse HEAD; git diff HEAD; } | sha256sum | cut -c1-12)
passed=.venv/soak-$source
failed=()
touch "$passed"
for part in tests/torture/test_*.py tests/codec tests/brain/test_fingerprint_properties.py; do
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
