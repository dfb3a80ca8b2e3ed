"""``llms.txt``: the pages of the site as Markdown, for programs that read it (https://llmstxt.org).

The links in that Markdown, which lies in ``_sources``, lead to where pages, images and files are on the site.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path
from typing import Any

from navigation import SHOWN

_LINK = re.compile(r"\]\(([\w./-]+)(?=[#)])")


def listing(index: str) -> str:
    """Return the file: the text of the page of contents, with links to the sources of the pages."""
    title, _, rest = re.sub(r"^!\[.*\n\n", "", index, flags=re.MULTILINE).partition("\n\n")
    said, _, sections = rest.partition("\n\n")
    sections = _LINK.sub(lambda link: f"]({address(link[1])}", sections)
    return f"{title}\n\n> {' '.join(said.split())}\n\n{sections}"


def address(page: str) -> str:
    """Return where the text of a page is: its source, or the page if the source only names what is shown."""
    shows_another = page in SHOWN.values() and page != "index.md"
    is_made_of_docstrings = page.startswith("reference/")
    return f"{page[:-3]}.html" if shows_another or is_made_of_docstrings else f"_sources/{page}.txt"


def _source(page: str, docs: Path, site: Path) -> str:
    """Return the text of a page with links that are right from the folder in which it lies on the site."""
    here = posixpath.dirname(page)
    up = posixpath.relpath(".", f"_sources/{here}")

    def on_the_site(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(here, link[1])).removeprefix("../")
        file = docs / here / link[1]
        return f"]({up}/{_place(SHOWN.get(target, target), file, site)}" if file.is_file() else link[0]

    return _LINK.sub(on_the_site, (docs / page).read_text())


def _place(target: str, file: Path, site: Path) -> str:
    """Return where a page or an image is on the site; any other file is copied beside the sources."""
    if target.endswith(".md"):
        return address(target)
    if target.startswith("images/"):
        return f"_images/{file.name}"
    copy = site / "_sources" / target
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, copy)
    return f"_sources/{target}"


def _write(app: Any, failure: Exception | None) -> None:
    if failure is not None or app.builder.format != "html":
        return
    docs, site = Path(app.srcdir), Path(app.outdir)
    (site / "llms.txt").write_text(listing((docs / f"{app.config.root_doc}.md").read_text()))
    for source in (site / "_sources").rglob("*.md.txt"):
        page = source.relative_to(site / "_sources").as_posix().removesuffix(".txt")
        source.write_text(_source(page, docs, site))


def setup(app: Any) -> dict[str, bool]:
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True}
