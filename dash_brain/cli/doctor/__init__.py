"""``dash-brain doctor``: whether dash_brain can work here, and what to do where it cannot."""

from __future__ import annotations

from collections.abc import Iterator

from dash_brain.cli.doctor import versions
from dash_brain.cli.doctor.finding import Finding


def findings(url: str | None) -> Iterator[Finding]:
    """Yield what each check finds, for the store of a URL or the configured one."""
    broken = False
    for found in versions.check():
        broken = broken or found.level == "error"
        yield found
    if not broken:  # else nothing more can be imported
        from dash_brain.cli.doctor import checks

        yield from checks.of_store(url)
