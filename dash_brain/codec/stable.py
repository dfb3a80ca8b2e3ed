"""The names by which stored streams refer to what rebuilds values.

A stream of pickle holds names of functions and classes. Those of dash_brain are all in the table below, so
that a function can move to another module and every stored value can still be read: only its right side
changes. A name on the left is never removed or given to something else.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

Named = TypeVar("Named", bound=Callable[..., Any])

_ADAPTERS = "dash_brain.codec.adapters"

#: Name in streams -> module and name of what it stands for now.
HOMES = {
    "array": f"{_ADAPTERS}.numpy:new_array",
    "array_of": f"{_ADAPTERS}.numpy:new_subclass",
    "array_seen_as": f"{_ADAPTERS}.numpy:seen_as",
    "array_attributes": f"{_ADAPTERS}.numpy:set_attributes",
    "masked": f"{_ADAPTERS}.numpy:new_masked",
    "nan": f"{_ADAPTERS}.objects:nan",
    "cells": f"{_ADAPTERS}.objects:set_cells",
    "lines": f"{_ADAPTERS}.objects:set_lines",
    "text": f"{_ADAPTERS}.objects:new_text",
    "index": f"{_ADAPTERS}.pandas:new_index",
    "range_index": f"{_ADAPTERS}.pandas:new_range",
    "blocks": f"{_ADAPTERS}.pandas:new_manager",
    "frame": f"{_ADAPTERS}.pandas:set_frame",
    "strings": f"{_ADAPTERS}.pandas:new_strings",
    "figure": f"{_ADAPTERS}.plotly:new_figure",
    "polars_arrow": f"{_ADAPTERS}.polars:frame_from_arrow",
    "polars_own": f"{_ADAPTERS}.polars:frame_from_polars",
    "polars_series": f"{_ADAPTERS}.polars:only_series",
    "arrow_type": f"{_ADAPTERS}.pyarrow:new_type",
    "arrow_list": f"{_ADAPTERS}.pyarrow:new_fixed_size_list",
    "arrow_map": f"{_ADAPTERS}.pyarrow:new_map",
    "arrow_map_of_parquet": f"{_ADAPTERS}.pyarrow:new_map_of_parquet",
    "arrow_scalar": f"{_ADAPTERS}.pyarrow:new_scalar",
    "arrow_rows": f"{_ADAPTERS}.pyarrow:new_rows",
    "exception": f"{_ADAPTERS}.exceptions:new_exception",
    "Token": "dash_brain.web.tokens:Token",
    "MemoRecord": "dash_brain.web.recipes.records:Record",
    "MemoHeld": "dash_brain.web.recipes.records:ObjectRef",
    "MemoGiven": "dash_brain.web.recipes.records:ArgumentRef",
}


def named(name: str) -> Callable[[Named], Named]:
    """Return a decorator that lets streams refer to a function or class by its stable name."""

    def decorate(thing: Named) -> Named:
        assert HOMES[name] == f"{thing.__module__}:{thing.__qualname__}", name
        thing.__module__, thing.__qualname__ = __name__, name
        return thing

    return decorate


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, home = HOMES[name].partition(":")
    thing = globals()[name] = getattr(import_module(module), home)
    return thing
