"""Clients that send what no page would: they are given nothing, and nobody else is disturbed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.servers import Server
from tests.torture.shelves import Shelf
from tests.torture.sizes import size

SECRET = "s3cret of the client"
CONF = {"index": 1, "type": "conf"}
END_ID = re.compile(r'"end_id":\s*"([^"]+)"')


def leaf(component_id: Any, name: Any = "data", **more: Any) -> dict[str, Any]:
    return {"id": component_id, "property": name, **more}


def part(index: Any, kind: str = "part", **more: Any) -> dict[str, Any]:
    return {"index": index, "type": kind, **more}


def text(component_id: Any) -> str:
    if isinstance(component_id, str):
        return component_id
    return json.dumps(component_id, sort_keys=True, separators=(",", ":"))


class Client:
    """A browser session, or with ``opens=False`` somebody who never asked for a page."""

    def __init__(self, url: str, *, opens: bool = True, user: str | None = None) -> None:
        self.url, self.http, self.end_id = url, requests.Session(), ""
        if user:
            self.http.cookies.set("user", user)
        if opens:
            self.open()

    def open(self) -> None:
        found = END_ID.search(self.http.get(self.url).text)
        assert found
        self.end_id = found[1]
        self.layout = self.http.get(f"{self.url}/_dash-layout")
        self.dependencies = self.http.get(f"{self.url}/_dash-dependencies").json()

    def post(self, body: Any, **query: Any) -> requests.Response:
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.http.post(
            f"{self.url}/_dash-update-component",
            params=query,
            data=data,
            headers={"Content-Type": "application/json"},
        )

    def fire(
        self, output: str, outputs: Any, inputs: Any, state: Any = (), changed: Any = (), **query: Any
    ) -> requests.Response:
        body = {"output": output, "outputs": outputs, "inputs": inputs, "state": state}
        return self.post({**body, "changedPropIds": changed}, **query)

    def change(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        answer = self.fire(*arguments, **options)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["response"])


class Honest(Client):
    """A page that does what pages do, and knows what it has to see."""

    def __init__(self, url: str, mark: str) -> None:
        super().__init__(url)
        self.mark = f"honest {mark}"
        typed = [leaf("i", "value", value=self.mark)]
        self.conf = self.change(f"{text(CONF)}.data", leaf(CONF), typed)[text(CONF)]["data"]
        two = self.change("..a.data...b.data..", [leaf("a"), leaf("b")], typed)
        self.a = two["a"]["data"]

    def is_undisturbed(self) -> bool:
        inputs, state = [leaf(CONF, value=self.conf)], [leaf("a", value=self.a)]
        seen = self.change("one.children", leaf("one", "children"), inputs, state)["one"]["children"]
        names = self.change("names.children", leaf("names", "children"), [leaf("i", "value", value=1)])
        return bool(seen.count(self.mark) == 2 and names["names"]["children"] == {"name": self.mark})


@pytest.fixture
def server(serve, shelf: Shelf, tmp_path: Path) -> Server:
    env = shelf.environment(grace=1) | {"ATTACKED_FOLDER": str(tmp_path)}
    # Clients may pause for longer than the two seconds for which gunicorn keeps connections.
    options = ["--keep-alive=60"]
    return serve("tests.torture.attacked:server", workers=4, threads=2, env=env, options=options)


OTHER_VALUES = [
    1.0,
    True,
    "1",
    None,
    [1],
    {"a": 1},
    [],
    {},
    ["ALL"],
    ["MATCH"],
    ["ALLSMALLER"],
    "ALL",
    10**400,
]
OTHER_VALUES += [{"wild": "ALL"}, 1e308, -0.0, 2**53 + 1, "1\0", "\u0661", "\ud800", "x" * 100_000]

#: Ids that are none of the callback's, as values and as the very text of a request.
OTHER_IDS = [
    *({**CONF, "index": value} for value in OTHER_VALUES),
    *({"type": value, "index": 1} for value in OTHER_VALUES),
    *(
        {**CONF, "more": 1},
        {"type": "conf"},
        {"TYPE": "conf", "index": 1},
        {**CONF, "": 1},
        part(1),
        part(77),
    ),
    *(
        text(CONF),
        '{"type":"conf","index":1}',
        '{"index":1.0,"type":"conf"}',
        "{",
        "{}",
        '{"a":1}',
        "a ",
        " a",
    ),
    *(
        "A",
        "a\0",
        "\uff41",
        "a.data",
        "a@b",
        "",
        "initial",
        "table",
        "new",
        [CONF],
        [[CONF]],
        ["a"],
        None,
        1,
        True,
    ),
]
RAW_IDS = [
    '{"index":1.0,"type":"conf"}',
    '{"index":1e0,"type":"conf"}',
    '{"index":true,"type":"conf"}',
    '{"index":2,"index":1.0,"type":"conf"}',
    '{"index":NaN,"type":"conf"}',
    '{"index":Infinity,"type":"conf"}',
    '{"index":1' + "0" * 5000 + ',"type":"conf"}',
    '{"\\u0069ndex":1.0,"type":"\\u0063onf"}',
    '{"index":' + "[" * 500 + "]" * 500 + ',"type":"conf"}',
    "[" * 100_000,
]
PROPERTIES = [
    "data",
    "data@x",
    "data.",
    "DATA",
    "",
    None,
    ["data"],
    {"data": 1},
    "children",
    "modified_timestamp",
]
MADE_UP = [
    {"role": "admin"},
    [1],
    "x",
    "",
    0,
    False,
    True,
    1.5,
    {},
    [],
    "None",
    [None],
    "db1.00000000.s" + "0" * 32,
]


def makers(client: Client) -> dict[str, tuple[str, list[Any], list[Any]]]:
    """Return what a page asks of each callback that makes values: its id, outputs and inputs."""
    known = [one["output"] for one in client.dependencies]
    again, parts = (
        next(one for one in known if one.startswith(start))
        for start in ("a.data@", '{"index":["ALL"],"type":"part"}.data@')
    )
    return {
        "one": (f"{text(CONF)}.data", leaf(CONF), [leaf("i", "value", value=SECRET)]),
        "two": ("..a.data...b.data..", [leaf("a"), leaf("b")], [leaf("i", "value", value=SECRET)]),
        "again": (again, leaf("a", again.partition(".")[2]), [leaf("i", "title", value=SECRET)]),
        "part": (
            '{"index":["MATCH"],"type":"part"}.data',
            leaf(part(1)),
            [leaf(part(1, "button"), "value", value=SECRET)],
        ),
        "parts": (parts, [leaf(part(index)) for index in range(3)], [leaf("i", "name", value=SECRET)]),
        "common": ("common.data", leaf("common"), [leaf("i", "value", value=SECRET)]),
    }


def other_outputs(declared: Any) -> Iterator[Any]:
    """Yield outputs that are asked for in place of the declared ones."""
    for other in (*OTHER_IDS, *({"id": one, "property": "data"} for one in OTHER_IDS)):
        yield from (other, [other], [other, other], [[other]])
    for name, other in product(PROPERTIES, (CONF, "a", part(1), "table")):
        yield from (leaf(other, name), [leaf(other, name)], [leaf("a"), leaf(other, name)])
    yield from (None, [], {}, "a", 1, [declared], [None], [leaf("b"), leaf("a")], [*([leaf("a")] * 50)])


def in_clear(client: Client, attack: tuple[Any, ...]) -> str | None:
    answer = client.fire(*attack)
    return f"{attack!r:.500}" if SECRET in answer.text else None


def test_other_forms_of_outputs_get_nothing_in_clear(server):
    honest = [Honest(server.url, str(number)) for number in range(3)]
    attackers = [Client(server.url), Client(server.url, opens=False)]
    for turn, (name, (output, outputs, inputs)) in enumerate(makers(attackers[0]).items()):
        attacks = [(output, one, inputs) for one in other_outputs(outputs)]
        every = size(12, 1) if name == "one" else size(48, 4)
        for start, client in enumerate(attackers, turn):
            leaks = [found for one in attacks[start % every :: every] if (found := in_clear(client, one))]
            assert not leaks, name
        token = attackers[0].fire(output, outputs, inputs)
        assert SECRET not in token.text
        assert "db1." in token.text
    for raw in RAW_IDS:
        body = (
            '{"output":%s,"outputs":{"id":%s,"property":"data"},"inputs":[%s],"state":[],"changedPropIds":[]}'
        )
        answer = attackers[0].post(
            body % (json.dumps(f"{text(CONF)}.data"), raw, json.dumps(leaf("i", "value", value=SECRET)))
        )
        assert SECRET not in answer.text
    assert all(one.is_undisturbed() for one in honest)


def takers() -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield requests whose inputs a client made up."""
    for other, value in product((CONF, *OTHER_IDS), MADE_UP[:2]):
        one = leaf(other, value=value)
        yield "one.children", leaf("one", "children"), [one], [leaf("a")]
        yield "one.children", leaf("one", "children"), [leaf(CONF)], [one]
        yield "all.children", leaf("all", "children"), [[one]], []
        yield '{"index":["MATCH"],"type":"told"}.children', leaf(part(1, "told"), "children"), [one], [[one]]
    for value in MADE_UP:
        yield "one.children", leaf("one", "children"), [leaf(CONF, value=value)], [leaf("a", value=value)]
        yield "all.children", leaf("all", "children"), [[leaf(part(1), value=value), leaf(part(1))]], []
        yield (
            "all.children",
            leaf("all", "children"),
            [[leaf(part(index), value=value) for index in range(200)]],
            [],
        )
        for index in (0, 1, 99):
            yield (
                '{"index":["MATCH"],"type":"told"}.children',
                leaf(part(index, "told"), "children"),
                [leaf(part(index))],
                [[leaf(part(index - 1), value=value)]],
            )
        yield "out.children", leaf("out", "children"), [leaf("initial", value=value)], []


def test_what_a_client_makes_up_or_steals_is_given_to_no_callback(server):
    honest = [Honest(server.url, str(number)) for number in range(3)]
    clients = Client(server.url), Client(server.url, opens=False), Client(server.url, user="eve")
    for turn, client in enumerate(clients):
        for attack in list(takers())[turn % size(18, 1) :: size(18, 1)]:
            assert "was given" not in client.fire(*attack).text, attack
        for one in honest:
            stolen = [leaf(CONF, value=one.conf)], [leaf("a", value=one.a)]
            told = client.fire("one.children", leaf("one", "children"), *stolen).text
            assert "honest" not in told
            many = [leaf(part(index), value=one.a) for index in range(3)]
            assert "honest" not in client.fire("all.children", leaf("all", "children"), [many]).text
            query = {"conf": one.conf, "a": one.a}
            assert "honest" not in client.http.post(f"{server.url}/api/one", json=query).text
        assert "was given" not in client.http.post(f"{server.url}/api/one", json={"conf": [1], "a": {}}).text
        call = {"name": "tell_one", "arguments": {"conf": ["made up"], "a": honest[0].a}}
        asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        assert "was given" not in client.http.post(f"{server.url}/_mcp", json=asked).text
    assert all(one.is_undisturbed() for one in honest)


def test_before_any_page_and_after_a_loss_of_the_store_ids_are_those_of_stores(server, shelf):
    stranger = Client(server.url, opens=False)
    for _ in range(2):
        for _ in range(12):  # each worker
            made = stranger.fire(f"{text(CONF)}.data", leaf(CONF), [leaf("i", "value", value=SECRET)])
            assert SECRET not in made.text
            for attack in list(takers())[::40]:
                assert "was given" not in stranger.fire(*attack).text
        honest = Honest(server.url, "before the loss")
        assert honest.is_undisturbed()
        shelf.remove()


def test_a_result_for_all_tells_nothing_of_who_asked_first(server):
    honest, eve = Honest(server.url, "first"), Client(server.url)
    for client in (honest, eve):
        who = [leaf("i", "value", value="who")]
        told = client.fire("common.data", leaf("common"), who)
        assert told.status_code == 500
        assert "honest" not in told.text
    assert honest.is_undisturbed()


def test_what_stands_in_a_layout_is_his_who_asks(server):
    eve = Client(server.url, opens=False, user="eve")
    answer = eve.http.get(f"{server.url}/_dash-layout")
    assert "db1." not in answer.text
    assert "initial secret" not in answer.text
    for one in (answer, Client(server.url).layout):
        assert {"private", "no-cache"} <= set(re.split(r",\s*", one.headers["Cache-Control"]))
        assert "Cookie" in one.headers["Vary"]


def test_jobs_of_another_session_go_on_and_give_it_alone_their_result(server, tmp_path):
    honest, eve = Honest(server.url, "job"), Client(server.url)
    request = "job.data", leaf("job"), [leaf("i", "value", value="honest result")]
    handles = honest.fire(*request, endId=honest.end_id).json()
    for end_id in (eve.end_id, honest.end_id):
        for query in ("oldJob", "cancelJob"):
            eve.fire(*request, **{query: handles["job"]}, endId=end_id)
        eve.fire(*request, cacheKey=handles["cacheKey"], job=handles["job"], endId=end_id)
    for forged in ("1", "0", "-1", "1~x", str(server.process.pid), f"{server.process.pid}~{'0' * 64}"):
        eve.fire(*request, cancelJob=forged, oldJob=forged, cacheKey=forged, job=forged, endId=eve.end_id)
    (tmp_path / "go").touch()
    query = {"cacheKey": handles["cacheKey"], "job": handles["job"]}
    end = time.monotonic() + 60
    while "response" not in (answer := honest.fire(*request, **query, endId=honest.end_id).text):
        assert "honest result" not in eve.fire(*request, **query, endId=honest.end_id).text
        assert "db1." not in eve.fire(*request, **query, endId=honest.end_id).text
        assert time.monotonic() < end, answer
    assert "db1." in answer
    assert honest.is_undisturbed()


def test_a_session_that_is_closed_meanwhile_keeps_nothing_of_what_comes_late(server, tmp_path, shelf):
    honest, leaving = Honest(server.url, "staying"), Honest(server.url, "leaving")
    cookie = dict(leaving.http.cookies)
    output = next(one["output"] for one in leaving.dependencies if one["output"].startswith("b.data@"))
    slow = Client(server.url, opens=False)
    slow.http.cookies.update(cookie)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(slow.fire, output, leaf("b"), [leaf("i", "lang", value="honest late")])
        while not (tmp_path / "begun").exists():
            time.sleep(0.02)
        leaving.http.get(f"{server.url}/close")
        (tmp_path / "go").touch()
        answer = late.result()
    assert "honest late" not in answer.text
    assert "Set-Cookie" not in answer.headers
    thief = Client(server.url, opens=False)
    thief.http.cookies.update(cookie)
    names = thief.fire("names.children", leaf("names", "children"), [leaf("i", "value", value=1)])
    assert "honest" not in names.text
    tokens = re.findall(r"db1[.\w-]+", answer.text)
    for token in tokens:
        for client in (thief, leaving):
            inputs = [leaf(CONF, value=token)], [leaf("a")]
            assert "honest" not in client.fire("one.children", leaf("one", "children"), *inputs).text
    assert honest.is_undisturbed()
