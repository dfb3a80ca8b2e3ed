"""The thread that sweeps an idle store; it ends with the process."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable


class Timer:
    """Calls a method of a store every so often, from when it is started until the store is closed or gone.

    It is started by what needs it and never at import: a forked worker would inherit no thread.
    """

    def __init__(self, sweep: Callable[[], None], every: float) -> None:
        self._sweep = weakref.WeakMethod(sweep)
        self._every = every
        self._stopped: threading.Event | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self._stopped is None:
            self._stopped = threading.Event()
            arguments = (self._sweep, self._stopped, self._every)
            threading.Thread(target=_run, args=arguments, name="dash_brain-sweep", daemon=True).start()

    def stop(self) -> None:
        """Stop it; it can be started again."""
        if self._stopped is not None:
            self._stopped.set()
            self._stopped = None

    def reset_after_fork(self) -> None:
        """Forget the parent's thread, which does not run in a child."""
        self._stopped = None


def _run(reference: weakref.WeakMethod[Callable[[], None]], stopped: threading.Event, every: float) -> None:
    while not stopped.wait(every):
        sweep = reference()
        if sweep is None:
            return
        sweep()
        del sweep  # waiting must not keep the store alive
