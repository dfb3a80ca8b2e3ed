"""The navigation of the site is what ``index.md`` links, in its order; so that page reads well on GitHub too.

Also: links of a page to documents beside ``docs/`` lead to their pages on the site.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

#: Documents beside ``docs/``, and the pages that show them.
SHOWN = {"CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md", "README.md": "index.md"}

_PAGE = re.compile(r"^- \[[^\]]+\]\(([\w/-]+)\.md\)", flags=re.MULTILINE)


def sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the headings of a page of contents, each with the pages that are linked in its list."""
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, rest = section.partition("\n")
        if pages := _PAGE.findall(rest):
            yield heading, pages


def _toctree(heading: str, pages: list[str]) -> str:
    return "\n".join(["", "```{toctree}", ":hidden:", f":caption: {heading}", "", *pages, "```", ""])


def _to_the_site(docname: str, text: str) -> str:
    up = posixpath.relpath(".", posixpath.dirname(docname) or ".")
    for document, page in SHOWN.items():
        there = posixpath.normpath(posixpath.join(up, "..", document))
        text = re.sub(
            rf"\]\({re.escape(there)}(?=[#)])", f"]({posixpath.normpath(posixpath.join(up, page))}", text
        )
    return text


def _read(app: Any, docname: str, source: list[str]) -> None:
    source[0] = _to_the_site(docname, source[0])
    if docname == app.config.root_doc:
        source[0] += "".join(_toctree(*section) for section in sections(source[0]))


def setup(app: Any) -> dict[str, bool]:
    app.connect("source-read", _read)
    return {"parallel_read_safe": True}
