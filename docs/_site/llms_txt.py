"""``llms.txt``: the pages of the site as Markdown, for programs that read it (https://llmstxt.org)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from navigation import SHOWN


def listing(index: str) -> str:
    """Return the file: the text of the page of contents, with links to the sources of the pages."""
    title, _, rest = re.sub(r"^!\[.*\n\n", "", index, flags=re.MULTILINE).partition("\n\n")
    said, _, sections = rest.partition("\n\n")
    sections = re.sub(r"\]\(([\w/-]+)\.md\)", _source, sections)
    return f"{title}\n\n> {' '.join(said.split())}\n\n{sections}"


def _source(link: re.Match[str]) -> str:
    """Return the address of a page's source; a page that shows another document has none of its own."""
    page = link[1]
    return f"]({page}.html)" if f"{page}.md" in SHOWN.values() else f"](_sources/{page}.md.txt)"


def _write(app: Any, failure: Exception | None) -> None:
    if failure is None and app.builder.format == "html":
        index = Path(app.srcdir, f"{app.config.root_doc}.md").read_text()
        Path(app.outdir, "llms.txt").write_text(listing(index))


def setup(app: Any) -> dict[str, bool]:
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True}
