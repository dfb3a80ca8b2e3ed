"""Browsers that refuse cookies, storage or beacons: the page works without them, or says what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.test_browser import Tab
from tests.browsers import chrome
from tests.servers import Server

NO_COOKIES = {"profile.default_content_setting_values.cookies": 2}

#: As a page sees it whose user blocks storage: the mere look at it throws.
DENY_STORAGE = """
for (const name of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(window, name, {get() { throw new DOMException("denied", "SecurityError"); }});
}"""
NO_BEACON = "Object.defineProperty(navigator, 'sendBeacon', {value: undefined});"


@pytest.fixture(scope="module")
def framed(serve_for_module: Any) -> Server:
    return serve_for_module("tests.app.framed:server", workers=2, threads=4)


def notice(tab: Tab) -> str:
    found = tab.driver.find_elements("css selector", ".dash-brain-no-cookies")
    return found[0].text if found else ""


def test_a_page_whose_cookie_is_refused_says_so_and_the_callback_names_the_cause(framed):
    with chrome(preferences=NO_COOKIES) as driver:
        tab = Tab(driver, framed.url)
        tab.wait_for(lambda: "refuses the cookie of this page" in notice(tab))
        assert "Allow cookies for this site and reload." in notice(tab)
        tab.click("make")
        tab.wait_for(lambda: tab.text("said").startswith("NoSession: There is no session"))


def test_a_page_whose_cookie_is_kept_says_nothing(framed, browser):
    tab = Tab(browser, framed.url)
    tab.wait("shown", "empty")
    tab.click("make")
    tab.wait("said", "made 1")
    browser.delete_all_cookies()
    browser.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
    tab.wait("shown", "empty")  # its session is another one now, and the next claim shows it
    tab.click("make")
    tab.wait("said", "made 1")
    assert notice(tab) == ""


def test_stores_of_every_kind_work_where_storage_is_denied(serve, browser):
    server = serve("tests.app.served:server", workers=2)
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": DENY_STORAGE})
    tab = Tab(browser, server.url)
    tab.wait("shape", "empty")
    tab.click("make")
    tab.wait("tab-text", "clicks 1")
    tab.click("make")
    tab.wait("tab-text", "clicks 2")
    assert notice(tab) == ""


def test_a_page_without_beacons_still_says_that_it_goes(serve, browser):
    options = ["--access-logfile=-", "--access-logformat=said %({x-dash-brain}i)s"]
    server = serve("tests.app.framed:server", workers=1, threads=4, options=options)
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NO_BEACON})
    tab = Tab(browser, server.url)
    tab.wait("shown", "empty")
    tab.wait_for(lambda: claims(server) == 1)
    browser.get("about:blank")
    tab.wait_for(lambda: claims(server) == 2)


def claims(server: Server) -> int:
    return server.log.count("claim")
