"""A proxy that cuts connections in the middle of what is sent."""

from __future__ import annotations

import random
import socket
import threading
from contextlib import suppress


class Proxy:
    """Passes bytes on to a port, and cuts each connection after some thousands or millions of them.

    ``cutting`` says whether it does so now.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.cutting = False
        self.cuts = 0
        self._draw = random.Random(5)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        left = self._draw.choice([100, 10_000, 1_000_000, 20_000_000])
        with suppress(OSError), source, target:
            while data := source.recv(65536):
                if self.cutting and len(data) > left:
                    self.cuts += 1
                    target.sendall(data[:left])
                    break
                left -= len(data) if self.cutting else 0
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.close()
