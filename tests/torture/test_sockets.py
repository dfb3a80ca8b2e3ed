"""Many clients at once, by HTTP and over websockets: each gets what is its own, and memory stays flat."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.backends import ASGI, serving
from tests.torture.crowds import children_of, meanwhile, wait_for
from tests.torture.pages import PATIENCE, Line, Page
from tests.torture.shelves import Shelf, resident_of
from tests.torture.sizes import SOAK, size

CLIENTS = size(4, 64)
SECONDS = size(2, 60)
WORKERS = 2
GRACE = 1.0
MOST_BYTES = 200_000
CLAIM = 10

#: What a worker may grow by after the first third of the time: what it knows of the last 10,000 values.
SLACK = 16 << 20


class SocketPage(Page):
    """A page whose callbacks go over a websocket."""

    connection: ClientConnection

    def _fired(self, body: str) -> dict[str, Any]:
        number = str(self.turn)
        request = {"type": "callback_request", "requestId": number, "rendererId": self.id}
        self.connection.send(json.dumps({**request, "payload": json.loads(body)}))
        while True:
            found = json.loads(self.connection.recv(PATIENCE))
            for message in found if isinstance(found, list) else [found]:
                if message["type"] == "callback_response":
                    answer = message["payload"]
                    assert (message["requestId"], answer["status"]) == (number, "ok"), answer
                    return self._take(answer["data"]["response"])


@contextmanager
def page_of(url: str, *, has_socket: bool) -> Iterator[Page]:
    """Open a page of a new session, while the block runs."""
    with closing(Line(url)) as line:
        if not has_socket:
            yield Page(line).open()
            return
        page = SocketPage(line)
        page.open()
        address, headers = f"{url.replace('http', 'ws')}/_dash-ws-callback", {"Cookie": str(page.cookie)}
        with connect(address, origin=url, additional_headers=headers) as page.connection:
            yield page


def client(url: str, number: int, enough: Event) -> tuple[int, set[int]]:
    """Hand values over until it is enough; return how many, and which workers answered."""
    has_socket = bool(number % 2)
    mark, way, serial, owed, workers = f"client {number}", "-socket" * has_socket, 0, {}, set()
    with page_of(url, has_socket=has_socket) as page:
        kept = None
        while serial < 2 or not enough.is_set():
            asked = way + random.choice(["", "-async"])
            told = page.exchange(mark, serial, random.randrange(MOST_BYTES), way=asked)
            assert told["seen"] == owed.get(asked)
            assert told["kept"] == (mark if "async" in asked else kept)
            kept = kept if "async" in asked else mark
            owed[asked] = [mark, serial, True]
            workers.add(told["pid"])
            serial += 1
            if serial % CLAIM == 0:
                assert page.claim() == []
        page.close()
    return serial, workers


@pytest.mark.parametrize("backend", size(["fastapi"], [*ASGI]))
def test_many_clients_by_http_and_websockets_get_their_own_and_memory_stays_flat(backend: str, shelf: Shelf):
    # What a worker frees goes back to the kernel; such a worker is not forked, which takes longer.
    env = {**shelf.environment(grace=GRACE), **({"MALLOC_ARENA_MAX": "1"} if SOAK else {})}
    with serving("tests.torture.sockets:server", backend, WORKERS, env) as server:
        works = [
            lambda enough, number=number: client(server.url, number, enough) for number in range(2 * CLIENTS)
        ]
        with meanwhile(works) as results:
            time.sleep(SECONDS / 3)
            before = resident(server)
            time.sleep(SECONDS * 2 / 3)
            after = resident(server)
        assert "Traceback" not in server.log
        print(f"{sum(count for count, _ in results)} exchanges; workers had {before}, then {after} bytes")
        if SOAK:  # in two seconds, one of the workers may still begin, and load what is loaded late
            assert len(set.union(*(workers for _, workers in results))) == WORKERS
            assert sum(after) < sum(before) + WORKERS * SLACK
        wait_for(lambda: shelf.store.sweep() >= 0 and not shelf.files("session"), "values stay")


def resident(server: Any) -> list[int]:
    """Return the bytes of each worker."""
    return [resident_of(pid) for pid in children_of(server.process.pid)]
