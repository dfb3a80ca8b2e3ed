"""Which releases of Python and of libraries there are, and whether dash_brain works with them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from dash_brain import floors
from dash_brain.cli.doctor.finding import Finding
from dash_brain.common.version import VERSION
from dash_brain.errors import TooOld

_LIBRARIES = ("dash", "flask", "pandas", "pyarrow", "numpy", "polars", "redis")


def check() -> Iterator[Finding]:
    """Say which libraries are installed; an error, where one of them is too old to import dash_brain."""
    try:
        floors.check()
    except TooOld as error:
        cause, _, cure = str(error).partition(": ")
        yield Finding("versions", "error", f"{cause}.", cure)
    else:
        yield Finding(
            "versions", "ok", ", ".join([f"dash_brain {VERSION}", f"Python {python_version()}", *_there()])
        )


def _there() -> Iterator[str]:
    for name in _LIBRARIES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
