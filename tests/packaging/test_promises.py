"""What the documents promise is tested: each test that they name is there, and does as much as they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.documents import REPOSITORY, documents, prose
from tests.packaging.promises import known_in, named, rows, sizes_in

PROMISES, TRUST = REPOSITORY / "docs/promises.md", REPOSITORY / "docs/trust.md"


@pytest.mark.parametrize("document", documents(), ids=lambda document: document.name)
def test_every_test_that_a_document_names_is_there(document: Path) -> None:
    assert [f"{file}::{name}" for file, name in named(document) if name not in known_in(file)] == []


def test_every_promise_has_tests() -> None:
    sections = prose(PROMISES).split("\n## ")[1:]
    assert [section.split(".")[0] for section in sections] == [str(number) for number in range(1, 12)]
    tests = [[line for line in section.splitlines() if ".py::" in line] for section in sections]
    assert [lines for lines in tests if len(set(lines)) < 3 or len(set(lines)) < len(lines)] == []


def test_every_attacker_and_fault_has_tests() -> None:
    defended = prose(TRUST).partition("\n## What is not protected")[0].split("\n## ")[2:]
    points = [point for section in defended for point in section.split("\n- ")[1:]]
    assert len(points) > 40
    assert [point for point in points if ".py::" not in point] == []


def test_the_torture_does_as_much_as_its_table_says() -> None:
    table = rows(TRUST)
    assert len(table) == prose(TRUST).partition("\n| what is done |")[2].partition("\n\n")[0].count("\n") - 1
    assert [row for row in table if (row.usual, row.soak) not in sizes_in(row.file)] == []
