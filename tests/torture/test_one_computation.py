"""Many ask for one value at once, in many workers: one of them makes it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.torture.crowds import together, wait_for
from tests.torture.pages import Line, Page
from tests.torture.sizes import size

WORKERS = 8
CALLERS = 12
ROUNDS = size(2, 50)


def ask(page: Page, order: dict[str, Any]) -> dict[str, Any]:
    """Ask for the value of a name."""
    return page.fire("made.children", {"name.value": order})["made.children"]


def all_at_once(pages: list[Page], name: str, scope: str, journal: Path) -> list[dict[str, Any]]:
    """Have all pages ask for a name that is not made before all had the time to ask."""
    ready = journal.with_suffix(".ready")
    order = {"name": name, "scope": scope, "journal": str(journal), "until": str(ready)}

    def let_it_be_made() -> dict[str, Any]:
        wait_for(journal.exists, "nobody began")
        time.sleep(0.4)
        ready.touch()
        return {}

    *answers, _ = together([*(lambda page=page: ask(page, order) for page in pages), let_it_be_made])
    return answers


@pytest.mark.parametrize("scope", ["session", "brain"])
def test_a_value_is_computed_once_however_many_workers_are_asked_for_it(serve, shelf, tmp_path: Path, scope):
    # The store is open before the workers are forked: no lock may be theirs in common.
    env = shelf.environment() | {"TORTURE_USE_BEFORE_FORK": "1"}
    server = serve("tests.torture.served:server", workers=WORKERS, env=env, options=["--preload"])
    first = Page(Line(server.url)).open()
    pages = [
        Page(Line(server.url), like=first if scope == "session" else None).open() for _ in range(CALLERS)
    ]
    answered = set()
    for number in range(ROUNDS):
        journal = tmp_path / f"{number}"
        answers = all_at_once(pages, f"name {number}", scope, journal)
        assert len(journal.read_text().splitlines()) == 1
        assert len({answer["made"] for answer in answers}) == 1
        answered |= {answer["pid"] for answer in answers}
    assert len(answered) > WORKERS // 2
