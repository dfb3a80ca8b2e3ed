"""The table of what survives what, in docs/recipes/pages.md, is what a browser shows: row by row."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selenium.common.exceptions import TimeoutException

from tests.browsers import chrome, leave, patience
from tests.programs import REPOSITORY
from tests.servers import Server, gunicorn

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PAGE = REPOSITORY / "docs/recipes/pages.md"
#: Those of the app. It is not imported here: its pages would be those of all apps of this process.
KINDS = ("memory", "session", "local")
KEPT = (*KINDS, "session_brain")


def table() -> dict[str, list[str]]:
    """Return the cells of each row of the table."""
    text = PAGE.read_text().partition("| the value is there after |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines()[2:]]
    return {row[0]: row[1:] for row in rows}


def expected(row: str) -> str:
    """Return what a page shows after it: the tests have a store on disk."""
    cells = table()[row]
    assert all(re.match(r"(yes|no|with a store on disk|the same)\b", cell) for cell in cells), cells
    return " ".join(kept for kept, cell in zip(KEPT, cells, strict=True) if not cell.startswith("no"))


class Machine:
    """What serves the app at one address, again and again, from a store on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running = ExitStack()
        self.port = socket.socket()
        self.port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port.bind(("127.0.0.1", 0))  # nobody else gets it between two servers
        self.server = self.start()

    def start(self) -> Server:
        env = {"DASH_BRAIN_STORE": f"file://{self.folder}"}
        served = gunicorn("tests.app.surviving:server", workers=2, env=env, port=self.port.getsockname()[1])
        return self.running.enter_context(served)

    def stop(self) -> None:
        self.running.close()

    def restart(self) -> None:
        self.stop()
        self.server = self.start()

    def restart_workers(self) -> None:
        before = self.server.log.count("Booting worker")
        os.kill(self.server.process.pid, signal.SIGHUP)
        wait_until(lambda: self.server.log.count("Booting worker") == before + 2, self.server)
        wait_until(lambda: self.server.log.count("Worker exiting") >= before, self.server)


def wait_until(condition: Callable[[], bool], server: Server) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, server.log
        time.sleep(0.05)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("store"))
    yield machine
    machine.stop()
    machine.port.close()


def wait_for(driver: Chrome, component: str, *texts: str) -> None:
    """Wait until a component shows one of these texts."""
    script = "return document.getElementById(arguments[0])?.innerText"
    try:
        patience(driver).until(lambda _: driver.execute_script(script, component) in texts)
    except TimeoutException:
        told = [driver.execute_script(script, component), driver.get_log("browser")]
        raise AssertionError(f"{component} does not show {texts}: {told}") from None


def click(driver: Chrome, component: str) -> None:
    patience(driver).until(lambda _: driver.find_elements("id", component))
    driver.find_element("id", component).click()


def fill(driver: Chrome, url: str) -> None:
    """Give every store of a page that is opened a value, and the session a name."""
    driver.get(url)
    wait_for(driver, "within-shown", "0:", "0: session_brain")  # a late answer may set the last user's cookie
    click(driver, "fill")
    wait_for(driver, "beside-shown", f"0: {' '.join(KEPT)}")
    wait_for(driver, "within-shown", f"0: {' '.join(KEPT)}")


def look(driver: Chrome, **rows: str) -> None:
    """Compare what is found beside the pages, and in a page, with these rows of the table."""
    click(driver, "look")
    for where, row in rows.items():
        wait_for(driver, f"{where}-shown", f"1: {expected(row)}")


def to_another_page_and_back(driver: Chrome) -> None:
    click(driver, "to-second")
    wait_for(driver, "second", "the second page")
    click(driver, "to-first")


def test_every_row_of_the_table_is_tested_below() -> None:
    source = Path(__file__).read_text()
    assert len(table()) == 7
    assert [row for row in table() if f'"{row}"' not in source] == []


def test_another_page_of_the_app(machine: Machine, browser: Chrome) -> None:
    fill(browser, machine.server.url)
    to_another_page_and_back(browser)
    look(
        browser,
        beside="another page of the app, store beside `page_container`",
        within="another page of the app, store in the page",
    )


def test_a_reload(machine: Machine, browser: Chrome) -> None:
    fill(browser, machine.server.url)
    browser.refresh()
    look(browser, beside="a reload", within="a reload")


def test_a_closed_tab(machine: Machine, browser: Chrome) -> None:
    fill(browser, machine.server.url)
    leave(browser)
    browser.get(machine.server.url)
    look(browser, beside="the tab was closed", within="the tab was closed")


def test_a_closed_browser(machine: Machine, tmp_path: Path) -> None:
    profile = f"--user-data-dir={tmp_path}"
    with chrome(profile) as driver:
        fill(driver, machine.server.url)
    with chrome(profile) as driver:
        driver.get(machine.server.url)
        look(driver, beside="the browser was closed", within="the browser was closed")


@pytest.mark.parametrize(
    ("restart", "row"),
    [
        (Machine.restart_workers, "workers were restarted"),
        (Machine.restart, "the machine was restarted"),
    ],
)
def test_a_restart(restart: Callable[[Machine], None], row: str, machine: Machine, browser: Chrome) -> None:
    fill(browser, machine.server.url)
    restart(machine)
    look(browser, beside=row, within=row)
