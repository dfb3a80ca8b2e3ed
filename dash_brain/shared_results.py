"""Results that are kept for all who ask: while one is made, nothing of the session that asks is there.

Whoever asked first would otherwise leave what is his to all who ask after him. What knows of sessions calls
:func:`refuse`, and can add a guard for what others offer, such as the cookies of the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from contextvars import ContextVar

from dash_brain.errors import SessionInSharedResult

#: What is being made. Threads and tasks that are started with a copy of the context know it too.
_made: ContextVar[str | None] = ContextVar("dash_brain_shared_result", default=None)

#: Entered while such a result is made.
guards: list[Callable[[], AbstractContextManager[None]]] = []


@contextmanager
def made_for_all(what: str) -> Iterator[None]:
    """Have :func:`refuse` raise while the block runs.

    Parameters
    ----------
    what
        What is made, as it is named in the error.
    """
    token = _made.set(what)
    try:
        with ExitStack() as entered:
            for guard in guards:
                entered.enter_context(guard())
            yield
    finally:
        with suppress(ValueError):  # a coroutine is thrown away in another context than it ran in
            _made.reset(token)


def is_made() -> bool:
    """Say whether a result that is kept for all is being made here."""
    return _made.get() is not None


def refuse(used: str, made: str | None = None) -> None:
    """Raise when what was used names who asks, and a result for all is being made.

    Parameters
    ----------
    used
        What was used, as it is named in the error.
    made
        What is being made, where that is known without the context.

    Raises
    ------
    SessionInSharedResult
        It names what was used, what is being made, and what to do.
    """
    what = _made.get() or made
    if what is not None:
        raise SessionInSharedResult(
            f"{used} is of who asks, and {what} is kept for all who ask. Keep it for the session "
            '(memoize="session", or session_brain for a function), or take what it needs as an argument.'
        )
