#!/usr/bin/env bash
# venv.sh EXTRA: make .venv and install dash_brain[EXTRA] in it, from this folder; quick when that is done.
set -euo pipefail
extra=$1
version() { "$1" -c 'import sys; print(sys.version)' 2>/dev/null; }

# Begin anew when making it was interrupted, its Python has gone, or another Python is asked for.
if [[ -d .venv ]]; then
  have=$(version .venv/bin/python || true)
  want=$([[ -z ${PYTHON:-} ]] || version "$PYTHON" || true)
  if [[ ! -x .venv/bin/pip || -z $have || $have != "${want:-$have}" ]]; then rm -rf .venv; fi
fi
if [[ ! -d .venv ]]; then
  python=$(bash .ci/python.sh)
  echo "making .venv with $python ($("$python" --version))"
  "$python" -m venv .venv
fi

stamp=.venv/installed-$extra
wanted=$(cat pyproject.toml setup.cfg)
if [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]]; then
  echo "installing dash_brain[$extra]; this takes a minute"
  bash .ci/install.sh .venv/bin/python --editable ".[$extra]"
  echo "$wanted" >"$stamp"
fi
