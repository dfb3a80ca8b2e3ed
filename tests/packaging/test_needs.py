"""No test is skipped in CI because the machine lacks something."""

from __future__ import annotations

import re

import pytest

from tests.needs import check, missing, needs
from tests.programs import REPOSITORY


class Item:
    """A test with marks."""

    def __init__(self, *marks: pytest.MarkDecorator) -> None:
        self._marks = [mark.mark for mark in marks]

    def iter_markers(self, name: str) -> list[pytest.Mark]:
        return [mark for mark in self._marks if mark.name == name]


def test_what_is_missing_skips_a_test_and_fails_it_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking, equipped = Item(needs("root", False)), Item(needs("root", True))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="missing: root"):
        check(lacking)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="missing: root"):
        check(lacking)
    with pytest.raises(pytest.fail.Exception, match="the right to mount"):
        missing("the right to mount")
    check(equipped)


def test_rights_and_programs_are_asked_for_in_no_other_way() -> None:
    skips = re.compile(r"(?:skipif|skip)\((?:[^()]|\([^()]*\))*?(?:geteuid|which|mount|root)")
    files = (
        path for path in REPOSITORY.glob("tests/**/*.py") if path.name not in ("needs.py", "test_needs.py")
    )
    assert [str(path) for path in files if skips.search(path.read_text())] == []
