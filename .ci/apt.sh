#!/usr/bin/env bash
# apt.sh PACKAGE...: install Debian packages, or say which ones to install.
set -euo pipefail

if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
  echo "Missing: $*. Install that and try again; on Debian or Ubuntu:  sudo apt-get install $*" >&2
  exit 1
fi
echo "installing $*"
exec 9<"$0" # one of these at a time
flock 9
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
apt() { apt-get -o DPkg::Lock::Timeout=120 "$@" 9<&-; } # what is started by a package must not keep the lock
if ! { apt update && apt install -y --no-install-recommends "$@"; } </dev/null >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "apt-get could not install $*. Install it by hand and try again." >&2
  exit 1
fi
rm "$log"
