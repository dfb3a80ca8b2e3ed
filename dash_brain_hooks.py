"""What Dash loads from here into every app of the environment.

A module of its own, because the package raises when Dash is too old for it, and apps that do not use it
must not fail by that.
"""

from contextlib import suppress

with suppress(ImportError):
    import dash_brain.hooks  # noqa: F401
