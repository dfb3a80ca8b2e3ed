"""The command ``dash-brain``. Nothing but click is imported before one of its commands runs."""

from dash_brain.cli import changing, checking, looking  # noqa: F401 - they add commands
from dash_brain.cli.group import main

__all__ = ["main"]
