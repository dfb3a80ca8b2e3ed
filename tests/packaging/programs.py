"""Programs as a reader runs them: ``python app.py``, and a browser for those that serve a page."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import zygote
from tests.ports import next_port

#: Resolves when no callback of the page has run for half a second. It asks within the page: no round trips.
SETTLED = """
const resolve = arguments[0];
let quiet = 0;
const timer = setInterval(() => {
    const page = document.getElementById("react-entry-point");
    const settled = !!page?.children.length && !page.querySelector("._dash-loading")
        && document.title !== "Updating..." && document.readyState === "complete";
    quiet = settled ? quiet + 1 : 0;
    if (quiet > 10) { clearInterval(timer); resolve(true); }
}, 50);
"""

#: What most programs of the documents load: a process that has it forks them in milliseconds.
LOADED = (
    *("dash.backends._flask", "dash_brain.brain", "dash_brain.hooks", "dash_brain.memo"),
    *("dash_brain.web.callback", "dash_brain.web.component", "dash_brain.web.sessions.session_brain"),
)


@dataclass(frozen=True)
class Program:
    """A program that serves a page, and what it has printed so far."""

    url: str
    process: zygote.Program
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")


@contextmanager
def serving(file: Path, env: Mapping[str, str], besides: tuple[str, ...] = ()) -> Iterator[Program]:
    """Run ``python <file>`` in its folder, on a free port, until the block ends.

    `besides` are modules that it finds loaded.
    """
    port = next_port()
    log_file = file.with_suffix(".log")
    env = {**env, "PORT": str(port)}
    process = zygote.start([file.name], output=log_file, folder=file.parent, env=env, besides=besides)
    program = Program(f"http://127.0.0.1:{port}", process, log_file)
    try:
        wait_until(lambda: answers(port) or process.poll() is not None, lambda: program.log)
        assert process.poll() is None, f"it ended by itself: {program.log}"
        yield program
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with FastAPI, Dash begins another process
        process.wait()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], object], told: Callable[[], str], timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"it never happened: {told()}"
        time.sleep(0.05)


def open_page(driver: Any, program: Program) -> None:
    """Open the page of a program, and choose the first option of each dropdown."""
    # An earlier program may have had the port, and kept something in this tab.
    driver.execute_script("try { sessionStorage.clear(); localStorage.clear() } catch {}")
    driver.get_log("browser")
    driver.get(program.url)
    settle(driver, program)
    for dropdown in driver.find_elements("css selector", ".dash-dropdown"):
        dropdown.click()
        wait_until(lambda: options(driver), lambda: "a dropdown without options")
        options(driver)[0].click()
        settle(driver, program)
        if options(driver):  # it stays open when what was chosen is chosen again
            dropdown.click()


def options(driver: Any) -> list[Any]:
    found: list[Any] = driver.find_elements("css selector", ".dash-dropdown-option")
    return found


def settle(driver: Any, program: Program) -> None:
    """Wait until no callback of the page has run for half a second."""
    from selenium.common.exceptions import TimeoutException

    driver.set_script_timeout(60)
    try:
        driver.execute_async_script(SETTLED)
    except TimeoutException:
        raise AssertionError(f"the page never came to rest: {program.log}") from None
