"""Pages of the gallery without a browser: what one sends that opens a page, over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import TopologicalSorter
from types import SimpleNamespace
from typing import Any

import requests

from tests.app.conftest import Page


def opened(url: str, name: str) -> Any:
    """Return a page of the gallery as somebody new has it, before its callbacks run."""
    app = SimpleNamespace(server=SimpleNamespace(test_client=_Client, wsgi_app=None))  # as Flask has
    app.config = SimpleNamespace(requests_pathname_prefix=f"/{name}/")
    return Page(app, base_url=url)  # type: ignore[arg-type]


def visit(url: str, name: str) -> tuple[Any, int]:
    """Open a page of the gallery as somebody new; return it, and how many callbacks it had run."""
    page = opened(url, name)
    ran: set[str] = set()
    if "_pages_location" in page.props:  # the browser says which of its pages
        page.props["_pages_location"]["pathname"] = f"/{name}/"
        page.fire("_pages_content.children")
        ran.add("_pages_content.children")
    while due := {one["output"] for one in page.dependencies if _is_due(one, page)} - ran:
        for output in _in_order(due, page):
            page.fire(output)
        ran |= due
    return page, len(ran)


def _is_due(callback: dict[str, Any], page: Page) -> bool:
    elsewhere = callback["clientside_function"] or callback["prevent_initial_call"]
    written = {part.rpartition(".")[0] for part in _parts(callback["output"])}
    read = {one["id"] for one in callback["inputs"]}
    return not elsewhere and written | read <= page.props.keys()


def _in_order(outputs: set[str], page: Any) -> Iterable[str]:
    """Return callbacks, each after those that it depends on."""
    callbacks = [one for one in page.dependencies if one["output"] in outputs]
    order = {
        one["output"]: [other for other in outputs if any(_fills(other, each) for each in one["inputs"])]
        for one in callbacks
    }
    return TopologicalSorter(order).static_order()


def _fills(output: str, dependency: dict[str, Any]) -> bool:
    """Say whether a callback with these outputs sets what another one depends on."""
    return f"{dependency['id']}.{dependency['property']}" in _parts(output)


def _parts(output: str) -> list[str]:
    return output[2:-2].split("...") if output.startswith("..") else [output]


class _Client:
    """Does over HTTP what Flask's client for tests does."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.moved = 0  # bytes that callbacks sent and received

    def get(self, path: str, base_url: str) -> Any:
        return _answered(self.session.get(base_url + path, timeout=60))

    def post(self, path: str, data: str, content_type: str, base_url: str) -> Any:
        headers = {"Content-Type": content_type}
        response = self.session.post(base_url + path, data, headers=headers, timeout=60)
        self.moved += len(data) + len(response.content)
        return _answered(response)


def _answered(response: requests.Response) -> SimpleNamespace:
    # Dash 4.4 names no type of a callback's answer with FastAPI.
    is_json = "json" in response.headers.get("Content-Type", "json") and response.content
    content = response.json() if is_json else None
    return SimpleNamespace(status_code=response.status_code, text=response.text, json=content)
