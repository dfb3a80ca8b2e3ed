"""What some tests need and not every machine has: root, mounts, control groups, strace."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the running test, which needs this; where everything is promised to be there, fail it."""
    if "CI" in os.environ:
        pytest.fail(f"missing: {what}; nothing may be skipped in CI", pytrace=False)
    pytest.skip(f"missing: {what}")


def needs(what: str, there: object) -> pytest.MarkDecorator:
    """Mark tests that need something, of which ``there`` says whether this machine has it."""
    return pytest.mark.needs(what, bool(there))


needs_root = needs("root", os.geteuid() == 0)  # who may mount, and become another user
needs_unshare = needs("root and unshare", os.geteuid() == 0 and shutil.which("unshare"))


def check(item: pytest.Item) -> None:
    """Skip or fail a test that needs what is missing."""
    for mark in item.iter_markers("needs"):
        what, there = mark.args
        if not there:
            missing(what)
