"""FastAPI on uvicorn and Quart on hypercorn, with two workers: sessions and callbacks are as with Flask."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from tests.app.test_browser import Tab
from tests.app.test_claims import OURS, as_callback
from tests.backends import ASGI, PATIENCE, serving
from tests.servers import gunicorn


@contextmanager
def served(backend: str, folder: Path, workers: int = 2, **env: str) -> Iterator[str]:
    """Serve the app while the block runs, and give its address."""
    env = {"DASH_BRAIN_STORE": f"file://{folder}/store", **env}
    with serving("tests.app.on_backend:server", backend, workers, env) as server:
        yield server.url


class Visitor:
    """A browser without a page: its cookies, and the tokens that it has got."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Each request has a connection of its own, which any worker may get.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.Client(base_url=url, timeout=PATIENCE, limits=limits)
        self.props: dict[str, Any] = {}
        self.index = self.client.get("/")

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def body(self, output: str, inputs: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        single = not output.startswith("..")
        outputs = [leaf(one) for one in (output if single else output[2:-2]).split("...")]
        return {
            "output": output,
            "outputs": outputs[0] if single else outputs,
            "inputs": [{**leaf(name), "value": value} for name, value in inputs.items()],
            "state": [{**leaf(name), "value": value} for name, value in state.items()],
            "changedPropIds": list(inputs),
        }

    def post(self, output: str, inputs: dict[str, Any], **state: Any) -> httpx.Response:
        return self.client.post("/_dash-update-component", json=self.body(output, inputs, state))

    def call(self, output: str, inputs: dict[str, Any], **state: Any) -> Any:
        answer = self.post(output, inputs, **state)
        assert answer.status_code == 200, answer.text[-2000:]
        assert "a secret" not in answer.text
        assert "no-cache" in answer.headers["Cache-Control"]
        for updates in (answer.json().get("sideUpdate", {}), answer.json()["response"]):
            self.props |= {name: next(iter(props.values())) for name, props in updates.items()}
        return self.props[output.rpartition(".")[0]] if not output.startswith("..") else None

    def claim(self, *stores: str, page: str = "0" * 32, turn: int = 1) -> httpx.Response:
        held = [{"id": name, "mark": "", "token": self.props[name], "kind": "memory"} for name in stores]
        claim = json.dumps({"page": page, "turn": turn, "state": "open", "held": held, "dropped": []})
        return self.client.post("/_dash-update-component", json=as_callback(claim), headers=OURS)


def leaf(name: str) -> dict[str, str]:
    component_id, _, prop = name.rpartition(".")
    return {"id": component_id, "property": prop}


@pytest.fixture(scope="module", params=ASGI)
def url(request, tmp_path_factory) -> Iterator[str]:
    with served(request.param, tmp_path_factory.mktemp("asgi")) as url:
        yield url


@pytest.fixture
def visit(url) -> Iterator[Callable[[], Visitor]]:
    with ExitStack() as opened:
        yield lambda: opened.enter_context(Visitor(url))


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_values_stay_on_the_server_and_are_read_by_every_worker(visit, kind):
    visitor = visit()
    token = visitor.call(f"{kind}.data", {"n.value": 4})
    assert token.startswith("db1.")
    two_workers_read(visitor, f"{kind}-shown.children", {f"{kind}.data": token})


def two_workers_read(visitor: Visitor, output: str, inputs: dict[str, Any]) -> None:
    """Call until two workers have answered, each with all four rows."""
    workers: set[str] = set()
    deadline = time.monotonic() + PATIENCE
    with ThreadPoolExecutor(8) as threads:
        while len(workers) < 2:
            assert time.monotonic() < deadline, f"only {workers} answers"
            for shown in threads.map(lambda _: visitor.post(output, inputs), range(8)):
                rows, worker = shown.json()["response"][output.partition(".")[0]]["children"].split(" in ")
                assert rows == "4 rows"
                workers.add(worker)


def test_the_page_brings_the_session_and_callbacks_bring_none(visit):
    visitor = visit()
    assert visitor.index.headers["Set-Cookie"].startswith("dash_brain_")
    assert "HttpOnly" in visitor.index.headers["Set-Cookie"]
    assert visitor.index.headers["Cache-Control"] == "private, no-cache"
    visitor.client.cookies.clear()
    answer = visitor.post("sync.data", {"n.value": 4})
    assert answer.status_code == 500
    assert "Set-Cookie" not in answer.headers


def test_sessions_are_kept_apart(visit):
    mine, yours = visit(), visit()
    token = mine.call("sync.data", {"n.value": 4})
    assert yours.post("sync-shown.children", {"sync.data": token}).status_code == 500
    assert [mine.call("session-shown.children", {"n.value": 1}) for _ in range(3)] == ["1", "2", "3"]
    assert yours.call("session-shown.children", {"n.value": 1}) == "1"


def test_what_set_props_sends_is_a_token(visit):
    visitor = visit()
    visitor.call("session-shown.children", {"n.value": 1})
    assert visitor.props["side"].startswith("db1.")
    assert visitor.props['{"part":1}'].startswith("db1.")


def test_plain_callbacks_use_to_token_and_from_token(visit):
    visitor = visit()
    visitor.call("..plain.data...plain-text.children..", {"n.value": 7})
    assert visitor.props["plain-text"] == "[7]"


def test_memoized_results_are_shared_by_sessions_and_workers(visit):
    shown = set()
    for _ in range(4):
        visitor = visit()
        token = visitor.call("kept.data", {"n.value": 5})
        shown.add(visitor.call("kept-shown.children", {"kept.data": token}))
    assert len(shown) == 1


def test_claims_are_taken_and_those_of_others_refused(visit):
    visitor = visit()
    visitor.call("sync.data", {"n.value": 4})
    answer = visitor.claim("sync")
    assert (answer.status_code, answer.json()) == (200, {"dead": []})
    visitor.props["sync"] = "db1.none"
    assert visitor.claim("sync", turn=2).json() == {"dead": [0]}
    plain = as_callback(json.dumps({"page": "0" * 32}))
    assert visitor.client.post("/_dash-update-component", json=plain).status_code == 403
    assert visitor.client.post("/_dash-update-component", json=plain, headers=OURS).status_code == 400
    long = as_callback("x" * 600_000)
    assert visitor.client.post("/_dash-update-component", json=long, headers=OURS).status_code == 413


def test_a_claim_without_a_session_begins_one(visit):
    visitor = visit()
    visitor.client.cookies.clear()
    answer = visitor.claim()
    assert answer.json() == {"dead": [], "began": True}
    assert answer.headers["Set-Cookie"].startswith("dash_brain_")


def test_a_closed_session_ends_in_every_worker_and_the_browser_gets_another(visit):
    visitor, other = visit(), visit()
    token = visitor.call("sync.data", {"n.value": 4})
    old = dict(visitor.client.cookies)
    assert visitor.call("close-text.children", {"close.n_clicks": 1}) == "closed"
    assert dict(visitor.client.cookies) != old
    other.client.cookies.clear()
    other.client.cookies.update(old)
    with ThreadPoolExecutor(8) as threads:  # both workers get some of them
        for one in (other, visitor):
            asked = [threads.submit(one.post, "sync-shown.children", {"sync.data": token}) for _ in range(16)]
            assert {answer.result().status_code for answer in asked} == {500}
    visitor.call("sync-shown.children", {"sync.data": visitor.call("sync.data", {"n.value": 4})})


def test_gunicorn_may_have_workers_of_uvicorn(tmp_path):
    env = {"BACKEND": "fastapi", "DASH_BRAIN_STORE": f"file://{tmp_path}/store"}
    options = ["--worker-class=uvicorn.workers.UvicornWorker"]
    with (
        gunicorn("tests.app.on_backend:server", workers=2, env=env, options=options) as server,
        Visitor(server.url) as visitor,
    ):
        token = visitor.call("sync.data", {"n.value": 4})
        two_workers_read(visitor, "sync-shown.children", {"sync.data": token})
        with Socket(visitor) as opened:
            answer = opened.call("socket-text.children", {"socket.n_clicks": 1}, **{"sync.data": token})
            assert text_of(answer, "socket-text") == "True dict"


# -- websockets ----------------------------------------------------------------------------------------


class Socket:
    """A websocket of a visitor: it runs callbacks, and answers what they ask of the page."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self.seen: list[Any] = []
        cookies = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
        self._connecting = connect(
            f"{visitor.url.replace('http', 'ws')}/_dash-ws-callback",
            origin=visitor.url,
            additional_headers={"Cookie": cookies},
        )

    def __enter__(self) -> Socket:
        self.connection = self._connecting.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._connecting.__exit__(*error)

    def call(self, output: str, inputs: dict[str, Any], **state: Any) -> dict[str, Any]:
        """Call a callback, and return the answer."""
        self._send("callback_request", "1", self._visitor.body(output, inputs, state))
        while True:
            text = self.connection.recv(PATIENCE)
            assert "a secret" not in text
            found = json.loads(text)
            for message in found if isinstance(found, list) else [found]:
                self.seen.append(message)
                if message["type"] == "callback_response" and not is_frame(message):
                    return message["payload"]
                self._answer(message)

    def _answer(self, message: dict[str, Any]) -> None:
        payload = message["payload"]
        if message["type"] == "set_props":
            self._visitor.props[payload["componentId"]] = payload["props"]["data"]
        if message["type"] == "get_props_request":
            values = dict.fromkeys(payload["properties"], self._visitor.props[payload["componentId"]])
            self._send("get_props_response", message["requestId"], values)

    def _send(self, kind: str, request: str, payload: Any) -> None:
        sent = {"type": kind, "requestId": request, "rendererId": "r", "payload": payload}
        self.connection.send(json.dumps(sent))


def is_frame(message: dict[str, Any]) -> bool:
    return message["payload"].get("stream") and not message["payload"].get("done")


def text_of(answer: dict[str, Any], name: str) -> str:
    assert answer["status"] == "ok", answer
    return answer["data"]["response"][name]["children"]


def test_what_callbacks_set_and_read_over_a_websocket_are_tokens_in_the_page(visit):
    visitor = visit()
    token = visitor.call("sync.data", {"n.value": 4})
    state = {"sync.data": token}
    with Socket(visitor) as opened:
        answer = opened.call("socket-text.children", {"socket.n_clicks": 1}, **state)
        assert text_of(answer, "socket-text") == "True dict"
        assert visitor.props["sent"].startswith("db1.")
        assert visitor.props['{"part":1}'].startswith("db1.")
        visitor.props["sent"] = ""
        answer = opened.call("socket-async-text.children", {"socket-async.n_clicks": 5}, **state)
        assert text_of(answer, "socket-async-text") == "True 5"
        assert visitor.props["sent"].startswith("db1.")


def test_each_patch_over_a_websocket_changes_what_the_one_before_has_made(visit):
    visitor = visit()
    state = {"sync.data": visitor.call("sync.data", {"n.value": 4})}
    with Socket(visitor) as opened:
        answer = opened.call("grow-text.children", {"grow.n_clicks": 1}, **state)
    assert text_of(answer, "grow-text") == "2"
    assert visitor.call("sync-shown.children", {"sync.data": visitor.props["sync"]}).startswith("6 rows")


def test_a_websocket_gives_no_value_of_another_session(visit):
    mine, yours = visit(), visit()
    token = mine.call("sync.data", {"n.value": 4})
    with Socket(yours) as opened:
        answer = opened.call("socket-text.children", {"socket.n_clicks": 1}, **{"sync.data": token})
        assert answer["status"] == "error"
        assert "no valid token" in answer["message"]


def test_a_websocket_whose_session_was_closed_is_closed(visit):
    visitor = visit()
    token = visitor.call("sync.data", {"n.value": 4})
    with Socket(visitor) as opened:
        visitor.call("close-text.children", {"close.n_clicks": 1})
        with pytest.raises(ConnectionClosedError) as closed:
            opened.call("socket-text.children", {"socket.n_clicks": 1}, **{"sync.data": token})
        assert closed.value.rcvd.code == 4008
    visitor.call("sync.data", {"n.value": 4})
    with Socket(visitor) as opened:  # with the new cookie
        state = {"sync.data": visitor.props["sync"]}
        assert opened.call("socket-text.children", {"socket.n_clicks": 1}, **state)["status"] == "ok"


@pytest.mark.parametrize("backend", ASGI)
@pytest.mark.parametrize("env", [{"LOGINS": "1"}, {"DASH_BRAIN_COOKIE": "page"}])
def test_where_a_websocket_may_outlive_its_user_it_has_no_session(backend, env, tmp_path):
    with served(backend, tmp_path, workers=1, **env) as url, Visitor(url) as visitor:
        with Socket(visitor) as opened:
            state = {"sync.data": None}
            answer = opened.call("socket-async-text.children", {"socket-async.n_clicks": 5}, **state)
        assert answer["status"] == "error"
        assert "came by a websocket" in answer["message"]


# -- streams -------------------------------------------------------------------------------------------

streams = pytest.mark.skipif(find_spec("dash._streaming") is None, reason="Dash has no streaming callbacks")


@streams
def test_each_result_of_a_stream_is_a_token(visit):
    visitor = visit()
    state = {"sync.data": visitor.call("sync.data", {"n.value": 4})}
    answer = visitor.post("streamed.data", {"go.n_clicks": 1}, **state)
    assert "a secret" not in answer.text
    frames = [json.loads(line) for line in answer.text.splitlines() if line]
    assert [frame.get("done") for frame in frames] == [None, None, None, True]
    tokens = {frame["response"]["streamed"]["data"] for frame in frames[:3]}
    tokens |= {frame["sideUpdate"]["side"]["data"] for frame in frames[:3]}
    assert len(tokens) == 6
    assert all(token.startswith("db1.") for token in tokens)


@streams
def test_each_result_of_a_stream_over_a_websocket_is_a_token(visit):
    visitor = visit()
    state = {"sync.data": visitor.call("sync.data", {"n.value": 4})}
    with Socket(visitor) as opened:
        assert opened.call("streamed.data", {"go.n_clicks": 1}, **state)["status"] == "ok"
    frames = [one["payload"]["data"]["response"]["streamed"]["data"] for one in opened.seen if is_frame(one)]
    assert len(frames) == 3
    assert all(token.startswith("db1.") for token in frames)
    assert visitor.props["side"].startswith("db1.")


@streams
def test_a_stream_of_patches_changes_a_value_step_by_step(visit):
    visitor = visit()
    state = {"sync.data": None, "grown.data": None}
    answer = visitor.post("grown.data", {"go.n_clicks": 1}, **state)
    assert "a secret" not in answer.text
    frames = [json.loads(line) for line in answer.text.splitlines() if line]
    tokens = [frame["response"]["grown"]["data"] for frame in frames if "response" in frame]
    shown = [visitor.call("grown-shown.children", {"grown.data": token}) for token in tokens]
    assert shown == ["0", "1", "2"]


@streams
def test_a_stream_gives_no_value_of_another_session(visit):
    mine, yours = visit(), visit()
    state = {"sync.data": mine.call("sync.data", {"n.value": 4})}
    answer = yours.post("streamed.data", {"go.n_clicks": 1}, **state)
    [frame] = [json.loads(line) for line in answer.text.splitlines() if line]
    assert "no valid token" in frame["error"]["message"]


@streams
def test_a_stream_has_no_session_when_that_was_closed_meanwhile(visit):
    visitor = visit()
    visitor.call("session-shown.children", {"n.value": 1})
    state = {"sync.data": visitor.call("sync.data", {"n.value": 4})}
    body = visitor.body("streamed.data", {"go.n_clicks": "until the session ends"}, state)
    with visitor.client.stream("POST", "/_dash-update-component", json=body) as answer:
        lines = answer.iter_lines()
        assert "response" in json.loads(next(lines))
        with Visitor(visitor.url) as other:
            other.client.cookies = visitor.client.cookies
            other.call("close-text.children", {"close.n_clicks": 1})
        last = json.loads([line for line in lines if line][-1])
    assert "There is no session: it was closed" in last["error"]["message"]


# -- the event loop ------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ASGI)
@pytest.mark.parametrize("kind", ["wait", "wait-async"])
def test_twenty_callbacks_that_wait_for_one_result_stop_no_other(backend, kind, tmp_path):
    with (
        served(backend, tmp_path, workers=1) as url,
        Visitor(url) as visitor,
        ThreadPoolExecutor(21) as threads,
    ):
        lag = threads.submit(visitor.post, "lag-text.children", {"lag.n_clicks": 2.5})

        def wait(n: int) -> Any:
            return visitor.call(f"{kind}-text.children", {f"{kind}.n_clicks": n})

        assert set(threads.map(wait, range(20))) == {"made"}
        # A loop that waits for what takes three seconds is late by as much; a busy machine by less.
        assert max(lag.result().json()["response"]["lag-text"]["children"]) < 2.0


@pytest.mark.parametrize("backend", ASGI)
def test_a_store_that_is_slow_does_not_stop_the_event_loop(backend, tmp_path):
    with served(backend, tmp_path, workers=1, NOTED="1") as url, Visitor(url) as visitor:

        def noted() -> list[str]:
            answer = visitor.post("noted-text.children", {"noted.n_clicks": 1})
            found: list[str] = answer.json()["response"]["noted-text"]["children"]
            return found

        at_start = len(noted())  # the first request sets the app up
        visitor.client.cookies.clear()
        for path in ("/", "/", "/_dash-layout", "/_dash-dependencies"):
            visitor.client.get(path)
        use_all_kinds(visitor)
        assert noted()[at_start:] == []


def use_all_kinds(visitor: Visitor) -> None:
    """Call callbacks of all kinds."""
    for kind in ("sync", "async"):
        token = visitor.call(f"{kind}.data", {"n.value": 4})
        visitor.call(f"{kind}-shown.children", {f"{kind}.data": token})
        assert visitor.post(f"{kind}-shown.children", {f"{kind}.data": "db1.none"}).status_code == 500
    visitor.call("session-shown.children", {"n.value": 1})
    visitor.call("kept-shown.children", {"kept.data": visitor.call("kept.data", {"n.value": 5})})
    assert visitor.claim("sync", "async").json() == {"dead": []}
    with Socket(visitor) as opened:
        for kind in ("socket", "socket-async"):
            state = {"sync.data": visitor.props["sync"]}
            assert opened.call(f"{kind}-text.children", {f"{kind}.n_clicks": 1}, **state)["status"] == "ok"
    visitor.call("close-text.children", {"close.n_clicks": 1})


# -- in a browser --------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ASGI)
def test_two_profiles_use_the_app_and_their_consoles_stay_clean(backend, tmp_path, browser, browser_factory):
    with served(backend, tmp_path) as url:
        tabs = [Tab(driver, url) for driver in (browser, browser_factory())]
        for tab in tabs:
            tab.wait("session-shown", "1")
            tab.wait_for(lambda tab=tab: tab.text("async-shown").startswith("3 rows"))
            tab.wait_for(lambda tab=tab: '"type":"dict","rows":2' in tab.text("described"))
            tab.wait("fed-shown", "a secret and more")
            tab.click("socket")
            tab.wait("socket-text", "True dict")
            tab.wait("sent-shown", "['a secret', 3]")
            tab.click("socket-async")
            tab.wait("socket-async-text", "True 1")
            tab.assert_clean()
            tab.click("close")
            tab.wait("close-text", "closed")


@streams
@pytest.mark.parametrize("backend", ASGI)
def test_streams_reach_a_page_by_http_and_over_a_websocket(backend, tmp_path, browser):
    with served(backend, tmp_path) as url:
        tab = Tab(browser, url)
        tab.wait_for(lambda: tab.text("sync-shown").startswith("3 rows"))
        tab.click("go")
        for name in ("streamed", "by-http"):
            tab.wait(f"{name}-shown", "2 of 3")
        tab.wait("grown-shown", "2")
        tab.assert_clean()


@pytest.mark.parametrize("backend", ASGI)
def test_all_callbacks_of_an_app_may_come_by_a_websocket(backend, tmp_path, browser):
    with served(backend, tmp_path, ALL_BY_WEBSOCKET="1") as url:
        tab = Tab(browser, url)
        tab.wait("session-shown", "1")
        tab.wait_for(lambda: tab.text("async-shown").startswith("3 rows"))
        tab.wait("fed-shown", "a secret and more")
        tab.click("grow")
        tab.wait("grow-text", "2")
        tab.wait_for(lambda: '"type":"dict","rows":2' in tab.text("described"))
        by_http = [body for body, _ in tab.bodies() if "_dash-brain-description" not in body]
        assert by_http == []
        tab.assert_clean()
        lose(tmp_path / "store")
        tab.wait_for(lambda: [tab.click("socket-async"), tab.text("socket-async-text").startswith("True")][1])


def lose(store: Path) -> None:
    """Remove a store with its key, while a server writes to it."""
    lost = store.rename(store.with_name("lost"))
    while lost.exists():
        shutil.rmtree(lost, ignore_errors=True)
