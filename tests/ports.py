"""The ports of the servers to which browsers go."""

from __future__ import annotations

import random
import socket

#: Where the system takes no ports from by itself.
_RANGE = range(10_000, 32_000)

#: Chrome keeps the scripts of Dash, and what it has compiled of them, by address: a page opens in half of the
#: time. So the servers of a process get three ports in turn. The next one has not that of the last: a page
#: that is still open may ask it for something.
_ports: list[int] = []


def next_port() -> int:
    """Return a port that nobody listens on, for a server that is started next."""
    while len(_ports) < 3:
        _ports.append(random.choice(_RANGE))
    for _ in range(3):
        port = _ports.pop(0)
        _ports.append(port)
        if _is_free(port):
            return port
    _ports.clear()
    return next_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of connections that have ended
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
