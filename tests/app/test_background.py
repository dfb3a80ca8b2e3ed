"""Callbacks that run in processes of their own: what goes in and comes out stays on the server."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import diskcache
import multiprocess
import numpy as np
import pandas as pd
import psutil
import pytest
from dash import Dash, DiskcacheManager, Input, Output, State, dcc, html, set_props
from dash._callback_context import context_value
from dash._utils import AttributeDict
from dash.exceptions import MissingLongCallbackManagerError

from dash_brain import (
    Memoize,
    ServerOutput,
    ServerStore,
    brain_callback,
    close_session,
    configure,
    session_brain,
)
from dash_brain.errors import NoSession, StoreUnavailable
from dash_brain.settings import current
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.web.component_registry import ComponentRegistry, _registry
from dash_brain.web.leases import LEASE
from dash_brain.web.leases.jobs import JobClaims
from dash_brain.web.recipes import recompute
from tests.app.conftest import Page, of_flask
from tests.app.test_claims import Claiming, Clock

GRACE = 60.0
PATIENCE = 60.0
NO_PROCESS = 2**22  # and above: numbers that Linux gives to no process


class Queue(DiskcacheManager):
    """Starts jobs at once, or, closed, when it is told to: as a queue in which others are first."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.waiting: list[Callable[[], Any]] = []
        self.is_open = True

    def call_job_fn(self, *job: Any) -> Any:
        begin = super().call_job_fn
        if self.is_open:
            return begin(*job)
        self.waiting.append(lambda: begin(*job))
        return NO_PROCESS + len(self.waiting)

    def job_running(self, job: Any) -> bool:
        return bool(self.waiting) if int(job) > NO_PROCESS else super().job_running(job)

    def work_off(self) -> None:
        """Run what waits, one after the other, to its end."""
        while self.waiting:
            psutil.Process(self.waiting.pop(0)()).wait(PATIENCE)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    clock = Clock()
    configure(FileStore(tmp_path / "store", clock=clock), grace=GRACE)
    return clock


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(diskcache.Cache(tmp_path / "jobs"))


@pytest.fixture
def app(clock: Clock, queue: Queue) -> Dash:
    app = Dash("test", background_callback_manager=queue)
    app.layout = html.Div(
        [
            dcc.Input(id="rows", value=1000),
            ServerStore(id="a"),
            ServerStore(id="result"),
            ServerStore(id="partial"),
            html.Div(id="text"),
            html.Div(id="told"),
            html.Button(id="cancel"),
        ]
    )

    @brain_callback(Output("a", "data"), Input("rows", "value"))
    def load(rows):
        return pd.DataFrame({"x": np.arange(rows)})

    @brain_callback(Output("text", "children"), Input("result", "data"))
    def show(result):
        return repr(result)

    return app


def start(page: Page, output: str) -> dict[str, str]:
    """Fire a background callback and return the handles by which to ask for its result."""
    response = page.post(output)
    assert response.status_code == 200, response.text[-3000:]
    return {name: response.json[name] for name in ("cacheKey", "job")}


def ask(page: Page, output: str, handles: dict[str, str]) -> Any:
    """Ask once, as a page does every second."""
    return page.post(output, query=f"?{urlencode(handles)}")


def end(page: Page, output: str, handles: dict[str, str]) -> Any:
    """Ask until the job has ended, and return the last response."""
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last:
        response = ask(page, output, handles)
        if response.status_code != 200 or "response" in response.json:
            return response
        take_progress(page, response.json)
        time.sleep(0.02)
    raise TimeoutError(output)


def take_progress(page: Page, answer: dict[str, Any]) -> None:
    for prop_id, value in answer.get("progress", {}).items():
        component_id, _, prop = prop_id.rpartition(".")
        page.props.setdefault(component_id, {})[prop] = value
    page.take({"sideUpdate": answer.get("sideUpdate", {})})


def run(page: Page, output: str) -> dict[str, dict[str, Any]]:
    """Run a background callback and take its result over."""
    response = end(page, output, start(page, output))
    assert response.status_code == 200, response.text[-3000:]
    return page.take(response.json)


def lives(page: Page, token: str) -> bool:
    """Say whether the value of a token is there, after a sweep."""
    current.use().store.sweep()
    page.props["result"]["data"] = token
    return page.post("text.children").status_code == 200


def test_a_job_gets_the_value_and_what_it_returns_stays_on_the_server(app):
    @brain_callback(
        Output("result", "data"), Output("told", "children"), Input("a", "data"), State("rows", "value"),
        background=True,
    )  # fmt: skip
    def double(frame, rows):
        return {"sum": int(frame.x.sum()) * 2, "rows": rows}, str(os.getpid())

    page = Page(app)
    page.fire("a.data")
    run(page, "result.data")
    assert page.props["result"]["data"].startswith("db1.")
    assert int(page.props["told"]["children"]) != os.getpid()
    assert page.fire("text.children")["text"]["children"] == "{'sum': 999000, 'rows': 1000}"


def test_what_an_earlier_request_left_in_the_thread_is_not_taken_for_that_of_the_job(app):
    @brain_callback(Output("result", "data"), Input("a", "data"), background=True)
    def double(frame):
        return len(frame) * 2

    page = Page(app)
    page.fire("a.data")
    left_over = AttributeDict(inputs_list=[{"id": "other", "property": "value"}], states_list=[], args={})
    token = context_value.set(left_over)  # as asgiref does after an async callback
    try:
        run(page, "result.data")
    finally:
        context_value.reset(token)
    assert page.fire("text.children")["text"]["children"] == "2000"


def test_a_job_is_started_in_a_thread_that_has_run_a_coroutine_function(app):
    """Dash leaves the context of that callback behind in the thread."""

    @app.callback(Output("told", "children"), Input("text", "children"))
    async def plain(text):
        return "told"

    @brain_callback(Output("result", "data"), Input("rows", "value"), background=True)
    def work(rows):
        return [rows]

    page = Page(app)
    page.fire("told.children")
    run(page, "result.data")
    assert page.props["result"]["data"].startswith("db1.")


def test_a_job_leaves_the_data_of_other_components_alone_though_it_knows_no_layout(app, queue):
    app.layout = html.Div([*app.layout.children, dcc.Store(id="plain", data=[1]), dcc.Store(id="progressed")])

    @brain_callback(
        Output("plain", "data"), Output("result", "data"), Input("rows", "value"), State("plain", "data"),
        progress=[Output("progressed", "data"), Output("partial", "data")], background=True,
    )  # fmt: skip
    def grow(set_progress, rows, plain):
        set_progress(([rows], [rows]))
        return [*plain, rows], [rows]

    queue.is_open, page = False, Page(app)
    handles = start(page, "plain.data")
    app.layout = html.Div("The job is forked from a process that knows nothing.")
    _registry.cache_clear()
    queue.work_off()
    page.take(end(page, "plain.data", handles).json)
    assert page.props["plain"]["data"] == [1, 1000]
    assert page.props["result"]["data"].startswith("db1.")


def test_what_a_job_was_not_told_of_is_no_server_store():
    registry = ComponentRegistry(MemoryStore(), "app", None)
    registry.assume(["stored"], ["stored", "table"])
    assert registry.holds_tokens("stored")
    assert not registry.holds_tokens("table")
    assert registry.holds_tokens("unknown")


def test_coroutines_and_dicts_of_dependencies_work_in_jobs_too(app):
    @brain_callback(
        output={"here": Output("result", "data")}, inputs={"frame": Input("a", "data")}, background=True
    )
    async def count(frame):
        return {"here": {"rows": len(frame)}}

    page = Page(app)
    page.fire("a.data")
    run(page, "result.data")
    assert page.fire("text.children")["text"]["children"] == "{'rows': 1000}"


def test_each_session_gets_its_own_result_though_the_arguments_are_equal(app, queue):
    @brain_callback(Output("result", "data"), Input("rows", "value"), background=True)
    def compute(rows):
        session_brain["times"] = session_brain.get("times", 0) + 1
        return [rows, session_brain["times"]]

    queue.is_open = False
    one, other = Page(app), Page(app)
    handles = {page: start(page, "result.data") for page in (one, other)}
    queue.work_off()
    for page in (one, other):
        page.take(end(page, "result.data", handles[page]).json)
        assert page.fire("text.children")["text"]["children"] == "[1000, 1]"
    other.props["result"] = one.props["result"]
    assert other.post("text.children").status_code == 500  # BadToken


def test_two_tabs_of_a_session_each_get_the_result_that_they_asked_for(app, queue):
    @brain_callback(Output("told", "children"), Input("rows", "value"), background=True)
    def compute(rows):
        return str(rows)

    queue.is_open = False
    one = Page(app)
    other = Page(app, like=one)
    handles = {page: start(page, "told.children") for page in (one, other)}
    queue.work_off()
    for page in (one, other):
        assert page.take(end(page, "told.children", handles[page]).json)["told"]["children"] == "1000"


class EndsBetweenTwoLooks(Queue):
    """The job ends when it was seen that it has no result, before it is seen whether it runs."""

    def get_result(self, key: str, job: Any) -> Any:
        result = super().get_result(key, job)
        self.work_off()
        return result


class EndsAfterTheSecondLook(Queue):
    """The job ends when it was seen that it runs."""

    def job_running(self, job: Any) -> bool:
        running = super().job_running(job)
        self.work_off()
        return running


@pytest.mark.parametrize("kind", [EndsBetweenTwoLooks, EndsAfterTheSecondLook])
def test_no_result_is_lost_whenever_its_job_ends(clock, tmp_path, kind):
    queue = kind(diskcache.Cache(tmp_path / "jobs"))
    queue.is_open = False
    app = Dash("test", background_callback_manager=queue)
    app.layout = html.Div([dcc.Input(id="rows", value=7), html.Div(id="told")])

    @brain_callback(Output("told", "children"), Input("rows", "value"), background=True)
    def compute(rows):
        return rows * 2

    page = Page(app)
    response = end(page, "told.children", start(page, "told.children"))
    assert page.take(response.json)["told"]["children"] == 14


def test_the_inputs_of_a_queued_job_live_until_it_has_ended(app, queue, clock):
    @brain_callback(Output("told", "children"), Input("a", "data"), background=True)
    def count(frame):
        return len(frame)

    queue.is_open = False
    page = Page(app)
    page.fire("a.data")
    claiming, token = Claiming(page), page.props["a"]["data"]
    claiming.post(claiming.body(token))
    handles = start(page, "told.children")
    claiming.post(claiming.body(state="gone"))  # the page lets go of it, as when it is closed
    clock.passes(GRACE + 1)
    assert lives(page, token)
    queue.work_off()
    clock.passes(GRACE - 1)
    assert lives(page, token)
    clock.passes(2)
    assert not lives(page, token)
    assert end(page, "told.children", handles).json["response"]["told"]["children"] == 1000


def told_after_a_long_queue(page, queue, clock):
    """Return what a job tells that waits for nearly three leases, while its page asks for it."""
    queue.is_open = False
    handles = start(page, "told.children")
    for _ in range(3):
        clock.passes(LEASE * 0.9)
        ask(page, "told.children", handles)
    queue.work_off()
    return end(page, "told.children", handles).json["response"]["told"]["children"]


def test_as_long_as_a_page_asks_the_inputs_outlive_the_longest_queue(app, queue, clock):
    @brain_callback(Output("told", "children"), Input("a", "data"), background=True)
    def count(frame):
        return len(frame)

    page = Page(app)
    page.fire("a.data")
    assert told_after_a_long_queue(page, queue, clock) == 1000


def test_so_do_memoized_inputs_that_nobody_could_compute_again(app, queue, clock, monkeypatch):
    monkeypatch.setattr(recompute.time, "time", clock)
    app.layout.children.append(ServerStore(id="known"))
    memoize = Memoize("app", ttl=60, key=lambda rows: rows)

    @brain_callback(Output("known", "data"), Input("rows", "value"), memoize=memoize)
    def make(rows):
        return list(range(rows))

    @brain_callback(Output("told", "children"), Input("known", "data"), background=True)
    def count(known):
        return len(known)

    page = Page(app)
    page.fire("known.data")
    assert told_after_a_long_queue(page, queue, clock) == 1000


def test_a_job_that_cannot_be_queued_holds_nothing(app, queue, clock, monkeypatch):
    @brain_callback(Output("told", "children"), Input("a", "data"), background=True, on_error=str)
    def count(frame):
        return len(frame)

    def broken(*job: Any) -> Any:
        raise ConnectionError("the broker is away")

    monkeypatch.setattr(queue, "call_job_fn", broken)
    page = Page(app)
    page.fire("a.data")
    claiming, token = Claiming(page), page.props["a"]["data"]
    claiming.post(claiming.body(token))
    page.post("told.children")  # what is said of the error is for Dash to choose
    assert lives(page, token)
    claiming.post(claiming.body(state="gone"))
    clock.passes(GRACE + 1)
    assert not lives(page, token)


@pytest.mark.parametrize("what_ends_it", ["a kill", "a new job in its place", "its cancelling"])
def test_a_job_that_is_ended_holds_nothing_any_more(app, clock, what_ends_it, tmp_path):
    @brain_callback(
        Output("told", "children"), Input("a", "data"), background=True, cancel=Input("cancel", "n_clicks")
    )
    def wait(frame):
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(PATIENCE)

    page = Page(app)
    page.fire("a.data")
    token = page.props["a"]["data"]
    handles = start(page, "told.children")
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert ask(page, "told.children", handles).status_code == 200
    if what_ends_it == "a kill":
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        assert end(page, "told.children", handles).status_code == 204
    elif what_ends_it == "its cancelling":
        page.post("cancel.id", query=f"?{urlencode({'cancelJob': handles['job']})}")
    else:
        page.props["a"].pop("data")
        next_one = page.post("told.children", query=f"?{urlencode({'oldJob': handles['job']})}").json
        page.post("cancel.id", query=f"?{urlencode({'cancelJob': next_one['job']})}")
    clock.passes(GRACE + 1)
    assert not lives(page, token)


def test_progress_and_set_props_leave_large_values_on_the_server(app):
    @brain_callback(
        Output("told", "children"),
        Input("a", "data"),
        background=True,
        progress=[Output("cancel", "title"), Output("partial", "data")],
    )
    def count(set_progress, frame):
        set_progress(["half", frame.head(500)])
        set_props("result", {"data": frame.head(3)})
        while not session_brain.get("enough"):
            time.sleep(0.02)
        return len(frame)

    @brain_callback(Output("text", "title"), Input("partial", "data"))
    def stop(partial):
        session_brain["enough"] = True
        return len(partial)

    page = Page(app)
    page.fire("a.data")
    handles = start(page, "told.children")
    while not page.props["partial"].get("data"):
        take_progress(page, ask(page, "told.children", handles).json)
    assert page.props["partial"]["data"].startswith("db1.")
    assert page.props["cancel"]["title"] == "half"
    assert page.fire("text.title")["text"]["title"] == 500
    assert page.take(end(page, "told.children", handles).json)["told"]["children"] == 1000
    assert "0  0\n1  1\n2  2" in page.fire("text.children")["text"]["children"]


def test_all_that_a_job_sets_between_two_looks_of_the_page_arrives(app, queue):
    @brain_callback(Output("told", "children"), Input("rows", "value"), background=True)
    def compute(rows):
        set_props("result", {"data": ["overtaken"]})
        set_props("result", {"data": [rows]})
        set_props("partial", {"data": pd.DataFrame({"x": range(rows)})})
        set_props("cancel", {"title": "a"})
        set_props("cancel", {"lang": "b"})
        set_props("cancel", {"children": [ServerStore(id="made", data={rows})]})
        return rows

    @brain_callback(Output("text", "title"), Input("partial", "data"))
    def count(partial):
        return len(partial)

    queue.is_open = False
    page = Page(app)
    handles = start(page, "told.children")
    queue.work_off()
    changed = page.take(end(page, "told.children", handles).json)
    assert (changed["cancel"]["title"], changed["cancel"]["lang"]) == ("a", "b")
    assert changed["cancel"]["children"][0]["props"]["data"].startswith("db1.")
    assert page.fire("text.children")["text"]["children"] == "[1000]"
    assert page.fire("text.title")["text"]["title"] == 1000


def test_what_a_job_set_is_told_once(app):
    @brain_callback(Output("told", "children"), Input("rows", "value"), background=True)
    def compute(rows):
        set_props("cancel", {"title": "once"})
        while not session_brain.get("enough"):
            time.sleep(0.02)
        set_props("cancel", {"lang": "later"})

    @brain_callback(Output("text", "title"), Input("cancel", "title"))
    def stop(title):
        session_brain["enough"] = True
        return title

    page = Page(app)
    handles = start(page, "told.children")
    told = []
    while "lang" not in page.props["cancel"]:
        answer = ask(page, "told.children", handles)
        told.append(page.take(answer.json).get("cancel") if answer.status_code == 200 else None)
        if told[-1] == {"title": "once"}:
            page.fire("text.title")
    assert list(filter(None, told)) == [{"title": "once"}, {"lang": "later"}]


def test_no_job_is_started_for_a_value_that_is_gone(app, queue):
    @brain_callback(
        Output("told", "children"),
        Input("a", "data"),
        background=True,
        on_error=lambda error: f"{type(error).__name__}: {error}",
    )
    def count(frame):
        raise AssertionError

    queue.is_open = False
    page = Page(app)
    page.fire("a.data")
    current.use().store.drop(f"session/{session_of(app, page)}")
    told = page.fire("told.children")["told"]["children"]
    assert told.startswith("ValueMissing: The value behind this token is gone")
    page.props["a"]["data"] = "db1.forged"
    assert page.fire("told.children")["told"]["children"].startswith("BadToken")
    assert not queue.waiting


def session_of(app: Dash, page: Page) -> str:
    [namespace] = current.use().store.namespaces("session")
    return namespace.removeprefix("session/")


used_here: list[Exception] = []


def use_instead(error: Exception) -> str:
    used_here.append(error)
    return "instead"


@pytest.mark.parametrize(
    ("on_missing", "told"), [("empty", "None"), (use_instead, "'instead'"), ("prevent", None)]
)
def test_what_happens_without_a_value_is_said_by_on_missing(app, on_missing, told):
    @brain_callback(Output("told", "children"), Input("a", "data"), background=True, on_missing=on_missing)
    def show(frame):
        return repr(frame)

    page = Page(app)
    page.props["a"]["data"] = "db1.forged"
    used_here.clear()
    if told is None:
        assert page.post("told.children").status_code == 204
    else:
        assert run(page, "told.children")["told"]["children"] == told
    assert not used_here


def test_an_error_of_a_job_reaches_on_error_whose_value_stays_on_the_server(app):
    @brain_callback(
        Output("result", "data"), Input("rows", "value"), background=True,
        on_error=lambda error: {"error": "ten rows" in str(error)},
    )  # fmt: skip
    def fail(rows):
        raise ValueError("ten rows are too many")

    page = Page(app)
    run(page, "result.data")
    assert page.props["result"]["data"].startswith("db1.")
    assert page.fire("text.children")["text"]["children"] == "{'error': True}"


def test_memoized_jobs_compute_once_for_all_sessions(app, tmp_path):
    @brain_callback(Output("result", "data"), Input("rows", "value"), background=True, memoize="app")
    def compute(rows):
        with (tmp_path / "calls").open("a") as file:
            file.write("x")
        return list(range(3))

    for page in (Page(app), Page(app)):
        run(page, "result.data")
        assert page.fire("text.children")["text"]["children"] == "[0, 1, 2]"
    assert (tmp_path / "calls").read_text() == "x"


def test_a_stale_result_is_renewed_by_the_job_that_finds_it(app, tmp_path):
    @brain_callback(
        Output("told", "children"),
        Input("rows", "value"),
        background=True,
        memoize=Memoize("app", ttl=0.1, stale=600),
    )
    def compute(rows):
        with (tmp_path / "calls").open("a") as file:
            file.write("x")
        return (tmp_path / "calls").read_text()

    page = Page(app)
    assert run(page, "told.children")["told"]["children"] == "x"
    time.sleep(0.2)
    assert run(page, "told.children")["told"]["children"] == "xx"


def test_what_a_manager_would_cache_is_not_handed_to_the_next_job(app, queue, tmp_path):
    queue.cache_by = [lambda: "always the same"]

    @brain_callback(Output("result", "data"), Input("rows", "value"), background=True)
    def compute(rows):
        with (tmp_path / "calls").open("a") as file:
            file.write("x")
        return [(tmp_path / "calls").read_text()]

    for expected in ("['x']", "['xx']"):
        page = Page(app)
        run(page, "result.data")
        assert page.fire("text.children")["text"]["children"] == expected
    assert not [key for key in queue.handle if key != queue.SIGNING_SECRET_KEY]


def test_a_job_whose_process_opens_another_store_says_so_and_sends_no_value(app, queue, clock, tmp_path):
    @brain_callback(Output("result", "data"), Input("rows", "value"), background=True, on_error=str)
    def compute(rows):
        return {"secret": rows}

    @brain_callback(
        Output("told", "children"), Input("rows", "value"), background=True, on_error=lambda error: str(error)
    )
    def tell(rows):
        session_brain["kept"] = rows

    queue.is_open = False
    page = Page(app)
    handles = {output: start(page, output) for output in ("result.data", "told.children")}
    ours = current.use().store
    current.forget()
    configure(FileStore(tmp_path / "other", clock=clock))
    queue.work_off()
    current.forget()
    configure(ours, grace=GRACE)
    page.take(end(page, "result.data", handles["result.data"]).json)
    assert page.props["result"]["data"].startswith("db1.")  # of what on_error returned
    assert "opens another store" in page.fire("text.children")["text"]["children"]
    told = page.take(end(page, "told.children", handles["told.children"]).json)["told"]["children"]
    assert "opens another store" in told


def test_memory_that_a_job_does_not_share_is_named(queue):
    configure("memory://")
    app = Dash("test", background_callback_manager=queue)
    app.layout = html.Div([dcc.Input(id="rows", value=7), ServerStore(id="a"), html.Div(id="told")])

    @brain_callback(Output("a", "data"), Input("rows", "value"))
    def load(rows):
        return rows

    @brain_callback(Output("told", "children"), Input("a", "data"), background=True, on_error=str)
    def show(value):
        return repr(value)

    page = Page(app)
    page.fire("a.data")
    assert "memory://" in run(page, "told.children")["told"]["children"]


def test_the_result_of_a_job_waits_for_a_page_that_sleeps(app, clock):
    @brain_callback(Output("result", "data"), Input("rows", "value"), background=True)
    def compute(rows):
        return [rows]

    page = Page(app)
    handles = start(page, "result.data")
    psutil.Process(number_of(handles)).wait(PATIENCE)
    clock.passes(LEASE - 60)
    page.take(end(page, "result.data", handles).json)
    assert page.fire("text.children")["text"]["children"] == "[1000]"


def number_of(handles: dict[str, str]) -> int:
    """Return the number of a job's process, which Dash signs."""
    return next(int(part) for part in re.findall(r"\d{2,}", handles["job"]) if psutil.pid_exists(int(part)))


def test_what_local_storage_keeps_lives_on_when_a_job_has_used_it(app, clock):
    @brain_callback(Output("told", "children"), Input("a", "data"), background=True)
    def count(frame):
        return len(frame)

    page = Page(app)
    page.fire("a.data")
    claiming, token = Claiming(page), page.props["a"]["data"]
    claiming.post(claiming.body(token, kind="local"))
    run(page, "told.children")
    claiming.post(claiming.body(token, kind="local", state="gone"))
    clock.passes(LEASE + GRACE)
    assert lives(page, token)


def test_a_queued_job_finds_what_local_storage_kept_and_the_page_has_replaced(app, queue, clock):
    @brain_callback(Output("told", "children"), Input("a", "data"), background=True)
    def count(frame):
        return len(frame)

    queue.is_open = False
    page = Page(app)
    page.fire("a.data")
    claiming, token = Claiming(page), page.props["a"]["data"]
    claiming.post(claiming.body(token, kind="local"))
    handles = start(page, "told.children")
    page.fire("a.data")
    claiming.post(claiming.body(page.props["a"]["data"], kind="local"))
    clock.passes(GRACE + 1)
    assert lives(page, token)
    queue.work_off()
    assert end(page, "told.children", handles).json["response"]["told"]["children"] == 1000


def test_who_logs_in_meanwhile_gets_nothing_of_a_job_of_who_was_there_before(queue, tmp_path):
    who = ["anna"]
    configure(FileStore(tmp_path / "store"), principal=lambda: who[0])
    app = Dash("test", background_callback_manager=queue)
    app.layout = html.Div([dcc.Input(id="rows", value=7), ServerStore(id="a"), html.Div(id="told")])

    @brain_callback(
        Output("told", "children"),
        Input("rows", "value"),
        background=True,
        progress=[Output("told", "title")],
    )
    def tell(set_progress, rows):
        set_progress(["progress of anna"])
        set_props("told", {"lang": "of anna"})
        return "secret of anna"

    queue.is_open = False
    page = Page(app)
    handles = start(page, "told.children")
    queue.work_off()
    who[0] = "bert"
    response = ask(page, "told.children", handles)
    assert (response.status_code, response.text) == (204, "")
    who[0] = "anna"
    assert page.take(ask(page, "told.children", handles).json)["told"]["children"] == "secret of anna"


def test_a_job_that_has_ended_leaves_no_note(app):
    @brain_callback(Output("told", "children"), Input("a", "data"), background=True)
    def count(frame):
        return len(frame)

    page = Page(app)
    page.fire("a.data")
    run(page, "told.children")
    store = current.use().store
    assert [key for space in store.namespaces("claims") for key in store.scan(space)] == []


@pytest.mark.parametrize("operation", ["end", "renew"])
def test_a_store_that_fails_for_a_moment_costs_no_result(app, monkeypatch, operation):
    @brain_callback(Output("told", "children"), Input("a", "data"), background=True)
    def count(frame):
        time.sleep(0.2)
        return len(frame)

    def fails(*args: Any) -> None:
        raise StoreUnavailable("away for a moment")

    page = Page(app)
    page.fire("a.data")
    monkeypatch.setattr(JobClaims, operation, fails)
    assert run(page, "told.children")["told"]["children"] == 1000


def test_a_job_of_a_session_that_was_closed_stores_nothing(app, tmp_path):
    @brain_callback(Output("told", "children"), Input("rows", "value"), background=True, on_error=str)
    def compute(rows):
        (tmp_path / "begun").touch()
        while not (tmp_path / "closed").exists():
            time.sleep(0.02)
        session_brain["kept"] = rows

    @brain_callback(Output("told", "title"), Input("cancel", "n_clicks"))
    def log_out(clicks):
        close_session()
        return "closed"

    page = Page(app)
    handles = start(page, "told.children")
    while not (tmp_path / "begun").exists():
        assert ask(page, "told.children", handles).status_code == 200
    job = psutil.Process(number_of(handles))
    page.fire("told.title")
    (tmp_path / "closed").touch()
    assert end(page, "told.children", handles).status_code == 204  # who asks is another session
    job.wait(PATIENCE)
    store = current.use().store
    for domain in ("session", "session-names", "claims"):
        assert [key for space in store.namespaces(domain) for key in store.scan(space)] == []


def test_progress_may_be_told_by_a_thread_and_goes_to_declared_stores(app, clock):
    @brain_callback(
        Output("told", "children"),
        Input("rows", "value"),
        background=True,
        progress=[ServerOutput("never-shown"), Output("cancel", "title")],
    )
    def count(set_progress, rows):
        told = threading.Thread(target=set_progress, args=([{"rows": rows}, "half", "and one too many"],))
        told.start()
        told.join()
        while not session_brain.get("enough"):
            time.sleep(0.02)
        return "done"

    @brain_callback(Output("text", "title"), Input("cancel", "title"))
    def stop(title):
        session_brain["enough"] = True

    page = Page(app)
    handles = start(page, "told.children")
    while not page.props["cancel"].get("title"):
        take_progress(page, ask(page, "told.children", handles).json)
    assert page.props["never-shown"]["data"].startswith("db1.")
    page.fire("text.title")
    assert page.take(end(page, "told.children", handles).json)["told"]["children"] == "done"


def test_progress_that_was_overtaken_does_not_pile_up(app, clock):
    @brain_callback(
        Output("told", "children"),
        Input("rows", "value"),
        background=True,
        progress=Output("partial", "data"),
    )
    def count(set_progress, rows):
        for number in range(10):
            set_progress([{"number": number}])
        return "done"

    page = Page(app)
    page.take(end(page, "told.children", start(page, "told.children")).json)
    store = current.use().store
    clock.passes(GRACE + 1)
    store.sweep()
    assert sum(len(list(store.scan(space))) for space in store.namespaces("session")) == 1


def test_who_asks_without_the_handles_of_a_job_gets_an_answer_and_no_result(app):
    @brain_callback(Output("told", "children"), Input("rows", "value"), background=True)
    def compute(rows):
        return rows

    page = Page(app)
    handles = start(page, "told.children")
    for forged in ({"cacheKey": handles["cacheKey"], "job": ""}, {"cacheKey": "forged", "job": "forged"}):
        response = ask(page, "told.children", forged)
        assert response.status_code in (200, 204)
        assert forged["cacheKey"] != "forged" or "1000" not in response.text


def test_a_job_cannot_close_the_session(app):
    @brain_callback(Output("told", "children"), Input("rows", "value"), background=True)
    def log_out(rows):
        try:
            close_session()
        except NoSession as error:
            return str(error)

    assert "background job" in run(Page(app), "told.children")["told"]["children"]


def test_components_that_a_job_makes_hold_tokens(app):
    @brain_callback(Output("told", "children"), Input("rows", "value"), background=True)
    def build(rows):
        return ServerStore(id="made", data=[1, 2])

    page = Page(app)
    run(page, "told.children")
    assert page.props["made"]["data"].startswith("db1.")
    page.props["result"]["data"] = page.props["made"]["data"]
    assert page.fire("text.children")["text"]["children"] == "[1, 2]"


@of_flask
def test_without_a_session_no_job_for_values_is_started_and_the_error_says_why(app, queue):
    @brain_callback(Output("result", "data"), Input("rows", "value"), background=True)
    def compute(rows):
        raise AssertionError

    @app.server.errorhandler(NoSession)
    def tell(error):
        return str(error), 403

    queue.is_open = False
    page = Page(app)
    page.client._cookies.clear()
    response = page.post("result.data")
    assert response.status_code == 403
    assert "no session cookie" in response.text
    assert not queue.waiting


def test_what_needs_no_session_runs_without_one(app):
    @brain_callback(Output("told", "children"), Input("rows", "value"), background=True)
    def compute(rows):
        return rows * 2

    page = Page(app)
    page.client._cookies.clear()
    assert run(page, "told.children")["told"]["children"] == 2000


def test_without_a_manager_the_error_says_where_it_belongs(clock):
    app = Dash("test")
    app.layout = html.Div([dcc.Input(id="rows", value=1), html.Div(id="told")])

    @brain_callback(
        Output("told", "children"),
        Input("rows", "value"),
        background=True,
        on_error=repr,
    )
    def compute(rows):
        return rows

    told = Page(app).fire("told.children")["told"]["children"]
    assert told.startswith(MissingLongCallbackManagerError.__name__)
    assert "background_callback_manager" in told


def test_a_callback_may_have_a_manager_of_its_own(clock, queue):
    app = Dash("test")
    app.layout = html.Div([dcc.Input(id="rows", value=7), html.Div(id="told")])

    @brain_callback(Output("told", "children"), Input("rows", "value"), background=True, manager=queue)
    def compute(rows):
        return rows * 2

    assert run(Page(app), "told.children")["told"]["children"] == 14


def test_jobs_run_where_processes_are_not_forked(queue, monkeypatch):
    monkeypatch.setattr(multiprocess, "Process", multiprocess.get_context("spawn").Process)
    app = Dash("test", background_callback_manager=queue)
    app.layout = html.Div([dcc.Input(id="rows", value=7), ServerStore(id="result"), html.Div(id="told")])

    @brain_callback(Output("result", "data"), Input("rows", "value"), background=True, memoize="session")
    def compute(rows):
        return list(range(rows))

    @brain_callback(Output("told", "children"), Input("result", "data"))
    def show(numbers):
        return repr(numbers)

    page = Page(app)
    run(page, "result.data")
    assert page.fire("told.children")["told"]["children"] == "[0, 1, 2, 3, 4, 5, 6]"


def test_progress_and_memoize_do_not_go_together():
    with pytest.raises(TypeError, match="progress"):
        brain_callback(
            Output("a", "data"), Input("n", "value"), background=True, memoize="app",
            progress=Output("b", "children"),
        )  # fmt: skip


def test_the_function_itself_can_be_called_as_any_other():
    @brain_callback(Output("a", "data"), Input("n", "value"), background=True)
    def double(n):
        return 2 * n

    assert double(3) == 6
