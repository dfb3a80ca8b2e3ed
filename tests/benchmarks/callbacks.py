"""Hand a frame from one Dash callback to the next, through a real server with real requests."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from functools import partial

from tests.benchmarks.timing import Row, paired
from tests.benchmarks.workplace import Workplace
from tests.servers import gunicorn


def rows(place: Workplace) -> Iterator[Row]:
    env = {"DASH_BRAIN_STORE": f"file://{place.folder}"}
    # This kind of worker keeps the connection open: no request pays for a new one.
    options = ["--worker-class=gthread", "--keep-alive=60"]
    with gunicorn("tests.benchmarks.app:server", workers=1, env=env, options=options) as server:
        page = Page(server.url)
        ours = partial(page.chain, "ours", "our-total")
        theirs = partial(page.chain, "theirs", "their-total")
        yield Row("32 MB from callback to callback / dcc.Store", paired(ours, theirs, 3), "")

        token = page.call("ours", "data", "go", "value", '"1"')
        sixty_bytes = '"' + "x" * 58 + '"'
        ours = partial(page.call, "our-size", "children", "ours", "data", token)
        theirs = partial(page.call, "small-size", "children", "small", "data", sixty_bytes)
        yield Row(
            "a callback that reads 32 MB / a plain one that reads 60 bytes",
            paired(ours, theirs, 1001),
            "0.9x or more",
        )


class Page:
    """The page of the app as far as these callbacks go: a connection with its cookie."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"))
        self.connection.request("GET", "/")
        response = self.connection.getresponse()
        response.read()
        cookies = response.headers.get_all("Set-Cookie", [])
        self.headers = {
            "Content-Type": "application/json",
            "Cookie": "; ".join(cookie.partition(";")[0] for cookie in cookies),
        }

    def chain(self, store: str, total: str) -> str:
        """Have the store filled, and send what it holds to the callback that adds it up."""
        return self.call(total, "children", store, "data", self.call(store, "data", "go", "value", '"1"'))

    def call(self, output: str, output_property: str, source: str, source_property: str, value: str) -> str:
        """Call the callback of ``output`` and return what it returned. Values stay JSON text here."""
        changed = f"{source}.{source_property}"
        body = f'''{{
            "output": "{output}.{output_property}",
            "outputs": {{"id": "{output}", "property": "{output_property}"}},
            "inputs": [{{"id": "{source}", "property": "{source_property}", "value": {value}}}],
            "changedPropIds": ["{changed}"]
        }}'''
        self.connection.request("POST", "/_dash-update-component", body.encode(), self.headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        assert response.status == 200, text[:1000]
        start = text.index(f'"{output_property}":') + len(f'"{output_property}":')
        _, end = json.JSONDecoder().raw_decode(text, start)
        return text[start:end]
