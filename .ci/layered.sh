#!/usr/bin/env bash
# layered.sh NAME REQUIREMENT...: make .venv/NAME, in which these requirements lie in front of all packages of .venv.
# A second or two of work instead of a minute, and quick when that is done.
set -euo pipefail
folder=.venv/$1
wanted=${*:2}

if [[ ! -f $folder/installed || $(<"$folder/installed") != "$wanted" ]]; then
  rm -rf "$folder"
  .venv/bin/python -m venv --without-pip "$folder"
  site=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  .venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$site/below.pth"
  # pip, unlike uv, sees what lies below. Modules are compiled when they are imported: few of them are.
  .venv/bin/python -m pip --python "$folder/bin/python" install -qq --disable-pip-version-check --no-compile "${@:2}"
  echo "$wanted" >"$folder/installed"
fi
