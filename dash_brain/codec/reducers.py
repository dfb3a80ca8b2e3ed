"""The table that tells the C pickler how to take values apart, filled as their types are met.

Importing this module loads no data library. The module that knows a library's types is imported when the
first value of that library is encoded, so the library is loaded already.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from importlib import import_module
from operator import methodcaller
from typing import Any

#: What a reducer returns: see ``object.__reduce__``.
Reducer = Callable[[Any], "str | tuple[Any, ...]"]

#: Which module takes apart the types of which library. Streams refer to functions of these modules, so
#: moving or changing one of those makes stored objects unreadable.
ADAPTERS = {
    "numpy": "dash_brain.codec.arrays",
    "pandas": "dash_brain.codec.indexes",
    "plotly": "dash_brain.codec.figures",
    "polars": "dash_brain.codec.polars_frames",
    "pyarrow": "dash_brain.codec.arrow",
}

# What the pickler does for a type that is not in the table; as a C callable in the table it spares one
# failing Python call for each object.
_plain: Reducer = methodcaller("__reduce_ex__", 5)


class Reducers(dict[type, Reducer]):
    """Reducers by exact type, for one call of the pickler.

    A fresh table for each call costs less than a microsecond, keeps no class alive, and sees what was
    registered with ``copyreg`` since the last call.
    """

    def __missing__(self, cls: type) -> Reducer:
        """Find the reducer of a type that is met for the first time."""
        if issubclass(cls, type):
            # The pickler stores classes by reference only when the table has no entry for their metaclass.
            raise KeyError(cls)
        reducer = copyreg.dispatch_table.get(cls) or _adapted(cls) or _plain
        self[cls] = reducer
        return reducer


def _adapted(cls: type) -> Reducer | None:
    """Return the reducer of the library that the type or one of its bases comes from, if there is one."""
    for base in cls.__mro__:
        library = str(base.__module__).partition(".")[0]
        if library in ADAPTERS:
            reducer: Reducer | None = import_module(ADAPTERS[library]).reducer(cls)
            if reducer is not None:
                return reducer
    return None
