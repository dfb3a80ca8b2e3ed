"""The apps of this process: Dash loads this module into every app of an environment that has dash_brain.

It keeps weak references to them and changes nothing. What serves them is registered by
``dash_brain.web.serving``, when dash_brain is used.
"""

from __future__ import annotations

import weakref

import dash

apps: weakref.WeakSet[dash.Dash] = weakref.WeakSet()


@dash.hooks.setup()  # type: ignore[untyped-decorator]
def _note(app: dash.Dash) -> None:
    apps.add(app)
