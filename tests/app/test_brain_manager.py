"""Background callbacks with ``BrainManager``: results are in the store, and jobs outlive the worker."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import pytest
from dash import Dash, Input, Output, State, callback, dcc, html, set_props

from dash_brain import Memoize, ServerStore, brain_callback, configure, session_brain
from dash_brain.adapters import background, detached
from dash_brain.adapters.background import BrainManager
from dash_brain.common.polling import wait_for
from dash_brain.errors import BrainError, StoreUnavailable
from dash_brain.settings import current
from tests.app.conftest import Page, of_flask, walk
from tests.app.test_asgi import Visitor

# What holds for Dash's managers holds for this one.
from tests.app.test_background import (  # noqa: F401
    PATIENCE,
    ask,
    end,
    run,
    start,
    take_progress,
    test_a_job_gets_the_value_and_what_it_returns_stays_on_the_server,
    test_a_job_leaves_the_data_of_other_components_alone_though_it_knows_no_layout,
    test_a_queued_job_finds_what_local_storage_kept_and_the_page_has_replaced,
    test_a_stale_result_is_renewed_by_the_job_that_finds_it,
    test_all_that_a_job_sets_between_two_looks_of_the_page_arrives,
    test_an_error_of_a_job_reaches_on_error_whose_value_stays_on_the_server,
    test_coroutines_and_dicts_of_dependencies_work_in_jobs_too,
    test_each_session_gets_its_own_result_though_the_arguments_are_equal,
    test_memoized_jobs_compute_once_for_all_sessions,
    test_no_job_is_started_for_a_value_that_is_gone,
    test_progress_and_set_props_leave_large_values_on_the_server,
    test_two_tabs_of_a_session_each_get_the_result_that_they_asked_for,
    test_what_happens_without_a_value_is_said_by_on_missing,
    test_what_needs_no_session_runs_without_one,
    test_who_logs_in_meanwhile_gets_nothing_of_a_job_of_who_was_there_before,
)
from tests.app.test_background import app as app
from tests.app.test_background import clock as clock
from tests.app.test_other_sessions_jobs import END_ID
from tests.app.test_patches import assign, patch_of, value_of
from tests.redis import KEY
from tests.servers import gunicorn


class Queue(BrainManager):
    """Starts jobs at once, or, closed, when it is told to; and counts them."""

    def __init__(self, store: str) -> None:
        super().__init__(store)
        self.waiting: list[Callable[[], str]] = []
        self.is_open = True
        self.started = 0

    def call_job_fn(self, *job: Any) -> str:
        self.started += 1
        begin = super().call_job_fn
        if self.is_open:
            return begin(*job)
        self.waiting.append(lambda: begin(*job))
        return "waiting"

    def job_running(self, job: str | None) -> bool:
        return bool(self.waiting) if job == "waiting" else super().job_running(job)

    def work_off(self) -> None:
        """Run what waits, one after the other, to its end."""
        while self.waiting:
            job = self.waiting.pop(0)()
            assert wait_for(lambda job=job: not self.job_running(job) or None, PATIENCE)


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    # For so many seconds a job that has ended still counts as one that runs.
    monkeypatch.setattr(background, "_ONCE_MORE", 0.2)
    return Queue(f"file://{tmp_path}/jobs")


def started(folder: Path) -> int:
    """Return the process id that a job has written, when it has."""
    file = folder / "pid"
    text = wait_for(lambda: (file.exists() and file.read_text()) or None, PATIENCE)
    assert text
    return int(text)


def ends(process_id: int) -> bool:
    """Wait until a process has ended."""
    return wait_for(lambda: not is_alive(process_id) or None, PATIENCE) is True


def is_alive(process_id: int) -> bool:
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_in_job(folder: Path) -> None:
    """Say which process this is, and wait until the test lets it go on."""
    (folder / "pid").write_text(str(os.getpid()))
    wait_for(lambda: (folder / "go").exists() or None, PATIENCE)


# -- no job for what is there -----------------------------------------------------------------------------


@pytest.mark.parametrize("memoize", ["app", "session", Memoize("app", key=lambda n: n)])
def test_no_job_starts_for_a_memoized_result(app, queue, memoize):
    @brain_callback(
        Output("result", "data"), Output("told", "children"), Input("rows", "value"), background=True,
        memoize=memoize,
    )  # fmt: skip
    def compute(rows):
        return [rows], ("told", {"of": rows})

    page = Page(app)
    first = run(page, "result.data")
    assert queue.started == 1
    again = run(page, "result.data")
    assert queue.started == 1
    assert again == first
    assert page.fire("text.children")["text"]["children"] == "[1000]"
    page.props["rows"]["value"] = 7
    run(page, "result.data")
    assert queue.started == 2


def test_other_sessions_need_no_job_either(app, queue):
    @brain_callback(Output("result", "data"), Input("rows", "value"), background=True, memoize="app")
    def compute(rows):
        return [rows]

    for page in (Page(app), Page(app)):
        run(page, "result.data")
        assert page.fire("text.children")["text"]["children"] == "[1000]"
    assert queue.started == 1


def test_no_job_starts_for_what_cache_by_keeps(clock, tmp_path):
    queue = Queue(f"file://{tmp_path}/jobs")
    queue.cache_by = [lambda: "always the same"]
    app = Dash("test", background_callback_manager=queue)
    app.layout = html.Div([dcc.Input(id="rows", value=7), html.Div(id="told")])

    @callback(Output("told", "children"), Input("rows", "value"), background=True)
    def compute(rows):
        with (tmp_path / "calls").open("a") as file:
            file.write("x")
        return rows * 2

    for _ in range(2):
        assert run(Page(app), "told.children")["told"]["children"] == 14
    assert (tmp_path / "calls").read_text() == "x"


def test_what_cache_by_keeps_is_never_an_error(clock, tmp_path):
    queue = Queue(f"file://{tmp_path}/jobs")
    queue.cache_by = [lambda: "always the same"]
    app = Dash("test", background_callback_manager=queue)
    app.layout = html.Div([dcc.Input(id="rows", value=7), html.Div(id="told")])

    @callback(Output("told", "children"), Input("rows", "value"), background=True)
    def compute(rows):
        if not (tmp_path / "failed").exists():
            (tmp_path / "failed").touch()
            raise ValueError
        return rows * 2

    page = Page(app)
    assert end(page, "told.children", start(page, "told.children")).status_code == 500
    assert run(page, "told.children")["told"]["children"] == 14


# -- jobs that end before they are done -------------------------------------------------------------------


@pytest.fixture
def waiting(app: Dash, tmp_path: Path) -> Iterator[Page]:
    """A page whose callback starts a process, and waits."""

    @brain_callback(
        Output("told", "children"), Input("rows", "value"), background=True,
        cancel=[Input("cancel", "n_clicks")],
    )  # fmt: skip
    def wait(rows):
        child = subprocess.Popen(["sleep", "600"])
        (tmp_path / "child").write_text(str(child.pid))
        wait_in_job(tmp_path)
        child.kill()
        return rows

    yield Page(app)
    (tmp_path / "go").touch()
    with suppress(ProcessLookupError):  # where its guard was killed, nobody else does
        os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


def test_a_job_that_is_killed_is_an_error_of_its_callback(waiting, tmp_path):
    handles = start(waiting, "told.children")
    os.kill(started(tmp_path), signal.SIGKILL)
    answer = end(waiting, "told.children", handles)
    assert answer.status_code == 500
    assert ends(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize("gone", ["the guard", "the guard and its note"])
def test_so_is_one_whose_guard_is_killed(waiting, queue, tmp_path, monkeypatch, gone):
    monkeypatch.setattr(background, "ALIVE", 1.0 if gone == "the guard" else 600.0)
    handles = start(waiting, "told.children")
    job = started(tmp_path)
    os.kill(psutil.Process(job).ppid(), signal.SIGKILL)
    assert ends(job)
    if gone == "the guard and its note":
        for key in list(queue._jobs.store.scan(queue._jobs.namespace)):
            queue._jobs.delete(key)
    assert end(waiting, "told.children", handles).status_code == 500


def test_cancelling_ends_a_job_and_what_it_has_started(waiting, tmp_path):
    handles = start(waiting, "told.children")
    job = started(tmp_path)
    assert is_alive(int((tmp_path / "child").read_text()))
    waiting.post("cancel.id", query=f"?cancelJob={handles['job']}")
    assert ask(waiting, "told.children", handles).status_code == 204
    assert ends(job)
    assert ends(int((tmp_path / "child").read_text()))
    assert ask(waiting, "told.children", handles).status_code == 204


def test_a_job_whose_note_expired_while_the_machine_slept_goes_on(waiting, queue, tmp_path):
    handles = start(waiting, "told.children")
    started(tmp_path)
    [job] = queue._jobs.store.scan(queue._jobs.namespace)
    queue._jobs.delete(job)
    assert wait_for(lambda: queue.job_running(job) or None, PATIENCE)
    (tmp_path / "go").touch()
    assert end(waiting, "told.children", handles).json["response"]["told"]["children"] == 1000


def test_no_guard_is_left_when_its_job_is_over(waiting, tmp_path):
    handles = start(waiting, "told.children")
    guard = psutil.Process(started(tmp_path)).ppid()
    (tmp_path / "go").touch()
    end(waiting, "told.children", handles)
    assert wait_for(
        lambda: detached._forget_ended_guards() or guard not in detached._guards or None, PATIENCE
    )
    assert not psutil.pid_exists(guard)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (lambda: os._exit(3), "exit code 3"),
        (lambda: exit(4), "exit code 1"),
        (lambda: lambda: None, "cannot be stored"),
    ],
    ids=["exits", "raises SystemExit", "returns what cannot be stored"],
)
def test_a_job_without_a_result_says_how_it_ended(app, how, told):
    @brain_callback(Output("text", "title"), Input("rows", "value"), background=True, on_error=str)
    def compute(rows):
        return how()

    assert told in run(Page(app), "text.title")["text"]["title"]


# -- plain callbacks --------------------------------------------------------------------------------------


def test_plain_callbacks_of_dash_use_it_too(app, queue):
    @callback(
        Output("told", "children"), Input("rows", "value"), background=True,
        progress=[Output("told", "title"), Output("told", "lang")],
    )  # fmt: skip
    def compute(set_progress, rows):
        set_progress(("half", "a"))
        for name, value in (("title", "a"), ("lang", "b"), ("title", "c")):
            set_props("cancel", {name: value})
        set_props("text", {"children": html.Div("made", id="made")})
        return rows * 2

    queue.is_open = False
    page = Page(app)
    handles = start(page, "told.children")
    queue.work_off()
    answer = end(page, "told.children", handles).json
    take_progress(page, answer)
    changed = page.take(answer)
    assert changed["told"]["children"] == 2000
    assert (changed["cancel"]["title"], changed["cancel"]["lang"]) == ("c", "b")
    assert [one["props"]["id"] for one in walk(changed["text"])] == ["made"]
    assert (page.props["told"]["title"], page.props["told"]["lang"]) == ("half", "a")
    assert not list(queue._values.store.scan("background/results")) or list(
        queue._values.store.scan("background/results")
    ) == [queue.SIGNING_SECRET_KEY]


def test_a_coroutine_function_is_awaited_in_its_job(app):
    @callback(Output("told", "children"), Input("rows", "value"), background=True)
    async def compute(rows):
        return rows * 2

    assert run(Page(app), "told.children")["told"]["children"] == 2000


# -- a Patch ----------------------------------------------------------------------------------------------


def test_a_job_changes_parts_of_a_value(app, clock):
    @brain_callback(
        Output("result", "data"), Input("rows", "value"), State("result", "data"), State("partial", "data"),
        background=True, progress=Output("partial", "data"),
    )  # fmt: skip
    def grow(set_progress, rows, result, partial):
        for number in (1, 2):
            set_progress(patch_of(assign(f"step {number}", value=[number])))
        set_props("partial", {"data": patch_of(lambda patch: patch["step 2"].append(3))})
        return patch_of(assign("rows", value=rows))

    page = Page(app)
    run(page, "result.data")
    assert value_of(page, app, page.props["result"]["data"]) == {"rows": 1000}
    assert value_of(page, app, page.props["partial"]["data"]) == {"step 1": [1], "step 2": [2, 3]}


# -- the store --------------------------------------------------------------------------------------------


def test_memory_of_one_process_is_refused():
    with pytest.raises(StoreUnavailable, match="memory://"):
        BrainManager("memory://").call_job_fn("key", pytest.fail, (), {})


def test_a_system_that_cannot_fork_is_refused(monkeypatch):
    monkeypatch.delattr(os, "fork")
    with pytest.raises(BrainError, match="Celery"):
        BrainManager()


def test_all_workers_sign_with_one_secret(tmp_path):
    one, other = (BrainManager(f"file://{tmp_path}/jobs") for _ in range(2))
    secrets = iter([b"1" * 32, b"2" * 32])
    assert {each.get_or_create_signing_secret(lambda: next(secrets)) for each in (one, other)} == {b"1" * 32}


def test_jobs_run_with_redis(redis_url):
    configure(redis_url, key=KEY)
    queue = BrainManager()
    app = Dash("test", background_callback_manager=queue)
    app.layout = html.Div([dcc.Input(id="rows", value=7), ServerStore(id="a"), html.Div(id="told")])

    @brain_callback(
        Output("a", "data"), Input("rows", "value"), background=True, progress=Output("told", "title")
    )
    def compute(set_progress, rows):
        set_progress("half")
        set_props("told", {"lang": "b"})
        return [rows]

    page = Page(app)
    run(page, "a.data")
    assert value_of(page, app, page.props["a"]["data"]) == [7]
    assert page.props["told"]["lang"] == "b"


@of_flask
def test_a_job_goes_on_when_its_server_is_started_anew(tmp_path):
    env = {"JOBS": "brain", "DASH_BRAIN_STORE": f"file://{tmp_path}/store"}
    output = "..result.data...made.children.."
    serve = partial(gunicorn, "tests.app.background:server", workers=2, env=env)
    with serve() as server, Visitor(server.url) as visitor:
        shown = f"?endId={END_ID.search(visitor.index.text)[1]}"
        token = visitor.call("a.data", {"load.n_clicks": 1, "wait.value": 2})
        body = visitor.body(output, {"a.data": token}, {})
        handles = visitor.client.post(f"/_dash-update-component{shown}", json=body).json()
    with socket.socket() as again:  # no job keeps the address
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
        again.bind(("127.0.0.1", int(server.url.rpartition(":")[2])))
        again.listen()
    query = f"{shown}&{urlencode({name: handles[name] for name in ('cacheKey', 'job')})}"
    with serve() as server, Visitor(server.url) as other:
        other.client.cookies = visitor.client.cookies

        def look() -> Any:
            answer = other.client.post(f"/_dash-update-component{query}", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json().get("response")

        found = wait_for(look, PATIENCE)
        assert found["result"]["data"].startswith("db1.")
        text = other.call("text.children", {"result.data": found["result"]["data"]})
        assert text == f"{sum(range(1_000_000))} 1000000 1"


def test_jobs_use_the_store_of_configure(clock, tmp_path):
    app = Dash("test", background_callback_manager=BrainManager())
    app.layout = html.Div([dcc.Input(id="rows", value=7), ServerStore(id="a"), html.Div(id="told")])

    @brain_callback(Output("a", "data"), Input("rows", "value"), background=True)
    def compute(rows):
        session_brain["n"] = rows
        return [rows]

    page = Page(app)
    run(page, "a.data")
    assert value_of(page, app, page.props["a"]["data"]) == [7]
    assert "jobs/background" in list(current.use().store.namespaces("jobs"))
