"""Apps that register a callback later, and change it until then: ``DashProxy`` of dash-extensions.

Their transforms wrap the function, and add, rename and take away inputs and outputs. So values and tokens are
exchanged around all that, for the inputs and outputs that Dash is told of in the end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol


class Wiring(Protocol):
    """What is made of a callback's declaration: options for Dash, and the function that Dash calls."""

    options: dict[str, Any]

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function that Dash calls."""


def blueprint_of(app: Any) -> Any | None:
    """Return what collects the callbacks of an app until it serves, None if it registers them at once."""
    blueprint = getattr(app, "blueprint", app)
    return blueprint if hasattr(blueprint, "register_callbacks") and hasattr(blueprint, "callbacks") else None


def register_later(
    blueprint: Any,
    dependencies: tuple[Any, ...],
    options: dict[str, Any],
    function: Callable[..., Any],
    wiring_of: Callable[[tuple[Any, ...], dict[str, Any]], Wiring],
) -> None:
    """Leave a callback to a blueprint; ``wiring_of`` is called when Dash is told of it."""
    blueprint.callback(*dependencies, **options)(function)
    collected = blueprint.callbacks[-1]
    cls: Any = type(collected)
    collected.__class__ = _exchanging(cls)
    collected.dash_brain = (function, wiring_of)


@lru_cache(maxsize=16)
def _exchanging(cls: Any) -> Any:
    """Return a kind of collected callback that is registered with our wiring."""

    def register(self: Any, app: Any) -> None:
        cls.register(self, _Exchanging(app, *self.dash_brain))

    return type(cls.__name__, (cls,), {"register": register})


class _Exchanging:
    """An app of which one callback is registered."""

    def __init__(self, app: Any, function: Callable[..., Any], wiring_of: Callable[..., Wiring]) -> None:
        self._app = app
        self._function = function
        self._wiring_of = wiring_of

    def callback(self, *dependencies: Any, **options: Any) -> Callable[[Callable[..., Any]], None]:
        """Register a callback, and give the user's own function what that of a memoized one has."""
        wiring = self._wiring_of(dependencies, options)
        declare = self._app.callback(*dependencies, **{**options, **wiring.options})

        def register(changed: Callable[..., Any]) -> None:
            declare(wiring.wrap(changed))
            for name, what in vars(changed).items():
                if name in ("forget", "forget_all", "info"):
                    setattr(self._function, name, what)

        return register
