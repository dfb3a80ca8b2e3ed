"""Results that all sessions share: while one is computed, the session of the caller cannot be used.

Otherwise the data of the first caller would be in the result that all later callers get. Code that uses the
session calls :func:`refuse`. A guard covers what others offer, such as the cookies of the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from contextvars import ContextVar

from dash_brain.errors import SessionInSharedResult

#: The result that is being computed, also in threads and tasks that were started with a copy of the context.
_made: ContextVar[str | None] = ContextVar("dash_brain_shared_result", default=None)

#: Context managers that are entered while such a result is computed.
guards: list[Callable[[], AbstractContextManager[None]]] = []


@contextmanager
def computing_shared_result(what: str) -> Iterator[None]:
    """Have :func:`refuse` raise while the block runs.

    Parameters
    ----------
    what
        Name of the result, for the error.
    """
    token = _made.set(what)
    try:
        with ExitStack() as entered:
            for guard in guards:
                entered.enter_context(guard())
            yield
    finally:
        with suppress(ValueError):  # a coroutine may be closed in another context than it ran in
            _made.reset(token)


def is_computing_shared_result() -> bool:
    """Say whether a shared result is being computed here."""
    return _made.get() is not None


def refuse(used: str, made: str | None = None) -> None:
    """Raise while a shared result is being computed: what was used depends on the caller.

    Parameters
    ----------
    used
        Name of what was used, for the error.
    made
        Name of the result, for code that runs without the context.

    Raises
    ------
    SessionInSharedResult
        It names what was used, what is being made, and what to do.
    """
    what = _made.get() or made
    if what is not None:
        raise SessionInSharedResult(
            f"{used} belongs to the caller, and {what} is shared by all callers. Keep it for the session "
            '(memoize="session", or session_brain for a function), or take what it needs as an argument.'
        )
