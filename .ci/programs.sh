#!/usr/bin/env bash
# What the tests need beside Python: a Chrome and its driver, and a Redis.
set -euo pipefail

missing=()
[[ $(type -P chromium chromium-browser google-chrome) ]] || missing+=(chromium)
[[ $(type -P chromedriver) ]] || missing+=(chromium-driver)
[[ $(type -P redis-server) ]] || missing+=(redis-server)
((${#missing[@]} == 0)) || bash .ci/apt.sh "${missing[@]}"
