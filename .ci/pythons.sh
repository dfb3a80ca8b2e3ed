#!/usr/bin/env bash
# pythons.sh VERSION...: run what differs most between releases of Python (the codec, the contract of stores, names, callbacks)
# with these, as 3.10; the one of .venv is left to test.sh. One that is not on this machine is named and left out, in CI an
# error.
set -euo pipefail

find_python() { # VERSION: print the path of one that makes environments, on the PATH or of pyenv
  local path
  for path in $(type -aP "python$1") "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
    if "$path" -c "import ensurepip, sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
      echo "$path"
      return
    fi
  done
}
tests=(tests/codec/test_{frames,values,errors,stable,numpy}.py tests/stores/test_contract.py tests/brain/test_brain.py
  tests/app/test_callbacks.py tests/kit/test_pages.py)
needs=("dash[async,fastapi,quart,testing]" flask-login hypothesis polars psutil pytest pytest-timeout redis scikit-learn)
ran=() missing=() status=0
for version in "$@"; do
  python=$(find_python "$version")
  if [[ -z $python ]]; then
    missing+=("$version")
    [[ -z ${CI:-} ]] || status=1
    continue
  fi
  folder=.venv/python-$version
  if [[ ! -f $folder/installed ]]; then
    rm -rf "$folder"
    "$python" -m venv --without-pip "$folder"
    bash .ci/install.sh "$folder/bin/python" --editable . "${needs[@]}"
    touch "$folder/installed"
  fi
  "$folder/bin/python" -m pytest -p no:cacheprovider -k "not RealTime and not SharedMemory and not Fallback" "${tests[@]}" || status=1
  ran+=("$version")
done
echo "ran with Python ${ran[*]:-none}; not on this machine: ${missing[*]:-none}"
exit "$status"
