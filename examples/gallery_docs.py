"""The documents of the repository as pages of the gallery, which so needs no network."""

import re
from functools import cache
from pathlib import Path

from gallery_code import as_html
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from pygments.lexers import PythonLexer

DOCS = Path(__file__).resolve().parent.parent / "docs"


@cache
def pages():
    """Return the paths of all pages below ``docs``."""
    return {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}


def title(page):
    """Return the heading of a page: the text after its first ``#``."""
    return (DOCS / page).read_text().partition("\n")[0].removeprefix("# ")


def as_page(text):
    """Return a page of Markdown as HTML; its headings have the anchors that they have on GitHub."""
    return markdown.render(text)


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def code(text, language, _):
    return as_html(text, PythonLexer()) if language == "python" else ""


class Renderer(RendererHTML):
    def heading_open(self, tokens, index, options, env):
        tokens[index].attrSet("id", anchor(tokens[index + 1].content.replace("`", "")))
        return self.renderToken(tokens, index, options, env)

    def fence(self, tokens, index, options, env):
        html = super().fence(tokens, index, options, env)
        return html.replace("<pre>", '<pre tabindex="0" role="group" aria-label="code">', 1)

    def table_open(self, *_):
        return '<div class="wide" tabindex="0" role="group" aria-label="table"><table>'

    def table_close(self, *_):
        return "</table></div>"


markdown = MarkdownIt("commonmark", {"highlight": code}, renderer_cls=Renderer).enable("table")
