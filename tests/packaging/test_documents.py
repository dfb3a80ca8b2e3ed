"""What the documents show runs as it stands, and their links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.documents import REPOSITORY, Block, anchors, blocks, documents, links

ALL_BLOCKS = [(document, block) for document in documents() for block in blocks(document)]


def name(document: Path) -> str:
    return str(document.relative_to(REPOSITORY))


PYTHON_BLOCKS = [
    pytest.param(document, block, id=f"{name(document)}:{block.line}")
    for document, block in ALL_BLOCKS
    if block.tag == "python"
]


@pytest.mark.parametrize(("document", "block"), PYTHON_BLOCKS)
def test_a_python_block_runs_as_it_stands(document: Path, block: Block, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.packaging.play", str(document), str(block.line)]
    environment = {**os.environ, "DASH_BRAIN_STORE": f"file://{tmp_path}/store"}
    (tmp_path / "work").mkdir()
    subprocess.run(command, cwd=tmp_path / "work", env=environment, check=True, timeout=120)


def test_no_python_block_is_kept_from_being_run() -> None:
    spared = [
        f"{name(document)}:{block.line} is tagged {block.tag!r}"
        for document, block in ALL_BLOCKS
        if block.tag != "python" and block.tag.lower().startswith("py")
    ]
    assert not spared


@pytest.mark.parametrize("document", documents(), ids=name)
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    dead = []
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert not dead


@pytest.mark.parametrize("document", documents(), ids=name)
def test_make_targets_that_are_named_exist(document: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"(?:`|^|\$ )make (\w+)", document.read_text(), flags=re.MULTILINE))
    assert named <= targets
