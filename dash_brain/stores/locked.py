"""The lock under which a value is made: a store whose lock was lost meanwhile refuses to store the value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

_making_under: ContextVar[str | None] = ContextVar("dash_brain_making_under", default=None)


@contextmanager
def making_under(lock: str) -> Iterator[None]:
    """Make a value in this block, under this lock of its store.

    In this block, a store whose locks are leases raises ``LeaseLost`` for each put when this process has lost
    the lease.
    """
    token = _making_under.set(lock)
    try:
        yield
    finally:
        with suppress(ValueError):  # a coroutine is thrown away in another context than it ran in
            _making_under.reset(token)


def lock_of_what_is_made() -> str | None:
    """Return the lock under which a value is made here, if one is."""
    return _making_under.get()
