"""The apps of this process. Dash loads this module for every app where dash_brain is installed.

It keeps weak references to the apps and changes nothing in them. When dash_brain is used,
``dash_brain.web.activation`` registers what serves them.
"""

from __future__ import annotations

import weakref

import dash

#: The oldest first.
references: list[weakref.ref[dash.Dash]] = []


def apps() -> list[dash.Dash]:
    """Return the apps that are alive."""
    return [app for reference in tuple(references) if (app := reference()) is not None]


@dash.hooks.setup()  # type: ignore[untyped-decorator]
def _note(app: dash.Dash) -> None:
    references.append(weakref.ref(app, references.remove))
