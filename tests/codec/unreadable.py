"""Classes whose objects pickle can store and nobody can read, and some that only look so."""

from __future__ import annotations

import collections
import functools
from typing import Any

import numpy as np
from polars.exceptions import PanicException

SECRET = "s3cr3t"


class NeedsMore:
    def __new__(cls, number: int) -> NeedsMore:
        return super().__new__(cls)


class NeedsTwo(tuple[Any, ...]):
    def __new__(cls, a: Any, b: Any) -> NeedsTwo:
        return super().__new__(cls, (a, b))


class NeedsKeyword(int):
    def __new__(cls, *, value: int) -> NeedsKeyword:
        return super().__new__(cls, value)


class Forwards:
    """Asks for its attribute before it has it, without end."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class FailsByState:
    def __getstate__(self) -> Any:
        return {"a": 1}

    def __setstate__(self, state: Any) -> None:
        raise RuntimeError(SECRET)


class PanicsByState(FailsByState):
    def __setstate__(self, state: Any) -> None:
        raise PanicException(SECRET)


class CannotBeSet:
    __slots__ = ("a",)

    def __init__(self) -> None:
        object.__setattr__(self, "a", 1)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(SECRET)


class FailsWhenFilled(dict[str, Any]):
    def __setitem__(self, key: str, value: Any) -> None:
        raise TypeError(SECRET)


class CountsWhenFilled(list[Any]):
    """Needs what ``__init__`` made before that exists."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def append(self, part: Any) -> None:
        self.log.append(part)
        super().append(part)

    def extend(self, parts: Any) -> None:
        for part in parts:
            self.append(part)


def counted() -> CountsWhenFilled:
    value = CountsWhenFilled()
    value.append(1)
    return value


class InItsOwnSet:
    """Its hash is asked for before it has the attribute."""

    def __init__(self) -> None:
        self.number = 1
        self.others = {self}

    def __hash__(self) -> int:
        return hash(self.number)

    def __eq__(self, other: object) -> bool:
        return self is other


class BecomesAnother:
    def __reduce__(self) -> Any:
        return dict, ()


class HidesMethod:
    def __hidden(self) -> None: ...

    def method(self) -> Any:
        return self.__hidden


class MakesItsArguments(Exception):
    def __new__(cls, code: int, text: str) -> MakesItsArguments:
        return super().__new__(cls, f"{code} {text}")

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")


class ReducesWrongly(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(code)

    def __reduce__(self) -> Any:
        return ReducesWrongly, (1,)


UNREADABLE: dict[str, Any] = {
    "arguments of __new__": lambda: NeedsMore(1),
    "arguments of a tuple": lambda: NeedsTwo(1, 2),
    "keyword of a number": lambda: NeedsKeyword(value=1),
    "attributes without end": lambda: Forwards([1]),
    "__setstate__ raises": FailsByState,
    "__setstate__ panics": PanicsByState,
    "__setattr__ raises": CannotBeSet,
    "__setitem__ raises": lambda: fill(FailsWhenFilled()),
    "append needs __init__": counted,
    "__hash__ needs attributes": InItsOwnSet,
    "comes back as another": BecomesAnother,
    "private method": lambda: HidesMethod().method(),
    "exception with its own __new__": lambda: MakesItsArguments(1, "a"),
    "exception with a wrong __reduce__": lambda: ReducesWrongly(1, "a"),
}


def fill(value: dict[str, Any]) -> dict[str, Any]:
    dict.__setitem__(value, "a", 1)
    return value


class Coded(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Silent(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


class ByName(KeyError):
    def __init__(self, *, name: str) -> None:
        super().__init__(name)
        self.name = name


class NoFile(OSError):
    def __init__(self, path: str) -> None:
        super().__init__(2, "not there", path)


class BadText(UnicodeDecodeError):
    def __init__(self, place: int) -> None:
        super().__init__("utf-8", b"abc", place, place + 1, "bad")


class Ends(StopIteration):
    def __init__(self, first: int, second: int) -> None:
        super().__init__(second)


class NoModule(ImportError):
    def __init__(self, module: str) -> None:
        super().__init__("no module", name=module, path="/a")


class Without(Coded):
    def __init__(self) -> None:
        super().__init__(1, "a")


class Axis(ValueError):
    __slots__ = ("axis",)

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def __str__(self) -> str:
        return f"axis {self.axis}"


EXCEPTIONS = [
    Axis(3),
    np.exceptions.AxisError(1, 2, "m"),
    AttributeError("a", name="n"),
    NameError("a", name="n"),
    Coded(3, "a"),
    Silent(4),
    ByName(name="b"),
    NoFile("/a"),
    BadText(1),
    Ends(1, 2),
    NoModule("m"),
    Without(),
    ValueError("a", [1]),
    FileNotFoundError(2, "no", "/a"),
]


class AnswersAll:
    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


class CannotBeCompared:
    def __eq__(self, other: object) -> bool:
        raise ValueError(SECRET)

    def __hash__(self) -> int:
        return 1


class Shifted:
    """Writes into its array when it is rebuilt."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __getstate__(self) -> Any:
        return self.array

    def __setstate__(self, state: Any) -> None:
        state += 0
        self.array = state


def plain() -> None: ...


@functools.wraps(plain)
def decorated() -> None: ...


#: Named after a class that is not there.
Pair = collections.namedtuple("Other", "a b")  # type: ignore[name-match]
