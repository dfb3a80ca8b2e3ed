"""The house has floors: a module imports from its own floor or from below, never from above."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import dash_brain

PACKAGE = Path(dash_brain.__file__).parent

#: From the ground up. A new module has to be given a floor here.
FLOORS = [
    {"errors", "floors"},
    {"codec", "common", "shared_results", "web.tokens"},
    {"stores", "singleflight", "memo", "settings"},
    {"brain"},
    {
        "hooks",
        "web.dash_internals",
        "web.servers",
        "web.ids",
        "web.layouts",
        "web.calls",
        "web.wiring",
        "web.patterns",
        "web.jobs.errands",
        "web.sessions",
        "web.registry",
        "web.memo.option",
        "web.memo.declared",
        "web.memo.records",
        "web.memo.recipes",
        "web.exchange",
        "web.sent",
        "web.first",
        "web.leases",
        "web.component",
    },
    {
        "web.blueprints",
        "web.endpoints",
        "web.incoming",
        "web.options",
        "web.outgoing",
        "web.memo.result",
        "web.memo.call",
        "web.memo.callbacks",
        "web.jobs",
        "web.sessions.brain",
        "web.serving",
        "web.callback",
    },
    {"web", "devtools", "cli", "testing", "adapters", ""},
]
FIRST_FLOOR_THAT_KNOWS_DASH = 4
KNOWS_DASH = {"dash", "flask", "quart", "fastapi"}


def floor_of(name: str) -> int:
    """Return the floor of a module, which is its package's unless it has one of its own."""
    for floor, names in enumerate(FLOORS):
        if name in names:
            return floor
    package = name.rpartition(".")[0]
    assert package, f"give dash_brain/{name}.py a floor in this file"
    return floor_of(package)


def modules() -> dict[str, ast.Module]:
    """Every module of the package by its name below ``dash_brain``; the package itself is ``""``."""
    return {name_of(path): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported_names(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module imports when it runs, also those inside functions."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            pending += ast.iter_child_nodes(node)


def attributes(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module uses."""
    return (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))


def imports_within(tree: ast.Module, known: set[str]) -> set[str]:
    """Return the modules of the package that a module imports."""
    found = set()
    for dotted in imported_names(tree):
        package, _, name = dotted.partition(".")
        if package != "dash_brain":
            continue
        while name not in known:  # `from dash_brain.codec import encode` names the module codec
            name = name.rpartition(".")[0]
        found.add(name)
    return found


def test_no_module_imports_from_a_floor_above() -> None:
    trees = modules()
    upward = [
        f"dash_brain.{name} imports dash_brain.{other}"
        for name, tree in trees.items()
        for other in imports_within(tree, set(trees))
        if floor_of(other) > floor_of(name)
    ]
    assert not upward


def test_no_modules_import_each_other_in_a_circle() -> None:
    trees = modules()
    graph = {name: imports_within(tree, set(trees)) for name, tree in trees.items()}
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_the_lower_floors_know_nothing_of_dash() -> None:
    knowing = [
        f"dash_brain.{name} imports {dotted}"
        for name, tree in modules().items()
        if floor_of(name) < FIRST_FLOOR_THAT_KNOWS_DASH
        for dotted in imported_names(tree)
        if dotted.partition(".")[0] in KNOWS_DASH
    ]
    assert not knowing


def test_only_two_modules_register_anything_with_dash() -> None:
    registering = {
        name for name, tree in modules().items() if "dash.hooks" in {*imported_names(tree), *attributes(tree)}
    }
    assert registering == {"hooks", "web.serving"}


def test_only_dash_internals_imports_what_dash_does_not_publish() -> None:
    private = {
        name
        for name, tree in modules().items()
        if any(dotted.startswith("dash._") for dotted in imported_names(tree))
    }
    assert private == {"web.dash_internals"}
