#!/usr/bin/env bash
# Print the Python to work with: $PYTHON, else the newest on the PATH that dash_brain runs on.
set -euo pipefail

# A version manager's shims lie on the PATH even for a Python that is not selected, hence the trial.
runs() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }
makes_venvs() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
fail() { printf '%s\n' "$@" >&2; exit 1; }

if [[ -n ${PYTHON:-} ]]; then
  runs "$PYTHON" || fail "PYTHON=$PYTHON does not run, or is older than Python 3.10."
  candidates=("$PYTHON")
else
  candidates=()
  for path in $(type -aP python3.{30..10} python3 python); do
    if runs "$path"; then candidates+=("$path"); fi
  done
fi
((${#candidates[@]})) || fail "No Python 3.10 or newer runs here. On Debian or Ubuntu: apt-get install python3 python3-venv"

for path in "${candidates[@]}"; do
  if makes_venvs "$path"; then echo "$path"; exit; fi
done

# Debian packs a part of the standard library, ensurepip, on its own.
path=${candidates[0]}
package=$("$path" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
bash .ci/apt.sh "$package" >&2
makes_venvs "$path" || fail "$path cannot make a virtual environment; its module ensurepip is missing."
echo "$path"
