"""Definitions of memoized callbacks by name: what is needed to call one again."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from typing import Any

from dash_brain.memo import fingerprints
from dash_brain.memo.lifetimes import Lifetime
from dash_brain.memo.option import Memoize
from dash_brain.memo.unstable import UnstableFunction
from dash_brain.shared_results import computing_shared_result
from dash_brain.web.dash_internals import call_outside_callbacks
from dash_brain.web.dependencies import Inputs, Outputs
from dash_brain.web.recipes.records import SCOPES


class Definition:
    """One memoized callback of this process.

    Parameters
    ----------
    function
        The user's function.
    memoize
        How its results are kept.
    outputs, inputs
        The declared outputs; inputs and states.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        memoize: Memoize,
        outputs: Outputs,
        inputs: Inputs,
    ) -> None:
        self.function = function
        self.memoize = memoize
        self.outputs = outputs
        self.inputs = inputs
        self.lifetime = Lifetime(memoize.ttl, memoize.stale)
        module, name = function.__module__, getattr(function, "__qualname__", "callback")
        self.name = f"{module}.{name} {outputs.schema!r}"
        self._what = f"the result of {module}.{name}"
        self._own_fingerprint = fingerprints.FunctionFingerprint(function, closure=memoize.key is None)
        self.stability = UnstableFunction(str(name))

    def making(self, scope: str) -> AbstractContextManager[None]:
        """Return the context manager for computing a result that is kept in a scope of tokens."""
        return computing_shared_result(self._what) if scope == SCOPES["app"] else nullcontext()

    def fingerprint(self) -> str:
        """Return the fingerprint of the function as it is now."""
        return self._own_fingerprint.now()

    def run(self, given: list[Any]) -> Any:
        """Call the function outside of callbacks, with inputs and states in the order of declaration."""
        args, kwargs = self.inputs.arguments(given)
        if not inspect.iscoroutinefunction(self.function):
            return call_outside_callbacks(lambda: self.function(*args, **kwargs))
        with ThreadPoolExecutor(1) as alone:  # an event loop may run in this thread
            run = copy_context().run
            return alone.submit(
                run, call_outside_callbacks, lambda: asyncio.run(self.function(*args, **kwargs))
            ).result()


_definitions: dict[str, Definition] = {}


def register(callback: Definition) -> None:
    """Register a callback, so that its results can be computed again."""
    _definitions[callback.name] = callback


def find(name: str) -> Definition | None:
    """Return the callback of this name, if this process has declared it."""
    return _definitions.get(name)
