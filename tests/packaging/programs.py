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

SETTLED = """
const page = document.getElementById("react-entry-point");
return !!page?.children.length && !page.querySelector("._dash-loading")
    && document.title !== "Updating..." && document.readyState === "complete";
"""


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
def serving(file: Path, env: Mapping[str, str]) -> Iterator[Program]:
    """Run ``python <file>`` in its folder, on a free port, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log_file = file.with_suffix(".log")
    process = zygote.start([file.name], output=log_file, folder=file.parent, env={**env, "PORT": str(port)})
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
    driver.get_log("browser")
    driver.get(program.url)
    settle(driver, program)
    for dropdown in driver.find_elements("css selector", ".dash-dropdown"):
        dropdown.click()
        wait_until(lambda: options(driver), lambda: "a dropdown without options")
        options(driver)[0].click()
        settle(driver, program)


def options(driver: Any) -> list[Any]:
    found: list[Any] = driver.find_elements("css selector", ".dash-dropdown-option")
    return found


def settle(driver: Any, program: Program) -> None:
    """Wait until no callback of the page has run for half a second."""
    quiet = 0

    def is_quiet() -> bool:
        nonlocal quiet
        quiet = quiet + 1 if driver.execute_script(SETTLED) else 0
        return quiet > 10

    wait_until(is_quiet, lambda: program.log)
