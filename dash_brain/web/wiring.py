"""Callbacks that are wired to ServerStores and cannot work: each is named, with its cause and its cure.

In an app that is half moved to dash_brain one plain callback among thirty is the likely mistake. It fails
somewhere else: where its JSON is read in place of a token, or where it takes a token for a value.
"""

from __future__ import annotations

import inspect
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, NamedTuple

import dash
from dash.exceptions import PreventUpdate

from dash_brain.common.log import warn
from dash_brain.errors import BadId, WiringError
from dash_brain.web.calls import ids_in_set_props, uses
from dash_brain.web.dash_internals import (
    coerce_to_list,
    create_callback_id,
    declared_callbacks,
    flatten_grouping,
    is_ours,
    registered,
    replace_error_handler,
)
from dash_brain.web.ids import canonical, fits, is_of_transform
from dash_brain.web.layouts import PLAIN_STORE, SERVER_STORE, layouts_of

_TEXTS = {
    "plain_callback": "{name} is a plain dash.callback that {does}. A plain callback is given the token, a "
    "string, in place of the value, and what it writes is no token: who reads it gets BadToken. Register it "
    "with brain_callback, or use from_token and to_token in it.",
    "clientside_callback": "{name} is a clientside callback that {does}. In the browser there is the token "
    "only: it tells that there is a value, and anything else that is written in its place is refused as "
    "BadToken. Let a brain_callback read and write the value; modified_timestamp tells that it changed.",
    "running": "running= of {name} {does}. Its values go to the browser as they are, and are no tokens: who "
    "reads them gets BadToken. Write to the store with an Output of a brain_callback.",
    "progress_default": "progress_default= of {name} {does}. It goes to the browser as it is, and is no "
    "token: who reads it gets BadToken. Leave it out, or give None there.",
    "plain_store": "{name} is a brain_callback that {does}: the value goes to the browser as JSON. Make "
    "it a ServerStore, and it stays on the server.",
}


_SAME_ID = (
    "{name} has no outputs, and another callback has the same inputs and none either: Dash gives both one id "
    "and runs this one for both. Give one of them an Output or another Input."
)


class Wired(NamedTuple):
    """One registered callback: who it is, and whose ``data`` it reads and writes, as canonical ids."""

    name: str
    kind: str
    entry: dict[str, Any]
    reads: list[str]
    writes: list[str]

    def about(self, stores: Iterable[str]) -> str:
        """Return what it does with these stores, why that cannot work and what to do; "" for nothing."""
        shown = "dcc.Store" if self.kind == "plain_store" else "ServerStore"
        does = [
            f"{verb} {shown} {', '.join(map(repr, found))}"
            for verb, declared in (("reads", self.reads), ("writes", self.writes))
            if (
                found := [
                    one for one in dict.fromkeys(declared) if any(_meet(one, store) for store in stores)
                ]
            )
        ]
        return _TEXTS[self.kind].format(name=self.name, does=" and ".join(does)) if does else ""


def check(app: dash.Dash, app_id: str) -> None:
    """Hold an app's callbacks against the stores of its layouts, and log each that cannot work."""
    kinds = layouts_of(app).kinds()
    done = _done[app] = set(kinds)
    for one in wired(app):
        wanted = PLAIN_STORE if one.kind == "plain_store" else SERVER_STORE
        _tell(one, one.about([name for name, kind in kinds.items() if kind == wanted]), app_id, done)
    for name in _same_ids(app):
        text = _SAME_ID.format(name=name)
        warn("wiring", "same_id", text, app_id=app_id, about=text)


def check_sent(app: dash.Dash, app_id: str, component_id: object) -> None:
    """Do so for a ServerStore that stands in no layout, when it is first sent: a callback has made it."""
    name, done = canonical(component_id), _done.get(app)
    if done is not None and name not in done and len(done) < _MOST:
        done.add(name)
        for one in wired(app):
            _tell(one, "" if one.kind == "plain_store" else one.about([name]), app_id, done)


#: Which ids the callbacks of each app were held against, and what was said. A client may choose some ids.
_done: weakref.WeakKeyDictionary[dash.Dash, set[str]] = weakref.WeakKeyDictionary()
_MOST = 10_000


def _tell(one: Wired, text: str, app_id: str, done: set[str]) -> None:
    if text and text not in done:
        done.add(text)
        warn("wiring", one.kind, text, app_id=app_id, about=text)
        if one.kind == "plain_callback":
            one.entry["callback"] = _explained(one.entry["callback"], text)


def suspects(app: dash.Dash | None, store: str) -> str:
    """Return which of an app's callbacks do what cannot work with a ServerStore."""
    callbacks = () if app is None else (one for one in wired(app) if one.kind != "plain_store")
    return "".join(f" {text}" for one in callbacks if (text := one.about([store])))


def wired(app: dash.Dash) -> Iterator[Wired]:
    """Yield the callbacks of an app with those of their inputs and outputs that need a look."""
    for spec, entry in declared_callbacks(app):
        if "callback" in entry or not _is_of_transform(entry.get("output")):
            name = _name(spec, entry)
            yield from _options(name, spec, entry)
            yield _itself(name, spec, entry)


def _options(name: str, spec: dict[str, Any], entry: dict[str, Any]) -> Iterator[Wired]:
    """Yield what writes values of an option: they are sent as they are, and no function of ours sees them."""
    running = (spec.get("running") or {}).get("running", ())
    yield Wired(name, "running", entry, [], [one for prop in running for one in _split(prop)])
    defaults = (entry.get("background") or {}).get("progressDefault") or []
    given = [one for one, value in zip(_progress(entry), defaults, strict=False) if value is not None]
    yield Wired(name, "progress_default", entry, [], _written(given))


def _itself(name: str, spec: dict[str, Any], entry: dict[str, Any]) -> Wired:
    inputs = (*spec["inputs"], *spec["state"])
    reads = [one for leaf in inputs for one in _data_of(leaf["id"], leaf["property"])]
    writes = _written(entry.get("output")) + _written(_progress(entry))
    if "callback" not in entry:
        return Wired(name, "clientside_callback", entry, reads, writes)
    if is_ours(entry):
        return Wired(name, "plain_store", entry, [], writes)
    writes += [one for text in ids_in_set_props(entry["callback"]) for one in _data_of(text, "data")]
    reads = [] if reads and uses(entry["callback"], "from_token") else reads
    writes = [] if writes and uses(entry["callback"], "to_token") else writes
    return Wired(name, "plain_callback", entry, reads, writes)


def _progress(entry: dict[str, Any]) -> list[Any]:
    return list(coerce_to_list((entry.get("background") or {}).get("progress") or []))


def callback_name(function: Callable[..., Any]) -> str:
    """Return the name by which its author knows a function."""
    function = inspect.unwrap(function)
    return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__name__)}"


def refuse_same_id(
    function: Callable[..., Any], schema: Any, inputs: list[Any], app: dash.Dash | None
) -> None:
    """Refuse a callback that would take the place of another, which Dash gives the same id.

    Raises
    ------
    WiringError
        When both have no outputs and equal inputs.
    """
    if schema or not inputs:
        return
    before = registered(app, create_callback_id([], inputs, no_output=True))
    if before is not None and not _is_same(before, function):
        raise WiringError(_SAME_ID.format(name=callback_name(function)))


def _is_same(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    """Say whether two registered functions stand in the same line: a module may be loaded twice."""
    codes = [getattr(inspect.unwrap(each), "__code__", None) for each in (one, other)]
    return None in codes or len({(code.co_filename, code.co_firstlineno) for code in codes if code}) == 1


def _meet(one: str, other: str) -> bool:
    return fits(other, one) or fits(one, other)  # both may have wildcards


def _name(spec: dict[str, Any], entry: dict[str, Any]) -> str:
    if "callback" in entry:
        return callback_name(entry["callback"])
    if spec["no_output"]:
        return f"The one of {', '.join(leaf['id'] for leaf in spec['inputs'])}"
    return f"The one for {spec['output'].split('@')[0]}"


def _is_of_transform(outputs: Any) -> bool:
    """Say whether a clientside callback is one that a transform of dash-extensions has added."""
    declared = flatten_grouping(outputs) if outputs else []
    return any(is_of_transform(output.component_id) for output in declared)


def _written(outputs: Any) -> list[str]:
    declared = flatten_grouping(outputs) if outputs else []
    return [one for output in declared for one in _data_of(output.component_id, output.component_property)]


def _split(prop: str) -> list[str]:
    component_id, _, name = prop.rpartition(".")
    return _data_of(component_id, name)


def _data_of(component_id: Any, name: str) -> list[str]:
    if name == "data" and not is_of_transform(component_id):
        with suppress(BadId):  # no component has such an id
            return [canonical(component_id)]
    return []


def _same_ids(app: dash.Dash) -> list[str]:
    """Return the names of callbacks that Dash runs in place of others, too."""
    found = [
        (spec["output"], _name(spec, entry)) for spec, entry in declared_callbacks(app) if spec["no_output"]
    ]
    return [name for (one, name), times in Counter(found).items() if times > 1]


def _explained(callback: Callable[..., Any], text: str) -> Callable[..., Any]:
    """Return what Dash calls, with the cause added to what it raises: it is wired wrong."""

    def told(handler: Callable[[Exception], Any]) -> Callable[[Exception], Any]:
        return lambda error: handler(_with(error, text))

    replace_error_handler(callback, told)

    @wraps(callback)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("app_on_error") is not None:
            kwargs["app_on_error"] = told(kwargs["app_on_error"])
        with _explaining(text):
            result = callback(*args, **kwargs)
        return _explained_result(result, text) if inspect.iscoroutine(result) else result

    return call


async def _explained_result(result: Awaitable[Any], text: str) -> Any:
    with _explaining(text):
        return await result


@contextmanager
def _explaining(text: str) -> Iterator[None]:
    try:
        yield
    except PreventUpdate:
        raise
    except Exception as error:
        _with(error, text)
        raise


def _with(error: Exception, text: str) -> Exception:
    """Add the cause to what an error says; its type is the app's own matter."""
    said = error.args[0] if error.args else ""  # as of ``assert isinstance(orders, pd.DataFrame)``
    if isinstance(said, str) and text not in said:
        error.args = (f"{said}\n{text}".strip(), *error.args[1:])
    return error
