"""The tests that documents name, those that there are, and the sizes of the torture."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tests.packaging.documents import REPOSITORY

_NAMED = re.compile(r"((?:tests|dash_brain)/[\w/]+\.py)::([\w:]+)")
_ROW = re.compile(
    r"^\|.*?\| (?P<usual>[\d,]+)\b.*?\| (?P<soak>[\d,]+)\b.*?\|.*?`(?P<file>tests/\S+\.py)::", re.M
)


class Row(NamedTuple):
    """A line of the table of tortures: a file of tests, what it does in every run, and in ``make soak``."""

    file: str
    usual: int
    soak: int


def named(document: Path) -> list[tuple[str, str]]:
    """Return file and name of each test that a document names; a parameter in brackets is left off."""
    return _NAMED.findall(document.read_text())


@lru_cache
def known_in(file: str) -> frozenset[str]:
    """Return the tests in a file, ``test_name`` or ``Class::test_name``, and the classes that hold some."""
    path = REPOSITORY / file
    return frozenset(_tests(ast.parse(path.read_text()).body)) if path.exists() else frozenset()


def _tests(body: list[ast.stmt], within: str = "") -> Iterator[str]:
    for one in body:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and one.name.startswith("test_"):
            yield within + one.name
        elif isinstance(one, ast.ClassDef) and (inner := list(_tests(one.body, f"{one.name}::"))):
            yield from (one.name, *inner)


def rows(document: Path) -> list[Row]:
    """Return the lines of tables that say how much a test does."""
    found = _ROW.finditer(document.read_text())
    return [Row(row["file"], _number(row["usual"]), _number(row["soak"])) for row in found]


def sizes_in(file: str) -> set[tuple[float, float]]:
    """Return the sizes that a file of tests gives: ``size(usual, soak)``."""
    calls = (
        node for node in ast.walk(ast.parse((REPOSITORY / file).read_text())) if isinstance(node, ast.Call)
    )
    found = (call.args for call in calls if isinstance(call.func, ast.Name) and call.func.id == "size")
    return {(ast.literal_eval(usual), ast.literal_eval(soak)) for usual, soak in _literal(found)}


def _literal(calls: Iterator[list[ast.expr]]) -> Iterator[list[ast.expr]]:
    return (args for args in calls if len(args) == 2 and all(isinstance(arg, ast.Constant) for arg in args))


def _number(text: str) -> int:
    return int(text.replace(",", ""))
