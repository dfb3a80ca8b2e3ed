"""The pages for everybody: with the keyboard, with a screen reader, and on a narrow screen."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

AXE = """
const done = arguments[0];
axe.run(document, {resultTypes: ["violations"]}).then(({violations}) =>
    done(violations.map(({id, nodes}) => `${id}: ${nodes.map((node) => node.html.slice(0, 200))}`)));
"""
CALLBACKS = {"flights": 7, "signalling": 5, "session_data": 3, "temperature": 2, "load_once": 1, "feeder": 2}


def axe() -> str:
    spec = find_spec("axe_playwright_python")  # of which only its copy of axe is used
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], "axe.min.js").read_text()


def resize(driver: Any, width: int, height: int = 1000) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.fixture
def flights(page: Any) -> Any:
    opened = page("flights")
    opened.open(callbacks=7)
    yield opened
    opened.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("name", CALLBACKS)
def test_axe_finds_nothing(page, name):
    opened = page(name)
    opened.open(callbacks=CALLBACKS[name])
    opened.wait(lambda: "waiting for the first data" not in opened.text("react-entry-point"))
    opened.driver.execute_script(axe())
    assert opened.driver.execute_async_script(AXE) == []
    assert opened.driver.find_element("tag name", "html").get_attribute("lang") == "en"


def test_tab_leaves_the_table(flights):
    flights.driver.find_element("css selector", "input.current-page").click()
    for _ in range(4):
        ActionChains(flights.driver).send_keys(Keys.TAB).perform()
    inside = "return !!document.activeElement.closest('.dash-table-container')"
    assert not flights.driver.execute_script(inside)


def test_a_graph_says_that_it_waits_and_has_a_text(page):
    cleaning = page("cleaning")
    cleaning.driver.get(cleaning._url)
    cleaning.wait(lambda: "waiting for the first data" in cleaning.text("graph"))
    figure = cleaning.driver.find_element("css selector", "figure[role=img]")
    assert "temperature" in figure.get_attribute("aria-label")


def places(driver: Any, selector: str) -> list[dict[str, float]]:
    found = "[...document.querySelectorAll(arguments[0])]"
    script = f"return {found}.map((one) => one.getBoundingClientRect().toJSON())"
    return driver.execute_script(script, selector)


def test_nothing_is_cut_off_or_covered_on_screens_of_any_width(flights):
    for width in (1400, 900, 400):
        fits(flights, width)


def fits(flights, width):
    driver = flights.driver
    resize(driver, width)
    flights.wait(lambda: driver.execute_script("return innerWidth") == width)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    tiles = flights.wait(lambda: places(driver, "#numbers > .tile"))
    tops = [round(tile["top"]) for tile in tiles]
    assert {tops.count(top) for top in tops} in ({2}, {4})  # no tile stands alone
    [bar] = places(driver, "#hours .cbcoloraxis, #hours .colorbar")
    assert bar["width"] > 50
    driver.execute_script("scrollTo(0, document.body.scrollHeight)")
    [badge], [table] = places(driver, "#wire"), places(driver, ".dash-table-container")
    assert badge["top"] >= table["bottom"]
    if width == 400:  # there it would cover whatever is read
        assert driver.execute_script("return getComputedStyle(wire).position") == "static"
