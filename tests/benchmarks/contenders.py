"""A contender in a process of its own, which does what it is told to and says how long it took."""

from __future__ import annotations

import json
import os
import subprocess
from select import select
from typing import Any

from tests.programs import REPOSITORY

#: Seconds that an answer may take.
PATIENCE = 120


class Refused(Exception):
    """A contender could not do what it was asked for; says why."""


class Peer:
    """One contender in its process; ready as soon as it answers."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )

    def ask(self, do: str, what: str = "", runs: int = 1) -> list[float]:
        """Have it done, and return the seconds of each run."""
        seconds: list[float] = self._answer(do, what, runs)
        return seconds

    def said(self, do: str, what: str = "") -> str:
        """Return what it says."""
        return str(self._answer(do, what, 1))

    def _answer(self, *asked: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        if self._process.poll() is not None:
            raise Refused("it has ended")
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        if not select([self._process.stdout], [], [], PATIENCE)[0]:
            self._process.kill()
        answer = json.loads(self._process.stdout.readline() or "null")
        if answer is None:
            raise Refused(f"it ended, with {self._process.wait()}")
        if isinstance(answer, dict):
            raise Refused(answer["error"])
        return answer

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.communicate()
