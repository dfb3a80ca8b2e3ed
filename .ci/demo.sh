#!/usr/bin/env bash
# Serve the gallery with four workers until Ctrl-C. The threads are for browsers: they open connections ahead of
# need, and an idle connection would keep a worker without threads from serving anyone.
set -euo pipefail

port=$(.venv/bin/python .ci/free_port.py "${PORT:-}")
# The caches of the plain-Dash originals, which all workers share. mktemp lets nobody else in.
EXAMPLES_FOLDER=$(mktemp -d)
export EXAMPLES_FOLDER
trap 'rm -rf "$EXAMPLES_FOLDER"' EXIT
printf '\n  dash_brain gallery:  http://127.0.0.1:%s   (Ctrl-C ends it)\n\n' "$port"
.venv/bin/python -m gunicorn examples.gallery:server \
  --bind "127.0.0.1:$port" --workers 4 --threads 4 --log-level warning &
trap 'kill $! 2>/dev/null || true' INT TERM
wait $! || wait $! || true # the first returns when a signal has come
