"""Run one code block of a document as a reader would: execute it, then open the pages of its apps.

    python -m tests.packaging.play README.md 12

The block of README.md whose fence is in line 12 is executed in a namespace of its own. For every Dash app
that it makes, the page is asked for, and the callbacks are called that a browser calls when it opens it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from dash import Dash

from tests.packaging.documents import blocks


def execute(document: Path, line: int) -> dict[str, Any]:
    """Execute the block and return the names that it defines. ``app.run()`` returns at once."""
    Dash.run = lambda self, *args, **kwargs: None  # type: ignore[method-assign]
    [block] = [block for block in blocks(document) if block.line == line]
    # Empty lines in front, so that a traceback names the line of the document.
    code = compile("\n" * line + block.text, str(document), "exec")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(code, namespace)
    return namespace


class Page:
    """The page of an app as a browser holds it: the values of all properties, by id and property."""

    def __init__(self, app: Dash) -> None:
        self.client = app.server.test_client()
        assert self.client.get("/").status_code == 200
        self.values: dict[tuple[str, str], Any] = {}
        self._read_layout(self._get("/_dash-layout"))
        self.callbacks = [
            entry for entry in self._get("/_dash-dependencies") if not entry["clientside_function"]
        ]

    def _get(self, path: str) -> Any:
        response = self.client.get(path)
        assert response.status_code == 200, path
        return response.json

    def _read_layout(self, node: Any) -> None:
        if isinstance(node, list):
            for child in node:
                self._read_layout(child)
        elif isinstance(node, dict) and "props" in node:
            props = node["props"]
            if "id" in props:
                self.values.update({(json.dumps(props["id"]), name): value for name, value in props.items()})
            self._read_layout(props.get("children"))

    def open(self) -> None:
        """Call what a browser calls at first: every callback, those that feed others before those."""
        waiting = [entry for entry in self.callbacks if not entry["prevent_initial_call"]]
        while waiting:
            ready = [entry for entry in waiting if not self._waits_for(entry, waiting)]
            assert ready, "the callbacks wait for each other"
            for entry in ready:
                self._call(entry)
            waiting = [entry for entry in waiting if entry not in ready]

    @staticmethod
    def _waits_for(entry: dict[str, Any], others: list[dict[str, Any]]) -> bool:
        wanted = {f"{one['id']}.{one['property']}" for one in entry["inputs"]}
        return any(wanted & set(outputs_of(other)) for other in others if other is not entry)

    def _call(self, entry: dict[str, Any]) -> None:
        outputs = [
            dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in outputs_of(entry)
        ]
        single = not entry["output"].startswith("..")
        body = {
            "output": entry["output"],
            "outputs": outputs[0] if single else outputs,
            "inputs": [self._filled(one) for one in entry["inputs"]],
            "state": [self._filled(one) for one in entry["state"]],
            "changedPropIds": [],
        }
        response = self.client.post("/_dash-update-component", json=body)
        handles = response.json if entry["background"] else {}
        while response.status_code == 200 and "response" not in response.json:
            time.sleep(0.2)
            query = urlencode({name: handles[name] for name in ("cacheKey", "job")})
            response = self.client.post(f"/_dash-update-component?{query}", json=body)
        assert response.status_code in (200, 204), f"the callback of {entry['output']} failed"
        if response.status_code == 200:
            for component, props in response.json["response"].items():
                self.values.update({(json.dumps(component), name): value for name, value in props.items()})

    def _filled(self, one: dict[str, str]) -> dict[str, Any]:
        return {**one, "value": self.values.get((json.dumps(one["id"]), one["property"]))}


def outputs_of(entry: dict[str, Any]) -> list[str]:
    """Return ``"id.property"`` of each output; of several, Dash joins them as ``..a.b...c.d..``."""
    output: str = entry["output"]
    return output.strip(".").split("...") if output.startswith("..") else [output]


if __name__ == "__main__":
    names = execute(Path(sys.argv[1]), int(sys.argv[2]))
    for app in {id(thing): thing for thing in names.values() if isinstance(thing, Dash)}.values():
        Page(app).open()
