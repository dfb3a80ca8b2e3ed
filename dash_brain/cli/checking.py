"""The commands that check: ``doctor``."""

from __future__ import annotations

import logging

import click

from dash_brain.cli.group import command, say


@command
def doctor(url: str | None, as_json: bool) -> None:
    """Check that dash_brain can work here, and say what to do where it cannot.

    Exit status: 0 when it works, with warnings or without; 1 when something is broken.
    """
    from dash_brain.cli import doctor
    from dash_brain.cli.doctor import finding, lines

    logging.getLogger("dash_brain").setLevel(logging.CRITICAL)  # all that it would warn of is said here
    report = finding.report(doctor.findings(url))
    say(as_json, report, lines.of(report))
    if report["broken"]:
        click.get_current_context().exit(1)
