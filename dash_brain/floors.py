"""The oldest releases of other libraries that dash_brain works with."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, version

from dash_brain.errors import DashTooOld, TooOld

#: As in pyproject.toml, which says why.
FLOORS = {"dash": "4.4.1", "flask": "3.1", "werkzeug": "3.1", "pandas": "2.2.3", "pyarrow": "18.0"}

_OF_DASH = " An app that was written for Dash 3 or older has to be brought to Dash 4 with it."


def check() -> None:
    """Raise when a library is installed, and too old.

    Raises
    ------
    DashTooOld
        When it is Dash.
    TooOld
        When it is another one.
    """
    for name, floor in FLOORS.items():
        found = _installed(name)
        if found is not None and _numbers(found) < _numbers(floor):
            raise _error(name, found, floor)


def _error(name: str, found: str, floor: str) -> TooOld:
    text = (
        f'dash_brain needs {name} {floor} or later, and {found} is installed: pip install "{name}>={floor}".'
    )
    return DashTooOld(text + _OF_DASH) if name == "dash" else TooOld(text)


def _installed(name: str) -> str | None:
    """Return the release of a library that is imported, or would be; None: there is none."""
    loaded = vars(sys.modules.get(name, object)).get("__version__")
    try:
        return loaded if isinstance(loaded, str) else version(name)
    except PackageNotFoundError:
        return None


def _numbers(release: str) -> list[int]:
    """Return what releases are compared by: 4.5.0rc2 counts as 4.5.0, which is what it leads to."""
    return [int(part) for part in re.findall(r"\d+", release)[:3]]
