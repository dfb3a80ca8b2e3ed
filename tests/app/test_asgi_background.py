"""Background jobs of apps on FastAPI and Quart, with two workers, and values in Redis."""

from __future__ import annotations

import pytest

from dash_brain.stores.redis import RedisStore
from tests.app.test_background_workers import APP, GRACE, page, see_two_jobs
from tests.backends import ASGI, serving
from tests.redis import KEY


@pytest.mark.parametrize("backend", ASGI)
def test_a_page_gets_progress_and_result_of_a_job_with_values_in_redis(backend, redis_url, tmp_path, browser):
    env = {"JOBS": str(tmp_path / "jobs"), "DASH_BRAIN_GRACE": str(GRACE)}
    env |= {"DASH_BRAIN_STORE": redis_url, "DASH_BRAIN_KEY": KEY}
    with serving(APP, backend, workers=2, env=env) as server:
        store = RedisStore(redis_url, key=KEY)
        with page(browser, server.url, store) as tab:
            see_two_jobs(tab)
            tab.assert_clean()
        store.close()
