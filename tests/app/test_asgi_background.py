"""Background jobs of apps on FastAPI and Quart, with two workers, and values in Redis.

That of diskcache is Dash's own process, which tests/app/test_background.py has start jobs on each backend.
"""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from dash_brain.stores.redis import RedisStore
from tests.app.test_background_workers import APP, GRACE, celery, page, see_two_jobs
from tests.backends import ASGI, serving
from tests.redis import KEY


@pytest.mark.parametrize("manager", ["brain", "celery"])
@pytest.mark.parametrize("backend", ASGI)
def test_a_page_gets_progress_and_result_of_a_job_with_values_in_redis(
    backend, manager, redis_url, tmp_path, browser
):
    jobs = redis_url if manager == "celery" else manager
    env = {"JOBS": jobs, "GO_ON": str(tmp_path / "go-on"), "DASH_BRAIN_GRACE": str(GRACE)}
    env |= {"DASH_BRAIN_STORE": redis_url, "DASH_BRAIN_KEY": KEY, "BACKEND": backend}
    workers = celery(env, tmp_path / "celery.log") if manager == "celery" else nullcontext()
    with workers, serving(APP, backend, workers=2, env=env) as server:
        store = RedisStore(redis_url, key=KEY)
        with page(browser, server.url, store) as tab:
            see_two_jobs(tab, tmp_path / "go-on")
            tab.assert_clean()
        store.close()
