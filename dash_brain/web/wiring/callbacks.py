"""Callbacks that cannot work with the ServerStores that they name: the error has the cause and the cure.

The likely mistake, in an app that is being moved to dash_brain, is a plain callback among others. The error
shows up elsewhere: where its JSON is read in place of a token, or where it takes a token for a value.
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
from dash_brain.web.component_ids import canonical, is_of_transform, matches
from dash_brain.web.dash_internals import (
    clientside_source,
    coerce_to_list,
    create_callback_id,
    declared_callbacks,
    flatten_grouping,
    is_brain_callback,
    registered,
    replace_error_handler,
)
from dash_brain.web.layouts import PLAIN_STORE, SERVER_STORE, layouts_of
from dash_brain.web.wiring.code import ids_in_set_props, uses

_TEXTS = {
    "plain_callback": "{name} is a plain dash.callback that {does}. A plain callback gets the token, a "
    "string, in place of the value, and writes plain JSON in place of a token, so that its readers get "
    "BadToken. Register it with brain_callback, or use from_token and to_token in it.",
    "clientside_callback": "{name} is a clientside callback that {does}. The browser has the token only, and "
    "anything else that is written in its place is refused as BadToken. Read and write the value in a "
    "brain_callback. dash_clientside.dash_brain.describe(token) tells its type and size, and "
    "modified_timestamp when it changes.",
    "running": "running= of {name} {does}. Dash sends its values to the browser as they are, without tokens: "
    "readers get BadToken. Write to the store with an Output of a brain_callback.",
    "progress_default": "progress_default= of {name} {does}. Dash sends it to the browser as it is, without "
    "a token: readers get BadToken. Leave it out, or pass None there.",
    "plain_store": "{name} is a brain_callback that {does}: the value goes to the browser as JSON. Make "
    "it a ServerStore, and it stays on the server.",
}


_SAME_ID = (
    "{name} and another callback have no outputs and equal inputs: Dash gives both one id and runs this "
    "one for both. Give one of them an Output or another Input."
)


class Wired(NamedTuple):
    """One registered callback: its name, and the canonical ids whose ``data`` it reads and writes."""

    name: str
    kind: str
    entry: dict[str, Any]
    reads: list[str]
    writes: list[str]

    def about(self, stores: Iterable[str]) -> str:
        """Return what it does wrong with these stores, why, and what to do; "" if it does nothing wrong."""
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
    """Compare an app's callbacks with the stores of its layouts, and log each that cannot work."""
    kinds = layouts_of(app).kinds()
    done = _checked[app] = set(kinds)
    plain = [name for name, kind in kinds.items() if kind == PLAIN_STORE]
    ours = [name for name, kind in kinds.items() if kind == SERVER_STORE]
    for one in wired(app):
        _log(one, one.about(ours), app_id, done)
    for one in _ported(app):
        _log(one, one.about(plain), app_id, done)
    for name in _same_ids(app):
        text = _SAME_ID.format(name=name)
        warn("wiring", "same_id", text, app_id=app_id, about=text)


def check_sent(app: dash.Dash, app_id: str, component_id: object) -> None:
    """Compare them with a ServerStore that a callback has made, when it is first sent."""
    name, done = canonical(component_id), _checked.get(app)
    if done is not None and name not in done and len(done) < _MOST_CHECKED:
        done.add(name)
        for one in wired(app):
            _log(one, one.about([name]), app_id, done)


#: Ids that the callbacks of each app were compared with, and texts that were logged. Clients may choose ids.
_checked: weakref.WeakKeyDictionary[dash.Dash, set[str]] = weakref.WeakKeyDictionary()
_MOST_CHECKED = 10_000


def _log(one: Wired, text: str, app_id: str, done: set[str]) -> None:
    if text and text not in done:
        done.add(text)
        warn("wiring", one.kind, text, app_id=app_id, about=text)
        if one.kind == "plain_callback":
            one.entry["callback"] = _explained(one.entry["callback"], text)


def suspects(app: dash.Dash | None, store: str) -> str:
    """Return the texts about an app's callbacks that cannot work with a ServerStore."""
    callbacks = () if app is None else wired(app)
    return "".join(f" {text}" for one in callbacks if (text := one.about([store])))


def wired(app: dash.Dash) -> Iterator[Wired]:
    """Yield what must not read or write a ServerStore: other callbacks than ours, and options of all."""
    for spec, entry in declared_callbacks(app):
        if "callback" in entry or not _is_of_transform(entry.get("output")):
            for kind, reads, writes in (*_options(spec, entry), _itself(app, spec, entry)):
                if reads or writes:  # of most callbacks neither
                    yield Wired(_name(spec, entry), kind, entry, reads, writes)


def _ported(app: dash.Dash) -> Iterator[Wired]:
    """Yield our own callbacks, which must not write to a plain store."""
    for spec, entry in declared_callbacks(app):
        if is_brain_callback(entry):
            yield Wired(_name(spec, entry), "plain_store", entry, [], _outputs(entry))


def _options(spec: dict[str, Any], entry: dict[str, Any]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield the options whose values Dash sends as they are."""
    running = (spec.get("running") or {}).get("running", ())
    yield "running", [], [one for prop in running for one in _split(prop)]
    defaults = (entry.get("background") or {}).get("progressDefault") or []
    given = [one for one, value in zip(_progress(entry), defaults, strict=False) if value is not None]
    yield "progress_default", [], _written(given)


def _itself(app: dash.Dash, spec: dict[str, Any], entry: dict[str, Any]) -> tuple[str, list[str], list[str]]:
    if is_brain_callback(entry):
        return "", [], []
    inputs = (*spec["inputs"], *spec["state"])
    reads = [one for leaf in inputs for one in _data_of(leaf["id"], leaf["property"])]
    writes = _outputs(entry)
    if "callback" not in entry:
        reads = [] if reads and "dash_brain.describe" in clientside_source(app, spec) else reads
        return "clientside_callback", reads, writes
    writes += [one for text in ids_in_set_props(entry["callback"]) for one in _data_of(text, "data")]
    reads = [] if reads and uses(entry["callback"], "from_token") else reads
    writes = [] if writes and uses(entry["callback"], "to_token") else writes
    return "plain_callback", reads, writes


def _outputs(entry: dict[str, Any]) -> list[str]:
    return _written(entry.get("output")) + _written(_progress(entry))


def _progress(entry: dict[str, Any]) -> list[Any]:
    return list(coerce_to_list((entry.get("background") or {}).get("progress") or []))


def callback_name(function: Callable[..., Any]) -> str:
    """Return module and name of a function, without decorators."""
    function = inspect.unwrap(function)
    return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__name__)}"


def refuse_same_id(
    function: Callable[..., Any], schema: Any, inputs: list[Any], app: dash.Dash | None
) -> None:
    """Refuse a callback that would replace another one with the same id.

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
    """Say whether two registered functions are defined in the same line: a module may be loaded twice."""
    codes = [getattr(inspect.unwrap(each), "__code__", None) for each in (one, other)]
    return None in codes or len({(code.co_filename, code.co_firstlineno) for code in codes if code}) == 1


def _meet(one: str, other: str) -> bool:
    return matches(other, one) or matches(one, other)  # both may have wildcards


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
    """Return the names of callbacks that replace others with the same id."""
    found = [
        (spec["output"], _name(spec, entry)) for spec, entry in declared_callbacks(app) if spec["no_output"]
    ]
    return [name for (one, name), times in Counter(found).items() if times > 1]


def _explained(callback: Callable[..., Any], text: str) -> Callable[..., Any]:
    """Return a wrapper that adds the cause to the errors of a callback that is wired wrong."""

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
    """Add the cause to the message of an error, whatever its type."""
    said = error.args[0] if error.args else ""  # as of ``assert isinstance(orders, pd.DataFrame)``
    if isinstance(said, str) and text not in said:
        error.args = (f"{said}\n{text}".strip(), *error.args[1:])
    return error
