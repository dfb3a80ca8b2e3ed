"""The house has floors: a module imports from its own floor or from below, never from above."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import dash_brain

PACKAGE = Path(dash_brain.__file__).parent

#: The packages from the ground up. A new one has to be given a floor here.
FLOORS: list[set[str]] = [
    {"errors"},
    {"common", "floors", "shared_results"},
    {"codec", "stores"},
    {"settings", "singleflight"},
    {"memo", "metrics"},
    {"brain", "hooks"},
    {"web"},
    {"adapters", "testing", ""},
    {"cli"},
]

#: The same within ``web``: a value that a callback returns passes them from the last to the first.
WEB_FLOORS: list[set[str]] = [
    {"blueprints", "component_ids", "options", "patches", "servers", "tokens"},
    {"apps"},
    {"dash_internals"},
    {"dependencies", "event_loop", "layouts", "server_timing", "sessions", "streams"},
    {"api_endpoint", "component_registry", "recipes", "wiring"},
    {"descriptions", "leases", "metrics", "sent_components"},
    {"exchange"},
    {"component", "incoming"},
    {"outgoing"},
    {"jobs", "memo", "panel", "websockets"},
    {"declared"},
    {"activation", "callback", ""},
]

KNOWS_DASH = {"dash", "flask", "werkzeug", "quart", "fastapi", "starlette"}
PACKAGES_THAT_KNOW_DASH = {"hooks", "web", "adapters", "cli", "testing"}


def floor_of(name: str) -> tuple[int, int]:
    """Return the floor of a module: that of its package, and within ``web`` that of its part of it."""
    package, _, rest = name.partition(".")
    within = _index(WEB_FLOORS, rest.partition(".")[0]) if package == "web" else 0
    return _index(FLOORS, package), within


def _index(floors: list[set[str]], name: str) -> int:
    found = [number for number, names in enumerate(floors) if name in names]
    assert found, f"give {name!r} a floor in this file"
    return found[0]


def part_of(name: str) -> str:
    """Return the package that a module lies in; of ``web`` the package or module within it."""
    return ".".join(name.split(".")[: 2 if name.startswith("web.") else 1])


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its name below ``dash_brain``; the package itself is ``""``."""
    return {name_of(path): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported_names(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module imports, also those inside functions and for types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def loaded_by_name(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module gives to ``import_module``, or looks up in ``sys.modules``."""
    for node in ast.walk(tree):
        taken: list[ast.expr] = []
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            taken = node.args[:1]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "sys.modules":
            taken = [node.slice]
        yield from (str(one.value) for one in taken if isinstance(one, ast.Constant))


def attributes(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module uses."""
    return (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))


def imports_within(tree: ast.Module, known: set[str]) -> set[str]:
    """Return the modules of the package that a module imports."""
    found = set()
    for dotted in (*imported_names(tree), *loaded_by_name(tree)):
        package, _, name = dotted.partition(".")
        if package != "dash_brain":
            continue
        while name not in known:  # `from dash_brain.codec import encode` names the module codec
            name = name.rpartition(".")[0]
        found.add(name)
    return found


def test_each_package_imports_from_floors_below_its_own_only() -> None:
    trees = modules()
    wrong = [
        f"dash_brain.{name} imports dash_brain.{other}"
        for name, tree in trees.items()
        for other in imports_within(tree, set(trees))
        if part_of(other) != part_of(name) and floor_of(other) >= floor_of(name)
    ]
    assert not wrong


def test_the_floors_name_nothing_that_is_not_there() -> None:
    there = {part_of(name) for name in modules()}
    assert set.union(*FLOORS, PACKAGES_THAT_KNOW_DASH) <= there
    assert {f"web.{name}" if name else "web" for name in set.union(*WEB_FLOORS)} <= there


def test_no_modules_import_each_other_in_a_circle() -> None:
    trees = modules()
    graph = {name: imports_within(tree, set(trees)) for name, tree in trees.items()}
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_the_lower_floors_know_nothing_of_dash() -> None:
    knowing = [
        f"dash_brain.{name} imports {dotted}"
        for name, tree in modules().items()
        if name.partition(".")[0] not in PACKAGES_THAT_KNOW_DASH
        for dotted in imported_names(tree)
        if dotted.partition(".")[0] in KNOWS_DASH
    ]
    assert not knowing


def test_each_server_is_touched_by_one_module() -> None:
    touching = {
        (dotted.partition(".")[0], name)
        for name, tree in modules().items()
        for dotted in imported_names(tree)
        if dotted.partition(".")[0] in {"flask", "quart", "fastapi", "starlette"}
    }
    assert touching == {
        ("flask", "web.servers.flask"),
        ("quart", "web.servers.quart"),
        ("starlette", "web.servers.fastapi"),
    }


def test_only_the_servers_and_the_clients_of_tests_touch_werkzeug() -> None:
    touching = {
        name
        for name, tree in modules().items()
        if "werkzeug" in {dotted.partition(".")[0] for dotted in imported_names(tree)}
    }
    assert touching == {"testing.clients", "testing.pages", "web.servers.asgi", "web.servers.base"}


def test_only_two_modules_register_anything_with_dash() -> None:
    registering = {
        name for name, tree in modules().items() if "dash.hooks" in {*imported_names(tree), *attributes(tree)}
    }
    assert registering == {"hooks", "web.activation"}


def test_only_dash_internals_imports_what_dash_does_not_publish() -> None:
    private = {
        part_of(name)
        for name, tree in modules().items()
        if any(dotted.startswith("dash._") for dotted in imported_names(tree))
    }
    assert private == {"web.dash_internals"}


def test_only_dash_internals_uses_private_attributes_of_other_objects() -> None:
    private = [
        f"dash_brain.{name}, line {node.lineno}: {ast.unparse(node)}"
        for name, tree in modules().items()
        if name.startswith("web.") and part_of(name) not in {"web.dash_internals", "web.servers"}
        for node in ast.walk(tree)
        if (attribute := used_attribute(node)) is not None and is_private(attribute)
    ]
    assert not private


def test_only_the_adapter_of_pandas_uses_private_attributes_of_pandas() -> None:
    """But for ``_metadata``, which pandas documents for subclasses."""
    private = [
        f"dash_brain.{name}, line {node.lineno}: {ast.unparse(node)}"
        for name, tree in modules().items()
        if "pandas" in imported_tops(tree) and name != "codec.adapters.pandas"
        for node in ast.walk(tree)
        if (attribute := used_attribute(node)) is not None
        and is_private(attribute)
        and attribute != "_metadata"
    ]
    assert not private


def imported_tops(tree: ast.Module) -> set[str]:
    return {dotted.partition(".")[0] for dotted in imported_names(tree)}


def used_attribute(node: ast.AST) -> str | None:
    """Return the name of an attribute of another object that is used here, be it by getattr and the like."""
    if isinstance(node, ast.Attribute):
        own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
        own = own or ast.unparse(node.value) == "super()"
        return None if own else node.attr
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _BY_NAME:
        name = node.args[1]
        return name.value if isinstance(name, ast.Constant) else None
    return None


_BY_NAME = {"delattr", "getattr", "hasattr", "setattr"}


def is_private(attribute: str) -> bool:
    return attribute.startswith("_") and not attribute.startswith("__")


def test_no_parameter_hides_a_function() -> None:
    """A reader who knows the function would read the parameter as a call of it, or the reverse."""
    hiding = [
        f"dash_brain.{name}, line {function.lineno}: {argument}"
        for name, tree in modules().items()
        if name.partition(".")[0] != "stores"
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for argument in arguments(function) & names_of_module(tree)
    ]
    assert not hiding


def arguments(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    return {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}


@cache
def names_of_module(tree: ast.Module) -> set[str]:
    """Return the functions and classes of a module, and all that it imports."""
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {alias.asname or alias.name.split(".")[0] for node in imports for alias in node.names}
    return (defined | imported) - {"annotations"}


def test_no_source_is_generated_and_evaluated() -> None:
    evaluating = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"compile", "eval", "exec"}
    }
    assert not evaluating
