"""The code of an example beside its plain-Dash original, as blocks of lines that are equal or differ."""

from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

HERE = Path(__file__).parent
FOLDED = 8  # so many equal lines, or more, are folded


class Block(NamedTuple):
    """Lines of the original and of the example, as HTML, and the number of the first of each."""

    is_equal: bool
    old: list[str]
    new: list[str]
    old_begin: int
    new_begin: int

    @property
    def is_folded(self):
        return self.is_equal and len(self.new) >= FOLDED


def compare(name):
    """Return the blocks by which ``plain/<name>.py`` and ``<name>.py`` differ, in their order."""
    old_file, new_file = HERE / "plain" / f"{name}.py", HERE / f"{name}.py"
    old, new = (path.read_text().splitlines() for path in (old_file, new_file))
    old_html, new_html = (lines_of(path) for path in (old_file, new_file))
    return [
        Block(kind == "equal", old_html[i:j], new_html[k:n], i, k)
        for kind, i, j, k, n in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    ]


def lines_of(path):
    """Return each line of a file as HTML, with a class for what it consists of."""
    return as_html(path.read_text(), PythonLexer()).splitlines()


def as_html(text, lexer):
    return highlight(text, lexer, HtmlFormatter(nowrap=True))


def counts(blocks):
    """Return how many lines only the original has, and how many only the example."""
    differing = [block for block in blocks if not block.is_equal]
    return sum(len(block.old) for block in differing), sum(len(block.new) for block in differing)
