"""Claims arrive wherever callbacks do, in a real browser: CSRF protection, lists, logins and prefixes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from dash_brain.stores import SharedMemoryStore
from dash_brain.web.leases import UNCLAIMED
from tests.app.test_browser import Tab
from tests.app.test_lifetime import left, wait_for
from tests.browsers import forget_everything, leave
from tests.servers import Server
from tests.stores.places import remove

PATHS = {"prefix": "/brain/app/", "proxied": "/proxied/", "mounted": "/mounted/"}
GUARDS = ["csrf login list", "csrf-cookie views prefix", "proxied", "mounted"]

#: Note every title that the page has from now on: Dash shows there that a callback runs.
WATCH_TITLE = """
window.titles = [document.title];
new MutationObserver(() => window.titles.push(document.title))
    .observe(document.querySelector("title"), {childList: true, characterData: true, subtree: true});
"""
CLAIM = "document.dispatchEvent(new Event('visibilitychange'))"


@pytest.fixture
def store() -> Iterator[SharedMemoryStore]:
    store = SharedMemoryStore(f"test-guarded-{secrets.token_hex(4)}")
    yield store
    remove(store)


def served(serve: Any, store: SharedMemoryStore, guards: str, jobs: Any) -> Server:
    env = {"DASH_BRAIN_STORE": f"shm://{store.name}", "DASH_BRAIN_GRACE": "1", "GUARDS": guards}
    options = ["--access-logfile=-", "--access-logformat=said %({x-dash-brain}i)s %(s)s"]
    return serve(
        "tests.app.guarded:server", workers=2, threads=2, env={**env, "JOBS": str(jobs)}, options=options
    )


def opened(browser: Any, server: Server, guards: str) -> Tab:
    forget_everything(browser)
    if {"login", "views"} & set(guards.split()):
        browser.get(f"{server.url}/login")
    tab = Tab(browser, server.url + next((PATHS[one] for one in guards.split() if one in PATHS), "/"))
    tab.wait("made-text", "None None")
    return tab


@pytest.mark.parametrize("guards", GUARDS)
def test_claims_arrive_wherever_callbacks_do(serve, store, browser, tmp_path, guards):
    server = served(serve, store, guards, tmp_path)
    tab = opened(browser, server, guards)
    tab.click("make")
    tab.wait("made-text", "{'made': 1} None")
    tab.click("job")
    tab.wait("of-job-text", "{'job': 1} None")
    wait_for(lambda: len(left(store)) == 2 and min(left(store)) > UNCLAIMED, "both values are claimed")
    tab.click("make")
    tab.wait("made-text", "{'made': 2} None")
    wait_for(lambda: len(left(store)) == 2, "what was replaced is gone")
    leave(tab.driver)
    wait_for(lambda: not left(store), "the page is gone, and what it held")
    assert "claim 4" not in server.log


def test_where_no_claim_arrives_reading_renews_and_the_log_names_the_cause(serve, store, browser, tmp_path):
    server = served(serve, store, "no-header", tmp_path)
    tab = opened(browser, server, "no-header")
    tab.click("make")
    tab.wait("made-text", "{'made': 1} None")
    wait_for(lambda: "claim_refused: no_header" in server.log, "the cause is in the log")
    for space in list(store.namespaces("session")):
        for key in store.scan(space):
            store.touch(space, key, 120)
    tab.click("read")
    tab.wait("made-text", "{'made': 1} 1")


def test_a_claim_is_no_callback_to_dash(serve, store, browser, tmp_path):
    server = served(serve, store, "", tmp_path)
    tab = opened(browser, server, "")
    tab.wait("of-job-text", "None None")  # so all its callbacks at the start are over
    tab.wait_for(lambda: tab.driver.title == "Dash")
    wait_for(lambda: "said claim 200" in server.log, "the page claims")
    tab.driver.execute_script(WATCH_TITLE)
    before = server.log.count("said claim 200")
    tab.driver.execute_script(CLAIM)
    wait_for(lambda: server.log.count("said claim 200") > before, "it claims again")
    assert set(tab.driver.execute_script("return window.titles")) == {"Dash"}


def test_a_page_with_more_stores_than_its_last_request_holds_still_lets_go(serve, store, browser, tmp_path):
    server = served(serve, store, "crowd", tmp_path)
    tab = opened(browser, server, "crowd")
    tab.click("make")
    wait_for(lambda: len(left(store)) == 401 and min(left(store)) > UNCLAIMED, "all are claimed")
    leave(tab.driver)
    wait_for(lambda: not left(store), "the page is gone, and what it held")


def test_a_page_that_goes_begins_no_session_in_place_of_the_next_pages(serve, store, browser, tmp_path):
    server = served(serve, store, "", tmp_path)
    tab = opened(browser, server, "")
    wait_for(lambda: "said claim 200" in server.log, "the page claims")
    tab.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})  # as when the session is too old
    tab.driver.get("about:blank")
    wait_for(lambda: "said last claim 403" in server.log, "the page says that it goes")
    assert tab.driver.execute_cdp_cmd("Network.getAllCookies", {})["cookies"] == []
