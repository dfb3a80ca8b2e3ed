"""gunicorn -c gunicorn.conf.py app:server"""

import os

bind = "0.0.0.0:8050"
workers = int(os.environ.get("WEB_CONCURRENCY", "4"))
# Browsers open connections ahead of need: without threads each of them would block a worker.
threads = 4
# All workers share one store, so a worker can be replaced at any time and no value is lost.
max_requests = 10_000
max_requests_jitter = 1_000
# A callback that waits for another one's computation counts as busy.
timeout = 120
