"""Classes whose objects are stored by the tests; a stream refers to them by the name of this module."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, Flag
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa


class Colour(Enum):
    RED = 1
    BLUE = "blue"


class Access(Flag):
    READ = 1
    WRITE = 2


@dataclass
class Order:
    number: int
    lines: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    name: str


class Slotted:
    __slots__ = ("__hidden", "shown")

    def __init__(self, shown: Any, hidden: Any) -> None:
        self.shown = shown
        self.__hidden = hidden

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slotted) and (self.shown, self.__hidden) == (other.shown, other.__hidden)

    def __hash__(self) -> int:
        return hash(self.shown)

    def __repr__(self) -> str:
        return f"Slotted({self.shown!r}, {self.__hidden!r})"


class Point(NamedTuple):
    x: float
    y: float


class Text(str):
    pass


class Words(list[str]):
    language = "en"


class Counts(dict[str, int]):
    pass


class Plain:
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


class Measured(np.ndarray[Any, Any]):
    """An array with a unit, as numpy's manual shows it; numpy's own pickling forgets the unit."""

    unit = ""

    def __new__(cls, values: Any, unit: str) -> Measured:
        array: Measured = np.asarray(values).view(cls)
        array.unit = unit
        return array

    def __array_finalize__(self, array: Any) -> None:
        self.unit = getattr(array, "unit", "")


class Pickled(np.ndarray[Any, Any]):
    """An array that has its own way of being pickled."""

    def __reduce__(self) -> Any:
        return pickled, (self.tolist(),)


def pickled(values: list[Any]) -> Pickled:
    return np.asarray(values).view(Pickled)


class Orders(pd.DataFrame):
    _metadata = ["source"]  # noqa: RUF012 - pandas asks for a list
    source: Any

    @property
    def _constructor(self) -> Any:
        return Orders


class Prices(pd.Series):  # type: ignore[type-arg]
    _metadata = ["name", "currency"]  # noqa: RUF012
    currency: Any

    @property
    def _constructor(self) -> Any:
        return Prices


class Metre(pa.ExtensionType):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(pa.float64(), "tests.metre")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: Any, serialized: Any) -> Metre:
        return cls()

    def __reduce__(self) -> Any:
        return Metre, ()


class Scaled(pa.ExtensionType):  # type: ignore[misc]
    """A type with a parameter."""

    def __init__(self, storage: Any, scale: int) -> None:
        self.scale = scale
        super().__init__(storage, "tests.scaled")

    def __arrow_ext_serialize__(self) -> bytes:
        return str(self.scale).encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: Any, serialized: Any) -> Scaled:
        return cls(storage_type, int(serialized))


def shout(text: str) -> str:
    return text.upper()
