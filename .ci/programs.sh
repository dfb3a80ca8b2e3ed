#!/usr/bin/env bash
# What the tests need beside Python: a Chrome and its driver, nginx, a Redis, and strace, which counts system calls
# and makes them fail.
set -euo pipefail

missing=()
[[ $(type -P chromium chromium-browser google-chrome) ]] || missing+=(chromium)
[[ $(type -P chromedriver) ]] || missing+=(chromium-driver)
[[ $(type -P nginx) ]] || missing+=(nginx)
[[ $(type -P redis-server) ]] || missing+=(redis-server)
[[ $(type -P strace) ]] || missing+=(strace)
((${#missing[@]} == 0)) || bash .ci/apt.sh "${missing[@]}"
