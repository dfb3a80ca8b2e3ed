"""The table of what works where is complete, and each of its cells says so by a test or an error."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import dash

from tests.packaging.documents import REPOSITORY, prose
from tests.packaging.promises import known_in, named

TABLE = REPOSITORY / "docs/compatibility.md"
CELLS, _, TESTS = prose(TABLE).partition("\n## Tests\n")

#: What a cell says in place of a test: that there is nothing else to test, or who refuses it and how.
_SAID = re.compile(r"same path|no websockets|no event loop|Dash 4\.4|Dash's MCP server fails")


def rows() -> list[list[str]]:
    """Return the cells of each row that is about the three backends."""
    found = [line.strip("|").split("|") for line in CELLS.splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in row]
        for row in found
        if len(row) == 4 and "---" not in row[1] and row[1].strip() != "Flask"
    ]


def test_every_argument_of_a_callback_has_a_row() -> None:
    parameters = inspect.signature(dash.callback).parameters.values()
    names = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
    rowed = {name for first, *_ in rows() for name in re.findall(r"`(\w+)=?`", first)}
    assert names - rowed == set()


def test_every_cell_names_a_test_or_says_why_there_is_none() -> None:
    silent = [(row[0], cell) for row in rows() for cell in row[1:] if not _says(cell)]
    assert len(rows()) > 30
    assert silent == []


def _says(cell: str) -> bool:
    return bool(re.search(r"\[[A-Z]\d+\]\(#tests\)|`\w+`: \[", cell) or _SAID.search(cell))


def test_every_name_of_a_test_is_defined_once_and_used() -> None:
    defined = re.findall(r"^- ([A-Z]\d+): `", TESTS, re.M)
    assert len(defined) == len(set(defined))
    assert set(defined) == set(re.findall(r"\[([A-Z]\d+)\]\(#tests\)", CELLS))


def test_every_test_that_it_names_is_there() -> None:
    tests = named(TABLE)
    assert len(tests) == len(re.findall(r"^- [A-Z]\d+: `", TESTS, re.M))
    assert [one for one in tests if one[1] not in known_in(one[0])] == []


def test_what_is_named_for_the_servers_with_an_event_loop_runs_with_them() -> None:
    again = (REPOSITORY / ".ci/backends.sh").read_text()
    files = dict(re.findall(r"^- ([A-Z]\d+): `([^:]+)::", TESTS, re.M))
    named_there = {code for row in rows() for cell in row[2:] for code in re.findall(r"\[([A-Z]\d+)\]", cell)}
    assert len(named_there) > 40
    elsewhere = []
    for file in {files[code] for code in named_there}:
        is_run_again = re.search(rf"\b{Path(file).stem.removeprefix('test_')}\b", again)
        if not is_run_again and not re.search(
            r"tests\.backends import|fastapi", (REPOSITORY / file).read_text()
        ):
            elsewhere.append(file)
    assert elsewhere == []
