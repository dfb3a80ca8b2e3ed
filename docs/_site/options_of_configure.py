"""``.. options-of-configure::`` is a table of what ``configure()`` takes, from its signature."""

from __future__ import annotations

from dataclasses import fields
from inspect import signature
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from dash_brain import configure
from dash_brain.settings import Settings


def variable(name: str) -> str:
    """Return the environment variable of an argument."""
    return "none: it is a function" if name == "principal" else f"``DASH_BRAIN_{name.upper()}``"


def default(name: str) -> str:
    """Return the default of an argument as it would be written."""
    field = {"store": "store_or_url", "key": "secrets"}.get(name, name)
    value = {field.name: field.default for field in fields(Settings)}[field]
    return f"``{value!r}``" if value not in (None, ()) else "see above"


def table() -> str:
    """Return a table in reStructuredText with a line for each argument."""
    named = [(f"``{name}``", variable(name), default(name)) for name in signature(configure).parameters]
    rows = [("argument", "environment variable", "default"), *named]
    items = [f"   * - {name}\n     - {where}\n     - {otherwise}" for name, where, otherwise in rows]
    return "\n".join([".. list-table::", "   :header-rows: 1", "", *items])


class OptionsOfConfigure(SphinxDirective):
    """The arguments, each with its environment variable and its default."""

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(table())


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("options-of-configure", OptionsOfConfigure)
    return {"parallel_read_safe": True}
