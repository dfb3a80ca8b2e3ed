"""The examples where cookies, storage or shared memory are refused: they work, or say what is wrong."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from tests.app.test_refusing_browsers import DENY_STORAGE, NO_COOKIES
from tests.browsers import chrome
from tests.examples.conftest import Page
from tests.examples.visits import visit
from tests.needs import needs_unshare
from tests.servers import Server, gunicorn
from tests.torture.sizes import size

#: How many callbacks answer when a page is opened. Not the originals, which have nothing to lose by it.
CALLBACKS = {
    "flights": 7,
    "cleaning": 3,
    "aggregations": 4,
    "signalling": 5,
    "load_once": 1,
    "feeder": 2,
    "session_data": 3,
    "temperature": 2,
    "forecast": 0,
    "explore": 3,
}
ALL = tuple(CALLBACKS)
#: Which are looked at in every run: one that keeps something for the session, one that does not.
TWO = ("session_data", "load_once")
#: Those that keep something for the session.
OF_A_SESSION = {"flights", "cleaning", "aggregations", "session_data", "temperature", "explore"}

SHARED_MEMORY = {
    "read-only": (
        "mount -t tmpfs -o ro tmpfs",
        "is read-only for this process, so the values of dash_brain lie",
        TWO,
    ),
    "64 MB": ("mount -t tmpfs -o size=64m tmpfs", "has room for 33.6 MB only", (*TWO, "flights")),
}


@contextmanager
def serving(mount: str) -> Iterator[Server]:
    """Serve the gallery, with something else mounted at /dev/shm."""
    within = ["unshare", "--mount", "sh", "-c", f'{mount} /dev/shm && exec "$@"', "sh"]
    with (
        tempfile.TemporaryDirectory() as temporary,
        gunicorn(
            "examples.gallery:server",
            workers=2,
            threads=4,
            env={"TMPDIR": temporary},
            within=within,
            options=["--preload"],
        ) as server,
    ):
        yield server


def look_at(names: Sequence[str], driver: Any, server: Server, script: str = "") -> set[str]:
    """Open pages, each in a tab, and return those that work; the others say what is wrong."""
    tabs = {}
    for name in names:
        driver.switch_to.new_window("tab")
        driver.execute_cdp_cmd("Network.disable", {})  # chromedriver takes its time over 40 MB
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        driver.get(f"{server.url}/{name}/")
        tabs[name] = driver.current_window_handle
    working = set()
    for name, tab in tabs.items():
        driver.switch_to.window(tab)
        page = Page(driver, "", pause=0.2)
        page.wait(lambda page=page, name=name: notice(driver) or page.settled(CALLBACKS[name]), timeout=60)
        if not notice(driver):
            working.add(name)
        driver.close()
        driver.switch_to.window(driver.window_handles[0])
    return working


def notice(driver: Any) -> str:
    found = driver.find_elements("css selector", ".dash-brain-no-cookies")
    return found[0].text if found else ""


def errors(driver: Any) -> list[Any]:
    return [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def test_with_cookies_blocked_pages_without_sessions_work_and_the_others_say_so(gallery):
    with chrome(preferences=NO_COOKIES) as driver:
        working = look_at(size(TWO, ALL), driver, gallery)
    assert working >= {"load_once", *size((), ("feeder",))}
    assert not working & OF_A_SESSION
    assert "the browser refuses cookies" in gallery.log


def test_with_storage_denied_pages_work(gallery, browser):
    assert look_at(size(TWO, ALL), browser, gallery, script=DENY_STORAGE) == set(size(TWO, ALL))
    assert errors(browser) == []


@needs_unshare
@pytest.mark.parametrize("kind", SHARED_MEMORY)
def test_with_hardly_any_shared_memory_the_examples_work_and_the_log_says_what_is_wrong(kind):
    mount, said, some = SHARED_MEMORY[kind]
    names = size(some, ALL)
    with serving(mount) as server, ThreadPoolExecutor(len(names)) as pool:
        answering = pool.map(partial(callbacks_that_answer, server), names)
        assert list(answering) == [CALLBACKS[name] for name in names]
        assert 1 <= server.log.count(said) <= 2  # once in each worker
        assert "Traceback" not in server.log


def callbacks_that_answer(server: Server, name: str) -> int:
    """Open a page without a browser, which sees nothing of that mount."""
    return visit(server.url, name)[1]
