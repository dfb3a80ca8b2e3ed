"""Pages of the gallery without a browser: what one sends that opens a page, over HTTP."""

from __future__ import annotations

from graphlib import TopologicalSorter
from types import SimpleNamespace
from typing import Any

import requests

from tests.app.conftest import Page


def visit(url: str, name: str) -> tuple[Page, int]:
    """Open a page of the gallery as somebody new; return it, and how many callbacks it had run."""
    app = SimpleNamespace(server=SimpleNamespace(test_client=_Client, wsgi_app=None))  # as Flask has
    app.config = SimpleNamespace(requests_pathname_prefix=f"/{name}/")
    page: Any = Page(app, base_url=url)  # type: ignore[arg-type]
    at_the_start = {one["output"]: one for one in page.dependencies if _runs_at_the_start(one, page)}
    order = {
        output: [other for other in at_the_start if any(_fills(other, each) for each in one["inputs"])]
        for output, one in at_the_start.items()
    }
    for output in TopologicalSorter(order).static_order():
        page.fire(output)
    return page, len(order)


def _runs_at_the_start(callback: dict[str, Any], page: Page) -> bool:
    elsewhere = callback["clientside_function"] or callback["prevent_initial_call"]
    return not elsewhere and all(one["id"] in page.props for one in callback["inputs"])


def _fills(output: str, dependency: dict[str, Any]) -> bool:
    """Say whether a callback with these outputs sets what another one depends on."""
    parts = output[2:-2].split("...") if output.startswith("..") else [output]
    return f"{dependency['id']}.{dependency['property']}" in parts


class _Client:
    """Does over HTTP what Flask's client for tests does."""

    def __init__(self) -> None:
        self.session = requests.Session()

    def get(self, path: str, base_url: str) -> Any:
        return _answered(self.session.get(base_url + path, timeout=60))

    def post(self, path: str, data: str, content_type: str, base_url: str) -> Any:
        headers = {"Content-Type": content_type}
        return _answered(self.session.post(base_url + path, data, headers=headers, timeout=60))


def _answered(response: requests.Response) -> SimpleNamespace:
    # Dash 4.4 names no type of a callback's answer with FastAPI.
    is_json = "json" in response.headers.get("Content-Type", "json") and response.content
    content = response.json() if is_json else None
    return SimpleNamespace(status_code=response.status_code, text=response.text, json=content)
