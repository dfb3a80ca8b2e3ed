"""Forked children: each does one thing in a process of its own, may be killed, and says how it went."""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from mmap import mmap
from typing import Any

from tests.torture.sizes import size

#: Seconds that anybody waits for a child; nothing here takes as long.
PATIENCE = size(250.0, 24 * 3600.0)


class Child:
    """A forked child that runs ``work(*args)``; what that returns, raises or dies of is known here.

    A child begins warm, with all that its parent has imported and made: it costs a few milliseconds.
    """

    def __init__(self, work: Callable[..., Any], *args: Any) -> None:
        self._said, says = os.pipe()
        self.pid = _fork()
        if not self.pid:
            os.close(self._said)
            _live(says, work, args)
        os.close(says)
        self.signal: int | None = None

    def wait_for(self, flag: Flag) -> None:
        """Wait until the child has raised the flag; fail with what it failed with when it never will."""
        while not flag:
            if select.select([self._said], [], [], 0.0002)[0]:
                self.result()
            # One that is stuck is noticed by whoever runs the tests: they have a time limit.

    def kill(self) -> None:
        """Kill it in the middle of whatever it does, and make sure that it was alive until then."""
        os.kill(self.pid, signal.SIGKILL)
        self._wait()
        assert self.signal == signal.SIGKILL, "the child was dead before it was killed"

    def result(self, patience: float = PATIENCE) -> Any:
        """Return what the work returned; fail with its traceback, or with the signal that ended it."""
        told = self._listen(time.monotonic() + patience)
        self._wait()
        assert self.signal is None, f"the child died of {signal.Signals(self.signal).name}"
        done, result = pickle.loads(told)
        assert done, f"in a child:\n{result}"
        return result

    def _listen(self, deadline: float) -> bytes:
        told = b""
        while select.select([self._said], [], [], max(0.0, deadline - time.monotonic()))[0]:
            part = os.read(self._said, 1 << 16)
            if not part:
                return told
            told += part
        os.kill(self.pid, signal.SIGABRT)  # faulthandler, where it is on, shows where it stands
        self._wait()
        raise AssertionError("the child is stuck")

    def _wait(self) -> None:
        status = os.waitpid(self.pid, 0)[1]
        os.close(self._said)
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None


def _fork() -> int:
    with warnings.catch_warnings():
        # From 3.12 on Python warns when there are threads: ours sleep, and hold nothing.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _live(says: int, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        told = (True, work(*args))
    except BaseException:
        told = (False, traceback.format_exc())
    with suppress(BaseException), open(says, "wb") as pipe:
        pickle.dump(told, pipe)
    os._exit(0)


class Flag:
    """One byte that parent and children share: raised once, seen by all at once."""

    def __init__(self) -> None:
        self._byte = mmap(-1, 1)

    def __bool__(self) -> bool:
        return self._byte[0] == 1

    def up(self) -> None:
        """Raise it."""
        self._byte[0] = 1


@contextmanager
def beside(*works: Callable[[Flag], Any]) -> Iterator[list[Any]]:
    """Run each work in a child while the block runs; the list has what they returned when it is over.

    Each gets a flag, which is up when it is time to end, and has to look at it.
    """
    enough, results = Flag(), []
    children = [Child(work, enough) for work in works]
    try:
        yield results
    finally:
        enough.up()
        results += [child.result() for child in children]
