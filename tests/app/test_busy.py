"""Pages that trigger fast, change their parts and go back and forth: in a browser, on $BACKEND."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dash_brain.stores import FileStore
from dash_brain.web.leases import superseded
from tests.app.test_browser import Tab
from tests.app.test_lifetime import types_of, wait_for
from tests.backends import serving
from tests.browsers import forget_everything

TRIGGERS = 200
WORKERS = 2


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> FileStore:
    return FileStore(tmp_path_factory.mktemp("busy"))


@pytest.fixture(scope="module")
def url(store) -> Iterator[str]:
    env = {"DASH_BRAIN_STORE": f"file://{store.folder}", "DASH_BRAIN_GRACE": "1"}
    with serving("tests.app.busy:server", workers=WORKERS, env=env) as server:
        yield server.url


@pytest.fixture
def tab(url, store, browser_for_module) -> Iterator[Tab]:
    forget_everything(browser_for_module)
    for domain in ("session", "claims"):
        for namespace in list(store.namespaces(domain)):
            store.drop(namespace)
    tab = Tab(browser_for_module, f"{url}/one")
    tab.wait("page", "page /one, after 1 of them")
    tab.wait("kelvin-text", "0 C is 273 K")
    yield tab
    tab.assert_clean()


def set_prop(tab: Tab, component: str, prop: str, value: Any) -> None:
    tab.driver.execute_script(
        "dash_clientside.set_props(arguments[0], {[arguments[1]]: arguments[2]})", component, prop, value
    )


def test_of_many_rapid_triggers_the_last_one_wins_and_few_values_stay(tab, store):
    tab.driver.execute_async_script(
        """
        const [count, done] = arguments;
        let n = 0;
        const trigger = () => {
            dash_clientside.set_props("n", {value: ++n});
            n < count ? setTimeout(trigger, 2) : done();
        };
        trigger();
        """,
        TRIGGERS,
    )
    tab.wait("newest-text", f"{TRIGGERS} {TRIGGERS}")
    tab.click("ask")
    tab.wait("asked", f"1: {TRIGGERS}")
    tab.wait("newest-text", f"{TRIGGERS} {TRIGGERS}")
    # Those that the page holds; of those that it never claimed each worker keeps a few for each store.
    most = 4 + 3 * WORKERS * superseded.KEPT
    wait_for(lambda: len(types_of(store)) <= most, f"of {TRIGGERS} values more than {most} stay")


def test_stores_may_come_and_go(tab):
    for clicks in range(1, 8):
        tab.click("toggle")
        tab.wait("parts-text", str([(n, clicks) for n in range(3 * (clicks % 2))]))
    for _ in range(20):  # without waiting
        tab.click("toggle")
    tab.wait("parts-text", str([(n, 27) for n in range(3)]))
    tab.click("toggle")
    tab.wait("parts-text", "[]")


def test_a_table_and_its_selection_may_follow_each_other(tab):
    def rows() -> list[str]:
        cells = tab.driver.find_elements("css selector", "#table td[data-dash-column=fruit]")
        return [cell.text for cell in cells]

    def boxes() -> list[Any]:
        return tab.driver.find_elements("css selector", "#table td.dash-select-cell input")

    tab.wait_for(lambda: rows() == ["apples", "oranges", "figs"])
    boxes()[2].click()
    tab.wait_for(lambda: rows() == ["figs", "apples", "oranges"])
    tab.wait_for(lambda: [box.is_selected() for box in boxes()] == [True, False, False])
    boxes()[2].click()
    tab.wait_for(lambda: [box.is_selected() for box in boxes()] == [True, True, False])
    assert rows() == ["figs", "oranges", "apples"]


def test_a_store_and_an_input_may_follow_each_other(tab):
    for degrees in range(1, 6):
        set_prop(tab, "degrees", "value", degrees)
        tab.wait("kelvin-text", f"{degrees} C is {degrees + 273} K")


def test_a_value_goes_along_back_and_forth(tab):
    tab.click("to-two")
    tab.wait("page", "page /two, after 2 of them")
    tab.driver.back()
    tab.wait("page", "page /one, after 3 of them")
    tab.driver.forward()
    tab.wait("page", "page /two, after 4 of them")
    tab.driver.get("about:blank")
    tab.driver.back()  # from the browser's cache, or anew
    tab.wait_for(lambda: tab.text("page").startswith("page /two, after "))
    before = int(tab.text("page").split()[3])
    tab.click("to-one")
    tab.wait("page", f"page /one, after {before + 1} of them")
    tab.driver.refresh()
    tab.wait("page", "page /one, after 1 of them")
