"""Browsers that tests start, and that they share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.programs import find

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.support.ui import WebDriverWait

CHROME_OPTIONS = [
    "--headless",
    "--no-sandbox",  # Chrome refuses to run as root with one, and containers have no other user
    "--disable-gpu",
    "--disable-dev-shm-usage",  # /dev/shm may be 64 MiB, and it is what is being tested
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--force-prefers-reduced-motion",  # what moves while a page waits takes a third of its processor time
    "--window-size=1200,900",
]

#: Chrome opens connections ahead of need. Each keeps a worker of gunicorn that has no threads for 30 s.
NO_SPARE_CONNECTIONS = {"net.network_prediction_options": 2}


def patience(driver: Chrome) -> WebDriverWait[Chrome]:
    """Return what waits for as long as a busy machine may take, and looks often."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    drawn_anew = [StaleElementReferenceException]
    return WebDriverWait(driver, 60, poll_frequency=0.1, ignored_exceptions=drawn_anew)


@contextmanager
def _preferred() -> Iterator[None]:
    """Have what starts in this block go before others, where that is allowed.

    Chrome gives a page that is closed half a second to say so, which it may need on a busy machine.
    """
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, usual - 10)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, usual)


@contextmanager
def chrome(*more_options: str, preferences: Mapping[str, object] | None = None) -> Iterator[Chrome]:
    """A headless Chrome with a fresh profile: a user of its own, with cookies of its own."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(prefix="chrome-", ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = find("chromium", "chromium-browser", "google-chrome")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option("perfLoggingPrefs", {"enablePage": False})  # the network is enough
        options.add_experimental_option("prefs", {**NO_SPARE_CONNECTIONS, **(preferences or {})})
        for option in [*CHROME_OPTIONS, f"--user-data-dir={profile}", *more_options]:
            options.add_argument(option)
        with _preferred():
            driver = webdriver.Chrome(service=Service(find("chromedriver")), options=options)
        try:
            yield driver
        finally:
            driver.quit()


@pytest.fixture(scope="session")
def browser_for_all() -> Iterator[Chrome]:
    """A browser that all tests share, which saves seconds: see :func:`forget_everything`."""
    with chrome() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser_for_module(browser_for_all: Chrome) -> Chrome:
    """The browser, as a new user's when the module begins."""
    forget_everything(browser_for_all)
    return browser_for_all


#: Chrome gives a page that is closed half a second to say that it goes, which a busy machine does not always
#: have. So the page says it before, and then is as mute as if it were gone: a later claim would keep values.
_GOES = """
    dispatchEvent(new PageTransitionEvent("pagehide", {persisted: false}));
    window.fetch = () => new Promise(() => {});
"""


def leave(driver: Chrome, other: str = "") -> None:
    """Close the tab, and turn to another one or to a new one."""
    only = driver.current_window_handle
    if not other:
        driver.switch_to.new_window("tab")
        other = driver.current_window_handle
        driver.switch_to.window(only)
    driver.execute_script(_GOES)
    driver.close()
    driver.switch_to.window(other)


def forget_everything(driver: Chrome) -> None:
    """Make a new user of a browser: no cookies, no storage, no log, and one empty tab."""
    before = driver.window_handles
    # In the background, which takes two thirds of the time; it comes to the front when the others are closed.
    driver.execute_cdp_cmd("Target.createTarget", {"url": "about:blank", "background": True})
    [new] = set(driver.window_handles) - set(before)
    for handle in before:
        driver.switch_to.window(handle)
        driver.close()
    driver.switch_to.window(new)
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    # A server may have the port of an earlier one, and so find what that has kept.
    driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    for log in ("browser", "performance"):
        driver.get_log(log)


@pytest.fixture
def browser_factory() -> Iterator[Callable[[], Chrome]]:
    """Open browsers that end with the test, each with a profile of its own."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(chrome())


@pytest.fixture
def browser(browser_for_all: Chrome) -> Chrome:
    """The browser, as a new user's."""
    forget_everything(browser_for_all)
    return browser_for_all
