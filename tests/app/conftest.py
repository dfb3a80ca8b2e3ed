"""A page without a browser: it speaks to a real Dash app as the renderer does, over a test client.

With ``$BACKEND`` all apps of the tests are of another backend than Flask.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import dash
import pytest

from dash_brain.common import log as logs
from dash_brain.settings import current
from tests.app.asgi import client_of
from tests.backends import BACKEND

#: For tests that use Flask itself.
of_flask = pytest.mark.skipif(BACKEND != "flask", reason="uses Flask itself")

with_mcp = pytest.mark.skipif(BACKEND == "fastapi", reason="Dash's MCP server fails with FastAPI in 4.4")


@pytest.fixture(autouse=True)
def _backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make apps of ``$BACKEND``, but for those that bring a server."""
    make = dash.Dash.__init__

    def of_backend(app: Any, *args: Any, server: Any = True, **options: Any) -> None:
        if server is not True and BACKEND != "flask":
            pytest.skip("a server of Flask")
        make(app, *args, server=server, **{"backend": None if server is not True else BACKEND, **options})

    monkeypatch.setattr(dash.Dash, "__init__", of_backend)


WILDCARDS = (["MATCH"], ["ALL"], ["ALLSMALLER"])


def parsed(component_id: str) -> Any:
    return json.loads(component_id) if component_id.startswith("{") else component_id


def key_of(component_id: Any) -> str:
    if isinstance(component_id, dict):
        return json.dumps(component_id, sort_keys=True, separators=(",", ":"))
    return component_id


def walk(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every component in what was sent."""
    if isinstance(part, list):
        for one in part:
            yield from walk(one)
    elif isinstance(part, dict):
        if {"type", "namespace", "props"} <= set(part):
            yield part
        for one in part.values():
            yield from walk(one)


class Page:
    """One browser page: its cookies, the properties that it holds, and the callbacks it may fire."""

    def __init__(
        self, app: dash.Dash, *, like: Page | None = None, base_url: str = "http://localhost"
    ) -> None:
        self.client = client_of(app.server)
        self.base_url = base_url
        self.prefix = app.config.requests_pathname_prefix
        if like is not None:
            self.client._cookies = like.client._cookies
        self.props: dict[str, dict[str, Any]] = {}
        self.index = self.get("")
        self.hold(self.get("_dash-layout").json)
        self.dependencies = self.get("_dash-dependencies").json

    def get(self, path: str) -> Any:
        response = self.client.get(self.prefix + path, base_url=self.base_url)
        assert response.status_code == 200, response.text[-2000:]
        return response

    def hold(self, sent: Any) -> None:
        """Take over the components in a layout or a callback's answer."""
        for component in walk(sent):
            if "id" in component["props"]:
                self.props.setdefault(key_of(component["props"]["id"]), {}).update(component["props"])

    def post(
        self, output: str, *, trigger: str | None = None, output_ids: Any = None, query: str = ""
    ) -> Any:
        """Fire the callback of an output and return the raw response."""
        spec = next(one for one in self.dependencies if self._writes(one["output"], output))
        body = {
            "output": spec["output"],
            "outputs": output_ids if output_ids is not None else self._outputs(spec["output"]),
            "inputs": [self._leaf(one) for one in spec["inputs"]],
            "state": [self._leaf(one) for one in spec["state"]],
            "changedPropIds": [trigger] if trigger else [],
        }
        self.request_body = json.dumps(body)
        return self.client.post(
            f"{self.prefix}_dash-update-component{query}",
            data=self.request_body,
            content_type="application/json",
            base_url=self.base_url,
        )

    def fire(self, output: str, **options: Any) -> Any:
        """Fire the callback of an output, take its answer over, and return what changed."""
        response = self.post(output, **options)
        if response.status_code == 204:
            return None
        assert response.status_code == 200, response.text[-3000:]
        return self.take(response.json)

    def take(self, answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Take a callback's answer over, and return what changed."""
        changes: dict[str, dict[str, Any]] = {**answer.get("response", {})}
        for component_id, props in answer.get("sideUpdate", {}).items():
            changes[component_id] = {**changes.get(component_id, {}), **props}
        for component_id, props in changes.items():
            self.props.setdefault(component_id, {}).update(props)
            self.hold(props)
        return changes

    def _writes(self, declared: str, output: str) -> bool:
        parts = declared[2:-2].split("...") if declared.startswith("..") else [declared]
        return output in parts or output == declared or any(part.split("@")[0] == output for part in parts)

    def _outputs(self, declared: str) -> Any:
        if not declared.startswith(".."):
            return self._output(declared)
        return [self._output(part) for part in declared[2:-2].split("...")]

    def _output(self, declared: str) -> Any:
        component_id, _, prop = declared.replace("\\.", "\0").rpartition(".")
        component_id = component_id.replace("\0", ".")
        return self._concrete({"id": component_id, "property": prop}, values=False)

    def _leaf(self, dependency: dict[str, Any]) -> Any:
        return self._concrete(dependency, values=True)

    def _concrete(self, dependency: dict[str, Any], *, values: bool) -> Any:
        pattern = parsed(dependency["id"])
        if not isinstance(pattern, dict) or not any(v in WILDCARDS for v in pattern.values()):
            return self._single(pattern, dependency["property"], values)
        ids = [parsed(key) for key in sorted(self.props) if key.startswith("{")]
        found = [one for one in ids if matches(pattern, one)]
        leaves = [self._single(one, dependency["property"], values) for one in found]
        return leaves[0] if ["MATCH"] in pattern.values() and ["ALL"] not in pattern.values() else leaves

    def _single(self, component_id: Any, prop: str, values: bool) -> dict[str, Any]:
        leaf = {"id": component_id, "property": prop}
        held = self.props.get(key_of(component_id), {})
        return {**leaf, "value": held[prop]} if values and prop in held else leaf


def matches(pattern: dict[str, Any], component_id: dict[str, Any]) -> bool:
    return set(pattern) == set(component_id) and all(
        value in WILDCARDS or value == component_id[key] for key, value in pattern.items()
    )


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[None]:
    """Give each test a store of its own, and the settings of a fresh process."""
    monkeypatch.setenv("DASH_BRAIN_STORE", f"file://{tmp_path}/store")
    current.forget()
    logs.forget()
    yield
    current.forget()


@pytest.fixture
def open_page() -> Callable[..., Page]:
    return Page
