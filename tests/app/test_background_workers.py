"""Background jobs as users run them: gunicorn, a browser, processes of diskcache, workers of Celery."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery
from dash import CeleryManager, Dash

from dash_brain.stores import FileStore
from dash_brain.web.jobs.manager import BackgroundCallback, ManagerProxy
from tests import redis, zygote
from tests.app.test_browser import Tab
from tests.app.test_lifetime import settles, types_of, wait_for
from tests.browsers import leave
from tests.servers import gunicorn, stop

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

APP = "tests.app.background:server"
GRACE = 1.0
SUM = sum(range(1_000_000))

Env = dict[str, str]


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path)


@pytest.fixture(scope="module")
def store_for_all(tmp_path_factory: pytest.TempPathFactory) -> FileStore:
    return FileStore(tmp_path_factory.mktemp("store"))


def env_of(store: FileStore, jobs: object) -> Env:
    """Return what gunicorn and workers are told."""
    env = {"JOBS": str(jobs), "GO_ON": f"{store.folder}/go-on"}
    return {**env, "DASH_BRAIN_GRACE": str(GRACE), "DASH_BRAIN_STORE": f"file://{store.folder}"}


@contextmanager
def celery(env: Env, log: Path) -> Iterator[None]:
    """Run a worker of Celery with two processes."""
    command = ["-m", "celery", "--app=tests.app.background:celery_app", "worker"]
    command += ["--concurrency=2", "--loglevel=WARNING", "--without-mingle", "--without-gossip"]
    log.touch()
    process = zygote.start(command, output=log, env=env)
    try:
        yield
    finally:
        stop(process)


@pytest.fixture(scope="module", params=["brain", "diskcache", "celery"])
def env(request: Any, store_for_all: FileStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Env]:
    """The environment of an app whose jobs are run by our manager, or either of Dash's."""
    if request.param == "brain":
        yield env_of(store_for_all, "brain")
        return
    folder = tmp_path_factory.mktemp("jobs")
    if request.param == "diskcache":
        yield env_of(store_for_all, folder)
        return
    with (
        redis.running(redis.redis_server()) as server,
        celery(env := env_of(store_for_all, server.url), folder / "celery.log"),
    ):
        yield env


@pytest.fixture(scope="module")
def url(env: Env) -> Iterator[str]:
    """The app, served with each manager once for all tests."""
    with gunicorn(APP, workers=2, env=env) as server:
        yield server.url


@contextmanager
def page(driver: Chrome, url: str, store: FileStore, *left: str) -> Iterator[Tab]:
    """Show the app in a browser, close its tab in the end, and see what that leaves in the store."""
    tab = Tab(driver, url)
    tab.wait("state", "idle")
    yield tab
    leave(driver)
    settles(store, *left)  # while the browser lives: it may have to tell the server still


def test_a_page_gets_progress_and_result_of_a_job_and_all_memory_comes_back(url, store_for_all, browser):
    with page(browser, url, store_for_all) as tab:
        see_two_jobs(tab, Path(store_for_all.folder, "go-on"))
        settles(store_for_all, "tuple", "dict", "set")


def see_two_jobs(tab: Tab, go_on: Path) -> None:
    """Start two jobs; see their progress and their results, and that only tokens travel."""
    tab.driver.execute_script("dash_clientside.set_props('wait', {value: 600})")
    see_job(tab, go_on, clicks=None)
    tab.click("load")
    see_job(tab, go_on, clicks=1)
    assert (tab.text("set-first"), tab.text("set-second")) == ("first", "second")
    tab.wait("made-text", "{1}")
    assert max(len(body) + received for body, received in tab.bodies()) < 4000


def see_job(tab: Tab, go_on: Path, clicks: int | None) -> None:
    tab.wait("partial-text", "10 rows")
    tab.wait("share", "1 %")
    assert tab.text("state") == "running"
    time.sleep(2 * GRACE)  # the page claims what it shows; what no page has claimed outlives a job by an hour
    go_on.touch()
    tab.wait("text", f"{SUM} 1000000 {clicks}")
    tab.wait("state", "idle")
    tab.wait("partial-text", "")
    tab.wait("share", "no job")
    go_on.unlink()


def test_a_job_that_is_cancelled_lets_go_of_its_input(url, store_for_all, browser):
    with page(browser, url, store_for_all) as tab:
        tab.driver.execute_script("dash_clientside.set_props('wait', {value: 600})")
        tab.wait("partial-text", "10 rows")
        tab.click("cancel")
        tab.wait("state", "idle")


@pytest.mark.filterwarnings("ignore:Call to deprecated setex")  # by Celery
def test_looking_for_what_was_set_does_not_delete_the_result_from_celery(redis_url):
    manager = CeleryManager(Celery("test", broker=redis_url, backend=redis_url))
    jobs, redis = (
        ManagerProxy(manager, BackgroundCallback([], None, [], pytest.fail, pytest.fail)),
        manager.handle.backend,
    )
    with Dash("test").server.test_request_context("/", method="POST"):  # nobody's: they keep what it sets
        key = jobs.build_cache_key()
        redis.set(key, "the result")
        redis.set(f"{key}-set_props", '{"a": {"data": 1}}')
        assert [jobs.get_updated_props(key) for _ in range(2)] == [{"a": {"data": 1}}, {}]
        assert redis.get(key) == b"the result"


def test_a_queued_job_finds_its_input_when_the_page_is_gone_long_since(
    redis_url, serve, store, tmp_path, browser
):
    env = env_of(store, redis_url)
    with page(browser, serve(APP, workers=2, env=env).url, store, "tuple") as tab:
        tab.click("load")
        tab.wait("state", "running")
    with celery(env, tmp_path / "celery.log"):
        wait_for(lambda: "dict" in types_of(store), "the result of the job")
        wait_for(lambda: "tuple" not in types_of(store), "the end of its input")


def test_a_job_computes_an_evicted_input_again_for_the_session_that_asked(
    redis_url, serve, store, tmp_path, browser
):
    env = env_of(store, redis_url)
    served = serve(APP, workers=2, env=env)
    tab = Tab(browser, served.url)
    tab.wait("state", "idle")
    tab.click("ask")
    tab.wait("state", "running")
    (namespace,) = store.namespaces("session-memo")
    assert [store.delete(namespace, key) for key in store.scan(namespace)] == [True]
    with celery(env, tmp_path / "celery.log"):
        tab.wait("own-text", "[2]")
