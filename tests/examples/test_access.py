"""The pages for everybody: with the keyboard, with a screen reader, and on a narrow screen."""

from __future__ import annotations

from typing import Any

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.examples.conftest import Page, resize
from tests.servers import Server


@pytest.fixture(scope="module")
def flights(gallery: Server, browser_for_module: Any) -> Any:
    """The largest page, opened once: most of what is asked here changes nothing of it."""
    opened = Page(browser_for_module, f"{gallery.url}/flights/")
    opened.open(callbacks=7)
    yield opened
    opened.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_axe_finds_nothing(flights):
    """Nor on the other pages: the tests that open them ask it."""
    flights.assert_accessible()


def test_tab_leaves_the_table(flights):
    flights.driver.find_element("css selector", "input.current-page").click()
    for _ in range(4):
        ActionChains(flights.driver).send_keys(Keys.TAB).perform()
    inside = "return !!document.activeElement.closest('.dash-table-container')"
    assert not flights.driver.execute_script(inside)


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
    [wire] = places(driver, ".tiles > .tile")
    assert wire["height"] < 1.5 * tiles[0]["height"]  # none is half empty
    [bar] = places(driver, "#hours .cbcoloraxis, #hours .colorbar")
    assert bar["width"] > 50
    driver.execute_script("scrollTo(0, document.body.scrollHeight)")
    [badge], [table] = places(driver, "#wire"), places(driver, ".dash-table-container")
    assert badge["top"] >= table["bottom"]
    if width == 400:  # there it would cover whatever is read
        assert driver.execute_script("return getComputedStyle(wire).position") == "static"


#: Keeps all that the graph ever shows: what waits may be over before anybody looks.
SEEN = """
window.seen = "";
new MutationObserver(() => { window.seen += document.getElementById("graph")?.textContent ?? ""; })
    .observe(document, {subtree: true, childList: true, characterData: true});
"""


def test_a_graph_says_that_it_waits_and_has_a_text(page):
    cleaning = page("cleaning")
    driver = cleaning.driver
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SEEN})
    driver.get(cleaning._url)
    cleaning.wait(lambda: "waiting for the first data" in driver.execute_script("return window.seen"))
    driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    (figure,) = cleaning.wait(lambda: driver.find_elements("css selector", "figure[role=img]"))
    assert "temperature" in figure.get_attribute("aria-label")
