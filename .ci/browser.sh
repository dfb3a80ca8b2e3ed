#!/usr/bin/env bash
# The browser tests need a Chrome and its driver.
set -euo pipefail

[[ $(type -P chromium chromium-browser google-chrome) && $(type -P chromedriver) ]] && exit
bash .ci/apt.sh chromium chromium-driver
