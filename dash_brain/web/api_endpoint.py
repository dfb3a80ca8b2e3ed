"""Callbacks that are called by HTTP at their ``api_endpoint``, without a page.

Dash calls the function there with the JSON of the request, and sends what it returns: without a callback
context and without ids. So the call gets the context here that a page's request has, and values and tokens
are exchanged as always: for a ServerStore a token goes in and comes out, which belongs to the caller's
session.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from dash.dependencies import DashDependency

from dash_brain.web.component_ids import canonical, parse
from dash_brain.web.dash_internals import flatten_grouping, own_context
from dash_brain.web.dependencies import in_declared_order

_REQUIRED = inspect.Parameter.empty
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Endpoint:
    """What was declared of a callback with an ``api_endpoint``.

    Parameters
    ----------
    schema, inputs, states, indices
        The declared outputs, inputs and states, and the grouping of the latter as arguments.

    Raises
    ------
    TypeError
        When an id has wildcards: there is no page with components that match them.
    """

    def __init__(
        self, schema: Any, inputs: list[DashDependency], states: list[DashDependency], indices: Any
    ) -> None:
        self._inputs, self._states, self._indices = inputs, states, indices
        self._schema = schema
        self._outputs = flatten_grouping(schema)
        if any(one.has_wildcard() for one in (*self._outputs, *inputs, *states)):
            raise TypeError(
                "brain_callback takes no api_endpoint= together with ids that have wildcards: there is no "
                "page, and so nothing that fits them. Give the endpoint a callback with plain ids."
            )

    def called(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> AbstractContextManager[None]:
        """Return the context manager for a call with these arguments."""
        values = in_declared_order(self._indices, self._given(function, args, kwargs))
        declared = (*self._inputs, *self._states)
        leaves = [{**_leaf(one), "value": value} for one, value in zip(declared, values, strict=True)]
        inputs, states = leaves[: len(self._inputs)], leaves[len(self._inputs) :]
        outputs = list(map(_leaf, self._outputs))
        single = not isinstance(self._schema, (list, tuple, dict))
        return own_context(inputs, states, outputs[0] if single else outputs, self._indices)

    def _given(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the arguments in the shape in which they were declared."""
        signature = inspect.signature(function)
        bound = signature.bind_partial(*args, **kwargs)
        for name, parameter in signature.parameters.items():
            if name not in bound.arguments and parameter.kind in _NAMED and parameter.default is _REQUIRED:
                bound.arguments[name] = None  # with FastAPI Dash leaves out what is null
        bound.apply_defaults()
        if isinstance(self._indices, int):
            return bound.args[0]
        if isinstance(self._indices, dict):
            named = {**bound.arguments, **kwargs}
            return {name: named[name] for name in self._indices}
        return bound.args[: len(self._indices)]


def _leaf(dependency: DashDependency) -> dict[str, Any]:
    """Return one part of a request as a page would send it."""
    component_id = parse(canonical(dependency.component_id))
    return {"id": component_id, "property": dependency.component_property}
