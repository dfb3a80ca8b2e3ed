"""A body without end: what is too long for a claim takes no memory."""

from __future__ import annotations

import http.client
import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.torture.crowds import children_of
from tests.torture.pages import Line, Page
from tests.torture.sizes import size

PIECE = b"[" * (1 << 20)
PIECES = size(100, 4000)


def peak_of(pid: int) -> int:
    """Return the most bytes of memory that a process ever occupied."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) << 10  # type: ignore[index]


def test_a_claim_that_does_not_say_how_long_it_is_is_not_read_to_its_end(serve, shelf):
    server = serve("tests.torture.served:server", workers=1, env=shelf.environment())
    page = Page(Line(server.url)).open()
    page.exchange("before", 1)
    (worker,) = children_of(server.process.pid)
    before = peak_of(worker)
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    headers = {"Cookie": str(page.cookie), "X-Dash-Brain": "claim", "Transfer-Encoding": "chunked"}
    with suppress(ConnectionError):  # hung up on us
        body = (PIECE for _ in range(PIECES))
        connection.request("POST", "/_dash-update-component", body, headers, encode_chunked=True)
        assert connection.getresponse().status == 413
    connection.close()
    assert peak_of(worker) - before < len(PIECE) * PIECES / 10
    assert page.claim() == []
    assert page.exchange("after", 2)["seen"] == ["before", 1, True]
