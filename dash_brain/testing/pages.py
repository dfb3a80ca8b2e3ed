"""A page of an app without a browser: it calls callbacks as the renderer of Dash does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from dash import no_update
from werkzeug.test import Client, TestResponse

from dash_brain.testing.calls import Declared, Prop, prop_of
from dash_brain.testing.request import OUTPUT, TestRequest, prepare
from dash_brain.web.component_registry import current_registry
from dash_brain.web.exchange import from_token, to_token
from dash_brain.web.patches import applied
from dash_brain.web.tokens import Token, kid_in

if TYPE_CHECKING:
    from dash import Dash

Params = ParamSpec("Params")
Result = TypeVar("Result")

_ROUTE = "_dash-update-component"
_END_ID = re.compile(r'"end_id":\s*"([^"]+)"')
_ONE_CALLBACK = (
    "Name the output and the inputs of one. Callbacks that do not name their app go to the one that serves "
    "first: where a process has several apps, declare them with brain_callback(..., app=app)."
)


class Page:
    """A page of an app, in a browser session, without a browser; the fixture ``brain_app`` opens them.

    It holds the properties of the components that the server has sent. Requests are real ones, to the app's
    own server in this process: sessions, cookies and logins work. Nothing is called by itself: no callback
    at the start, and none that follows another.

    Attributes
    ----------
    client
        The test client of Werkzeug that makes the requests, for other paths of the server: a login, say.
    """

    def __init__(self, app: Dash, client: Client, base_url: str) -> None:
        self._app, self.client, self._base_url = app, client, base_url
        self._prefix: str = app.config.routes_pathname_prefix
        self._values: dict[Prop, Any] = {}
        found = _END_ID.search(self._get("").text)
        self._query = {"endId": found[1].encode().decode("unicode_escape")} if found else {}
        prepare(app)
        self._hold(self._json("_dash-layout"))
        self._callbacks = [Declared(one) for one in self._json("_dash-dependencies")]

    def tab(self) -> Page:
        """Open another page in the same browser."""
        return Page(self._app, self.client, self._base_url)

    def call(self, output: object, inputs: Mapping[Any, Any] | None = None) -> Any:
        """Call the callback that has an output, and return what that becomes.

        Parameters
        ----------
        output
            A property, as ``"orders.data"`` or ``Output("orders", "data")``; None: the callback without
            outputs that takes these inputs.
        inputs
            Values of inputs and states by property; for a ServerStore the value itself. The inputs among
            them have triggered the callback. The others have the values that the page holds.

        Returns
        -------
        Any
            The value, for a ServerStore that which its token stands for; ``dash.no_update`` when the callback
            leaves the output as it is. What else it changes is held by the page: ``page["count.children"]``.

        Raises
        ------
        LookupError
            When no callback of the server, or more than one, has this output and takes these inputs.
        Exception
            What the callback raises, unless its ``on_error`` handles it.
        AssertionError
            When the server refuses the request.
        """
        wanted = None if output is None else prop_of(output)
        given = {prop_of(named): value for named, value in (inputs or {}).items()}
        callback = self._callback(wanted, given)
        self._values |= self._with_tokens(given)
        changed = self._post(callback.body(wanted, callback.triggers(given), self._values))
        if wanted is None:
            return None
        return self._value(changed[wanted]) if wanted in changed else no_update

    def run(
        self, function: Callable[Params, Result], /, *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        """Call a function in a request of this page: ``session_brain`` is that of its session there."""
        request = TestRequest(lambda: function(*args, **kwargs))
        told = {"id": "_dash-brain-test", "property": "data"}
        body = {"output": OUTPUT, "outputs": told, "inputs": [], "state": [], "changedPropIds": []}
        self._answer(request, body)
        result: Result = request.result()
        return result

    def __getitem__(self, named: object) -> Any:
        """Return a property that the page holds, for a ServerStore the value that its token stands for."""
        prop = prop_of(named)
        if prop not in self._values:
            raise KeyError(f"The page holds no {prop}: the server has sent no such property so far.")
        return self._value(self._values[prop])

    def __setitem__(self, named: object, value: Any) -> None:
        """Set a property, as a user does; no callback is called."""
        self._values |= self._with_tokens({prop_of(named): value})

    def _callback(self, output: Prop | None, given: Mapping[Prop, Any]) -> Declared:
        found = [one for one in self._callbacks if one.fits(output, given)]
        inputs = f" that takes {', '.join(map(str, given))}" if given else ""
        what = f"with the output {output}{inputs}" if output else f"without outputs{inputs}"
        if len(found) != 1:
            raise LookupError(f"The app has {len(found) or 'no'} callbacks {what}. {_ONE_CALLBACK}")
        if found[0].is_clientside:
            raise LookupError(f"The callback {what} runs in the browser.")
        return found[0]

    def _with_tokens(self, given: Mapping[Prop, Any]) -> dict[Prop, Any]:
        """Return values as the browser has them: tokens for those of ServerStores."""
        data = {prop: value for prop, value in given.items() if prop.name == "data"}
        values = [value for value in data.values() if value is not None and not isinstance(value, Token)]
        return {**given, **(self.run(_tokens, data) if values else {})}

    def _value(self, held: Any) -> Any:
        return held if kid_in(held) is None else self.run(from_token, held)

    def _post(self, body: dict[str, Any]) -> dict[Prop, Any]:
        """Call a callback, hold what it changes, and return that."""
        request = TestRequest()
        answer = self._answer(request, body)
        changed = {prop: self._patched(prop, value) for prop, value in _changes(answer)}
        self._values |= changed
        for value in changed.values():
            self._hold(value)
        return changed

    def _patched(self, prop: Prop, value: Any) -> Any:
        """Return what a property becomes: a Patch changes what the page holds."""
        if not isinstance(value, dict) or "__dash_patch_update" not in value:
            return value
        return applied(self._values.get(prop), value["operations"], prop)

    def _answer(self, request: TestRequest, body: dict[str, Any]) -> dict[str, Any]:
        response = request.make(
            lambda: self.client.post(
                self._prefix + _ROUTE, json=body, query_string=self._query, base_url=self._base_url
            )
        )
        if response.status_code == 204:
            return {}
        if response.status_code != 200 and request.raised:
            raise request.raised[0]
        answer: dict[str, Any] = json.loads(_checked(response).text)
        return answer

    def _get(self, path: str) -> TestResponse:
        response = TestRequest().make(lambda: self.client.get(self._prefix + path, base_url=self._base_url))
        return _checked(response)

    def _json(self, path: str) -> Any:
        return json.loads(self._get(path).text)

    def _hold(self, sent: Any) -> None:
        """Hold the properties of all components in what was sent."""
        for props in _components(sent):
            for name, value in props.items():
                with suppress(TypeError):
                    self._values[prop_of(f"{_text(props['id'])}.{name}")] = value


def _tokens(data: Mapping[Prop, Any]) -> dict[Prop, Any]:
    registry = current_registry()
    return {
        prop: to_token(value) if value is not None and registry.holds_tokens(prop.id) else value
        for prop, value in data.items()
    }


def _changes(answer: Mapping[str, Any]) -> Iterator[tuple[Prop, Any]]:
    for part in ("sideUpdate", "response"):
        for component, props in (answer.get(part) or {}).items():
            for name, value in props.items():
                yield prop_of(f"{component}.{name}"), value


def _components(sent: Any) -> Iterator[dict[str, Any]]:
    """Yield the properties of each component with an id in what was sent."""
    if isinstance(sent, list):
        for one in sent:
            yield from _components(one)
    elif isinstance(sent, dict):
        if {"type", "namespace", "props"} <= set(sent) and "id" in sent["props"]:
            yield sent["props"]
        for one in sent.values():
            yield from _components(one)


def _text(component_id: Any) -> str:
    return json.dumps(component_id) if isinstance(component_id, dict) else str(component_id)


def _checked(response: TestResponse) -> TestResponse:
    path = response.request.path
    assert response.status_code == 200, f"{path} answered {response.status}: {response.text[-3000:]}"
    return response
