"""The map of the code names files, functions and modules that exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.packaging.documents import REPOSITORY, prose
from tests.packaging.test_floors import imports_within, modules

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
    small = {"__init__", "heap", "lately", "shared_results"}
    there = {path.stem for path in (REPOSITORY / "dash_brain").glob("*.py")} - small
    assert {name for name in there if f"`dash_brain/{name}.py`" not in prose(MAP)} == set()


def test_every_module_in_the_table_of_how_it_works_exists() -> None:
    rows = re.findall(r"^\|[^|]+\|((?: `\w+`,?)+) \|", HOW.read_text(), flags=re.MULTILINE)
    modules = [name for row in rows for name in re.findall(r"\w+", row)]
    assert len(modules) > 15
    assert [name for name in modules if not exists(f"dash_brain/{name}")] == []


def test_every_module_in_the_drawing_exists() -> None:
    group = r"<g [^>]*monospace[^>]*>(.*?)</g>"
    packages, mapped = re.findall(group, (HOW.parent / "images/packages.svg").read_text(), flags=re.DOTALL)
    for folder, drawn in (("dash_brain", packages), ("dash_brain/stores/mapped", mapped)):
        modules = " ".join(re.findall(r">([^<]+)<", drawn)).split()
        assert [name for name in modules if not exists(f"{folder}/{name}")] == []


def exists(module: str) -> bool:
    return (REPOSITORY / f"{module}.py").exists() or (REPOSITORY / module / "__init__.py").exists()


def test_the_drawing_has_the_layers_of_the_code() -> None:
    drawing = (HOW.parent / "images/packages.svg").read_text()
    drawn = re.findall(r"<g [^>]*monospace[^>]*>(.*?)</g>", drawing, flags=re.DOTALL)[0]
    rows = [row.split() for row in re.findall(r">([a-z_ ]+)</text>", drawn)]
    layer = {name: -number for number, row in enumerate(rows) for name in row}
    trees = modules()
    upward = {
        (name, other)
        for name, tree in trees.items()
        for other in imports_within(tree, set(trees))
        if layer.get(package(name), 0) < layer.get(package(other), -len(rows))
    }
    assert len(layer) > 20
    assert {pair for pair in upward if package(pair[0]) != "memoizing" and pair[1] != "jobs.errands"} == set()


def package(module: str) -> str:
    return module.partition(".")[0]
