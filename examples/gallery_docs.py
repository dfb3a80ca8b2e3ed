"""The documents of the repository as pages of the gallery, which so needs no network."""

import os
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


def as_page(page):
    """Return a page as HTML; its headings have the anchors that they have on GitHub."""
    return markdown.render((DOCS / page).read_text(), {"page": page})


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def address(link, page):
    """Return where a link of a page leads: to a place below ``docs``, to the network, or nowhere."""
    path, hash_, place = link.partition("#")
    if ":" in path or not path:
        return link
    target = Path(os.path.normpath(DOCS / page / ".." / path))
    if target.name == "CONTRIBUTING.md":
        target = DOCS / "contributing.md"
    inside = target.is_relative_to(DOCS) and target.exists()
    return f"/docs/{target.relative_to(DOCS).as_posix()}{hash_}{place}" if inside else None


def code(text, language, _):
    return as_html(text, PythonLexer()) if language == "python" else ""


def directive(name, argument):
    """Return what a directive of Sphinx stands for: another file, or what only Sphinx can tell."""
    if name == "include":
        return markdown.render((DOCS / argument).read_text(), {"page": argument})
    return markdown.render("*What stands here is made from docstrings: see `make docs`.*", {"page": ""})


class Renderer(RendererHTML):
    def heading_open(self, tokens, index, options, env):
        tokens[index].attrSet("id", anchor(tokens[index + 1].content.replace("`", "")))
        return self.renderToken(tokens, index, options, env)

    def link_open(self, tokens, index, options, env):
        link = address(tokens[index].attrGet("href"), env["page"])
        tokens[index].attrs = {"href": link} if link else {}
        return self.renderToken(tokens, index, options, env)

    def fence(self, tokens, index, options, env):
        if made := re.match(r"{([\w-]+)} *(.*)", tokens[index].info):
            return directive(*made.groups())
        html = super().fence(tokens, index, options, env)
        return html.replace("<pre>", '<pre tabindex="0" role="group" aria-label="code">', 1)

    def table_open(self, *_):
        return '<div class="wide" tabindex="0" role="group" aria-label="table"><table>'

    def table_close(self, *_):
        return "</table></div>"


markdown = MarkdownIt("commonmark", {"highlight": code}, renderer_cls=Renderer).enable("table")
