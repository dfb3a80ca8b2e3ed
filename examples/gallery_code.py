"""The code of an example beside its plain-Dash original, as blocks of lines that are equal or differ."""

from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

HERE = Path(__file__).parent
CONTEXT = 3  # so many equal lines stay in sight before and after those that differ
FOLDED = 5  # what lies between is folded when it has so many lines, or more


class Block(NamedTuple):
    """Lines of the original and of the example, as HTML, and the number of the first of each."""

    is_equal: bool
    is_folded: bool
    old: list[str]
    new: list[str]
    old_begin: int
    new_begin: int


@cache  # the pages of both show it
def compare(name):
    """Return the blocks by which ``plain/<name>.py`` and ``<name>.py`` differ, in their order."""
    old_file, new_file = HERE / "plain" / f"{name}.py", HERE / f"{name}.py"
    old, new = (path.read_text().splitlines() for path in (old_file, new_file))
    old_html, new_html = (lines_of(path) for path in (old_file, new_file))
    blocks = []
    for kind, i, j, k, n in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            blocks.append(Block(False, False, old_html[i:j], new_html[k:n], i, k))
            continue
        for begin, end, is_folded in parts(n - k, is_first=k == 0, is_last=n == len(new)):
            lines = old_html[i + begin : i + end], new_html[k + begin : k + end]
            blocks.append(Block(True, is_folded, *lines, i + begin, k + begin))
    return blocks


def parts(length, *, is_first, is_last):
    """Return the parts of so many equal lines: where each begins and ends, and whether it is folded."""
    before, after = 0 if is_first else CONTEXT, 0 if is_last else CONTEXT
    if length < before + FOLDED + after:
        return [(0, length, False)]
    cuts = [(0, before, False), (before, length - after, True), (length - after, length, False)]
    return [(begin, end, is_folded) for begin, end, is_folded in cuts if begin < end]


def lines_of(path):
    """Return each line of a file as HTML, with a class for what it consists of."""
    return as_html(path.read_text(), PythonLexer()).splitlines()


def as_html(text, lexer):
    return highlight(text, lexer, HtmlFormatter(nowrap=True))


def counts(blocks):
    """Return how many lines only the original has, and how many only the example."""
    differing = [block for block in blocks if not block.is_equal]
    return sum(len(block.old) for block in differing), sum(len(block.new) for block in differing)
