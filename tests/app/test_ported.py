"""A half-done port in a real browser, against real workers: its author is told what is missing, by name."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dash_brain.stores import FileStore
from dash_brain.web.leases import UNCLAIMED
from tests.app.test_browser import Tab
from tests.app.test_lifetime import left, wait_for
from tests.browsers import patience
from tests.stores.places import place, remove_in_use


def wait_for_error(tab: Tab, wanted: tuple[str, ...]) -> None:
    """Wait until the page's own error list says all that is wanted."""
    driver = tab.driver

    def found(_: Any) -> bool:
        driver.execute_script(
            "document.querySelectorAll('.test-devtools-error-toggle').forEach(one => one.click())"
        )
        errors = driver.find_elements("css selector", "iframe, .dash-fe-error__title, .dash-backend-error")
        said = " ".join(one.get_attribute("srcdoc") or one.get_attribute("textContent") for one in errors)
        return all(word in said for word in wanted)

    patience(driver).until(found)


@pytest.mark.parametrize(
    ("plain", "json", "handled"),
    [("load3", "1", True), ("load3", "", False), ("show3", "", False)],
    ids=["writes JSON, and the app handles errors", "writes a frame", "reads"],
)
def test_one_plain_callback_among_thirty_is_named(
    serve: Any, browser: Any, plain: str, json: bool, handled: bool
):
    env = {"PLAIN": plain, **({"JSON": "1"} if json else {}), **({"HANDLED": "1"} if handled else {})}
    served = serve("tests.app.ported:server", workers=2, env=env)
    tab = Tab(browser, served.url)
    tab.wait("text3", "empty")
    tab.click("load")
    wanted = f"tests.app.ported.{plain.rstrip('3')}", "'store3'", "brain_callback"
    patience(browser).until(lambda _: all(word in served.log for word in wanted))
    if not handled:
        wait_for_error(tab, wanted)
    if json or plain == "show3":
        patience(browser).until(lambda _: "on_error:" in served.log)
        [*_, said] = re.findall(r"on_error: .*(?:\n(?!on_error).*)?", served.log)
        assert all(word in said for word in wanted)


def test_a_page_that_outlived_the_store_learns_it_with_the_first_refused_token(
    serve: Any, browser: Any, tmp_path: Any
):
    store = f"file://{tmp_path}/store"
    served = serve("tests.app.ported:server", workers=2, env={"DASH_BRAIN_STORE": store, "HANDLED": "1"})
    tab = Tab(browser, served.url)
    tab.wait("text0", "empty")
    tab.click("load")
    values = FileStore(tmp_path / "store")
    wait_for(lambda: len(left(values)) == 14 and min(left(values)) > UNCLAIMED, "the page claims all")
    remove_in_use(place(values))
    tab.click("count")
    tab.wait("text0", "empty")  # the page would have claimed by itself after minutes
    assert "no valid token" in served.log
    tab.click("load")
    tab.wait("text0", "clicks 2")
    tab.click("count")
    tab.wait("counted", "2: 1")
