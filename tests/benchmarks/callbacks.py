"""Hand a frame from one Dash callback to the next, through a real server with real requests."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from statistics import median

from tests.benchmarks.timing import Fact, Row, paired, shown
from tests.benchmarks.workplace import Workplace
from tests.servers import gunicorn


def rows(place: Workplace) -> Iterator[Row | Fact]:
    env = {"DASH_BRAIN_STORE": f"file://{place.folder}"}
    # This kind of worker keeps the connection open: no request pays for a new one.
    options = ["--worker-class=gthread", "--keep-alive=60"]
    with gunicorn("tests.benchmarks.app:server", workers=1, env=env, options=options) as server:
        page = Page(server.url)
        token = page.call("ours", "data", "go", "value", '"1"')
        sixty_bytes = '"' + "x" * 58 + '"'
        ours = partial(page.call, "our-size", "children", "ours", "data", token)
        theirs = partial(page.call, "small-size", "children", "small", "data", sixty_bytes)
        times = paired(ours, theirs, 1001)
        yield Row("a callback that reads 32 MB", "a plain one that reads 60 bytes", times, readme=True)
        added = median(own - plain for own, plain in zip(*times, strict=True))
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
            calls = pool.submit(added_calls, env).result()
        yield Fact(
            "the same callback, beyond the plain one, in Python, Flask and pandas included",
            f"{shown(added)}, {calls} calls",
        )


def added_calls(env: dict[str, str]) -> int:
    """Return how many more functions in Python run for a callback that reads 32 MB, whosever they are."""
    os.environ.update(env)
    from tests.benchmarks.app import server
    from tests.counting import all_calls

    client = server.test_client()
    for path in ("/", "/_dash-layout", "/_dash-dependencies"):
        client.get(path)

    def call(*asked: str) -> str:
        body = request_body(*asked)
        answer = client.post("/_dash-update-component", data=body, content_type="application/json")
        return answer.get_data(as_text=True)

    token = value_in(call("ours", "data", "go", "value", '"1"'), "data")
    ours = partial(call, "our-size", "children", "ours", "data", token)
    theirs = partial(call, "small-size", "children", "small", "data", '"' + "x" * 88 + '"')
    for _ in range(3):
        ours(), theirs()
    return len(all_calls(ours)) - len(all_calls(theirs))


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
        body = request_body(output, output_property, source, source_property, value)
        self.connection.request("POST", "/_dash-update-component", body.encode(), self.headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        assert response.status == 200, text[:1000]
        return value_in(text, output_property)


def request_body(output: str, output_property: str, source: str, source_property: str, value: str) -> str:
    """Return what a page sends to have a callback called."""
    return f'''{{
        "output": "{output}.{output_property}",
        "outputs": {{"id": "{output}", "property": "{output_property}"}},
        "inputs": [{{"id": "{source}", "property": "{source_property}", "value": {value}}}],
        "changedPropIds": ["{source}.{source_property}"]
    }}'''


def value_in(text: str, output_property: str) -> str:
    """Return the JSON text of the one value in an answer."""
    start = text.index(f'"{output_property}":') + len(f'"{output_property}":')
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end]
