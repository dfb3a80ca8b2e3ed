"""Jobs under attack: who has another browser's page id and handles can do nothing to its jobs."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import diskcache
import psutil
import pytest
from dash import Dash, DiskcacheManager, Input, Output, callback, dcc, html

from dash_brain import ServerStore, brain_callback
from tests.app.conftest import Page
from tests.app.test_background import PATIENCE, end, start

END_ID = re.compile(r'"end_id":\s*"([^"]+)"')


@pytest.fixture
def app(tmp_path: Path) -> Dash:
    app = Dash("test", background_callback_manager=DiskcacheManager(diskcache.Cache(tmp_path / "jobs")))
    app.layout = html.Div(
        [
            dcc.Input(id="rows", value=3),
            ServerStore(id="result"),
            html.Div(id="told"),
            html.Div(id="plain"),
            html.Button(id="cancel"),
        ]
    )

    @brain_callback(
        Output("result", "data"),
        Input("rows", "value"),
        background=True,
        progress=[Output("told", "title")],
        cancel=[Input("cancel", "n_clicks")],
    )
    def compute(set_progress, rows):
        set_progress(["secret progress"])
        while not (tmp_path / "go").exists():
            time.sleep(0.02)
        return [rows]

    @callback(
        Output("plain", "children"),
        Input("rows", "value"),
        background=True,
        cancel=[Input("cancel", "n_clicks")],
    )
    def compute_plainly(rows):
        while not (tmp_path / "go").exists():
            time.sleep(0.02)
        return rows

    @brain_callback(Output("told", "children"), Input("rows", "value"), background=True)
    def compute_at_once(rows):
        return rows

    return app


class Browser(Page):
    """A page that shows its id with all that it asks, as Dash's script does, or that of another page."""

    def __init__(self, app: Dash) -> None:
        super().__init__(app)
        found = END_ID.search(self.get("").text)
        assert found
        self.end_id = found[1]

    def post(self, output: str, query: str = "", **options: Any) -> Any:
        shown = urlencode({"endId": self.end_id})
        return super().post(output, query=f"{query}&{shown}" if query else f"?{shown}", **options)

    def cancel(self, handle: str) -> Any:
        return self.post("cancel.id", query=f"?{urlencode({'cancelJob': handle})}")


def process_of(handles: dict[str, str]) -> psutil.Process:
    return psutil.Process(int(re.split(r"[.~]", handles["job"])[0]))


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def victim(app: Dash) -> Browser:
    return Browser(app)


@pytest.fixture
def attacker(app: Dash, victim: Browser) -> Browser:
    attacker = Browser(app)
    attacker.end_id = victim.end_id
    return attacker


@pytest.mark.parametrize("way", ["cancelJob", "oldJob", "job", "job of another key", "a poll"])
def test_who_knows_the_page_and_the_handles_of_another_browser_cannot_touch_its_job(
    victim, attacker, tmp_path, way
):
    handles = start(victim, "result.data")
    process = process_of(handles)
    own = start(attacker, "told.children")
    query = {
        "cancelJob": {"cancelJob": handles["job"]},
        "oldJob": {"oldJob": handles["job"]},
        "job": {"job": handles["job"], "cacheKey": handles["cacheKey"], "oldJob": handles["job"]},
        "job of another key": {"job": handles["job"], "cacheKey": own["cacheKey"]},
        "a poll": handles,
    }[way]
    if way == "job of another key":
        process_of(own).wait(PATIENCE)
    output = "cancel.id" if way == "cancelJob" else "told.children" if "other" in way else "result.data"
    answer = attacker.post(output, query=f"?{urlencode(query)}")
    assert "secret" not in answer.text
    assert runs(process)
    (tmp_path / "go").touch()
    assert "result" in end(victim, "result.data", handles).json["response"]


def test_nor_does_he_get_its_result(victim, attacker, tmp_path):
    handles = start(victim, "result.data")
    (tmp_path / "go").touch()
    process_of(handles).wait(PATIENCE)
    assert attacker.post("result.data", query=f"?{urlencode(handles)}").status_code == 204
    assert "result" in end(victim, "result.data", handles).json["response"]


@pytest.mark.parametrize("forged", ["", "1", "1~00", "{pid}", "{pid}~", "{pid}.{key}", "None", "-1"])
def test_forged_handles_end_nothing(victim, tmp_path, forged):
    handles = start(victim, "result.data")
    process = process_of(handles)
    forged = forged.format(pid=process.pid, key=handles["cacheKey"].partition("~")[0])
    victim.cancel(forged)
    victim.post("told.children", query=f"?{urlencode({'oldJob': forged})}")
    assert runs(process)
    (tmp_path / "go").touch()
    end(victim, "result.data", handles)


def test_the_page_itself_ends_its_job(victim):
    handles = start(victim, "result.data")
    process = process_of(handles)
    victim.cancel(handles["job"])
    assert not runs(process)


def test_a_button_may_end_the_jobs_of_plain_callbacks_too(victim):
    """Dash takes the manager of the last callback with the button for all of them."""
    for output in ("result.data", "plain.children"):
        handles = start(victim, output)
        process = process_of(handles)
        assert victim.cancel(handles["job"]).status_code in (200, 204)
        assert not runs(process)
