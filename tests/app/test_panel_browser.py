"""The panel in a real browser: by keyboard alone, with what it shows, drops and downloads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends import serving
from tests.browsers import patience

BUTTON, PANEL = "dash-brain-panel-button", "dash-brain-panel"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving("tests.app.panelled:server", workers=1) as server:
        yield server.url


class Panel:
    """The panel of the page that a browser shows."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def wait(self, condition: Any, *, message: str = "") -> Any:
        return patience(self.driver).until(lambda _: condition(), message)

    def found(self, selector: str) -> list[Any]:
        hosts = self.driver.find_elements("id", PANEL)
        return hosts[0].shadow_root.find_elements("css selector", selector) if hosts else []

    def row(self, name: str) -> str:
        return next((one.text for one in self.found("tbody tr") if one.text.startswith(name)), "")

    def figure(self, name: str) -> str:
        return next((one.text for one in self.found(".figure") if one.text.startswith(name)), "")

    def press(self, label: str) -> None:
        """Press a button of the panel by keyboard."""
        [button] = self.wait(lambda: self.found(f'[aria-label="{label}"]'))
        button.send_keys("\n")

    def said(self) -> str:
        return "".join(one.text for one in self.found("[role=status]"))


def test_the_panel_is_used_by_keyboard(url: str, browser: Any, tmp_path: Path) -> None:
    browser.get(url)
    panel = Panel(browser)
    panel.wait(lambda: browser.find_elements("id", BUTTON))
    browser.find_element("id", "make").click()
    panel.wait(lambda: browser.find_element("id", "shown").text == "1000 orders")

    browser.find_element("id", BUTTON).send_keys("\n")
    panel.wait(lambda: "pandas.DataFrame" in panel.row("orders"))
    assert "1,000 \N{MULTIPLICATION SIGN} 1" in panel.row("orders")
    assert "this tab" in panel.row("orders")
    assert "dict" in panel.row("notes")
    # The frame went down as a token, and up as one, the dict down only.
    panel.wait(lambda: "3 transfers" in panel.figure("Kept off the wire"))
    panel.wait(lambda: "1 value" in panel.figure("Reading"))
    panel.wait(lambda: "2 values" in panel.figure("Storing"))
    panel.wait(lambda: "0 hits" in panel.figure("Memoized results"))
    assert len(panel.found("[role=meter]")) == 2

    browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    panel.press("Download orders as csv")
    panel.wait(lambda: panel.said() == "Downloaded orders.csv.")
    saved = tmp_path / "orders.csv"
    panel.wait(lambda: saved.exists() and len(saved.read_text().splitlines()) == 1001)
    panel.press("Download notes")
    panel.wait(lambda: panel.said().startswith("Only tables and arrays"))

    panel.press("Drop orders")
    panel.wait(lambda: panel.said().startswith("Dropped orders"))
    panel.wait(lambda: browser.find_element("id", "shown").text == "nothing")
    panel.wait(lambda: "deleted" in panel.row("orders"))

    panel.found("[role=dialog]")[0].send_keys("\ue00c")  # Escape
    panel.wait(lambda: not browser.find_elements("id", PANEL))
    assert browser.switch_to.active_element.get_attribute("id") == BUTTON
    ours = [one["message"] for one in browser.get_log("browser") if one["level"] == "SEVERE"]
    assert [one for one in ours if "dash-version.plotly.com" not in one] == []
