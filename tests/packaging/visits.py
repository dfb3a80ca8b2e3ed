"""What a reader does on the page of a program, before its picture is taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.packaging.programs import Program, options, settle, wait_until

Action = Callable[[Any, Program], None]


def choose(component: str, option: str) -> Action:
    def act(driver: Any, program: Program) -> None:
        driver.find_element("id", component).click()
        wait_until(lambda: options(driver), lambda: "a dropdown without options")
        next(one for one in options(driver) if one.text == option).click()
        settle(driver, program)

    return act


def click(component: str) -> Action:
    def act(driver: Any, program: Program) -> None:
        driver.find_element("id", component).click()
        settle(driver, program)

    return act


def enter(component: str, text: str) -> Action:
    def act(driver: Any, program: Program) -> None:
        driver.find_element("id", component).send_keys(f"{text}\n")
        settle(driver, program)

    return act


def upload(component: str, name: str, text: str) -> Action:
    def act(driver: Any, program: Program) -> None:
        file = program.log_file.with_name(name)
        file.write_text(text)
        driver.find_element("css selector", f"#{component} input[type=file]").send_keys(str(file))
        settle(driver, program)

    return act


def shows(text: str) -> Action:
    def act(driver: Any, program: Program) -> None:
        wait_until(lambda: text in driver.find_element("tag name", "body").text, lambda: program.log)

    return act


def download(component: str, name: str, text: str) -> Action:
    """Click, and compare the file that the browser gets."""

    def act(driver: Any, program: Program) -> None:
        folder = program.log_file.parent / "downloads"
        where = {"behavior": "allow", "downloadPath": str(folder)}
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", where)
        click(component)(driver, program)
        wait_until(lambda: read(folder / name) == text, lambda: f"{read(folder / name)!r}: {program.log}")
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "default"})

    return act


def read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


ORDERS = "customer,total\nsmith,10\njones,20\nsmith,30\n"

#: By picture. Before these, the first option of each dropdown is chosen.
ACTIONS: dict[str, list[Action]] = {
    "tutorial-3": [choose("region", "south")],
    "per-user": [click("add"), choose("fruit", "pears"), click("add")],
    "parts": [enter("note", "paid")],
    "upload": [
        upload("upload", "broken.csv", ""),
        shows("This is no table: No columns to parse from file"),
        upload("upload", "orders.csv", ORDERS),
        enter("text", "smith"),
        download("ask", "filtered.csv", "customer,total\nsmith,10\nsmith,30\n"),
    ],
}
