"""What error and log say when something is not there: each cause is made for real."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import dash
import pytest
from dash import html

from dash_brain.common import log as logs
from dash_brain.errors import BadToken, NoSession, ValueMissing
from dash_brain.settings import configure, current
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.web.sessions.worker_keys import EVERY, LIVE, WorkerKeys, worker_keys
from tests.app.asgi import client_of
from tests.app.test_sessions import cookie_of, secret_app
from tests.programs import REPOSITORY

KEY, OTHER_KEY = secrets.token_urlsafe(), secrets.token_urlsafe()


class Shown:
    """What the page of an app that keeps a secret is told: an error, and a line in the log."""

    def __init__(self, open_page: Any, caplog: Any) -> None:
        self.app = secret_app()
        self.caplog = caplog
        self.page = open_page(self.app)
        self.page.fire("a.data")
        self.answer()

    def answer(self) -> str:
        return self.page.fire("out.children")["out"]["children"]

    def fails(self, error: type[Exception], event: str, reason: str) -> str:
        """Show the value again, which fails in this way; return what the log says."""
        self.caplog.clear()
        assert self.answer().startswith(error.__name__)
        [line] = [record for record in self.caplog.records if record.event != "workers_disagree"]
        assert (line.levelname, line.event, line.reason) == ("WARNING", event, reason)
        assert self.page.props["a"]["data"] not in line.getMessage()
        assert cookie_of(self.page).split(".")[1] not in line.getMessage()
        return line.getMessage()


@pytest.fixture
def shown(open_page, caplog) -> Any:
    return lambda: Shown(open_page, caplog)


def restart(*args: Any, **options: Any) -> None:
    """Begin anew, as a restarted worker does."""
    current.forget()
    logs.forget()
    configure(*args, **options)


def test_a_changed_key_is_named(shown):
    configure(key=KEY)
    page = shown()
    old = current.use().keys.newest.kid
    restart(key=OTHER_KEY)
    said = page.fails(BadToken, "bad_token", "unknown_key")
    assert f"signed by key {old}" in said
    assert "DASH_BRAIN_KEY" in said


def test_a_store_that_was_lost_is_named(shown, tmp_path):
    page = shown()
    shutil.rmtree(tmp_path / "store")
    restart(f"file://{tmp_path}/store")
    assert "was lost" in page.fails(BadToken, "bad_token", "unknown_key")


def test_a_store_that_was_lost_while_the_key_is_configured_is_named(shown, tmp_path):
    configure(key=KEY)
    page = shown()
    shutil.rmtree(tmp_path / "store")
    restart(f"file://{tmp_path}/store", key=KEY)
    assert "the store was lost" in page.fails(ValueMissing, "value_missing", "unknown")
    assert "on_missing" in page.answer()


def test_another_machine_is_named(shown, tmp_path):
    page = shown()
    restart(f"file://{tmp_path}/other-machine")
    assert "another machine" in page.fails(BadToken, "bad_token", "unknown_key")


def test_another_machine_with_the_same_key_is_named(shown, tmp_path):
    configure(key=KEY)
    page = shown()
    restart(f"file://{tmp_path}/other-machine", key=KEY)
    said = page.fails(ValueMissing, "value_missing", "unknown")
    assert "another machine" in said
    assert "sticky sessions" in page.answer()


def test_memory_that_each_worker_has_for_itself_is_named(shown):
    configure(MemoryStore())
    page = shown()
    restart(MemoryStore())
    assert "several workers need shm://" in page.fails(BadToken, "bad_token", "unknown_key")
    restart(MemoryStore(), key=KEY)
    other = shown()
    restart(MemoryStore(), key=KEY)
    assert "several workers need shm://" in other.fails(ValueMissing, "value_missing", "unknown")


def test_a_value_that_expired_says_so(shown, tmp_path):
    now = [1_800_000_000.0]
    configure(FileStore(tmp_path, clock=lambda: now[0]))
    page = shown()
    now[0] += 3600
    assert "expired" in page.fails(ValueMissing, "value_missing", "expired")


def test_a_value_that_was_evicted_says_so_and_what_to_raise(shown, tmp_path):
    configure(f"file://{tmp_path}/small?size=1MB")
    page = shown()
    store = current.use().store
    store.put("brain/default", "large", [b"x" * (store.budget() - store.usage())])  # a name, which stays
    said = page.fails(ValueMissing, "value_missing", "evicted")
    assert "to make room" in said
    assert "size=" in said


def test_a_value_that_was_deleted_says_so(shown):
    page = shown()
    store = current.use().store
    for namespace in store.namespaces("session"):
        for key in store.scan(namespace):
            store.delete(namespace, key)
    assert "was deleted" in page.fails(ValueMissing, "value_missing", "deleted")


def test_another_session_is_named(shown):
    page, other = shown(), shown()
    page.page.props["a"]["data"] = other.page.props["a"]["data"]
    assert "another session" in page.fails(BadToken, "bad_token", "other_session")


def test_what_is_no_token_is_named(shown):
    page = shown()
    page.page.props["a"]["data"] = {"a": "value"}
    assert page.answer().startswith("BadToken")
    [line] = page.caplog.records
    assert (line.event, line.reason) == ("bad_token", "malformed")


def test_outside_every_bad_token_looks_alike(shown):
    configure(key=KEY)
    page, other = shown(), shown()
    token, answers = page.page.props["a"]["data"], set()
    for bad in (token[:-1], "0" * 90, other.page.props["a"]["data"]):
        page.page.props["a"]["data"] = bad
        answers.add(page.answer())
    page.page.props["a"]["data"] = token
    restart(key=OTHER_KEY)
    answers.add(page.answer())
    assert len(answers) == 1
    reasons = {record.reason for record in page.caplog.records if record.event == "bad_token"}
    assert reasons == {"malformed", "other_session", "unknown_key"}


def test_the_log_is_not_flooded_by_what_a_client_sends(shown):
    page = shown()
    token = page.page.props["a"]["data"]
    for number in range(20):
        page.page.props["a"]["data"] = f"db1.{number:08x}{token[12:]}"
        page.answer()
    assert [record.reason for record in page.caplog.records] == ["unknown_key"]


def no_session(page: Shown, *, base_url: str = "http://localhost", **cookies: str) -> tuple[str, str]:
    """Return what error and log say when a callback comes with these cookies alone."""
    page.page.client = client_of(page.app.server)
    page.page.base_url = base_url
    for name, value in cookies.items():
        page.page.client.set_cookie(name, value)
    errors: list[Exception] = []
    page.app._on_error = errors.append
    page.caplog.clear()
    logs.forget()
    page.page.post("a.data")
    assert isinstance(errors[0], NoSession)
    [line] = page.caplog.records
    assert line.event == "no_session"
    return line.reason, str(errors[0])


def test_a_missing_cookie_names_the_cases(shown):
    reason, said = no_session(shown())
    assert reason == "no_cookie"
    for case in ("reload", "refuses cookies", "https", "frame of another site", 'cookie="iframe"'):
        assert case in said


def test_a_cookie_by_a_key_that_is_not_known_is_named(shown):
    reason, said = no_session(shown(), dash_brain_0123abcd="0123abcd.x.y")
    assert reason == "unknown_key"
    assert "signed by key 0123abcd" in said


def test_a_cookie_that_was_changed_is_named(shown):
    page = shown()
    kid = current.use().keys.newest.kid
    assert no_session(page, **{f"dash_brain_{kid}": f"{kid}.x.y"})[0] == "not_signed"


def test_a_cookie_that_came_by_http_is_named_on_https(shown):
    page = shown()
    name, value = cookie_of(page.page).split(";")[0].split("=")
    reason, said = no_session(page, base_url="https://localhost", **{name: value})
    assert reason == "scheme"
    assert "ProxyFix" in said


def test_a_closed_session_is_named(shown):
    from dash_brain import close_session

    page = shown()
    name, value = cookie_of(page.page).split(";")[0].split("=")
    with page.page.client:
        page.page.get("_dash-layout")
        close_session()
    reason, said = no_session(page, **{name: value})
    assert reason == "closed"
    assert "Reload" in said


def test_a_token_without_a_session_names_the_missing_cookie(shown):
    page = shown()
    page.page.client = client_of(page.app.server)
    assert "no session cookie" in page.fails(BadToken, "bad_token", "no_session_no_cookie")


def test_names_of_other_cookies_never_reach_the_log(shown):
    reason, said = no_session(shown(), dash_brain_theirs="secret", session="secret")
    assert reason == "no_cookie"
    assert "theirs" not in said


# -- the start ---------------------------------------------------------------------------------------


def test_a_process_says_once_how_it_is_set_up(open_page, caplog, tmp_path):
    configure(key=KEY, app_id="the start")
    app = secret_app()
    with caplog.at_level(logging.INFO, "dash_brain"):
        open_page(app)
        open_page(app)
    [line] = [record for record in caplog.records if record.name == "dash_brain"]
    assert (line.levelname, line.event) == ("INFO", "start")
    assert line.store == f"FileStore in {tmp_path}/store/dash_brain-{os.geteuid()}/default@3"
    assert (line.kid, line.key_from) == (current.use().keys.newest.kid, "the configuration")
    assert line.app_id_from == "the configuration"
    assert (line.cookie, line.principal) == ("lax", "none")
    assert f"Dash {dash.__version__}" in line.versions
    for fact in (line.store, line.kid, line.versions, line.app_id):
        assert fact in line.getMessage()
    assert KEY not in line.getMessage()
    assert Path(line.store.removeprefix("FileStore in ")).is_dir()


def test_the_start_is_shown_when_info_is(tmp_path):
    code = (
        "import logging; logging.basicConfig(level=logging.INFO)\n"
        "from tests.app.framed import server\n"
        "server.test_client().get('/')\n"
    )
    environment = {**os.environ, "DASH_BRAIN_STORE": f"file://{tmp_path}"}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
    assert "INFO:dash_brain:dash_brain serves app" in run.stderr


# -- workers that disagree ---------------------------------------------------------------------------


@pytest.fixture
def clock(tmp_path) -> list[float]:
    """A store with a clock of the test's own, and the time that it shows."""
    now = [1_800_000_000.0]
    configure(FileStore(tmp_path, clock=lambda: now[0]), key=KEY)
    return now


def another_worker(*keys: str) -> None:
    """Let another worker of the app with these keys have served a request just now."""
    store = current.use().store
    ours = current._settings
    current.forget()
    configure(store, key=list(keys))
    WorkerKeys(current.use(), "app").check()
    current._settings = ours


def see() -> None:
    worker_keys.cache_clear()
    worker_keys(current.use(), "app").check()


def test_a_worker_with_another_key_is_noticed(clock, caplog):
    another_worker(OTHER_KEY)
    see()
    [line] = caplog.records
    assert (line.event, line.reason) == ("workers_disagree", "keys")
    assert line.kid == current.use().keys.newest.kid != line.other_kid
    assert line.other_kid in line.getMessage()
    assert "DASH_BRAIN_KEY" in line.getMessage()


@pytest.mark.parametrize("keys", [(KEY,), (OTHER_KEY, KEY), (KEY, OTHER_KEY)])
def test_workers_that_know_each_others_keys_agree(clock, caplog, keys):
    another_worker(*keys)
    see()
    assert caplog.records == []


def test_a_worker_that_is_gone_disagrees_no_more(clock, caplog):
    another_worker(OTHER_KEY)
    clock[0] += LIVE + 1
    logs.forget()
    caplog.clear()
    see()
    assert caplog.records == []


def test_a_worker_looks_at_the_others_now_and_then_only(clock, caplog, monkeypatch):
    seen = worker_keys(current.use(), "app now and then")
    seen.check()
    store, before = current.use().store, len(caplog.records)
    store.put("workers/app now and then", "other", [b""], ttl=LIVE, meta={"kids": "00000000"})
    seen.check()
    assert len(caplog.records) == before
    import time

    later = time.monotonic() + EVERY + 1
    monkeypatch.setattr("time.monotonic", lambda: later)
    seen.check()
    assert caplog.records[-1].other_kid == "00000000"


def test_real_workers_that_disagree_say_so_with_their_first_page(serve, tmp_path):
    env = {"DASH_BRAIN_STORE": f"file://{tmp_path}"}
    servers = [
        serve("tests.app.framed:server", workers=1, threads=2, env={**env, "DASH_BRAIN_KEY": key})
        for key in (KEY, OTHER_KEY)
    ]
    for server in servers:
        urlopen(server.url, timeout=30).close()
    first, second = servers
    assert "workers_disagree" not in first.log
    assert "[workers_disagree: keys]" in second.log


def test_a_worker_that_ends_takes_its_note_along(tmp_path):
    code = (
        "from dash_brain.settings import current\n"
        "from tests.app.framed import server\n"
        "server.test_client().get('/')\n"
        "print(*current.use().store.namespaces('workers'))"
    )
    environment = {**os.environ, "DASH_BRAIN_STORE": f"file://{tmp_path}"}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, check=True)
    assert run.stdout.startswith(b"workers/")
    assert not list(FileStore(tmp_path).namespaces("workers"))


def test_a_page_in_a_frame_of_another_site_is_warned_of(open_page, caplog):
    app = secret_app()
    app.layout = html.Div()
    page = open_page(app)
    for site in ("same-origin", "same-site", "cross-site"):
        caplog.clear()
        page.client.get("/", headers={"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": site})
        assert len(caplog.records) == (site == "cross-site")
    assert caplog.records[0].reason == "cross_site_frame"
