#!/usr/bin/env bash
# dash.sh oldest|newest: run tests/app and tests/adapters with the oldest Dash that dash_brain takes, or with the newest that
# there is, pre-releases included. The whole suite runs with the newest release; this leaves out what knows nothing of Dash
# but that a callback is called: sessions, claims, ids, keys, what is memoized, quotas, logs; and of the two servers with an
# event loop, Quart but for streams, which only the newest has.
set -euo pipefail
of_no_release=(asgi_background background_workers busy claims close_session cookie_modes diagnosis guarded ids iframes keys
  lifetime memoized_callbacks memory metrics other_sessions_jobs ported principal quota reading recipes refusing_browsers
  reload sessions settings shared_browser shared_results survival two_hosts)

if [[ $1 == oldest ]]; then
  wanted=$(.venv/bin/python .ci/floors.py dash)
else
  newest=$(.venv/bin/python -m pip index versions --pre --disable-pip-version-check dash 2>/dev/null || true)
  [[ $newest =~ ^dash\ \(([^\)]+)\) ]] || { echo "pip does not say which releases of dash there are" >&2; exit 1; }
  wanted=dash==${BASH_REMATCH[1]}
fi
tested=dash==$(.venv/bin/python -c 'from importlib.metadata import version; print(version("dash"))')
if [[ $wanted == "$tested" ]]; then
  echo "$wanted: the whole suite runs with it."
  exit
fi
bash .ci/layered.sh "dash-$1" "$wanted"
echo "$wanted"
ignored=("${of_no_release[@]/#/--ignore=tests/app/test_}")
".venv/dash-$1/bin/python" -m pytest -p no:cacheprovider "${@:2}" "${ignored[@]/%/.py}" \
  --ignore-glob="tests/adapters/test_flask_caching*.py" -k "not quart or stream" tests/app tests/adapters
