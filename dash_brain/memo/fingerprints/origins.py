"""Where code comes from: an installed distribution counts by name and version, other code by content."""

from __future__ import annotations

import functools
import sys
import sysconfig
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from types import FunctionType
from typing import Any


@functools.lru_cache(maxsize=4096)
def is_installed_file(file: str) -> bool:
    """Say whether a file belongs to an installed distribution or to the standard library."""
    parts = Path(file).parts
    if "site-packages" in parts or "dist-packages" in parts:
        return True
    # A virtual environment may lie in the folder of a project, and the standard library below its prefix.
    return file.startswith((sysconfig.get_paths()["stdlib"], "<frozen "))


def attribute(thing: Any, name: str) -> Any:
    """Return an attribute, or None: a proxy may have no object at the moment."""
    with suppress(Exception):
        return getattr(thing, name)
    return None


def full_name(thing: Any) -> str:
    """Return module and name of a function or class, and the file that it is defined in."""
    module = str(attribute(thing, "__module__"))
    file = getattr(sys.modules.get(module), "__file__", None)
    # A spawned process runs the same program under another name.
    module = "__main__" if module == "__mp_main__" else module
    name = attribute(thing, "__qualname__")  # that of polars.col is no string
    return f"{file or ''}:{module}.{name if isinstance(name, str) else type(thing).__qualname__}"


def top_of(module: str) -> str:
    """Return the package that a module lies in."""
    return module.partition(".")[0]


def is_installed(module: str, home: str) -> bool:
    """Say whether a module is the interpreter's, or that of a distribution other than ``home``'s."""
    top = top_of(module)
    if top == home and top != "dash_brain":
        return False
    if top in sys.builtin_module_names or top in ("dash_brain", "builtins"):
        return True
    loaded = sys.modules.get(module)
    file = getattr(loaded, "__file__", None)
    if file is None and loaded is not None:
        spec = getattr(loaded, "__spec__", None)
        return bool(spec and spec.origin in ("built-in", "frozen"))
    return file is not None and is_installed_file(file)


def is_of_a_library(thing: Any, home: str) -> bool:
    """Say whether an object is internal to a library: no wrapper of functions, and no array or frame."""
    module = type(thing).__module__
    is_open = (
        top_of(module) in _OPEN
        or hasattr(type(thing), "__wrapped__")
        or attribute(thing, "__wrapped__") is not None
    )
    return is_installed(module, home) and not is_open


#: Libraries whose objects always count by their content.
_OPEN = {*sys.stdlib_module_names, "numba", "numpy", "pandas", "polars", "pyarrow"}


@functools.lru_cache(maxsize=4096)
def version_of(module: str) -> str:
    """Return name and version of what a module was installed with."""
    top = top_of(module)
    if top in sys.stdlib_module_names:
        return f"python {sys.version}"
    try:
        return f"{top} {metadata.version(top)}"
    except metadata.PackageNotFoundError:
        names = sorted(metadata.packages_distributions().get(top, ()))
        return " ".join(f"{name} {metadata.version(name)}" for name in names) or top


def name_of_installed(thing: Any, home: str) -> str | None:
    """Return what stands for a function or class of a distribution; None if only its code can.

    What is not found by its name, such as a function that another one returned, counts by its code.
    """
    module, name = attribute(thing, "__module__"), attribute(thing, "__qualname__")
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    # numpy.full is defined in numpy._core.numeric, and says that it is of numpy.
    if type(thing) is FunctionType and top_of(str(thing.__globals__.get("__name__"))) != top_of(module):
        return None
    if not is_installed(module, home):
        return None
    # random.uniform is a method of an instance in the module, whose state is no part of the call.
    if not any(found_by_name(module, one) is thing for one in (name, name.rpartition(".")[2])):
        return None
    return f"{version_of(module)}: {module}.{name}"


def found_by_name(module: str, name: str) -> Any:
    """Return what a dotted name stands for in a loaded module, None for nothing."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
