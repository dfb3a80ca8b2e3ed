"""What a memoized call is known by: fingerprints of a function and of its arguments, by their whole content.

Different content has different fingerprints. Equal content has equal ones in all processes that run the same
Python and libraries, whatever the order of a set and whichever parts of a value are shared. What has no
fingerprint is refused: a wrong result would be worse than a slow one.
"""

from __future__ import annotations

import functools
import inspect
import io
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from operator import attrgetter
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

from dash_brain.codec.names import type_name
from dash_brain.errors import EncodeError

_SIZE = 32

#: Attribute by which a memoized function leads to the one that it was made of.
PLAIN = "_dash_brain_plain"

_CACHED = type(functools.lru_cache(lambda: None))

_Rule: TypeAlias = "Callable[[Any], object]"


def of_value(value: object) -> str:
    """Return the fingerprint of a value: 256 bits as 64 lowercase hex digits.

    Functions count by what they do (their code, defaults, and the variables that they close over), all
    other values by their content.

    Raises
    ------
    EncodeError
        When the value, or a part of it, cannot be pickled.

    Examples
    --------
    >>> of_value({"b", "a"}) == of_value({"a", "b"})
    True
    >>> of_value(1) == of_value(1.0)
    False
    """
    return _Fingerprints().of(value).hex()


def of_function(function: Callable[..., Any], *, closure: bool = True) -> str:
    """Return the fingerprint of a function: its module, name, code and defaults, and what it closes over.

    Functions of the same module that it calls by name count too, so that a change in one of them is a
    change. Methods and other variables of the module do not: what matters of them is to be an argument.

    Parameters
    ----------
    function
        Any callable that can be pickled, or is made of such.
    closure
        Whether the variables that it closes over count.

    Raises
    ------
    EncodeError
        When a default or a variable that it closes over has no fingerprint.
    """
    try:
        return _Fingerprints(closure=closure).of(function).hex()
    except EncodeError as error:
        raise EncodeError(
            f"{type_name(function)} cannot be memoized: something that it closes over, or a default, has no "
            f"fingerprint ({error}) Say with key= what identifies a call."
        ) from error


def changes(function: Callable[..., Any]) -> bool:
    """Say whether the fingerprint of a function may change: it closes over variables, or is an object."""
    return not isinstance(function, FunctionType) or function.__closure__ is not None


def of_call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Return the fingerprint of a function's arguments, however they are passed.

    Raises
    ------
    EncodeError
        When an argument has no fingerprint; the message names it.
    TypeError
        When the function does not take these arguments.

    Examples
    --------
    >>> def total(orders, year=2024): ...
    >>> of_call(total, ([1, 2],), {}) == of_call(total, (), {"year": 2024, "orders": [1, 2]})
    True
    """
    bound = _signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    digest = blake2b(digest_size=_SIZE)
    for name, value in bound.arguments.items():
        try:
            digest.update(_Fingerprints().of(value))  # each in its place, so the names need not count
        except EncodeError as error:
            raise EncodeError(
                f"Argument {name!r} of {type_name(function)} has no fingerprint: {error} "
                "Say with key= what identifies a call."
            ) from error
    return digest.hexdigest()


_signature = functools.lru_cache(maxsize=256)(inspect.signature)


class _Fingerprints:
    """Fingerprints of one value and of what is in it."""

    def __init__(self, *, closure: bool = True) -> None:
        self._closure = closure
        self._begun: list[FunctionType] = []
        self._instead: dict[type, _Rule | None] = _Rules(
            {set: self._set, frozenset: self._set, FunctionType: self._function, MethodType: self._method}
        )

    def of(self, value: object) -> bytes:
        digest = blake2b(digest_size=_SIZE)
        instead = self._instead

        class Pickler(pickle.Pickler):
            def persistent_id(self, part: object) -> object:
                rule = instead[type(part)]
                return None if rule is None else rule(part)

        def stays_in_stream(buffer: pickle.PickleBuffer) -> bool:
            _update(digest, buffer.raw())
            return False

        stream = io.BytesIO()
        pickler = Pickler(stream, 5, buffer_callback=stays_in_stream)
        pickler.fast = True  # no references to what came before: sharing parts makes no difference
        try:
            pickler.dump(value)
        except (EncodeError, MemoryError):
            raise
        except Exception as error:
            raise EncodeError(f"{type_name(value)} cannot be pickled ({type(error).__name__}).") from error
        _update(digest, stream.getbuffer())
        return digest.digest()

    def _set(self, part: Any) -> object:
        return type(part).__name__, sorted(map(self.of, part))

    def _method(self, method: Any) -> object:
        return "method", self.of(method.__self__), self._function(method.__func__)

    def _function(self, function: Any) -> object:
        function = getattr(function, PLAIN, function)
        file = getattr(sys.modules.get(function.__module__), "__file__", "")
        name = f"{file}:{function.__module__}.{function.__qualname__}"
        if function in self._begun:  # it calls itself, at some distance
            return "function", name, self._begun.index(function)
        self._begun.append(function)
        try:
            does = list(_code(function.__code__)), function.__defaults__, function.__kwdefaults__
            cells = list(map(_content, (self._closure and function.__closure__) or ()))
            called = list(map(self._function, _neighbours(function)))
            return "function", name, self.of((does, cells)), called
        finally:
            self._begun.pop()


class _Rules(dict[type, "_Rule | None"]):
    """By exact type, what stands for a value in place of what pickle makes of it; None: just that."""

    def __missing__(self, cls: type) -> _Rule | None:
        library = _LIBRARIES.get(cls.__module__.partition(".")[0])
        self[cls] = rule = attrgetter("__name__") if cls is ModuleType else library and library(cls)
        return rule


# Frames and arrays that are equal can be pickled in several ways: by the order in memory, by the blocks
# that columns lie in, by what is cached. So their content is taken one array at a time.


def _of_numpy(cls: type) -> _Rule | None:
    import numpy as np

    def array(part: Any) -> object:
        kind = str(part.dtype.descr), part.shape
        if part.dtype.hasobject:
            return kind, part.ravel().tolist()
        content = np.ascontiguousarray(part).reshape(-1).view(np.uint8).data
        return kind, blake2b(content, digest_size=_SIZE).digest()

    return array if cls is np.ndarray else None


def _of_pandas(cls: type) -> _Rule | None:
    import pandas as pd

    def frame(part: Any) -> object:
        columns = [part.iloc[:, number].array for number in range(part.shape[1])]
        return "frame", part.index, part.columns, columns, part.attrs, part.flags.allows_duplicate_labels

    def series(part: Any) -> object:
        return "series", part.index, part.name, part.array, part.attrs, part.flags.allows_duplicate_labels

    def index(part: Any) -> object:
        return "index", part.name, part.array

    def array(part: Any) -> object:
        return part.copy().__reduce_ex__(5)  # a copy has nothing cached, and is not read-only

    rules: dict[type, _Rule] = {pd.DataFrame: frame, pd.Series: series, pd.Index: index}
    return rules.get(cls, array if issubclass(cls, pd.api.extensions.ExtensionArray) else None)


_LIBRARIES: dict[str, Callable[[type], _Rule | None]] = {"numpy": _of_numpy, "pandas": _of_pandas}


def _update(digest: Any, data: memoryview) -> None:
    # The length in front keeps ["ab", "c"] apart from ["a", "bc"].
    digest.update(data.nbytes.to_bytes(8, "little"))
    digest.update(data)


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return "empty cell"


def _code(code: CodeType) -> Iterator[object]:
    """Yield what a piece of code does; where it stands in its file is no part of it."""
    # What is called co_cellvars is in the co_freevars of the functions inside.
    yield code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_flags
    yield code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount
    yield getattr(code, "co_exceptiontable", b"")  # where try begins and ends, from Python 3.11 on
    for constant in code.co_consts:
        yield list(_code(constant)) if isinstance(constant, CodeType) else constant


def _neighbours(function: FunctionType) -> Iterator[FunctionType]:
    """Yield the functions of the same module that are called by their names."""
    for name in _global_names(function.__code__):
        found = function.__globals__.get(name)
        if isinstance(found, _CACHED):
            found = found.__wrapped__
        if isinstance(found, FunctionType) and found.__module__ == function.__module__:
            yield found


def _global_names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)
