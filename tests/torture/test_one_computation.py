"""Many ask for one value at once, in many workers: one of them makes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.torture.crowds import together
from tests.torture.pages import Line, Page
from tests.torture.sizes import size

WORKERS = 8
CALLERS = 12
ROUNDS = size(3, 50)


def ask(page: Page, order: dict[str, Any]) -> dict[str, Any]:
    """Ask for the value of a name."""
    return page.fire("made.children", {"name.value": order})["made.children"]


@pytest.mark.parametrize("scope", ["session", "brain"])
def test_a_value_is_computed_once_however_many_workers_are_asked_for_it(serve, shelf, tmp_path: Path, scope):
    server = serve(
        "tests.torture.served:server", workers=WORKERS, env=shelf.environment(), options=["--preload"]
    )
    first = Page(Line(server.url)).open()
    pages = [
        Page(Line(server.url), like=first if scope == "session" else None).open() for _ in range(CALLERS)
    ]
    for number in range(ROUNDS):
        journal = tmp_path / f"{number}"
        order = {"name": f"name {number}", "scope": scope, "journal": str(journal), "seconds": 0.5}
        answers = together([lambda page=page: ask(page, order) for page in pages])
        assert len(journal.read_text().splitlines()) == 1
        assert len({answer["made"] for answer in answers}) == 1
        assert len({answer["pid"] for answer in answers}) > WORKERS // 2
