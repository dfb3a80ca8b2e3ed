"""What the documents contain: code blocks, links and headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Block:
    """A fenced code block: what its fence says, the line of that fence, and its text."""

    tag: str
    line: int
    text: str


def documents() -> list[Path]:
    docs = REPOSITORY / "docs"
    pages = (page for page in docs.rglob("*.md") if "_build" not in page.relative_to(docs).parts)
    return [*sorted(REPOSITORY.glob("*.md")), *sorted(pages)]


def blocks(document: Path) -> Iterator[Block]:
    fence, line, lines = None, 0, list[str]()
    for number, text in enumerate(document.read_text().splitlines(), start=1):
        if not text.lstrip().startswith("```"):
            lines.append(text)
        elif fence is None:
            fence, line, lines = text.strip().removeprefix("```"), number, []
        else:
            yield Block(fence, line, "\n".join(lines) + "\n")
            fence = None


def prose(document: Path) -> str:
    """Return the text of a document without its code blocks."""
    return re.sub(r"^ *```.*?^ *```", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)


def links(document: Path) -> list[str]:
    """Return the targets of all links and images that do not leave the repository."""
    text = prose(document)
    targets: list[str] = [*re.findall(r"\]\(([^)\s]+)", text), *re.findall(r'(?:src|href)="([^"]+)"', text)]
    return [target for target in targets if not re.match(r"\w+:", target)]


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a document."""
    headings: list[str] = re.findall(r"^#+ +(.+)$", prose(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
