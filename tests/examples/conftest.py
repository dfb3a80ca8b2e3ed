"""The gallery under gunicorn, and its pages in a real browser."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException

from dash_brain.stores import SharedMemoryStore
from tests.servers import Server, gunicorn
from tests.stores.places import remove


@contextmanager
def serving(folder: Path, **options: Any) -> Iterator[Server]:
    """Serve a gallery with a store of its own, and a folder for what two of the originals keep."""
    store = SharedMemoryStore(f"test-gallery-{secrets.token_hex(4)}")
    env = {"DASH_BRAIN_STORE": f"shm://{store.name}", "EXAMPLES_FOLDER": str(folder)}
    with gunicorn("examples.gallery:server", workers=2, env=env, **options) as server:
        yield server
    remove(store)


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests: what one has had computed may be there for the next."""
    # Threads: a browser that refuses cookies opens connections that it never uses, and a worker without
    # threads waits there for half a minute. Answers close theirs, so that the workers take turns.
    with serving(tmp_path_factory.mktemp("caches"), threads=4, options=["--keep-alive=0"]) as server:
        yield server


@dataclass(frozen=True)
class Callback:
    """One request of a page, as the browser's network log tells it; times in seconds."""

    output: str
    request_bytes: int
    response_bytes: int  # with its headers
    worker: str
    start: float
    end: float


class Page:
    """One page of the gallery in one browser.

    Parameters
    ----------
    driver, url
        The browser, and what it opens.
    pause
        Seconds between two looks at a page that is waited for. A look costs a few milliseconds of both cores.
    """

    def __init__(self, driver: Any, url: str, *, pause: float = 0.05) -> None:
        self.driver = driver
        self._url = url
        self._pause = pause
        self._requests: dict[str, dict[str, Any]] = {}  # what the network log has told since the last look

    def open(self, callbacks: int) -> float:
        """Open the page and return the seconds until that many callbacks have answered."""
        return self._timed(lambda: self.driver.get(self._url), callbacks)

    def reload(self, callbacks: int) -> float:
        return self._timed(self.driver.refresh, callbacks)

    def choose(self, dropdown: str, option: str, callbacks: int) -> float:
        """Choose an option and return the seconds until that many callbacks have answered."""
        self.driver.find_element("id", dropdown).click()
        found = self.wait(lambda: self._option(option))
        seen = self.badge()["number"]

        def choose() -> None:
            found.click()
            self.wait(lambda: self.badge()["number"] != seen)  # until then the badge tells of what was before

        return self._timed(choose, callbacks)

    def _option(self, text: str) -> Any:
        options = self.driver.find_elements("css selector", ".dash-dropdown-option")
        return next((option for option in options if option.text.strip() == text), None)

    def _timed(self, act: Callable[[], object], callbacks: int) -> float:
        begun = time.monotonic()
        act()
        self.wait(lambda: self.settled(callbacks))
        return time.monotonic() - begun

    def settled(self, callbacks: int) -> bool:
        badge = self.badge()
        return badge.get("waiting") == "0" and int(badge["calls"]) >= callbacks

    def badge(self) -> dict[str, str]:
        """Return what the badge has measured: bytes, calls, and calls that are waiting."""
        return self.driver.execute_script("return {...document.getElementById('wire')?.dataset}")

    def wait(self, condition: Callable[[], Any], timeout: float = 120) -> Any:
        deadline = time.monotonic() + timeout
        while not (result := condition()):
            assert time.monotonic() < deadline, f"the page never got there: {self.text('react-entry-point')}"
            time.sleep(self._pause)
        return result

    def text(self, component: str) -> str:
        try:
            return self.driver.find_element("id", component).text
        except (NoSuchElementException, StaleElementReferenceException):  # it is not there yet, or drawn anew
            return ""

    def layout(self) -> str:
        """Return the layout as it is now, with what callbacks have set, as JSON."""
        layouts = "dash_stores.map((store) => store.getState().layout)"
        return str(self.driver.execute_script(f"return JSON.stringify({layouts})"))

    def figure(self, graph: str, expression: str) -> Any:
        """Return an expression of the drawn figure: ``data`` and ``layout`` as plotly.js has them."""
        drawn = f"document.querySelector('#{graph} .js-plotly-plot')"
        self.wait(lambda: self.driver.execute_script(f"return !!{drawn}?._fullData"))
        return self.driver.execute_script(f"const {{data, layout}} = {drawn}; return {expression}")

    def network(self) -> dict[str, Callback]:
        """Return the last callback for each output since the last look, when all have ended."""
        self.wait(self._all_ended)  # the log may come later than the answer
        told, self._requests = self._requests, {}
        return {found.output: found for found in map(as_callback, told.values()) if found}

    def _all_ended(self) -> bool:
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            number = message["params"].get("requestId", "")
            self._requests.setdefault(number, {})[message["method"]] = message["params"]
        ends = {"Network.loadingFinished", "Network.loadingFailed"}  # it fails for a page that is left
        return all(ends & events.keys() for events in self._requests.values() if is_callback(events))

    def assert_console_is_clean(self) -> None:
        assert [entry for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"] == []

    def assert_accessible(self, *, with_code: bool = False) -> None:
        """Ask axe about everything, and about contrast on a dark screen; code looks alike on all pages."""
        self.wait(lambda: "waiting for the first data" not in self.text("react-entry-point"))
        assert_accessible(self.driver, [] if with_code else [".diff"])


def assert_accessible(driver: Any, leave_out: Sequence[str] = ()) -> None:
    driver.execute_script(axe())
    assert driver.execute_async_script(AXE, leave_out, {}) == []
    show_as(driver, "dark")
    assert driver.execute_async_script(AXE, leave_out, {"runOnly": ["color-contrast"]}) == []
    show_as(driver, "light")


def show_as(driver: Any, scheme: str) -> None:
    scheme_of_screen = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme_of_screen]})


def resize(driver: Any, width: int, height: int = 1000) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


AXE = """
const [exclude, options, done] = arguments;
axe.run({exclude}, {resultTypes: ["violations"], ...options}).then(({violations}) =>
    done(violations.map(({id, nodes}) => `${id}: ${nodes.map((node) => node.html.slice(0, 200))}`)));
"""


@cache
def axe() -> str:
    spec = find_spec("axe_playwright_python")  # of which only its copy of axe is used
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], "axe.min.js").read_text()


def is_callback(events: dict[str, Any]) -> bool:
    """Say whether these events are those of a request for a callback of the app."""
    sent = events.get("Network.requestWillBeSent", {}).get("request", {"url": ""})
    return "_dash-update-component" in sent["url"] and "_dash-brain-claim.data" not in sent["postData"]


def as_callback(events: dict[str, Any]) -> Callback | None:
    """Return the callback of the app that these events of one request tell of, if it was answered."""
    if not is_callback(events) or "Network.loadingFinished" not in events:
        return None
    sent, answered, finished = (
        events[f"Network.{name}"] for name in ("requestWillBeSent", "responseReceived", "loadingFinished")
    )
    body = sent["request"]["postData"]
    output = re.search(r'"output":"([^"]+)"', body)
    assert output is not None
    return Callback(
        output=output[1],
        request_bytes=len(body.encode()),
        response_bytes=finished["encodedDataLength"],
        worker={name.lower(): value for name, value in answered["response"]["headers"].items()}["x-worker"],
        start=sent["timestamp"],
        end=finished["timestamp"],
    )


@pytest.fixture
def page(gallery: Server, browser_for_module: Any) -> Callable[[str], Page]:
    """Turn the name of an example into its page, in a browser without cookies."""
    browser_for_module.get("about:blank")
    browser_for_module.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser_for_module.get_log("browser")
    return lambda name: Page(browser_for_module, f"{gallery.url}/{name}/")
