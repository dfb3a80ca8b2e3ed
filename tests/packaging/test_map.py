"""The map of the code names files, functions and modules that exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.packaging.documents import REPOSITORY, prose

MAP, HOW = REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "docs/how-it-works.md"

#: `path/to/file.py`, or `path/to/folder/`.
_PATH = re.compile(r"`((?:dash_brain|tests|\.ci)/[\w./]*)")
#: `path/to/file.py`: `name`, `Class.name`
_NAMES = re.compile(r"`(dash_brain/[\w/]+\.py)`:((?:,?\s+`[\w.]+`)+)")


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


def test_every_package_is_on_the_map() -> None:
    packages = [path.parent.name for path in (REPOSITORY / "dash_brain").glob("*/__init__.py")]
    assert [name for name in packages if f"`dash_brain/{name}/`" not in prose(MAP)] == []


def test_every_module_at_the_top_is_on_the_map_or_small() -> None:
    """What is not in the table is used by several rooms, and says itself what it is."""
    small = {"__init__", "heap", "lately", "shared_results", "waiting"}
    there = {path.stem for path in (REPOSITORY / "dash_brain").glob("*.py")} - small
    assert {name for name in there if f"`dash_brain/{name}.py`" not in prose(MAP)} == set()
