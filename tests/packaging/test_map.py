"""The map of the code names files, functions and modules that exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.packaging.documents import REPOSITORY, prose
from tests.packaging.test_floors import imports_within, modules

MAP, HOW = REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "docs/how-it-works.md"

#: `path/to/file.py`, or `path/to/folder/`.
_PATH = re.compile(r"`((?:dash_brain|tests|\.ci)/[\w./]*)")
#: `path/to/file.py`: `name`, `Class.name`
_NAMES = re.compile(r"`(dash_brain/[\w/]+\.py)`:((?:,?\s+`[\w.]+`)+)")


@cache
def defined_in(path: str) -> set[str]:
    """Return the names that a module defines at its top level, and those in its classes as ``Class.name``."""
    body = ast.parse((REPOSITORY / path).read_text()).body
    found = set(names(body))
    for one in body:
        if isinstance(one, ast.ClassDef):
            found |= {f"{one.name}.{name}" for name in names(one.body)}
    return found


def names(body: list[ast.stmt]) -> list[str]:
    found = []
    for one in body:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(one.name)
        elif isinstance(one, ast.Assign | ast.AnnAssign):
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            found += [ast.unparse(target) for target in targets]
    return found


def test_every_path_on_the_map_exists() -> None:
    paths = {path for document in (MAP, HOW) for path in _PATH.findall(document.read_text())}
    assert len(paths) > 50
    assert [path for path in sorted(paths) if not (REPOSITORY / path).exists()] == []


NAMED = [
    (path, name)
    for path, those in _NAMES.findall(MAP.read_text())
    for name in re.findall(r"`([\w.]+)`", those)
]


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_every_name_on_the_map_is_defined_in_its_file(path: str, name: str) -> None:
    assert name in defined_in(path)


def test_most_of_the_map_is_names() -> None:
    assert len(NAMED) > 60


def test_every_package_and_module_of_the_upper_levels_is_on_the_map_or_small() -> None:
    """What is not in the table is used by many, and says itself what it is."""
    small = {"", "web", "shared_results"}
    shown = set(re.findall(r"`dash_brain/([\w/]+?)(?:\.py|/)`", prose(MAP)))
    there = {name.replace(".", "/") for name in modules() if name.removeprefix("web.").count(".") == 0}
    assert there - small - shown == set()


def test_every_module_in_the_table_of_how_it_works_exists() -> None:
    rows = re.findall(r"^\|[^|]+\|((?: `[\w.]+`,?)+) \|", HOW.read_text(), flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"[\w.]+", row)}
    assert len(named) > 15
    assert named <= set(modules())


def drawn() -> Iterator[list[str]]:
    """Yield the rows of modules in the drawing, the highest layer first, by their names in the package."""
    drawing = (HOW.parent / "images/packages.svg").read_text()
    groups = re.findall(r"<g [^>]*monospace[^>]*>(.*?)</g>", drawing, flags=re.DOTALL)
    for group, within in zip(groups, ("web.", "", "stores.mapped."), strict=True):
        for row in re.findall(r">([a-z_ ]+)</text>", group):
            yield [within + name for name in row.split()]


def test_every_module_in_the_drawing_exists() -> None:
    assert {name for row in drawn() for name in row} <= set(modules())


def test_the_drawing_has_the_layers_of_the_code() -> None:
    layer = {name: -number for number, row in enumerate(drawn()) for name in row}
    trees = modules()
    upward = [
        f"{name} imports {other}"
        for name, tree in trees.items()
        for other in imports_within(tree, set(trees))
        if layer.get(package(name), 0) < layer.get(package(other), -100)
    ]
    assert not upward


def package(module: str) -> str:
    return ".".join(module.split(".")[: 2 if module.startswith("web.") else 1])
