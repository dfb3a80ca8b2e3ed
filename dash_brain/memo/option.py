"""The option ``memoize=`` of callbacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from dash_brain.errors import WiringError
from dash_brain.memo.lifetimes import checked_lifetime

Scope: TypeAlias = Literal["app", "session"]


@dataclass(frozen=True)
class Memoize:
    """How the results of a callback are kept by its arguments.

    Parameters
    ----------
    scope
        Which callers share them: ``"app"``, all sessions of the app; ``"session"``, the caller's session.
        When an argument is a value of the session, the result is always the session's.
    ttl
        Seconds for which a result is fresh; None: until memory is short, or the session ends.
    stale
        Seconds for which an older result is returned at once, while one call computes it again.
    key
        Called with the arguments. Its result identifies the call, in place of the arguments and of the
        variables that the function closes over.

    Raises
    ------
    ValueError
        For another scope, and for seconds that are not positive.

    Examples
    --------
    >>> from dash import Input, Output
    >>> from dash_brain import Memoize, brain_callback
    >>> @brain_callback(Output("prices", "data"), Input("day", "value"), memoize=Memoize("app", ttl=60))
    ... def prices(day):
    ...     return {"day": day}
    """

    scope: Scope
    ttl: float | None = None
    stale: float | None = None
    key: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.scope not in get_args(Scope):
            raise ValueError(f'memoize takes the scope "app" or "session", and not {self.scope!r}.')
        checked_lifetime(self.ttl, self.stale)


def checked_memoize(memoize: Memoize | Scope | None) -> Memoize | None:
    """Return ``memoize=`` of a callback as a :class:`Memoize`.

    Raises
    ------
    WiringError
        For anything else.
    """
    checked = Memoize(memoize) if isinstance(memoize, str) else memoize
    if not isinstance(checked, Memoize | None):
        raise WiringError(_NEITHER.format(type=type(memoize).__name__))
    return checked


_NEITHER = (
    'memoize= takes "app" (one result for all sessions of the app), "session" (one for each session) or a '
    "Memoize that says more, and no {type}: it has no default, since one of them would be wrong."
)
