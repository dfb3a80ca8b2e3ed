"""The apps of this process. Dash loads this module for every app where dash_brain is installed.

It keeps weak references to the apps and changes nothing in them. When dash_brain is used,
``dash_brain.web.activation`` registers what serves them.
"""

from __future__ import annotations

import weakref

import dash

apps: weakref.WeakSet[dash.Dash] = weakref.WeakSet()


@dash.hooks.setup()  # type: ignore[untyped-decorator]
def _note(app: dash.Dash) -> None:
    apps.add(app)
