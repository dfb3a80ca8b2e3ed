"""The backends of Dash: dash_brain changes no app that does not use it, and says where it cannot be used."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests import zygote
from tests.app.test_claims import as_callback
from tests.backends import ALL, ASGI, PATIENCE, serving

CALL = {
    "output": "echo.children",
    "outputs": {"id": "echo", "property": "children"},
    "inputs": [
        {"id": "text", "property": "value", "value": "b"},
        {"id": "kept", "property": "data", "value": [2]},
    ],
    "changedPropIds": ["text.value"],
}
CLAIM = json.dumps({"page": "0" * 32, "turn": 1, "state": "open", "held": [], "dropped": []})
REQUESTS: list[tuple[str, Any]] = [
    ("", None),
    ("_dash-layout", None),
    ("_dash-dependencies", None),
    ("_dash-update-component", CALL),
    ("_dash-update-component", as_callback(CLAIM)),
    ("_reload-hash", None),
    ("any/page", None),
]


def asked(url: str, path: str, body: Any = None) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of an answer, without what differs in any two."""
    sent = None if body is None else json.dumps(body).encode()
    request = Request(url + path, data=sent, headers={"Content-Type": "application/json"})
    try:
        answer = urlopen(request, timeout=PATIENCE)
    except HTTPError as error:
        answer = error
    with answer:
        text = answer.read().decode()
        headers = {name.lower(): value for name, value in answer.headers.items()}
    headers.pop("date")
    text = re.sub(r'"end_id":\s*"[^"]+"', "", text)
    text = re.sub(r'"reloadHash":\s*"[^"]+"', "", text)
    return answer.status, headers, text


def answers(backend: str, **env: str) -> list[Any]:
    with serving("tests.app.plain:server", backend, workers=1, env=env) as server:
        return [asked(f"{server.url}/", path, body) for path, body in REQUESTS]


@pytest.mark.parametrize("backend", ALL)
def test_an_environment_with_dash_brain_changes_no_answer_of_an_app_that_does_not_use_it(backend):
    without = answers(backend, ENTRY_POINTS="none")
    assert answers(backend) == without
    assert answers(backend, IMPORTS="from dash_brain import Brain; Brain('a')['b'] = 1") == without
    assert without[0][0] == 200
    assert json.loads(without[3][2])["response"] == {"echo": {"children": "b [2]"}}


@pytest.fixture
def said(tmp_path) -> Callable[..., str]:
    """Run code in a process that has loaded the libraries, and return what it printed."""

    def run(code: str, besides: tuple[str, ...] = ()) -> str:
        (tmp_path / "program.py").write_text(f"import warnings\nwarnings.simplefilter('error')\n{code}")
        program = zygote.start([str(tmp_path / "program.py")], output=tmp_path / "said", besides=besides)
        program.wait(PATIENCE)
        return (tmp_path / "said").read_text()

    return run


@pytest.mark.parametrize("backend", ALL)
def test_an_app_that_does_not_use_dash_brain_loads_nothing_of_it_but_a_list_of_apps(backend, said):
    code = f"""
import sys
from dash import Dash
from dash._hooks import HooksManager
from dash.development.base_component import ComponentRegistry
app = Dash(backend={backend!r})
hooks = {{name: len(found) for name, found in HooksManager.hooks._ns.items() if found}}
print(sorted(name for name in sys.modules if name.startswith("dash_brain")), hooks)
print([route for route in app.routes if "brain" in route], "dash_brain" in ComponentRegistry.registry)
"""
    below = ["common", "common.version", "errors", "floors", "hooks"]
    modules = ["dash_brain", *(f"dash_brain.{name}" for name in below)]
    assert said(code).splitlines() == [f"{modules} {{'setup': 1}}", "[] False"]


def test_sessions_are_registered_with_dash_by_a_call_and_once(said):
    code = """
from dash._hooks import HooksManager
from dash_brain.web.activation import activate
hooks = HooksManager.hooks._ns
print(len(hooks["setup"]), len(hooks["index"]))
activate(), activate()
print(len(hooks["setup"]), len(hooks["index"]))
"""
    before, after = (tuple(map(int, line.split())) for line in said(code).splitlines())
    assert (before, after) == ((before[0], 0), (before[0] + 1, 1))


CUSTOM = """
from dash import Dash, Input, Output, html
from dash.backends import get_backend
class Tornado(get_backend("flask")):
    def __init__(self, server):
        super().__init__(server)
        self.server_type = "tornado"
"""
USES = {
    "brain_callback": "brain_callback(Output('a', 'data'), Input('b', 'value'))(str)",
    "brain_callback with app": "brain_callback(Output('a', 'data'), Input('b', 'value'), app=app)(str)",
    "ServerStore": "app.layout = html.Div([ServerStore(id='a')])",
}


@pytest.mark.parametrize("use", USES)
def test_an_app_of_an_unknown_backend_is_refused_where_it_is_made(use, said):
    assert_refused(
        said(f"""
{CUSTOM}
app = Dash(backend=Tornado)
from dash_brain import ServerStore, brain_callback
{USES[use]}
""")
    )


def assert_refused(text: str) -> None:
    last = text.strip().splitlines()[-1]
    assert last.startswith("dash_brain.errors.BackendNotSupported: The app is served by tornado, but "), text
    assert 'Dash(backend="flask")' in last


def test_callbacks_that_were_registered_before_such_an_app_are_refused_when_it_is_made(said):
    code = f"""
{CUSTOM}
from dash_brain import brain_callback
brain_callback(Output('a', 'data'), Input('b', 'value'))(str)
app = Dash(backend=Tornado)
"""
    assert_refused(said(code))


SERVES = """
from tests.app.asgi import client_of
client = client_of(app.server)
assert "dash_brain_" in client.get("/").headers["Set-Cookie"]
inputs = [dict(id="b", property="value", value="c")]
outputs = dict(id="a", property="data")
body = dict(output="a.data", outputs=outputs, inputs=inputs, changedPropIds=["b.value"])
answer = client.post("/_dash-update-component", json=body)
print(answer.json["response"]["a"]["data"][:4])
"""
CALLBACK = "brain_callback(Output('a', 'data'), Input('b', 'value'))(str)"
LAYOUT = "app.layout = html.Div([dcc.Input(id='b', value='c'), ServerStore(id='a')])"
IMPORTS = "from dash import Dash, Input, Output, dcc, html"
OURS = "from dash_brain import ServerStore, brain_callback"
ORDERS = {
    "app first": "{imports}; app = Dash(backend={backend!r}); {ours}; {callback}; {layout}",
    "callbacks first": "{imports}; {ours}; {callback}; app = Dash(backend={backend!r}); {layout}",
    "server later": "{imports}; {ours}; app = Dash(server=False, backend={backend!r}); {callback}; {layout}\n"
    "app.init_app(app.backend.create_app('x'))",
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("backend", ALL)
def test_app_and_callbacks_may_be_made_in_any_order(backend, order, said):
    code = ORDERS[order].format(imports=IMPORTS, ours=OURS, callback=CALLBACK, layout=LAYOUT, backend=backend)
    assert said(code + SERVES) == "db1.\n"


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("wanted", ["session_brain['a']", "to_token([1])"])
def test_outside_of_requests_there_is_no_session(backend, wanted, said):
    code = f"""
from dash import Dash
from dash_brain import ServerStore, session_brain, to_token
app = Dash(backend={backend!r})
{wanted}
"""
    assert "dash_brain.errors.NoSession: There is no request" in said(code)


@pytest.mark.parametrize("backend", ASGI)
def test_flask_apps_import_no_other_server(backend, said):
    code = f"""
{IMPORTS}; {OURS}; app = Dash(); {CALLBACK}; {LAYOUT}
import sys
client = app.server.test_client()
client.get("/")
print({backend!r} in sys.modules, "starlette" in sys.modules)
"""
    assert said(code) == "False False\n"


@pytest.mark.parametrize("backend", ASGI)
def test_beside_an_app_of_flask_others_are_no_hindrance(backend, said):
    code = f"""
from dash import Dash, Input, Output, dcc, html
from dash_brain import ServerStore, brain_callback
app, other = Dash("a"), Dash("b", backend={backend!r})
app.layout = html.Div([dcc.Input(id="b", value="c"), ServerStore(id="a")])
brain_callback(Output("a", "data"), Input("b", "value"), app=app)(str)
client = app.server.test_client()
assert "dash_brain_" in client.get("/").headers["Set-Cookie"]
inputs = [dict(id="b", property="value", value="c")]
outputs = dict(id="a", property="data")
body = dict(output="a.data", outputs=outputs, inputs=inputs, changedPropIds=["b.value"])
answer = client.post("/_dash-update-component", json=body)
print(answer.json["response"]["a"]["data"][:4])
"""
    assert said(code) == "db1.\n"


def test_dash_brain_may_be_imported_after_the_app_was_made(said):
    code = """
from dash import Dash, html
app = Dash(routes_pathname_prefix="/a/", requests_pathname_prefix="/a/")
from dash_brain import ServerStore
app.layout = html.Div([ServerStore(id="a")])
client = app.server.test_client()
assert "dash_brain_" in client.get("/a/").headers["Set-Cookie"]
from tests.app.test_backends import CLAIM
from tests.app.test_claims import OURS, as_callback
print(client.post("/a/_dash-update-component", json=as_callback(CLAIM), headers=OURS).status_code)
"""
    assert said(code) == "200\n"


@pytest.mark.parametrize("backend", ["flask", "fastapi"])  # Quart takes what comes late with the next request
def test_an_import_in_a_callback_of_an_app_that_serves_already_is_named(backend, said):
    code = f"""
from dash import Dash, html
app, other = Dash("late", backend={backend!r}), Dash("unserved", backend={backend!r})
app.layout = html.Div()
from tests.app.asgi import client_of
client_of(app.server).get("/")
for _ in range(2):
    from dash_brain import session_brain, to_token
"""
    told = said(code)
    assert told.count("dash_brain was imported after the app had served its first request") == 1, told


@pytest.mark.skipif(find_spec("dash._streaming") is None, reason="Dash has no streaming callbacks")
def test_a_generator_is_refused_where_all_apps_are_of_flask(said):
    code = """
from dash import Dash, Input, Output
from dash_brain import brain_callback
app = Dash()
async def stream(n):
    yield n
brain_callback(Output('a', 'data'), Input('b', 'value'))(stream)
"""
    assert "BackendNotSupported: A generator that brain_callback declares needs FastAPI or Quart" in said(
        code
    )


def test_a_generator_that_dash_does_not_stream_is_refused(said):
    code = """
from dash import Dash, Input, Output
from dash_brain import brain_callback
def stream(n):
    yield n
brain_callback(Output('a', 'data'), Input('b', 'value'))(stream)
"""
    assert "TypeError: brain_callback cannot take the generator stream" in said(code)
