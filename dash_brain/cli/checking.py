"""The commands that check and show: ``doctor`` and ``demo``."""

from __future__ import annotations

import logging

import click

from dash_brain.cli.group import command, main, say


@command
def doctor(url: str | None, as_json: bool) -> None:
    """Check that dash_brain can work here, and say what to do.

    Exit status: 0 when it works, with warnings or without; 1 when something is broken.
    """
    from dash_brain.cli import doctor
    from dash_brain.cli.doctor import finding, lines

    logging.getLogger("dash_brain").setLevel(logging.CRITICAL)  # all that it would warn of is said here
    report = finding.report(doctor.findings(url))
    say(as_json, report, lines.of(report))
    if report["broken"]:
        click.get_current_context().exit(1)


@main.command
@click.option("--port", type=click.IntRange(1, 65535), default=8050, show_default=True)
def demo(port: int) -> None:
    """Serve a page whose data stays on the server, until Ctrl-C.

    It has a store of its own, shm://demo-PORT, which is removed at the end.
    """
    from dash_brain.cli.demo import is_free, serve

    if not is_free(port):
        raise click.ClickException(
            f"Somebody listens on port {port} already; choose another one with --port."
        )
    url = f"shm://demo-{port}"
    click.echo(f"http://127.0.0.1:{port}    In another terminal: dash-brain top --store {url}")
    serve(url, port)
