"""What the gallery shows below each example, and the documents that it links."""

from __future__ import annotations

import re
import sys

import pytest

from tests.programs import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
sys.path.append(str(EXAMPLES))  # where the modules of the gallery find each other

from examples import gallery_code, gallery_docs  # noqa: E402

NAMES = sorted(path.stem for path in EXAMPLES.glob("plain/*.py") if path.stem != "private_folder")


@pytest.mark.parametrize("name", NAMES)
def test_the_blocks_are_both_files_line_by_line(name):
    blocks = gallery_code.compare(name)
    assert lines(blocks, "old") == (EXAMPLES / "plain" / f"{name}.py").read_text().splitlines()
    assert lines(blocks, "new") == (EXAMPLES / f"{name}.py").read_text().splitlines()
    for block in blocks:
        assert (block.old == block.new) is block.is_equal
        assert block.is_equal or not block.is_folded


def lines(blocks, side):
    """Return the lines of a file as text again, and check that their numbers go on from block to block."""
    found = []
    for block in blocks:
        assert getattr(block, f"{side}_begin") == len(found)
        found += [as_text(line) for line in getattr(block, side)]
    return found


def as_text(html):
    text = re.sub("<[^>]+>", "", html)
    for entity, character in {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&"}.items():
        text = text.replace(entity, character)
    return text


def test_equal_lines_beside_those_that_differ_stay_in_sight():
    assert gallery_code.parts(10, is_first=False, is_last=False) == [(0, 10, False)]
    assert gallery_code.parts(11, is_first=False, is_last=False) == [
        (0, 3, False),
        (3, 8, True),
        (8, 11, False),
    ]
    assert gallery_code.parts(8, is_first=True, is_last=False) == [(0, 5, True), (5, 8, False)]
    assert gallery_code.parts(5, is_first=True, is_last=True) == [(0, 5, True)]


def test_every_link_between_the_documents_leads_to_a_place_on_a_page():
    pages = {page: gallery_docs.as_page(page) for page in gallery_docs.pages()}
    links = {(page, link) for page, html in pages.items() for link in re.findall(r'<a href="([^"]*)"', html)}
    for page, link in links:
        path, _, place = link.partition("#")
        if link.startswith(("/docs/", "#")) and place:
            assert f'id="{place}"' in pages[path.removeprefix("/docs/") or page], (page, link)


def test_a_link_leads_below_docs_or_to_the_network_or_nowhere():
    assert gallery_docs.address("ag-grid.md#rows", "recipes/upload.md") == "/docs/recipes/ag-grid.md#rows"
    assert gallery_docs.address("../images/wire.png", "recipes/upload.md") is None  # there is none
    assert gallery_docs.address("https://dash.plotly.com", "index.md") == "https://dash.plotly.com"
    assert gallery_docs.address("#below", "index.md") == "#below"
    assert gallery_docs.address("../../examples/app.py", "recipes/test.md") is None
    assert (
        gallery_docs.address("../CONTRIBUTING.md#run-it", "how-it-works.md") == "/docs/contributing.md#run-it"
    )


def test_what_only_sphinx_can_tell_is_said_to_be_there():
    assert "{eval-rst}" not in gallery_docs.as_page("reference/app.md")
    assert 'id="run-it"' in gallery_docs.as_page("contributing.md")
