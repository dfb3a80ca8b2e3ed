"""What ``memoize=`` of a callback says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from dash_brain.memo.lifetimes import lifetime
from dash_brain.web.memo.records import SCOPES

Scope: TypeAlias = Literal["app", "session"]


@dataclass(frozen=True)
class Memoize:
    """How the results of a callback are kept by its arguments.

    Parameters
    ----------
    scope
        Who shares them: ``"app"``, all sessions of the app; ``"session"``, the one that asks. Results for
        a value of the session among the arguments are the session's in any case.
    ttl
        Seconds for which a result is fresh; None: until memory is short, or the session ends.
    stale
        Seconds for which an older result is given out at once, while one call renews it.
    key
        Called with the arguments; what it returns stands for them, and for what the function closes over.

    Raises
    ------
    ValueError
        For another scope, or seconds that make no sense.

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
        """Refuse what makes no sense."""
        if self.scope not in SCOPES:
            raise ValueError(f'memoize takes the scope "app" or "session", and not {self.scope!r}.')
        lifetime(self.ttl, self.stale)
