"""A proxy that cuts connections in the middle of what is sent."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable
from contextlib import suppress


class Proxy:
    """Passes bytes on to a port, and cuts each connection after some thousands or millions of them.

    ``cutting`` says whether it does so now.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.cutting = False
        self.cuts = 0
        self._lost: tuple[bytes, int] = (b"", 0)
        self._meanwhile: Callable[[], object] | None = None
        self._draw = random.Random(5)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_answer_to(self, verb: bytes, number: int, meanwhile: Callable[[], object] | None = None) -> None:
        """Cut the connection when Redis has answered such a question, the n-th from now.

        ``meanwhile`` is done before, once: who asked does not know yet that the answer is lost.
        """
        self._lost, self._meanwhile = (b"\r\n%s\r\n" % verb, number), meanwhile

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                losing = threading.Event()
                for one, other, asks in ((near, far, True), (far, near, False)):
                    passing = threading.Thread(target=self._pass_on, args=(one, other, asks, losing))
                    passing.daemon = True
                    passing.start()

    def _pass_on(
        self, source: socket.socket, target: socket.socket, asks: bool, losing: threading.Event
    ) -> None:
        left = self._draw.choice([100, 10_000, 1_000_000, 20_000_000])
        with suppress(OSError):
            while data := source.recv(65536):
                if asks:
                    self._look_for_question(data, losing)
                elif losing.is_set():
                    meanwhile, self._meanwhile = self._meanwhile, None
                    if meanwhile:
                        meanwhile()
                    break
                if self.cutting and len(data) > left:
                    self.cuts += 1
                    target.sendall(data[:left])
                    break
                left -= len(data) if self.cutting else 0
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # the other thread may be waiting for it
        source.close()

    def _look_for_question(self, data: bytes, losing: threading.Event) -> None:
        verb, number = self._lost
        if number and verb in data:
            self._lost = (verb, number - 1)
            if number == 1:
                losing.set()
