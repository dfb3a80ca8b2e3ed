"""The context of the running callback, and which request it runs in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any

from dash._callback_context import context_value
from dash._grouping import map_grouping
from dash._utils import AttributeDict, stringify_id

from dash_brain.web.servers import Response, current_request

#: The key in a callback context under which a background job has its ``JobContext``.
JOB_CONTEXT = "dash_brain_job"


def is_request_to(route: str) -> bool:
    """Say whether the current request is to a route of Dash, as ``"_dash-layout"``."""
    request = current_request()
    return request is not None and request.route.endswith(route)


def is_message() -> bool:
    """Say whether the current request is a message of a websocket."""
    request = current_request()
    return request is not None and request.is_message


def is_api_call() -> bool:
    """Say whether the current request calls a callback by its ``api_endpoint``."""
    request = current_request()
    return request is not None and request.route.startswith("dash_callback_api_")


def is_asked_by_mcp() -> bool:
    """Say whether the current request is for Dash's MCP server.

    That server caches what it computes for one client, and shows it to all.
    """
    request = current_request()
    return request is not None and getattr(request.view, "__module__", "") == "dash.mcp._server"


def callback_context() -> Any | None:
    """Return the mutable context of the running callback; None outside of requests and jobs.

    A context may be left from another request, and a test that calls a registered callback makes one outside
    of any request.
    """
    context = context_value.get({})
    if JOB_CONTEXT in context or not context:  # a job's process may have been forked in any request
        return context or None
    request = current_request()
    if request is None:
        return None
    return context if request.owns(context) or is_asked_by_mcp() else None


@contextmanager
def own_context(inputs: list[Any], states: list[Any], outputs: Any, indices: Any) -> Iterator[None]:
    """Set the callback context for a call by ``api_endpoint``, for which Dash sets none."""
    leaves, request = [*inputs, *states], current_request()
    values = [
        {f"{stringify_id(one['id'])}.{one['property']}": one["value"] for one in part}
        for part in (inputs, states)
    ]
    context = AttributeDict(
        inputs_list=inputs,
        states_list=states,
        outputs_list=outputs,
        input_values=values[0],
        state_values=values[1],
        args_grouping=map_grouping(lambda index: AttributeDict(leaves[index]), indices),
        triggered_inputs=[],
        updated_props={},
        args=None if request is None else request.query,
    )
    token = context_value.set(context)
    try:
        yield
    finally:
        context_value.reset(token)


def forget_context_afterwards(sent: Iterable[tuple[dict[str, Any], object]]) -> None:
    """Drop the context of the running callback when its request ends, and the values in what was sent.

    After an async callback asgiref leaves the context in the thread, and at times the request too, in whose
    body the values have been put: they would stay in memory until the thread runs another async callback.
    """
    request = current_request()
    if request is not None:  # a background job may have none
        request.before_sending(partial(_forget_context, sent))


def _forget_context(sent: Iterable[tuple[dict[str, Any], object]], _: Response) -> None:
    context_value.set({})
    for leaf, _declared in sent:
        leaf["value"] = None


def call_outside_callbacks(function: Callable[[], Any]) -> Any:
    """Call a function in a copy of the context, without the running callback."""
    context = copy_context()
    context.run(context_value.set, {})
    return context.run(function)
