"""``.. options-of-configure::`` lists what ``configure()`` takes, from its signature and its docstring."""

from __future__ import annotations

import inspect
import re
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from dash_brain import configure


def described() -> dict[str, str]:
    """Return what the docstring says of each argument."""
    doc = inspect.getdoc(configure) or ""
    section = doc.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    parts = re.split(r"^(\w+)\n", section, flags=re.MULTILINE)[1:]
    return {name: inspect.cleandoc(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def variable(name: str) -> str:
    """Return the environment variable of an argument."""
    return "" if name == "principal" else f"DASH_BRAIN_{name.upper()}"  # a function has none


def listing() -> str:
    """Return a section in reStructuredText for each argument."""
    text = described()
    lines = []
    for name in inspect.signature(configure).parameters:
        said = f"``{variable(name)}``" if variable(name) else "no variable: it is a function"
        lines += [f"``{name}``", f"    *Environment:* {said}", ""]
        lines += [f"    {line}" for line in text[name].splitlines()] + [""]
    return "\n".join(lines)


class OptionsOfConfigure(SphinxDirective):
    """A definition list of the arguments, each with its environment variable."""

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(listing())


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("options-of-configure", OptionsOfConfigure)
    return {"parallel_read_safe": True}
