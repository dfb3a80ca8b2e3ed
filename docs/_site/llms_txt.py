"""``llms.txt``: the pages of the site as Markdown, for programs that read it (https://llmstxt.org)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from navigation import sections


def title_and_sentence(text: str) -> tuple[str, str]:
    """Return the heading of a page, and the first sentence of its first paragraph."""
    title = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
    paragraphs = re.findall(r"^(?![#!`|\-<{:\s])(?:.+\n)+", text, flags=re.MULTILINE)
    first = " ".join((paragraphs or [""])[0].split())
    first = re.sub(r"\[([^\]]+)\]\([^)]+\)|[*`]", r"\1", first)
    return (title[1] if title else "", re.split(r"(?<=[.:])\s", first)[0])


def listing(docs: Path) -> str:
    """Return the file: what dash_brain is, and for each page its address and what it is about."""
    index = (docs / "index.md").read_text()
    title, sentence = title_and_sentence(index)
    lines = [f"# {title}", "", f"> {sentence}"]
    for heading, pages in sections(index):
        lines += ["", f"## {heading}", ""]
        for page in pages:
            name, about = title_and_sentence((docs / f"{page}.md").read_text())
            lines.append(f"- [{name or page}](_sources/{page}.md.txt)" + (f": {about}" if about else ""))
    return "\n".join(lines) + "\n"


def _write(app: Any, failure: Exception | None) -> None:
    if failure is None and app.builder.format == "html":
        (Path(app.outdir) / "llms.txt").write_text(listing(Path(app.srcdir)))


def setup(app: Any) -> dict[str, bool]:
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True}
