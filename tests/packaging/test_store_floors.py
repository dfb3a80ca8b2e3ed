"""The stores have floors of their own: each package imports from below, and no module more than it needs."""

from __future__ import annotations

import ast

from tests.packaging.test_floors import imports_within, modules

#: From the ground up: the floors of the packages within ``dash_brain.stores``.
FLOORS = (
    "namespaces",
    "counters",
    "base faults locked reclaim",
    "mapped.system",
    "mapped.volume",
    "mapped.spill",
    "mapped.space",
    "mapped redis",
    "memory wrapper",
    "near_copy",
    "registry",
    "",
)

#: The longest function, in lines with its docstring's.
LONGEST = 25


def floor_of(module: str) -> int:
    """Return the floor of a module of the stores, which is that of the package around it."""
    for floor, names in enumerate(FLOORS):
        if module in names.split() or (not module and not names):
            return floor
    return floor_of(module.rpartition(".")[0])


def stores() -> dict[str, ast.Module]:
    within = {name: tree for name, tree in modules().items() if name.split(".")[0] == "stores"}
    return {name.removeprefix("stores").removeprefix("."): tree for name, tree in within.items()}


def test_packages_of_the_stores_import_from_below_only() -> None:
    known = set(modules())
    upward = [
        f"stores.{name} imports {other}"
        for name, tree in stores().items()
        for other in imports_within(tree, known)
        if other.split(".")[0] == "stores"
        and floor_of(other.removeprefix("stores").removeprefix(".")) > floor_of(name)
    ]
    assert not upward


def test_stores_know_nothing_above_them() -> None:
    known = set(modules())
    above = [
        f"stores.{name} imports {other}"
        for name, tree in stores().items()
        for other in imports_within(tree, known)
        if other.split(".")[0] not in ("stores", "common", "errors", "floors")
    ]
    assert not above


def test_no_function_of_the_package_is_longer_than_a_screenful() -> None:
    long = [
        f"{name}.{node.name}: {lines}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := lines_of_code(node)) > LONGEST
    ]
    assert not long


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function from its first statement on, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
