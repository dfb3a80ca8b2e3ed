#!/usr/bin/env bash
# Serve the gallery with four workers until Ctrl-C. The threads are for browsers: they open connections ahead of
# need, and an idle connection would keep a worker without threads from serving anyone.
set -euo pipefail

port=$(.venv/bin/python .ci/free_port.py "${PORT:-}")
printf '\n  dash_brain gallery:  http://127.0.0.1:%s   (Ctrl-C ends it)\n\n' "$port"
exec .venv/bin/python -m gunicorn examples.gallery:server \
  --bind "127.0.0.1:$port" --workers 4 --threads 4 --log-level warning
