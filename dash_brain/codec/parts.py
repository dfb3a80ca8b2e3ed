"""Walk through the parts of a value and say where each lies, as a path such as ``value['a'][3].name``.

Only used after encoding failed. No value is printed: a path consists of attributes, positions and keys,
and keys are shortened.
"""

from __future__ import annotations

import functools
import sys
import types
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import chain
from typing import Any

#: What has no parts and can always be stored.
_ATOMS = (str, bytes, bytearray, int, float, complex, bool, type(None))

#: Objects of these libraries hold buffers; taking them apart like any object would copy those.
_OPAQUE = ("numpy", "pandas", "polars", "pyarrow")

#: Attributes that objects written in C do not list.
_KNOWN: dict[type, tuple[str, ...]] = {
    BaseException: ("args",),
    defaultdict: ("default_factory",),
    functools.partial: ("func", "args", "keywords"),
    types.BuiltinMethodType: ("__self__",),
    types.MethodType: ("__self__",),
}

_KEY_LENGTH = 40

#: A label and the part that lies there.
Part = tuple[str, Any]


@dataclass(frozen=True)
class Node:
    """A part of a value, and how to get there from the node that holds it."""

    value: Any
    label: str
    holder: Node | None = None

    @property
    def path(self) -> str:
        """Return the way from the outermost value to here."""
        labels, node = [], self
        while node.holder is not None:
            labels.append(node.label)
            node = node.holder
        return node.label + "".join(reversed(labels))


def nodes(value: Any) -> Iterator[Node]:
    """Yield a node for each part of the value that is no atom, the outermost first, and each part once."""
    waiting = deque([Node(value, "value")])
    met = {id(value)}
    # Parts may be made on the way; one that was freed would lend its id to the next.
    kept_alive = []
    while waiting:
        node = waiting.popleft()
        kept_alive.append(node)
        yield node
        for label, part in _parts(node.value):
            if id(part) not in met and type(part) not in _ATOMS:
                met.add(id(part))
                waiting.append(Node(part, label, node))


def _parts(value: Any) -> Iterator[Part]:
    """Yield label and value of each part; none, or not all, of a value whose attributes raise."""
    try:
        yield from _parts_by_kind(value)
    except Exception:
        # A value that fails when it is looked into keeps its parts; the value itself can still be named.
        return


def _parts_by_kind(value: Any) -> Iterator[Part]:
    if isinstance(value, (type, types.ModuleType, types.FunctionType)):
        return
    if type(value).__module__.partition(".")[0] in _OPAQUE or _is_frame(value):
        yield from _parts_of_data(value)
        return
    found = list(chain(_elements(value), _attributes(value)))
    yield from found or _arguments(value)


def _elements(value: Any) -> Iterator[Part]:
    """Yield what a container contains."""
    if isinstance(value, dict):
        for key, part in list(value.items()):
            yield f"[{_key(key)}]", part
            yield f" (key {_key(key)})", key
    elif isinstance(value, (list, tuple, deque)):
        yield from ((f"[{position}]", part) for position, part in enumerate(value))
    elif isinstance(value, Set):
        yield from (("{…}", part) for part in value)


def _attributes(value: Any) -> Iterator[Part]:
    """Yield the attributes of an object, from its ``__dict__`` and its ``__slots__``."""
    for name in (*getattr(value, "__dict__", ()), *_slots(type(value)), *_known_attributes(value)):
        if hasattr(value, name):
            yield f".{name}", getattr(value, name)


def _slots(cls: type) -> Iterator[str]:
    for base in cls.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            private = name.startswith("__") and not name.endswith("__")
            yield f"_{base.__name__.lstrip('_')}{name}" if private else name


def _known_attributes(value: Any) -> tuple[str, ...]:
    return next((names for cls, names in _KNOWN.items() if isinstance(value, cls)), ())


def _arguments(value: Any) -> Iterator[Part]:
    """Yield what an object without visible parts is rebuilt from."""
    reduced = value.__reduce_ex__(5)
    if isinstance(reduced, tuple):
        for number, part in enumerate(_flat(reduced[1:]), 1):
            if part is not type(value):
                yield f".<part {number}>", part


def _flat(reduced: Iterable[Any]) -> Iterator[Any]:
    for part in reduced:
        if isinstance(part, (tuple, Iterator)):
            yield from part
        else:
            yield part


def _is_frame(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series, pandas.Index))


def _parts_of_data(value: Any) -> Iterator[Part]:
    """Yield the objects in an array or frame, and what hangs on it."""
    if _is_frame(value) and hasattr(value, "columns"):
        for position, name in enumerate(value.columns):
            yield from ((f"[{_key(name)}]{label}", part) for label, part in _cells(value.iloc[:, position]))
        yield from ((f".columns{label}", part) for label, part in _cells(value.columns))
    else:
        yield from _cells(value)
    if hasattr(value, "index") and _is_frame(value):
        yield from ((f".index{label}", part) for label, part in _cells(value.index))
    for name in ("attrs", *getattr(value, "_metadata", ())):
        if hasattr(value, name):
            yield f".{name}", getattr(value, name)


def _cells(value: Any) -> Iterator[Part]:
    """Yield the cells of an array, series or index of objects."""
    if str(getattr(value, "dtype", None)) != "object":
        return
    cells = value if hasattr(value, "flat") else value.to_numpy()
    yield from zip(_positions(cells.shape), cells.flat, strict=True)


def _positions(shape: tuple[int, ...]) -> Iterator[str]:
    numpy = sys.modules["numpy"]
    return (str(list(position)) if position else "[()]" for position in numpy.ndindex(shape))


def _key(key: Any) -> str:
    """Return a key as it would be written, shortened; of an object that is no plain key, its type."""
    if not isinstance(key, (str, bytes, int, float, bool, type(None))):
        return f"<{type(key).__name__}>"
    text = repr(key)
    return text if len(text) <= _KEY_LENGTH else f"{text[:_KEY_LENGTH]}…"
