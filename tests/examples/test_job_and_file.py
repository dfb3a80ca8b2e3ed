"""The examples `forecast` and `explore`, step by step: a job in the background, and a file of the user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.examples.conftest import show_as

FILE = "name,cubic.m,n\nAjaccio,1,2.5\nBergen,,3\nZürich,4,5\n"


def test_a_job_shows_its_progress_is_cancelled_and_started_again_and_its_result_is_drawn(page):
    forecast = page("forecast")
    forecast.open(callbacks=0)
    assert is_enabled(forecast, "start")
    assert not is_enabled(forecast, "cancel")
    begin(forecast)
    forecast.driver.find_element("id", "cancel").click()
    forecast.wait(lambda: is_enabled(forecast, "start"))
    assert "press Start" in forecast.text("ends")

    begin(forecast)
    assert forecast.figure("ends", "data?.length") is None
    forecast.wait(lambda: forecast.figure("ends", "data?.length") == 1)
    forecast.wait(lambda: forecast.figure("graph", "data?.length") == 3)
    assert forecast.text("state") == "2,000 of 2,000 futures"
    assert is_enabled(forecast, "start")
    assert forecast.figure("ends", "data[0].y._inputArray.reduce((sum, count) => sum + count)") == 2000
    assert max(call.request_bytes for call in forecast.network().values()) < 1000
    forecast.assert_accessible()
    forecast.assert_console_is_clean()


def begin(forecast: Any) -> None:
    """Start a job, and wait until it says that a part of it is done."""
    forecast.wait(lambda: forecast.driver.find_element("id", "start")).click()
    forecast.wait(lambda: is_enabled(forecast, "cancel"))
    forecast.wait(lambda: 0 < forecast.driver.execute_script("return progress.value") < 20)


def is_enabled(forecast: Any, button: str) -> bool:
    return bool(forecast.wait(lambda: forecast.driver.find_elements("id", button))[0].is_enabled())


def test_a_file_is_uploaded_explored_and_downloaded_in_part(page, tmp_path):
    explore = page("explore")
    downloads = {"behavior": "allow", "downloadPath": str(tmp_path / "downloads")}
    explore.driver.execute_cdp_cmd("Browser.setDownloadBehavior", downloads)
    explore.open(callbacks=3)
    upload(explore, tmp_path / "none.csv", "")
    explore.wait(lambda: "This is no table" in explore.text("problem"))
    upload(explore, tmp_path / "places.csv", FILE)
    explore.wait(lambda: "3 rows in 3 columns" in explore.text("columns"))
    assert explore.text("problem") == ""
    explore.assert_accessible()
    explore.network()

    go_to(explore, "Explore")
    explore.wait(lambda: cells(explore) == ["Ajaccio", "Bergen", "Zürich"])
    header = "#grid .ag-header-cell[col-id='cubic.m'] .ag-header-cell-label"
    explore.driver.find_element("css selector", header).click()
    explore.driver.find_element("css selector", header).click()
    explore.wait(lambda: cells(explore) == ["Zürich", "Ajaccio", "Bergen"])
    explore.driver.find_element("id", "words").send_keys("ZÜR")
    explore.wait(lambda: cells(explore) == ["Zürich"])
    assert explore.text("count") == "1 row"
    assert has_the_colour_of_texts(explore.driver)
    explore.assert_accessible()

    go_to(explore, "Download")
    explore.wait(lambda: "33.3%" in explore.text("numbers"))
    explore.assert_accessible()
    explore.driver.find_element("id", "ask").click()
    file = tmp_path / "downloads" / "chosen.csv"
    explore.wait(file.exists)
    explore.wait(lambda: file.read_text() == "name,cubic.m,n\nZürich,4.0,5.0\n")
    go_to(explore, "Upload")
    explore.wait(lambda: "3 rows in 3 columns" in explore.text("columns"))  # it is there still
    assert max(call.request_bytes for call in explore.network().values()) < 2000  # no file in any of them
    explore.assert_console_is_clean()


def upload(explore: Any, file: Path, text: str) -> None:
    file.write_text(text)
    explore.driver.find_element("css selector", "#upload input[type=file]").send_keys(str(file))


def go_to(explore: Any, title: str) -> None:
    explore.driver.find_element("link text", title).click()


def has_the_colour_of_texts(driver: Any) -> bool:
    """Look at a cell on a dark screen, which axe leaves open: its place is absolute."""
    show_as(driver, "dark")
    colours = "['.ag-cell', 'h1'].map((one) => getComputedStyle(document.querySelector(one)).color)"
    cell, heading = driver.execute_script(f"return {colours}")
    show_as(driver, "light")
    return bool(cell == heading)


def cells(explore: Any) -> list[str]:
    """Return what the first column of the grid shows, from top to bottom."""
    script = """
        const rows = [...document.querySelectorAll("#grid .ag-row")];
        rows.sort((one, other) => one.getAttribute("row-index") - other.getAttribute("row-index"));
        return rows.map((row) => row.querySelector("[col-id=name]")?.textContent ?? "");
    """
    found: list[str] = explore.driver.execute_script(script)
    return found
