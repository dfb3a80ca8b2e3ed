#!/usr/bin/env bash
# Serve the gallery with four workers until Ctrl-C: on Flask, or on the backend $BACKEND.
#
# The demo has a store and a folder for caches of its own, which go with it; a DASH_BRAIN_STORE that is set stays.
set -euo pipefail

port=$(.venv/bin/python .ci/free_port.py "${PORT:-}")
case ${BACKEND:-flask} in
  # The threads are for browsers: they open connections ahead of need, and an idle connection would keep a worker without
  # threads from serving anyone.
  flask) serve=(gunicorn --bind "127.0.0.1:$port" --threads 4) ;;
  # On a busy machine a worker does not say within 5 s that it is well.
  fastapi | quart) serve=(uvicorn --host 127.0.0.1 --port "$port" --timeout-worker-healthcheck 60) ;;
  *) echo "BACKEND=$BACKEND is none of flask, fastapi, quart" >&2; exit 1 ;;
esac
printf '\n  dash_brain gallery:  http://127.0.0.1:%s   (Ctrl-C ends it and removes what it stored)\n\n' "$port"

# The caches of the plain-Dash originals, which all workers share. mktemp lets nobody else in.
EXAMPLES_FOLDER=$(mktemp -d)
export EXAMPLES_FOLDER
tidy() {
  [[ -n ${own:-} ]] && .venv/bin/python .ci/remove_store.py "$own"
  rm -rf "$EXAMPLES_FOLDER"
}
trap tidy EXIT
if [[ -z ${DASH_BRAIN_STORE:-} ]]; then
  own=shm://demo-$port
  export DASH_BRAIN_STORE=$own
fi

# The server has a process group of its own: a terminal's Ctrl-C reaches its workers once, by way of their master.
server=
trap 'kill -INT "$server" 2>/dev/null || true' INT TERM HUP
setsid .venv/bin/python -m "${serve[@]}" examples.gallery:server --workers "${WEB_CONCURRENCY:-4}" --log-level warning &
server=$!
while kill -0 "$server" 2>/dev/null; do wait "$server" || true; done
