"""Apps that collect callbacks and register them when they serve: ``DashProxy`` of dash-extensions.

Transforms wrap the function, and add, rename and remove inputs and outputs. So values and tokens are
exchanged outside of all transforms, for the inputs and outputs that Dash gets in the end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

Function: TypeAlias = "Callable[..., Any]"

#: Takes dependencies and options of a callback; the result has ``options`` for Dash, and ``wrap(function)``.
Declare: TypeAlias = "Callable[[tuple[Any, ...], dict[str, Any]], Any]"


def blueprint_of(app: Any) -> Any | None:
    """Return the collector of an app's callbacks, None if the app registers them at once."""
    blueprint = getattr(app, "blueprint", app)
    return blueprint if hasattr(blueprint, "register_callbacks") and hasattr(blueprint, "callbacks") else None


def register_later(
    blueprint: Any,
    dependencies: tuple[Any, ...],
    options: dict[str, Any],
    function: Function,
    declare: Declare,
) -> None:
    """Add a callback to a blueprint; ``declare`` is called when the blueprint registers it with Dash."""
    blueprint.callback(*dependencies, **options)(function)
    collected = blueprint.callbacks[-1]
    cls: Any = type(collected)
    collected.__class__ = _exchanging(cls)
    collected.dash_brain = (function, declare)


@lru_cache(maxsize=16)
def _exchanging(cls: Any) -> Any:
    """Return a subclass of collected callbacks that are registered with our wrapper."""

    def register(self: Any, app: Any) -> None:
        cls.register(self, _Exchanging(app, *self.dash_brain))

    return type(cls.__name__, (cls,), {"register": register})


class _Exchanging:
    """Stands for the app while one callback is registered."""

    def __init__(self, app: Any, function: Function, declare: Declare) -> None:
        self._app = app
        self._function = function
        self._declare = declare

    def callback(self, *dependencies: Any, **options: Any) -> Callable[[Callable[..., Any]], None]:
        """Register a callback; the user's function gets ``forget`` and the like of a memoized one."""
        declared = self._declare(dependencies, options)
        decorate = self._app.callback(*dependencies, **{**options, **declared.options})

        def register(changed: Callable[..., Any]) -> None:
            decorate(declared.wrap(changed))
            for name, what in vars(changed).items():
                if name in ("forget", "forget_all", "info"):
                    setattr(self._function, name, what)

        return register
