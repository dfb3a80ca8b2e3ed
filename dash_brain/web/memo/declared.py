"""Memoized callbacks as they were declared, by their names: what is needed to call one."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from operator import itemgetter
from typing import Any

from dash_brain.memo import fingerprints
from dash_brain.memo.changing import Changing
from dash_brain.memo.lifetimes import Lifetime
from dash_brain.shared_results import made_for_all
from dash_brain.web.dash_internals import call_outside_callbacks, flatten_grouping
from dash_brain.web.memo.option import Memoize
from dash_brain.web.memo.records import SCOPES
from dash_brain.web.patterns import Inputs, Outputs


class Declared:
    """One memoized callback of this process.

    Parameters
    ----------
    function
        What the user wrote.
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
        self._print = fingerprints.FunctionPrint(function, closure=memoize.key is None)
        self.changing = Changing(str(name))

    def making(self, scope: str) -> AbstractContextManager[None]:
        """Return what is to be entered while a result is made and kept in a scope of tokens."""
        return made_for_all(self._what) if scope == SCOPES["app"] else nullcontext()

    def fingerprint(self) -> str:
        """Return the fingerprint of the function as it is now."""
        return self._print.now()

    def run(self, given: list[Any]) -> Any:
        """Call the function outside of callbacks, with inputs and states in the order of declaration."""
        args, kwargs = self.inputs.arguments(given)
        if not inspect.iscoroutinefunction(self.function):
            return call_outside_callbacks(lambda: self.function(*args, **kwargs))
        with ThreadPoolExecutor(1) as alone:  # a loop may run in this thread
            run = copy_context().run
            return alone.submit(
                run, call_outside_callbacks, lambda: asyncio.run(self.function(*args, **kwargs))
            ).result()


_declared: dict[str, Declared] = {}


def remember(callback: Declared) -> None:
    """Enter a callback, so that its results can be computed once more."""
    _declared[callback.name] = callback


def named(name: str) -> Declared | None:
    """Return the callback of this name, if this process has declared it."""
    return _declared.get(name)


def by_index(indices: Any, grouped: Any) -> list[Any]:
    """Return grouped inputs and states in the order of declaration."""
    if isinstance(indices, int):
        return [grouped]
    pairs = zip(flatten_grouping(indices), flatten_grouping(grouped, indices), strict=True)
    return [value for _, value in sorted(pairs, key=itemgetter(0))]
