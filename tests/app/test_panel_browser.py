"""The panel in a real browser: by keyboard alone, with what it shows, drops and downloads."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from tests.backends import serving
from tests.browsers import patience

BUTTON, PANEL = "dash-brain-panel-button", "dash-brain-panel"

PICTURE = Path(__file__).parents[2] / "docs/images/panel.png"

#: The names that a screen reader would say, of all that can be pressed.
NAMES = f"""
const root = document.getElementById("{PANEL}").shadowRoot;
return [...root.querySelectorAll("button")].map(one => one.ariaLabel || one.textContent);
"""

#: How far the panel, and what is in it, goes beyond the edges of the window.
BEYOND = f"""
const root = document.getElementById("{PANEL}").shadowRoot;
const parts = [...root.querySelectorAll("section, .sums > *, tr > *, button")];
const boxes = parts.map(one => one.getBoundingClientRect());
return Math.max(...boxes.map(box => Math.max(-box.left, box.right - innerWidth)));
"""


class Panel:
    """The panel of the page that a browser shows."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def wait(self, condition: Any) -> Any:
        return patience(self.driver).until(lambda _: condition())

    def found(self, selector: str) -> list[Any]:
        hosts = self.driver.find_elements("id", PANEL)
        return hosts[0].shadow_root.find_elements("css selector", selector) if hosts else []

    def text(self, selector: str, beginning: str = "") -> str:
        """Return the text of the element that begins so."""
        return next((text for one in self.found(selector) if (text := one.text).startswith(beginning)), "")

    def row(self, name: str) -> str:
        return self.text("tbody tr", name)

    def press(self, label: str) -> None:
        """Press a button of the panel by keyboard."""
        [button] = self.wait(lambda: self.found(f"[aria-label='{label}']"))
        button.send_keys("\n")

    def show(self, width: int, *, scale: float = 1) -> None:
        """Show the page on a screen of a width."""
        size = {"width": width, "height": 800, "deviceScaleFactor": scale, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def test_the_panel_is_used_by_keyboard(browser: Any, tmp_path: Path) -> None:
    """From the first look to the last: each step needs what the ones before it have done."""
    with serving("tests.app.panelled:server", workers=1, env={"DASH_BRAIN_STORE": "memory://"}) as server:
        browser.get(server.url)
        panel = Panel(browser)
        panel.wait(lambda: browser.find_elements("id", BUTTON))
        fill_stores(browser, panel)
        browser.find_element("id", BUTTON).send_keys("\n")
        it_shows_what_the_page_holds(panel)
        it_fits_into_each_window(panel)
        take_picture(panel)
        what_is_downloaded_is_whole(panel, tmp_path)
        what_is_dropped_is_gone(panel)
        panel.found("[role=dialog]")[0].send_keys("\ue00c")  # Escape
        panel.wait(lambda: not browser.find_elements("id", PANEL))
        assert browser.switch_to.active_element.get_attribute("id") == BUTTON
    errors = [one["message"] for one in browser.get_log("browser") if one["level"] == "SEVERE"]
    # Dash asks for its newest version. What is asked last may find that the server has ended.
    assert [one for one in errors if "dash-version.plotly.com" not in one and "_CONNECTION_" not in one] == []


def fill_stores(browser: Any, panel: Panel) -> None:
    sums, means = browser.find_elements("css selector", "#how input")
    # What was computed before is a hit. Dash may not send a callback that the next click makes superfluous.
    for one, total in ((browser.find_element("id", "load"), "500,000"), (means, "20"), (sums, "500,000")):
        one.click()
        text = f"100,000 orders of {total}"
        panel.wait(lambda text=text: browser.find_element("id", "shown").text == text)


def it_shows_what_the_page_holds(panel: Panel) -> None:
    panel.wait(lambda: "pandas.DataFrame" in panel.row("orders"))
    assert "100,000 \N{MULTIPLICATION SIGN} 3" in panel.row("orders")
    assert "this tab" in panel.row("orders")
    assert "dict" in panel.row('{"part"')
    assert "this session (memoized)" in panel.row("totals")
    assert "empty" in panel.row("selection")
    assert "numpy.ndarray" in panel.row("prices")
    # Orders go to the page and to two callbacks, each of which may be called twice.
    panel.wait(lambda: "MB" in panel.text(".figure", "Kept off the wire"))
    panel.wait(lambda: "4 values" in panel.text(".figure", "Storing"))
    panel.wait(lambda: "1 hit\nof 3 calls" in panel.text(".figure", "Memoized results"))
    assert "of 20.0 MB" in panel.text(".meter", "This session")
    assert len(panel.found("[role=meter]")) == 2
    assert "" not in panel.driver.execute_script(NAMES)


def it_fits_into_each_window(panel: Panel) -> None:
    for width in (400, 900, 1600):
        panel.show(width)
        assert panel.driver.execute_script(BEYOND) <= 0, width


def take_picture(panel: Panel) -> None:
    """Write the picture in the documents, with ``make pictures``."""
    if os.environ.get("TAKE_PICTURES"):
        panel.show(900, scale=1.5)
        image = panel.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
        PICTURE.write_bytes(base64.b64decode(image))


def what_is_downloaded_is_whole(panel: Panel, folder: Path) -> None:
    where = {"behavior": "allow", "downloadPath": str(folder)}
    panel.driver.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    panel.press("Download totals as csv")
    panel.wait(lambda: panel.text("[role=status]") == "Downloaded totals.csv.")
    saved = folder / "totals.csv"
    panel.wait(lambda: saved.exists() and len(saved.read_text().splitlines()) == 5)
    panel.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "default"})
    panel.press('Download {"part":"model"}')
    panel.wait(lambda: panel.text("[role=status]").startswith("Only tables and arrays"))


def what_is_dropped_is_gone(panel: Panel) -> None:
    panel.press("Drop orders")
    panel.wait(lambda: panel.text("[role=status]").startswith("Dropped orders"))
    panel.wait(lambda: panel.driver.find_element("id", "shown").text == "nothing")
    panel.wait(lambda: "deleted" in panel.row("orders"))
