"""Objects that cannot be stored, each for a reason of its own."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from typing import Any

SECRET = "s3cr3t"


class Refuses:
    """Raises what it is told to when it is pickled; its repr shows what no message may show."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> Any:
        raise self.error

    def __repr__(self) -> str:
        return SECRET


class RefusesByState:
    def __init__(self) -> None:
        self.password = SECRET
        self.fine = Holder(1)

    def __getstate__(self) -> Any:
        return {"fine": self.fine, "made on the way": threading.Lock()}


class CallsItself:
    def __reduce__(self) -> Any:
        return self.__reduce__()


class Nonsense:
    def __reduce__(self) -> Any:
        return 5


class Renamed:
    pass


Renamed.__qualname__ = "Other"


class Holder:
    def __init__(self, content: Any) -> None:
        self.content = content

    def show(self) -> None:
        """Be a method that can be bound."""


class SlottedHolder:
    __slots__ = ("__content",)

    def __init__(self, content: Any) -> None:
        self.__content = content


@dataclass
class Job:
    name: str
    callback: Any


class HidesItsParts:
    """Cannot be looked into: every attribute raises."""

    def __getattribute__(self, name: str) -> Any:
        raise KeyError(SECRET)


def local_object() -> Any:
    class Local:
        pass

    return Local()


def connection() -> sqlite3.Connection:
    return sqlite3.connect(":memory:")
