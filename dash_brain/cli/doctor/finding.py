"""What a check finds, and how an error becomes a finding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

#: ``"note"``: it could be better. ``"warning"``: it works, and not well. ``"error"``: something is broken.
Level: TypeAlias = Literal["ok", "note", "warning", "error"]


_CURE = "Look at what that names, or choose another place with --store."


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    check
        What was checked.
    level
        How bad it is.
    says
        What was found; of a fault its cause.
    remedy
        What to do, in one sentence; empty when all is well.
    lines
        What to write where, by the tool: ``"docker"``, ``"kubernetes"``.
    """

    check: str
    level: Level
    says: str
    remedy: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)


def of_error(check: str, error: Exception) -> Finding:
    """Return the finding for an error of dash_brain: its text begins with the cause and ends with the cure.

    Examples
    --------
    >>> found = of_error("store", ValueError("It is full. What was there stays. Delete values."))
    >>> found.level, found.says, found.remedy
    ('error', 'It is full.', 'Delete values.')
    """
    first, *others = re.split(r"(?<=[.?]) ", str(error))
    cause, _, cure = (first, "", others[-1]) if others else first.partition("; ")
    return Finding(check, "error", cause, cure or _CURE)


def report(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return findings as plain data, and whether anything is broken."""
    found = list(findings)
    return {
        "broken": any(one.level == "error" for one in found),
        "findings": [{**asdict(one), "lines": dict(one.lines)} for one in found],
    }
