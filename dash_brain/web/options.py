"""The options of ``dash.callback``, by name: for editors, type checkers, and warnings."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import dash
from dash import Input, Output
from typing_extensions import TypedDict

#: Options that are for callbacks in the background only.
_BACKGROUND = ("cancel", "interval", "manager", "progress", "progress_default")

#: Options that say what Dash keeps of the results of such callbacks.
_KEPT = ("cache_args_to_ignore", "cache_by", "cache_ignore_triggered")


class CallbackOptions(TypedDict, total=False):
    """Options that ``brain_callback`` passes on to Dash. Options of newer releases are passed on, too."""

    output: Any
    inputs: Any
    state: Any
    prevent_initial_call: bool | str | None
    background: bool
    interval: int
    progress: Sequence[Output] | Output | None
    progress_default: Any
    running: Sequence[Any] | None
    cancel: Sequence[Input] | Input | None
    manager: Any
    on_error: Callable[[Exception], Any] | None
    api_endpoint: str | None
    optional: bool | None
    hidden: bool | None
    persistent: bool | None
    mcp_enabled: bool | None
    mcp_expose_docstring: bool | None


def warn_of_no_effect(options: dict[str, Any], app_manager: Any) -> None:
    """Warn of each option without effect; the warning names the line of the user's code."""

    def say(name: str, why: str) -> None:
        warnings.warn(f"{name}= of a brain_callback has no effect: {why}", UserWarning, stacklevel=4)

    kept = [name for name in _KEPT if name in options]
    manager = options.get("manager") or app_manager
    if options.get("background") and getattr(manager, "cache_by", None) is not None:
        kept.append("cache_by")
    for name in dict.fromkeys(kept):
        say(
            name,
            "Dash keeps no results of it. memoize=Memoize(scope, key=...) keeps them, and knows of sessions.",
        )
    if not options.get("background"):
        for name in _BACKGROUND:
            if name in options:
                say(name, "it is for callbacks with background=True.")


def with_options_of_dash(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function with the options that the installed Dash has, by name."""
    ours = inspect.signature(function)
    known = list(ours.parameters.values())
    theirs = [
        one for one in inspect.signature(dash.callback).parameters.values() if one.kind is one.KEYWORD_ONLY
    ]
    named = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
        for name in ("output", "inputs", "state", "prevent_initial_call")
    ]
    new = [
        one for one in (*named, *theirs) if one.kind is one.KEYWORD_ONLY and one.name not in ours.parameters
    ]
    return ours.replace(parameters=[*known[:-1], *new, known[-1]])
