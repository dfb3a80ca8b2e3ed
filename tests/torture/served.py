"""The app that the torture tests ask: every value says whose it is, which one it is, and whether it is whole.

``tests.torture.served:server``, with users where TORTURE_USERS is set; also run as a script, for the debug
reloader.
"""

from __future__ import annotations

import os
import time
from typing import Any

import flask
from dash import ALL, Dash, Input, Output, State, dcc, html, no_update

from dash_brain import Brain, ServerStore, brain_callback, close_session, configure, session_brain
from tests.torture.marks import marked, seen
from tests.torture.pages import FORGIVING, USER

#: What the process that imports the app learns, when it is told to.
BEFORE = "before the fork"

# Under gevent all requests of a worker share a thread, in which Dash cannot run two event loops.
COROUTINES = "TORTURE_GEVENT" not in os.environ

app = Dash(__name__, suppress_callback_exceptions=True, use_async=COROUTINES)
server = app.server
app.layout = [
    dcc.Input(id="order"),
    dcc.Input(id="order-async"),
    dcc.Input(id="name"),
    dcc.Input(id="own-name"),
    dcc.Input(id="common-name"),
    dcc.Input(id="order-hoard"),
    ServerStore(id="value"),
    ServerStore(id="value-async"),
    ServerStore(id="own"),
    ServerStore(id="common"),
    ServerStore(id="hoard"),
    ServerStore(id="shared", storage_type="session"),
    ServerStore(id={FORGIVING: 0}),
    *(html.Div(id=f"told-{name}") for name in ("async", "own", "common", "hoard", "shared")),
    *(html.Div(id=name) for name in ("told", "kept", "made", "slept", "seen-all")),
]


def told(order: dict[str, Any], value: Any) -> dict[str, Any]:
    """Return what the asking page can judge: who answered, what was read, and what the session keeps."""
    answer: dict[str, Any] = {"pid": os.getpid(), "seen": seen(value)}
    if order.get("keep"):
        answer["kept"] = session_brain.get("mark")
        session_brain["mark"] = [order["mark"], order["serial"]]
    return answer


@brain_callback(
    Output("value", "data"), Output("told", "children"), Input("order", "value"), State("value", "data")
)
def exchange(order, value):
    """Tell what was read, and return a new value in its place."""
    return marked(order["mark"], order["serial"], order.get("bytes", 0)), told(order, value)


if COROUTINES:

    @brain_callback(
        Output("value-async", "data"),
        Output("told-async", "children"),
        Input("order-async", "value"),
        State("value-async", "data"),
    )
    async def exchange_async(order, value):
        """Do the same in a coroutine, which Dash runs in a thread of its own."""
        return marked(order["mark"], order["serial"], order.get("bytes", 0)), told(order, value)


@brain_callback(Output("shared", "data"), Input("order", "value"), prevent_initial_call=True)
def begin(order):
    """Return a large value that many tabs of a session will hold."""
    return marked(order["mark"], order["serial"], order["bytes"])


@brain_callback(Output("told-shared", "children"), Input("shared", "data"))
def look(value):
    """Tell what was read."""
    return {"pid": os.getpid(), "seen": seen(value)}


@brain_callback(Output("made", "children"), Input("name", "value"))
def make_once(order):
    """Return the one value of a name, and who answered."""
    note(order.get("arrivals", os.devnull))
    names = session_brain if order["scope"] == "session" else Brain()
    made = names.get_or_learn(order["name"], lambda: _slowly(order))
    return {"pid": os.getpid(), "made": made}


def note(journal: str) -> None:
    """Append who we are, in one write."""
    with open(journal, "a") as file:
        file.write(f"{os.getpid()}\n")


def _slowly(order: dict[str, Any]) -> str:
    note(order["journal"])
    while not os.path.exists(order["until"]):
        time.sleep(0.01)
    return f"{os.getpid()} {os.urandom(8).hex()}"


@brain_callback(
    Output("own", "data"), Output("told-own", "children"), Input("own-name", "value"), memoize="session"
)
def make_own(order):
    """Return the session's one value of a name. Whose it is does not follow from the arguments."""
    return _made(session_brain["mark"][0], order)


@brain_callback(
    Output("common", "data"), Output("told-common", "children"), Input("common-name", "value"), memoize="app"
)
def make_common(order):
    """Return everybody's one value of a name, after a while in which others ask for it too."""
    time.sleep(1)
    return _made("everybody", order)


def _made(mark: str, order: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    note(order["journal"])
    return marked(mark, order["serial"]), [mark, order["serial"], os.urandom(8).hex()]


@brain_callback(
    Output("hoard", "data"),
    Output("told-hoard", "children"),
    Input("order-hoard", "value"),
    on_error=lambda error: (no_update, type(error).__name__),
)
def hoard(order):
    """Return what may be more than the session has room for."""
    return marked(order["mark"], order["serial"], order["bytes"]), "kept"


@brain_callback(
    Output("seen-all", "children"),
    Input({FORGIVING: ALL}, "data"),
    on_missing=lambda error: type(error).__name__,
)
def look_at_all(values):
    """Tell of each value what was read, or the name of the error."""
    return [value if isinstance(value, str) else seen(value) for value in values]


@server.get("/close")
def close():
    close_session()
    return {"pid": os.getpid()}


@server.get("/pid")
def pid():
    return {"pid": os.getpid()}


def user() -> str | None:
    """Return who is logged in: whoever the browser says, which no app should believe."""
    return flask.request.cookies.get(USER)


def with_users() -> None:
    """Let the app tell the users of a browser from one another."""
    configure(principal=user)


if os.environ.get("TORTURE_USERS"):  # before its first request, which is below
    with_users()


@server.get("/before-the-fork")
def before_the_fork():
    return {"pid": os.getpid(), "seen": seen(Brain()[BEFORE])}


if os.environ.get("TORTURE_USE_BEFORE_FORK"):
    Brain()[BEFORE] = marked("master", os.getpid(), 400_000)
    Brain().get_or_learn("another", lambda: 1, ttl=60)  # starts the thread that sweeps, too

if __name__ == "__main__":
    app.run(debug=True, port=int(os.environ["PORT"]), extra_files=[os.environ["TORTURE_WATCHED"]])
else:
    # Dash takes the callbacks from where it notes those of all apps; tests in this process empty that.
    server.test_client().get("/_favicon.ico")
