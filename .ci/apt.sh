#!/usr/bin/env bash
# apt.sh PACKAGE...: install Debian packages, or say which ones to install.
set -euo pipefail

if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
  echo "Missing: $*. Install that and try again; on Debian or Ubuntu:  sudo apt-get install $*" >&2
  exit 1
fi
echo "installing $*"
exec {itself}<"$0" # one at a time: apt-get does not wait for another
flock "$itself"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get update && apt-get install -y --no-install-recommends "$@"; } </dev/null >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "apt-get could not install $*. Install it by hand and try again." >&2
  exit 1
fi
rm "$log"
